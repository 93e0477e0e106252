//! A rehearsal for tests: one exercise in force, a journal in a folder that goes away, sockets on loopback.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use model::answers::AnswerSet;
use model::approval::{Approval, Approvals, PutInForce, Request, Widening};
use model::case::{AnswerPolicy, CaseTerms, Marking, NoticeTerms};
use model::group::Group;
use model::id::{CaseId, GroupId, OrderId, PersonId, RequestId};
use model::marking::{Retention, Withheld};
use model::order::{Act, Acts, Authority, Instrument, Listed, Names, Order, OrderTerms, Source, Sourced};
use model::person::{Person, Role};
use model::seizure::{AnswerEffect, ServiceMode};
use model::tally::Tally;
use model::time::Date;
use model::{Digest, DomainName, Timestamp};
use store::folder::DataFolder;
use store::journal::{Frame, Journal, JournalLimits, read_all};
use store::zones::{Zone, ZoneSet};
use tempfile::TempDir;

use crate::{Keys, Listeners, Running, Settings, ZoneTable, start};

//----------- Zones ------------------------------------------------------------------------------------------------

pub(crate) fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn sourced<T>(value: T) -> Sourced<T> {
    Sourced { value, source: Source::Unverified }
}

fn case() -> CaseTerms {
    CaseTerms {
        privacy: Default::default(),
        id: CaseId::parse("rehearsal").unwrap(),
        title: "A rehearsal".into(),
        group: Group {
            id: GroupId::parse("nobody").unwrap(),
            name: "NOBODY".into(),
            aliases: vec![],
            attributed_to: None,
        },
        contact: "sinkhole@bailiwick.example".into(),
        purpose: sourced("to rehearse".into()),
        tlp: Marking::default(),
        withheld: Withheld::default(),
        retention: Retention::default(),
        answer: AnswerPolicy::Notice,
        notice: Default::default(),
        answers: None,
    }
}

/// A zone of an exercise in force, by the normal path: two people in two roles.
pub(crate) fn zone(apex: &str, mode: ServiceMode, acts: Acts, expires: Option<Timestamp>) -> Zone {
    let listed = Listed { acts, ..Listed::default() };
    ordered(apex, mode, listed, &case(), Authority { expires: expires.map(|at| sourced(at.into())), ..authority() })
}

/// A name for which a public certificate may be had, sealed until that day.
pub(crate) fn certifiable(
    apex: &str,
    mode: ServiceMode,
    expires: Option<Timestamp>,
    sealed_until: Option<Date>,
) -> Zone {
    let listed = Listed { acts: Acts::default().with(Act::PublicCertificate), ..Listed::default() };
    let authority = Authority {
        expires: expires.map(|at| sourced(at.into())),
        sealed_until: sealed_until.map(sourced),
        ..authority()
    };
    ordered(apex, mode, listed, &case(), authority)
}

/// A name whose answers keep something from running.
pub(crate) fn kill_switch(apex: &str, expires: Option<Timestamp>) -> Zone {
    let listed = Listed { answer_effect: AnswerEffect::KillSwitch, ..Listed::default() };
    ordered(
        apex,
        ServiceMode::Collect,
        listed,
        &case(),
        Authority { expires: expires.map(|at| sourced(at.into())), ..authority() },
    )
}

/// A zone whose case says what it is answered with.
pub(crate) fn answered_with(apex: &str, answers: AnswerSet) -> Zone {
    let case = CaseTerms { answers: Some(answers), ..case() };
    ordered(apex, ServiceMode::Collect, Listed::default(), &case, authority())
}

/// A zone whose callers are answered like this, sealed until that day.
pub(crate) fn answering(apex: &str, answer: AnswerPolicy, sealed_until: Option<Date>) -> Zone {
    let authority = Authority { sealed_until: sealed_until.map(sourced), ..authority() };
    ordered(apex, ServiceMode::Collect, Listed::default(), &CaseTerms { answer, ..case() }, authority)
}

/// A zone whose case says this of its notice, by a court's order or an exercise, sealed until that day.
pub(crate) fn noticed(apex: &str, notice: NoticeTerms, instrument: Instrument, sealed_until: Option<Date>) -> Zone {
    let authority = Authority {
        instrument,
        country: None,
        issuer: sourced("District Court of <Harbour>".into()),
        docket_number: Some(sourced("1:26-cv-00042".into())),
        sealed_until: sealed_until.map(sourced),
        ..authority()
    };
    let case = CaseTerms { title: "Harbour & Sons v. Does".into(), notice, ..case() };
    ordered(apex, ServiceMode::Collect, Listed::default(), &case, authority)
}

fn authority() -> Authority {
    Authority {
        instrument: Instrument::Exercise,
        country: None,
        issuer: sourced("a rehearsal".into()),
        docket_number: None,
        judge: None,
        issued: None,
        hearing: None,
        expires: None,
        sealed_until: None,
    }
}

fn ordered(apex: &str, mode: ServiceMode, listed: Listed, case: &CaseTerms, authority: Authority) -> Zone {
    let name_servers = vec![name("ns1.sinkhole.example"), name("ns2.sinkhole.example")];
    let terms =
        OrderTerms { id: OrderId::parse("o-1").unwrap(), authority, name_servers, answers: None, registration: None };
    let names: Names = [(name(apex), listed)].into();
    let mut order = Order::draft(case.id.clone(), terms.clone(), names);
    put_in_force(&mut order);
    Zone::new(order.covers(&name(apex), Act::Answer).unwrap(), mode, case, &terms).unwrap()
}

/// The zones of one order that lists all these names.
pub(crate) fn all_collected(names: impl Iterator<Item = DomainName>) -> Vec<Zone> {
    let name_servers = vec![name("ns1.sinkhole.example"), name("ns2.sinkhole.example")];
    let id = OrderId::parse("o-1").unwrap();
    let terms = OrderTerms { id, authority: authority(), name_servers, answers: None, registration: None };
    let names: Names = names.map(|name| (name, Listed::default())).collect();
    let mut order = Order::draft(case().id, terms.clone(), names);
    put_in_force(&mut order);
    let covered = |name| order.covers(name, Act::Answer).unwrap();
    let zone = |name| Zone::new(covered(name), ServiceMode::Collect, &case(), &terms).unwrap();
    order.names().keys().map(zone).collect()
}

/// The usual zone: contacts are collected.
pub(crate) fn collected(apex: &str) -> Zone {
    zone(apex, ServiceMode::Collect, Acts::default(), None)
}

fn put_in_force(order: &mut Order) {
    let what = Widening::PutInForce(PutInForce { order: order.terms().id.clone(), terms: order.digest() });
    let (id, shown) = (RequestId(1), Digest::of_value(&what));
    let exercise = order.terms().authority.is_exercise();
    let mut approvals = Approvals::default();
    approvals.ask(Request { id, case: order.case().clone(), what, shown, exercise }, None, Timestamp::UNIX_EPOCH);
    for (who, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
        let person = PersonId::parse(who).unwrap();
        let known = Person { id: person.clone(), roles: [role].into(), token: shown, fixture: exercise };
        approvals.give(Approval { request: id, person, role, shown }, &known).unwrap();
    }
    order.put_in_force(&approvals.approved(id).unwrap()).unwrap();
}

pub(crate) fn settings() -> Settings {
    Settings { answer_v4: vec![[127, 0, 0, 1].into()], answer_v6: vec!["::1".parse().unwrap()], ..Settings::default() }
}

//----------- Stage ------------------------------------------------------------------------------------------------

/// A journal and zones to serve.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) journal: Arc<Journal>,
    pub(crate) zones: Arc<ZoneTable>,
    pub(crate) settings: Settings,
    _data: DataFolder,
}

impl Stage {
    pub(crate) fn new(zones: Vec<Zone>, settings: Settings) -> Self {
        Self::with_limits(zones, settings, JournalLimits::default())
    }

    pub(crate) fn with_limits(zones: Vec<Zone>, settings: Settings, limits: JournalLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), "test", crate::run::now()).unwrap();
        let journal = Journal::open(&data, limits).unwrap();
        let table = Arc::new(ZoneTable::default());
        table.replace(ZoneSet { serial: 7, zones }, &settings);
        Self { folder, journal, zones: table, settings, _data: data }
    }

    pub(crate) fn start(&self, listeners: Listeners) -> Running {
        let keys = Keys { dir: self.folder.path().join("keys") };
        std::fs::create_dir_all(&keys.dir).unwrap();
        start(listeners, Arc::clone(&self.zones), &self.journal, &self.settings, &keys).unwrap()
    }

    /// Starts DNS on a free loopback port of each transport.
    pub(crate) fn start_dns(&self) -> (Running, SocketAddr, SocketAddr) {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at_udp, at_tcp) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        let running = self.start(Listeners { dns_udp: vec![udp], dns_tcp: vec![tcp], ..Listeners::default() });
        (running, at_udp, at_tcp)
    }

    pub(crate) fn journal_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("data/journal")
    }

    /// Every octet below the stage's folder.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                match entry.file_type().unwrap() {
                    kind if kind.is_dir() => folders.push(entry.path()),
                    kind if kind.is_file() => octets.extend(std::fs::read(entry.path()).unwrap()),
                    _ => {}
                }
            }
        }
        octets
    }

    /// What `look` makes of each frame on disk.
    pub(crate) fn read<T>(&self, mut look: impl FnMut(&Frame<'_>) -> Option<T>) -> Vec<T> {
        let mut seen = Vec::new();
        read_all(&self.journal_folder(), &mut |frame| seen.extend(look(&frame))).unwrap();
        seen
    }
}

/// The sum over all listeners.
pub(crate) fn sum(tallies: &[(String, Tally)]) -> Tally {
    let mut sum = Tally::default();
    tallies.iter().for_each(|(_, tally)| sum.add(tally));
    sum
}

/// A caller on an address of its own that waits for its answers.
pub(crate) fn caller(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}
