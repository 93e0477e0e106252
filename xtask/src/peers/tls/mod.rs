//! openssl, sslscan, testssl, tshark: hellos of every version, whole and cut, and another program's opinion of each.
//!
//! testssl makes the oddest hellos that there are, many of them by hand, and looks for weaknesses that TLS once had. At the
//! end tshark reads all hellos that were recorded by then, whoever sent them, and names their JA3. What is absent: testssl's
//! full run, which takes minutes, and the look at system calls, which the trap's suite has.

mod capture;

use std::fs;
use std::time::Duration;

use super::SEIZED;
use super::trap::balances;
use super::trap::recorded::{unhexed, words};
use crate::clock::wait_for;
use crate::program::{LEARN, Program, exercise};
use crate::shell::{self, command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble};

use capture::capture;

/// Some hundred connections, a few of which wait for what does not come.
const LIMIT: Duration = Duration::from_secs(400);
const HELLOS: &str = "select count(*) from contacts where kind = 'hello'";
/// By hand and by openssl, each of these says hello more often than this.
const SSLSCAN_MIN: u64 = 20;
const TESTSSL_MIN: u64 = 40;
/// Handshakes that end in an alert of ours: sslscan alone is good for more.
const REFUSED_MIN: u64 = 20;
/// What tshark judges at the least.
const JUDGED_MIN: usize = 60;
/// Hellos of SSL 2.0's form have a JA3 of ours alone, and broken ones none that two programs agree on.
const UNJUDGED: [&str; 5] =
    ["tls.sslv2", "tls.hello-garbage", "tls.hello-incomplete", "tls.not-hello", "tls.hello-too-long"];

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    for (version, spoken) in [("-tls1", 0x0301), ("-tls1_1", 0x0302)] {
        let refused = old_version(&program, version, spoken);
        tally.check(&format!("openssl: {version} alone is recorded, and refused"), refused);
    }
    tally.check("openssl: a hello in several records leads to a handshake", fragmented(&program));
    tally.check("sslscan: it sees no old version, and its hellos are contacts", sslscan(&program));
    tally.check("testssl: it runs to its end, finds nothing grave, and its hellos are contacts", testssl(&program));
    tally.check("each alert that refuses a hello stands in its outcome", alerts(&program));
    tally.check("tshark: the same JA3 for every hello that was recorded", tshark(&program));
    tally.check("SIGTERM ends it cleanly", program.stop());
    tally.check("offered is what was recorded, collapsed, shed and lost", balances(&program));
    Ok(())
}

/// Waits until so many are learned: what was answered is in the journal at once, and in a query a moment later.
fn at_least(program: &Program, sql: &str, wanted: u64) -> Result<u64, Trouble> {
    wait_for(&format!("{wanted} from {sql}"), LEARN, || program.count(sql).ok().filter(|count| *count >= wanted))
}

/// A hello as it was recorded.
struct Hello {
    octets: Vec<u8>,
    ja3: String,
    oddities: Vec<String>,
}

/// What was recorded of hellos of which `condition` holds.
fn recorded(program: &Program, condition: &str) -> Result<Vec<Hello>, Trouble> {
    let rows = program.rows(&format!(
        "select r.bytes, c.ja3, c.oddities from contacts c join raw r on r.id = c.id \
         where c.kind = 'hello' and r.part = 'hello' and {condition} order by c.received"
    ))?;
    let cell = |row: &[serde_json::Value], at: usize| row[at].as_str().unwrap_or_default().to_owned();
    let hello = |row: &Vec<serde_json::Value>| -> Result<Hello, Trouble> {
        Ok(Hello { octets: unhexed(&cell(row, 0))?, ja3: cell(row, 1), oddities: words(row.get(2)) })
    };
    rows.iter().map(hello).collect()
}

/// Waits for a hello that has this oddity.
fn odd_one(program: &Program, condition: &str, oddity: &str) -> Done {
    wait_for(&format!("a hello with {oddity} where {condition}"), LEARN, || {
        let hellos = recorded(program, condition).ok()?;
        hellos.iter().any(|hello| hello.oddities.iter().any(|known| known == oddity)).then_some(())
    })
}

fn place(program: &Program) -> String {
    format!("127.0.0.1:{}", program.ports.https)
}

//----------- openssl ----------------------------------------------------------------------------------------------

fn s_client(program: &Program, words: &[&str]) -> Result<shell::Said, Trouble> {
    let client = ["s_client", "-connect", &place(program), "-servername", SEIZED, "-no_ign_eof"];
    shell::run(command("openssl", client).args(words))
}

fn old_version(program: &Program, version: &str, spoken: u16) -> Done {
    let said = s_client(program, &[version, "-cipher", "ALL:@SECLEVEL=0"])?;
    holds(!said.ok, || "it shook hands".to_owned())?;
    odd_one(program, &format!("c.tls_version = {spoken} and c.sni = '{SEIZED}'"), "tls.old-version")
}

/// Names of protocols make it longer than one record of openssl's may be.
fn fragmented(program: &Program) -> Done {
    let mut protocols: Vec<String> = (0..60).map(|n| format!("protocol-{n}")).collect();
    protocols.push("http/1.1".to_owned());
    let said = s_client(program, &["-max_send_frag", "512", "-alpn", &protocols.join(",")])?;
    contains(&said.all(), "Cipher is TLS_")?;
    odd_one(program, &format!("c.sni = '{SEIZED}'"), "tls.fragmented")
}

//----------- Those who look for weaknesses ------------------------------------------------------------------------

fn sslscan(program: &Program) -> Done {
    let before = program.count(HELLOS)?;
    let said = run_for(&mut command("sslscan", ["--no-colour", &place(program)]), LIMIT)?.good()?;
    let old = ["SSLv2     enabled", "SSLv3     enabled", "TLSv1.0   enabled", "TLSv1.1   enabled"];
    all(old.map(|enabled| lacks(&said, enabled)))?;
    contains(&said, "TLSv1.3   enabled")?;
    at_least(program, HELLOS, before + SSLSCAN_MIN).map(|_| ())
}

/// Protocols, preferences, what the server shows, and weaknesses that a hello or two tell.
fn testssl(program: &Program) -> Done {
    let before = program.count(HELLOS)?;
    let file = program.path("testssl.json");
    let mut testssl = command("testssl", ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--fast"]);
    testssl.args(["-p", "-S", "-P", "--heartbleed", "--ccs-injection", "--tls-fallback", "--drown", "--jsonfile"]);
    let said = run_for(testssl.arg(&file).arg(place(program)), LIMIT)?;
    contains(&said.out, "Done ")?;
    let findings: Vec<serde_json::Value> = serde_json::from_str(&fs::read_to_string(&file)?)?;
    offers(&findings)?;
    is_not_weak(&findings)?;
    let seen = at_least(program, HELLOS, before + TESTSSL_MIN)?;
    println!("        {} findings, {} hellos", findings.len(), seen - before);
    Ok(())
}

fn offers(findings: &[serde_json::Value]) -> Done {
    let found = |id: &str| findings.iter().find(|one| one["id"] == id).map(ToString::to_string).unwrap_or_default();
    all(["SSLv2", "SSLv3", "TLS1", "TLS1_1"].map(|id| contains(&found(id), "not offered")))?;
    all(["TLS1_2", "TLS1_3"].map(|id| all([contains(&found(id), "offered"), lacks(&found(id), "not offered")])))
}

/// Nobody shall trust our authority, and callers choose among our ciphers, each of which is sealed and forward secret (RFC
/// 8446, appendix B.4 and RFC 5289). All else that it finds grave is a weakness.
fn is_not_weak(findings: &[serde_json::Value]) -> Done {
    const MEANT: [&str; 5] =
        ["cert_trust", "cert_chain_of_trust", "cert_revocation", "cert_commonName", "cipher_order"];
    let is_meant = |one: &serde_json::Value| one["id"].as_str().is_some_and(|id| MEANT.contains(&id));
    let is_grave = |one: &serde_json::Value| one["severity"] == "CRITICAL" || one["severity"] == "HIGH";
    let grave = findings.iter().filter(|one| is_grave(one) && !is_meant(one));
    let grave: Vec<String> = grave.map(ToString::to_string).collect();
    holds(grave.is_empty(), || grave.join("\n"))
}

/// Each of the old versions, each cipher that was tried in vain.
fn alerts(program: &Program) -> Done {
    let sql = "select count(*) from outcomes where tls_completed = false and tls_alert_out is not null";
    at_least(program, sql, REFUSED_MIN).map(|_| ())
}

//----------- tshark -----------------------------------------------------------------------------------------------

fn tshark(program: &Program) -> Done {
    let hellos = program.on_disk()?["by_kind"]["hello"].as_u64().unwrap_or_default();
    program.count_reaches(HELLOS, hellos)?;
    let all = recorded(program, "true")?;
    let is_judged = |hello: &&Hello| !hello.oddities.iter().any(|oddity| UNJUDGED.contains(&oddity.as_str()));
    let ours: Vec<&Hello> = all.iter().filter(is_judged).collect();
    let file = program.path("hellos.pcap");
    fs::write(&file, capture(ours.iter().map(|hello| hello.octets.as_slice())))?;
    let mut tshark = command("tshark", ["-n", "-Y", "tls.handshake.type == 1", "-T", "fields", "-r"]);
    tshark.arg(&file).args(["-e", "tcp.stream", "-e", "tls.handshake.ja3"]);
    let said = run_for(&mut tshark, LIMIT)?.good()?;
    let theirs: Vec<(usize, &str)> = said.lines().filter_map(numbered).collect();
    println!("        {} hellos recorded, {} to judge, {} judged", all.len(), ours.len(), theirs.len());
    let is_all = theirs.len() == ours.len() && all.len() as u64 == program.count(HELLOS)?;
    holds(is_all && ours.len() >= JUDGED_MIN, || format!("it judged {} hellos of {}", theirs.len(), ours.len()))?;
    let other = theirs.iter().find(|(stream, ja3)| ours.get(*stream).is_none_or(|own| own.ja3 != *ja3));
    holds(other.is_none(), || format!("{other:?}, ours {:?}", other.and_then(|(at, _)| Some(&ours.get(*at)?.ja3))))
}

fn numbered(line: &str) -> Option<(usize, &str)> {
    let (stream, ja3) = line.split_once('\t')?;
    Some((stream.parse().ok()?, ja3))
}
