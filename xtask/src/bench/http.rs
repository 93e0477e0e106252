//! `cargo xtask bench http`: the trap against nginx, which writes a JSON line for every request.
//!
//! Four loads by rate: requests, one by connection and kept alive, and handshakes of TLS, full and resumed, with the
//! same version, group, cipher and type of key on both sides. What is held against a target is what a second of the
//! server's processor answers: the load shares the machine, and where it is the slower of the two a rate says nothing.
//! Then what it costs to be left alone with: [`super::held`].

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use super::load::{Kind, Orders};
use super::targets::Judged;
use super::{Measured, Plan, What, held, load, measure, median, print, servers, targets};
use crate::program::{Program, exercise};
use crate::{Done, Trouble};

/// The trap alone: nobody makes sense of what it records, as nobody does of nginx's log.
const ALONE: &str = "follow = false\n";

pub(super) const NGINX: &str = "nginx, JSON access log";
pub(super) const OURS: &str = "bailiwick, every contact on disk";

/// What is asked for, and what share of nginx's rate the issue wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Single,
    KeptAlive,
    Handshakes(Kind),
}

const ALL: [(Asked, f64); 4] = [
    (Asked::Single, 0.95),
    (Asked::KeptAlive, 0.9),
    (Asked::Handshakes(Kind::Full), 0.9),
    (Asked::Handshakes(Kind::Resumed), 0.9),
];

pub(super) fn compare(plan: Plan, binary: &Path) -> Done {
    let page = page(binary)?;
    let mut judged = Vec::new();
    for (asked, share) in ALL {
        judged.push(compare_rates(asked, share, plan, (binary, &page))?);
    }
    judged.extend(held::compare(plan, binary, &page)?);
    targets::say(&judged);
    Ok(())
}

fn compare_rates(asked: Asked, share: f64, plan: Plan, (binary, page): (&Path, &str)) -> Result<Judged, Trouble> {
    let mut rounds: [Vec<Measured>; 2] = Default::default();
    for round in 1..=plan.rounds {
        println!("round {round} of {}, {}", plan.rounds, asked.spoken());
        let nginx = servers::nginx(page)?;
        let port = if asked.is_tls() { nginx.https } else { nginx.peer.port };
        rounds[0].push(measure(&nginx.peer.pids(), asked.orders(port, plan))?);
        rounds[1].push(ours(asked, plan, binary)?);
    }
    let seen = median(&rounds[1], Measured::per_cpu_sec) / median(&rounds[0], Measured::per_cpu_sec);
    let [nginx, ours] = rounds;
    println!("\n{}", asked.spoken());
    print(asked.operation(), &[(NGINX, nginx), (OURS, ours)]);
    Ok(Judged::at_least(format!("{} against nginx", asked.spoken()), share, seen))
}

fn ours(asked: Asked, plan: Plan, binary: &Path) -> Result<Measured, Trouble> {
    let mut program = alone(binary)?;
    program.start()?;
    let port = if asked.is_tls() { program.ports.https } else { program.ports.http };
    let measured = measure(&[program.pid()?], asked.orders(port, plan))?;
    program.stop()?;
    let kind = if asked.is_tls() { "hello" } else { "request" };
    println!("  {} answered, on disk: {}", measured.seen.answered, program.on_disk()?["by_kind"][kind]);
    Ok(measured)
}

/// Our program on core 0, with nothing to do but answer and record.
pub(super) fn alone(binary: &Path) -> Result<Program, Trouble> {
    let mut program = Program::install_build(&exercise(), PathBuf::from(binary))?;
    program.configure_also(ALONE)?;
    program.pinned = ["taskset", "-c", "0"].map(str::to_owned).to_vec();
    Ok(program)
}

/// A page for nginx, as long as our own notice is at this time, so that nobody sends less.
fn page(binary: &Path) -> Result<String, Trouble> {
    let mut program = alone(binary)?;
    program.start()?;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, program.ports.http))?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", load::asked_for()?.as_str())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    program.stop()?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer of ours to copy")?;
    println!("each answer carries a page of {} octets", body.len());
    Ok("x".repeat(body.len()))
}

impl Asked {
    fn is_tls(self) -> bool {
        matches!(self, Self::Handshakes(_))
    }

    fn operation(self) -> &'static str {
        if self.is_tls() { "hello" } else { "request" }
    }

    fn spoken(self) -> String {
        let tls = callers::tls::MEASURED;
        match self {
            Self::Single => "one request per connection".to_owned(),
            Self::KeptAlive => "requests on kept connections".to_owned(),
            Self::Handshakes(Kind::Full) => format!("full handshakes ({tls}, ECDSA P-256)"),
            Self::Handshakes(Kind::Resumed) => format!("resumed handshakes ({tls})"),
        }
    }

    fn orders(self, port: u16, plan: Plan) -> Orders {
        let orders = Orders::new(What::Http, port, plan.secs);
        match self {
            Self::Single => orders,
            Self::KeptAlive => orders.keep_alive(),
            Self::Handshakes(kind) => orders.handshakes(kind),
        }
    }
}
