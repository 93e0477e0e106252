//! Whether a seizure took effect: the checks of each outcome, what one look at one of them came to, and what all of
//! them come to together.
//!
//! A check holds, fails, or cannot be observed; the last is decided by a person's attestation that names a document. A
//! name is verified only if none of its checks fails and none is undecided. Which server said what is evidence, and
//! stands beside the verdict. How the world is asked is the room `docket`'s.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CaseId, OrderId, PersonId};
use crate::name::DomainName;
use crate::order::NameOutcome;
use crate::time::Timestamp;

/// The longest evidence of one finding; what is longer ends in `…`.
pub const EVIDENCE_OCTETS_MAX: usize = 2_000;

//----------- Check ------------------------------------------------------------------------------------------------

/// One thing that has to be so.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Every authoritative server of the parent zone delegates to exactly the ordered servers.
    ParentDelegation,
    /// Addresses that the parent gives with the delegation are those of our servers.
    Glue,
    /// No DS is left at the parent: a validating resolver would answer SERVFAIL.
    NoDs,
    /// Our servers answer with authority for it.
    OurAnswer,
    /// Independent resolvers agree with our servers.
    Resolvers,
    /// RDAP shows the ordered registrar.
    RdapRegistrar,
    /// RDAP shows the ordered statuses, and none that undoes the seizure.
    RdapStatus,
    /// HTTP at the address that our answer gives reaches the trap.
    Http,
    Https,
    /// The old delegation has run out in every cache.
    OldTtl,
    /// No parent server knows the name.
    AbsentAtParents,
    /// Nobody can register it.
    NotRegistrable,
    /// The registry knows no such registration any more.
    Unregistered,
    /// The host under somebody's shared suffix is gone.
    Removed,
    /// What was done at the registry is undone: nobody is led to us, and what was taken out of the zone is in it again.
    GivenBack,
}

impl Check {
    pub const ALL: [Self; 15] = [
        Self::ParentDelegation,
        Self::Glue,
        Self::NoDs,
        Self::OurAnswer,
        Self::Resolvers,
        Self::RdapRegistrar,
        Self::RdapStatus,
        Self::Http,
        Self::Https,
        Self::OldTtl,
        Self::AbsentAtParents,
        Self::NotRegistrable,
        Self::Unregistered,
        Self::Removed,
        Self::GivenBack,
    ];

    /// What has to hold of a name that went back, whatever had been ordered of it.
    pub const RETURNED: [Self; 1] = [Self::GivenBack];

    /// What has to hold of a name: of its outcome, or of its return.
    pub fn asked(outcome: NameOutcome, returned: bool) -> &'static [Self] {
        if returned { &Self::RETURNED } else { Self::of(outcome) }
    }

    /// What has to hold before a name with that outcome is verified. The first is the one that shows the seizure itself.
    pub fn of(outcome: NameOutcome) -> &'static [Self] {
        match outcome {
            NameOutcome::Redirect => &[
                Self::ParentDelegation,
                Self::Glue,
                Self::NoDs,
                Self::OurAnswer,
                Self::Resolvers,
                Self::RdapRegistrar,
                Self::RdapStatus,
                Self::Http,
                Self::Https,
                Self::OldTtl,
            ],
            NameOutcome::Hold => &[Self::AbsentAtParents, Self::RdapStatus],
            NameOutcome::LockOnly => &[Self::RdapStatus],
            NameOutcome::Transfer => &[Self::RdapRegistrar, Self::RdapStatus],
            NameOutcome::Delete => &[Self::AbsentAtParents, Self::Unregistered],
            NameOutcome::BlockRegistration => &[Self::AbsentAtParents, Self::NotRegistrable],
            NameOutcome::ProviderRemoval => &[Self::Removed],
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ParentDelegation => "parent-delegation",
            Self::Glue => "glue",
            Self::NoDs => "no-ds",
            Self::OurAnswer => "our-answer",
            Self::Resolvers => "resolvers",
            Self::RdapRegistrar => "rdap-registrar",
            Self::RdapStatus => "rdap-status",
            Self::Http => "http",
            Self::Https => "https",
            Self::OldTtl => "old-ttl",
            Self::AbsentAtParents => "absent-at-parents",
            Self::NotRegistrable => "not-registrable",
            Self::Unregistered => "unregistered",
            Self::Removed => "removed",
            Self::GivenBack => "given-back",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || format!("one of {}", Self::ALL.map(Self::as_str).join(", "));
        Self::ALL.into_iter().find(|check| check.as_str() == text).ok_or_else(known)
    }
}

//----------- Finding ----------------------------------------------------------------------------------------------

/// How one look at one check ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Holds,
    Fails,
    NotObservable,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotObservable => "not-observable",
        }
    }
}

/// What was seen of one check, where, and when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub check: Check,
    pub verdict: Verdict,
    /// In words, with every server that differs.
    pub evidence: String,
    /// The server that decided it, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    pub at: Timestamp,
    /// When a look first came to this verdict, and no later one to another.
    pub since: Timestamp,
    /// Some servers show it already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_part: bool,
    /// Whoever answers for it where nobody can see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Attestation>,
}

impl Finding {
    pub fn new(check: Check, verdict: Verdict, evidence: impl Into<String>, at: Timestamp) -> Self {
        let evidence = cut(evidence.into());
        Self { check, verdict, evidence, server: None, at, since: at, in_part: false, attested: None }
    }

    pub fn at_server(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    pub fn in_part(mut self, in_part: bool) -> Self {
        self.in_part = in_part;
        self
    }

    /// Neither seen nor attested.
    pub fn is_undecided(&self) -> bool {
        self.verdict == Verdict::NotObservable && self.attested.is_none()
    }

    /// Keeps since when it is so, if the last look came to the same.
    pub fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before.filter(|before| before.verdict == self.verdict) {
            self.since = before.since;
        }
        self
    }
}

fn cut(mut text: String) -> String {
    if text.len() > EVIDENCE_OCTETS_MAX {
        let end = (0..=EVIDENCE_OCTETS_MAX - '…'.len_utf8()).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}

/// A person's word, with the document that it rests on. The document lies in the vault.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    pub person: PersonId,
    pub document: Digest,
    pub at: Timestamp,
}

//----------- Standing ---------------------------------------------------------------------------------------------

/// What the checks of one name come to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// None fails, none is undecided.
    Verified,
    /// At least one fails.
    Fails,
    /// None fails, and nobody has decided at least one.
    Undecided,
}

impl Standing {
    pub fn of(outcome: NameOutcome, findings: &[Finding]) -> Self {
        Self::among(Check::of(outcome), findings)
    }

    /// What the findings come to, where these checks have to hold.
    pub fn among(checks: &[Check], findings: &[Finding]) -> Self {
        let found = |check: &Check| findings.iter().find(|finding| finding.check == *check);
        if findings.iter().any(|finding| finding.verdict == Verdict::Fails) {
            return Self::Fails;
        }
        let is_decided = |check: &Check| found(check).is_some_and(|finding| !finding.is_undecided());
        if checks.iter().all(is_decided) { Self::Verified } else { Self::Undecided }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Fails => "fails",
            Self::Undecided => "undecided",
        }
    }
}

/// Whether the seizure has begun to show: the outcome's own check holds, or some servers show it.
pub fn has_begun(outcome: NameOutcome, findings: &[Finding]) -> bool {
    let own = Check::of(outcome).first();
    let mut findings = findings.iter().filter(|finding| Some(&finding.check) == own);
    findings.any(|finding| finding.verdict == Verdict::Holds || finding.in_part)
}

//----------- Facts ------------------------------------------------------------------------------------------------

/// One pass over the names of an order: what was seen lies in the vault.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    pub case: CaseId,
    pub order: OrderId,
    pub report: Digest,
    /// Names of which every check holds or is attested.
    pub holds: u64,
    /// Names of which at least one check fails.
    pub fails: u64,
    /// Names of which none fails and at least one is undecided.
    pub undecided: u64,
    /// Names that no parent server delegates to our servers, as every one of them said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelegated: Option<NameSet>,
    /// When that was seen, where nobody looked anew for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelegated_at: Option<Timestamp>,
}

/// Some names of an order, by the digest that [`crate::order::names_digest`] gives them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameSet {
    pub names: Digest,
    pub count: u64,
}

impl NameSet {
    pub fn of(names: &crate::order::Names) -> Self {
        Self { names: crate::order::names_digest(names), count: names.len() as u64 }
    }
}

/// A person answers for a check that nobody can see.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckAttested {
    pub case: CaseId,
    pub name: DomainName,
    pub check: Check,
    pub document: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2019-04-01T12:00:00Z".parse().unwrap()
    }

    fn all_hold(outcome: NameOutcome) -> Vec<Finding> {
        Check::of(outcome).iter().map(|check| Finding::new(*check, Verdict::Holds, "seen", at())).collect()
    }

    fn attested() -> Attestation {
        Attestation { person: PersonId::parse("lars").unwrap(), document: Digest([7; 32]), at: at() }
    }

    /// Every outcome, every check of it, every verdict: only all that hold or are attested make a verified name.
    #[test]
    fn a_name_is_verified_only_if_no_check_fails_and_none_is_undecided() {
        for outcome in NameOutcome::ALL {
            assert_eq!(Standing::of(outcome, &all_hold(outcome)), Standing::Verified);
            for place in 0..Check::of(outcome).len() {
                let with = |verdict, attested: Option<Attestation>| {
                    let mut findings = all_hold(outcome);
                    (findings[place].verdict, findings[place].attested) = (verdict, attested);
                    Standing::of(outcome, &findings)
                };
                assert_eq!(with(Verdict::Fails, None), Standing::Fails);
                assert_eq!(with(Verdict::Fails, Some(attested())), Standing::Fails, "an attestation mends no failure");
                assert_eq!(with(Verdict::NotObservable, None), Standing::Undecided);
                assert_eq!(with(Verdict::NotObservable, Some(attested())), Standing::Verified);
                let mut missing = all_hold(outcome);
                missing.remove(place);
                assert_eq!(Standing::of(outcome, &missing), Standing::Undecided, "{outcome:?} without {place}");
            }
        }
    }

    #[test]
    fn each_outcome_has_its_own_list() {
        use Check::*;
        let hold = [AbsentAtParents, RdapStatus];
        assert_eq!(Check::of(NameOutcome::Hold), hold);
        assert_eq!(Check::of(NameOutcome::BlockRegistration), [AbsentAtParents, NotRegistrable]);
        assert_eq!(Check::of(NameOutcome::Redirect).len(), 10);
        for check in Check::ALL {
            let is_asked = |outcome: &NameOutcome| Check::of(*outcome).contains(&check);
            assert!(NameOutcome::ALL.iter().any(is_asked) || Check::RETURNED.contains(&check), "{check} is asked");
            assert_eq!(check.as_str().parse::<Check>(), Ok(check));
        }
    }

    #[test]
    fn a_verdict_stands_since_it_was_first_come_to() {
        let later: Timestamp = "2019-04-02T12:00:00Z".parse().unwrap();
        let before = Finding::new(Check::NoDs, Verdict::Fails, "DS 1", at());
        let same = Finding::new(Check::NoDs, Verdict::Fails, "DS 2", later).after(Some(&before));
        let other = Finding::new(Check::NoDs, Verdict::Holds, "none", later).after(Some(&before));
        assert_eq!((same.since, other.since), (at(), later));
    }

    #[test]
    fn evidence_has_an_end() {
        let long = Finding::new(Check::Glue, Verdict::Fails, "ä".repeat(EVIDENCE_OCTETS_MAX), at());
        assert!(long.evidence.len() <= EVIDENCE_OCTETS_MAX && long.evidence.ends_with('…'));
    }

    #[test]
    fn a_seizure_has_begun_when_its_own_check_shows() {
        let mut findings = all_hold(NameOutcome::Redirect);
        findings[0].verdict = Verdict::Fails;
        assert!(!has_begun(NameOutcome::Redirect, &findings), "the other checks say nothing of the delegation");
        findings[0].in_part = true;
        assert!(has_begun(NameOutcome::Redirect, &findings));
    }
}
