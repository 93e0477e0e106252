//! EPP plans against a registry that refuses what the RFCs refuse: forward they end in the ordered state, in reverse in the
//! state before, to the last status.
//!
//! The names have client locks, DS records, a name server below the name itself, a hold, or nothing at all. The appendix is
//! compiled by the program; somebody else's EPP client sends its commands as they stand. The schemas of the RFCs are judged by
//! xmllint where a folder of them is named (`EPP_SCHEMAS`): they are the RFCs' own files, and none are kept here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::program::Program;
use crate::shell::{command, run_for};
use crate::tally::{Tally, contains, holds};
use crate::{Done, Trouble, root, tools};

mod registry;
mod server;
mod xml;

use registry::{Domain, Host, Registry};
use server::Server;

const LIMIT: Duration = Duration::from_secs(180);
const LOCKS: [&str; 3] = ["clientDeleteProhibited", "clientTransferProhibited", "clientUpdateProhibited"];
const ORDERED: [&str; 2] = ["ns1.sinkhole.example", "ns2.harbour-sink.test"];
/// What the order wants of them, and how they stand: statuses, name servers, DS.
const NAMES: [(&str, &str, &str, &str, &str); 6] = [
    (
        "locked-harbour.test",
        "redirect",
        "clientUpdateProhibited clientTransferProhibited clientHold",
        "ns1.locked-harbour.test ns.old.example",
        "12345 13 2 AABB",
    ),
    ("bare-harbour.test", "redirect", "", "ns.old.example", ""),
    ("signed-harbour.test", "redirect", "clientRenewProhibited", "ns.old.example", "1 8 2 AA;2 13 2 BB"),
    ("held-harbour.test", "hold", "clientUpdateProhibited", "ns.old.example", "3 13 2 CC"),
    ("kept-harbour.test", "lock-only", "clientDeleteProhibited", "ns.old.example", ""),
    ("gone-harbour.test", "delete", "clientUpdateProhibited clientDeleteProhibited", "ns.old.example", ""),
];

pub fn run(tally: &mut Tally) -> Done {
    let folder = tempfile::tempdir()?;
    let (case, actors) = (folder.path().join("case.toml"), folder.path().join("actors.toml"));
    std::fs::write(&case, case_file())?;
    std::fs::write(&actors, actors_file())?;
    let program = Program::install_unserved(&case)?;
    let out = program.path("appendix");
    let (into, table) = (out.to_string_lossy().into_owned(), actors.to_string_lossy().into_owned());
    let done = program.ask(&["case", "appendix", "harbour", "--out", &into, "--actors", &table, "--json"])?.good()?;
    let compiled: Value = serde_json::from_str(&done)?;
    tally.check("the appendix is compiled and signed", holds(compiled["signed"] == true, || done.clone()));
    let strict = program.ask(&["case", "appendix", "harbour", "--out", &format!("{into}-2"), "--strict"])?;
    tally.check(
        "`--strict` ends with code 3 where items are not stated",
        holds(strict.code == Some(3), || strict.all()),
    );
    let epp = out.join(compiled["actors"][0]["folder"].as_str().ok_or("no folder")?).join("epp");
    let (forward, reverse) = (epp.join("test-forward.jsonl"), epp.join("test-reverse.jsonl"));
    plans(tally, &forward, &reverse)?;
    refusals(tally, &forward)?;
    schemas(tally, &[&forward, &reverse], folder.path())?;
    board(tally, &program)
}

//----------- Forward and back -------------------------------------------------------------------------------------

fn plans(tally: &mut Tally, forward: &Path, reverse: &Path) -> Done {
    let before = registry();
    let server = Server::start(before.clone())?;
    let codes = send(&server, "us", forward)?;
    tally.check("every command of the plan is taken", all_done(&codes));
    let state = server.state().clone();
    tally.check("afterwards every name is as ordered", as_ordered(&before, &state));
    let again = send(&server, "us", forward)?;
    let refused = again.iter().any(|line| !line.starts_with("1000") && !line.starts_with("skipped"));
    tally.check("the plan is not taken twice", holds(refused, || again.join("\n")));
    let codes = {
        let fresh = Server::start(state)?;
        let codes = send(&fresh, "us", reverse)?;
        let now = fresh.state().clone();
        let back = holds(now == before, || format!("{now:#?}\nwas\n{before:#?}"));
        tally.check("in reverse everything is as it was before", back);
        codes
    };
    tally.check("every command of the reverse is taken", all_done(&codes));
    Ok(())
}

fn refusals(tally: &mut Tally, forward: &Path) -> Done {
    let server = Server::start(registry())?;
    let codes = send(&server, "them", forward)?;
    let updates = codes.iter().filter(|line| line.contains("locks") || line.contains("delegation"));
    let foreign = updates.clone().count() > 0 && updates.clone().all(|line| line.starts_with("2201"));
    tally.check("a registrar who does not sponsor the names is refused (2201)", holds(foreign, || codes.join("\n")));
    let mut locked = registry();
    for domain in locked.domains.values_mut() {
        domain.statuses.insert("serverUpdateProhibited".to_owned());
    }
    let server = Server::start(locked.clone())?;
    let codes = send(&server, "us", forward)?;
    let refused = codes.iter().filter(|line| line.starts_with("2304")).count() >= NAMES.len();
    tally.check("a registry's own lock stops every plan (2304)", holds(refused, || codes.join("\n")));
    let domains = |of: &Registry| -> BTreeMap<String, Domain> {
        of.domains.clone().into_iter().filter(|(name, _)| name != "gone-harbour.test").collect()
    };
    let same = domains(&server.state()) == domains(&locked);
    tally.check("and nothing of the names has changed then", holds(same, || format!("{:#?}", *server.state())));
    Ok(())
}

/// What the client printed: a result code and what was done, line by line.
fn send(server: &Server, who: &str, file: &Path) -> Result<Vec<String>, Trouble> {
    let script: PathBuf = root().join("xtask/peers/epp.py");
    let port = server.at.port().to_string();
    let mut python =
        command(&tools::python().to_string_lossy(), [script.as_path(), Path::new(&port), Path::new(who), file]);
    Ok(run_for(&mut python, LIMIT)?.good()?.lines().map(str::to_owned).collect())
}

fn all_done(codes: &[String]) -> Done {
    let good = !codes.is_empty() && codes.iter().all(|line| line.starts_with("1000"));
    holds(good, || codes.join("\n"))
}

fn as_ordered(before: &Registry, after: &Registry) -> Done {
    for (name, outcome, ..) in NAMES {
        let domain = after.domains.get(name);
        if outcome == "delete" {
            holds(domain.is_none() && after.redemption.contains_key(name), || format!("{name} is not deleted"))?;
            continue;
        }
        let (domain, was) = (domain.ok_or("a name is gone")?, &before.domains[name]);
        let servers = if outcome == "redirect" { set(&ORDERED) } else { was.servers.clone() };
        let ds = if outcome == "redirect" { BTreeSet::new() } else { was.ds.clone() };
        let is_held = domain.statuses.contains("clientHold");
        let as_asked =
            domain.servers == servers && domain.ds == ds && LOCKS.iter().all(|lock| domain.statuses.contains(*lock));
        holds(as_asked && is_held == (outcome == "hold"), || format!("{name}: {domain:#?}"))?;
    }
    holds(ORDERED.iter().all(|server| after.hosts.contains_key(*server)), || "a host is missing".to_owned())
}

//----------- Schemas ----------------------------------------------------------------------------------------------

/// Every command by the RFCs' schemas, if somebody says where they lie.
fn schemas(tally: &mut Tally, files: &[&Path], folder: &Path) -> Done {
    let Some(place) = std::env::var_os("EPP_SCHEMAS") else {
        println!("  not run: the RFCs' schemas are not here; `EPP_SCHEMAS` names a folder of them");
        return Ok(());
    };
    let wanted = ["epp-1.0", "eppcom-1.0", "domain-1.0", "host-1.0", "secDNS-1.1", "rgp-1.0"];
    let imports: String = wanted.iter().map(|name| import(Path::new(&place), name)).collect();
    let schema = folder.join("all.xsd");
    std::fs::write(
        &schema,
        format!("<schema xmlns=\"http://www.w3.org/2001/XMLSchema\" targetNamespace=\"urn:test\">{imports}</schema>"),
    )?;
    let mut frames = Vec::new();
    for (number, line) in files.iter().map(std::fs::read_to_string).collect::<Result<String, _>>()?.lines().enumerate()
    {
        let frame: Value = serde_json::from_str(line)?;
        let file = folder.join(format!("frame-{number}.xml"));
        std::fs::write(&file, frame["xml"].as_str().ok_or("a frame without XML")?)?;
        frames.push(file);
    }
    let mut lint = command("xmllint", ["--noout", "--nonet", "--schema"]);
    let said = run_for(lint.arg(&schema).args(&frames), LIMIT)?;
    tally.check(&format!("{} commands are valid by the RFCs' schemas", frames.len()), holds(said.ok, || said.all()));
    let spoilt = folder.join("spoilt.xml");
    std::fs::write(&spoilt, std::fs::read_to_string(&frames[0])?.replace("host:check", "host:chek"))?;
    let mut lint = command("xmllint", ["--noout", "--nonet", "--schema"]);
    let said = run_for(lint.arg(&schema).arg(&spoilt), LIMIT)?;
    tally.check("and a spoilt one is not", holds(!said.ok, || said.all()));
    Ok(())
}

fn import(place: &Path, name: &str) -> String {
    let file = place.join(format!("{name}.xsd"));
    format!("<import namespace=\"urn:ietf:params:xml:ns:{name}\" schemaLocation=\"{}\"/>", file.display())
}

//----------- Execution day ----------------------------------------------------------------------------------------

fn board(tally: &mut Tally, program: &Program) -> Done {
    let out = program.path("appendix-3").to_string_lossy().into_owned();
    let table = program.path("actors.toml");
    std::fs::write(&table, actors_file())?;
    program.ask(&["case", "appendix", "harbour", "--out", &out, "--actors", &table.to_string_lossy()])?.good()?;
    let person = crate::program::PEOPLE[0].0;
    let token = program.token(person);
    let who = ["--as", person, "--token-file", &token];
    let without = program.ask(&["case", "sent", "harbour", "us", "--as", person, "--token-file", "/dev/null"])?;
    tally.check("nobody says without a token that something was sent", holds(!without.ok, || without.all()));
    let early = program.ask(&[&["case", "acked", "harbour", "us", "--said", "ticket 7"][..], &who].concat())?;
    tally.check("no answer comes before the sending", contains(&early.err, "was sent nothing"));
    let due = ["case", "sent", "harbour", "us", "--due", "2026-01-02T17:00:00-05:00"];
    tally.check("a person says what was sent", program.ask(&[&due[..], &who].concat())?.good().map(|_| ()));
    let row = |program: &Program| -> Result<Value, Trouble> {
        let said = program.ask(&["case", "board", "harbour", "--json"])?.good()?;
        Ok(serde_json::from_str::<Value>(&said)?["rows"][0].clone())
    };
    let late = row(program)?;
    let told = late["late"] == true && late["due"] == "2026-01-02T22:00:00Z" && late["by"] == person;
    tally.check("the board says who is late", holds(told, || late.to_string()));
    let acked = [&["case", "acked", "harbour", "us", "--said", "ticket 7"][..], &who];
    program.ask(&acked.concat())?.good()?;
    let answered = row(program)?;
    let told = answered["late"] == false && answered["said"] == "ticket 7";
    tally.check("and who answered", holds(told, || answered.to_string()));
    let shown: Value = serde_json::from_str(&program.ask(&["case", "show", "harbour", "--json"])?.good()?)?;
    let states = shown["name_states"].as_array().cloned().unwrap_or_default();
    let moved = states.len() == NAMES.len() && states.iter().all(|state| state["seizure"] == "acknowledged");
    tally.check("the names have moved with it", holds(moved, || shown.to_string()));
    let live =
        program.ask(&["case", "execute", "harbour", "--at", "2026-01-01T00:00:00Z", "--once", "--json"])?.good()?;
    tally.check("the live board is a line of JSON", contains(&live, "\"t0\":\"2026-01-01T00:00:00Z\""));
    tally.check("the ledger verifies", program.ask(&["audit", "verify"])?.good().map(|_| ()));
    Ok(())
}

//----------- The case ---------------------------------------------------------------------------------------------

fn set(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|&one| one.to_owned()).collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn registry() -> Registry {
    let mut registry = Registry { tld: "test".to_owned(), ..Registry::default() };
    for (name, _, statuses, servers, ds) in NAMES {
        let ds = ds.split(';').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let domain = Domain { sponsor: "us".into(), statuses: words(statuses), servers: words(servers), ds };
        registry.domains.insert(name.to_owned(), domain);
    }
    let ours = Domain { sponsor: "us".into(), ..Domain::default() };
    registry.domains.insert("harbour-sink.test".to_owned(), ours);
    let host = |addresses: &[&str]| Host { sponsor: "us".into(), addresses: set(addresses) };
    registry.hosts.insert("ns.old.example".to_owned(), host(&[]));
    registry.hosts.insert("ns1.locked-harbour.test".to_owned(), host(&["192.0.2.7"]));
    registry
}

fn case_file() -> String {
    let mut text = format!(
        "[case]\nid = \"harbour\"\ntitle = \"Harbour <&>\"\ncontact = \"desk@harbour.example\"\npurpose = {{ value = \"rehearse\", source = \"us\" }}\n\
         [group]\nid = \"harbour-crew\"\nname = \"Harbour Crew\"\n[[order]]\nid = \"o-harbour\"\nname_servers = {ORDERED:?}\n\
         [order.authority]\ninstrument = \"exercise\"\nissuer = {{ value = \"us\", source = \"us\" }}\n"
    );
    for (name, outcome, ..) in NAMES {
        text.push_str(&format!(
            "[[list]]\norder = \"o-harbour\"\nsource = \"us\"\noutcome = \"{outcome}\"\nnames = [\"{name}\"]\n"
        ));
    }
    text
}

/// TOML, because hosts have addresses.
fn actors_file() -> String {
    let mut text =
        "[[actor]]\nfor = [\"test\"]\nid = \"us\"\nregistrar = \"Us\"\ncontact = \"noc@us.example\"\nsponsors = true\n\
                    [[host]]\nname = \"ns2.harbour-sink.test\"\naddresses = [\"192.0.2.53\", \"2001:db8::53\"]\n"
            .to_owned();
    for (name, _, statuses, servers, ds) in NAMES {
        let list = |text: &str, at: char| -> Vec<String> {
            text.split(at).filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        let (statuses, servers, ds) = (list(statuses, ' '), list(servers, ' '), list(ds, ';'));
        text.push_str(&format!(
            "[[registered]]\nname = \"{name}\"\nstatuses = {statuses:?}\nname_servers = {servers:?}\nds = {ds:?}\n"
        ));
    }
    text
}
