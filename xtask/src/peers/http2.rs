//! Outside judges of our HTTP/2: hyperframe and hpack read what comes back, h2 speaks as clients do, nghttp as well; loona's
//! httpwg sends what a server must refuse.
//!
//! `xtask/peers/http2/table.py` has the table: section, what is sent, what must follow. It is said twice, in clear by
//! prior knowledge and within TLS after ALPN, each line over a connection of its own. Then each malformed request of
//! it must be on record: named, and with the headers around what was wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use super::SEIZED;
use super::trap::recorded::{unhexed, words};
use crate::clock::wait_for;
use crate::program::{Program, exercise};
use crate::shell::{self, command, run_for};
use crate::tally::{Tally, contains, holds};
use crate::{Done, Trouble, root, tools};

/// Some hundred connections, none of which waits.
const LIMIT: Duration = Duration::from_secs(400);
/// From the last answer to its row in the archive, on a busy machine.
const LEARN: Duration = Duration::from_secs(90);

/// One line of the table, and what came of it.
#[derive(Debug, Deserialize)]
struct Line {
    section: String,
    what: String,
    wanted: Vec<String>,
    seen: String,
    oddity: String,
    kept: Vec<String>,
}

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    for how in ["clear", "tls"] {
        judge(tally, &program, how)?;
        tally.check(&format!("{how}: h2 is served, HEAD without a body, trailers taken"), client(&program, how));
        tally.check(&format!("{how}: nghttp is served"), nghttp(&program, how));
    }
    loona(tally, &program)?;
    tally.check("SIGTERM ends it cleanly", program.stop());
    Ok(())
}

fn judge(tally: &mut Tally, program: &Program, how: &str) -> Done {
    let lines: Vec<Line> =
        python(program, &[how])?.lines().map(serde_json::from_str).collect::<Result<_, serde_json::Error>>()?;
    let mut sections: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    lines.iter().for_each(|line| sections.entry(&line.section).or_default().push(line));
    for (section, lines) in sections {
        let wrong: Vec<String> =
            lines.iter().filter(|line| !line.wanted.contains(&line.seen)).map(|l| l.shown()).collect();
        lines.iter().for_each(|line| println!("        {section} · {}", line.shown()));
        let rfc = if section.starts_with("7541") { section.to_owned() } else { format!("9113, {section}") };
        tally.check(&format!("{how}: RFC {rfc}: {} checks", lines.len()), holds(wrong.is_empty(), || wrong.join("\n")));
    }
    println!("        {} checks", lines.len());
    tally.check(&format!("{how}: each malformed request is recorded whole, and named"), recorded(program, &lines));
    Ok(())
}

impl Line {
    fn shown(&self) -> String {
        format!("{} · {} · {}", self.what, self.wanted.join(" or "), self.seen)
    }

    /// Whether a record has the oddity and every line that must be in it.
    fn is_in(&self, (oddities, head): &(Vec<String>, String)) -> bool {
        oddities.contains(&self.oddity) && self.kept.iter().all(|line| head.contains(line))
    }
}

fn recorded(program: &Program, lines: &[Line]) -> Done {
    let malformed: Vec<&Line> = lines.iter().filter(|line| !line.oddity.is_empty()).collect();
    let missing = || -> Result<Vec<String>, Trouble> {
        let heads = heads(program)?;
        let missing = malformed.iter().filter(|line| !heads.iter().any(|head| line.is_in(head)));
        Ok(missing.map(|line| format!("{}: {}", line.what, line.oddity)).collect())
    };
    let all =
        wait_for("every malformed request", LEARN, || missing().is_ok_and(|missing| missing.is_empty()).then_some(()));
    println!("        {} malformed requests", malformed.len());
    all.or_else(|_| {
        missing().and_then(|missing| holds(missing.is_empty() && !malformed.is_empty(), || missing.join("\n")))
    })
}

/// Oddities and head of each request.
fn heads(program: &Program) -> Result<Vec<(Vec<String>, String)>, Trouble> {
    let sql = "select c.oddities, r.bytes from contacts c join raw r on c.id = r.id \
               where r.part = 'head' and c.http_version = 'HTTP/2'";
    let read = |row: &Vec<serde_json::Value>| {
        let octets = unhexed(row.get(1).and_then(|cell| cell.as_str()).unwrap_or_default())?;
        Ok((words(row.first()), String::from_utf8_lossy(&octets).into_owned()))
    };
    program.rows(sql)?.iter().map(read).collect()
}

//----------- Clients ----------------------------------------------------------------------------------------------

fn python(program: &Program, words: &[&str]) -> Result<String, Trouble> {
    let port = if words[0] == "tls" { program.ports.https } else { program.ports.http };
    let mut judge = command(&tools::python().to_string_lossy(), [root().join("xtask/peers/http2/judge.py")]);
    // Nothing is left beside the sources.
    judge.env("PYTHONDONTWRITEBYTECODE", "1").arg(port.to_string()).arg(SEIZED).args(words);
    run_for(&mut judge, LIMIT)?.good()
}

fn client(program: &Program, how: &str) -> Done {
    let said: serde_json::Value = serde_json::from_str(&python(program, &[how, "client"])?)?;
    let statuses = ["1", "3", "5"].map(|stream| said["statuses"][stream].as_str().unwrap_or_default().to_owned());
    let has_body = |stream: &str| said["octets"][stream].as_u64().unwrap_or_default() > 0;
    let is_so = statuses.iter().all(|status| status == "200") && has_body("1") && !has_body("3") && has_body("5");
    holds(is_so, || said.to_string())
}

/// The one case of loona's that wants a page: it asks for `localhost`, which nobody seized.
const WANTS_A_PAGE: &str = "RFC 9113 :: 8. expressing http semantics in http2 :: sends headers frame with te trailers";

/// The cases of loona's httpwg, one after the other.
fn loona(tally: &mut Tally, program: &Program) -> Done {
    let address = format!("127.0.0.1:{}", program.ports.http);
    let httpwg = tools::find("httpwg").ok_or("httpwg is not here")?;
    let mut httpwg =
        command(&httpwg.to_string_lossy(), ["--address", &address, "--frame-timeout", "5000", "--verbose"]);
    httpwg.env("SEQUENTIAL", "1").env("RUST_LOG", "off");
    let said = run_for(&mut httpwg, LIMIT)?.all();
    let cases = |mark: &str| -> BTreeSet<String> {
        said.lines().filter_map(|line| line.split_once(mark)).map(|(_, case)| case.trim().to_owned()).collect()
    };
    let (run, passed) = (cases("Running test: "), cases("Test passed: "));
    let failed: Vec<&str> = run.difference(&passed).map(String::as_str).collect();
    println!("        {} of {} cases of httpwg", passed.len(), run.len());
    let is_so = run.len() > 100 && failed == [WANTS_A_PAGE];
    tally.check(
        "loona's cases of RFC 9113 hold, but the one that wants a page for a name that nobody seized",
        holds(is_so, || format!("{failed:#?} of {}\n{said}", run.len())),
    );
    Ok(())
}

fn nghttp(program: &Program, how: &str) -> Done {
    let (scheme, port) = if how == "tls" { ("https", program.ports.https) } else { ("http", program.ports.http) };
    let mut nghttp = command("nghttp", ["--null-out", "--verbose", "--no-verify-peer", "--timeout=20s"]);
    nghttp.args(["--header", &format!(":authority: {SEIZED}")]);
    contains(&shell::run(nghttp.arg(format!("{scheme}://127.0.0.1:{port}/nghttp")))?.all(), ":status: 200")
}
