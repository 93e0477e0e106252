//! What connections cost that are opened and left: memory of each, and what the next caller waits.
//!
//! They are held by a process of its own, from sixteen networks, so that neither a limit on files nor one by prefix is
//! what is measured. Memory is what the server's processes own (PSS) with them less what they owned before, by
//! connection: what the kernel holds for a socket is the same for everybody and not in it, nor is what a server had set
//! aside before anybody came (nginx: a table of 15,000 connections).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Stdio};

use super::http::{NGINX, OURS, alone};
use super::load::{HoldOrders, How, Orders};
use super::targets::Judged;
use super::{Measured, Plan, Seen, What, measure, median_by, meter, servers};
use crate::clock::pause;
use crate::program::Program;
use crate::shell::{Kept, command};
use crate::{Done, Trouble};

const HALF_OPEN: usize = 10_000;
const SILENT: usize = 1_000;
/// From a connect to what is left of it in memory: the server has read what was sent by then.
const SETTLED: std::time::Duration = std::time::Duration::from_millis(500);

/// One server beside those who hold it.
struct Beside {
    how: How,
    bytes_each: f64,
    /// Of one request after the other: before they came, and while they were there.
    before: Option<Measured>,
    during: Option<Measured>,
}

pub(super) fn compare(plan: Plan, binary: &Path, page: &str) -> Result<Vec<Judged>, Trouble> {
    let mut rounds: [Vec<Beside>; 2] = Default::default();
    for round in 1..=plan.rounds {
        println!("round {round} of {}, connections that are left open", plan.rounds);
        for (how, count) in [
            (How::HalfHead, HALF_OPEN),
            (How::Silent, SILENT),
            (How::Hello, HALF_OPEN),
            (How::HalfHeadOverTls, HALF_OPEN),
        ] {
            let nginx = servers::nginx(page)?;
            let server = Server { pids: nginx.peer.pids(), http: nginx.peer.port, https: nginx.https };
            rounds[0].push(server.beside(how, count, plan)?);
            let mut program = alone(binary)?;
            program.start()?;
            rounds[1].push(Server::of(&program)?.beside(how, count, plan)?);
            program.stop()?;
        }
    }
    table(&rounds);
    Ok(judge(&rounds[1]))
}

//----------- Holding ----------------------------------------------------------------------------------------------

struct Server {
    pids: Vec<u32>,
    http: u16,
    https: u16,
}

impl Server {
    fn of(program: &Program) -> Result<Self, Trouble> {
        Ok(Self { pids: vec![program.pid()?], http: program.ports.http, https: program.ports.https })
    }

    fn beside(&self, how: How, count: usize, plan: Plan) -> Result<Beside, Trouble> {
        let asks = matches!(how, How::HalfHead | How::Silent);
        let ask =
            || asks.then(|| measure(&self.pids, Orders::new(What::Http, self.http, plan.secs).alone())).transpose();
        let before = ask()?;
        let port = if asks { self.http } else { self.https };
        // One round of everything that is only made once.
        Holder::start(HoldOrders::new(how, port, 100))?.end(100)?;
        let owned = meter::resident_mb(&self.pids)?;
        let holder = Holder::start(HoldOrders::new(how, port, count))?;
        pause(SETTLED);
        let bytes_each = (meter::resident_mb(&self.pids)? - owned) * 1024.0 * 1024.0 / count as f64;
        let during = ask()?;
        holder.end(count)?;
        Ok(Beside { how, bytes_each, before, during })
    }
}

/// The process that holds.
pub(super) struct Holder {
    running: Kept,
    said: BufReader<ChildStdout>,
}

impl Holder {
    pub(super) fn start(orders: HoldOrders) -> Result<Self, Trouble> {
        let mut hold = command("taskset", ["-c", "1"]);
        hold.arg(std::env::current_exe()?).arg("hold").args(orders.words());
        let mut child = hold.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stdout.take().ok_or("the holder has no output")?);
        let mut holder = Self { running: Kept(child), said };
        match holder.line()?.as_str() {
            "holding" => Ok(holder),
            other => Err(format!("the holder said {other:?}").into()),
        }
    }

    /// Lets go; a server that had ended some of them was measured with fewer.
    pub(super) fn end(mut self, count: usize) -> Done {
        drop(self.running.0.stdin.take());
        let left: usize = self.line()?.parse()?;
        self.running.0.wait()?;
        if left == count { Ok(()) } else { Err(format!("of {count} connections {left} were left at the end").into()) }
    }

    fn line(&mut self) -> Result<String, Trouble> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

//----------- Telling ----------------------------------------------------------------------------------------------

fn table(rounds: &[Vec<Beside>; 2]) {
    println!("\n{:<40} {:<24} {:>9} {:>7} {:>8} {:>7} {:>8}", "server", "held", "octets", "p50", "p99", "max", "p50+");
    for (name, rounds) in [(NGINX, &rounds[0]), (OURS, &rounds[1])] {
        for how in [How::HalfHead, How::Silent, How::Hello, How::HalfHeadOverTls] {
            println!(
                "{name:<40} {:<24} {:>9.0} {:>7.0} {:>8.0} {:>7.0} {:>8.0}",
                spoken(how),
                of(rounds, how, |one| one.bytes_each),
                during(rounds, how, |seen| seen.latency.p50_micros),
                during(rounds, how, |seen| seen.latency.p99_micros),
                during(rounds, how, |seen| seen.latency.max_micros),
                added(rounds, how),
            );
        }
    }
    println!(
        "\noctets: of the server's own memory, by connection held; µs of a new connection with one request while they are held; p50+: what they add to the median"
    );
}

fn spoken(how: How) -> &'static str {
    match how {
        How::HalfHead => "10,000 half a head",
        How::Silent => "1,000 silent",
        How::Hello => "10,000 hello of TLS",
        How::HalfHeadOverTls => "10,000 half a head, TLS",
    }
}

fn judge(ours: &[Beside]) -> Vec<Judged> {
    let p99 = |how| during(ours, how, |seen| seen.latency.p99_micros / 1000.0);
    vec![
        Judged::at_most(
            "octets of memory by half-open connection".to_owned(),
            2048.0,
            of(ours, How::HalfHead, |one| one.bytes_each),
        ),
        Judged::at_most("ms of a new request while 10,000 are half open, p99".to_owned(), 50.0, p99(How::HalfHead)),
        Judged::at_most(
            "ms that 1,000 silent clients add to a request".to_owned(),
            5.0,
            added(ours, How::Silent) / 1000.0,
        ),
    ]
}

fn of(rounds: &[Beside], how: How, value: impl Fn(&Beside) -> f64) -> f64 {
    let these: Vec<&Beside> = rounds.iter().filter(|one| one.how == how).collect();
    median_by(&these, |one| value(one))
}

fn during(rounds: &[Beside], how: How, value: fn(&Seen) -> f64) -> f64 {
    of(rounds, how, |one| one.during.as_ref().map_or(f64::NAN, |during| value(&during.seen)))
}

/// What the median of a request grew by.
fn added(rounds: &[Beside], how: How) -> f64 {
    of(rounds, how, |one| match (&one.before, &one.during) {
        (Some(before), Some(during)) => during.seen.latency.p50_micros - before.seen.latency.p50_micros,
        _ => f64::NAN,
    })
}
