//! The case file that a story's `given` describe: an exercise, like every case that runs on loopback.

use std::fmt::Write;

use super::step::Given;

/// A case file in the form that `bailiwick case import` reads.
pub fn case_file<'a>(givens: impl Iterator<Item = &'a Given> + Clone) -> String {
    let mut text = HEAD.to_owned();
    let countries = quoted(givens.clone().filter_map(|given| match given {
        Given::CountryWithheld(country) => Some(country.as_str()),
        _ => None,
    }));
    let networks = quoted(givens.clone().filter_map(|given| match given {
        Given::NetworkWithheld(network) => Some(network.as_str()),
        _ => None,
    }));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "[case.withheld]\ncountries = [{countries}]\nnetworks = [{networks}]\n{ORDER}");
    for given in givens {
        let (name, outcome, acts) = match given {
            Given::Seized(name) => (name, "redirect", String::new()),
            Given::Shared(name) => (name, "redirect", acts(&["delegate", "answer", "record-metadata", "share"])),
            Given::Ordered { name, outcome } => (name, outcome.as_str(), String::new()),
            Given::AnsweredOnly(name) => (name, "redirect", acts(&["delegate", "answer"])),
            Given::CountryWithheld(_) | Given::NetworkWithheld(_) => continue,
        };
        let _ = writeln!(
            text,
            "[[list]]\norder = \"exercise\"\nsource = \"the story\"\noutcome = \"{outcome}\"\n{acts}names = [\"{name}\"]\n"
        );
    }
    text
}

fn acts(words: &[&str]) -> String {
    format!("acts = [{}]\n", quoted(words.iter().copied()))
}

fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = r#"[case]
id = "story"
title = "A story"
contact = "desk@sinkhole.example"
purpose = { value = "To try what a story expects", source = "the story" }

[group]
id = "story-group"
name = "STORY"

"#;

const ORDER: &str = r#"
[[order]]
id = "exercise"
name_servers = ["ns1.sinkhole.example", "ns2.sinkhole.example"]

[order.authority]
instrument = "exercise"
issuer = { value = "Nobody: a story", source = "the story" }
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_file_lists_what_is_given_and_nothing_else() {
        let givens = [Given::Seized("a.test".into()), Given::CountryWithheld("IR".into())];
        let text = case_file(givens.iter());
        assert!(text.contains("countries = [\"IR\"]\nnetworks = []"), "{text}");
        assert_eq!(text.matches("[[list]]").count(), 1);
        toml::from_str::<toml::Table>(&text).expect("the paper is TOML");
    }
}
