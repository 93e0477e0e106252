use super::*;
use crate::approval::{Approval, Approvals, Request, Widening};
use crate::id::{PersonId, RequestId};
use crate::person::{Person, Role};
use crate::time::Timestamp;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn draft() -> Order {
    let redirect = Listed::default();
    let hold = Listed { outcome: NameOutcome::Hold, ..Listed::default() };
    let authority = Authority {
        instrument: Instrument::Exercise,
        country: None,
        issuer: Sourced { value: "a rehearsal".into(), source: Source::Unverified },
        docket_number: None,
        judge: None,
        issued: None,
        hearing: None,
        expires: None,
        sealed_until: None,
    };
    let id = OrderId::parse("o-1").unwrap();
    let terms = OrderTerms {
        id,
        authority,
        name_servers: vec![name("ns1.sinkhole.example")],
        answers: None,
        registration: None,
    };
    let names: Names = [(name("outlook-verify.net"), redirect), (name("held.example"), hold)].into();
    Order::draft(CaseId::parse("c-1").unwrap(), terms, names)
}

/// The whole path: asked, two people, two roles.
fn approved(order: &Order) -> Approved<PutInForce> {
    let what = Widening::PutInForce(PutInForce { order: order.terms().id.clone(), terms: order.digest() });
    let (id, shown) = (RequestId(1), Digest::of_value(&what));
    let mut approvals = Approvals::default();
    approvals.ask(Request { id, case: order.case().clone(), what, shown, exercise: true }, None, Timestamp::UNIX_EPOCH);
    for (who, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
        let person = PersonId::parse(who).unwrap();
        let known = Person { id: person.clone(), roles: [role].into(), token: shown, fixture: true };
        approvals.give(Approval { request: id, person, role, shown }, &known).unwrap();
    }
    approvals.approved(id).unwrap()
}

#[test]
fn nothing_is_covered_before_two_people_have_put_the_order_in_force() {
    let mut order = draft();
    assert_eq!(order.covers(&name("outlook-verify.net"), Act::Answer), None);
    let approval = approved(&order);
    order.put_in_force(&approval).unwrap();
    let coverage = order.covers(&name("www.outlook-verify.net"), Act::Answer).unwrap();
    assert_eq!(coverage.apex(), &name("outlook-verify.net"));
    assert!(coverage.is_exercise());
    assert!(order.put_in_force(&approval).is_err(), "once");
}

#[test]
fn an_order_covers_its_names_and_its_acts_and_nothing_else() {
    let mut order = draft();
    order.put_in_force(&approved(&order.clone())).unwrap();
    for (asked, act, covered) in [
        ("outlook-verify.net", Act::Answer, true),
        ("a.b.outlook-verify.net", Act::RecordMetadata, true),
        ("outlook-verify.net", Act::RecordContent, false),
        ("outlook-verify.net", Act::AcceptMail, false),
        ("notoutlook-verify.net", Act::Answer, false),
        ("net", Act::Answer, false),
        ("held.example", Act::Answer, false),
    ] {
        assert_eq!(order.covers(&name(asked), act).is_some(), covered, "{asked} {act:?}");
    }
    order.lapse();
    let held = order.covers(&name("outlook-verify.net"), Act::Answer).unwrap();
    assert!(held.has_lapsed(Timestamp::UNIX_EPOCH), "answered, so that nothing goes dark, and on hold");
    assert_eq!(order.covers(&name("outlook-verify.net"), Act::RecordMetadata), None);
    order.vacate();
    assert_eq!(order.covers(&name("outlook-verify.net"), Act::Answer), None);
    order.lapse();
    assert_eq!(order.status(), OrderStatus::Vacated, "what was taken back does not lapse");
}

#[test]
fn an_approval_of_another_text_puts_nothing_in_force() {
    let approval = approved(&draft());
    let mut changed = draft();
    Arc::make_mut(&mut changed.names).insert(name("one-more.example"), Listed::default());
    let refusal = changed.put_in_force(&approval).unwrap_err();
    assert_eq!(refusal.what, "the approval is not for order o-1 as it stands");
    assert_eq!(changed.status(), OrderStatus::Draft);
}

#[test]
fn acts_are_a_list_for_people_and_a_byte_for_tables() {
    let acts = Acts::default().with(Act::Share);
    let text = serde_json::to_string(&acts).unwrap();
    assert_eq!(text, r#"["delegate","answer","record-metadata","share"]"#);
    assert_eq!(serde_json::from_str::<Acts>(&text).unwrap(), acts);
    assert_eq!(Acts::from_bits(acts.to_bits()), acts);
    assert_eq!(acts.to_bits(), 0b100_0111, "bits are stored: they never change their meaning");
}
