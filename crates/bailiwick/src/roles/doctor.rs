//! `bailiwick doctor`: whether this installation can keep what it promises, and what to do where it cannot.
//!
//! It looks at this machine and at the ledger's own database, and at nothing else: a name under attack is never resolved by us. Whether a parent still
//! holds a DS is therefore for a person to ask; the doctor says why it matters and with which command.

use desk::api::{CaseDetail, CaseSummary};
use model::DomainName;
use model::order::NameOutcome;
use serde::Serialize;

use crate::cli::{JsonArgs, Place};
use crate::config::Config;
use crate::door::Door;
use crate::failure::{Done, Failure, code};
use crate::terminal;

mod ledger;
mod machine;
mod memory;
mod sensors;

/// Names that are written out one by one; the rest are counted.
const NAMES_SHOWN_MAX: usize = 10;

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
struct Finding {
    about: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Holds,
    /// It works, and could work better.
    Weak,
    /// Something that we promise does not hold.
    Wrong,
}

impl Finding {
    fn holds(about: &'static str, found: impl Into<String>) -> Self {
        Self { about, state: State::Holds, found: found.into(), hint: None }
    }

    fn weak(about: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { about, state: State::Weak, found: found.into(), hint: Some(hint.into()) }
    }

    fn wrong(about: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { about, state: State::Wrong, found: found.into(), hint: Some(hint.into()) }
    }
}

/// What was found, and what only a person can ask.
#[derive(Debug, Serialize)]
struct Examination {
    findings: Vec<Finding>,
    dnssec: Dnssec,
}

/// The names whose parents must hold no DS record.
#[derive(Debug, Serialize)]
struct Dnssec {
    names: usize,
    why: &'static str,
    /// To be typed by a person, on a machine from which asking for these names harms nobody.
    ask: Vec<String>,
}

const WHY: &str = "we do not sign: a DS record that the parent still holds says that the zone is signed, so every validating\n\
                   resolver answers SERVFAIL for all of it, and its victims never reach us. Neither a new key nor CDS helps: they would\n\
                   have to match the old owner's DS. Have the registry remove the DS together with the change of name servers, and wait\n\
                   for the DS's TTL. See docs/concepts/dnssec.md.";

pub(crate) fn run(place: &Place, args: &JsonArgs) -> Done {
    let config = Config::load(place)?;
    let mut findings = memory::examine(&config);
    findings.extend(ledger::examine(&config));
    findings.extend(machine::examine(&config));
    findings.extend(sensors::examine(&config)?);
    let examination = Examination { findings, dnssec: dnssec(&config)? };
    match args.json {
        true => terminal::json(&examination)?,
        false => terminal::line(&told(&examination))?,
    }
    let wrong = examination.findings.iter().filter(|finding| finding.state == State::Wrong).count();
    if wrong > 0 {
        return Err(Failure::new(format!("{wrong} of the things looked at do not hold")).code(code::NOT_VERIFIED));
    }
    Ok(())
}

/// The names that are, or are to be, delegated to us. Without a data folder there are none yet, and none is made by looking.
fn dnssec(config: &Config) -> Result<Dnssec, Failure> {
    let names = if config.data.join("format").exists() { redirected(config)? } else { Vec::new() };
    Ok(Dnssec { names: names.len(), why: WHY, ask: names.iter().take(NAMES_SHOWN_MAX).map(question).collect() })
}

fn redirected(config: &Config) -> Result<Vec<DomainName>, Failure> {
    let door = Door::into(config, "doctor")?;
    let cases: Vec<CaseSummary> = door.get("/cases")?;
    let mut names = Vec::new();
    for case in cases {
        let detail: CaseDetail = door.get(&format!("/cases/{}", case.id))?;
        names.extend(
            detail.name_states.into_iter().filter(|name| name.outcome == NameOutcome::Redirect).map(|name| name.name),
        );
    }
    Ok(names)
}

/// Asks the parent's own servers, so that no cache answers and nothing reaches the name itself.
fn question(name: &DomainName) -> String {
    let parent = name.as_str().split_once('.').map_or("", |(_, parent)| parent);
    let server = format!("$(dig +short NS {parent}. | head -n 1)");
    format!("dig +norecurse DS {} @\"{server}\"", name.as_str())
}

fn told(examination: &Examination) -> String {
    let mut lines: Vec<String> = Vec::new();
    for Finding { about, state, found, hint } in &examination.findings {
        let mark = match state {
            State::Holds => "holds",
            State::Weak => "weak ",
            State::Wrong => "WRONG",
        };
        lines.push(format!("{mark}  {about:<20}  {found}"));
        lines.extend(hint.as_ref().map(|hint| format!("{:29}hint: {hint}", "")));
    }
    let Dnssec { names, why, ask } = &examination.dnssec;
    lines.push(format!(
        "\nDNSSEC: no parent may hold a DS record for the {names} names that are delegated to us, or are to be.\n{why}"
    ));
    if !ask.is_empty() {
        lines.push("\nA person can see whether one is left; an empty ANSWER section means that none is:".to_owned());
        lines.extend(ask.iter().map(|question| format!("  {question}")));
    }
    if ask.len() < *names {
        lines.push(format!("  … and {} more names", names - ask.len()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_asked_and_nothing_that_the_name_leads_to() {
        let name = DomainName::parse("outlook-verify.test").unwrap();
        assert_eq!(question(&name), "dig +norecurse DS outlook-verify.test @\"$(dig +short NS test. | head -n 1)\"");
    }

    #[test]
    fn every_finding_that_does_not_hold_says_what_to_do() {
        let findings = vec![Finding::holds("a", "fine"), Finding::wrong("b", "broken", "mend it")];
        let dnssec = Dnssec { names: 12, why: WHY, ask: vec!["dig".into()] };
        let text = told(&Examination { findings, dnssec });
        assert!(text.contains("WRONG  b") && text.contains("hint: mend it"), "{text}");
        assert!(text.contains("SERVFAIL") && text.contains("and 11 more names"), "{text}");
    }
}
