//! Completeness: names that belong to the listed ones and are not on the list, each with its reasons.
//!
//! What two names share (a name server, an address, a certificate, a registrant, an hour of registration) counts by how few others
//! share it: among thousands of a hosting provider's names it is no reason at all, and that it was not counted is said. Nothing
//! here acts; a person reads the reasons, and the [`draft`] is a case file for somebody to change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::gate::TableSeen;
use model::id::{CaseId, GroupId};
use model::name::{DomainName, defang};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::{CaseView, NameView, View};

use crate::gate::Bundle;
use crate::observed::cof::{self, Data};
use crate::observed::{FileFault, ct, rdap};
use crate::shown::counted;

mod draft;
mod pattern;
mod score;

pub use draft::{DRAFT_SCORE_MIN, draft};
use score::Shares;

/// The most names that are told; the weakest are counted.
pub const RELATED_MAX: usize = 1_000;
/// Something that more names share than these is a hub.
pub const HUB_NAMES: usize = 200;

//----------- What is told -----------------------------------------------------------------------------------------

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// The strongest first.
    pub names: Vec<RelatedName>,
    /// Weaker names that are not told.
    pub beyond: u64,
    /// What is shared with listed names and was not counted, because too many others share it.
    pub hubs: Vec<Hub>,
    pub files: Vec<FileTold>,
}

/// A name that is not on the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelatedName {
    pub name: DomainName,
    /// 1 to 100: one reason adds to the other, and none counts twice.
    pub score: u8,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub kind: ReasonKind,
    /// For people; names and addresses in it are defanged.
    pub what: String,
    pub points: u8,
}

/// In which way a name belongs to listed ones.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonKind {
    NameServer,
    Address,
    Certificate,
    Registrant,
    /// Registered in the same hour at the same registrar.
    RegistrationTime,
    /// Built of words that the listed names are built of.
    Pattern,
    /// Learned from what called listed names.
    Indicator,
    /// Found by the hunt.
    Suspect,
}

impl ReasonKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NameServer => "name server",
            Self::Address => "address",
            Self::Certificate => "certificate",
            Self::Registrant => "registrant",
            Self::RegistrationTime => "registration time",
            Self::Pattern => "pattern",
            Self::Indicator => "indicator",
            Self::Suspect => "suspect",
        }
    }
}

/// Something that too many share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    pub kind: ReasonKind,
    pub what: String,
    pub names: u64,
    pub listed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTold {
    pub is: Kind,
    #[serde(flatten)]
    pub seen: TableSeen,
    pub records: u64,
    pub passed_over: u64,
}

//----------- Files ------------------------------------------------------------------------------------------------

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    PassiveDns,
    Certificates,
    Rdap,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::PassiveDns, Self::Certificates, Self::Rdap];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PassiveDns => "passive-dns",
            Self::Certificates => "certificates",
            Self::Rdap => "rdap",
        }
    }
}

/// What others saw, by what names share.
#[derive(Default)]
pub struct Files {
    shares: Shares,
    told: Vec<FileTold>,
}

impl Files {
    /// Reads a bundle whose files are called `KIND:FILE`.
    pub fn read(bundle: Bundle) -> Result<Self, FileFault> {
        let mut files = Self::default();
        for (called, octets) in bundle.0 {
            let kind = called.split_once(':').and_then(|(kind, file)| {
                let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
                Some((kind, file))
            });
            let unknown = || FileFault::whole(&called, "is called neither passive-dns:, certificates: nor rdap:");
            let (kind, file) = kind.ok_or_else(unknown)?;
            files.take(kind, file, &octets)?;
        }
        Ok(files)
    }

    fn take(&mut self, is: Kind, file: &str, octets: &[u8]) -> Result<(), FileFault> {
        let shares = &mut self.shares;
        let taken = match is {
            Kind::PassiveDns => cof::read(file, octets, |seen| {
                seen.data.iter().for_each(|data| shares.add_data(&seen.name, data));
            }),
            Kind::Certificates => ct::read(file, octets, |one| {
                one.names.iter().for_each(|name| shares.add(name, ReasonKind::Certificate, one.id.clone()));
            }),
            Kind::Rdap => rdap::read(file, octets, |one| shares.add_registration(&one)),
        }?;
        let seen = TableSeen { file: file.to_owned(), digest: Digest::of_bytes(octets), date: None };
        self.told.push(FileTold { is, seen, records: taken.records, passed_over: taken.passed_over });
        Ok(())
    }
}

/// What is shared, in words.
fn value_of(data: &Data) -> Option<(ReasonKind, String)> {
    match data {
        Data::Address(address) => Some((ReasonKind::Address, address.to_string())),
        Data::NameServer(host) => Some((ReasonKind::NameServer, host.as_str().to_owned())),
        Data::MailServer(_) | Data::Alias(_) => None,
    }
}

/// Registrations made in one hour at one registrar.
fn hour_of(registered: Timestamp, registrar: &str) -> String {
    let hour = registered.as_second().div_euclid(3600) * 3600;
    let hour = Timestamp::from_second(hour).unwrap_or(registered);
    format!("{hour} at {registrar}")
}

//----------- related ----------------------------------------------------------------------------------------------

/// Names that share something with listed ones, or that the house suspects, without those on any list of the case. Listed is
/// what the orders list as amended, what waits included; a name that left them or went back is neither a reason nor new. What
/// is known from cases that are not seen is left out.
pub fn related(view: &View, case: &CaseView, files: &Files, is_seen: &dyn Fn(&CaseId) -> bool) -> Related {
    let orders = case.proposed_orders();
    let is_back = |name: &DomainName| case.names.get(name).as_ref().is_some_and(NameView::is_back);
    let names = orders.iter().flat_map(|order| order.names().keys()).filter(|name| !is_back(name));
    let listed: BTreeSet<DomainName> = names.map(registered).collect();
    let (mut found, hubs) = files.shares.related(&listed);
    add_suspects(view, case, is_seen, &mut found);
    pattern::add(&listed, &mut found);
    let is_new =
        |name: &DomainName| !listed.contains(name) && case.names.get(name).is_none() && !name.is_public_suffix();
    let mut names: Vec<RelatedName> = found.into_iter().filter(|(name, _)| is_new(name)).map(scored).collect();
    names.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    let beyond = names.len().saturating_sub(RELATED_MAX) as u64;
    names.truncate(RELATED_MAX);
    Related { names, beyond, hubs, files: files.told.clone() }
}

/// Below a suffix that strangers share a name is its own; elsewhere what was registered counts.
fn registered(name: &DomainName) -> DomainName {
    name.registrable().unwrap_or_else(|| name.clone())
}

fn scored((name, mut reasons): (DomainName, Vec<Reason>)) -> RelatedName {
    reasons.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.what.cmp(&b.what)));
    // The strongest of each kind counts, so that ten certificates are not ten reasons.
    let mut kinds: BTreeMap<ReasonKind, u8> = BTreeMap::new();
    for reason in &reasons {
        kinds.entry(reason.kind).or_insert(reason.points);
    }
    let misses = kinds.values().map(|points| 1.0 - f64::from((*points).min(99)) / 100.0).product::<f64>();
    // Between 0 and 100 by construction.
    let score = ((1.0 - misses) * 100.0).round() as u8;
    RelatedName { name, score: score.clamp(1, 100), reasons }
}

fn add_suspects(
    view: &View,
    case: &CaseView,
    is_seen: &dyn Fn(&CaseId) -> bool,
    found: &mut BTreeMap<DomainName, Vec<Reason>>,
) {
    let hidden: Vec<&CaseView> = view.cases.values().filter(|case| !is_seen(&case.terms.id)).collect();
    let is_hidden = |name: &DomainName| hidden.iter().any(|case| case.names.get(name).is_some());
    for (name, suspect) in view.suspects.iter().filter(|(name, _)| !is_hidden(name)) {
        let what = format!("the hunt gave it {}: {}", suspect.score, suspect.reasons.join("; "));
        let reason = Reason { kind: ReasonKind::Suspect, what, points: (suspect.score / 3).max(1) };
        found.entry(registered(name)).or_default().push(reason);
    }
    let is_ours = |group: &GroupId, of: &CaseId| *group == case.terms.group.id && is_seen(of);
    for (_, group, indicator) in view.indicators.iter().filter(|(of, group, _)| is_ours(group, of)) {
        let Ok(name) = DomainName::parse(&indicator.value) else { continue };
        if indicator.kind != model::fact::IndicatorKind::HostName || name.is_at_or_below(&indicator.apex) {
            continue;
        }
        let what = format!("an indicator of {group}, seen at {}", indicator.apex.defanged());
        found.entry(registered(&name)).or_default().push(Reason { kind: ReasonKind::Indicator, what, points: 40 });
    }
}

//----------- Text -------------------------------------------------------------------------------------------------

impl Related {
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for FileTold { is, seen, records, passed_over } in &self.files {
            let over = if *passed_over > 0 { format!(", {passed_over} passed over") } else { String::new() };
            let _ = writeln!(
                text,
                "{} {} (SHA-256 {}): {records} records{over}",
                is.as_str(),
                seen.file,
                seen.digest.short()
            );
        }
        if self.names.is_empty() {
            text.push_str("no related name that is not on the list\n");
        }
        for RelatedName { name, score, reasons } in &self.names {
            let _ = writeln!(text, "\n{score:>3}  {}", name.defanged());
            for reason in reasons {
                let _ = writeln!(text, "     +{} {}: {}", reason.points, reason.kind.as_str(), reason.what);
            }
        }
        if self.beyond > 0 {
            let _ = writeln!(text, "\n{} weaker ones are not shown", counted(self.beyond as usize));
        }
        if !self.hubs.is_empty() {
            text.push_str("\nshared by too many to be a reason\n");
        }
        for Hub { kind, what, names, listed } in &self.hubs {
            let _ = writeln!(text, "  {} {}: {names} names, {listed} of them listed", kind.as_str(), defang(what));
        }
        text
    }
}

#[cfg(test)]
mod tests;
