//! What an authority allows: acts on names, until a day. What is not covered cannot be done, because the values that
//! the other rooms need ([`Coverage`]) come only from here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Refusal;
use crate::address::Country;
use crate::answers::AnswerSet;
use crate::approval::{Approved, PutInForce};
use crate::digest::Digest;
use crate::id::{CaseId, OrderId};
use crate::moment::{Moment, PaperTime};
use crate::name::DomainName;
use crate::seizure::AnswerEffect;
use crate::time::Date;

mod coverage;

use coverage::Scope;
pub use coverage::{Attested, Coverage};

//----------- Sourced ----------------------------------------------------------------------------------------------

/// A statement with the place that it was taken from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced<T> {
    pub value: T,
    pub source: Source,
}

/// Where a statement comes from. `unverified` is an answer; silence is not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    From(String),
    Unverified,
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        if text == "unverified" { Self::Unverified } else { Self::From(text) }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        match source {
            Source::From(text) => text,
            Source::Unverified => "unverified".to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(text) => f.pad(text),
            Self::Unverified => f.pad("unverified"),
        }
    }
}

//----------- Act --------------------------------------------------------------------------------------------------

/// What an authority may allow us to do with a name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Have the parent zone delegate the name to our name servers.
    Delegate,
    /// Answer for the name, in DNS and on its addresses.
    Answer,
    /// Record who called, when, and in which form: no values that a person entered.
    RecordMetadata,
    /// Record what a caller sent.
    RecordContent,
    /// Take mail for the name: other people's correspondence.
    AcceptMail,
    /// Obtain a certificate from a public authority; certificate transparency will show it.
    PublicCertificate,
    /// Share what was learned.
    Share,
    /// Keep records beyond the defaults.
    Retain,
}

impl Act {
    pub const ALL: [Self; 8] = [
        Self::Delegate,
        Self::Answer,
        Self::RecordMetadata,
        Self::RecordContent,
        Self::AcceptMail,
        Self::PublicCertificate,
        Self::Share,
        Self::Retain,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delegate => "delegate",
            Self::Answer => "answer",
            Self::RecordMetadata => "record-metadata",
            Self::RecordContent => "record-content",
            Self::AcceptMail => "accept-mail",
            Self::PublicCertificate => "public-certificate",
            Self::Share => "share",
            Self::Retain => "retain",
        }
    }
}

/// A set of acts in one byte, so that a million names carry theirs for a megabyte.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Acts(u8);

impl Acts {
    pub const NONE: Self = Self(0);

    pub fn contains(self, act: Act) -> bool {
        self.0 & (1 << act as u8) != 0
    }

    pub fn with(self, act: Act) -> Self {
        Self(self.0 | 1 << act as u8)
    }

    pub fn iter(self) -> impl Iterator<Item = Act> {
        Act::ALL.into_iter().filter(move |act| self.contains(*act))
    }

    /// The byte that tables store; bit n is the n-th act in order of declaration.
    pub fn to_bits(self) -> u8 {
        self.0
    }

    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

/// Delegate, answer, record metadata: the least with which a sinkhole works.
impl Default for Acts {
    fn default() -> Self {
        [Act::Delegate, Act::Answer, Act::RecordMetadata].into_iter().collect()
    }
}

impl FromIterator<Act> for Acts {
    fn from_iter<I: IntoIterator<Item = Act>>(acts: I) -> Self {
        acts.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Acts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Acts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Act>::deserialize(deserializer)?.into_iter().collect())
    }
}

//----------- Authority --------------------------------------------------------------------------------------------

/// The kinds of instrument in daily use. A court order is one of them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instrument {
    /// Temporary restraining order of a civil court.
    CivilTro,
    /// Preliminary or permanent injunction.
    Injunction,
    /// A registrar or registry acts on evidence (RAA 3.18).
    RegistrarAction,
    ProsecutorOrder,
    PoliceRequest,
    CctldPolicy,
    /// The registrant hands the name over.
    VoluntaryTransfer,
    /// We registered it: expired, never registered, or generated names.
    OwnRegistration,
    /// A rehearsal: loopback only, marked on everything it touches, never promoted.
    Exercise,
}

impl Instrument {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CivilTro => "civil-tro",
            Self::Injunction => "injunction",
            Self::RegistrarAction => "registrar-action",
            Self::ProsecutorOrder => "prosecutor-order",
            Self::PoliceRequest => "police-request",
            Self::CctldPolicy => "cctld-policy",
            Self::VoluntaryTransfer => "voluntary-transfer",
            Self::OwnRegistration => "own-registration",
            Self::Exercise => "exercise",
        }
    }
}

/// Who allows it, by which paper. Dates are copied from the paper, never computed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    pub instrument: Instrument,
    /// The court, registrar, registrant or office that issued it.
    pub issuer: Sourced<String>,
    /// Whose law the issuer speaks: registries of that country obey it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docket_number: Option<Sourced<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<Sourced<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Sourced<Date>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hearing: Option<Sourced<PaperTime>>,
    /// The instant at which it lapses, with the zone that the paper names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Sourced<Moment>>,
    /// Until then nothing that we show names the court or the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_until: Option<Sourced<Date>>,
}

impl Authority {
    pub fn is_exercise(&self) -> bool {
        self.instrument == Instrument::Exercise
    }
}

//----------- NameOutcome ------------------------------------------------------------------------------------------

/// What shall become of a name.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameOutcome {
    /// Delegated to our name servers. The only outcome that brings contacts.
    #[default]
    Redirect,
    /// Taken out of the zone (`clientHold`, `serverHold`).
    Hold,
    LockOnly,
    Transfer,
    Delete,
    BlockRegistration,
    /// A provider removes a host under its shared suffix.
    ProviderRemoval,
}

impl NameOutcome {
    pub const ALL: [Self; 7] = [
        Self::Redirect,
        Self::Hold,
        Self::LockOnly,
        Self::Transfer,
        Self::Delete,
        Self::BlockRegistration,
        Self::ProviderRemoval,
    ];

    /// Whether the name comes to us, so that we answer for it.
    pub fn is_answered(self) -> bool {
        self == Self::Redirect
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Hold => "hold",
            Self::LockOnly => "lock-only",
            Self::Transfer => "transfer",
            Self::Delete => "delete",
            Self::BlockRegistration => "block-registration",
            Self::ProviderRemoval => "provider-removal",
        }
    }
}

//----------- Order ------------------------------------------------------------------------------------------------

/// What one instrument says about one name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub outcome: NameOutcome,
    pub acts: Acts,
    /// What an answer may set off at the caller.
    #[serde(default, skip_serializing_if = "AnswerEffect::is_unknown")]
    pub answer_effect: AnswerEffect,
}

/// The names of an order, in order of name. A set has a digest, by which facts speak of it.
pub type Names = BTreeMap<DomainName, Listed>;

/// The digest of a set of names: SHA-256 over one [`line`](Listed::line) each, in order of name.
pub fn names_digest<'a>(names: impl IntoIterator<Item = (&'a DomainName, &'a Listed)>) -> Digest {
    Digest::of_parts(names.into_iter().map(|(name, listed)| listed.line(name)))
}

impl Listed {
    /// `name TAB outcome TAB act-bits LF`. Where the effect of an answer is known, `TAB answer-effect` stands before
    /// the LF.
    pub fn line(&self, name: &DomainName) -> String {
        [name.as_str(), &self.line_end()].concat()
    }

    /// What stands behind the name.
    pub fn line_end(&self) -> String {
        let (outcome, bits) = (self.outcome.as_str(), self.acts.to_bits());
        match self.answer_effect {
            effect if effect.is_unknown() => format!("\t{outcome}\t{bits}\n"),
            effect => format!("\t{outcome}\t{bits}\t{}\n", effect.as_str()),
        }
    }
}

/// What the order says apart from its list of names.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderTerms {
    pub id: OrderId,
    pub authority: Authority,
    /// The name servers that the names are delegated to, exactly as ordered.
    pub name_servers: Vec<DomainName>,
    /// What its names are answered with, in place of the case's and the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerSet>,
    /// How the registry shall show the names, where the paper says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
}

/// What RDAP shall show of a name, as ordered.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The gaining or keeping registrar: its IANA number, or its name as RDAP shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// Statuses in RDAP's words (RFC 8056), such as `server transfer prohibited`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<String>,
}

/// Whether an order may be acted on.
///
/// ```text
/// draft ──put in force (two people)──► in force ──► lapsed   (its day came)
///                                          └──────► vacated  (the issuer took it back)
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderStatus {
    Draft,
    InForce,
    Lapsed,
    Vacated,
}

/// One instrument with its names: the value that decides what we may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    scope: Arc<Scope>,
    terms: OrderTerms,
    /// Never changed, so that a copy of the order costs no copy of a million names.
    names: Arc<Names>,
    status: OrderStatus,
    /// 1 as it was listed; each amendment makes a later one.
    version: u32,
    /// Names that an amendment took from us: we answer for them, neutrally, until nobody sends them here any more.
    released: Arc<Names>,
}

impl Order {
    pub fn draft(case: CaseId, terms: OrderTerms, names: impl Into<Arc<Names>>) -> Self {
        let (scope, names) = (Arc::new(Scope::of(case, &terms)), names.into());
        Self { scope, terms, names, status: OrderStatus::Draft, version: 1, released: Arc::default() }
    }

    pub(crate) fn as_version(&self, version: u32, authority: Authority, names: Names, released: Names) -> Self {
        let terms = OrderTerms { authority, ..self.terms.clone() };
        let scope = Arc::new(Scope::of(self.scope.case.clone(), &terms));
        Self { scope, terms, names: names.into(), status: self.status, version, released: released.into() }
    }

    pub fn case(&self) -> &CaseId {
        &self.scope.case
    }

    pub fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The names as they are shared, for whoever keeps them.
    pub fn shared_names(&self) -> &Arc<Names> {
        &self.names
    }

    pub fn status(&self) -> OrderStatus {
        self.status
    }

    /// 1 as it was listed; each [amendment](crate::amendment) makes a later one.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Names that an amendment took from us, as they stood.
    pub fn released(&self) -> &Arc<Names> {
        &self.released
    }

    /// The digest of all that the order says; an approval is bound to it.
    pub fn digest(&self) -> Digest {
        Digest::of_value(&(self.case(), &self.terms, names_digest(&*self.names)))
    }

    /// Puts the order in force: two people in two roles have approved exactly this text.
    pub fn put_in_force(&mut self, approved: &Approved<PutInForce>) -> Result<(), Refusal> {
        let id = &self.terms.id;
        if self.status != OrderStatus::Draft {
            return Err(Refusal::new(format!("order {id} is {:?} already", self.status)));
        }
        if approved.what().order != *id || approved.what().terms != self.digest() {
            return Err(Refusal::new(format!("the approval is not for order {id} as it stands"))
                .hint("ask for a new approval: what was shown has changed"));
        }
        self.status = OrderStatus::InForce;
        Ok(())
    }

    pub fn vacate(&mut self) {
        self.status = OrderStatus::Vacated;
    }

    /// What was never in force, or was taken back, does not lapse.
    pub fn lapse(&mut self) {
        if self.status == OrderStatus::InForce {
            self.status = OrderStatus::Lapsed;
        }
    }

    /// The listed name that `name` is or lies below.
    pub fn apex_of(&self, name: &DomainName) -> Option<(&DomainName, &Listed)> {
        apex_in(&self.names, name)
    }

    /// Whether the order, now in force, covers this act on this name, which may lie below a listed one. Once it has lapsed
    /// it covers answering alone, and the coverage says so: names are held, a kill switch is answered as before, and
    /// nothing is recorded. Darkness would hurt an innocent owner, or let run what a kill switch keeps from running. Only
    /// an issuer who takes the order back ends it.
    ///
    /// A name that an amendment took out is answered for in the same way, and nothing else is done with it.
    pub fn covers(&self, name: &DomainName, act: Act) -> Option<Coverage> {
        self.covers_listed(name, act).or_else(|| self.covers_released(name, act))
    }

    fn covers_listed(&self, name: &DomainName, act: Act) -> Option<Coverage> {
        let (apex, listed) = self.apex_of(name)?;
        let served = act != Act::Answer || listed.outcome == NameOutcome::Redirect;
        let outlasts = act == Act::Answer && self.status == OrderStatus::Lapsed;
        let stands = self.status == OrderStatus::InForce || outlasts;
        (stands && listed.acts.contains(act) && served).then(|| Coverage {
            apex: apex.clone(),
            act,
            acts: listed.acts,
            scope: Arc::clone(&self.scope),
            answer_effect: listed.answer_effect,
            lapsed: self.status == OrderStatus::Lapsed,
        })
    }

    fn covers_released(&self, name: &DomainName, act: Act) -> Option<Coverage> {
        let stands = matches!(self.status, OrderStatus::InForce | OrderStatus::Lapsed);
        let (apex, listed) = apex_in(&self.released, name).filter(|_| stands && act == Act::Answer)?;
        listed.acts.contains(act).then(|| Coverage {
            apex: apex.clone(),
            act,
            acts: listed.acts,
            scope: Arc::clone(&self.scope),
            answer_effect: listed.answer_effect,
            lapsed: true,
        })
    }
}

/// The name of the set that `name` is or lies below.
pub fn apex_in<'n>(names: &'n Names, name: &DomainName) -> Option<(&'n DomainName, &'n Listed)> {
    let mut text = name.as_str();
    loop {
        if let Some(found) = names.get_key_value(text) {
            return Some(found);
        }
        text = text.split_once('.')?.1;
    }
}

/// The name of the set that lies above `name`, the nearest one.
pub fn apex_in_above<'n>(names: &'n Names, name: &DomainName) -> Option<(&'n DomainName, &'n Listed)> {
    let (_, mut above) = name.as_str().split_once('.')?;
    // A last label alone is nobody's to list.
    while above.contains('.') {
        if let Some(found) = names.get_key_value(above) {
            return Some(found);
        }
        above = above.split_once('.')?.1;
    }
    None
}

#[cfg(test)]
mod tests;
