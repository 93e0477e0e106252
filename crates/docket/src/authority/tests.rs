use model::case::CaseState::{self, *};
use model::fact::Actor;
use model::id::PersonId;
use model::order::Instrument;
use model::paper::PaperKind;
use model::person::Role;

use super::*;
use crate::command::Command;
use crate::decide::book::*;

const INSTRUMENTS: [Instrument; 9] = [
    Instrument::CivilTro,
    Instrument::Injunction,
    Instrument::RegistrarAction,
    Instrument::ProsecutorOrder,
    Instrument::PoliceRequest,
    Instrument::CctldPolicy,
    Instrument::VoluntaryTransfer,
    Instrument::OwnRegistration,
    Instrument::Exercise,
];

fn alice() -> Actor {
    as_person("alice")
}

fn opened(instrument: &str) -> Book {
    let mut book = Book::default();
    let enrol = Command::EnrolPerson { person: person("alice", &[Role::Investigator], false) };
    book.execute(&enrol, &someone()).unwrap();
    book.execute(&import(&text("c-1", instrument)), &alice()).unwrap();
    book
}

fn advance(book: &mut Book, to: CaseState) -> Result<(), Refusal> {
    let command = Command::AdvanceCase { case: case("c-1"), to, documents: Vec::new() };
    book.execute(&command, &alice()).map(drop)
}

fn file(book: &mut Book, kind: PaperKind) {
    let octets = format!("the {kind}").into_bytes();
    book.execute(&Command::FilePaper { case: case("c-1"), kind, octets }, &alice()).unwrap();
}

#[test]
fn every_instrument_has_one_row_with_sources_and_papers_for_states_that_it_has() {
    for instrument in INSTRUMENTS {
        let rows: Vec<_> = TABLE.iter().filter(|row| row.instrument == instrument).collect();
        let [row] = rows[..] else { panic!("{instrument:?} has {} rows", rows.len()) };
        assert!(!row.sources.is_empty() && !row.outcomes.is_empty() && !row.acts.is_empty(), "{instrument:?}");
        for (state, _) in row.papers {
            assert!(row.states.contains(state), "{instrument:?} asks for papers to be {state:?} and is never so");
        }
    }
    assert_eq!(TABLE.len(), INSTRUMENTS.len());
}

#[test]
fn each_refusal_says_which_papers_are_missing() {
    let mut book = opened("civil-tro");
    advance(&mut book, Evidence).unwrap();
    let refusal = advance(&mut book, Filed).unwrap_err();
    assert_eq!(refusal.what, "case c-1 cannot be filed: not on file: complaint, motion, appendix, proposed-order");
    assert!(refusal.hint.unwrap().contains("--document complaint=FILE --document motion=FILE"));
    for kind in [PaperKind::Complaint, PaperKind::Motion, PaperKind::Appendix] {
        file(&mut book, kind);
    }
    assert_eq!(advance(&mut book, Filed).unwrap_err().what, "case c-1 cannot be filed: not on file: proposed-order");
    file(&mut book, PaperKind::ProposedOrder);
    advance(&mut book, Filed).unwrap();
    assert_eq!(advance(&mut book, Granted).unwrap_err().what, "case c-1 cannot be granted: not on file: order");
    file(&mut book, PaperKind::Order);
    advance(&mut book, Granted).unwrap();
    let later = advance(&mut book, Judgment).unwrap_err().what;
    assert_eq!(
        later, "case c-1 cannot be judgment: not on file: proof-of-service, judgment",
        "what is skipped is owed"
    );
    assert!(book.view.without_effect.is_empty());
}

#[test]
fn an_injunction_takes_an_order_of_its_own() {
    let mut book = opened("civil-tro");
    let all = [PaperKind::Complaint, PaperKind::Motion, PaperKind::Appendix, PaperKind::ProposedOrder];
    for kind in all.into_iter().chain([PaperKind::Order, PaperKind::ProofOfService]) {
        file(&mut book, kind);
    }
    for state in [Evidence, Filed] {
        advance(&mut book, state).unwrap();
    }
    let documents = vec![model::Digest::of_bytes(b"the order")];
    let naming = |to| Command::AdvanceCase { case: case("c-1"), to, documents: documents.clone() };
    book.execute(&naming(Granted), &alice()).unwrap();
    for state in [Executed, Unsealed, Served] {
        advance(&mut book, state).unwrap();
    }
    let refusal = book.execute(&naming(Injunction), &alice()).unwrap_err();
    assert_eq!(refusal.what, "case c-1 cannot be injunction: not on file: order");
    let injunction = Command::FilePaper { case: case("c-1"), kind: PaperKind::Order, octets: b"another".to_vec() };
    book.execute(&injunction, &alice()).unwrap();
    advance(&mut book, Injunction).unwrap();
}

#[test]
fn a_case_without_a_court_has_no_court_states_and_needs_the_registrars_answer() {
    let mut book = opened("registrar-action");
    for state in [Unsealed, Served, Injunction, Judgment] {
        let what = advance(&mut book, state).unwrap_err().what;
        assert_eq!(what, format!("a case under registrar-action is never {}", state_word(state)));
    }
    assert!(advance(&mut book, Filed).unwrap_err().what.ends_with("not on file: request, evidence-pack"));
    for kind in [PaperKind::Request, PaperKind::EvidencePack, PaperKind::Answer] {
        file(&mut book, kind);
    }
    for state in [Filed, Granted, Executed, Monitoring, Closed] {
        advance(&mut book, state).unwrap();
    }
}

#[test]
fn an_exercise_needs_no_paper_and_an_authority_expires_on_its_day() {
    let mut book = opened("exercise");
    for state in [Evidence, Review, Filed, Granted, Injunction] {
        advance(&mut book, state).unwrap();
    }
    let early = advance(&mut book, Expired).unwrap_err().what;
    assert_eq!(early, "case c-1 is not expired: its authority ends at 2026-03-29T21:00:00Z");
}

#[test]
fn an_order_that_lists_more_than_its_instrument_gives_is_not_taken_in() {
    let acts =
        text("c-1", "registrar-action").replacen("[[list]]", "[[list]]\nacts = [\"delegate\", \"accept-mail\"]", 1);
    let outcome = text("c-1", "own-registration").replace("outcome = \"hold\"", "outcome = \"delete\"");
    for (text, says) in [
        (acts, "lists login-harbour[.]example with the act accept-mail: a registrar-action does not give it"),
        (outcome, "lists held-harbour[.]example as delete: a own-registration does not give that"),
    ] {
        let refusal = Book::default().execute(&import(&text), &someone()).unwrap_err();
        assert!(refusal.what.contains(says), "{}", refusal.what);
        assert!(refusal.hint.unwrap().starts_with("see `bailiwick authority show "));
    }
}

#[test]
fn a_restraining_order_without_its_day_is_not_asked_for_and_the_day_by_the_rule_is_a_proposal() {
    let text = text("c-1", "civil-tro");
    let bare: String =
        text.lines().filter(|line| !line.starts_with("expires")).map(|line| line.to_owned() + "\n").collect();
    let mut book = Book::default();
    book.execute(&import(&bare), &someone()).unwrap();
    let refusal = book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap_err();
    assert_eq!(refusal.what, "order o-c-1 does not say `expires`");
    assert!(refusal.hint.unwrap().contains("2026-03-29 (at the time after entry"), "14 days after 15 March");
}

#[test]
fn a_paper_is_filed_by_a_person_once_and_has_an_end() {
    let mut book = opened("civil-tro");
    let wish =
        |octets: &[u8]| Command::FilePaper { case: case("c-1"), kind: PaperKind::Order, octets: octets.to_vec() };
    assert!(book.execute(&wish(b"signed"), &someone()).is_err());
    book.execute(&wish(b"signed"), &alice()).unwrap();
    let facts = book.facts.len();
    book.execute(&wish(b"signed"), &alice()).unwrap();
    assert_eq!(book.facts.len(), facts, "the same paper twice is one");
    assert!(book.execute(&wish(b""), &alice()).is_err());
    let nobody =
        Command::AdvanceCase { case: case("c-1"), to: Evidence, documents: vec![model::Digest::of_bytes(b"x")] };
    assert!(book.execute(&nobody, &alice()).unwrap_err().what.contains("is not on file in case c-1"));
    assert_eq!(PersonId::parse("alice").ok().map(|id| book.view.cases[&case("c-1")].members.contains(&id)), Some(true));
}
