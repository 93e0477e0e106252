//! Verification by the clock: the program looks by itself, custody hears of it, and whoever answers in our trap's place is
//! found out.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::{CAUGHT_UP, at, nsd, replace};
use crate::clock::wait_for;
use crate::peers::name_servers::{NameServer, Recipe};
use crate::program::Program;
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble};

/// Where something else than our trap answers.
const OTHER_PORT: u16 = 8_081;
/// How long a caller or the trap may take to say something.
const PATIENCE: Duration = Duration::from_secs(20);
/// Two passes, with all that is silent in them, on a busy machine.
const PASSES: Duration = Duration::from_secs(240);

const DRIFTED: Recipe = nsd(
    "alfa's second server, where somebody has changed a delegation",
    &["-d", "-c", "@FOLDER@/alfa2-drifted.conf"],
    &["alfa2-drifted.conf", "alfa2-drifted.zone"],
);

/// A visit with a sign that our key did not make, from somewhere else.
pub(super) fn forged(program: &Program) -> Done {
    let trap = SocketAddr::new(at("TRAP")?.ip(), 80);
    let sign = format!("1774000000.0011223344556677.{}", "ab".repeat(32));
    let mut stream = TcpStream::connect(trap)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request =
        format!("GET /forged HTTP/1.1\r\nHost: complete.alfa\r\nbailiwick-verify: {sign}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let said = judged(program, "target = '/forged'")?;
    holds(said.iter().all(|row| row.contains("trap.visit-forged") && !row.contains("\"self\"")), || said.join("\n"))?;
    all([contains(&answer, "HTTP/1.1 "), lacks(&answer.to_lowercase(), "bailiwick-verify")])
}

/// Our own are known by their sign, and not by their address alone.
pub(super) fn known_by_sign(program: &Program) -> Done {
    let said = judged(program, "kind = 'request' AND user_agent = 'bailiwick-verify'")?;
    let is_known = |row: &String| row.contains("trap.own-visit") && row.contains("fresh sign");
    holds(said.iter().all(is_known), || said.join("\n"))
}

/// Label, oddities and reasons of such sightings, once there are any and all of them are judged.
fn judged(program: &Program, which: &str) -> Result<Vec<String>, Trouble> {
    let sql = format!("SELECT label, oddities, reasons FROM sightings WHERE {which}");
    wait_for("contacts to be judged", PASSES, || {
        let rows = program.rows(&sql).ok()?;
        let is_judged = |row: &Vec<Value>| row.first().is_some_and(Value::is_string);
        let texts = rows.iter().map(|row| Value::from(row.clone()).to_string()).collect();
        (!rows.is_empty() && rows.iter().all(is_judged)).then_some(texts)
    })
}

/// From here on the program looks by itself; `second` is alfa's second server.
pub(super) fn by_the_clock(
    tally: &mut Tally,
    program: &mut Program,
    second: NameServer,
) -> Result<NameServer, Trouble> {
    program.stop()?;
    let before = fs::read_to_string(program.config())?;
    let text = before.replacen("[verify]\n", &format!("[verify]\nevery_secs = 10\nhttp_port = {OTHER_PORT}\n"), 1);
    fs::write(program.config(), text)?;
    something_else(SocketAddr::new(at("TRAP")?.ip(), OTHER_PORT))?;
    program.start()?;
    let other = wait_for("a pass that nobody asked for", PASSES, || {
        let found = last(program, "complete.alfa", "http").ok()?;
        (found.get("verdict")? == "fails").then(|| found["evidence"].as_str().unwrap_or_default().to_owned())
    });
    tally.check(
        "something else at the trap's address fails the check, and is told",
        other.and_then(|said| contains(&said, "something else than our trap answered 200 (it calls itself Other)")),
    );
    tally.check(
        "nothing has drifted so far",
        drifted(program).and_then(|open| holds(open.is_empty(), || open.join("; "))),
    );

    let second = replace(second, &DRIFTED, "ALFA2")?;
    let seen = wait_for("an alarm that nobody asked for", PASSES, || {
        let open = drifted(program).ok()?;
        open.into_iter().find(|reason| reason.contains("complete.alfa"))
    });
    tally.check(
        "a registry that changes a delegation raises an alarm by itself, with the server that did",
        seen.and_then(|reason| all([contains(&reason, "to ns[.]host[.]alfa"), contains(&reason, "b[.]nic[.]alfa")])),
    );
    let second = replace(second, &CAUGHT_UP, "ALFA2")?;
    let ended = wait_for("the alarm to end", PASSES, || drifted(program).ok()?.is_empty().then_some(()));
    tally.check("and the alarm ends by itself once the delegation is as ordered again", ended);
    program.stop()?;
    fs::write(program.config(), before)?;
    program.start()?;
    Ok(second)
}

/// What the last look came to.
fn last(program: &Program, name: &str, check: &str) -> Result<Value, Trouble> {
    let said = program.ask(&["verify", "internet", "--last", "--name", name, "--json"])?;
    let told: Value = serde_json::from_str(&said.out)?;
    let findings = told["names"][0]["findings"].as_array().cloned().unwrap_or_default();
    findings.into_iter().find(|found| found["check"] == check).ok_or_else(|| format!("no {check} of {name}").into())
}

/// The open alarms about a delegation, each with its name and reason.
fn drifted(program: &Program) -> Result<Vec<String>, Trouble> {
    let told: Value = serde_json::from_str(&program.ask(&["alarm", "list", "--json"])?.good()?)?;
    let alarms = told.as_array().cloned().unwrap_or_default();
    let text = |alarm: &Value, key: &str| alarm[key].as_str().unwrap_or_default().to_owned();
    let of_ns = alarms.iter().filter(|alarm| alarm["kind"] == "drifted" && alarm["mark"] == "ns");
    Ok(of_ns.map(|alarm| format!("{}: {}", text(alarm, "subject"), text(alarm, "reason"))).collect())
}

/// Answers everything, and has no key.
fn something_else(at: SocketAddr) -> Done {
    let listener = TcpListener::bind(at)?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.read(&mut [0; 2_048]));
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nServer: Other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    Ok(())
}
