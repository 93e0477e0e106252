//! The harm gate: every name of a case against everything that says that taking it would hurt somebody, or come to nothing.
//!
//! [`run`] is a function of the case, its file and the operator's [`Tables`]. A check that had nothing to look at says so and is
//! a warning of its own: no table is not the same as no finding. What is decided about a warning is [`crate::decide`]'s.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use model::gate::{GateRun, NAMED_MAX, Severity, TableSeen, Warned, WarningKind};
use model::name::DomainName;
use model::order::{Order, OrderStatus};
use store::view::CaseView;

use crate::casefile::CaseFile;

mod checks;
mod history;
mod report;
mod reserved;
mod root;
mod table;
mod tables;

pub use report::{Coverage, Finding, Report};
pub use root::{Root, Tld, TldKind};
pub use table::{Hit, NameTable};
pub use tables::{Bundle, TABLES_OCTETS_MAX, TableKind, TableSpec, Tables, specs};

use checks::Context;

/// Holds every name of the case against the list: of its orders as they will be once what is proposed has its effect.
pub fn run(case: &CaseView, file: Option<&CaseFile>, tables: &Tables, now: Timestamp) -> Report {
    let standing = case.proposed_orders();
    let orders: Vec<&Order> = standing.iter().map(|order| &**order).filter(|order| is_open(order)).collect();
    let history = tables.history(orders.iter().flat_map(|order| order.names().keys()));
    let context = Context::new(case, file, tables, &history, now);
    let mut findings = Findings::default();
    let mut names = 0;
    for order in &orders {
        let asked = context.under(order);
        for (name, listed) in order.names() {
            names += 1;
            asked.check(name, *listed, &mut findings);
        }
    }
    let checks = context.coverage(&mut findings);
    Report {
        case: case.terms.id.clone(),
        orders: case.proposed_digests(),
        names,
        run: now,
        tables: tables.seen(),
        checks,
        findings: findings.into_sorted(),
    }
}

fn is_open(order: &Order) -> bool {
    matches!(order.status(), OrderStatus::Draft | OrderStatus::InForce)
}

impl Report {
    /// What the fact says of it. `digest` is that of the report as it lies in the vault.
    pub fn to_run(&self, digest: model::Digest) -> GateRun {
        let tables = self.tables.iter().map(|table| table.seen.clone()).collect();
        let (case, orders) = (self.case.clone(), self.orders.clone());
        let (warnings, stops) = (self.warned(Severity::Warning), self.warned(Severity::Stop));
        let looked = self.tables.iter().filter(|table| table.rows > table.passed_over && table.is != TableKind::Root);
        let looked = looked.map(|table| table.is).collect();
        GateRun { case, orders, names: self.names, tables, looked, report: digest, warnings, stops }
    }

    /// By kind, how many names there are; a finding about no name counts as one.
    pub fn warned(&self, severity: Severity) -> Vec<Warned> {
        let of_kind = |kind: WarningKind| {
            let found: Vec<&Finding> =
                self.findings.iter().filter(|one| one.kind == kind && one.severity == severity).collect();
            let about_none = found.iter().filter(|one| one.names.is_empty()).count() as u64;
            let names: BTreeSet<&DomainName> = found.iter().flat_map(|one| &one.names).collect();
            let count = about_none + names.len() as u64;
            let listed = if names.len() <= NAMED_MAX { names.into_iter().cloned().collect() } else { BTreeSet::new() };
            (count > 0).then_some(Warned { kind, count, names: listed })
        };
        WarningKind::ALL.into_iter().filter_map(of_kind).collect()
    }
}

//----------- Findings ---------------------------------------------------------------------------------------------

/// What was found, names with the same evidence together: a million names of one kind are one finding.
#[derive(Default)]
pub(crate) struct Findings(BTreeMap<Evidence, (Option<TableSeen>, Vec<DomainName>)>);

/// What was found, in words, and the file that says so.
type Evidence = (Severity, WarningKind, String, Option<String>);

impl Findings {
    fn add(&mut self, found: checks::Found, name: Option<&DomainName>) {
        let checks::Found { kind, severity, evidence, source } = found;
        let file = source.as_ref().map(|source| source.file.clone());
        let entry = self.0.entry((severity, kind, evidence, file));
        let (_, names) = entry.or_insert_with(|| (source, Vec::new()));
        names.extend(name.cloned());
    }

    /// Stops first, then by kind.
    fn into_sorted(self) -> Vec<Finding> {
        let one = |((severity, kind, evidence, _), (source, mut names)): (_, (_, Vec<DomainName>))| {
            names.dedup();
            Finding { kind, severity, evidence, source, names }
        };
        let mut all: Vec<Finding> = self.0.into_iter().map(one).collect();
        all.sort_by(|a, b| (b.severity, a.kind).cmp(&(a.severity, b.kind)));
        all
    }
}

#[cfg(test)]
mod tests;
