//! The case file that a story's `given` describe: an exercise, like every case that runs on loopback.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use model::Timestamp;

use super::step::Given;

/// When the story's authority ends, if it does.
pub(super) fn ends<'a>(mut givens: impl Iterator<Item = &'a Given>, now: Timestamp) -> Option<Timestamp> {
    let secs = givens.find_map(|given| if let Given::Ends { secs } = given { Some(*secs) } else { None })?;
    now.checked_add(Duration::from_secs(secs.into())).ok()
}

/// A case file in the form that `bailiwick case import` reads; the story begins `now`.
pub fn case_file<'a>(givens: impl Iterator<Item = &'a Given> + Clone, now: Timestamp) -> String {
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
    let _ = writeln!(text, "[case.withheld]\ncountries = [{countries}]\nnetworks = [{networks}]\n");
    let addresses = quoted(givens.clone().filter_map(|given| match given {
        Given::AnswersWith(address) => Some(address.to_string()),
        _ => None,
    }));
    if !addresses.is_empty() {
        let _ = writeln!(text, "[case.answers]\nv4 = [{addresses}]\n");
    }
    text.push_str(ORDER);
    if let Some(ends) = ends(givens.clone(), now) {
        let _ = writeln!(text, "expires = {{ value = {ends}, source = \"the story\" }}\n");
    }
    for given in givens {
        let (name, outcome, acts) = match given {
            Given::Seized(name) => (name, "redirect", String::new()),
            Given::Shared(name) => (name, "redirect", acts(&["delegate", "answer", "record-metadata", "share"])),
            Given::Ordered { name, outcome } => (name, outcome.as_str(), String::new()),
            Given::KillSwitch(name) => (name, "redirect", "answer_effect = \"kill-switch\"\n".to_owned()),
            Given::AnsweredOnly(name) => (name, "redirect", acts(&["delegate", "answer"])),
            Given::CountryWithheld(_) | Given::NetworkWithheld(_) => continue,
            Given::Had { .. } | Given::AnswersWith(_) | Given::Ends { .. } => continue,
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

/// The zone files of the names that had records, in order of name.
pub fn zone_files<'a>(givens: impl Iterator<Item = &'a Given>) -> BTreeMap<&'a str, String> {
    let mut files = BTreeMap::new();
    for given in givens {
        if let Given::Had { name, record } = given {
            let file: &mut String = files.entry(name.as_str()).or_default();
            file.push_str(record);
            file.push('\n');
        }
    }
    files
}

fn quoted(words: impl Iterator<Item = impl std::fmt::Display>) -> String {
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
        let text = case_file(givens.iter(), Timestamp::UNIX_EPOCH);
        assert!(text.contains("countries = [\"IR\"]\nnetworks = []"), "{text}");
        assert_eq!(text.matches("[[list]]").count(), 1);
        toml::from_str::<toml::Table>(&text).expect("the paper is TOML");
    }
}
