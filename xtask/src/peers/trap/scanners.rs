//! nmap, sslscan, slowhttptest: those who look for weaknesses, and those who hold the line.

use std::time::Duration;

use super::{at_least, web};
use crate::Done;
use crate::program::Program;
use crate::shell::{command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};

const LIMIT: Duration = Duration::from_secs(400);
const HELLOS: &str = "select count(*) from contacts where kind = 'hello'";

pub(super) fn run(tally: &mut Tally, program: &Program) {
    tally.check("sslscan: each of its hellos is a contact", sslscan(program));
    tally.check("nmap: a minute of every probe that it has is recorded, and it is still there", versions(program));
    tally.check("nmap: this is no open relay", open_relay(program));
    tally.check("nmap: its TLS script sees no old version", old_tls(program));
    for (promise, words) in [
        ("slow heads", &["-H", "-i", "2"][..]),
        ("slow bodies", &["-B", "-i", "2"]),
        ("slow reading", &["-X", "-w", "8", "-y", "16", "-n", "2", "-z", "8"]),
        ("ranges", &["-R"]),
    ] {
        tally.check(&format!("slowhttptest: {promise}, and the page is served throughout"), slow(program, words));
    }
}

/// Some hundred probes, of which many wait for an answer that does not come: a minute of them is enough.
fn versions(program: &Program) -> Done {
    const PROBES: &str = "select count(*) from contacts where kind in ('request', 'message', 'connection')";
    let before = program.count(PROBES)?;
    let ports = format!("{},{}", program.ports.http, program.ports.smtp);
    let words = ["-Pn", "-n", "-sT", "-T4", "-sV", "--version-all", "--host-timeout", "60s", "-p", &ports];
    run_for(command("nmap", words).arg("127.0.0.1"), LIMIT)?.good()?;
    at_least(program, PROBES, before + 40)?;
    web::is_served(program)
}

fn open_relay(program: &Program) -> Done {
    let port = program.ports.smtp.to_string();
    let mut nmap = command("nmap", ["-Pn", "-n", "-sT", "--script", "+smtp-open-relay,+smtp-commands", "-p", &port]);
    let said = run_for(nmap.arg("127.0.0.1"), LIMIT)?.good()?;
    all([contains(&said, "smtp-commands"), lacks(&said, "Server is an open relay")])
}

fn old_tls(program: &Program) -> Done {
    let port = program.ports.https.to_string();
    let mut nmap = command("nmap", ["-Pn", "-n", "-sT", "--script", "+ssl-enum-ciphers", "-p", &port]);
    let said = run_for(nmap.arg("127.0.0.1"), LIMIT)?.good()?;
    all([contains(&said, "TLSv1.2"), lacks(&said, "TLSv1.0:"), lacks(&said, "SSLv3")])
}

fn sslscan(program: &Program) -> Done {
    let before = program.count(HELLOS)?;
    let place = format!("127.0.0.1:{}", program.ports.https);
    let said = run_for(&mut command("sslscan", ["--no-colour", &place]), LIMIT)?.good()?;
    contains(&said, "TLSv1.3")?;
    at_least(program, HELLOS, before + 20)
}

fn slow(program: &Program, words: &[&str]) -> Done {
    let place = format!("http://127.0.0.1:{}/slow", program.ports.http);
    let mut slow = command("slowhttptest", ["-c", "400", "-r", "200", "-l", "8", "-p", "3", "-u", &place]);
    let said = run_for(slow.args(words), LIMIT)?.all();
    holds(!said.contains("service available:   NO"), || said.lines().rev().take(30).collect::<Vec<_>>().join("\n"))?;
    web::is_served(program)
}
