//! Names and learned indicators as CSV and JSON: for scripts, spreadsheets and whatever has no standard.
//!
//! Names are written plainly, because machines read them. Counts of addresses are upper bounds, and said to be. What
//! was given back is absent: a script that reads one column and blocks would else block it.

use model::fact::Indicator;
use serde::Serialize;

use super::{EXERCISE, cell, one_line};
use crate::Document;
use crate::audience::Cleared;
use crate::custody::Action;
use crate::snapshot::Named;

/// One row: a listed name, or something learned at one.
#[derive(Serialize)]
struct Row<'a> {
    kind: &'static str,
    value: String,
    /// The listed name that it belongs to.
    apex: &'a str,
    action: Action,
    #[serde(serialize_with = "instant")]
    first_seen: Option<model::Timestamp>,
    #[serde(serialize_with = "instant")]
    last_seen: Option<model::Timestamp>,
    contacts: u64,
    /// At most so many; empty where it was not counted.
    addresses_max: Option<u64>,
    group: &'a str,
    tlp: &'static str,
    /// `EXERCISE`, or nothing.
    exercise: &'static str,
}

pub(super) fn csv(cleared: &Cleared<'_>) -> Document {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let broken = "rows are written to memory";
    for mut row in rows(cleared) {
        row.value = cell(&row.value);
        writer.serialize(row).expect(broken);
    }
    let bytes = writer.into_inner().expect(broken);
    Document { file_name: format!("{}.indicators.csv", cleared.stem()), media_type: "text/csv", bytes }
}

pub(super) fn json(cleared: &Cleared<'_>) -> Document {
    #[derive(Serialize)]
    struct Whole<'a> {
        format: &'static str,
        #[serde(skip_serializing_if = "str::is_empty")]
        exercise: &'static str,
        tlp: &'static str,
        group: &'a str,
        aliases: Vec<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        case: Option<&'a str>,
        serial: u32,
        indicators: Vec<Row<'a>>,
    }
    let whole = Whole {
        format: "bailiwick-indicators-1",
        exercise: exercise(cleared),
        tlp: cleared.tlp.label(),
        group: &cleared.group.name,
        aliases: super::stix::aliases(cleared.group),
        case: cleared.face.map(|face| face.id.as_str()),
        serial: cleared.serial,
        indicators: rows(cleared),
    };
    let mut bytes = serde_json::to_vec_pretty(&whole).expect("our rows are plain JSON");
    bytes.push(b'\n');
    Document { file_name: format!("{}.indicators.json", cleared.stem()), media_type: "application/json", bytes }
}

fn rows<'a>(cleared: &Cleared<'a>) -> Vec<Row<'a>> {
    let names = cleared.names().map(|(name, named)| name_row(cleared, name, named));
    let learned = cleared.learned.iter().map(|indicator| learned_row(cleared, indicator));
    names.chain(learned).filter(|row| row.action != Action::Withdraw).collect()
}

fn name_row<'a>(cleared: &Cleared<'a>, name: &'a model::DomainName, named: Named) -> Row<'a> {
    Row {
        kind: "domain-name",
        value: name.as_str().to_owned(),
        apex: name.as_str(),
        action: named.action,
        first_seen: named.seen.map(|seen| seen.first),
        last_seen: named.seen.map(|seen| seen.last),
        contacts: named.seen.map_or(0, |seen| seen.contacts),
        addresses_max: None,
        group: &cleared.group.name,
        tlp: cleared.tlp.label(),
        exercise: exercise(cleared),
    }
}

fn learned_row<'a>(cleared: &Cleared<'a>, indicator: &'a Indicator) -> Row<'a> {
    Row {
        kind: indicator.kind.as_str(),
        value: one_line(&indicator.value),
        apex: indicator.apex.as_str(),
        action: cleared.action_at(&indicator.apex),
        first_seen: Some(indicator.first_seen),
        last_seen: Some(indicator.last_seen),
        contacts: indicator.contacts,
        addresses_max: Some(indicator.addresses),
        group: &cleared.group.name,
        tlp: cleared.tlp.label(),
        exercise: exercise(cleared),
    }
}

fn exercise(cleared: &Cleared<'_>) -> &'static str {
    if cleared.exercise { EXERCISE } else { "" }
}

/// RFC 3339 in UTC; an empty field or null where there is none.
fn instant<S: serde::Serializer>(at: &Option<model::Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.as_ref().map(ToString::to_string).serialize(serializer)
}
