//! `bailiwick case ready`: each of our servers is asked for each redirected name before any registry is; some registries
//! refuse servers that do not answer.
//!
//! Only the addresses that the operator names are asked, over UDP, one question after the other. An answer counts if it comes
//! from that address with the same number and question, has AA set, no error, and a record. [`https`] looks at certificates.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use desk::api::{ReadyCheck, ReadyTold, ReadyVerdict};
use model::DomainName;

use crate::cli::ReadyArgs;
use crate::door::Door;
use crate::failure::{Done, Failure, Tried, code};
use crate::supervise::now;
use crate::terminal::{self, table};

mod https;

/// How long one answer may take, and how often one is asked.
const PATIENCE: Duration = Duration::from_millis(800);
const TRIES_MAX: u16 = 3;
/// Names of a check's failures that are shown.
const SHOWN_MAX: usize = 5;
/// A server that has not answered so many names in a row is down: the rest need not be waited for.
const SILENT_MAX: usize = 5;
const SOA: u16 = 6;

pub(super) fn run(door: &Door, args: &ReadyArgs) -> Done {
    if args.traps.len() > https::TRAPS_MAX {
        let what = format!("at most {} traps are looked at in one go", https::TRAPS_MAX);
        return Err(Failure::new(what).code(code::USAGE));
    }
    let mut told: ReadyTold = door.get(&format!("/cases/{}/ready", args.case))?;
    told.checks.extend(args.servers.iter().map(|server| asked(*server, &told.zones)));
    if args.servers.is_empty() && !told.zones.is_empty() {
        told.checks
            .push(not_known("our servers answer", "no server was named: `--server ADDRESS:PORT`, once for each"));
    }
    told.checks.extend(args.traps.iter().map(|trap| https::asked(*trap, &told.zones, now())));
    if args.traps.is_empty() && !told.zones.is_empty() {
        let seen = "no trap was named: `--https ADDRESS:PORT`, once for each";
        told.checks.push(not_known("our traps show a certificate for each name", seen));
    }
    told.checks.push(capacity(args.measured, args.expected));
    let fails = told.checks.iter().filter(|check| check.verdict == ReadyVerdict::Fails).count();
    let unknown = told.checks.iter().filter(|check| check.verdict == ReadyVerdict::NotKnown).count();
    if args.out.json {
        terminal::json(&told)?;
    } else {
        terminal::line(&drawn(&told))?;
    }
    if fails + unknown > 0 {
        let what = format!("case {} is not ready: {fails} checks fail, {unknown} are not known", args.case);
        return Err(Failure::new(what)
            .hint("mend what fails, say what is not known, and ask again")
            .code(code::NOT_VERIFIED));
    }
    Ok(())
}

fn not_known(what: &str, seen: &str) -> ReadyCheck {
    ReadyCheck { what: what.to_owned(), verdict: ReadyVerdict::NotKnown, seen: seen.to_owned() }
}

/// Fails by what is wrong, of which the first are shown.
fn check(what: String, bad: &[String], good: String) -> ReadyCheck {
    if bad.is_empty() {
        return ReadyCheck { what, verdict: ReadyVerdict::Holds, seen: good };
    }
    let shown: Vec<&str> = bad.iter().take(SHOWN_MAX).map(String::as_str).collect();
    let more = bad.len().saturating_sub(SHOWN_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    ReadyCheck { what, verdict: ReadyVerdict::Fails, seen: format!("{}{more}", shown.join("; ")) }
}

fn capacity(measured: Option<u64>, expected: Option<u64>) -> ReadyCheck {
    let what = "the servers carry what is expected".to_owned();
    match (measured, expected) {
        (Some(measured), Some(expected)) => {
            let verdict = if measured >= expected { ReadyVerdict::Holds } else { ReadyVerdict::Fails };
            let times = measured as f64 / expected as f64;
            ReadyCheck {
                what,
                verdict,
                seen: format!("{times:.1} times: {measured}/s measured, {expected}/s expected"),
            }
        }
        _ => not_known(&what, "say `--measured` and `--expected`, in queries a second"),
    }
}

fn drawn(told: &ReadyTold) -> String {
    let mut rows = vec![["", "check", "seen"].map(str::to_owned).to_vec()];
    for check in &told.checks {
        let word = match check.verdict {
            ReadyVerdict::Holds => "holds",
            ReadyVerdict::Fails => "FAILS",
            ReadyVerdict::NotKnown => "not known",
        };
        rows.push(vec![word.to_owned(), check.what.clone(), check.seen.clone()]);
    }
    let mut text = table(&rows);
    for undo in &told.reverse {
        text.push_str(&format!(
            "\n\nto undo {} of {} ({} names, order {})",
            undo.outcome, undo.actor, undo.names, undo.order
        ));
        for (number, step) in undo.steps.iter().enumerate() {
            text.push_str(&format!("\n  {}. {step}", number + 1));
        }
    }
    text
}

//----------- Asking -----------------------------------------------------------------------------------------------

fn asked(server: SocketAddr, zones: &[DomainName]) -> ReadyCheck {
    let what = format!("{server} answers for every redirected name");
    match ask_all(server, zones) {
        Ok(bad) => check(what, &bad, format!("{} with AA", zones.len())),
        Err(failure) => check(what, &[failure.message().to_owned()], String::new()),
    }
}

/// What is wrong, by name.
fn ask_all(server: SocketAddr, zones: &[DomainName]) -> Result<Vec<String>, Failure> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).tried("opening a socket to ask our servers from")?;
    socket.connect(server).tried(format_args!("turning to {server}"))?;
    socket.set_read_timeout(Some(PATIENCE)).tried("setting how long an answer may take")?;
    let (mut bad, mut silent) = (Vec::new(), 0);
    for (number, zone) in zones.iter().enumerate() {
        match ask(&socket, zone, number as u16) {
            Ok(()) => silent = 0,
            Err(Wrong::Silent) => {
                silent += 1;
                bad.push(format!("{} has no answer", zone.defanged()));
            }
            Err(Wrong::Said(what)) => bad.push(format!("{} {what}", zone.defanged())),
        }
        if silent == SILENT_MAX {
            bad.push(format!("the {} names after it were not asked", zones.len() - number - 1));
            break;
        }
    }
    Ok(bad)
}

enum Wrong {
    Silent,
    Said(&'static str),
}

fn ask(socket: &UdpSocket, zone: &DomainName, id: u16) -> Result<(), Wrong> {
    let question = question(zone, id);
    let mut answer = [0u8; 4_096];
    for _ in 0..TRIES_MAX {
        if socket.send(&question).is_err() {
            continue;
        }
        // An answer to an earlier question may still come in; it is not this one's.
        while let Ok(length) = socket.recv(&mut answer) {
            if let Some(verdict) = judged(&answer[..length], &question) {
                return verdict.map_err(Wrong::Said);
            }
        }
    }
    Err(Wrong::Silent)
}

/// A question for the SOA of a zone (RFC 1035, 4.1), without recursion.
fn question(zone: &DomainName, id: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend(zone.to_wire());
    message.extend(SOA.to_be_bytes());
    message.extend([0, 1]);
    message
}

/// `None` if it is no answer to this question.
fn judged(answer: &[u8], question: &[u8]) -> Option<Result<(), &'static str>> {
    let (head, rest) = answer.split_at_checked(12)?;
    let is_ours = head[..2] == question[..2] && head[2] & 0x80 != 0 && rest.starts_with(&question[12..]);
    let records = u16::from_be_bytes([head[6], head[7]]);
    is_ours.then(|| match (head[2] & 0x04 != 0, head[3] & 0x0f, records) {
        (_, 5, _) => Err("is refused"),
        (_, 2, _) => Err("has a server failure"),
        (_, 3, _) => Err("does not exist there"),
        (false, ..) => Err("is answered without authority"),
        (true, 0, 1..) => Ok(()),
        _ => Err("has no SOA"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_with_authority_to_this_question_counts() {
        let name = DomainName::parse("seized.example").unwrap();
        let question = question(&name, 7);
        let answer = |id: u8, flags: u8, rcode: u8, records: u8| {
            let mut answer = question.clone();
            (answer[1], answer[2], answer[3], answer[7]) = (id, flags, rcode, records);
            answer
        };
        for (said, verdict) in [
            (answer(7, 0x84, 0, 1), Some(Ok(()))),
            (answer(7, 0x80, 0, 1), Some(Err("is answered without authority"))),
            (answer(7, 0x84, 0, 0), Some(Err("has no SOA"))),
            (answer(7, 0x84, 3, 0), Some(Err("does not exist there"))),
            (answer(7, 0x80, 5, 0), Some(Err("is refused"))),
            (answer(8, 0x84, 0, 1), None),
            (answer(7, 0x04, 0, 1), None),
            (question[..11].to_vec(), None),
        ] {
            assert_eq!(judged(&said, &question), verdict);
        }
        let other = super::question(&DomainName::parse("other.example").unwrap(), 7);
        assert_eq!(judged(&answer(7, 0x84, 0, 1), &other), None);
    }

    #[test]
    fn a_server_that_is_silent_is_not_waited_for_name_by_name() {
        let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
        let zones: Vec<DomainName> =
            (0..50).map(|number| DomainName::parse(&format!("n{number}.example")).unwrap()).collect();
        let bad = ask_all(deaf.local_addr().unwrap(), &zones[..6]).unwrap();
        assert_eq!(bad.len(), SILENT_MAX + 1);
        assert!(bad[SILENT_MAX].contains("1 names after it"), "{bad:?}");
    }

    #[test]
    fn capacity_is_a_ratio_or_not_known() {
        assert_eq!(capacity(Some(3_000), Some(1_000)).verdict, ReadyVerdict::Holds);
        assert_eq!(capacity(Some(900), Some(1_000)).verdict, ReadyVerdict::Fails);
        assert_eq!(capacity(None, None).verdict, ReadyVerdict::NotKnown);
    }
}
