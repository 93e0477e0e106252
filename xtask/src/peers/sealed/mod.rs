//! One case before and after its seal is lifted: everything that somebody outside can get, octet by octet.
//!
//! While it is sealed nothing names case, court, docket, order, holder or group, nothing has a mark by which a sinkhole
//! is known, and no authority is asked for a certificate. Two people lift the seal, with the program running: then page
//! and header say all of it, and every status and every other answer is what it was. The case is an exercise with words
//! that stand nowhere else; a feed is about the group and may name it, and nothing else of the case.

mod outputs;
mod words;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::{pause, wait_for};
use crate::program::Program;
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};
use outputs::{Outputs, gather};
use words::{MARKS, OF_THE_CASE, OF_THE_GROUP, OF_THE_OPERATOR, found};

const NAME: &str = "harbour-login.test";
/// From a person's word to the next answer.
const LIFTED: Duration = Duration::from_secs(60);
/// From a start to the first order, on a busy machine: what has not begun by then is not begun.
const NO_ORDER: Duration = Duration::from_secs(6);

const CASE: &str = r#"[case]
id = "quarrystone-7741"
title = "Operation Quarrystone"
contact = "desk@quarryholder.example"
purpose = { value = "to warn", source = "the suite" }
answer = "notice"
[case.notice]
status = 404
holder = "Quarry Takedown Desk"
sealed_contact = "abuse@post.example"
[group]
id = "velvet-heron-92"
name = "Velvet Heron"
aliases = [{ name = "Amber Bittern", source = "the suite" }]
[[order]]
id = "wdx-7-31"
name_servers = ["ns1.hosting.example", "ns2.hosting.example"]
[order.authority]
instrument = "exercise"
issuer = { value = "Utopian District Court", source = "the suite" }
docket_number = { value = "7:31-cv-55812", source = "the suite" }
judge = { value = "A. Lovelace-Quill", source = "the suite" }
sealed_until = { value = 2099-01-01, source = "the suite" }
[[list]]
order = "wdx-7-31"
source = "the suite"
acts = ["delegate", "answer", "record-metadata", "share", "public-certificate"]
names = ["harbour-login.test"]
"#;

/// Where the program listens besides the ports of every suite, and the authority that may be asked.
struct Place {
    metrics: u16,
    transfer: u16,
    authority: TcpListener,
}

pub fn run(tally: &mut Tally) -> Done {
    let (mut program, place) = installed()?;
    program.start()?;
    pause(NO_ORDER);
    let sealed = gather(&program, &place)?;
    println!("        {} outputs gathered while sealed", sealed.len());
    hidden(tally, &sealed);
    tally.check("while sealed no authority is asked for a certificate", asked(&place).map_or(Ok(()), Err));
    tally.check("one person does not lift a seal", half(&program));
    tally.check("two do, and the page says so at the next visit", lifted(&program));
    let open = gather(&program, &place)?;
    told(tally, &open);
    same(tally, &sealed, &open);
    let is_asked = || asked(&place);
    tally.check("the authority is asked now", wait_for("an order", LIFTED, is_asked).map(|_| ()));
    tally.check("the program ends cleanly", program.stop());
    Ok(())
}

//----------- While sealed -----------------------------------------------------------------------------------------

fn hidden(tally: &mut Tally, sealed: &Outputs) {
    let is_feed = |what: &str| what.starts_with("feed ") || what.starts_with("transfer of rpz");
    for (promise, words, feeds_too) in [
        ("while sealed no output names case, court, docket, order or holder", &OF_THE_CASE[..], true),
        ("while sealed no output but a feed names the group", &OF_THE_GROUP, false),
        ("while sealed no output tells which sensor answered", &OF_THE_OPERATOR, true),
    ] {
        let outputs = sealed.iter().filter(|(what, _)| feeds_too || !is_feed(what));
        tally.check(promise, lacks_all(words, outputs));
    }
    let seen_by_callers = |what: &str| ["http", "dns", "smtp", "tls"].iter().any(|kind| what.starts_with(kind));
    let outputs = sealed.iter().filter(|(what, _)| seen_by_callers(what));
    tally.check("while sealed nothing that a caller gets has the mark of a sinkhole", lacks_all(&MARKS, outputs));
    tally.check("the search finds what is there", finds(sealed));
}

fn lacks_all<'a>(words: &[&str], outputs: impl Iterator<Item = (&'a String, &'a String)>) -> Done {
    let leak = |(what, text): (&String, &String)| {
        let found = found(words, text.as_bytes());
        (!found.is_empty()).then(|| format!("{what} has {}", found.join(", ")))
    };
    let leaks: Vec<String> = outputs.filter_map(leak).collect();
    holds(leaks.is_empty(), || leaks.join("\n"))
}

/// What a sealed page does say is found in it, or the search proves nothing.
fn finds(sealed: &Outputs) -> Done {
    for (what, word) in [("http GET / tls=true", "abuse@post.example"), ("dns harbour-login.test NS", "ns1.hosting")] {
        let text = sealed.get(what).ok_or_else(|| format!("there is no output {what}"))?;
        holds(found(&[word], text.as_bytes()) == [word], || format!("{what} lacks {word}"))?;
    }
    Ok(())
}

//----------- Lifting ----------------------------------------------------------------------------------------------

fn half(program: &Program) -> Done {
    let token = program.token("ines");
    program.ask(&["case", "unseal", &program.case, "--as", "ines", "--token-file", &token])?.good()?;
    let words = ["approval", "give", &program.case, "--as", "ines", "--role", "investigator", "--token-file", &token];
    program.ask(&words)?.good()?;
    let page = outputs::page(program)?;
    holds(!page.contains("X-Sinkhole"), || page)
}

fn lifted(program: &Program) -> Done {
    let token = program.token("lars");
    let words = ["approval", "give", &program.case, "--as", "lars", "--role", "legal", "--token-file", &token];
    contains(&program.ask(&words)?.good()?, "the seal of order wdx-7-31 is lifted")?;
    let is_open = || outputs::page(program).ok().filter(|page| page.contains("X-Sinkhole")).map(|_| ());
    wait_for("the open page", LIFTED, is_open)
}

//----------- Afterwards -------------------------------------------------------------------------------------------

fn told(tally: &mut Tally, open: &Outputs) {
    let page = |part: &str| contains(open.get("http GET / tls=false").ok_or("no page")?, part);
    // HTTP/2 writes it in lower case.
    tally.check("unsealed the header is a sinkhole's", page("X-Sinkhole: Quarry Takedown Desk"));
    let parts = ["Sinkholed by", "Operation Quarrystone", "Utopian District Court", "7:31-cv-55812"];
    tally.check("unsealed the page names case, court, docket and holder", all(parts.map(page)));
    let stix = open.get("feed stix for court").ok_or_else(|| "no feed".into());
    tally.check("unsealed a feed names the court", stix.and_then(|text| contains(text, "Utopian District Court")));
    let nsid = open.get("dns harbour-login.test A").ok_or_else(|| "no answer".into());
    tally.check("unsealed the sensor says which it is", nsid.and_then(|text| contains(text, "marked-sensor-4")));
}

/// The seal changes what is told, never how a caller is treated.
fn same(tally: &mut Tally, sealed: &Outputs, open: &Outputs) {
    for (kind, shape) in [
        ("http", status as fn(&str) -> String),
        ("dns", records),
        ("smtp", str::to_owned),
        ("tls", certificates),
        ("transfer of harbour", records),
        ("transfer of catalog", records),
    ] {
        let of_kind = sealed.iter().filter(|(what, _)| what.starts_with(kind));
        let differs = |(what, before): (&String, &String)| {
            let after = open.get(what).map(|text| shape(text)).unwrap_or_default();
            (shape(before) != after).then(|| format!("{what}: {} became {after}", shape(before)))
        };
        let different: Vec<String> = of_kind.filter_map(differs).collect();
        tally.check(
            &format!("{kind}: the same answers before and after, but for what is told"),
            holds(different.is_empty(), || different.join("\n")),
        );
    }
}

fn status(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Code and records, without the serial that every fact moves.
fn records(text: &str) -> String {
    let code = text.lines().find_map(|line| line.split("status: ").nth(1)?.split(',').next()).unwrap_or_default();
    let is_record = |line: &&str| !line.starts_with(';') && !line.is_empty() && !line.contains("SOA");
    let mut records: Vec<&str> = text.lines().filter(is_record).collect();
    records.sort_unstable();
    format!("{code} {}", records.join(" | "))
}

fn certificates(text: &str) -> String {
    text.lines().filter(|line| line.contains("Subject:") || line.contains("Issuer:")).collect()
}

//----------- The installation -------------------------------------------------------------------------------------

fn installed() -> Result<(Program, Place), Trouble> {
    let folder = tempfile::TempDir::with_prefix("bailiwick-sealed-")?;
    let case: PathBuf = folder.path().join("case.toml");
    fs::write(&case, CASE)?;
    let program = Program::install(&case)?;
    let free = crate::program::Ports::free()?;
    let authority = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    authority.set_nonblocking(true)?;
    let place = Place { metrics: free.http, transfer: free.dns, authority };
    let config = fs::read_to_string(program.config())?;
    let dns = "[dns]\nnsid = \"marked-sensor-4\"\ncertifiers = [\"ca.example\"]\n";
    fs::write(program.config(), config.replacen("[dns]\n", dns, 1))?;
    let (metrics, transfer, port) = (place.metrics, place.transfer, place.authority.local_addr()?.port());
    program.configure_also(&format!(
        "[metrics]\nlisten = [\"127.0.0.1:{metrics}\"]\n[catalog]\nzone = \"catalog.invalid\"\n\
         [[policy_zone]]\nzone = \"rpz.invalid\"\naudience = \"partners\"\n\
         [transfer]\nlisten = [\"127.0.0.1:{transfer}\"]\n[[transfer.peer]]\nnetwork = \"127.0.0.1/32\"\n\
         zones = [\"seized\", \"catalog.invalid\", \"rpz.invalid\"]\n\
         [acme]\ndirectory = \"https://127.0.0.1:{port}/directory\"\ncontact = \"mailto:suite@hosting.example\"\n\
         terms_agreed = true\n"
    ))?;
    Ok((program, place))
}

/// Whether somebody has called the authority since the last look.
fn asked(place: &Place) -> Option<Trouble> {
    place.authority.accept().ok().map(|(_, from)| format!("{from} called the authority").into())
}
