//! Look-alikes within ASCII: digits for letters, pairs of letters for one.
//!
//! Name and keyword are folded in the same way and compared; a keyword that appears only after folding was hidden.
//! What looks alike beyond ASCII is folded by the skeleton of UTS 39 in [`crate::spelling`].

use aho_corasick::{AhoCorasick, MatchKind};

/// Pairs that look like one letter, before single characters.
const PAIRS: [(&str, char); 3] = [("rn", 'm'), ("vv", 'w'), ("cl", 'd')];

/// Keywords in their folded form.
pub(crate) struct Looks {
    automaton: AhoCorasick,
    /// The index of each pattern's keyword.
    keywords: Vec<usize>,
}

impl Looks {
    /// Of keywords that are worth hiding; the index is what [`Looks::find`] gives back.
    pub(crate) fn new<'k>(keywords: impl Iterator<Item = (usize, &'k str)>) -> Self {
        let (indices, folded): (Vec<usize>, Vec<String>) = keywords.map(|(index, text)| (index, fold(text))).unzip();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(folded);
        Self { automaton: automaton.expect("a few hundred keywords fit an automaton"), keywords: indices }
    }

    /// The keyword that a token looks like. The caller has made sure that it does not contain it as it stands.
    pub(crate) fn find(&self, token: &str) -> Option<usize> {
        let found = self.automaton.find(&fold(token))?;
        Some(self.keywords[found.pattern().as_usize()])
    }
}

/// One form for everything that looks alike.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let pair = PAIRS.iter().find(|(pair, _)| rest.starts_with(pair));
        let (letter, len) = pair.map_or((fold_one(first), first.len_utf8()), |(pair, letter)| (*letter, pair.len()));
        folded.push(letter);
        rest = &rest[len..];
    }
    folded
}

fn fold_one(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | 'i' => 'l',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        '9' => 'g',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_a_keyword_is_found_and_what_does_not_is_not() {
        let keywords = ["microsoft", "telegram", "linkedin", "twitter", "icloud"];
        let looks = Looks::new(keywords.into_iter().enumerate());
        for (token, keyword) in [
            ("te1egram", Some("telegram")),
            ("rnicrosoft", Some("microsoft")),
            ("micros0ftlogin", Some("microsoft")),
            ("llnkedln", Some("linkedin")),
            ("tvvitter", Some("twitter")),
            ("idoud", Some("icloud")),
            ("macrosoft", None),
            ("cloud", None),
        ] {
            assert_eq!(looks.find(token).map(|index| keywords[index]), keyword, "{token}");
        }
    }
}
