//! One core and two sensors, each a process of its own, and a line between them that breaks.
//!
//! Callers ask the sensors for names that nobody asked for before, so that each answer can be found at the core, or missed.
//! Meanwhile the line is cut and breaks in the middle of requests, the core is killed, and a sensor is killed. Then the
//! core has every answer once. At the end a name is handed back, and a sensor that is cut off stops by itself.

mod calls;
mod identity;
mod line;

use std::collections::BTreeSet;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use serde_json::Value;

use self::calls::{Calls, ask};
use self::line::Line;
use super::SEIZED;
use crate::clock::{now, pause, wait_for};
use crate::program::{Program, exercise, free_port};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// For what was recorded to be at the core and in its archive.
const ARRIVED: Duration = Duration::from_secs(180);
/// For a sensor to hear of a decision, poll and all, on a busy machine.
const HEARD: Duration = Duration::from_secs(60);
/// The sensor that is killed in the middle of it, by its number.
const KILLED: u32 = 2;
/// How long a lease is here: long enough to live through the troubles, short enough to be waited for.
const LEASE_SECS: u64 = 20;
/// How much later than its end a lease may be obeyed, on a busy machine.
const GRACE: Duration = Duration::from_secs(3);
const NO_LIMITS: &str = "[dns.rate]\nanswers_per_sec = 0\nsource_records_per_sec = 0\nname_records_per_sec = 0\n\
    listener_records_per_sec = 0\n";

pub fn run(tally: &mut Tally) -> Done {
    let port = free_port()?;
    let line = Line::to(port)?;
    let mut core = Program::install(&exercise())?;
    core.configure_also(&format!(
        "{NO_LIMITS}\n[sensors]\nlisten = [\"127.0.0.1:{port}\"]\naddress = \"127.0.0.1:{}\"\nlease_secs = {LEASE_SECS}\n",
        line.port
    ))?;
    core.start()?;
    let mut sensors = [joined(tally, &core, "fra-1")?, joined(tally, &core, "lon-1")?];
    for sensor in &mut sensors {
        sensor.start()?;
        let serves = || is_answered(sensor, SEIZED, ResponseCode::NoError);
        tally.check("a sensor serves what its core has decided", wait_for("the zones", HEARD, serves));
    }
    troubles(tally, &mut core, &mut sensors, &line)?;
    identity::judge(tally, &core, &sensors, port)?;
    identity::copied(tally, &core, &mut sensors[0])?;
    handed_back(tally, &core, &mut sensors[1], &line)
}

/// A machine that has spent a token.
fn joined(tally: &mut Tally, core: &Program, name: &str) -> Result<Program, Trouble> {
    let sensor = Program::sensor()?;
    sensor.configure_also(&format!("{NO_LIMITS}\n[uplink]\nsegment_secs = 1\npoll_secs = 1\n"))?;
    let early = sensor.ask(&["doctor"])?;
    tally.check(
        "a machine that has not joined is told of nothing",
        holds(!early.all().contains(SEIZED), || early.all()),
    );
    let token = core.path(&format!("{name}.enrol"));
    let file = token.to_string_lossy();
    core.ask(&["sensor", "enroll", name, "--token-file", &file])?.good()?;
    sensor.ask(&["sensor", "join", &file])?.good()?;
    let other = Program::sensor()?;
    let again = other.ask(&["sensor", "join", &file])?;
    let is_refused = !again.ok && again.err.contains("spent");
    tally.check("a token is good once", holds(is_refused, || again.all()));
    Ok(sensor)
}

fn is_answered(sensor: &Program, name: &str, code: ResponseCode) -> Option<()> {
    ask(sensor.dns(), name, 9).ok().flatten().filter(|answered| *answered == code).map(|_| ())
}

//----------- Troubles ---------------------------------------------------------------------------------------------

fn troubles(tally: &mut Tally, core: &mut Program, sensors: &mut [Program; 2], line: &Line) -> Done {
    let calls = [Calls::begin(sensors[0].dns(), 1), Calls::begin(sensors[1].dns(), 2)];
    pause(Duration::from_secs(3));
    line.breaks_one_in(3);
    pause(Duration::from_secs(6));
    core.kill()?;
    pause(Duration::from_secs(3));
    core.start()?;
    pause(Duration::from_secs(2));
    sensors[0].kill()?;
    pause(Duration::from_secs(1));
    sensors[0].start()?;
    line.cut();
    pause(Duration::from_secs(4));
    line.mend();
    pause(Duration::from_secs(3));
    let one_broke = wait_for("a connection that breaks", HEARD, || (line.broken() > 0).then_some(()));
    line.breaks_one_in(0);
    let broken = line.broken();
    tally.check("connections broke in the middle", one_broke);
    let [first, second] = calls;
    let answered: [Vec<String>; 2] = [first.end()?, second.end()?];
    println!("        {} and {} answers, {broken} connections broken", answered[0].len(), answered[1].len());
    for (number, (sensor, answered)) in (2_u32..).zip(sensors.iter().zip(&answered)) {
        arrived(tally, core, number, sensor, answered)?;
    }
    Ok(())
}

/// The core has each answer of a sensor once, and the sensor has let go what the core has.
fn arrived(tally: &mut Tally, core: &Program, number: u32, sensor: &Program, answered: &[String]) -> Done {
    let waits = || {
        let status = json(sensor, &["status", "--json"]).ok()?;
        (status["uplink"]["waiting"] == 0).then_some(())
    };
    tally.check(
        &format!("sensor {number}: everything was sent"),
        wait_for("an uplink with nothing to do", ARRIVED, waits),
    );
    let wanted: BTreeSet<&str> = answered.iter().map(String::as_str).collect();
    let has_all = || wanted.is_subset(&archived(core, number).ok()?.iter().map(String::as_str).collect()).then_some(());
    let promise = format!("sensor {number}: each of {} answers is in the core's archive", wanted.len());
    tally.check(&promise, wait_for("every answer in the archive", ARRIVED, has_all));
    let rows = archived(core, number)?;
    let distinct: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
    let once = holds(rows.len() == distinct.len(), || format!("{} rows, {} names", rows.len(), distinct.len()));
    tally.check(&format!("sensor {number}: and each is there once"), once);
    equation(tally, core, number, rows.len() as u64)
}

/// The names that a sensor's callers asked for, without what all have in common.
fn archived(core: &Program, number: u32) -> Result<Vec<String>, Trouble> {
    let caller = number - 1;
    let sql = format!("SELECT qname FROM contacts WHERE qname LIKE 's{caller}-%' AND local_port > 0");
    let name = |row: Vec<Value>| Some(row.first()?.as_str()?.split('.').next()?.to_owned());
    Ok(core.rows(&sql)?.into_iter().filter_map(name).collect())
}

/// What lies at the core of a sensor is dense, and says of itself how much there is.
fn equation(tally: &mut Tally, core: &Program, number: u32, rows: u64) -> Done {
    // What a sensor counted of its last second comes with its next segment.
    let all_counted = || {
        let counted = count(core, number).ok()?;
        let (queries, recorded) = queries_and_recorded(&counted);
        (number == KILLED || recorded == queries).then_some(counted)
    };
    let counted = wait_for("the last counts", HEARD, all_counted).or_else(|_| count(core, number))?;
    let report = &counted["report"];
    let nothing = ["missing", "doubles"].iter().all(|what| report[what] == 0);
    let sound = nothing && report["damaged"].as_array().is_none_or(Vec::is_empty);
    tally.check(&format!("sensor {number}: no gap, no double, no damage"), holds(sound, || report.to_string()));
    let (queries, recorded) = queries_and_recorded(&counted);
    let enough = holds(queries >= rows, || format!("{queries} queries in segments, {rows} in the archive"));
    tally.check(&format!("sensor {number}: its segments have what the archive has"), enough);
    // A process that was killed has not counted its last second.
    let holds_together = if number == KILLED { recorded <= queries } else { recorded == queries };
    let seen = || format!("{recorded} counted as recorded, {queries} recorded");
    tally.check(&format!("sensor {number}: the equation holds at the core"), holds(holds_together, seen));
    Ok(())
}

fn count(core: &Program, number: u32) -> Result<Value, Trouble> {
    json(core, &["journal", "count", "--sensor", &number.to_string(), "--json"])
}

/// Queries in a sensor's segments, and those that its listeners say they recorded.
fn queries_and_recorded(counted: &Value) -> (u64, u64) {
    let recorded = counted["listeners"].as_object().map_or(0, |all| {
        all.iter().filter(|(name, _)| name.starts_with("dns")).filter_map(|(_, tally)| tally["recorded"].as_u64()).sum()
    });
    (counted["by_kind"]["query"].as_u64().unwrap_or_default(), recorded)
}

fn json(program: &Program, words: &[&str]) -> Result<Value, Trouble> {
    Ok(serde_json::from_str(&program.ask(words)?.good()?)?)
}

//----------- Handing back -----------------------------------------------------------------------------------------

/// A sensor that is cut off is listed with its last moment, and stops by then.
fn handed_back(tally: &mut Tally, core: &Program, sensor: &mut Program, line: &Line) -> Done {
    let told = core.hand_back(SEIZED)?;
    println!("        not confirmed at once: {}", told["not_confirmed"].as_array().map_or(0, Vec::len));
    let confirmed = || (behind(core, "lon-1").ok()?.is_none()).then_some(());
    tally.check("a sensor that is connected confirms a handback", wait_for("a confirmation", HEARD, confirmed));
    line.cut();
    let other = "yahoo-verify.net";
    let serves = || is_answered(sensor, other, ResponseCode::NoError);
    tally.check("cut off, it serves on", wait_for("an answer", GRACE, serves));
    let told = core.hand_back(other)?;
    let listed = told["not_confirmed"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "lon-1"));
    let until = listed.and_then(|one| one["lease"]["until"].as_str()?.parse::<model::Timestamp>().ok());
    let until = until.ok_or_else(|| format!("`case return` lists no lon-1 with its end: {told}"))?;
    tally.check("`case return` says who has not confirmed, and until when at the latest", Ok(()));
    // A restart while it is cut off changes nothing: what it holds is its own.
    sensor.kill()?;
    sensor.start()?;
    if until > now() + Duration::from_secs(5) {
        let serves = || is_answered(sensor, other, ResponseCode::NoError);
        tally.check("started again while it is cut off, it serves until then", wait_for("an answer", GRACE, serves));
    }
    let left = until.duration_since(now()).unsigned_abs() + GRACE;
    let stops = || is_answered(sensor, other, ResponseCode::Refused);
    tally.check("by then it has stopped by itself", wait_for("a refusal", left, stops));
    let status = json(sensor, &["status", "--json"])?;
    let says_so = holds(status["uplink"]["lease_is_over"] == true, || status["uplink"].to_string());
    tally.check("and says so", says_so);
    line.mend();
    let again = || is_answered(sensor, "outlook-livecs.com", ResponseCode::NoError).or_else(|| recovers(sensor));
    tally.check("reached again, it goes on with what stands now", wait_for("the zones", HEARD, again));
    tally.check("it ends cleanly", sensor.stop());
    Ok(())
}

/// Any name of the exercise that was not handed back is answered again.
fn recovers(sensor: &Program) -> Option<()> {
    let status = json(sensor, &["status", "--json"]).ok()?;
    (status["uplink"]["lease_is_over"] == false && status["zones"].as_u64()? > 0).then_some(())
}

fn behind(core: &Program, name: &str) -> Result<Option<Value>, Trouble> {
    let told = json(core, &["sensor", "list", "--json"])?;
    let sensors = told["sensors"].as_array().cloned().unwrap_or_default();
    Ok(sensors.into_iter().find(|one| one["name"] == name && one["has_confirmed"] == false))
}
