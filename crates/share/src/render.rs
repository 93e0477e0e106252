//! The renderers: pure, one file each, from what is [cleared](crate::audience) to bytes.
//!
//! Here too are the two things that every one of them needs: the banner that says under which light and in which
//! rehearsal a file stands, and text from outside on one line.

mod hosts;
mod indicators;
mod rpz;
mod shadowserver;
mod stix;
mod suricata;

use model::Refusal;

use crate::audience::Cleared;
use crate::snapshot::Face;
use crate::{Document, Format};

/// The word that stands on everything that an exercise touches.
pub(crate) const EXERCISE: &str = "EXERCISE";

pub(crate) fn document(format: Format, cleared: &Cleared<'_>) -> Result<Document, Refusal> {
    match format {
        Format::Stix => Ok(stix::render(cleared)),
        Format::Rpz => Ok(rpz::render(cleared)),
        Format::Suricata => suricata::render(cleared),
        Format::Hosts => Ok(hosts::render(cleared)),
        Format::Csv => Ok(indicators::csv(cleared)),
        Format::Json => Ok(indicators::json(cleared)),
        Format::Shadowserver => Ok(shadowserver::render(cleared)),
    }
}

/// What stands at the head of a text file, line by line, without the comment sign.
fn banner(cleared: &Cleared<'_>, what: &str) -> Vec<String> {
    let mut lines = vec![format!("Bailiwick: {what}")];
    if cleared.exercise {
        lines.push(format!("{EXERCISE}: a rehearsal on one machine; no court and no registry has acted on this."));
    }
    lines.push(cleared.tlp.label().to_owned());
    lines.push(format!("Group: {}", one_line(&cleared.group.name)));
    lines.extend(cleared.face.into_iter().flat_map(whose));
    lines
}

fn whose(face: &Face) -> Vec<String> {
    let mut lines = vec![format!("Case: {} ({})", one_line(&face.title), face.id)];
    for paper in &face.papers {
        let number = paper.docket_number.as_deref().map(|number| format!(", {}", one_line(number)));
        let number = number.unwrap_or_default();
        lines.push(format!("Authority: {}, {}{number}", paper.instrument, one_line(&paper.issuer)));
    }
    lines.push(format!("Contact: {}", one_line(&face.contact)));
    lines
}

/// Text from outside as a cell of a table: no spreadsheet takes it for a formula.
fn cell(text: &str) -> String {
    let text = one_line(text);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

/// Text from outside, on one line and without what a terminal or a parser would obey.
fn one_line(text: &str) -> String {
    let inert = text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c });
    inert.collect::<String>().trim().to_owned()
}
