//! `bailiwick verify`: looks at a case's names in portions, ends the pass, and draws the grid of name and check.
//!
//! The daemon asks, where one runs; this side only says which names are next, so that progress shows and a pass that is
//! broken off goes on later. The exit code is 3 while a name is not verified.

use std::collections::{BTreeMap, BTreeSet};

use desk::api::{CaseDetail, CaseTaken, CheckAttestedTold, LookRequest, Looked, VerificationTold};
use docket::verify::NameReport;
use model::DomainName;
use model::check::{Check, Finding, Standing, Verdict};
use model::id::CaseId;

use crate::cli::{Place, VerifyCaseArgs, VerifyCommand, WhoArgs};
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal::{self, table};

pub(crate) fn run(place: &Place, args: VerifyCaseArgs) -> Done {
    if let Some(VerifyCommand::Attest { case, name, check, document, who, out }) = args.command {
        return attest(&Door::open(place, "verify attest")?, &case, (&name, check), (&document, &who), out.json);
    }
    let case = args.case.clone().ok_or_else(|| Failure::new("no case was named").code(code::USAGE))?;
    let door = Door::open(place, "verify")?;
    let told = if args.last { last(&door, &case)? } else { pass(&door, &case, &args)? };
    let wanted = wanted(&door, &case, &args)?;
    let shown = VerificationTold {
        names: told.names.iter().filter(|report| wanted.contains(&report.name)).cloned().collect(),
        ..told
    };
    if args.out.json {
        terminal::json(&shown)?;
    } else if let Some(file) = &args.against {
        terminal::line(&differences(&before(file)?, &shown.names))?;
    } else {
        terminal::line(&grid(&shown.names))?;
    }
    let open = not_verified(&wanted, &shown.names);
    match open {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{open} of {} names of case {case} are not verified", wanted.len()))
            .code(code::NOT_VERIFIED)),
    }
}

/// Nobody has decided a name that was never looked at.
fn not_verified(wanted: &BTreeSet<DomainName>, reports: &[NameReport]) -> usize {
    let verified = reports.iter().filter(|report| report.standing == Standing::Verified).map(|report| &report.name);
    let verified: BTreeSet<&DomainName> = verified.collect();
    wanted.iter().filter(|name| !verified.contains(name)).count()
}

/// The names that were said, or all of the case.
fn wanted(door: &Door, case: &CaseId, args: &VerifyCaseArgs) -> Result<BTreeSet<DomainName>, Failure> {
    let said = named(&args.names)?;
    if said.is_empty() { all_names(door, case) } else { Ok(said) }
}

fn named(names: &[String]) -> Result<BTreeSet<DomainName>, Failure> {
    let parse = |text: &String| DomainName::parse(text).tried(format_args!("reading the name `{text}`"));
    names.iter().map(parse).collect()
}

//----------- A pass -----------------------------------------------------------------------------------------------

fn last(door: &Door, case: &CaseId) -> Result<VerificationTold, Failure> {
    let told: VerificationTold = door.get(&format!("/cases/{case}/verification"))?;
    if told.names.is_empty() {
        return Err(Failure::new(format!("no name of case {case} was ever looked at"))
            .hint(format!("`bailiwick verify {case}` looks"))
            .code(code::NOT_VERIFIED));
    }
    Ok(told)
}

fn pass(door: &Door, case: &CaseId, args: &VerifyCaseArgs) -> Result<VerificationTold, Failure> {
    let path = format!("/cases/{case}/verification");
    let told: VerificationTold = door.get(&path)?;
    let names = wanted(door, case, args)?;
    let seen: BTreeSet<&DomainName> = told.looked.iter().filter(|name| names.contains(*name)).collect();
    if !seen.is_empty() && !args.anew {
        terminal::say(&format!("going on with a pass that has looked at {} names; `--anew` looks again", seen.len()));
    }
    let is_open = |name: &&DomainName| args.anew || !seen.contains(*name);
    let open: Vec<DomainName> = names.iter().filter(is_open).cloned().collect();
    let (mut done, all) = (names.len() - open.len(), names.len());
    let mut is_empty = told.looked.is_empty();
    for (at, portion) in open.chunks(args.at_once.into()).enumerate() {
        // Whoever looks at all of a case looks at the names of our own name servers, too.
        let request = LookRequest { names: portion.to_vec(), own: at == 0 && args.names.is_empty() };
        let looked: Looked = door.post(&format!("{path}/looks"), &request, None)?;
        done += looked.names.len() + looked.drafts.len();
        is_empty &= looked.names.is_empty();
        terminal::say(&progress(done, all, &looked.names));
        if !looked.drafts.is_empty() {
            let count = looked.drafts.len();
            terminal::say(&format!(
                "{count} of these are of an order that is not in force: nobody was asked about them"
            ));
        }
    }
    let told: VerificationTold = if is_empty { door.get(&path)? } else { door.post(&path, &(), None)? };
    if let Some(taken) = &told.custody {
        terminal::say(&handed_over(taken));
    }
    Ok(told)
}

/// What custody made of it.
fn handed_over(taken: &CaseTaken) -> String {
    let CaseTaken { seen, raised, cleared, .. } = taken;
    let next = if *raised > 0 { "; next: `bailiwick alarm list`" } else { "" };
    format!("custody took what was seen of {seen} names: {raised} alarms raised, {cleared} ended{next}")
}

fn all_names(door: &Door, case: &CaseId) -> Result<BTreeSet<DomainName>, Failure> {
    let detail: CaseDetail = door.get(&format!("/cases/{case}"))?;
    Ok(detail.name_states.into_iter().map(|state| state.name).collect())
}

/// `[#####     ]  320 of 640 names; of the last 32, 30 verified, 1 fails, 1 undecided`
fn progress(done: usize, all: usize, last: &[NameReport]) -> String {
    const WIDTH: usize = 20;
    let bar = "#".repeat(done * WIDTH / all.max(1));
    let count = |standing| last.iter().filter(|report| report.standing == standing).count();
    let [verified, fails, undecided] = [Standing::Verified, Standing::Fails, Standing::Undecided].map(count);
    let last = last.len();
    format!(
        "[{bar:<WIDTH$}] {done} of {all} names; of the last {last}, {verified} verified, {fails} failing, {undecided} undecided"
    )
}

//----------- As people read it ------------------------------------------------------------------------------------

/// One word for each check that there is among the names, and below it what does not hold, with its evidence.
fn grid(names: &[NameReport]) -> String {
    let asked = |check: &Check| names.iter().any(|report| found(report, *check).is_some());
    let checks: Vec<Check> = Check::ALL.into_iter().filter(asked).collect();
    let heads = ["name".to_owned()].into_iter().chain(checks.iter().map(|check| check.as_str().to_owned()));
    let mut rows = vec![heads.chain(["standing".to_owned()]).collect::<Vec<String>>()];
    for report in names {
        let cells = checks.iter().map(|check| word(found(report, *check)).to_owned());
        let name = [report.name.defanged().to_string()].into_iter();
        rows.push(name.chain(cells).chain([report.standing.as_str().to_owned()]).collect());
    }
    let mut text = table(&rows);
    for report in names {
        for finding in report.findings.iter().filter(|finding| finding.verdict != Verdict::Holds) {
            text.push_str(&format!("\n{}", evidence(report, finding)));
        }
    }
    text
}

fn found(report: &NameReport, check: Check) -> Option<&Finding> {
    report.findings.iter().find(|finding| finding.check == check)
}

fn word(finding: Option<&Finding>) -> &'static str {
    match finding {
        None => "·",
        Some(finding) if finding.attested.is_some() => "attested",
        Some(finding) if finding.verdict == Verdict::Fails && finding.in_part => "in part",
        Some(finding) => match finding.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "FAILS",
            Verdict::NotObservable => "?",
        },
    }
}

fn evidence(report: &NameReport, finding: &Finding) -> String {
    let by = finding.attested.as_ref().map(|attested| {
        format!("; attested by {} on {}, document {}", attested.person, attested.at, attested.document.short())
    });
    format!(
        "{}  {} {} since {}: {}{}",
        report.name.defanged(),
        finding.check,
        finding.verdict.as_str(),
        finding.since,
        finding.evidence,
        by.unwrap_or_default(),
    )
}

//----------- Against an earlier one -------------------------------------------------------------------------------

fn before(file: &std::path::Path) -> Result<BTreeMap<DomainName, NameReport>, Failure> {
    let shown = file.display();
    let octets = std::fs::read(file).tried(format_args!("reading the earlier report {shown}"))?;
    let told: VerificationTold =
        serde_json::from_slice(&octets).tried(format_args!("{shown} is not what `bailiwick verify --json` prints"))?;
    Ok(told.names.into_iter().map(|report| (report.name.clone(), report)).collect())
}

fn differences(before: &BTreeMap<DomainName, NameReport>, now: &[NameReport]) -> String {
    let mut lines = Vec::new();
    for report in now {
        for finding in &report.findings {
            let known = before.get(&report.name).and_then(|known| found(known, finding.check));
            let (was, is) = (word(known), word(Some(finding)));
            if was != is {
                lines.push(format!("{}  {} {was} → {is}: {}", report.name.defanged(), finding.check, finding.evidence));
            }
        }
    }
    if lines.is_empty() { "nothing is different".to_owned() } else { lines.join("\n") }
}

//----------- Attesting --------------------------------------------------------------------------------------------

fn attest(
    door: &Door,
    case: &CaseId,
    (name, check): (&DomainName, Check),
    (document, who): (&std::path::Path, &WhoArgs),
    json: bool,
) -> Done {
    let octets = std::fs::read(document).tried(format_args!("reading the document {}", document.display()))?;
    let path = format!("/cases/{case}/names/{}/checks/{check}/attestation", name.as_str());
    let told: CheckAttestedTold = door.post_file_as(&path, octets, "application/octet-stream", &token(who)?)?;
    if json { terminal::json(&told) } else { terminal::line(&told.said) }
}
