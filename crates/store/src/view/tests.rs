//! From a listed order to served zones, and every way round the two people refused.

use std::collections::BTreeSet;

use model::approval::{Approval, PutInForce, Request, Serve, Unseal, Widening};
use model::fact::{Actor, Body, Draft};
use model::group::Group;
use model::id::RequestId;
use model::order::{
    Authority, Instrument, Listed, NameOutcome, OrderStatus, OrderTerms, Source, Sourced, names_digest,
};
use model::person::Role;

use super::*;

fn sourced<T>(value: T) -> Sourced<T> {
    Sourced { value, source: Source::Unverified }
}

fn terms(id: &str) -> CaseTerms {
    CaseTerms {
        privacy: Default::default(),
        id: CaseId::parse(id).unwrap(),
        title: "Rehearsal".into(),
        group: Group {
            id: GroupId::parse("apt35").unwrap(),
            name: "PHOSPHORUS".into(),
            aliases: vec![],
            attributed_to: None,
        },
        contact: "soc@example.org".into(),
        purpose: sourced("rehearsal".into()),
        tlp: Default::default(),
        withheld: Default::default(),
        retention: Default::default(),
        answer: Default::default(),
        notice: Default::default(),
        answers: None,
    }
}

fn order(instrument: Instrument, expires: Option<&str>) -> OrderTerms {
    let expires = expires.map(|text| sourced(text.parse().unwrap()));
    let issuer = sourced("Example District Court".into());
    let (docket_number, judge, issued, hearing) = (None, None, None, None);
    let sealed_until = Some(sourced("2019-03-27".parse().unwrap()));
    OrderTerms {
        id: OrderId::parse("o-1").unwrap(),
        authority: Authority {
            instrument,
            issuer,
            country: None,
            docket_number,
            judge,
            issued,
            hearing,
            expires,
            sealed_until,
        },
        name_servers: vec![name("ns1.example.org")],
        answers: None,
        registration: None,
    }
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn names() -> Names {
    let held = Listed { outcome: NameOutcome::Hold, ..Listed::default() };
    [(name("one.test"), Listed::default()), (name("two.test"), Listed::default()), (name("held.test"), held)].into()
}

/// A view that facts are put into one by one.
struct Docket {
    view: View,
    time: Timestamp,
}

impl Docket {
    fn opened(instrument: Instrument, expires: Option<&str>, fixture: bool) -> Self {
        let mut docket = Self { view: View::default(), time: "2019-03-26T00:00:00Z".parse().unwrap() };
        for (id, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
            let (id, token) = (PersonId::parse(id).unwrap(), Digest::of_bytes(id.as_bytes()));
            let person = Person { id, roles: [role].into(), token, fixture };
            docket.put(Body::PersonEnrolled { person }).unwrap();
        }
        let file = Digest::of_bytes(b"case file");
        docket.put(Body::CaseOpened { case: Box::new(terms("c-1")), file }).unwrap();
        let (case, order) = (CaseId::parse("c-1").unwrap(), Box::new(order(instrument, expires)));
        docket.put(Body::OrderListed { case, order, names: names_digest(&names()), count: 3 }).unwrap();
        docket
    }

    fn put_by(&mut self, actor: Actor, body: Body) -> Result<(), Refusal> {
        let fact = Draft::new(actor, body).at(self.view.next, self.time);
        let before = self.zones_by_name();
        let folded = self.view.apply(&fact, |digest| (*digest == names_digest(&names())).then(names));
        let (facts, after) = ([fact], self.zones_by_name());
        let touched = self.view.touched(&facts, (self.time, self.time), usize::MAX).unwrap();
        let changed = |name: &&DomainName| before.get(*name) != after.get(*name);
        let all: BTreeSet<&DomainName> = before.keys().chain(after.keys()).filter(changed).collect();
        assert!(all.is_subset(&touched), "{:?} changed {all:?} and touched {touched:?}", facts[0].body);
        folded
    }

    /// What is served, name by name: the same as in the whole set.
    fn zones_by_name(&self) -> BTreeMap<DomainName, Zone> {
        let zones = self.view.zones(self.time).zones;
        for zone in &zones {
            assert_eq!(self.view.zones_of(zone.apex(), self.time).next().as_ref(), Some(zone));
        }
        zones.into_iter().map(|zone| (zone.apex().clone(), zone)).collect()
    }

    fn put(&mut self, body: Body) -> Result<(), Refusal> {
        self.put_by(Actor::LocalUser { uid: 0 }, body)
    }

    fn order(&self) -> &Order {
        &self.view.cases.values().next().unwrap().orders[&OrderId::parse("o-1").unwrap()]
    }

    fn ask(&mut self, what: Widening, exercise: bool) -> RequestId {
        let (id, case) = (RequestId(self.view.next.0), CaseId::parse("c-1").unwrap());
        let shown = Digest::of_value(&what);
        self.put(Body::ApprovalRequested { request: Request { id, case, what, shown, exercise } }).unwrap();
        id
    }

    fn ask_in_force(&mut self, exercise: bool) -> RequestId {
        let (order, terms) = (OrderId::parse("o-1").unwrap(), self.order().digest());
        self.ask(Widening::PutInForce(PutInForce { order, terms }), exercise)
    }

    fn yes(&mut self, request: RequestId, person: &str, role: Role) -> Result<(), Refusal> {
        let shown = self.view.approvals.get(request).unwrap().request.shown;
        let person = PersonId::parse(person).unwrap();
        let actor = Actor::Person { id: person.clone() };
        self.put_by(actor, Body::ApprovalGiven { approval: Approval { request, person, role, shown } })
    }

    fn both(&mut self, request: RequestId) {
        self.yes(request, "alice", Role::Investigator).unwrap();
        self.yes(request, "bob", Role::Legal).unwrap();
    }

    fn put_in_force(&mut self, request: RequestId) -> Result<(), Refusal> {
        let (case, order) = (CaseId::parse("c-1").unwrap(), OrderId::parse("o-1").unwrap());
        self.put(Body::OrderPutInForce { case, order, request })
    }

    fn serve(&mut self, request: RequestId) -> Result<(), Refusal> {
        let (case, order) = (CaseId::parse("c-1").unwrap(), OrderId::parse("o-1").unwrap());
        let to_serve = names_to_serve(self.order());
        let (names, count) = (names_digest(to_serve.clone()), to_serve.count() as u64);
        self.put(Body::NamesServed { case, order, names, count, request })
    }

    fn ask_serve(&mut self, exercise: bool) -> RequestId {
        let (order, to_serve) = (OrderId::parse("o-1").unwrap(), names_to_serve(self.order()));
        let (names, count) = (names_digest(to_serve.clone()), to_serve.count() as u64);
        self.ask(Widening::Serve(Serve { order, names, count }), exercise)
    }

    fn zones(&self) -> Vec<(String, ServiceMode)> {
        let zones = self.view.zones(self.time).zones;
        zones.iter().map(|zone| (zone.apex().as_str().to_owned(), zone.mode())).collect()
    }
}

#[test]
fn two_people_put_an_order_in_force_and_two_serve_its_names() {
    let mut docket = Docket::opened(Instrument::CivilTro, Some("2019-04-10T00:00:00-04:00"), false);
    let request = docket.ask_in_force(false);
    docket.both(request);
    docket.put_in_force(request).unwrap();
    assert_eq!(docket.order().status(), OrderStatus::InForce);
    assert_eq!(docket.zones(), [], "in force is not served");
    let told = docket.view.cases.values().next().unwrap().changed;
    assert_eq!(told.0 + 1, docket.view.next.0);
    let request = docket.ask_serve(false);
    docket.both(request);
    assert_eq!(docket.view.cases.values().next().unwrap().changed, told, "asking and approving tell nothing new");
    docket.serve(request).unwrap();
    let collect = ServiceMode::Collect;
    assert_eq!(docket.zones(), [("one.test".into(), collect), ("two.test".into(), collect)], "held.test is not ours");
    let case = CaseId::parse("c-1").unwrap();
    let narrowed = |names: Vec<DomainName>, mode| Body::ServiceNarrowed {
        case: case.clone(),
        names,
        mode,
        reason: "a hospital".into(),
    };
    docket.put(narrowed(vec![name("one.test")], ServiceMode::Handback)).unwrap();
    assert_eq!(docket.zones()[0].1, ServiceMode::Handback);
    assert!(docket.put(narrowed(vec![name("two.test"), name("one.test")], ServiceMode::Hold)).is_err());
    assert_eq!(docket.zones()[1].1, collect, "all names or none");
    let zone = docket.view.zones(docket.time).zones.remove(0);
    assert_eq!((zone.case_title(), zone.contact()), ("Rehearsal", "soc@example.org"));
    assert!(zone.is_sealed("2019-03-26".parse().unwrap()) && !zone.is_sealed("2019-03-27".parse().unwrap()));
    docket.time = "2019-04-10T04:00:00Z".parse().unwrap();
    let held: Vec<_> = docket.zones().into_iter().map(|(_, mode)| mode).collect();
    assert_eq!(held, [ServiceMode::Handback, ServiceMode::Hold], "the authority lapsed by its own date");
    let before = "2019-04-10T03:59:59Z".parse().unwrap();
    assert_eq!(docket.view.touched(&[], (before, docket.time), 3).unwrap().len(), 3, "the clock alone touches them");
    assert_eq!(docket.view.touched(&[], (before, docket.time), 2), None, "more than may be changed one by one");
    assert_eq!(docket.view.touched(&[], (docket.time, docket.time), 2).unwrap().len(), 0, "once");
    let order = OrderId::parse("o-1").unwrap();
    docket.put(Body::OrderVacated { case: case.clone(), order, reason: "appeal".into() }).unwrap();
    assert_eq!(docket.zones(), []);
}

#[test]
fn every_way_round_the_two_people_is_refused_and_has_no_effect() {
    let mut docket = Docket::opened(Instrument::CivilTro, None, false);
    let refused = |docket: &mut Docket, request| {
        let refusal = docket.put_in_force(request).unwrap_err();
        assert_eq!(docket.order().status(), OrderStatus::Draft);
        refusal.what
    };
    assert!(refused(&mut docket, RequestId(0)).contains("does not carry two approvals"), "no request at all");
    let request = docket.ask_in_force(false);
    assert!(refused(&mut docket, request).contains("does not carry"), "nobody said yes");
    docket.yes(request, "alice", Role::Investigator).unwrap();
    assert!(refused(&mut docket, request).contains("does not carry"), "one did");
    let serving = docket.ask_serve(false);
    docket.both(serving);
    assert!(refused(&mut docket, serving).contains("does not carry"), "two did, for something else");
    assert!(docket.serve(serving).unwrap_err().what.contains("not in force"));
    let forged = Approval {
        request,
        person: PersonId::parse("bob").unwrap(),
        role: Role::Legal,
        shown: docket.view.approvals.get(request).unwrap().request.shown,
    };
    let forged = docket.put_by(Actor::LocalUser { uid: 0 }, Body::ApprovalGiven { approval: forged });
    assert!(forged.unwrap_err().what.contains("by somebody else"), "root is not bob");
    docket.yes(request, "bob", Role::Legal).unwrap();
    docket.put_in_force(request).unwrap();
    assert!(docket.put_in_force(request).is_err(), "an approval serves once");
    assert_eq!(docket.view.without_effect.len(), 7);
    assert_eq!(docket.zones(), []);
}

#[test]
fn a_real_order_cannot_pass_as_an_exercise() {
    let mut docket = Docket::opened(Instrument::CivilTro, None, true);
    let (order, terms) = (OrderId::parse("o-1").unwrap(), docket.order().digest());
    let what = Widening::PutInForce(PutInForce { order, terms });
    let (id, case, shown) = (RequestId(docket.view.next.0), CaseId::parse("c-1").unwrap(), Digest::of_value(&what));
    let request = Request { id, case, what, shown, exercise: true };
    assert!(docket.put(Body::ApprovalRequested { request }).unwrap_err().what.contains("its order is real"));
    let request = docket.ask_in_force(false);
    assert!(docket.yes(request, "alice", Role::Investigator).unwrap_err().what.contains("demo's person"));
    let mut rehearsal = Docket::opened(Instrument::Exercise, None, true);
    let request = rehearsal.ask_in_force(true);
    rehearsal.both(request);
    rehearsal.put_in_force(request).unwrap();
    assert!(rehearsal.order().covers(&name("one.test"), Act::Answer).unwrap().is_exercise());
}

#[test]
fn a_zone_needs_coverage_for_answering_under_its_own_order() {
    let mut docket = Docket::opened(Instrument::Exercise, None, false);
    let request = docket.ask_in_force(true);
    docket.both(request);
    docket.put_in_force(request).unwrap();
    let held = docket.order().clone();
    let (mode, case) = (ServiceMode::Collect, terms("c-1"));
    let recording = held.covers(&name("one.test"), Act::RecordMetadata).unwrap();
    assert!(Zone::new(recording, mode, &case, held.terms()).is_err());
    let answering = held.covers(&name("one.test"), Act::Answer).unwrap();
    assert!(Zone::new(answering.clone(), mode, &terms("c-2"), held.terms()).is_err());
    assert!(Zone::new(answering, mode, &case, held.terms()).is_ok());
}

#[test]
fn facts_come_in_their_order() {
    let mut docket = Docket::opened(Instrument::Exercise, None, true);
    let next = docket.view.next;
    let late = Draft::new(Actor::LocalUser { uid: 0 }, Body::Refused { tried: "x".into(), why: "y".into() });
    let late = late.at(Position(next.0 + 1), docket.time);
    assert!(docket.view.apply(&late, |_| None).is_err());
    assert_eq!((docket.view.next, docket.view.refusals), (next, 0));
    assert_eq!(groups_called(docket.view.cases.values(), "Phosphorus").len(), 1);
}

#[test]
fn a_seal_is_lifted_by_two_and_every_other_way_has_no_effect() {
    let mut docket = Docket::opened(Instrument::CivilTro, None, false);
    for ask in [Docket::ask_in_force, Docket::ask_serve] {
        let request = ask(&mut docket, false);
        docket.both(request);
        docket.put_in_force(request).or_else(|_| docket.serve(request)).unwrap();
    }
    let day = "2019-03-26".parse().unwrap();
    let is_sealed = |docket: &Docket| docket.view.zones(docket.time).zones.iter().all(|zone| zone.is_sealed(day));
    let lift = |docket: &mut Docket, request| {
        let (case, order) = (CaseId::parse("c-1").unwrap(), OrderId::parse("o-1").unwrap());
        docket.put(Body::OrderUnsealed { case, order, request })
    };
    let unseal = |order| Widening::Unseal(Unseal { order: OrderId::parse(order).unwrap() });
    assert!(lift(&mut docket, RequestId(0)).is_err(), "no request at all");
    let request = docket.ask(unseal("o-1"), false);
    docket.yes(request, "alice", Role::Investigator).unwrap();
    assert!(lift(&mut docket, request).is_err(), "one person");
    let serve = docket.ask_serve(false);
    docket.both(serve);
    assert!(lift(&mut docket, serve).is_err(), "two did, for something else");
    assert!(is_sealed(&docket));
    docket.yes(request, "bob", Role::Legal).unwrap();
    assert!(is_sealed(&docket), "the yes alone tells nothing");
    lift(&mut docket, request).unwrap();
    assert!(!is_sealed(&docket));
    assert_eq!(docket.view.cases.values().next().unwrap().changed.0 + 1, docket.view.next.0, "there is news to tell");
    assert!(lift(&mut docket, request).is_err(), "an approval serves once");
}
