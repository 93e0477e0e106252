//! One slip of the finger: letters that are one edit away from a keyword.
//!
//! Compared are the stretches that [`crate::words`] could not explain, as a whole: inside longer stretches one edit
//! makes a keyword out of too much. Words on either side have been taken away by then, so `mircosoft-login` and
//! `mircosoftlogin` are the same to us.

/// Shorter keywords are one edit away from too much.
pub(crate) const KEYWORD_LEN_MIN: usize = 6;

/// Keywords by length.
pub(crate) struct Typos {
    by_len: Vec<Vec<usize>>,
    keywords: Vec<String>,
}

impl Typos {
    /// Keywords shorter than [`KEYWORD_LEN_MIN`] are left out; indices stay those of the list.
    pub(crate) fn new(keywords: Vec<String>) -> Self {
        let longest = keywords.iter().map(String::len).max().unwrap_or_default();
        let mut by_len = vec![Vec::new(); longest + 1];
        for (index, keyword) in keywords.iter().enumerate().filter(|(_, text)| text.len() >= KEYWORD_LEN_MIN) {
            by_len[keyword.len()].push(index);
        }
        Self { by_len, keywords }
    }

    pub(crate) fn keyword(&self, index: usize) -> &str {
        &self.keywords[index]
    }

    /// The keyword that the letters miss by one edit. A plural is no slip.
    pub(crate) fn find(&self, letters: &str) -> Option<usize> {
        let lens = letters.len().saturating_sub(1)..=letters.len() + 1;
        let near = lens.filter_map(|len| self.by_len.get(len)).flatten();
        near.copied().find(|index| {
            let keyword = self.keywords[*index].as_str();
            letters.strip_suffix('s') != Some(keyword) && is_one_edit(letters, keyword)
        })
    }
}

/// Whether one insertion, deletion, substitution or swap of neighbours makes one of the other.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let (short, long) = (short.as_bytes(), long.as_bytes());
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    match long.len() - short.len() {
        0 if same == long.len() => false,
        0 => short[same + 1..] == long[same + 1..] || is_swap(&short[same..], &long[same..]),
        1 => short[same..] == long[same + 1..],
        _ => false,
    }
}

fn is_swap(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([a, b, rest @ ..], [c, d, other_rest @ ..]) => a == d && b == c && rest == other_rest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_edit_is_a_slip_and_two_edits_are_not() {
        let typos = Typos::new(["microsoft", "verify", "live"].map(str::to_owned).to_vec());
        for (letters, keyword) in [
            ("micrsoft", Some("microsoft")),   // delete
            ("microsofft", Some("microsoft")), // insert
            ("microsoftt", Some("microsoft")), // insert at the end
            ("icrosoft", Some("microsoft")),   // delete at the start
            ("microseft", Some("microsoft")),  // substitute
            ("micorsoft", Some("microsoft")),  // swap
            ("verifiy", Some("verify")),
            ("microsoft", None),
            ("microsofts", None),
            ("macrosofd", None),
            ("moircsoft", None),
            ("lvie", None), // a short keyword
            ("", None),
        ] {
            assert_eq!(typos.find(letters).map(|index| typos.keyword(index)), keyword, "{letters}");
        }
    }
}
