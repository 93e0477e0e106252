//! The harm gate: what was looked at before an order is filed, what was found, and what counsel decided about it.
//!
//! A run is bound to the orders exactly as they stood. Its report lies in the vault; the fact names it, and per kind how many
//! names were warned of. Counsel decides each warning; a stop cannot be accepted. What is not decided is not clean.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::digest::Digest;
use crate::id::{CaseId, OrderId, PersonId, Position};
use crate::name::DomainName;
use crate::time::{Date, Timestamp};

mod raised;

pub use raised::{Raised, TableKind, Vanished};

/// A fact lists the names of a kind up to so many; above it they stand in the report alone, and are decided all at once.
pub const NAMED_MAX: usize = 1_000;

//----------- WarningKind ------------------------------------------------------------------------------------------

/// In which way taking a name could hurt somebody, or come to nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// It is in somebody's sinkhole already.
    AlreadySinkholed,
    /// Strangers hold names below it, or it lies below such a name: a provider has to act.
    SharedSuffix,
    /// Many people use it every day.
    Popular,
    /// The brand that is imitated owns it.
    BrandOwned,
    /// Its age and history look like an innocent site that was broken into.
    CompromisedLegitimate,
    /// Mail, name servers or aliases of others end at it, or much lives below it.
    OthersDepend,
    /// Its registry may be out of the reach of whoever issued the order.
    RegistryOutOfReach,
    /// Nobody can register it, or nobody has.
    ReservedOrUnregistered,
    /// Somebody says that another group has it.
    ConflictingAttribution,
    /// What an answer sets off at the caller is not known.
    AnswerEffectUnknown,
    /// A check had nothing to look at.
    NotLooked,
    /// The order lists a name above it as well, whose zone answers for both.
    CoveredByParent,
}

impl WarningKind {
    pub const ALL: [Self; 12] = [
        Self::AlreadySinkholed,
        Self::SharedSuffix,
        Self::Popular,
        Self::BrandOwned,
        Self::CompromisedLegitimate,
        Self::OthersDepend,
        Self::RegistryOutOfReach,
        Self::ReservedOrUnregistered,
        Self::ConflictingAttribution,
        Self::AnswerEffectUnknown,
        Self::NotLooked,
        Self::CoveredByParent,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadySinkholed => "already-sinkholed",
            Self::SharedSuffix => "shared-suffix",
            Self::Popular => "popular",
            Self::BrandOwned => "brand-owned",
            Self::CompromisedLegitimate => "compromised-legitimate",
            Self::OthersDepend => "others-depend",
            Self::RegistryOutOfReach => "registry-out-of-reach",
            Self::ReservedOrUnregistered => "reserved-or-unregistered",
            Self::ConflictingAttribution => "conflicting-attribution",
            Self::AnswerEffectUnknown => "answer-effect-unknown",
            Self::NotLooked => "not-looked",
            Self::CoveredByParent => "covered-by-parent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether counsel may accept it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Counsel decides.
    Warning,
    /// The name has to leave the order, or the table has to be corrected and the gate run anew.
    Stop,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Stop => "stop",
        }
    }
}

//----------- Facts ------------------------------------------------------------------------------------------------

/// One run over a case, as its fact carries it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRun {
    pub case: CaseId,
    /// What was looked at: each order with the digest of all that it says.
    pub orders: BTreeMap<OrderId, Digest>,
    pub names: u64,
    pub tables: Vec<TableSeen>,
    /// The kinds of the operator's tables that had anything in them. Older facts do not say it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub looked: BTreeSet<TableKind>,
    /// The report, in the vault.
    pub report: Digest,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warned>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<Warned>,
}

/// A file that was looked into.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSeen {
    pub file: String,
    pub digest: Digest,
    /// As of when, by whoever put it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

/// The names of one kind of warning.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warned {
    pub kind: WarningKind,
    pub count: u64,
    /// Empty where there are more than [`NAMED_MAX`], or where it is about no name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<DomainName>,
}

/// What counsel says of a warning.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningChoice {
    /// The name stays on the list.
    Accept,
    /// The name has to leave it.
    Drop,
}

/// A decision over warnings of one kind, as its fact carries it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateDecided {
    pub case: CaseId,
    /// The run that warned, by the position of its fact.
    pub run: Position,
    pub kind: WarningKind,
    /// Empty: every one of the kind that is not decided yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<DomainName>,
    pub choice: WarningChoice,
    pub reason: String,
}

//----------- Gate -------------------------------------------------------------------------------------------------

/// The last run over a case, with what was decided about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gate {
    /// The position of the run's fact.
    pub at: Position,
    pub time: Timestamp,
    pub run: GateRun,
    decided: BTreeMap<(WarningKind, DomainName), WarningChoice>,
    rest: BTreeMap<WarningKind, WarningChoice>,
    /// What runs before it raised, for which this one had fewer tables.
    before: Raised,
    /// Who decided what, in order.
    pub decisions: Vec<(Option<PersonId>, Timestamp, GateDecided)>,
}

impl Gate {
    pub fn new(at: Position, time: Timestamp, run: GateRun) -> Self {
        let (decided, rest, before) = (BTreeMap::new(), BTreeMap::new(), Raised::default());
        Self { at, time, run, decided, rest, before, decisions: Vec::new() }
    }

    /// The same behind the run before it.
    pub fn behind(mut self, previous: Option<&Self>) -> Self {
        self.before = previous.map(|previous| previous.raised().behind(&self.run)).unwrap_or_default();
        self
    }

    /// Takes a decision. One that was decided before is decided anew: the last word counts.
    pub fn decide(&mut self, by: Option<PersonId>, time: Timestamp, decided: GateDecided) -> Result<(), Refusal> {
        self.check(&decided)?;
        let GateDecided { kind, choice, .. } = decided;
        if decided.names.is_empty() {
            self.rest.insert(kind, choice);
        }
        self.decided.extend(decided.names.iter().map(|name| ((kind, name.clone()), choice)));
        self.decisions.push((by, time, decided));
        Ok(())
    }

    /// Whether this run warned of that, and nobody has decided the rest of the kind otherwise.
    pub fn check(&self, decided: &GateDecided) -> Result<(), Refusal> {
        let GateDecided { case, run, kind, names, .. } = decided;
        if *run != self.at {
            return Err(Refusal::new(format!("the gate has run over case {case} again since that warning"))
                .hint(format!("look at the newest report: `bailiwick case gate {case} --show`")));
        }
        let Some(warned) = self.run.warnings.iter().find(|warned| warned.kind == *kind) else {
            let is_stop = self.run.stops.iter().any(|stop| stop.kind == *kind);
            let refusal = Refusal::new(format!("the gate did not warn of {kind} in case {case}"));
            let stop = "it is a stop, which nobody can accept: take the names off the list, or correct the table, and run the gate anew";
            return Err(if is_stop { refusal.hint(stop) } else { refusal });
        };
        if let Some(stray) = names.iter().find(|name| !warned.names.contains(*name)) {
            let what = format!("the gate did not warn of {kind} for {}", stray.defanged());
            let all = "more names are warned of than a fact lists: decide all of the kind at once";
            let refusal = Refusal::new(what);
            return Err(if warned.names.is_empty() { refusal.hint(all) } else { refusal });
        }
        Ok(())
    }

    /// How many warnings of a kind nobody has decided.
    pub fn undecided(&self, warned: &Warned) -> u64 {
        if self.rest.contains_key(&warned.kind) {
            return 0;
        }
        warned.count.saturating_sub(self.of_kind(warned.kind).count() as u64)
    }

    /// How many warnings of a kind were decided with a drop.
    pub fn dropped(&self, warned: &Warned) -> u64 {
        let (mut all, mut dropped) = (0, 0);
        for choice in self.of_kind(warned.kind) {
            all += 1;
            dropped += u64::from(choice == WarningChoice::Drop);
        }
        let rest = self.rest.get(&warned.kind) == Some(&WarningChoice::Drop);
        if rest { dropped + warned.count.saturating_sub(all) } else { dropped }
    }

    fn of_kind(&self, kind: WarningKind) -> impl Iterator<Item = WarningChoice> + '_ {
        self.decided.iter().filter(move |((of, _), _)| *of == kind).map(|(_, choice)| *choice)
    }

    /// What was decided about one name, where it was.
    pub fn choice(&self, kind: WarningKind, name: &DomainName) -> Option<WarningChoice> {
        self.decided.get(&(kind, name.clone())).or_else(|| self.rest.get(&kind)).copied()
    }

    /// What still keeps the case from being filed, in words; nothing where the gate is clean. `stands` are the orders as
    /// they are now.
    pub fn in_the_way(&self, stands: &BTreeMap<OrderId, Digest>) -> Vec<String> {
        let mut said = Vec::new();
        if *stands != self.run.orders {
            said.push("names or orders have changed since the gate ran".to_owned());
        }
        for Warned { kind, count, .. } in &self.run.stops {
            said.push(format!("{count} stopped: {kind}"));
        }
        for warned in &self.run.warnings {
            let (undecided, dropped) = (self.undecided(warned), self.dropped(warned));
            if undecided > 0 {
                said.push(format!("{undecided} undecided: {}", warned.kind));
            }
            if dropped > 0 {
                said.push(format!("{dropped} dropped by counsel and on the list still: {}", warned.kind));
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    fn warned(kind: WarningKind, names: &[&str]) -> Warned {
        Warned { kind, count: names.len() as u64, names: names.iter().map(|text| name(text)).collect() }
    }

    fn gate(warnings: Vec<Warned>, stops: Vec<Warned>) -> Gate {
        let case = CaseId::parse("c-1").unwrap();
        let orders = BTreeMap::from([(OrderId::parse("o-1").unwrap(), Digest([1; 32]))]);
        let run = GateRun {
            case,
            orders,
            names: 3,
            tables: Vec::new(),
            looked: BTreeSet::new(),
            report: Digest([2; 32]),
            warnings,
            stops,
        };
        Gate::new(Position(7), Timestamp::UNIX_EPOCH, run)
    }

    fn decided(kind: WarningKind, names: &[&str], choice: WarningChoice) -> GateDecided {
        let names = names.iter().map(|text| name(text)).collect();
        let case = CaseId::parse("c-1").unwrap();
        GateDecided { case, run: Position(7), kind, names, choice, reason: "seen".into() }
    }

    fn say(gate: &mut Gate, decided: GateDecided) -> Result<(), Refusal> {
        gate.decide(None, Timestamp::UNIX_EPOCH, decided)
    }

    #[test]
    fn every_warning_is_decided_one_by_one_or_the_rest_at_once() {
        use WarningKind::{ConflictingAttribution, Popular};
        let mut gate =
            gate(vec![warned(Popular, &["a.test", "b.test"]), warned(ConflictingAttribution, &["a.test"])], vec![]);
        let stands = gate.run.orders.clone();
        assert_eq!(gate.in_the_way(&stands), ["2 undecided: popular", "1 undecided: conflicting-attribution"]);
        say(&mut gate, decided(Popular, &["a.test"], WarningChoice::Drop)).unwrap();
        say(&mut gate, decided(ConflictingAttribution, &[], WarningChoice::Accept)).unwrap();
        assert_eq!(
            gate.in_the_way(&stands),
            ["1 undecided: popular", "1 dropped by counsel and on the list still: popular"]
        );
        say(&mut gate, decided(Popular, &["a.test"], WarningChoice::Accept)).unwrap();
        say(&mut gate, decided(Popular, &[], WarningChoice::Accept)).unwrap();
        assert_eq!(gate.in_the_way(&stands), Vec::<String>::new());
        let other = BTreeMap::from([(OrderId::parse("o-1").unwrap(), Digest([9; 32]))]);
        assert_eq!(gate.in_the_way(&other), ["names or orders have changed since the gate ran"]);
    }

    #[test]
    fn what_was_not_warned_of_is_not_decided_and_a_stop_never_is() {
        use WarningKind::{BrandOwned, Popular};
        let mut gate = gate(vec![warned(Popular, &["a.test"])], vec![warned(BrandOwned, &["b.test"])]);
        let stop = say(&mut gate, decided(BrandOwned, &["b.test"], WarningChoice::Accept)).unwrap_err();
        assert!(stop.hint.unwrap().contains("nobody can accept"));
        assert!(say(&mut gate, decided(Popular, &["b.test"], WarningChoice::Accept)).is_err());
        let old = GateDecided { run: Position(3), ..decided(Popular, &["a.test"], WarningChoice::Accept) };
        assert!(say(&mut gate, old).unwrap_err().what.contains("again since"));
        let stands = gate.run.orders.clone();
        assert!(gate.in_the_way(&stands).contains(&"1 stopped: brand-owned".to_owned()));
    }
}
