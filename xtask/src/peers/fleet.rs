//! A fleet that our catalog drives: Knot and BIND take every seized zone from our primary, and answer as we do.
//!
//! A name comes, changes and goes by what the program's own command line makes of it. Both sign, and are told.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use super::name_servers::{NameServer, Recipe};
use crate::clock::{Watch, wait_for};
use crate::program::{Ports, Program};
use crate::story::{Given, case_file};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// Comes, goes back, and goes; and one that stays.
const MOVING: &str = "moving.test";
const STAYING: &str = "staying.test";
const SECRET: &str = "c2l4dGVlbiBvciBtb3JlIG9jdGV0cyBvZiBhIHRlc3Q=";
/// From the end of a command to another answer.
const TOLD_MAX: Duration = Duration::from_secs(2);
/// How long one question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(2);

const KNOT: Recipe =
    Recipe { name: "Knot", program: "knotd", arguments: &["-c", "@FOLDER@/knot.conf"], files: &["knot.conf"] };
const BIND: Recipe = Recipe {
    name: "BIND",
    program: "named",
    arguments: &["-g", "-n", "1", "-c", "@FOLDER@/bind.conf"],
    files: &["bind.conf"],
};

/// What a secondary must answer as we do. Not the SOA: a serial without news is not taken over.
const ASKED: [(&str, RecordType); 16] = [
    ("", RecordType::A),
    ("", RecordType::AAAA),
    ("", RecordType::NS),
    ("", RecordType::MX),
    ("", RecordType::TXT),
    ("", RecordType::CAA),
    ("", RecordType::HTTPS),
    ("www.", RecordType::A),
    ("a.b.c.", RecordType::TXT),
    ("mail.", RecordType::MX),
    ("_dmarc.", RecordType::TXT),
    ("_dmarc.", RecordType::A),
    ("x._dmarc.", RecordType::A),
    ("x._dmarc.", RecordType::TXT),
    ("_domainkey.", RecordType::AAAA),
    ("key1._domainkey.", RecordType::TXT),
];

pub fn run(tally: &mut Tally) -> Done {
    let [primary, knot, bind] = [address()?, address()?, address()?];
    let mut program = install(primary, [knot, bind])?;
    program.start()?;
    let words = [("PRIMARY", primary.port().to_string()), ("SECRET", SECRET.to_owned())];
    let words: Vec<(&str, &str)> = words.iter().map(|(word, value)| (*word, value.as_str())).collect();
    let start = |recipe, address| NameServer::start(recipe, "fleet", address, &words);
    let fleet = [start(&KNOT, knot)?, start(&BIND, bind)?];

    program.approve(None)?;
    all_see(tally, &fleet, "a new name is answered", |answer| answer.is_some_and(|answer| !answer.records.is_empty()));
    for server in &fleet {
        tally.check(&format!("{} answers as we do", server.name), alike(program.dns(), server));
    }
    program.narrow(MOVING, "handback")?;
    all_see(tally, &fleet, "a name that is handed back leads nowhere of ours", |answer| {
        answer.is_some_and(|answer| answer.rcode == ResponseCode::NoError && answer.records.is_empty())
    });
    program.narrow(MOVING, "off")?;
    all_see(tally, &fleet, "a returned name is dropped", |answer| {
        answer.is_some_and(|answer| answer.rcode == ResponseCode::Refused)
    });
    for server in &fleet {
        let stays = ask(server.address, STAYING, RecordType::A).is_some_and(|answer| !answer.records.is_empty());
        tally.check(&format!("{}: the other name stays", server.name), holds(stays, || server.log()));
    }
    tally.check("the primary stops cleanly", program.stop());
    Ok(())
}

//----------- Us ---------------------------------------------------------------------------------------------------

fn install(primary: SocketAddr, fleet: [SocketAddr; 2]) -> Result<Program, Trouble> {
    let folder = tempfile::TempDir::with_prefix("bailiwick-fleet-")?;
    let paper = folder.path().join("case.toml");
    let names = [Given::Seized(MOVING.to_owned()), Given::Seized(STAYING.to_owned())];
    fs::write(&paper, case_file(names.iter(), crate::clock::now()))?;
    let program = Program::install_unserved(&paper)?;
    let secret = program.path("k1.secret");
    fs::write(&secret, SECRET)?;
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600))?;
    let [knot, bind] = fleet;
    program.configure_also(&format!(
        "[catalog]\nzone = \"catalog.invalid\"\n[transfer]\nlisten = [\"{primary}\"]\n\
         [[transfer.key]]\nname = \"k1.invalid\"\nsecret_file = \"k1.secret\"\n\
         [[transfer.peer]]\nnetwork = \"127.0.0.1/32\"\nkey = \"k1.invalid\"\nzones = [\"seized\", \"catalog.invalid\"]\n\
         notify = [\"{knot}\", \"{bind}\"]\n"
    ))?;
    Ok(program)
}

fn address() -> Result<SocketAddr, Trouble> {
    Ok((Ipv4Addr::LOCALHOST, Ports::free()?.dns).into())
}

//----------- Them -------------------------------------------------------------------------------------------------

/// Each server sees it, and in time.
fn all_see(tally: &mut Tally, fleet: &[NameServer], what: &str, is_so: impl Fn(Option<Answer>) -> bool) {
    let watch = Watch::start();
    for server in fleet {
        let mut last = None;
        let seen = wait_for(what, TOLD_MAX, || {
            last = ask(server.address, MOVING, RecordType::A);
            is_so(last.clone()).then_some(())
        });
        println!("  {}: {what} after {:.2} s", server.name, watch.secs());
        let seen = seen.map_err(|trouble| format!("{trouble}; the last answer: {last:?}\n{}", server.log()).into());
        tally.check(&format!("{}: {what} within {TOLD_MAX:?}", server.name), seen);
    }
}

fn alike(ours: SocketAddr, server: &NameServer) -> Done {
    for (below, kind) in ASKED {
        let name = format!("{below}{MOVING}");
        let (told, wanted) = (ask(server.address, &name, kind), ask(ours, &name, kind));
        holds(told.is_some() && told == wanted, || format!("{name} {kind}: {told:?}, and we say {wanted:?}"))?;
    }
    Ok(())
}

/// What was answered, in an order of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Answer {
    rcode: ResponseCode,
    records: Vec<String>,
}

fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Option<Answer> {
    let mut question = Message::query();
    question.add_query(Query::query(Name::from_ascii(name).ok()?, kind));
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    socket.send_to(&question.to_vec().ok()?, server).ok()?;
    let mut octets = [0; 4_096];
    let len = socket.recv(&mut octets).ok()?;
    let answer = Message::from_vec(&octets[..len]).ok()?;
    let mut records: Vec<String> = answer.answers.iter().map(ToString::to_string).collect();
    records.sort();
    Some(Answer { rcode: answer.metadata.response_code, records })
}
