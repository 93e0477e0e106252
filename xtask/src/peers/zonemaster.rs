//! Zonemaster judges a seized name as a registry would: from a root, through a top-level domain, to us.
//!
//! The world is made up: NSD plays a root and a registry at addresses of loopback, zonemaster gets the root's hints and
//! asks nobody else. Resolvers speak to port 53 only, so this suite needs the right to bind it. What cannot be well on
//! loopback is listed with its reason; everything else at ERROR or CRITICAL fails, and so do the timers that we chose.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::name_servers::{NameServer, Recipe, write_file};
use crate::program::Program;
use crate::shell::{command, run_for};
use crate::story::{Given, case_file};
use crate::tally::{Tally, all, holds};
use crate::{Done, Trouble};

/// Seized, and delegated to us.
const SEIZED: &str = "seized.test";
/// The same, but the parent still has a DS of the owner before.
const LEFTOVER: &str = "leftover.test";
/// Delegated to us, and no order covers it.
const UNCOVERED: &str = "uncovered.test";

/// Addresses of the made-up world; the last two are ours.
const WORLD: [(&str, &str); 6] = [
    ("ROOT1", "127.17.0.10"),
    ("ROOT2", "127.17.0.11"),
    ("TLD1", "127.17.0.20"),
    ("TLD2", "127.17.0.21"),
    ("NS1", "127.17.0.30"),
    ("NS2", "127.17.0.31"),
];
/// Fifty queries a second are no load; zonemaster itself is slow to start.
const LIMIT: Duration = Duration::from_secs(400);

const ROOT: Recipe = Recipe {
    name: "the root",
    program: "nsd",
    arguments: &["-d", "-c", "@FOLDER@/root.conf"],
    files: &["root.conf", "root.zone"],
};
const REGISTRY: Recipe = Recipe {
    name: "the registry",
    program: "nsd",
    arguments: &["-d", "-c", "@FOLDER@/tld.conf"],
    files: &["tld.conf", "test.zone", "example.zone"],
};

pub fn run(tally: &mut Tally) -> Done {
    let mut program = install()?;
    program.start().map_err(|trouble| format!("{trouble}\nhint: this suite needs the right to bind port 53"))?;
    let _root = NameServer::start(&ROOT, "zonemaster", at(0)?, &WORLD)?;
    let _registry = NameServer::start(&REGISTRY, "zonemaster", at(2)?, &WORLD)?;
    tally.check("a seized name is in order, but for what loopback cannot have", in_order(&program));
    tally.check("a DS that was left at the parent is an error", is_error(&program, LEFTOVER, LEFT_DS));
    tally.check("a name that is delegated to us without an order is an error", is_error(&program, UNCOVERED, LAME));
    program.stop()
}

fn at(number: usize) -> Result<SocketAddr, Trouble> {
    Ok(SocketAddr::new(WORLD[number].1.parse()?, 53))
}

/// We, at both name servers' addresses.
fn install() -> Result<Program, Trouble> {
    let folder = tempfile::TempDir::with_prefix("bailiwick-zonemaster-")?;
    let paper = folder.path().join("case.toml");
    fs::write(
        &paper,
        case_file([SEIZED, LEFTOVER].map(|name| Given::Seized(name.to_owned())).iter(), crate::clock::now()),
    )?;
    let program = Program::install(&paper)?;
    let text = fs::read_to_string(program.config())?;
    let listen = format!("listen = [\"{}\", \"{}\"]", at(4)?, at(5)?);
    let changed = text.replacen(&format!("listen = [\"{}\"]", program.dns()), &listen, 1);
    holds(text != changed, || "the configuration was not changed".to_owned())?;
    fs::write(program.config(), changed)?;
    Ok(program)
}

//----------- Findings ---------------------------------------------------------------------------------------------

/// One message of zonemaster.
#[derive(Debug, Deserialize)]
struct Finding {
    level: String,
    #[serde(default)]
    testcase: String,
    tag: String,
    #[serde(default)]
    args: serde_json::Value,
}

impl Finding {
    fn is_at_least_a_notice(&self) -> bool {
        ["NOTICE", "WARNING", "ERROR", "CRITICAL"].contains(&self.level.as_str())
    }

    fn is_error(&self) -> bool {
        ["ERROR", "CRITICAL"].contains(&self.level.as_str())
    }
}

fn zonemaster(program: &Program, name: &str) -> Result<Vec<Finding>, Trouble> {
    let folder = program.path("zonemaster");
    fs::create_dir_all(&folder)?;
    write_file("zonemaster", "hints", &folder, &WORLD)?;
    let mut zonemaster =
        command("zonemaster-cli", ["--no-ipv6", "--no-progress", "--raw", "--json", "--level", "INFO"]);
    zonemaster.arg("--hints").arg(folder.join("hints")).arg(name);
    let said = run_for(&mut zonemaster, LIMIT)?.good()?;
    let findings: Vec<Finding> =
        serde_json::from_str(&said).map_err(|error| format!("reading what zonemaster said: {error}\n{said}"))?;
    for found in findings.iter().filter(|found| found.is_at_least_a_notice()) {
        println!("  {name}: {} {} {} {}", found.level, found.testcase, found.tag, found.args);
    }
    Ok(findings)
}

//----------- Judging ----------------------------------------------------------------------------------------------

/// What a name on loopback cannot have, and why.
const EXCUSED: [(&str, &str); 6] = [
    ("NAMESERVER_IP_PRIVATE_NETWORK", "the name servers are on loopback"),
    ("NAMESERVER_IP_WITHOUT_REVERSE", "the made-up world has no reverse tree"),
    ("NEITHER_DNSKEY_NOR_DS", "a seized zone is unsigned"),
    ("NOT_SIGNED", "a seized zone is unsigned"),
    ("NO_IPV6_NS_CHILD", "IPv6 has one loopback address, and two name servers need two"),
    ("NO_IPV6_NS_DEL", "IPv6 has one loopback address, and two name servers need two"),
];

/// What shows that zonemaster looked: both servers answered, and the timers are those that it wants.
const SEEN: [&str; 5] =
    ["HAS_NAMESERVERS", "ONE_NS_SET", "REFRESH_MINIMUM_VALUE_OK", "RETRY_MINIMUM_VALUE_OK", "EXPIRE_MINIMUM_VALUE_OK"];

fn in_order(program: &Program) -> Done {
    let findings = zonemaster(program, SEIZED)?;
    let is_excused = |found: &&Finding| EXCUSED.iter().any(|(tag, _)| *tag == found.tag);
    let bad: Vec<&Finding> =
        findings.iter().filter(|found| found.is_at_least_a_notice()).filter(|found| !is_excused(found)).collect();
    let unseen: Vec<&str> = SEEN.into_iter().filter(|tag| !findings.iter().any(|found| found.tag == *tag)).collect();
    all([
        holds(bad.is_empty(), || format!("{bad:?}")),
        holds(unseen.is_empty(), || format!("zonemaster did not say {}", unseen.join(", "))),
    ])
}

/// What zonemaster calls a DS without a key.
const LEFT_DS: &str = "DS11_DS_BUT_UNSIGNED_ZONE";
/// What it calls a server that was named and does not serve.
const LAME: &str = "NS_FAILED";

fn is_error(program: &Program, name: &str, tag: &str) -> Done {
    let findings = zonemaster(program, name)?;
    let errors: Vec<&str> = findings.iter().filter(|found| found.is_error()).map(|found| found.tag.as_str()).collect();
    holds(errors.contains(&tag), || format!("zonemaster's errors: {}", errors.join(", ")))
}
