//! What a case keeps as evidence, and whom it was reported to. One person does it; who, stands in the fact.
//!
//! Nothing is taken out again: an exhibit that was a mistake gets a note in another one. A report is sent once it is
//! written, and somebody else is asked only with proof that the first was.

use model::evidence::{Exhibit, Stamp};
use model::fact::{Actor, Body, Draft};
use model::id::CaseId;
use model::notification::{ReportState, ReportTerms, Sending};
use model::{Digest, Refusal, Timestamp};
use store::view::{CaseView, ReportView, View, next_number};

use super::{Decision, Done, TEXT_OCTETS_MAX, check_text, working_on};
use crate::evidence::{ExhibitDraft, REPORT_URLS_MAX, ReportDraft, is_file_name};
use crate::evidence::{pack::who, tsp};

/// The largest exhibit: a picture, a page, a scanned paper, a short capture.
pub const EXHIBIT_OCTETS_MAX: usize = 64 << 20;
/// The largest token of a time-stamping authority: a signature with its certificates has 2 to 8 KB.
pub const TOKEN_OCTETS_MAX: usize = 64 << 10;
/// Exhibits of one case, and reports.
pub const EXHIBITS_MAX: usize = 100_000;
/// How far ahead of ours a clock may be by which something was captured.
const AHEAD_SECS_MAX: i64 = 300;

pub(super) fn keep(
    view: &View,
    id: &CaseId,
    draft: &ExhibitDraft,
    octets: &[u8],
    (actor, now): (&Actor, Timestamp),
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_draft(case, draft, octets, now)?;
    let number = next_number(case.evidence.exhibits.len());
    let exhibit = draft.clone().numbered(number, Digest::of_bytes(octets), octets.len() as u64);
    if let Some(same) = case.evidence.exhibits.iter().map(|kept| &kept.exhibit).find(|kept| is_same(kept, &exhibit)) {
        return Ok(Decision {
            drafts: Vec::new(),
            named_sets: Vec::new(),
            done: Done::ExhibitKept { number: same.number, new: false },
        });
    }
    let body = Body::EvidenceKept { case: id.clone(), exhibit: Box::new(exhibit) };
    Ok(Decision::of(actor, body, Done::ExhibitKept { number, new: true }))
}

/// The same in everything but its number: somebody asked twice.
fn is_same(kept: &Exhibit, exhibit: &Exhibit) -> bool {
    *kept == Exhibit { number: kept.number, ..exhibit.clone() }
}

fn check_draft(case: &CaseView, draft: &ExhibitDraft, octets: &[u8], now: Timestamp) -> Result<(), Refusal> {
    if octets.is_empty() || octets.len() > EXHIBIT_OCTETS_MAX {
        let what = format!("a file of {} octets is not kept as evidence", octets.len());
        return Err(Refusal::new(what).hint(format!("1 to {EXHIBIT_OCTETS_MAX} octets; cut a long capture into parts")));
    }
    if case.evidence.exhibits.len() >= EXHIBITS_MAX {
        return Err(Refusal::new(format!("case {} has {EXHIBITS_MAX} exhibits already", case.terms.id)));
    }
    if let Some(name) = &draft.name {
        check_name(case, name)?;
    }
    if !is_file_name(&draft.file_name) {
        return Err(Refusal::new(format!("`{}` is no file name", draft.file_name.escape_default()))
            .hint("1 to 100 letters, digits, `.`, `-` and `_`, not beginning with a dot"));
    }
    if draft.captured.as_second() > now.as_second() + AHEAD_SECS_MAX {
        return Err(Refusal::new(format!("{} is yet to come", draft.captured)).hint("check the clock that says so"));
    }
    let tool = draft.tool.as_ref();
    let texts = [
        ("media type", Some(&draft.media_type)),
        ("mark", draft.mark.as_ref()),
        ("note", draft.note.as_ref()),
        ("source", draft.source.as_ref()),
        ("tool", tool.map(|tool| &tool.name)),
        ("tool's version", tool.map(|tool| &tool.version)),
    ];
    texts.into_iter().filter_map(|(what, text)| Some((what, text?))).try_for_each(|(what, text)| check_text(what, text))
}

/// A listed name, or a host below one.
fn check_name(case: &CaseView, name: &model::DomainName) -> Result<(), Refusal> {
    let mut below = Some(name.as_str());
    while let Some(text) = below {
        if model::DomainName::parse(text).is_ok_and(|name| case.names.get(&name).is_some()) {
            return Ok(());
        }
        below = text.split_once('.').map(|(_, parent)| parent);
    }
    Err(Refusal::new(format!("case {} lists neither {} nor a name above it", case.terms.id, name.defanged()))
        .hint("evidence is about a listed name or a host below one; leave the name out where it is about the case"))
}

pub(super) fn stamp(
    view: &View,
    (id, number): (&CaseId, u32),
    authority: &str,
    octets: &[u8],
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("authority", authority)?;
    let kept = case.evidence.exhibit(number).ok_or_else(|| no_exhibit(id, number))?;
    if octets.len() > TOKEN_OCTETS_MAX {
        return Err(Refusal::new(format!("a token has at most {TOKEN_OCTETS_MAX} octets, this one {}", octets.len())));
    }
    let info = tsp::read(octets).map_err(|error| {
        Refusal::new(format!("this is no time-stamp response: {error}"))
            .hint("`openssl ts -reply` writes one (RFC 3161)")
    })?;
    if info.digest != kept.exhibit.file {
        let what = format!("the token is for {}, and exhibit {number} is {}", info.digest, kept.exhibit.file);
        return Err(Refusal::new(what).hint("ask the authority about this exhibit's SHA-256"));
    }
    let token = Digest::of_bytes(octets);
    let done = Done::ExhibitStamped { number, at: info.at };
    if let Some(first) = &kept.stamp {
        if first.token == token {
            return Ok(Decision { drafts: Vec::new(), named_sets: Vec::new(), done });
        }
        let what = format!("exhibit {number} has a time-stamp already, whose token states {}", first.at);
        return Err(Refusal::new(what).hint("the first is kept; keep another token as an exhibit of its own"));
    }
    let authority = format!("{}, as stated by {}", authority.trim(), who(actor));
    let stamp = Stamp { token, authority, at: info.at };
    Ok(Decision::of(actor, Body::EvidenceStamped { case: id.clone(), exhibit: number, stamp }, done))
}

fn no_exhibit(id: &CaseId, number: u32) -> Refusal {
    Refusal::new(format!("case {id} has no exhibit {number}")).hint(format!("see `bailiwick evidence list {id}`"))
}

//----------- Reports ----------------------------------------------------------------------------------------------

pub(super) fn make_report(
    view: &View,
    id: &CaseId,
    draft: &ReportDraft,
    (letter, xarf): (&str, &str),
    (actor, now): (&Actor, Timestamp),
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_report(case, draft, now)?;
    let number = next_number(case.evidence.reports.len());
    let digests = (Digest::of_bytes(letter.as_bytes()), Digest::of_bytes(xarf.as_bytes()));
    let terms: ReportTerms = draft.clone().numbered(number, digests);
    let escalates = terms.escalates;
    let made = Body::ReportMade { case: id.clone(), report: Box::new(terms) };
    let mut decision = Decision::of(actor, made, Done::ReportMade { number });
    if let Some(first) = escalates {
        let body = Body::ReportEscalated { case: id.clone(), report: first, by: number };
        decision.drafts.push(Draft::new(actor.clone(), body));
    }
    Ok(decision)
}

fn check_report(case: &CaseView, draft: &ReportDraft, now: Timestamp) -> Result<(), Refusal> {
    check_name(case, &draft.name)?;
    check_text("address", &draft.address)?;
    check_text("source of the address", &draft.address_source)?;
    if draft.urls.is_empty() || draft.urls.len() > REPORT_URLS_MAX {
        return Err(Refusal::new(format!("a report names 1 to {REPORT_URLS_MAX} URLs, this one {}", draft.urls.len())));
    }
    draft.urls.iter().try_for_each(|url| check_text("URL", url))?;
    if draft.exhibits.is_empty() {
        return Err(Refusal::new("a report without an exhibit is not actionable")
            .hint("`bailiwick evidence add` or `evidence capture` first: a screenshot, the headers, the time"));
    }
    for number in &draft.exhibits {
        let kept = case.evidence.exhibit(*number).ok_or_else(|| no_exhibit(&case.terms.id, *number))?;
        if case.is_sealed(now) && !kept.exhibit.kind.is_of_a_look() {
            let kind = kept.exhibit.kind.as_str();
            return Err(Refusal::new(format!("case {} is sealed, and exhibit {number} is a {kind}", case.terms.id))
                .hint("until it is unsealed only screenshot, headers, page, dns, rdap and certificate go out"));
        }
    }
    if case.evidence.reports.len() >= EXHIBITS_MAX {
        return Err(Refusal::new(format!("case {} has {EXHIBITS_MAX} reports already", case.terms.id)));
    }
    draft.escalates.map_or(Ok(()), |first| may_escalate(report(case, first)?, draft, now))
}

/// About the same name, and not before the first had its time, unless it said no or nobody was there.
fn may_escalate(first: &ReportView, draft: &ReportDraft, now: Timestamp) -> Result<(), Refusal> {
    if first.terms.name != draft.name {
        let what = format!("report {} is about {}", first.terms.number, first.terms.name.defanged());
        return Err(Refusal::new(what).hint("a report goes on from one about the same name"));
    }
    first.state.apply(ReportState::Escalated)?;
    if first.state.waits() && now < first.terms.due {
        let what = format!("report {} has time to answer until {}", first.terms.number, first.terms.due);
        return Err(Refusal::new(what).hint("note what came back with `bailiwick case report-answer`, or wait"));
    }
    Ok(())
}

pub(super) fn note_sending(
    view: &View,
    (id, number): (&CaseId, u32),
    sending: &Sending,
    message: Option<&[u8]>,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("channel", &sending.channel)?;
    check_text("proof", &sending.proof)?;
    report(case, number)?.state.apply(ReportState::Sent)?;
    let sending = Sending { message: message.map(Digest::of_bytes), ..sending.clone() };
    Ok(Decision::of(actor, Body::ReportSent { case: id.clone(), report: number, sending }, Done::Recorded))
}

pub(super) fn note_answer(
    view: &View,
    (id, number): (&CaseId, u32),
    (to, note, exhibit): (ReportState, &str, Option<u32>),
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("note", note)?;
    if matches!(to, ReportState::Queued | ReportState::Sent | ReportState::Escalated) {
        return Err(Refusal::new(format!("{} is no answer", to.as_str()))
            .hint("delivered, bounced, acknowledged, acted, refused or reopened"));
    }
    if let Some(number) = exhibit {
        case.evidence.exhibit(number).ok_or_else(|| no_exhibit(id, number))?;
    }
    report(case, number)?.state.apply(to)?;
    let note = note.trim().to_owned();
    Ok(Decision::of(
        actor,
        Body::ReportAcknowledged { case: id.clone(), report: number, to, note, exhibit },
        Done::Recorded,
    ))
}

fn report(case: &CaseView, number: u32) -> Result<&ReportView, Refusal> {
    let missing = || {
        Refusal::new(format!("case {} has no report {number}", case.terms.id))
            .hint(format!("see `bailiwick case report-list {}`", case.terms.id))
    };
    case.evidence.report(number).ok_or_else(missing)
}

const _: () = assert!(TEXT_OCTETS_MAX >= 254, "a mail address fits");
