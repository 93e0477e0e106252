//! One table of cases, asked of us and of four other name servers that serve the same zone, in the same run.
//!
//! Where we differ from the table the suite fails. Where a peer differs the table must say why: either an RFC leaves
//! the choice, or the peer departs from it. The matrix at the end shows who does what; `docs/reference/conformance.md`
//! tells the differences to people. The zone of the others is as equal to ours as a zone file can be.

mod packet;
mod reply;
mod send;
mod table;
mod want;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use self::send::{Way, exchange};
use self::table::{Case, Who};
use super::name_servers::{NameServer, Recipe};
use crate::program::{Ports, Program};
use crate::story::{Given, case_file};
use crate::tally::{Tally, all, holds};
use crate::{Done, Trouble};

/// Any 128 bits: they guard nothing here, and all servers have the same.
const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

const RECIPES: [(Who, Recipe); 4] = [
    (
        Who::Nsd,
        Recipe {
            name: "NSD",
            program: "nsd",
            arguments: &["-d", "-c", "@FOLDER@/nsd.conf"],
            files: &["nsd.conf", "seized.test.zone"],
        },
    ),
    (
        Who::Knot,
        Recipe {
            name: "Knot",
            program: "knotd",
            arguments: &["-c", "@FOLDER@/knot.conf"],
            files: &["knot.conf", "seized.test.zone"],
        },
    ),
    (
        Who::Bind,
        Recipe {
            name: "BIND",
            program: "named",
            arguments: &["-g", "-n", "1", "-c", "@FOLDER@/named.conf"],
            files: &["named.conf", "seized.test.zone"],
        },
    ),
    (
        Who::Pdns,
        Recipe {
            name: "PowerDNS",
            program: "pdns_server",
            arguments: &["--config-dir=@FOLDER@"],
            files: &["pdns.conf", "pdns-zones.conf", "seized.test.zone"],
        },
    ),
];

pub fn run(tally: &mut Tally) -> Done {
    let mut program = install()?;
    program.start()?;
    let peers = start_peers()?;
    let mut servers = vec![(Who::Us, program.dns())];
    servers.extend(peers.iter().map(|(who, server)| (*who, server.address)));
    let cases = table::cases();
    let seen = ask_all(&servers, &cases);
    judge(tally, &cases, &seen);
    print_matrix(&cases, &seen);
    tally.check("after all of it we stop cleanly", program.stop());
    Ok(())
}

/// We, with the one zone and its sixteen addresses: an answer that can outgrow 512 octets.
fn install() -> Result<Program, Trouble> {
    let folder = tempfile::TempDir::with_prefix("bailiwick-conformance-")?;
    let paper = folder.path().join("case.toml");
    fs::write(&paper, case_file([Given::Seized(packet::APEX.to_owned())].iter(), crate::clock::now()))?;
    let program = Program::install(&paper)?;
    let addresses: Vec<String> = (1..=table::ADDRESSES).map(|last| format!("\"127.0.0.{last}\"")).collect();
    let text = fs::read_to_string(program.config())?;
    let changed = text.replacen("v4 = [\"127.0.0.1\"]", &format!("v4 = [{}]", addresses.join(", ")), 1);
    let changed = changed.replacen("[dns]\n", "[dns]\nnsid = \"ns1.sinkhole\"\n", 1);
    holds(text != changed, || "the configuration was not changed".to_owned())?;
    fs::write(program.config(), changed)?;
    Ok(program)
}

fn start_peers() -> Result<Vec<(Who, NameServer)>, Trouble> {
    let start = |(who, recipe): &(Who, Recipe)| {
        let address = SocketAddr::from(([127, 0, 0, 1], Ports::free()?.dns));
        Ok((*who, NameServer::start(recipe, "conformance", address, &[("SECRET", SECRET)])?))
    };
    RECIPES.iter().map(start).collect()
}

//----------- Asking -----------------------------------------------------------------------------------------------

/// What one server did in every case: `None` is as the table says.
struct Seen {
    who: Who,
    differs: Vec<Option<String>>,
}

/// Every server has a thread of its own, and each of its cases comes from a network of its own.
fn ask_all(servers: &[(Who, SocketAddr)], cases: &[Case]) -> Vec<Seen> {
    thread::scope(|scope| {
        let asking: Vec<_> =
            servers.iter().map(|&(who, server)| (who, scope.spawn(move || ask_one(server, cases)))).collect();
        let seen =
            asking.into_iter().map(|(who, thread)| Seen { who, differs: thread.join().expect("no case panics") });
        seen.collect()
    })
}

/// Whoever waits for a close waits beside the others.
fn ask_one(server: SocketAddr, cases: &[Case]) -> Vec<Option<String>> {
    thread::scope(|scope| {
        let one = move |(number, case): (usize, &Case)| differs(case, source(number), server);
        let waiting: Vec<_> = cases
            .iter()
            .enumerate()
            .filter(|(_, case)| case.way == Way::Idle)
            .map(|numbered| (numbered.0, scope.spawn(move || one(numbered))))
            .collect();
        let mut seen: Vec<Option<String>> = cases
            .iter()
            .enumerate()
            .map(|numbered| if numbered.1.way == Way::Idle { None } else { one(numbered) })
            .collect();
        for (number, thread) in waiting {
            seen[number] = thread.join().expect("no case panics");
        }
        seen
    })
}

fn source(number: usize) -> Ipv4Addr {
    let network = u8::try_from(number % 250).expect("below 250");
    Ipv4Addr::new(127, 17, network, 1)
}

fn differs(case: &Case, source: Ipv4Addr, server: SocketAddr) -> Option<String> {
    let replies = match exchange(case.way, &case.ask, source, server) {
        Ok(replies) => replies,
        Err(trouble) => return Some(trouble.to_string()),
    };
    replies.iter().find_map(|reply| want::judge(case.want, &case.ask, reply).err())
}

//----------- Judging ----------------------------------------------------------------------------------------------

fn judge(tally: &mut Tally, cases: &[Case], seen: &[Seen]) {
    for (number, case) in cases.iter().enumerate() {
        let ours = seen.iter().filter(|seen| seen.who == Who::Us).filter_map(|seen| seen.differs[number].clone());
        let kept = ours.map(|what| Err(format!("{what} ({})", case.rfc).into()));
        tally.check(case.name, all(kept));
    }
    for peer in seen.iter().filter(|seen| seen.who != Who::Us) {
        let promise = format!("where {} differs, the table says why", peer.who.name());
        let unexplained = cases.iter().zip(&peer.differs).filter_map(|(case, differs)| {
            let what = differs.as_ref().filter(|_| case.why(peer.who).is_none())?;
            Some(format!("{}: {what} ({})", case.name, case.rfc))
        });
        let unexplained: Vec<String> = unexplained.collect();
        tally.check(&promise, holds(unexplained.is_empty(), || unexplained.join("\n")));
    }
}

/// Who does what, and below it each difference with its reason.
fn print_matrix(cases: &[Case], seen: &[Seen]) {
    let names: Vec<String> = seen.iter().map(|seen| format!("{:>9}", seen.who.name())).collect();
    println!("\n  {:<62}{}", "case", names.concat());
    for (number, case) in cases.iter().enumerate() {
        let cell = |seen: &Seen| if seen.differs[number].is_none() { "ok" } else { "differs" };
        let cells: Vec<String> = seen.iter().map(|seen| format!("{:>9}", cell(seen))).collect();
        println!("  {:<62}{}", case.name, cells.concat());
    }
    let sums: Vec<String> = seen.iter().map(|seen| format!("{:>9}", as_wanted(seen))).collect();
    println!("  {:<62}{}\n", format!("as the table says, of {}", cases.len()), sums.concat());
    for (number, case) in cases.iter().enumerate() {
        for peer in seen.iter().filter(|seen| seen.who != Who::Us) {
            print_difference(case, peer.who, peer.differs[number].as_deref());
        }
    }
}

fn as_wanted(seen: &Seen) -> usize {
    seen.differs.iter().filter(|differs| differs.is_none()).count()
}

/// A reason without a difference is no failure: the next version of a peer may do as the table says.
fn print_difference(case: &Case, who: Who, differs: Option<&str>) {
    match (differs, case.why(who)) {
        (Some(what), why) => println!("  {}, {}: {what}; {}", who.name(), case.name, why.unwrap_or("NOT EXPLAINED")),
        (None, Some(_)) => println!("  {}, {}: as the table says by now; the reason can go", who.name(), case.name),
        (None, None) => {}
    }
}
