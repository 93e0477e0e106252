//! One name, from *not ours* over *ours* to *returned*, as resolvers and a fleet hear of it.

use model::Digest;
use model::approval::{Approval, PutInForce, Request, Serve, Widening};
use model::case::{CaseTerms, Marking};
use model::fact::{Actor, Body, Draft};
use model::group::Group;
use model::id::{GroupId, OrderId, PersonId, RequestId};
use model::marking::{Audience, Tlp};
use model::order::{Authority, Instrument, Listed, Names, OrderTerms, Source, Sourced, names_digest};
use model::person::{Person, Role};
use model::seizure::{Seizure, ServiceMode};
use share::Block;
use store::{DataFolder, NamedSet};
use tempfile::TempDir;

use super::*;

const RPZ: &str = "rpz.example";
const CATALOG: &str = "catalog.example";
const NAME: &str = "one.test";

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn sourced<T>(value: T) -> Sourced<T> {
    Sourced { value, source: Source::Unverified }
}

fn names() -> Names {
    [(name(NAME), Listed::default())].into()
}

fn case() -> CaseId {
    CaseId::parse("c-1").unwrap()
}

fn order() -> OrderId {
    OrderId::parse("o-1").unwrap()
}

fn case_terms() -> CaseTerms {
    let id = GroupId::parse("apt35").unwrap();
    CaseTerms {
        privacy: Default::default(),
        id: case(),
        title: "Rehearsal".into(),
        group: Group { id, name: "PHOSPHORUS".into(), aliases: vec![], attributed_to: None },
        contact: "soc@example.org".into(),
        purpose: sourced("rehearsal".into()),
        tlp: Marking(Tlp::Amber),
        withheld: Default::default(),
        retention: Default::default(),
        answer: Default::default(),
        notice: Default::default(),
        answers: None,
    }
}

fn order_terms() -> OrderTerms {
    let (docket_number, judge, issued, hearing, expires, sealed_until) = (None, None, None, None, None, None);
    let (instrument, issuer) = (Instrument::Exercise, sourced("a rehearsal".into()));
    OrderTerms {
        id: order(),
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

//----------- House ------------------------------------------------------------------------------------------------

/// A ledger of its own, and what a publisher beside it tells.
struct House {
    _home: TempDir,
    folder: DataFolder,
    ledger: Ledger,
}

impl House {
    async fn with_a_listed_name() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path(), "test", now()).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        let house = Self { _home: home, folder, ledger };
        for (id, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
            let (id, token) = (PersonId::parse(id).unwrap(), Digest::of_bytes(id.as_bytes()));
            house.put(Body::PersonEnrolled { person: Person { id, roles: [role].into(), token, fixture: true } }).await;
        }
        house.put(Body::CaseOpened { case: Box::new(case_terms()), file: Digest::of_bytes(b"file") }).await;
        let names = names_digest(&names());
        house.put(Body::OrderListed { case: case(), order: Box::new(order_terms()), names, count: 1 }).await;
        house
    }

    async fn restarted(self) -> Self {
        let Self { _home, folder, ledger } = self;
        ledger.close().await;
        let ledger = Ledger::open(&folder).await.unwrap();
        Self { _home, folder, ledger }
    }

    async fn put(&self, body: Body) {
        self.put_by(Actor::LocalUser { uid: 0 }, body).await;
    }

    async fn put_by(&self, actor: Actor, body: Body) {
        let set = NamedSet::of(names());
        self.ledger.append(None, vec![Draft::new(actor, body)], vec![set], now()).await.unwrap();
        assert!(self.ledger.view().await.unwrap().without_effect.is_empty());
    }

    async fn approved(&self, what: Widening) -> RequestId {
        let (id, shown) = (RequestId(self.ledger.view().await.unwrap().next.0), Digest::of_value(&what));
        let request = Request { id, case: case(), what, shown, exercise: true };
        self.put(Body::ApprovalRequested { request }).await;
        for (person, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
            let person = PersonId::parse(person).unwrap();
            let shown = self.ledger.view().await.unwrap().approvals.get(id).unwrap().request.shown;
            let approval = Approval { request: id, person: person.clone(), role, shown };
            self.put_by(Actor::Person { id: person }, Body::ApprovalGiven { approval }).await;
        }
        id
    }

    async fn put_in_force(&self) {
        let terms = self.ledger.view().await.unwrap().cases[&case()].orders[&order()].digest();
        let request = self.approved(Widening::PutInForce(PutInForce { order: order(), terms })).await;
        self.put(Body::OrderPutInForce { case: case(), order: order(), request }).await;
    }

    async fn serve(&self) {
        let (names, count) = (names_digest(&names()), 1);
        let request = self.approved(Widening::Serve(Serve { order: order(), names, count })).await;
        self.put(Body::NamesServed { case: case(), order: order(), names, count, request }).await;
    }

    async fn narrow(&self, mode: ServiceMode) {
        let reason = "the story goes on".into();
        self.put(Body::ServiceNarrowed { case: case(), names: vec![name(NAME)], mode, reason }).await;
    }
}

fn publisher(loopback_only: bool) -> Publisher {
    let (audience, block, addresses) = (Audience::Partners, Block::Nxdomain, Vec::new());
    let zone = PolicyZone { zone: name(RPZ), audience, block, cases: Default::default(), addresses };
    let plan = Plan { zones: vec![zone], catalog: Some(name(CATALOG)), loopback_only };
    Publisher { plan: Arc::new(plan), seen: None, told: watch::Sender::default() }
}

/// Serial, what the policy zone says of the name, and whether the catalog lists it.
fn heard(published: &Published) -> (u32, Option<String>, bool) {
    let policy = &published.zones[&*name(RPZ).to_wire()];
    let of_name = |record: &&Record| *record.owner == *b"\x03one\x04test";
    let data = policy.records.iter().find(of_name).map(|record| String::from_utf8_lossy(&record.data).into_owned());
    let catalog = &published.zones[&*name(CATALOG).to_wire()];
    let apex = name(NAME).to_wire();
    (policy.serial, data, catalog.records.iter().any(|record| *record.data == *apex))
}

const PASSTHRU: &str = "\u{c}rpz-passthru\0";

//----------- Stories ----------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_name_is_blocked_let_through_and_forgotten_as_it_comes_and_goes() {
    let house = House::with_a_listed_name().await;
    let (mut publisher, says) = (publisher(true), |text: &str| Some(text.to_owned()));
    let told = publisher.told();
    let mut next = async |house: &House| {
        publisher.load(&house.ledger).await.unwrap();
        heard(&told.borrow())
    };
    assert_eq!(next(&house).await, (1, None, false), "a draft warns nobody");
    house.put_in_force().await;
    assert_eq!(next(&house).await, (2, says("\0"), false), "not ours yet");
    house.serve().await;
    assert_eq!(next(&house).await, (3, says(PASSTHRU), true), "ours");
    house.narrow(ServiceMode::Hold).await;
    assert_eq!(next(&house).await, (4, says("\0"), true), "held");
    house.narrow(ServiceMode::Handback).await;
    assert_eq!(next(&house).await, (5, None, true), "handed back");
    house.put(Body::SeizureMoved { case: case(), names: vec![name(NAME)], to: Seizure::Returned }).await;
    house.narrow(ServiceMode::Off).await;
    assert_eq!(next(&house).await, (5, None, false), "not served any more");
}

#[tokio::test]
async fn a_restart_keeps_serial_and_history() {
    let house = House::with_a_listed_name().await;
    house.put_in_force().await;
    let mut before = publisher(true);
    before.load(&house.ledger).await.unwrap();
    house.serve().await;
    before.load(&house.ledger).await.unwrap();
    let house = house.restarted().await;
    let mut after = publisher(true);
    after.load(&house.ledger).await.unwrap();
    let (before, after) = (before.told().borrow().clone(), after.told().borrow().clone());
    assert_eq!(heard(&after), heard(&before));
    for (origin, zone) in &before.zones {
        assert_eq!(after.zones[origin].differences, zone.differences);
        assert!(!zone.differences.is_empty());
    }
}

#[tokio::test]
async fn facts_that_change_nothing_wake_nobody() {
    let house = House::with_a_listed_name().await;
    house.put_in_force().await;
    let mut publisher = publisher(true);
    let mut told = publisher.told();
    publisher.load(&house.ledger).await.unwrap();
    told.mark_unchanged();
    house.put(Body::Refused { tried: "a".into(), why: "b".into() }).await;
    publisher.load(&house.ledger).await.unwrap();
    assert!(!told.has_changed().unwrap());
}

#[tokio::test]
async fn a_rehearsal_is_told_to_nobody_outside() {
    let house = House::with_a_listed_name().await;
    house.put_in_force().await;
    house.serve().await;
    let mut publisher = publisher(false);
    publisher.load(&house.ledger).await.unwrap();
    assert_eq!(heard(&publisher.told().borrow()), (1, None, false));
}

#[tokio::test]
async fn what_cannot_be_read_leaves_what_is_told_and_a_follower_goes_on() {
    let house = House::with_a_listed_name().await;
    house.put_in_force().await;
    let mut publisher = publisher(true);
    publisher.load(&house.ledger).await.unwrap();
    let told = publisher.told();
    let before = heard(&told.borrow());
    let gone = Ledger::open(&house.folder).await.unwrap();
    gone.clone().close().await;
    publisher.load(&gone).await.unwrap_err();
    assert_eq!(heard(&told.borrow()), before);
    house.serve().await;
    publisher.load(&house.ledger).await.unwrap();
    assert_eq!(heard(&told.borrow()), (before.0 + 1, Some(PASSTHRU.to_owned()), true));
}

#[tokio::test]
async fn a_narrowing_is_told_by_the_notification_and_long_before_the_next_poll() {
    let house = House::with_a_listed_name().await;
    house.put_in_force().await;
    house.serve().await;
    let mut publisher = publisher(true);
    publisher.load(&house.ledger).await.unwrap();
    let (mut told, (stop, stopped)) = (publisher.told(), watch::channel(false));
    told.mark_unchanged();
    let follower = tokio::spawn(publisher.follow(house.ledger.clone(), stopped));
    let start = tokio::time::Instant::now();
    house.narrow(ServiceMode::Handback).await;
    told.changed().await.unwrap();
    let waited = start.elapsed();
    println!("from the command to published: {waited:?}");
    assert!(waited < crate::supervise::POLL);
    assert_eq!(heard(&told.borrow()).1, None);
    stop.send_replace(true);
    follower.await.unwrap();
}
