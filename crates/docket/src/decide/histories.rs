//! Thousands of random histories: whatever random people try in whatever order, no name is served without two people
//! in two roles, and every step that the law forbids is refused. The law is written down here a second time, naively.

use model::id::RequestId;
use model::name::DomainName;
use model::order::OrderStatus;
use model::person::Role;
use model::seizure::ServiceMode;
use proptest::prelude::*;

use super::book::*;
use super::*;
use model::approval::Widening;

const PEOPLE: [&str; 5] = ["ann", "ben", "cat", "dan", "eve"];

/// Something that somebody tries.
#[derive(Clone, Debug)]
enum Step {
    Enrol { who: usize, roles: Vec<Role>, fixture: bool },
    Import { real: bool },
    Ask { real: bool },
    Yes { who: Option<usize>, request: usize, role: Role, honest: bool },
    Narrow { who: Option<usize>, real: bool, mode: ServiceMode },
}

/// A beginning in which something can happen, then anything. Approving roles come up more often than the others.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let approving = [Role::Investigator, Role::Legal, Role::Operator];
    let role = move || prop_oneof![6 => proptest::sample::select(approving.to_vec()), 1 => proptest::sample::select(&Role::ALL[..])];
    let who = || proptest::option::weighted(0.95, 0..PEOPLE.len());
    let mode = proptest::sample::select(&[ServiceMode::Collect, ServiceMode::Hold, ServiceMode::Handback][..]);
    let enrol = move || {
        (0..PEOPLE.len(), proptest::collection::vec(role(), 1..4), proptest::bool::weighted(0.2))
            .prop_map(|(who, roles, fixture)| Step::Enrol { who, roles, fixture })
    };
    let step = prop_oneof![
        2 => enrol(),
        1 => any::<bool>().prop_map(|real| Step::Import { real }),
        1 => any::<bool>().prop_map(|real| Step::Ask { real }),
        16 => (who(), 0..5usize, role(), proptest::bool::weighted(0.95))
            .prop_map(|(who, request, role, honest)| Step::Yes { who, request, role, honest }),
        1 => (who(), any::<bool>(), mode).prop_map(|(who, real, mode)| Step::Narrow { who, real, mode }),
    ];
    (any::<bool>(), proptest::collection::vec(enrol(), 0..8), proptest::collection::vec(step, 0..80)).prop_map(
        |(real, enrolled, tried)| {
            let begin = [Step::Import { real }, Step::Ask { real }];
            enrolled.into_iter().chain(begin).chain(tried).collect()
        },
    )
}

fn case_of(real: bool) -> (&'static str, &'static str) {
    if real { ("real", "civil-tro") } else { ("rehearsal", "exercise") }
}

fn actor(who: Option<usize>) -> Actor {
    who.map_or(someone(), |who| as_person(PEOPLE[who]))
}

/// The request that a number in a step stands for, or one that is nobody's.
fn request(book: &Book, nth: usize) -> RequestId {
    book.view.approvals.iter().nth(nth).map_or(RequestId(9_999), |standing| standing.request.id)
}

fn command(book: &Book, step: &Step) -> (Command, Actor) {
    match step {
        Step::Enrol { who, roles, fixture } => {
            (Command::EnrolPerson { person: person(PEOPLE[*who], roles, *fixture) }, someone())
        }
        Step::Import { real } => {
            let (id, instrument) = case_of(*real);
            let names = format!("-{id}.example");
            (import(&text(id, instrument).replace("-harbour.example", &names)), someone())
        }
        Step::Ask { real } => (Command::RequestApproval { case: case(case_of(*real).0) }, someone()),
        Step::Yes { who, request: nth, role, honest } => {
            let request = request(book, *nth);
            let shown = if *honest { book.shown(request) } else { model::Digest::of_bytes(b"something else") };
            (Command::GiveApproval { request, role: *role, shown }, actor(*who))
        }
        Step::Narrow { who, real, mode } => {
            let (case, mode) = (case(case_of(*real).0), *mode);
            (
                Command::NarrowService { case, names: Vec::new(), mode, reason: "because".into(), disarm: false },
                actor(*who),
            )
        }
    }
}

/// The law for a yes, a second time.
fn yes_is_legal(book: &Book, who: Option<usize>, id: RequestId, role: Role, honest: bool) -> bool {
    let Some(standing) = book.view.approvals.get(id) else { return false };
    let Some(person) = who.and_then(|who| book.view.people.values().find(|p| p.id.as_str() == PEOPLE[who])) else {
        return false;
    };
    let others = || standing.given.iter();
    let in_force = || {
        let case = &book.view.cases[&standing.request.case];
        case.orders.values().all(|order| order.status() == OrderStatus::InForce)
    };
    let second_of_serve = matches!(standing.request.what, Widening::Serve(_)) && standing.given.len() == 1;
    honest
        && standing.given.len() < 2
        && person.roles.contains(&role)
        && [Role::Investigator, Role::Legal, Role::Operator].contains(&role)
        && (!person.fixture || standing.request.case.as_str() == "rehearsal")
        && others().all(|other| other.person != person.id && other.role != role)
        && (!second_of_serve || in_force())
}

/// Served means: two requests granted, each by two people in two roles that they hold, none of them a demo's if real.
fn check_served(book: &Book) -> Result<(), TestCaseError> {
    for case in book.view.cases.values() {
        let served: Vec<&DomainName> =
            case.names.iter().filter(|(_, known)| known.mode.is_some()).map(|(name, _)| name).collect();
        if served.is_empty() {
            continue;
        }
        for standing in book.view.approvals.iter().filter(|standing| standing.request.case == case.terms.id) {
            let [one, two] = &standing.given[..] else {
                return Err(TestCaseError::fail(format!("{served:?} served with {standing:?}")));
            };
            prop_assert!(one.person != two.person && one.role != two.role);
            for yes in [one, two] {
                let person = &book.view.people[&yes.person];
                prop_assert!(person.roles.contains(&yes.role) && yes.role.may_approve());
                prop_assert!(!person.fixture || case.terms.id.as_str() == "rehearsal");
            }
        }
        let held = DomainName::parse(&format!("held-{}.example", case.terms.id)).unwrap();
        prop_assert_eq!(case.names.get(&held).unwrap().mode, None);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nothing_is_served_without_two_people_in_two_roles(steps in steps()) {
        let mut book = Book::default();
        for step in &steps {
            let (command, actor) = command(&book, step);
            let legal = match step {
                Step::Yes { who, request: nth, role, honest } => {
                    Some(yes_is_legal(&book, *who, request(&book, *nth), *role, *honest))
                }
                Step::Narrow { who: None, .. } => Some(false),
                Step::Narrow { mode: ServiceMode::Collect, .. } => Some(false),
                _ => None,
            };
            let facts = book.facts.len();
            let outcome = book.execute(&command, &actor);
            if let Some(legal) = legal {
                prop_assert_eq!(outcome.is_ok(), legal, "{:?}: {:?}", step, outcome);
            }
            prop_assert!(outcome.is_ok() || book.facts.len() == facts, "a refusal changes nothing");
            check_served(&book)?;
        }
        prop_assert!(book.view.without_effect.is_empty());
    }
}

/// The histories above would prove little if none of them ever got anywhere.
#[test]
fn some_histories_do_get_to_served() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let served = (0..400).filter(|_| {
        let mut book = Book::default();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            let (command, actor) = command(&book, &step);
            let _ = book.execute(&command, &actor);
        }
        book.view.cases.values().any(|case| case.names.values().any(|name| name.mode.is_some()))
    });
    assert!(served.count() >= 3);
}
