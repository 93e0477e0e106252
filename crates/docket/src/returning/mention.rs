//! Whether a text that somebody typed mentions a name: as whole words, in letters of any case, however it is spelled apart.

/// `APT 35`, `apt-35` and `APT35` mention `APT35`; `chapt35` and `apt350` do not. A name without a letter or digit is never
/// mentioned.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let (words, wanted) = (words(text), words(name).concat());
    !wanted.is_empty() && (0..words.len()).any(|from| begins_with(&words[from..], &wanted))
}

/// Whether so many of the first words as it takes come to exactly that.
fn begins_with(words: &[String], wanted: &str) -> bool {
    let mut rest = wanted;
    for word in words {
        match rest.strip_prefix(word.as_str()) {
            Some("") => return true,
            Some(left) => rest = left,
            None => return false,
        }
    }
    false
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_mentioned_by_whole_words_however_it_is_spelled() {
        for (text, name, is_mentioned) in [
            ("it was never APT35's", "APT35", true),
            ("the apt-35 list was wrong", "APT35", true),
            ("by APT 35.", "apt-35", true),
            ("the charming  kitten campaign", "Charming Kitten", true),
            ("CharmingKitten", "Charming Kitten", true),
            ("a charming shop that sells kittens", "Charming Kitten", false),
            ("apt350 and chapt35", "APT35", false),
            ("the flat is apt. 3, floor 5", "APT35", false),
            ("see o-1.", "o-1", true),
            ("see photo-1", "o-1", false),
            ("the reason: none", "***", false),
            ("ÉCLAIR GROUP", "éclair group", true),
            ("", "APT35", false),
        ] {
            assert_eq!(mentions(text, name), is_mentioned, "{name} in {text}");
        }
    }
}
