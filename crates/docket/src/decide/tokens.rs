//! Tokens for programs, and the one-time token by which the first admin is enrolled.
//!
//! A person makes tokens for themselves, each with an end and with some of their roles; whoever holds one acts in these
//! roles and makes no other. To revoke one narrows: the person does it, or an admin.

use std::collections::BTreeSet;

use model::fact::{Actor, Body, Draft};
use model::id::{PersonId, TokenName};
use model::person::{Person, Role};
use model::token::ApiToken;
use model::{Digest, Refusal, Timestamp};
use store::view::View;

use super::{Decision, Done, acting_person, check_new};
use crate::command::Command;

/// The most tokens of one person that have not ended.
const TOKENS_MAX: usize = 50;
/// The longest life of a token.
pub const TOKEN_DAYS_MAX: i64 = 366;

pub(super) fn issue(view: &View, token: &ApiToken, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let person = acting_person(view, actor)?;
    let ApiToken { name, roles, expires, .. } = token;
    if token.person != person.id {
        return Err(Refusal::new(format!("{} makes tokens for nobody but themselves", person.id)));
    }
    if roles.is_empty() || !roles.is_subset(&person.roles) {
        let held: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
        return Err(Refusal::new(format!("a token of {} has some of their roles, and no others", person.id))
            .hint(format!("there are {}", held.join(", "))));
    }
    let latest = now.saturating_add(jiff::SignedDuration::from_hours(24 * TOKEN_DAYS_MAX)).unwrap_or(now);
    if *expires <= now || *expires > latest {
        return Err(Refusal::new(format!("a token that ends at {expires} is not made"))
            .hint(format!("it lives for 1 to {TOKEN_DAYS_MAX} days")));
    }
    if view.tokens.issued.contains_key(&(person.id.clone(), name.clone())) {
        return Err(Refusal::new(format!("{} has or had a token {name}", person.id)).hint("choose another name"));
    }
    if view.tokens.of(&person.id).filter(|one| one.ended(now).is_none()).count() >= TOKENS_MAX {
        return Err(Refusal::new(format!("{} has {TOKENS_MAX} tokens", person.id))
            .hint("revoke one: `bailiwick person token revoke PERSON NAME`"));
    }
    check_unused(view, token.token)?;
    Ok(Decision::of(actor, Body::TokenIssued { token: Box::new(token.clone()) }, Done::Recorded))
}

pub(super) fn revoke(view: &View, person: &PersonId, name: &TokenName, actor: &Actor) -> Result<Decision, Refusal> {
    let by = acting_person(view, actor)?;
    let is_admin = by.roles.contains(&Role::Admin) && !by.fixture;
    if by.id != *person && !is_admin {
        return Err(Refusal::new(format!("a token of {person} is revoked by {person} or by an admin")));
    }
    let known = view.tokens.issued.get(&(person.clone(), name.clone()));
    let known = known.filter(|one| one.revoked.is_none());
    let missing = || Refusal::new(format!("{person} has no token {name}")).hint("see `bailiwick person token list`");
    known.ok_or_else(missing)?;
    let body = Body::TokenRevoked { person: person.clone(), token: name.clone() };
    Ok(Decision::of(actor, body, Done::Recorded))
}

/// No token is two people's, or twice one's.
pub(super) fn check_unused(view: &View, token: Digest) -> Result<(), Refusal> {
    let is_used = view.people.values().any(|known| known.token == token)
        || view.tokens.by_digest(&token).is_some()
        || view.tokens.first.is_some_and(|first| first.token == token);
    if is_used {
        return Err(Refusal::new("this token is another person's").hint("two people have two tokens"));
    }
    Ok(())
}

//----------- The first admin --------------------------------------------------------------------------------------

const NEXT_FIRST: &str =
    "as long as there is no admin who was enrolled by one, each start of `bailiwick serve` prints a new one";

/// The program makes one where nobody vouches for anybody; it takes the place of one that nobody used. An admin whom the
/// machine's user enrolled is in nobody's way: such an admin vouches for nobody.
pub(super) fn make_first(view: &View, token: Digest, actor: &Actor) -> Result<Decision, Refusal> {
    if view.has_voucher() {
        return Err(Refusal::new("the first admin is enrolled already: there is no other first one"));
    }
    check_unused(view, token)?;
    Ok(Decision::of(actor, Body::FirstTokenMade { token }, Done::Recorded))
}

pub(super) fn enrol_first(
    view: &View,
    person: &Person,
    first: Digest,
    (actor, now): (&Actor, Timestamp),
) -> Result<Decision, Refusal> {
    let known = view.tokens.first.filter(|known| known.token == first && !view.has_voucher());
    let Some(known) = known else {
        return Err(
            Refusal::new("the one-time token shown is not the one of the last start, or it is spent").hint(NEXT_FIRST)
        );
    };
    if now >= known.expires() {
        return Err(Refusal::new(format!("the one-time token expired at {}", known.expires())).hint(NEXT_FIRST));
    }
    if !person.roles.contains(&Role::Admin) || person.fixture {
        return Err(Refusal::new("the one-time token enrols a real admin, and nobody else").hint("say `--role admin`"));
    }
    check_new(view, person)?;
    let id = &person.id;
    let mut decision = Decision::of(
        actor,
        Body::PersonEnrolled { person: person.clone() },
        Done::PersonEnrolled { person: id.clone() },
    );
    decision.drafts.push(Draft::new(actor.clone(), Body::FirstTokenSpent { person: id.clone() }));
    Ok(decision)
}

//----------- Fewer roles ------------------------------------------------------------------------------------------

/// What a token with some of a person's roles may ask for. Most commands take a role that works on cases.
pub(super) fn check_narrowed(command: &Command, roles: &BTreeSet<Role>) -> Result<(), Refusal> {
    let has = |any_of: &[Role]| any_of.iter().any(|role| roles.contains(role));
    let works = roles.iter().any(|role| !matches!(role, Role::Partner | Role::Auditor));
    let may = match command {
        Command::GiveApproval { role, .. } => has(&[*role]),
        Command::DecideWarnings { .. } | Command::ConfirmDate { .. } | Command::NoteObjection { .. } => {
            has(&[Role::Legal])
        }
        Command::EnrolPerson { .. } | Command::EnrolFirst { .. } => has(&[Role::Admin]),
        Command::OfferEnrolment { .. }
        | Command::WithdrawOffer { .. }
        | Command::EnrolSensor { .. }
        | Command::RevokeSensor { .. } => has(&[Role::Admin, Role::Operator]),
        Command::IssueToken { .. } | Command::RevokeToken { .. } | Command::MakeFirstToken { .. } => false,
        Command::RecordExport { .. } | Command::Refuse { .. } => true,
        Command::KeepWatch
        | Command::ImportCase { .. }
        | Command::RequestApproval { .. }
        | Command::RequestUnsealing { .. }
        | Command::AdvanceCase { .. }
        | Command::AmendOrder { .. }
        | Command::WithdrawAmendment { .. }
        | Command::FilePaper { .. }
        | Command::NarrowService { .. }
        | Command::CaptureRecords { .. }
        | Command::RecordVerification { .. }
        | Command::AttestCheck { .. }
        | Command::KeepExhibit { .. }
        | Command::StampExhibit { .. }
        | Command::MakeReport { .. }
        | Command::NoteSending { .. }
        | Command::NoteAnswer { .. }
        | Command::RecordLeaving { .. }
        | Command::RecordReturn { .. }
        | Command::StepReversePlan { .. }
        | Command::ImportKnowledge { .. }
        | Command::PlaceHold { .. }
        | Command::RequestRelease { .. }
        | Command::RecordBackup { .. }
        | Command::AddMember { .. }
        | Command::RemoveMember { .. }
        | Command::RecordGate { .. }
        | Command::ConfirmNarrowing { .. }
        | Command::ProposeDate { .. }
        | Command::AcknowledgeAlarm { .. }
        | Command::TakeObservations { .. }
        | Command::TakeCertificates { .. }
        | Command::HoldPostMortem { .. }
        | Command::RecordAppendix { .. }
        | Command::Dispatch { .. }
        | Command::Acknowledge { .. } => works,
    };
    if may {
        return Ok(());
    }
    let held: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    Err(Refusal::new(format!("the token shown acts as {} only", held.join(", ")))
        .hint("act with the token by which you were enrolled, or make one with the role that this takes"))
}
