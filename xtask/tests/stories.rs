//! The DNS steps of every story, told to the pure core: bytes in, bytes out, no socket, no clock, no disk.
//!
//! `cargo xtask test stories` tells the same files to the running program. Steps about anything but DNS are left to it;
//! at least one DNS answer must have been judged in all, or this test tests nothing.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use docket::casefile::{self, CaseFile, FiledOrder};
use docket::zonefile;
use model::approval::{Approval, Approvals, PutInForce, Request, Widening};
use model::id::{PersonId, RequestId};
use model::order::{Act, Order};
use model::person::{Person, Role};
use model::seizure::ServiceMode;
use model::{Digest, DomainName, Timestamp};
use sinkhole::{CapturedFiles, Settings, ZoneTable};
use store::zones::{Zone, ZoneSet};
use wire::dns::{CookieJar, Manners, Query, Transport, answer};
use xtask::story::dns::{Reply, judge, question, read};
use xtask::story::{Ask, Step, Story, When, case_file, zone_files};
use xtask::{Done, Trouble, story};

#[test]
fn the_pure_core_answers_as_the_stories_tell() {
    let mut judged = 0;
    for (path, story) in story::all().expect("the stories can be read") {
        match tell(&story) {
            Ok(answers) => judged += answers,
            Err(trouble) => panic!("{}: {trouble}", path.display()),
        }
    }
    assert!(judged >= 20, "only {judged} answers were judged");
}

/// Tells one story; how many answers were judged.
fn tell(story: &Story) -> Result<usize, Trouble> {
    let mut stage = Stage::set(story)?;
    let mut judged = 0;
    for (line, step) in &story.steps {
        judged += stage.step(step).map_err(|trouble| format!("line {line}: {trouble}"))?;
    }
    Ok(judged)
}

/// The zones of the story's case, and the last answer.
struct Stage {
    case: CaseFile,
    orders: Vec<Order>,
    narrowed: Vec<(DomainName, ServiceMode)>,
    /// What the owners had, by file.
    captured: CapturedFiles,
    files: BTreeMap<DomainName, Digest>,
    zones: ZoneTable,
    /// `None` before any question; `Some(None)` if nothing came back.
    last: Option<Option<Reply>>,
}

impl Stage {
    fn set(story: &Story) -> Result<Self, Trouble> {
        let case = casefile::parse(&case_file(story.givens(), Timestamp::UNIX_EPOCH))
            .map_err(|faults| format!("the story's case: {faults:?}"))?;
        let orders = case.orders.iter().map(|order| in_force(&case, order)).collect();
        let (captured, files) = (CapturedFiles::default(), BTreeMap::new());
        let mut stage =
            Self { case, orders, narrowed: Vec::new(), captured, files, zones: ZoneTable::default(), last: None };
        for (name, text) in zone_files(story.givens()) {
            stage.keep(name, &text)?;
        }
        stage.serve()?;
        Ok(stage)
    }

    fn keep(&mut self, name: &str, text: &str) -> Done {
        let name = DomainName::parse(name).map_err(|error| error.to_string())?;
        let read = zonefile::read(text.as_bytes(), &name).map_err(|fault| fault.to_string())?;
        let file = Digest::of_bytes(text.as_bytes());
        self.captured.insert((name.clone(), file), read.records);
        self.files.insert(name, file);
        Ok(())
    }

    /// Makes the table anew from what the orders cover.
    fn serve(&self) -> Done {
        let mut set = ZoneSet { serial: 1, zones: Vec::new() };
        for order in &self.orders {
            for name in order.names().keys() {
                let Some(coverage) = order.covers(name, Act::Answer) else { continue };
                let narrowed = self.narrowed.iter().rev().find(|(narrowed, _)| narrowed == name);
                let mode = narrowed.map_or(ServiceMode::Collect, |(_, mode)| *mode);
                let zone = Zone::new(coverage, mode, &self.case.terms, order.terms()).map_err(|no| no.to_string())?;
                let file = self.files.get(name).filter(|_| mode == ServiceMode::Handback);
                set.zones.push(zone.with_captured(file.copied()));
            }
        }
        let (answer_v4, answer_v6) = (vec![Ipv4Addr::LOCALHOST], vec![Ipv6Addr::LOCALHOST]);
        let settings = Settings { answer_v4, answer_v6, ..Settings::default() };
        self.zones.replace_with(set, &settings, &self.captured);
        Ok(())
    }

    /// One step; 1 if an answer was judged by it.
    fn step(&mut self, step: &Step) -> Result<usize, Trouble> {
        match step {
            Step::When(When::Asks(ask)) => self.asks(ask)?,
            Step::When(When::SendsOctets { octets, .. }) => self.last = Some(self.answer(octets, Transport::Udp)?),
            Step::When(When::Narrowed { name, mode }) => self.narrow(name, mode)?,
            Step::When(_) => self.last = None,
            Step::Then(then) if then.is_about_dns() => {
                let reply = self.last.as_ref().ok_or("nothing was asked")?;
                judge(then, reply.as_ref())?;
                return Ok(1);
            }
            Step::Given(_) | Step::Then(_) => {}
        }
        Ok(0)
    }

    fn asks(&mut self, ask: &Ask) -> Done {
        let transport = if ask.over_tcp { Transport::Tcp } else { Transport::Udp };
        self.last = Some(self.answer(&question(ask)?, transport)?);
        Ok(())
    }

    fn answer(&self, octets: &[u8], transport: Transport) -> Result<Option<Reply>, Trouble> {
        let query = Query::parse(octets);
        let zones = self.zones.read();
        let found = query.question.and_then(|question| zones.find(question.name));
        let zone = found.map(|found| wire::dns::Zone::new(&found.served.answers, found.depth));
        let mut out = Vec::new();
        let jar = CookieJar::new(&[0; 16], None);
        let manners = Manners::new(&jar, Ipv4Addr::LOCALHOST.into(), 0);
        answer(&query, zone, transport, &manners, &mut out).map(|_| read(octets, &out)).transpose()
    }

    fn narrow(&mut self, name: &str, mode: &str) -> Done {
        let mode = match mode {
            "hold" => ServiceMode::Hold,
            "handback" => ServiceMode::Handback,
            _ => ServiceMode::Off,
        };
        self.narrowed.push((DomainName::parse(name).map_err(|error| error.to_string())?, mode));
        self.serve()
    }
}

/// The order, approved by two people as the law wants it: there is no other way to a zone.
fn in_force(case: &CaseFile, filed: &FiledOrder) -> Order {
    let mut order = Order::draft(case.terms.id.clone(), filed.terms.clone(), filed.names().clone());
    let what = PutInForce { order: filed.terms.id.clone(), terms: order.digest() };
    let (id, shown) = (RequestId(1), Digest::of_value(&what));
    let mut approvals = Approvals::default();
    let widening = Widening::PutInForce(what);
    let request = Request { id, case: case.terms.id.clone(), what: widening, shown, exercise: true };
    approvals.ask(request, None, Timestamp::UNIX_EPOCH);
    for (name, role) in [("ines", Role::Investigator), ("lars", Role::Legal)] {
        let person = PersonId::parse(name).expect("a person's id");
        let token = Digest::of_bytes(name.as_bytes());
        let enrolled = Person { id: person.clone(), roles: [role].into(), token, fixture: true };
        approvals.give(Approval { request: id, person, role, shown }, &enrolled).expect("two people in two roles may");
    }
    let approved = approvals.approved(id).expect("both said yes");
    order.put_in_force(&approved).expect("the approval is for this order");
    order
}
