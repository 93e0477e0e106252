//! The report of a pass: one line of JSON for each name, in order of name. It lies in the vault, and each later pass
//! begins from what it remembers; where little has changed since a whole one, it tells of the others only when they were
//! seen again.

use std::collections::BTreeMap;

use model::check::{Attestation, Check, Finding, Standing, Verdict};
use model::id::OrderId;
use model::observation::Observation;
use model::order::NameOutcome;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::judge::{Memory, Target, is_ours_otherwise, is_undelegated, judge};
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
    /// Every parent server that was heard leads to ours, though not all to the ordered ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours_otherwise: bool,
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
            ours_otherwise: is_ours_otherwise(target, seen),
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

/// A line of a pass that goes on.
pub fn looked_line(look: &LookedAt) -> Vec<u8> {
    let mut octets = serde_json::to_vec(look).expect("a look is plain JSON");
    octets.push(b'\n');
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

//----------- Base -------------------------------------------------------------------------------------------------

/// A report that says what is different is written as long as so many of its names are as they were: one in four.
const DIFFERENT_PART_MAX: usize = 4;

/// The whole report that the next one is compared with.
#[derive(Debug)]
pub struct Base {
    whole: Digest,
    /// What it says of each name, but for the hour.
    marks: BTreeMap<DomainName, Digest>,
}

/// The first line of a report that tells only what is different: which whole report it goes on from.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoesOn {
    goes_on_from: Digest,
}

/// A name that was seen again as the whole report has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenAgain {
    name: DomainName,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ours_until: Option<Timestamp>,
}

impl Base {
    fn of(whole: Digest, reports: &BTreeMap<DomainName, NameReport>) -> Self {
        Self { whole, marks: reports.iter().map(|(name, report)| (name.clone(), mark(report))).collect() }
    }

    fn has(&self, report: &NameReport) -> bool {
        self.marks.get(&report.name).is_some_and(|known| *known == mark(report))
    }
}

/// What a report says, but for the hour of the look and what is counted from it.
fn mark(report: &NameReport) -> Digest {
    let line = serde_json::to_vec(&at_hour(report.clone(), Timestamp::UNIX_EPOCH, None));
    Digest::of_bytes(&line.expect("a report is plain JSON"))
}

fn at_hour(mut report: NameReport, at: Timestamp, ours_until: Option<Timestamp>) -> NameReport {
    (report.at, report.memory.ours_until) = (at, ours_until);
    report.findings.iter_mut().for_each(|finding| finding.at = at);
    report
}

/// What goes to the vault: what is different from the whole report before, or all of it where too much is. A pass over ten
/// thousand names in which nothing happens is then one megabyte and not thirty.
pub fn written(reports: &[NameReport], base: Option<&Base>) -> Vec<u8> {
    let Some(base) = base else { return lines(reports) };
    let again: Vec<bool> = reports.iter().map(|report| base.has(report)).collect();
    let different = again.iter().filter(|again| !**again).count();
    if different > reports.len() / DIFFERENT_PART_MAX {
        return lines(reports);
    }
    let first = GoesOn { goes_on_from: base.whole };
    let mut octets = serde_json::to_vec(&first).expect("a digest is plain JSON");
    octets.push(b'\n');
    for (report, again) in reports.iter().zip(again) {
        let seen = || SeenAgain { name: report.name.clone(), at: report.at, ours_until: report.memory.ours_until };
        let line = if again { serde_json::to_vec(&seen()) } else { serde_json::to_vec(report) };
        octets.extend(line.expect("a report is plain JSON"));
        octets.push(b'\n');
    }
    octets
}

/// Reads what [`written`] wrote under that digest, and what the next one may go on from.
pub fn kept<E>(
    digest: Digest,
    get: impl Fn(&Digest) -> Result<Vec<u8>, E>,
) -> Result<(BTreeMap<DomainName, NameReport>, Base), E> {
    let octets = get(&digest)?;
    let mut lines = octets.split(|octet| *octet == b'\n');
    let Some(GoesOn { goes_on_from }) = lines.next().and_then(|line| serde_json::from_slice(line).ok()) else {
        let reports = read(&octets);
        let base = Base::of(digest, &reports);
        return Ok((reports, base));
    };
    let mut whole = read(&get(&goes_on_from)?);
    let base = Base::of(goes_on_from, &whole);
    let mut reports = read(&octets);
    for line in lines {
        let Ok(SeenAgain { name, at, ours_until }) = serde_json::from_slice(line) else { continue };
        if let Some(report) = whole.remove(&name) {
            reports.insert(name, at_hour(report, at, ours_until));
        }
    }
    Ok((reports, base))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(number: usize, at: Timestamp, verdict: Verdict) -> NameReport {
        let outcome = NameOutcome::Redirect;
        let finding = |check: &Check| Finding {
            since: Timestamp::UNIX_EPOCH,
            ..Finding::new(*check, verdict, "as the test says", at)
        };
        let findings: Vec<Finding> = Check::of(outcome).iter().map(finding).collect();
        NameReport {
            name: DomainName::parse(&format!("n{number}.example")).unwrap(),
            order: OrderId::parse("o-1").unwrap(),
            outcome,
            at,
            standing: Standing::of(outcome, &findings),
            findings,
            undelegated: false,
            ours_otherwise: false,
            returned: false,
            memory: Memory { ours_until: Some(at), ..Memory::default() },
        }
    }

    /// Passes one after another over as many names: what each keeps, and that it reads as it was.
    #[test]
    fn a_pass_in_which_nothing_happens_keeps_the_hours_alone() {
        let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
        let mut vault: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
        let mut last: Option<Digest> = None;
        let mut sizes = Vec::new();
        for (hour, failing) in [(0, 0), (6, 0), (12, 25), (18, 26), (24, 26), (30, 0)] {
            let verdict = |number| if number < failing { Verdict::Fails } else { Verdict::Holds };
            let reports: Vec<NameReport> = (0..100).map(|number| report(number, at(hour), verdict(number))).collect();
            let get = |digest: &Digest| vault.get(digest).cloned().ok_or(());
            let base = last.map(|digest| kept(digest, get).unwrap().1);
            let octets = written(&reports, base.as_ref());
            let digest = Digest::of_bytes(&octets);
            sizes.push(octets.len());
            vault.insert(digest, octets);
            last = Some(digest);
            let (read, _) = kept(digest, |digest| vault.get(digest).cloned().ok_or(())).unwrap();
            let expected: BTreeMap<_, _> = reports.into_iter().map(|report| (report.name.clone(), report)).collect();
            assert_eq!(read, expected, "hour {hour}");
        }
        let whole = sizes[0];
        assert!(sizes[1] * 10 < whole, "{sizes:?}");
        assert!(sizes[2] < whole / 2 && sizes[2] > whole / 5, "a quarter is different: {sizes:?}");
        assert!(sizes[3] > whole * 9 / 10, "more than that is written anew: {sizes:?}");
        assert!(sizes[4] * 10 < whole && sizes[5] > whole * 9 / 10, "against the one that was: {sizes:?}");
        let lost = kept(Digest([0; 32]), |_| Err::<Vec<u8>, _>("not here"));
        assert_eq!(lost.unwrap_err(), "not here");
    }
}
