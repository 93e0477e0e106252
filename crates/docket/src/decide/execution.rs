//! Execution day: what was compiled is remembered, and a person says what was sent and what was answered.
//!
//! Each saying moves the names of that actor, as far as their own machine allows: a name that was returned meanwhile, or has
//! been verified already, stays where it is.

use model::case::CaseState;
use model::execution::{Acknowledgement, Compilation, Dispatch};
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId};
use model::name::DomainName;
use model::seizure::Seizure;
use model::{Refusal, Timestamp};
use store::view::{CaseView, View};

use super::{Decision, Done, check_text, known_case, may_prepare, working_on};
use crate::shown::counted;

/// The most names in one fact: it stays below a megabyte.
const NAMES_PER_FACT_MAX: usize = 10_000;

pub(super) fn compiled(view: &View, case: &CaseId, appendix: &Compilation, actor: &Actor) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    known_case(view, case)?;
    let body = Body::AppendixCompiled { case: case.clone(), appendix: appendix.clone() };
    Ok(Decision::of(actor, body, Done::Recorded))
}

pub(super) fn dispatch(
    view: &View,
    id: &CaseId,
    (dispatch, names): (&Dispatch, &[DomainName]),
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    case.may_dispatch(dispatch)?;
    still_stands(case, &dispatch.order, now)?;
    fits_the_appendix(case, dispatch, now)?;
    let body = Body::Dispatched { case: id.clone(), dispatch: dispatch.clone() };
    Ok(moved(case, (body, &dispatch.order), names, Seizure::Sent, actor))
}

/// Whether the case and the order's authority have not ended.
fn still_stands(case: &CaseView, order: &OrderId, now: Timestamp) -> Result<(), Refusal> {
    if matches!(case.state, CaseState::Closed | CaseState::Denied | CaseState::Expired | CaseState::Vacated) {
        let state = format!("{:?}", case.state).to_lowercase();
        return Err(Refusal::new(format!("case {} is {state}: nothing is sent any more", case.terms.id)));
    }
    let until = case.orders.get(order).and_then(|order| order.terms().authority.expires.as_ref());
    match until.map(|until| until.value.at).filter(|until| *until <= now) {
        Some(until) => Err(Refusal::new(format!("the authority of order {order} ended at {until}"))
            .hint("nothing is sent without authority: import the order that renews it")),
        None => Ok(()),
    }
}

/// Whether what was sent can be what was compiled. Instants are typed to the second, and the ledger's are finer.
fn fits_the_appendix(case: &CaseView, dispatch: &Dispatch, now: Timestamp) -> Result<(), Refusal> {
    let Some((_, compiled)) = case.execution.appendix else { return Ok(()) };
    let (id, sent) = (&case.terms.id, dispatch.sent);
    if sent.as_second() < compiled.as_second() {
        return Err(Refusal::new(format!("it cannot have been sent at {sent}: it was compiled at {compiled}")));
    }
    let versions = case.amendments.of(&dispatch.order).into_iter().flat_map(|versions| &versions.history);
    if let Some(later) = versions.filter(|one| one.withdrawn.is_none()).find(|one| one.ended >= compiled) {
        let (order, version) = (&dispatch.order, later.terms.version);
        let what = format!("order {order} is at version {version} since {}, and the appendix is older", later.ended);
        return Err(Refusal::new(what).hint(format!("compile again: `bailiwick case appendix {id} --out DIR`")));
    }
    if sent > now {
        return Err(Refusal::new(format!("{sent} is not yet: say it when it is sent")));
    }
    let of_order = |name: &DomainName| case.names.get(name).is_some_and(|known| known.order == dispatch.order);
    let gone = case.returned.iter().filter(|(name, at)| **at >= compiled && of_order(name)).count();
    if gone > 0 {
        let what = format!("{} went back or off since the appendix was compiled, and it lists them", counted(gone));
        return Err(Refusal::new(what).hint(format!("compile again: `bailiwick case appendix {id} --out DIR`")));
    }
    Ok(())
}

pub(super) fn acknowledge(
    view: &View,
    id: &CaseId,
    (answer, names): (&Acknowledgement, &[DomainName]),
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("answer", &answer.said)?;
    case.may_acknowledge(answer)?;
    let body = Body::Acknowledged { case: id.clone(), answer: answer.clone() };
    let names = if answer.refused { &[] } else { names };
    Ok(moved(case, (body, &answer.order), names, Seizure::Acknowledged, actor))
}

/// The fact, and the moves of those names that may go there.
fn moved(
    case: &CaseView,
    (body, order): (Body, &OrderId),
    names: &[DomainName],
    to: Seizure,
    actor: &Actor,
) -> Decision {
    let may_move = |name: &&DomainName| {
        case.names.get(name).is_some_and(|known| known.order == *order && known.seizure.apply(to).is_ok())
    };
    let moving: Vec<DomainName> = names.iter().filter(may_move).cloned().collect();
    let mut drafts = vec![Draft::new(actor.clone(), body).under(order)];
    for names in moving.chunks(NAMES_PER_FACT_MAX) {
        let body = Body::SeizureMoved { case: case.terms.id.clone(), names: names.to_vec(), to };
        drafts.push(Draft::new(actor.clone(), body).under(order));
    }
    Decision { drafts, named_sets: Vec::new(), done: Done::NamesMoved { names: moving.len() } }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::Digest;
    use model::id::OrderId;
    use model::person::Role;

    use super::*;
    use crate::command::Command;
    use crate::decide::book::{Book, as_person, case, import, person, someone, text};

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    fn dispatch(order: &str, sent: &str) -> Command {
        let (order, actor) = (OrderId::parse(order).unwrap(), "us".to_owned());
        let (sent, manifest) = (sent.parse().unwrap(), Digest([1; 32]));
        let dispatch = Dispatch { order, actor, sent, due: "2026-03-22T12:00:00Z".parse().ok(), manifest, names: 2 };
        let names = vec![name("login-harbour.example"), name("held-harbour.example")];
        Command::Dispatch { case: case("harbour"), dispatch, names }
    }

    fn answer(answered: &str) -> Command {
        let (order, actor) = (OrderId::parse("o-harbour").unwrap(), "us".to_owned());
        let answer = Acknowledgement {
            order,
            actor,
            answered: answered.parse().unwrap(),
            said: "ticket 7".into(),
            refused: false,
        };
        Command::Acknowledge { case: case("harbour"), answer, names: vec![name("login-harbour.example")] }
    }

    fn compiled() -> Command {
        let appendix =
            Compilation { manifest: Digest([1; 32]), actors: Digest([2; 32]), names: 3, files: 5, octets: 9, open: 0 };
        Command::RecordAppendix { case: case("harbour"), appendix }
    }

    fn book() -> Book {
        let mut book = Book::default();
        book.execute(&import(&text("harbour", "civil-tro")), &someone()).unwrap();
        for (who, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
            book.execute(&Command::EnrolPerson { person: person(who, &[role], false) }, &someone()).unwrap();
        }
        book
    }

    fn put_in_force(book: &mut Book) {
        book.execute(&Command::RequestApproval { case: case("harbour") }, &as_person("alice")).unwrap();
        let open: Vec<_> = book.view.approvals.iter().filter(|s| s.is_open()).map(|s| s.request.id).collect();
        for request in open {
            for (who, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
                let shown = book.shown(request);
                book.execute(&Command::GiveApproval { request, role, shown }, &as_person(who)).unwrap();
            }
        }
    }

    #[test]
    fn nothing_is_sent_without_a_person_an_order_in_force_and_an_appendix() {
        let mut book = book();
        let refused = |book: &mut Book, command: &Command, actor: &Actor, why: &str| {
            let told = book.execute(command, actor).unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        };
        let sending = dispatch("o-harbour", "2026-03-20T12:00:00Z");
        refused(&mut book, &sending, &someone(), "takes a person");
        refused(&mut book, &sending, &as_person("alice"), "not in force");
        put_in_force(&mut book);
        refused(&mut book, &sending, &as_person("alice"), "does not stand");
        book.execute(&compiled(), &someone()).unwrap();
        refused(&mut book, &dispatch("other", "2026-03-20T12:00:00Z"), &as_person("alice"), "has no order");
        refused(&mut book, &answer("2026-03-20T13:00:00Z"), &as_person("alice"), "was sent nothing");
        for (sent, why) in [("2026-03-20T11:59:59Z", "it was compiled at"), ("2026-03-20T12:00:01Z", "is not yet")] {
            refused(&mut book, &dispatch("o-harbour", sent), &as_person("alice"), why);
        }
        book.execute(&sending, &as_person("alice")).unwrap();
        refused(&mut book, &sending, &as_person("alice"), "was sent the names");
        refused(&mut book, &answer("2026-03-20T11:00:00Z"), &as_person("alice"), "cannot have answered");
    }

    #[test]
    fn nothing_is_sent_of_a_case_or_an_authority_that_ended_or_that_lists_a_name_that_went_back() {
        let mut book = book();
        put_in_force(&mut book);
        book.execute(&compiled(), &someone()).unwrap();
        let (id, order) = (case("harbour"), OrderId::parse("o-harbour").unwrap());
        let mut known = book.view.cases[&id].clone();
        let day = |text: &str| text.parse::<Timestamp>().unwrap();
        still_stands(&known, &order, day("2026-03-29T20:59:59Z")).unwrap();
        assert!(still_stands(&known, &order, day("2026-03-29T21:00:00Z")).unwrap_err().what.contains("ended at"));
        known.state = CaseState::Vacated;
        assert!(still_stands(&known, &order, day("2026-03-20T12:00:00Z")).is_err());
        let Command::Dispatch { dispatch, .. } = dispatch("o-harbour", "2026-03-20T12:00:00Z") else { unreachable!() };
        fits_the_appendix(&known, &dispatch, dispatch.sent).unwrap();
        known.returned.insert(name("login-harbour.example"), dispatch.sent);
        let told = fits_the_appendix(&known, &dispatch, dispatch.sent).unwrap_err();
        assert!(told.hint.unwrap().contains("compile again"));
    }

    #[test]
    fn what_is_said_moves_the_names_of_that_actor_and_no_others() {
        let mut book = book();
        put_in_force(&mut book);
        book.execute(&compiled(), &someone()).unwrap();
        let done = book.execute(&dispatch("o-harbour", "2026-03-20T12:00:00Z"), &as_person("alice")).unwrap();
        assert_eq!(done, Done::NamesMoved { names: 2 });
        let at = |book: &Book, text: &str| book.view.cases[&case("harbour")].names.get(&name(text)).unwrap().seizure;
        assert_eq!(at(&book, "login-harbour.example"), Seizure::Sent);
        assert_eq!(at(&book, "mail-harbour.example"), Seizure::Ordered);
        let sent = &book.view.cases[&case("harbour")].execution.dispatches
            [&(OrderId::parse("o-harbour").unwrap(), "us".into())];
        assert!(
            !sent.is_late("2026-03-22T11:59:00Z".parse().unwrap())
                && sent.is_late("2026-03-22T12:01:00Z".parse().unwrap())
        );
        book.execute(&answer("2026-03-20T13:00:00Z"), &as_person("bob")).unwrap();
        assert_eq!(at(&book, "login-harbour.example"), Seizure::Acknowledged);
        assert_eq!(at(&book, "held-harbour.example"), Seizure::Sent);
        assert!(book.execute(&answer("2026-03-20T14:00:00Z"), &as_person("bob")).is_err());
        let kinds: BTreeSet<_> = book.view.without_effect.iter().map(|(at, _)| *at).collect();
        assert!(kinds.is_empty(), "every fact folds: {kinds:?}");
    }
}
