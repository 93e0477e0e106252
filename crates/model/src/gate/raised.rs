//! What runs of the gate raised, and a later one that looked into less does not clear.
//!
//! An amendment that is proposed and withdrawn leaves the orders as they were, and a run without a table finds nothing in
//! it. So whatever was raised of a name stays raised until a run looks into tables of the same kinds, or counsel accepts the
//! warning; whichever orders stood or were proposed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Gate, GateRun, Severity, Warned, WarningChoice, WarningKind};
use crate::name::DomainName;

//----------- TableKind --------------------------------------------------------------------------------------------

/// What a file is to the gate.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// Addresses, networks and names of known sinkholes.
    Sinkholes,
    /// Names below which strangers have names: dynamic DNS, free hosting.
    Shared,
    /// Names that many people use.
    Popular,
    /// Names that imitated brands own.
    BrandOwned,
    /// Passive DNS in COF.
    PassiveDns,
    /// Answers of RDAP servers.
    Rdap,
    /// A newer root database than the one that is shipped.
    Root,
}

impl TableKind {
    pub const ALL: [Self; 7] =
        [Self::Sinkholes, Self::Shared, Self::Popular, Self::BrandOwned, Self::PassiveDns, Self::Rdap, Self::Root];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sinkholes => "sinkholes",
            Self::Shared => "shared",
            Self::Popular => "popular",
            Self::BrandOwned => "brand-owned",
            Self::PassiveDns => "passive-dns",
            Self::Rdap => "rdap",
            Self::Root => "root",
        }
    }
}

impl fmt::Display for TableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl WarningKind {
    /// The operator's tables by which it is raised. What the program itself knows is looked into by every run.
    pub fn tables(self) -> &'static [TableKind] {
        match self {
            Self::AlreadySinkholed => &[TableKind::Sinkholes, TableKind::PassiveDns, TableKind::Rdap],
            Self::SharedSuffix => &[TableKind::Shared],
            Self::Popular => &[TableKind::Popular],
            Self::BrandOwned => &[TableKind::BrandOwned],
            Self::CompromisedLegitimate => &[TableKind::PassiveDns, TableKind::Rdap],
            Self::OthersDepend => &[TableKind::PassiveDns],
            Self::ReservedOrUnregistered => &[TableKind::Rdap],
            Self::RegistryOutOfReach
            | Self::ConflictingAttribution
            | Self::AnswerEffectUnknown
            | Self::NotLooked
            | Self::CoveredByParent => &[],
        }
    }
}

//----------- Raised -----------------------------------------------------------------------------------------------

/// What was raised and nobody has accepted, by kind.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Raised(BTreeMap<WarningKind, Open>);

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Open {
    /// Into which tables that bear on the kind whoever raised it had looked.
    tables: BTreeSet<TableKind>,
    names: BTreeSet<DomainName>,
    /// How many there were where no fact says the names.
    unnamed: u64,
    stops: bool,
}

/// What a run says less of than one before it, without having looked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vanished {
    pub kind: WarningKind,
    pub severity: Severity,
    pub count: u64,
    /// One of the names, where the facts say any.
    pub name: Option<DomainName>,
    pub tables: BTreeSet<TableKind>,
}

impl Raised {
    /// What remains once that run has looked for itself.
    pub(super) fn behind(mut self, run: &GateRun) -> Self {
        self.0.retain(|_, open| !open.tables.is_subset(&run.looked));
        self
    }

    fn add(&mut self, kind: WarningKind, open: Open) {
        if open.tables.is_empty() || open.names.is_empty() && open.unnamed == 0 {
            return;
        }
        let known = self.0.entry(kind).or_default();
        known.tables.extend(open.tables);
        known.names.extend(open.names);
        known.unnamed = known.unnamed.max(open.unnamed);
        known.stops |= open.stops;
    }

    /// The first kind of which a run says less, though the names are listed still and it looked into fewer tables.
    pub fn vanished(&self, run: &GateRun, is_listed: impl Fn(&DomainName) -> bool) -> Option<Vanished> {
        self.0.iter().find_map(|(kind, open)| open.vanished(*kind, run, &is_listed))
    }
}

impl Open {
    fn vanished(&self, kind: WarningKind, run: &GateRun, is_listed: impl Fn(&DomainName) -> bool) -> Option<Vanished> {
        let tables: BTreeSet<TableKind> = self.tables.difference(&run.looked).copied().collect();
        if tables.is_empty() {
            return None;
        }
        let now = || run.stops.iter().chain(&run.warnings).filter(|one| one.kind == kind);
        let total: u64 = now().map(|one| one.count).sum();
        let is_said = |name: &DomainName| now().any(|one| one.names.contains(name) || one.names.is_empty());
        let mut gone = self.names.iter().filter(|name| is_listed(name) && !is_said(name));
        let name = gone.next().cloned();
        let named = name.iter().count() as u64 + gone.count() as u64;
        let count = named.max(self.unnamed.saturating_sub(total));
        let severity = if self.stops { Severity::Stop } else { Severity::Warning };
        (count > 0).then_some(Vanished { kind, severity, count, name, tables })
    }
}

impl Gate {
    /// What this run and those before it raised and nobody has accepted, as far as no later run has looked again.
    pub fn raised(&self) -> Raised {
        let mut raised = self.before.clone();
        let stops = self.run.stops.iter().map(|stop| (stop, true));
        for (warned, stops) in stops.chain(self.run.warnings.iter().map(|warned| (warned, false))) {
            raised.add(warned.kind, self.open(warned, stops));
        }
        raised
    }

    fn open(&self, warned: &Warned, stops: bool) -> Open {
        let kind = warned.kind;
        let is_open = |name: &&DomainName| stops || self.choice(kind, name) != Some(WarningChoice::Accept);
        let is_accepted = !stops && self.rest.get(&kind) == Some(&WarningChoice::Accept);
        Open {
            tables: kind.tables().iter().filter(|table| self.run.looked.contains(table)).copied().collect(),
            names: warned.names.iter().filter(is_open).cloned().collect(),
            unnamed: if warned.names.is_empty() && !is_accepted { warned.count } else { 0 },
            stops,
        }
    }
}
