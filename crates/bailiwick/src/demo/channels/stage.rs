//! The real trap on loopback, for a name whose exercise covers what callers send, and a key that account names are
//! sealed to.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use model::approval::{Approval, Approvals, PutInForce, Request, Widening};
use model::case::{AnswerPolicy, CaseTerms, Marking, NoticeTerms};
use model::group::Group;
use model::id::{CaseId, GroupId, OrderId, PersonId, RequestId};
use model::marking::{Retention, Withheld};
use model::order::{Act, Acts, Authority, Instrument, Listed, Names, Order, OrderTerms, Source, Sourced};
use model::person::{Person, Role};
use model::seizure::ServiceMode;
use model::{Digest, DomainName, Timestamp};
use sinkhole::sealed::OpeningKey;
use sinkhole::{Keys, Listeners, Running, Settings, ZoneTable};
use store::DataFolder;
use store::journal::{Journal, JournalLimits};
use store::zones::{Zone, ZoneSet};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::lines::{Line, Lines};
use crate::supervise::now;

pub(super) const APEX: &str = "outlook-verify.test";
/// Callers at once: the kernel queues some hundred, and the machine has few cores.
const CALLERS: usize = 8;

pub(super) struct Stage {
    pub(super) key: OpeningKey,
    folder: TempDir,
    lines: Lines,
    running: Option<Running>,
    runtime: Runtime,
    _journal: Arc<Journal>,
    _data: DataFolder,
}

impl Stage {
    pub(super) fn set() -> Self {
        let key = OpeningKey::generate();
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), "test", now()).unwrap();
        let journal = Journal::open(&data, JournalLimits::default()).unwrap();
        let mut settings = Settings { account_key: Some(key.sealing().clone()), ..Settings::default() };
        // Whoever logs in without TLS is heard too.
        settings.mail.login_in_clear = true;
        let zones = Arc::new(ZoneTable::default());
        zones.replace(ZoneSet { serial: 1, zones: vec![zone()] }, &settings);
        let sockets: [TcpListener; 4] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let lines = Lines::new(sockets.each_ref().map(|socket| socket.local_addr().unwrap()));
        let keys = Keys { dir: folder.path().join("keys") };
        std::fs::create_dir(&keys.dir).unwrap();
        let runtime = Runtime::new().unwrap();
        let [http, https, smtp, smtps] = sockets.map(|socket| vec![socket]);
        let listeners = Listeners { http, https, smtp, smtps, ..Listeners::default() };
        let running = {
            let _within = runtime.enter();
            sinkhole::start(listeners, zones, &journal, &settings, &keys).unwrap()
        };
        Self { key, folder, lines, running: Some(running), runtime, _journal: journal, _data: data }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Sends each on a connection of its own by each of the lines, and waits for its end.
    pub(super) fn send(&self, lines: &[Line], messages: &[Vec<u8>]) {
        std::thread::scope(|scope| {
            for share in messages.chunks(messages.len().div_ceil(CALLERS)) {
                scope.spawn(|| {
                    let each = |message: &Vec<u8>| lines.iter().for_each(|line| self.lines.call(*line, message));
                    share.iter().for_each(each);
                });
            }
        });
    }

    /// Stops the trap. What is left is the key, and the folder for as long as somebody holds it.
    pub(super) fn strike(mut self) -> (OpeningKey, TempDir) {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop());
        (self.key, self.folder)
    }
}

//----------- The order --------------------------------------------------------------------------------------------

/// The name's zone, by the normal path: two people put its order in force.
fn zone() -> Zone {
    let (case, terms) = (case(), terms());
    let acts = Acts::default().with(Act::RecordContent);
    let names: Names = [(name(APEX), Listed { acts, ..Listed::default() })].into();
    let mut order = Order::draft(case.id.clone(), terms.clone(), names);
    let what = Widening::PutInForce(PutInForce { order: terms.id.clone(), terms: order.digest() });
    let (id, shown) = (RequestId(1), Digest::of_value(&what));
    let mut approvals = Approvals::default();
    let request = Request { id, case: case.id.clone(), what, shown, exercise: true };
    approvals.ask(request, None, Timestamp::UNIX_EPOCH);
    for (who, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
        let person = PersonId::parse(who).unwrap();
        let known = Person { id: person.clone(), roles: [role].into(), token: shown, fixture: true };
        approvals.give(Approval { request: id, person, role, shown }, &known).unwrap();
    }
    order.put_in_force(&approvals.approved(id).unwrap()).unwrap();
    Zone::new(order.covers(&name(APEX), Act::Answer).unwrap(), ServiceMode::Collect, &case, &terms).unwrap()
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn sourced<T>(value: T) -> Sourced<T> {
    Sourced { value, source: Source::Unverified }
}

fn terms() -> OrderTerms {
    let authority = Authority {
        instrument: Instrument::Exercise,
        country: None,
        issuer: sourced("a rehearsal".into()),
        docket_number: None,
        judge: None,
        issued: None,
        hearing: None,
        expires: None,
        sealed_until: None,
    };
    let name_servers = vec![name("ns1.sinkhole.example"), name("ns2.sinkhole.example")];
    OrderTerms { id: OrderId::parse("o-1").unwrap(), authority, name_servers, answers: None, registration: None }
}

fn case() -> CaseTerms {
    let id = GroupId::parse("nobody").unwrap();
    CaseTerms {
        privacy: Default::default(),
        id: CaseId::parse("rehearsal").unwrap(),
        title: "A rehearsal".into(),
        group: Group { id, name: "NOBODY".into(), aliases: vec![], attributed_to: None },
        contact: "sinkhole@bailiwick.example".into(),
        purpose: sourced("to rehearse".into()),
        tlp: Marking::default(),
        withheld: Withheld::default(),
        retention: Retention::default(),
        answer: AnswerPolicy::Empty,
        notice: NoticeTerms::default(),
        answers: None,
    }
}
