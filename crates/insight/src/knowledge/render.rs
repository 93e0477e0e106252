//! The picture for a terminal: no colour needed, no line beyond [`COLUMNS`] where a word allows it, every name inert.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::picture::{AliasClaim, AliasPicture, CountryClaim};
use super::text::inert;
use super::{Conflict, GroupPicture, Technique};

/// The widest line.
pub const COLUMNS: usize = 100;
/// Where the second column starts.
const INDENT: usize = 26;
/// So many cited works are named; the JSON has them all.
const CITES_SHOWN: usize = 2;

pub fn render_text(picture: &GroupPicture) -> String {
    let mut page = Page::default();
    let _ = writeln!(page.text, "{} ({})", inert(&picture.name), picture.id);
    page.section("Also called", picture.aliases.iter().map(|alias| (alias.name.clone(), claims(alias))));
    page.section("Attributed to", by_country(&picture.attributed_to));
    let known = picture.known_as.iter().map(|known| {
        let number = known.number.as_ref().map_or(String::new(), |number| format!("{number} "));
        (format!("{number}{}", known.name), vec![known.source.clone()])
    });
    page.section("Known to sources as", known);
    page.section("Sources disagree", by_kind(&picture.conflicts));
    let near = picture.near.iter().map(|near| {
        (near.name.clone(), vec![format!("{}: similar to {}, and kept apart", near.source, near.similar_to)])
    });
    page.section("Near, but not this group", near);
    page.section(&format!("Techniques ({})", picture.techniques.len()), by_tactic(&picture.techniques));
    let software = picture.software.iter().map(|software| format!("{} {}", software.number, software.name));
    page.list(&format!("Software ({})", picture.software.len()), software.collect());
    page.section("Notice", picture.notices.iter().map(|notice| (String::new(), vec![notice.clone()])));
    page.text
}

//----------- What stands in the lines -----------------------------------------------------------------------------

fn claims(alias: &AliasPicture) -> Vec<String> {
    alias.claims.iter().map(claim).collect()
}

fn claim(claim: &AliasClaim) -> String {
    let mut text = claim.source.clone();
    if let Some(group) = &claim.group {
        let _ = write!(text, ": {group}");
    }
    if !claim.cites.is_empty() {
        let shown: Vec<&str> = claim.cites.iter().take(CITES_SHOWN).map(String::as_str).collect();
        let _ = write!(text, ", citing {}", shown.join("; "));
    }
    if claim.cites.len() > CITES_SHOWN {
        let _ = write!(text, " and {} more", claim.cites.len() - CITES_SHOWN);
    }
    text
}

fn by_country(claims: &[CountryClaim]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for claim in claims {
        let group = claim.group.as_ref().map_or(String::new(), |group| format!(": {group}"));
        let sure = claim.confidence.as_ref().map_or(String::new(), |sure| format!(", confidence {sure}"));
        found.entry(claim.country.clone()).or_default().push(format!("{}{group}{sure}", claim.source));
    }
    found
}

/// Conflicts under their kinds, in the order in which the kinds come.
fn by_kind(conflicts: &[Conflict]) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for (kind, lines) in conflicts.iter().map(conflict) {
        match found.last_mut() {
            Some((last, all)) if *last == kind => all.extend(lines),
            _ => found.push((kind, lines)),
        }
    }
    found
}

fn conflict(conflict: &Conflict) -> (String, Vec<String>) {
    match conflict {
        Conflict::KeptApart { source, groups } => {
            ("kept apart".into(), vec![format!("{source} has {} groups here: {}", groups.len(), groups.join(", "))])
        }
        Conflict::Revoked { source, group, into, still_used_by } => {
            let mut lines = vec![format!("{source} revoked {group} into {into}")];
            lines.extend(still_used_by.iter().map(|other| format!("still used by {other}")));
            ("revoked".into(), lines)
        }
        Conflict::AliasTwice { source, alias, groups } => {
            ("one name, two groups".into(), vec![format!("{source}: {alias} is {}", groups.join(" and "))])
        }
        Conflict::AnotherGroup { source, alias, group } => {
            ("another group's name".into(), vec![format!("{source}: {alias} is {group}, a group of its own")])
        }
        Conflict::Countries { claims } => ("attribution".into(), vec![claims.join(", ")]),
    }
}

/// Techniques under their tactics, in ATT&CK's spelling; one that serves two tactics stands under both.
fn by_tactic(techniques: &[Technique]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for technique in techniques {
        for tactic in &technique.tactics {
            found.entry(tactic.clone()).or_default().push(format!("{} {}", technique.number, technique.name));
        }
    }
    found.into_iter().map(|(tactic, techniques)| (tactic, vec![techniques.join(", ")])).collect()
}

//----------- Page -------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// A title, then two columns. Nothing for no rows.
    fn section(&mut self, title: &str, rows: impl IntoIterator<Item = (String, Vec<String>)>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_some() {
            let _ = writeln!(self.text, "\n{title}");
        }
        for (left, lines) in rows {
            self.row(&inert(&left), &lines);
        }
    }

    fn list(&mut self, title: &str, items: Vec<String>) {
        if !items.is_empty() {
            self.section(title, [(String::new(), vec![items.join(", ")])]);
        }
    }

    fn row(&mut self, left: &str, lines: &[String]) {
        let from = if left.is_empty() { 2 } else { INDENT };
        let wrapped = lines.iter().flat_map(|line| wrap(&inert(line), COLUMNS - from));
        let mut lead = format!("  {left}");
        if lead.chars().count() >= from && !left.is_empty() {
            let _ = writeln!(self.text, "{lead}");
            lead.clear();
        }
        for line in wrapped {
            let _ = writeln!(self.text, "{lead:<from$}{line}");
            lead.clear();
        }
    }
}

/// Lines of at most `width` characters; what follows the first is set in by two.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.trim().is_empty() || line.chars().count() + 1 + word.chars().count() <= width {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(format!("  {word}"));
        }
    }
    lines
}
