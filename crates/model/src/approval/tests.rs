use super::*;

fn person(id: &str, roles: &[Role], fixture: bool) -> Person {
    Person {
        id: PersonId::parse(id).unwrap(),
        roles: roles.iter().copied().collect(),
        token: Digest::of_bytes(id.as_bytes()),
        fixture,
    }
}

fn asked(exercise: bool) -> Approvals {
    let what = Widening::Unseal(Unseal { order: OrderId::parse("o-1").unwrap() });
    let shown = Digest::of_value(&what);
    let case = CaseId::parse("c-1").unwrap();
    let mut approvals = Approvals::default();
    let request = Request { id: RequestId(7), case, what, shown, exercise };
    approvals.ask(request, None, Timestamp::UNIX_EPOCH);
    approvals
}

fn yes(approvals: &Approvals, person: &Person, role: Role) -> Approval {
    let shown = approvals.get(RequestId(7)).unwrap().request.shown;
    Approval { request: RequestId(7), person: person.id.clone(), role, shown }
}

#[test]
fn two_people_in_two_roles_are_enough_and_one_is_not() {
    let mut approvals = asked(false);
    let (alice, bob) = (person("alice", &[Role::Investigator], false), person("bob", &[Role::Legal], false));
    approvals.give(yes(&approvals, &alice, Role::Investigator), &alice).unwrap();
    assert_eq!(approvals.approved::<Unseal>(RequestId(7)), None);
    approvals.give(yes(&approvals, &bob, Role::Legal), &bob).unwrap();
    let approved = approvals.approved::<Unseal>(RequestId(7)).unwrap();
    assert_eq!(approved.by()[0].0, alice.id);
    assert_eq!(approvals.approved::<PutInForce>(RequestId(7)), None, "approved for one thing is not for another");
    approvals.spend(RequestId(7));
    assert_eq!(approvals.approved::<Unseal>(RequestId(7)), None, "an approval serves once");
}

#[test]
fn each_way_round_the_rule_is_refused_with_its_reason() {
    let alice = person("alice", &[Role::Investigator, Role::Legal], false);
    let carol = person("carol", &[Role::Investigator], false);
    let demo = person("demo", &[Role::Legal], true);
    let admin = person("root", &[Role::Admin], false);
    let mut approvals = asked(false);
    approvals.give(yes(&approvals, &alice, Role::Investigator), &alice).unwrap();
    let mut changed = yes(&approvals, &carol, Role::Investigator);
    changed.shown = Digest::of_bytes(b"something else");
    let mut nowhere = yes(&approvals, &carol, Role::Investigator);
    nowhere.request = RequestId(8);
    for (approval, person, why) in [
        (yes(&approvals, &alice, Role::Legal), &alice, "alice has approved request 7 already"),
        (yes(&approvals, &carol, Role::Investigator), &carol, "alice has approved request 7 as investigator"),
        (yes(&approvals, &carol, Role::Legal), &carol, "carol does not hold the role legal"),
        (yes(&approvals, &admin, Role::Admin), &admin, "the role admin cannot approve"),
        (yes(&approvals, &demo, Role::Legal), &demo, "demo is a demo's person and request 7 is no exercise"),
        (changed, &carol, "what was shown is not what request 7 asks for"),
        (nowhere, &carol, "there is no request 8"),
    ] {
        assert_eq!(approvals.give(approval, person).unwrap_err().what, why);
    }
    assert_eq!(approvals.get(RequestId(7)).unwrap().given.len(), 1, "a refusal changes nothing");
    approvals.void(RequestId(7));
    let late = yes(&approvals, &carol, Role::Investigator);
    assert_eq!(approvals.give(late, &carol).unwrap_err().what, "request 7 is closed");
}

#[test]
fn a_demos_people_may_approve_an_exercise() {
    let mut approvals = asked(true);
    let (ada, bea) = (person("ada", &[Role::Investigator], true), person("bea", &[Role::Legal], true));
    approvals.give(yes(&approvals, &ada, Role::Investigator), &ada).unwrap();
    approvals.give(yes(&approvals, &bea, Role::Legal), &bea).unwrap();
    assert!(approvals.approved::<Unseal>(RequestId(7)).is_some());
}
