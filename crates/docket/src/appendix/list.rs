//! The list that machines read: one line per name, as CSV (RFC 4180) and as JSON.
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises: the texts of registries
//! and registrars come from files that others wrote.

use std::io::{self, Write};

use model::DomainName;
use model::id::OrderId;
use model::order::NameOutcome;
use serde::Serialize;

use super::actors::Actor;

const HEADER: [&str; 9] = [
    "name",
    "outcome",
    "order",
    "registry",
    "registrar",
    "registrar_iana_id",
    "sponsored_by_us",
    "name_servers",
    "plan",
];

/// One line.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) name: &'a DomainName,
    pub(super) outcome: NameOutcome,
    pub(super) order: &'a OrderId,
    pub(super) actor: &'a str,
    /// The plan's number in `plans.json`.
    pub(super) plan: u32,
}

pub(super) fn header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}\r", HEADER.join(","))
}

pub(super) fn csv(out: &mut impl Write, row: &Row<'_>, actor: &Actor, servers: &str) -> io::Result<()> {
    let number = actor.iana_id.map(|id| id.to_string()).unwrap_or_default();
    let plan = row.plan.to_string();
    let servers = if row.outcome == NameOutcome::Redirect { servers } else { "" };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (registry, registrar) = (text(&actor.registry), text(&actor.registrar));
    let by_us = if actor.sponsors { "yes" } else { "no" };
    let cells = [
        row.name.as_str(),
        row.outcome.as_str(),
        row.order.as_str(),
        &registry,
        &registrar,
        &number,
        by_us,
        servers,
        &plan,
    ];
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(quoted(cell).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// A cell (RFC 4180, 2), inert in a spreadsheet.
pub(super) fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r', '\'']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// One object of a JSON array, on a line of its own.
pub(super) fn json(out: &mut impl Write, row: &impl Serialize, is_first: bool) -> io::Result<()> {
    out.write_all(if is_first { b"[\n" } else { b",\n" })?;
    serde_json::to_writer(&mut *out, row).map_err(io::Error::other)
}

pub(super) fn json_end(out: &mut impl Write, is_empty: bool) -> io::Result<()> {
    out.write_all(if is_empty { b"[]\n" } else { b"\n]\n" })
}
