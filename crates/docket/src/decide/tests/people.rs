//! Who is on a case and who sees it; tokens for programs; the first admin.

use super::*;
use crate::decide::decide_as;

//----------- Who is on a case -------------------------------------------------------------------------------------

fn sealed() -> String {
    text("c-1", "civil-tro")
        .replace("expires =", "sealed_until = { value = 2099-01-01, source = \"the paper\" }\nexpires =")
}

/// Every command about a case, said of the one that is asked for.
fn all_about(id: &str, request: RequestId) -> Vec<Command> {
    let (case, reason) = (case(id), "because".to_owned());
    let name = name("login-harbour.example");
    vec![
        Command::RequestApproval { case: case.clone() },
        Command::RequestUnsealing { case: case.clone() },
        Command::AdvanceCase { case: case.clone(), to: model::case::CaseState::Evidence, documents: Vec::new() },
        Command::NarrowService {
            case: case.clone(),
            names: vec![name.clone()],
            mode: ServiceMode::Hold,
            reason: reason.clone(),
            disarm: false,
        },
        Command::CaptureRecords { case: case.clone(), name, source: "x".into(), octets: b"x".to_vec(), count: 1 },
        Command::PlaceHold { case: case.clone(), reason },
        Command::RequestRelease { case: case.clone(), hold: Position(0) },
        Command::AddMember { case: case.clone(), person: PersonId::parse("carol").unwrap() },
        Command::RemoveMember { case: case.clone(), person: PersonId::parse("alice").unwrap() },
        Command::RecordLeaving { case, folder: leaving() },
        Command::GiveApproval { request, role: Role::Investigator, shown: model::Digest::of_bytes(b"x") },
    ]
}

fn leaving() -> model::leaving::Leaving {
    let (what, manifest) = (model::leaving::LeavingKind::Case, model::Digest::of_bytes(b"list"));
    model::leaving::Leaving { what, manifest, files: 40, octets: 9_000, facts: Some(20) }
}

#[test]
fn a_folder_leaves_with_anybody_who_works_on_the_case_and_under_seal_only_with_a_name() {
    let command = Command::RecordLeaving { case: case("c-1"), folder: leaving() };
    let mut open = served_by(&text("c-1", "civil-tro"));
    let changed = open.view.cases[&case("c-1")].changed;
    open.execute(&command, &someone()).unwrap();
    open.execute(&command, &as_person("alice")).unwrap();
    let known = &open.view.cases[&case("c-1")];
    assert_eq!((known.left.len(), known.left[1].by.clone()), (2, as_person("alice")));
    assert_eq!(known.changed, changed, "unchanged data gives unchanged feeds");
    let mut sealed = served_by(&sealed());
    let told = refused(&mut sealed, &command, &someone());
    assert!(told.what.contains("leaves with a person who is on it"), "{told}");
    assert_eq!(refused(&mut sealed, &command, &as_person("carol")).what, "there is no case c-1");
    sealed.execute(&command, &as_person("bob")).unwrap();
}

#[test]
fn to_whoever_is_not_on_it_a_sealed_case_is_exactly_what_a_missing_one_is() {
    let mut book = served_by(&sealed());
    let request = book.view.approvals.iter().next().unwrap().request.id;
    let missing = all_about("c-2", RequestId(9_999)).into_iter();
    for (there, missing) in all_about("c-1", request).into_iter().zip(missing) {
        let said = refused(&mut book, &there, &as_person("carol")).to_string();
        let wanted = refused(&mut book, &missing, &as_person("carol")).to_string();
        assert_eq!(
            said.replace("c-1", "c-2").replace(&format!("request {request}"), "request 9999"),
            wanted,
            "{there:?}"
        );
    }
    let add = Command::AddMember { case: case("c-1"), person: PersonId::parse("carol").unwrap() };
    book.execute(&add, &as_person("alice")).unwrap();
    let hold = Command::PlaceHold { case: case("c-1"), reason: "a letter".into() };
    book.execute(&hold, &as_person("carol")).unwrap();
    let remove = Command::RemoveMember { case: case("c-1"), person: PersonId::parse("carol").unwrap() };
    assert!(book.execute(&remove, &someone()).is_err(), "the machine's user takes nobody off");
    book.execute(&remove, &as_person("bob")).unwrap();
    assert_eq!(refused(&mut book, &hold, &as_person("carol")).what, "there is no case c-1");
}

#[test]
fn an_outsider_learns_of_a_taken_id_and_of_nothing_else() {
    let mut book = served_by(&sealed());
    assert_eq!(refused(&mut book, &import(&sealed()), &as_person("carol")).what, "the id c-1 is taken");
    let order = text("c-2", "civil-tro").replace("o-c-2", "o-c-1");
    assert_eq!(refused(&mut book, &import(&order), &as_person("carol")).what, "the order id o-c-1 is taken");
    assert!(matches!(book.execute(&import(&sealed()), &as_person("bob")), Ok(Done::CaseKnown { .. })));
}

#[test]
fn whoever_opens_asks_or_approves_is_on_the_case_and_the_last_one_stays() {
    let mut book = Book::default();
    let enrol = |id: &str, role, fixture| Command::EnrolPerson { person: person(id, &[role], fixture) };
    for (id, role) in
        [("alice", Role::Investigator), ("bob", Role::Legal), ("dora", Role::Operator), ("root", Role::Admin)]
    {
        let admin = book.view.people.contains_key(&PersonId::parse("root").unwrap());
        assert!(!admin);
        book.execute(&enrol(id, role, false), &someone()).unwrap();
    }
    let on = |book: &Book| book.view.cases[&case("c-1")].members.iter().map(ToString::to_string).collect::<Vec<_>>();
    book.execute(&import(&text("c-1", "civil-tro")), &as_person("alice")).unwrap();
    assert_eq!(on(&book), ["alice"]);
    let remove = |id: &str| Command::RemoveMember { case: case("c-1"), person: PersonId::parse(id).unwrap() };
    assert!(refused(&mut book, &remove("alice"), &as_person("root")).what.contains("the last person"));
    let ask = Command::RequestApproval { case: case("c-1") };
    let Done::ApprovalAsked { requests } = book.execute(&ask, &as_person("bob")).unwrap() else { panic!() };
    let command = yes(&book, requests[0], Role::Operator);
    book.execute(&command, &as_person("dora")).unwrap();
    assert_eq!(on(&book), ["alice", "bob", "dora"]);
    book.execute(&remove("alice"), &as_person("root")).unwrap();
    assert_eq!(on(&book), ["bob", "dora"]);
    let add = Command::AddMember { case: case("c-1"), person: PersonId::parse("alice").unwrap() };
    assert!(refused(&mut book, &add, &as_person("alice")).what.contains("alice is not on case c-1"));
    let nobody = Command::AddMember { case: case("c-1"), person: PersonId::parse("nobody").unwrap() };
    assert_eq!(refused(&mut book, &nobody, &as_person("root")).what, "nobody is not enrolled");
    assert!(book.view.without_effect.is_empty());
}

//----------- Tokens -----------------------------------------------------------------------------------------------

fn api_token(person: &str, name: &str, roles: &[Role], expires: &str) -> model::token::ApiToken {
    model::token::ApiToken {
        person: PersonId::parse(person).unwrap(),
        name: model::id::TokenName::parse(name).unwrap(),
        roles: roles.iter().copied().collect(),
        expires: expires.parse().unwrap(),
        token: model::Digest::of_bytes(format!("{person} {name}").as_bytes()),
    }
}

#[test]
fn a_person_makes_tokens_for_themselves_with_some_of_their_roles_and_an_end() {
    let mut book = Book::default();
    for (id, roles) in [("alice", &[Role::Investigator, Role::Analyst][..]), ("bob", &[Role::Legal])] {
        book.execute(&Command::EnrolPerson { person: person(id, roles, false) }, &someone()).unwrap();
    }
    let issue = |token| Command::IssueToken { token };
    let good = api_token("alice", "ci", &[Role::Analyst], "2026-04-20T00:00:00Z");
    book.execute(&issue(good.clone()), &as_person("alice")).unwrap();
    for (token, actor, says) in [
        (good.clone(), as_person("alice"), "alice has or had a token ci"),
        (api_token("alice", "x", &[Role::Analyst], "2026-04-20T00:00:00Z"), as_person("bob"), "nobody but themselves"),
        (api_token("alice", "x", &[Role::Legal], "2026-04-20T00:00:00Z"), as_person("alice"), "some of their roles"),
        (api_token("alice", "x", &[], "2026-04-20T00:00:00Z"), as_person("alice"), "some of their roles"),
        (api_token("alice", "x", &[Role::Analyst], "2026-03-20T12:00:00Z"), as_person("alice"), "is not made"),
        (api_token("alice", "x", &[Role::Analyst], "2027-04-20T00:00:00Z"), as_person("alice"), "is not made"),
        (good, someone(), "takes a person"),
    ] {
        let refusal = refused(&mut book, &issue(token), &actor);
        assert!(refusal.what.contains(says), "{}", refusal.what);
    }
    let (alice, ci) = (PersonId::parse("alice").unwrap(), model::id::TokenName::parse("ci").unwrap());
    let at = |book: &Book, now: &str| {
        book.view.tokens.issued[&(alice.clone(), ci.clone())].ended(now.parse().unwrap()).unwrap_or_default()
    };
    assert_eq!(at(&book, "2026-04-19T23:59:59Z"), "");
    assert_eq!(at(&book, "2026-04-20T00:00:00Z"), "the token ci of alice expired at 2026-04-20T00:00:00Z");
    let revoke = Command::RevokeToken { person: alice.clone(), token: ci.clone() };
    assert!(refused(&mut book, &revoke, &as_person("bob")).what.contains("by alice or by an admin"));
    book.execute(&revoke, &as_person("alice")).unwrap();
    assert!(at(&book, "2026-03-21T00:00:00Z").contains("was revoked"));
    assert_eq!(refused(&mut book, &revoke, &as_person("alice")).what, "alice has no token ci");
}

#[test]
fn a_token_with_fewer_roles_does_less_than_its_person() {
    let (book, in_force, _) = asked("civil-tro");
    let (yes, roles) = (yes(&book, in_force, Role::Investigator), |role| BTreeSet::from([role]));
    let hold = Command::PlaceHold { case: case("c-1"), reason: "a letter".into() };
    let issue = Command::IssueToken { token: api_token("alice", "x", &[Role::Investigator], "2026-04-20T00:00:00Z") };
    for (command, role, is_allowed) in [
        (&yes, Role::Investigator, true),
        (&yes, Role::Analyst, false),
        (&hold, Role::Analyst, true),
        (&hold, Role::Auditor, false),
        (&issue, Role::Investigator, false),
    ] {
        let outcome = decide_as(&book.view, command, &as_person("alice"), Some(&roles(role)), now());
        assert_eq!(outcome.is_ok(), is_allowed, "{command:?} as {role}: {outcome:?}");
    }
}

#[test]
fn the_one_time_token_enrols_one_admin_and_is_spent() {
    let digest = |text: &str| model::Digest::of_bytes(text.as_bytes());
    let room = Actor::Room { name: "bailiwick".into() };
    let mut book = Book::default();
    let make = |text: &str| Command::MakeFirstToken { token: digest(text) };
    book.execute(&make("one"), &room).unwrap();
    book.execute(&make("two"), &room).unwrap();
    let root = person("root", &[Role::Admin], false);
    let first = |text: &str, person: &Person| Command::EnrolFirst { person: person.clone(), first: digest(text) };
    let plain = Command::EnrolPerson { person: root.clone() };
    assert!(refused(&mut book, &plain, &someone()).what.contains("by the one-time token"));
    assert!(
        refused(&mut book, &first("one", &root), &someone()).what.contains("is not the one"),
        "void since the second"
    );
    let clerk = person("clerk", &[Role::Legal], false);
    assert!(refused(&mut book, &first("two", &clerk), &someone()).what.contains("a real admin"));
    let demo = Command::EnrolPerson { person: person("ada", &[Role::Admin], true) };
    book.execute(&demo, &someone()).expect("a demo's people are enrolled as ever");
    book.execute(&first("two", &root), &someone()).unwrap();
    let second = person("second", &[Role::Admin], false);
    assert!(refused(&mut book, &first("two", &second), &someone()).what.contains("spent"));
    assert!(refused(&mut book, &make("three"), &room).what.contains("enrolled already"));
    book.execute(&Command::EnrolPerson { person: clerk }, &as_person("root")).unwrap();
    assert!(book.view.without_effect.is_empty());
}

#[test]
fn only_who_descends_from_the_one_time_token_approves_what_is_real() {
    let room = Actor::Room { name: "bailiwick".into() };
    let token = |text: &str| model::Digest::of_bytes(text.as_bytes());
    for (instrument, allowed) in [("exercise", true), ("civil-tro", false)] {
        let mut book = Book::unvouched();
        let enrol = |id, role| Command::EnrolPerson { person: person(id, &[role], false) };
        book.execute(&enrol("alice", Role::Investigator), &someone()).unwrap();
        book.execute(&enrol("own-root", Role::Admin), &someone()).unwrap();
        book.execute(&enrol("carl", Role::Investigator), &as_person("own-root")).unwrap();
        book.execute(&Command::MakeFirstToken { token: token("first") }, &room).expect("nobody vouches yet");
        let root = Command::EnrolFirst { person: person("root", &[Role::Admin], false), first: token("first") };
        book.execute(&root, &someone()).unwrap();
        book.execute(&enrol("second", Role::Admin), &as_person("root")).unwrap();
        book.execute(&enrol("dora", Role::Investigator), &as_person("second")).unwrap();
        book.execute(&enrol("erik", Role::Investigator), &as_person("own-root")).unwrap();
        book.execute(&import(&text("c-1", instrument)), &someone()).unwrap();
        let ask = Command::RequestApproval { case: case("c-1") };
        let Done::ApprovalAsked { requests } = book.execute(&ask, &someone()).unwrap() else { panic!() };
        let command = yes(&book, requests[0], Role::Investigator);
        for who in ["alice", "carl", "erik"] {
            let outcome = decide(&book.view, &command, &as_person(who), now());
            assert_eq!(outcome.is_ok(), allowed, "{instrument}, {who}: {outcome:?}");
        }
        book.execute(&command, &as_person("dora")).unwrap();
    }
}

#[test]
fn the_one_time_token_ends_after_a_day() {
    let room = Actor::Room { name: "bailiwick".into() };
    let first = model::Digest::of_bytes(b"one");
    let mut book = Book::unvouched();
    book.execute(&Command::MakeFirstToken { token: first }, &room).unwrap();
    let root = Command::EnrolFirst { person: person("root", &[Role::Admin], false), first };
    let at = |secs: i64| Timestamp::from_second(now().as_second() + secs).unwrap();
    let refusal = decide(&book.view, &root, &someone(), at(24 * 3600)).unwrap_err();
    assert_eq!(refusal.what, "the one-time token expired at 2026-03-21T12:00:00Z");
    book.execute_at(&root, &someone(), at(24 * 3600 - 1)).unwrap();
}
