//! The report of a pass: one line of JSON for each name, in order of name. It lies in the vault, and each later pass
//! begins from what it remembers.

use std::collections::BTreeMap;

use model::check::{Attestation, Check, Finding, Standing, Verdict};
use model::id::OrderId;
use model::observation::Observation;
use model::order::NameOutcome;
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::judge::{Memory, Target, is_undelegated, judge};
use super::seen::Seen;

/// The most names of one pass.
pub const NAMES_MAX: usize = 100_000;

/// One name, as the last look saw it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameReport {
    pub name: DomainName,
    pub order: OrderId,
    pub outcome: NameOutcome,
    pub at: Timestamp,
    pub standing: Standing,
    pub findings: Vec<Finding>,
    /// No parent server delegates it to us, as every one of them said, and no cache may remember that one did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undelegated: bool,
    /// It had gone back when it was looked at: other checks are asked of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
    #[serde(default)]
    pub memory: Memory,
}

impl NameReport {
    /// Judges one look, with what the last report of the name remembers.
    pub fn of(target: &Target, order: &OrderId, seen: &Seen, before: Option<&Self>) -> Self {
        let memory = before.map(|before| before.memory).unwrap_or_default().with(target, seen);
        let earlier = |finding: &Finding| before?.findings.iter().find(|known| known.check == finding.check);
        let findings = judge(target, seen, memory).into_iter().map(|finding| {
            let known = earlier(&finding);
            finding.after(known)
        });
        let findings: Vec<Finding> = findings.collect();
        Self {
            name: target.name.clone(),
            order: order.clone(),
            outcome: target.outcome,
            at: seen.at,
            standing: Standing::among(Check::asked(target.outcome, target.returned), &findings),
            findings,
            undelegated: is_undelegated(target, seen, memory),
            returned: target.returned,
            memory,
        }
    }

    /// With what people attest. An attestation decides only what was not seen, and no longer than that: whatever a later
    /// look saw speaks against it, even where the look after that saw nothing again.
    pub fn attested(mut self, attested: impl Fn(&Finding) -> Option<Attestation>) -> Self {
        for finding in &mut self.findings {
            let is_open = finding.verdict == Verdict::NotObservable;
            finding.attested = attested(finding).filter(|attested| is_open && finding.since <= attested.at);
        }
        self.standing = Standing::among(Check::asked(self.outcome, self.returned), &self.findings);
        self
    }
}

/// The lines of a report.
pub fn lines<'r>(names: impl IntoIterator<Item = &'r NameReport>) -> Vec<u8> {
    let mut octets = Vec::new();
    for name in names {
        octets.extend(serde_json::to_vec(name).expect("a report is plain JSON"));
        octets.push(b'\n');
    }
    octets
}

//----------- LookedAt ---------------------------------------------------------------------------------------------

/// What a pass that goes on keeps of one look: a line of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookedAt {
    /// `None`: a name of one of our name servers, which nothing is ordered of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<NameReport>,
    /// For custody.
    pub seen: Observation,
}

/// The lines of a pass that goes on.
pub fn looked_lines(looks: &[LookedAt]) -> Vec<u8> {
    let mut octets = Vec::new();
    for look in looks {
        serde_json::to_writer(&mut octets, look).expect("a look is plain JSON");
        octets.push(b'\n');
    }
    octets
}

/// Reads those lines, one after the other; one that was cut off while it was written is left out.
pub fn read_looked(octets: &[u8]) -> impl Iterator<Item = LookedAt> {
    let lines = octets.split(|octet| *octet == b'\n');
    lines.filter_map(|line| serde_json::from_slice::<LookedAt>(line).ok())
}

/// Reads the lines again; one that was cut off while it was written is left out, and the last of a name counts.
pub fn read(octets: &[u8]) -> BTreeMap<DomainName, NameReport> {
    let lines = octets.split(|octet| *octet == b'\n');
    let names = lines.filter_map(|line| serde_json::from_slice::<NameReport>(line).ok());
    names.map(|report| (report.name.clone(), report)).collect()
}
