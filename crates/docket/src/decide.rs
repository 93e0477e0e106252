//! The law in action: what a command may change, as facts to append, or the refusal with what to do about it.
//!
//! Everything here is a function of the view, the command, who asks, and `now`. Nothing is written; [`crate::run`]
//! appends the drafts at the position that the view stood at, and decides again if somebody was faster.
//!
//! Three rules hold over all commands. What widens takes two people in two roles, before ([`approve`]). What narrows
//! takes one person, at once ([`narrow`]). The user of the machine may prepare, and may not act in a person's place.

use std::collections::BTreeSet;

use model::Digest;
use model::Refusal;
use model::Timestamp;
use model::due::Rule;
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId, PersonId, Position, RequestId, SensorId, SensorName};
use model::moment::PaperTime;
use model::person::{Person, Role};
use model::seizure::ServiceMode;
use model::time::Date;
use store::ledger::NamedSet;
use store::view::{CaseView, View};

use crate::casefile::CaseFile;
use crate::command::Command;

mod amend;
mod approve;
mod capture;
mod evidence;
mod execution;
pub(crate) mod gate;
mod leaving;
mod narrow;
mod people;
mod returning;
mod sensors;
mod step;
mod tokens;
mod verified;
mod watch;

pub use evidence::{EXHIBIT_OCTETS_MAX, EXHIBITS_MAX, TOKEN_OCTETS_MAX};
pub use step::PAPER_OCTETS_MAX;
pub use tokens::TOKEN_DAYS_MAX;
pub use verified::{DOCUMENT_OCTETS_MAX, may_verify};

/// The most octets of one piece of imported knowledge: ATT&CK's enterprise bundle has 50 MB.
pub const KNOWLEDGE_OCTETS_MAX: usize = 128 << 20;
/// The longest reason, source or title that a fact carries.
pub const TEXT_OCTETS_MAX: usize = 1_000;

//----------- Decision ---------------------------------------------------------------------------------------------

/// What a command changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Facts, in order; none where everything is as wanted already.
    pub drafts: Vec<Draft>,
    /// Sets of names that the facts speak of by digest.
    pub named_sets: Vec<NamedSet>,
    pub done: Done,
}

/// What came of it, for whoever asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Done {
    CaseOpened {
        case: CaseId,
        names: usize,
    },
    /// The same file was imported before: nothing changed.
    CaseKnown {
        case: CaseId,
    },
    PersonEnrolled {
        person: PersonId,
    },
    ApprovalAsked {
        requests: Vec<RequestId>,
    },
    /// One yes is there; the second is another person's, in another role.
    HalfApproved {
        request: RequestId,
    },
    OrderInForce {
        request: RequestId,
        order: OrderId,
    },
    NamesServed {
        request: RequestId,
        order: OrderId,
        names: u64,
    },
    OrderUnsealed {
        request: RequestId,
        order: OrderId,
    },
    CaseAdvanced {
        case: CaseId,
    },
    /// The difference waits for two people: the version before stands until then.
    AmendmentProposed {
        order: OrderId,
        version: u32,
        request: RequestId,
    },
    OrderAmended {
        request: Option<RequestId>,
        order: OrderId,
        version: u32,
        added: usize,
        removed: usize,
        /// How many of those that left are answered with their owner's records now.
        handed_back: usize,
        /// How many are answered neutrally, because nobody kept such records, or because they are kill switches.
        held: usize,
        /// The order was in force.
        binds: bool,
    },
    ObjectionNoted {
        order: OrderId,
        version: u32,
        objected: bool,
    },
    AmendmentWithdrawn {
        order: OrderId,
        version: u32,
    },
    ServiceNarrowed {
        case: CaseId,
        names: usize,
        mode: ServiceMode,
        /// How many go back without records of their owner: they are answered with SOA and NS only.
        without_records: usize,
        /// Kill switches that were left as they are, because nobody said to disarm them.
        left_armed: usize,
    },
    NamesReturned {
        names: usize,
    },
    /// Nothing of the case is purged; the hold is named by its position.
    HoldPlaced {
        hold: Position,
    },
    HoldReleased {
        case: CaseId,
        hold: Position,
    },
    RecordsCaptured {
        /// False where the same file stood there before: then nothing changed.
        new: bool,
    },
    KnowledgeImported {
        objects: u64,
    },
    MembersChanged {
        case: CaseId,
    },
    PaperFiled {
        paper: model::paper::Paper,
    },
    /// So many names of an actor moved on.
    NamesMoved {
        names: usize,
    },
    SensorEnrolled {
        sensor: SensorId,
        name: SensorName,
    },
    /// The gate ran; the run is named by its position.
    GateRecorded {
        run: Position,
    },
    WarningsDecided {
        case: CaseId,
        kind: model::gate::WarningKind,
    },
    VerificationRecorded,
    CheckAttested {
        document: Digest,
    },
    NarrowingsConfirmed {
        narrowings: Vec<Position>,
    },
    DateProposed {
        date: Date,
        by: Rule,
    },
    DateConfirmed {
        date: PaperTime,
    },
    /// Alarms that came and went by what was seen; `left` will be raised by the next look.
    Watched {
        raised: usize,
        cleared: usize,
        left: usize,
    },
    ExhibitKept {
        number: u32,
        /// False where the very same was kept before: then nothing changed.
        new: bool,
    },
    ExhibitStamped {
        number: u32,
        at: Timestamp,
    },
    ReportMade {
        number: u32,
    },
    Recorded,
}

impl Decision {
    fn of(actor: &Actor, body: Body, done: Done) -> Self {
        Self { drafts: vec![Draft::new(actor.clone(), body)], named_sets: Vec::new(), done }
    }
}

/// The same for whoever shows a token that has only some of a person's roles.
pub fn decide_as(
    view: &View,
    command: &Command,
    actor: &Actor,
    roles: Option<&BTreeSet<Role>>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    people::check_seen(view, command, actor, now)?;
    roles.map_or(Ok(()), |roles| tokens::check_narrowed(command, roles))?;
    decide(view, command, actor, now)
}

/// What `command`, asked by `actor`, changes in what stands.
pub fn decide(view: &View, command: &Command, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    people::check_seen(view, command, actor, now)?;
    match command {
        Command::ImportCase { file, .. } => import_case(view, file, actor, now),
        Command::EnrolPerson { person } => enrol(view, person, actor),
        Command::RequestApproval { case } => approve::ask(view, case, actor, now),
        Command::RequestUnsealing { case } => approve::ask_to_unseal(view, case, actor, now),
        Command::GiveApproval { request, role, shown } => approve::give(view, *request, *role, *shown, actor, now),
        Command::AdvanceCase { case, to, documents } => step::advance(view, (case, *to), documents, actor, now),
        Command::AmendOrder { case, file, .. } => amend::bring(view, case, file, actor, now),
        Command::NoteObjection { case, order, objected, note } => {
            amend::monitor(view, case, (order, *objected), note, actor)
        }
        Command::WithdrawAmendment { case, order, reason } => amend::withdraw(view, case, order, reason, actor),
        Command::FilePaper { case, kind, octets } => step::file(view, (case, *kind), octets, actor),
        Command::NarrowService { case, names, mode, reason, disarm } => {
            narrow::service(view, case, names, (*mode, *disarm, now), reason, actor)
        }
        Command::CaptureRecords { case, name, source, octets, count } => {
            capture::records(view, (case, name), source, (octets, *count), actor)
        }
        Command::RecordVerification { case, order, reports, looked, attested, octets } => {
            let touched = verified::Touched { looked, attested: attested.as_ref() };
            verified::record(view, (case, order), reports, touched, octets, (actor, now))
        }
        Command::AttestCheck { case, name, check, last, octets } => {
            verified::attest(view, case, (name, *check), *last, octets, actor)
        }
        Command::KeepExhibit { case, exhibit, octets } => evidence::keep(view, case, exhibit, octets, (actor, now)),
        Command::StampExhibit { case, exhibit, authority, octets } => {
            evidence::stamp(view, (case, *exhibit), authority, octets, actor)
        }
        Command::MakeReport { case, report, letter, xarf } => {
            evidence::make_report(view, case, report, (letter, xarf), (actor, now))
        }
        Command::NoteSending { case, report, sending, message } => {
            evidence::note_sending(view, (case, *report), sending, message.as_deref(), actor)
        }
        Command::NoteAnswer { case, report, to, note, exhibit } => {
            evidence::note_answer(view, (case, *report), (*to, note, *exhibit), actor)
        }
        Command::OfferEnrolment { name, token, expires } => sensors::offer(view, name, (*token, *expires), actor, now),
        Command::EnrolSensor { token, certificate } => sensors::enrol(view, *token, *certificate, actor, now),
        Command::WithdrawOffer { name } => sensors::withdraw(view, name, actor, now),
        Command::RevokeSensor { sensor, reason } => sensors::revoke(view, *sensor, reason, actor),
        Command::ImportKnowledge { group, format, source, octets, objects } => {
            may_prepare(view, actor)?;
            check_text("source", source)?;
            check_knowledge(octets, *objects)?;
            let (group, source, file) = (group.clone(), source.clone(), Digest::of_bytes(octets));
            let body = Body::KnowledgeImported { group, format: *format, source, file, objects: *objects };
            Ok(Decision::of(actor, body, Done::KnowledgeImported { objects: *objects }))
        }
        Command::RecordExport { case, order, format, audience, digest, octets } => {
            known_case(view, case)?;
            let (format, octets) = (format.clone(), *octets);
            let body = Body::FeedExported { format, audience: *audience, digest: *digest, octets };
            let mut decision = Decision::of(actor, body, Done::Recorded);
            decision.drafts.iter_mut().for_each(|draft| draft.authority.clone_from(order));
            Ok(decision)
        }
        Command::RecordLeaving { case, folder } => leaving::record(view, case, folder, (actor, now)),
        Command::PlaceHold { case, reason } => {
            working_on(view, case, actor)?;
            check_text("reason", reason)?;
            let body = Body::HoldPlaced { case: case.clone(), reason: reason.trim().to_owned() };
            Ok(Decision::of(actor, body, Done::HoldPlaced { hold: view.next }))
        }
        Command::RequestRelease { case, hold } => approve::ask_to_release(view, case, *hold, actor),
        Command::RecordBackup { backup, facts, files, octets } => {
            let (backup, facts, files, octets) = (*backup, *facts, *files, *octets);
            Ok(Decision::of(actor, Body::BackupTaken { backup, facts, files, octets }, Done::Recorded))
        }
        Command::IssueToken { token } => tokens::issue(view, token, actor, now),
        Command::RevokeToken { person, token } => tokens::revoke(view, person, token, actor),
        Command::MakeFirstToken { token } => tokens::make_first(view, *token, actor),
        Command::EnrolFirst { person, first } => tokens::enrol_first(view, person, *first, (actor, now)),
        Command::AddMember { case, person } => people::add(view, case, person, actor),
        Command::RemoveMember { case, person } => people::remove(view, case, person, actor),
        Command::RecordGate { run, report } => gate::record(view, run, report, actor),
        Command::DecideWarnings { case, run, kind, names, choice, reason } => {
            gate::warnings(view, (case, *run, *kind), names, (*choice, reason), actor)
        }
        Command::KeepWatch => watch::keep(view, actor, now),
        Command::ConfirmNarrowing { case, narrowing, note } => {
            watch::confirm(view, case, *narrowing, note.as_deref(), actor)
        }
        Command::ProposeDate { case, order, what, by } => watch::propose(view, case, (order, what), *by, actor),
        Command::ConfirmDate { case, order, what, date, note } => {
            watch::confirm_date(view, case, (order, what), (*date, note.as_deref()), actor)
        }
        Command::AcknowledgeAlarm { alarm, note } => watch::acknowledge(view, *alarm, note, actor),
        Command::TakeObservations { taking, octets } => watch::take(view, taking, octets, actor, now),
        Command::TakeCertificates { case, certificates, octets } => {
            watch::take_certificates(view, case, (certificates, octets), actor, now)
        }
        Command::HoldPostMortem { case, days, octets } => watch::look_back(view, case, *days, octets, actor),
        Command::RecordAppendix { case, appendix } => execution::compiled(view, case, appendix, actor),
        Command::Dispatch { case, dispatch, names } => execution::dispatch(view, case, (dispatch, names), actor, now),
        Command::Acknowledge { case, answer, names } => execution::acknowledge(view, case, (answer, names), actor),
        Command::RecordReturn { case, returned, .. } => returning::record(view, case, returned, actor),
        Command::StepReversePlan { case, step } => returning::step(view, case, step, actor, now),
        Command::Refuse { tried, why } => {
            let body = Body::Refused { tried: cut(tried), why: cut(why) };
            Ok(Decision::of(actor, body, Done::Recorded))
        }
    }
}

fn check_knowledge(octets: &[u8], objects: u64) -> Result<(), Refusal> {
    if octets.len() > KNOWLEDGE_OCTETS_MAX {
        return Err(Refusal::new(format!("knowledge of {} octets is more than {KNOWLEDGE_OCTETS_MAX}", octets.len())));
    }
    if objects == 0 {
        return Err(Refusal::new("the file holds no object that we read")
            .hint("a STIX 2.0 or 2.1 bundle or a MISP galaxy cluster is wanted"));
    }
    Ok(())
}

//----------- Who may ----------------------------------------------------------------------------------------------

fn acting_person<'v>(view: &'v View, actor: &Actor) -> Result<&'v Person, Refusal> {
    let hint = "act with your token (`--token-file`)";
    let Actor::Person { id } = actor else {
        return Err(Refusal::new("this takes a person, and no person's token was shown").hint(hint));
    };
    view.people.get(id).ok_or_else(|| Refusal::new(format!("{id} is not enrolled")).hint(hint))
}

/// A person who works on cases: anybody but partners and auditors, who only read.
fn working_person<'v>(view: &'v View, actor: &Actor) -> Result<&'v Person, Refusal> {
    let person = acting_person(view, actor)?;
    if person.roles.iter().all(|role| matches!(role, Role::Partner | Role::Auditor)) {
        return Err(Refusal::new(format!("{} may read and not act", person.id)));
    }
    Ok(person)
}

/// A person who works on this case. Anybody may know the token of a demo's person, so they touch exercises only.
fn working_on<'v>(view: &'v View, id: &CaseId, actor: &Actor) -> Result<&'v CaseView, Refusal> {
    let person = working_person(view, actor)?;
    let case = known_case(view, id)?;
    let is_exercise = case.orders.values().all(|order| order.terms().authority.is_exercise());
    if person.fixture && !is_exercise {
        return Err(Refusal::new(format!("{} is a demo's person and case {id} is no exercise", person.id))
            .hint("enrol real people with `bailiwick person add`"));
    }
    Ok(case)
}

/// Drafts bind nobody: the machine's user and the program itself may prepare them, and so may whoever works on cases.
fn may_prepare(view: &View, actor: &Actor) -> Result<(), Refusal> {
    match actor {
        Actor::LocalUser { .. } | Actor::Room { .. } => Ok(()),
        Actor::Person { .. } => working_person(view, actor).map(drop),
    }
}

//----------- Cases and people -------------------------------------------------------------------------------------

fn known_case<'v>(view: &'v View, case: &CaseId) -> Result<&'v CaseView, Refusal> {
    view.cases.get(case).ok_or_else(|| people::no_case(case))
}

fn import_case(view: &View, file: &CaseFile, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    let id = &file.terms.id;
    if let Some(known) = view.cases.get(id) {
        if !known.is_seen_by(actor, now) {
            return Err(taken(&format!("the id {id}")));
        }
        if known.file == file.digest {
            let done = Done::CaseKnown { case: id.clone() };
            return Ok(Decision { drafts: Vec::new(), named_sets: Vec::new(), done });
        }
        return Err(Refusal::new(format!("case {id} is here with other content (file {})", known.file.short()))
            .hint("a case is not overwritten: give the new file an id of its own"));
    }
    for order in &file.orders {
        let same = |case: &&CaseView| case.orders.contains_key(&order.terms.id);
        if let Some(other) = view.cases.values().find(same) {
            if !other.is_seen_by(actor, now) {
                return Err(taken(&format!("the order id {}", order.terms.id)));
            }
            return Err(Refusal::new(format!("order {} belongs to case {} already", order.terms.id, other.terms.id))
                .hint("give the order an id of its own"));
        }
    }
    for order in &file.orders {
        crate::authority::check_order(&order.terms, order.names())?;
        crate::authority::check_nested(&order.terms.id, order.names(), |_| true)?;
    }
    let opened = Body::CaseOpened { case: Box::new(file.terms.clone()), file: file.digest };
    let done = Done::CaseOpened { case: id.clone(), names: file.name_count() };
    let mut decision = Decision::of(actor, opened, done);
    for order in &file.orders {
        let set = &order.set;
        let (names, count) = (set.digest(), set.count());
        let listed = Body::OrderListed { case: id.clone(), order: Box::new(order.terms.clone()), names, count };
        decision.drafts.push(Draft::new(actor.clone(), listed).under(&order.terms.id));
        decision.named_sets.push(set.clone());
    }
    Ok(decision)
}

/// An id is one for the whole ledger. Whoever may not see what has it learns that it is taken, and nothing else.
fn taken(what: &str) -> Refusal {
    Refusal::new(format!("{what} is taken")).hint("choose another")
}

/// The machine's user enrols people until there is an admin; from then on an admin does. Whoever descends from the machine's
/// user and not from the one-time token approves exercises only ([`View::vouches`]). A demo's admin counts for a
/// demo's people only: else whoever knows a public token could make two people who approve what is real.
fn enrol(view: &View, person: &Person, actor: &Actor) -> Result<Decision, Refusal> {
    let is_admin = |known: &Person| known.roles.contains(&Role::Admin) && (person.fixture || !known.fixture);
    let by_admin = matches!(actor, Actor::Person { id } if view.people.get(id).is_some_and(is_admin));
    if !by_admin && (matches!(actor, Actor::Person { .. }) || view.people.values().any(is_admin)) {
        return Err(Refusal::new("people are enrolled by an admin").hint("act with an admin's token"));
    }
    if view.tokens.first.is_some() && person.roles.contains(&Role::Admin) && !person.fixture && !by_admin {
        return Err(Refusal::new("the first admin is enrolled by the one-time token that the first start printed")
            .hint("put it into a file: `bailiwick person add PERSON --role admin --token-file FILE --first FILE`"));
    }
    check_new(view, person)?;
    let body = Body::PersonEnrolled { person: person.clone() };
    Ok(Decision::of(actor, body, Done::PersonEnrolled { person: person.id.clone() }))
}

/// Somebody who is not there yet, with a token and a role.
fn check_new(view: &View, person: &Person) -> Result<(), Refusal> {
    if view.people.contains_key(&person.id) {
        return Err(Refusal::new(format!("{} is enrolled already", person.id)).hint("choose another id"));
    }
    tokens::check_unused(view, person.token)?;
    if person.roles.is_empty() {
        let roles: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        return Err(Refusal::new(format!("{} has no role", person.id)).hint(format!("one of {}", roles.join(", "))));
    }
    Ok(())
}

//----------- Text -------------------------------------------------------------------------------------------------

fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(format!("no {what} was given")).hint(format!("say the {what} in a sentence")));
    }
    if text.len() > TEXT_OCTETS_MAX {
        return Err(Refusal::new(format!("the {what} has more than {TEXT_OCTETS_MAX} octets")));
    }
    Ok(())
}

/// As much of a text as a fact carries.
pub fn cut(text: &str) -> String {
    let end = (0..=TEXT_OCTETS_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}

/// Names as a set, so that none is acted on twice.
fn distinct<T: Ord + Clone>(all: &[T]) -> BTreeSet<T> {
    all.iter().cloned().collect()
}

#[cfg(test)]
pub(crate) mod book;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
