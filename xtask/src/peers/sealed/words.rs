//! What a seal hides, and the search for it in whatever way it may be written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Words of the case file that nobody outside may read while it is sealed. None of them is a word of any language.
pub(super) const OF_THE_CASE: [&str; 8] = [
    "quarrystone-7741",
    "Operation Quarrystone",
    "Utopian District Court",
    "7:31-cv-55812",
    "wdx-7-31",
    "Lovelace-Quill",
    "Quarry Takedown Desk",
    "desk@quarryholder.example",
];
/// Words for the group. A feed is about the group, and names it; nothing else may.
pub(super) const OF_THE_GROUP: [&str; 3] = ["Velvet Heron", "velvet-heron-92", "Amber Bittern"];
/// Words of the operator by which a sensor is recognised.
pub(super) const OF_THE_OPERATOR: [&str; 1] = ["marked-sensor-4"];
/// By these a sinkhole is known from outside, by Maltrail's list among others, and whatever else says the word.
pub(super) const MARKS: [&str; 5] = ["sinkhole", "zinkhole", "snkz=", "bailiwick", "takedown"];

/// Which of the words stand in these octets: as they are in any case, in hexadecimal, percent-coded, in base64 at any
/// of its alignments.
pub(super) fn found(words: &[&str], octets: &[u8]) -> Vec<String> {
    let lower = octets.to_ascii_lowercase();
    let holds = |hay: &[u8], form: &[u8]| hay.windows(form.len()).any(|part| part == form);
    let mut found = Vec::new();
    for word in words {
        let plain = word.to_ascii_lowercase();
        let is_folded = folded(&plain).iter().any(|form| holds(&lower, form.as_bytes()));
        let is_coded = [*word, &plain].iter().flat_map(|word| base64(word)).any(|form| holds(octets, form.as_bytes()));
        if is_folded || is_coded {
            found.push((*word).to_owned());
        }
    }
    found
}

/// In lower case throughout: the word, its hexadecimal digits together and apart, its percent codings.
fn folded(word: &str) -> [String; 5] {
    let hex = |before: &str| word.bytes().map(|octet| format!("{before}{octet:02x}")).collect::<String>();
    let some = word.chars().map(|sign| match sign {
        sign if sign.is_ascii_alphanumeric() || "-.".contains(sign) => sign.to_string(),
        sign => format!("%{:02x}", u32::from(sign)),
    });
    [word.to_owned(), hex(""), hex(" ").trim_start().to_owned(), hex("%"), some.collect()]
}

/// The characters that the word alone decides, at each of the three places in a group of three octets.
fn base64(word: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let padded = [vec![0; before], word.as_bytes().to_vec()].concat();
        let own = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&padded)[own.clone()].to_owned());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_each_of_its_forms_and_only_there() {
        let word = "7:31-cv-55812";
        let in_base64 = |before: &str| base64::engine::general_purpose::STANDARD.encode(format!("{before}{word}."));
        for text in [
            "No. 7:31-CV-55812.".to_owned(),
            "373a33312d63762d3535383132".to_owned(),
            "37 3A 33 31 2D 63 76 2D 35 35 38 31 32".to_owned(),
            "7%3A31-cv-55812".to_owned(),
            "%37%3a%33%31%2d%63%76%2d%35%35%38%31%32".to_owned(),
            in_base64(""),
            in_base64("a"),
            in_base64("ab"),
        ] {
            assert_eq!(found(&[word], text.as_bytes()), [word], "{text}");
        }
        assert!(found(&[word], b"7:31-cv-55813").is_empty());
    }
}
