//! What a run found, as a value with a digest and as text for counsel.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::gate::{Severity, TableSeen, Warned, WarningKind};
use model::id::{CaseId, OrderId};
use model::name::DomainName;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::tables::TableKind;

/// So many names of a finding are shown to people; files have all of them.
pub(super) const SHOWN_MAX: usize = 10;
/// So many findings of a kind.
const FINDINGS_SHOWN_MAX: usize = 20;

/// A run over a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub case: CaseId,
    /// Each order with the digest of all that it says.
    pub orders: BTreeMap<OrderId, Digest>,
    pub names: u64,
    pub run: Timestamp,
    pub tables: Vec<Coverage>,
    pub checks: Vec<Check>,
    pub findings: Vec<Finding>,
}

/// How much of a file was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    pub is: TableKind,
    #[serde(flatten)]
    pub seen: TableSeen,
    pub rows: u64,
    pub passed_over: u64,
}

/// Whether a check had something to look at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub kind: WarningKind,
    pub looked: bool,
}

/// Names against which the same speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub kind: WarningKind,
    pub severity: Severity,
    pub evidence: String,
    pub source: Option<TableSeen>,
    /// None where it is about the case.
    pub names: Vec<DomainName>,
}

impl Report {
    /// For counsel: what stops, what warns, by whom, and what was not looked at. `all` shows every name.
    pub fn to_text(&self, all: bool) -> String {
        let mut text = format!("harm gate over case {}: {} names, {}\n", self.case, self.names, self.run);
        self.tables_into(&mut text);
        for severity in [Severity::Stop, Severity::Warning] {
            for warned in self.warned(severity) {
                self.kind_into(&mut text, severity, &warned, all);
            }
        }
        let found = |check: &&Check| check.looked && !self.findings.iter().any(|one| one.kind == check.kind);
        let nothing: Vec<&str> = self.checks.iter().filter(found).map(|check| check.kind.as_str()).collect();
        if !nothing.is_empty() {
            let _ = write!(text, "\nlooked and found nothing: {}\n", nothing.join(", "));
        }
        text
    }

    fn tables_into(&self, text: &mut String) {
        text.push_str("\nlooked into\n");
        for Coverage { is, seen, rows, passed_over } in &self.tables {
            let over = if *passed_over > 0 { format!(", {passed_over} passed over") } else { String::new() };
            let _ = writeln!(text, "  {:<12} {}, {rows} rows{over}", is.as_str(), source(seen));
        }
    }

    fn kind_into(&self, text: &mut String, severity: Severity, warned: &Warned, all: bool) {
        let Warned { kind, count, .. } = warned;
        let _ = writeln!(text, "\n{} {kind}: {count}", severity.as_str().to_uppercase());
        let found: Vec<&Finding> =
            self.findings.iter().filter(|one| one.kind == *kind && one.severity == severity).collect();
        let shown = if all { found.len() } else { FINDINGS_SHOWN_MAX };
        for finding in found.iter().take(shown) {
            finding.write_text(text, all);
        }
        if found.len() > shown {
            let _ = writeln!(text, "  … and {} more findings; `--all` shows them", found.len() - shown);
        }
    }
}

impl Finding {
    fn write_text(&self, text: &mut String, all: bool) {
        let by = self.source.as_ref().map(|seen| format!("\n    by {}", source(seen))).unwrap_or_default();
        let _ = writeln!(text, "  {}{by}", self.evidence);
        let shown = if all { self.names.len() } else { SHOWN_MAX };
        let names: Vec<String> = self.names.iter().take(shown).map(|name| name.defanged().to_string()).collect();
        let more = self.names.len().saturating_sub(shown);
        let more = if more > 0 { format!(" … and {more} more") } else { String::new() };
        if !names.is_empty() {
            let _ = writeln!(text, "    {}{more}", names.join(" "));
        }
    }
}

fn source(seen: &TableSeen) -> String {
    let date = seen.date.map(|date| format!(", as of {date}")).unwrap_or_default();
    format!("{} (SHA-256 {}{date})", seen.file, seen.digest.short())
}
