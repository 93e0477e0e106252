//! All of a case for a stranger: which files its facts name, where each lies in the folder, and what is left out.
//!
//! The facts and their proofs are an export for a court (`store::audit`); the exhibits lie as [`crate::evidence::pack`] lays
//! them. This page adds what else the house keeps of the case: papers, what people were shown before they said yes, reports.
//! Nothing of another case is in it: a fact that names one keeps its commitment, and loses its body.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::approval::Request;
use model::digest::canonical_json;
use model::fact::{Body, Fact};
use model::id::Position;
use model::time::Date;
use model::{Digest, Timestamp};
use serde::Serialize;
use serde_json::Value;
use store::view::CaseView;

use crate::evidence::inert::inert;
use crate::evidence::pack::who;
use crate::shown::Shown;

#[cfg(test)]
mod tests;

/// What `contents.json` calls the folder.
pub const FORMAT: &str = "bailiwick case folder v1";
/// What a stranger checks it with: documentation that runs.
pub const VERIFIER: &str = include_str!("dossier/verify.py");
const VERIFY: &str = include_str!("dossier/VERIFY.md");
/// Characters of one line of `ACTS.txt`.
const LINE_CHARS_MAX: usize = 240;
/// What a case's name may hold besides letters and digits.
const MARKS: [char; 3] = ['-', '.', '_'];
/// Fields of facts that name a file of the vault. No text that a person writes stands in them.
const FILE_FIELDS: [&str; 8] = ["file", "report", "letter", "xarf", "message", "document", "actors", "token"];

//----------- Contents ---------------------------------------------------------------------------------------------

/// `contents.json`: which fact names which file, and what is not here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contents {
    pub format: &'static str,
    pub case: String,
    pub exercise: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_until: Option<Date>,
    pub made: Timestamp,
    pub program: String,
    /// As `bailiwick audit key` prints it.
    pub key: String,
    /// Facts of the whole ledger at that moment.
    pub ledger: u64,
    /// The facts that are shown.
    pub shown: Vec<Position>,
    pub withheld: Vec<Withheld>,
    pub files: Vec<Filed>,
    pub missing: Vec<Missing>,
}

/// A fact of the case whose body is not shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Withheld {
    pub fact: Position,
    pub commitment: Digest,
    pub why: String,
}

/// A file that a fact names by its digest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filed {
    pub path: String,
    pub sha256: Digest,
    pub fact: Position,
}

/// A file that a fact names, and that is not in the folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missing {
    pub fact: Position,
    pub sha256: Digest,
    pub what: String,
    pub why: String,
}

impl Contents {
    pub fn canonical(&self) -> Vec<u8> {
        canonical_json(self)
    }
}

/// `VERIFY.md`.
pub fn verify_page(contents: &Contents) -> String {
    VERIFY.replace("{case}", &contents.case).replace("{key}", &contents.key).replace("{format}", FORMAT)
}

//----------- Files that facts name --------------------------------------------------------------------------------

/// A file of the vault that a fact names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// `complaint`, `letter`, `report`: a word for its name.
    pub word: String,
    pub digest: Digest,
}

/// All of them; `fact` is its canonical JSON.
pub fn named(fact: &Value) -> Vec<Named> {
    let mut found = Vec::new();
    collect(&fact["body"], &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Named>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let digest = value.as_str().filter(|_| FILE_FIELDS.contains(&key.as_str()));
                match digest.and_then(|text| text.parse().ok()) {
                    Some(digest) => found.push(Named { word: word(key, fields), digest }),
                    None => collect(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// A paper is called after its kind, anything else after the field that names it.
fn word(key: &str, fields: &serde_json::Map<String, Value>) -> String {
    let kind = fields.get("kind").and_then(Value::as_str).filter(|kind| key == "file" && is_plain(kind));
    kind.unwrap_or(key).to_owned()
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// The folder in which what a fact names lies. A fact of a later release has a place, too.
pub fn shelf(body: &Body) -> &'static str {
    match body {
        Body::CaseOpened { .. } | Body::PaperFiled { .. } | Body::CaseAdvanced { .. } => "authority/papers",
        Body::GateRun { .. } | Body::GateDecided { .. } => "gate",
        Body::VerificationMade(_) | Body::CheckAttested(_) => "verification",
        Body::AppendixCompiled { .. } | Body::Dispatched { .. } | Body::Acknowledged { .. } => "appendices",
        Body::ReportMade { .. } | Body::ReportSent { .. } | Body::ReportAcknowledged { .. } => "reports",
        Body::RecordsCaptured { .. } => "owner-records",
        body if body.is_watch() => "custody",
        _ => "other",
    }
}

/// The name of such a file: `authority/papers/000031-complaint.pdf`.
pub fn path_of(fact: &Fact, word: &str, octets: &[u8]) -> String {
    format!("{}/{:06}-{word}{}", shelf(&fact.body), fact.position.0, extension(octets))
}

/// By what it begins with; a page that may run something is no page here.
fn extension(octets: &[u8]) -> &'static str {
    let text = std::str::from_utf8(octets);
    match text {
        _ if octets.starts_with(b"%PDF-") => ".pdf",
        Ok(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => ".json",
        Ok(_) => ".txt",
        Err(_) => ".bin",
    }
}

//----------- Other cases ------------------------------------------------------------------------------------------

/// The first word of a text that is another case's name, in letters of any case and whatever marks stand around it.
pub fn other_in<'a>(text: &'a str, others: &BTreeSet<&str>) -> Option<&'a str> {
    let parts_words = |c: char| !(c.is_alphanumeric() || MARKS.contains(&c));
    text.split(parts_words).find(|word| is_other(&word.to_lowercase(), others))
}

/// A name begins with no mark, but may end with some.
fn is_other(word: &str, others: &BTreeSet<&str>) -> bool {
    let word = word.trim_start_matches(MARKS);
    let shortest = word.trim_end_matches(MARKS).len();
    (shortest..=word.len()).any(|end| others.contains(&word[..end]))
}

/// The same, in what a fact says: its values, and not the names of its fields.
pub fn other_in_fact(fact: &Value, others: &BTreeSet<&str>) -> bool {
    match fact {
        Value::String(text) => other_in(text, others).is_some(),
        Value::Array(values) => values.iter().any(|value| other_in_fact(value, others)),
        Value::Object(fields) => fields.values().any(|value| other_in_fact(value, others)),
        _ => false,
    }
}

//----------- What two people were shown ---------------------------------------------------------------------------

/// Exactly what the request's digest is of, from the case as it stood when it was asked; `None` if that gives another.
pub fn shown_for(case: &CaseView, request: &Request) -> Option<Shown> {
    let of = |order| Shown::of(case, order, request.what.clone());
    case.orders.values().map(of).find(|shown| shown.digest() == request.shown)
}

//----------- Acts, for people -------------------------------------------------------------------------------------

/// A line of `ACTS.txt`: position, time, who, what.
pub fn act_line(fact: &Fact, value: &Value) -> String {
    let kind = value["body"]["fact"].as_str().unwrap_or("unknown").replace('-', " ");
    let mut line = format!("{:>6}  {}  {:<24}  {kind}", fact.position.0, seconds(fact.time), who(&fact.actor));
    if let Some(order) = &fact.authority {
        let _ = write!(line, ", under order {order}");
    }
    details(&value["body"], &mut line);
    let is_cut = line.chars().count() > LINE_CHARS_MAX;
    line.chars().take(LINE_CHARS_MAX).chain(is_cut.then_some('…')).collect::<String>() + "\n"
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Inert, and without a break that would look like a line of its own.
fn on_one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let spelt = |c: char| if breaks(c) { c.escape_default().to_string() } else { c.to_string() };
    inert(text).chars().map(spelt).collect()
}

/// What stands in a fact as a short value, outermost first.
fn details(value: &Value, line: &mut String) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields.iter().filter(|(key, _)| !["fact", "case"].contains(&key.as_str())) {
        match value {
            Value::String(text) if text.parse::<Digest>().is_ok() => {
                let _ = write!(line, "; {key} {}…", &text[..12]);
            }
            Value::String(text) => {
                let _ = write!(line, "; {key} {}", on_one_line(text));
            }
            Value::Number(number) => {
                let _ = write!(line, "; {key} {number}");
            }
            Value::Array(values) => {
                let _ = write!(line, "; {} {key}", values.len());
            }
            _ => {}
        }
    }
    fields.values().filter(|value| value.is_object()).for_each(|value| details(value, line));
}
