//! Every odd request stands in the record as it was sent, outside redacted spans, and gets an answer of the closed set.

use std::collections::BTreeMap;
use std::time::Duration;

use super::corpus::{self, CALLER, Odd};
use crate::clock::wait_for;
use crate::program::Program;
use crate::tally::{Tally, all, holds};
use crate::{Done, Trouble};

/// From the last answer to its row in the archive, on a busy machine.
const LEARN: Duration = Duration::from_secs(90);

/// What a recorder keeps of one contact.
struct Row {
    part: String,
    octets: Vec<u8>,
    oddities: Vec<String>,
}

pub(crate) fn run(tally: &mut Tally, program: &Program) {
    let odds = corpus::all();
    tally.check("odd requests: each is recorded octet by octet, named, and answered harmlessly", each(program, &odds));
}

fn each(program: &Program, odds: &[Odd]) -> Done {
    let said: Vec<(u16, Vec<u8>)> = odds.iter().map(|odd| odd.say(program.ports.http)).collect::<Result<_, _>>()?;
    let heads: usize = odds.iter().map(|odd| odd.recorded().len()).sum();
    let rows = wait_for(&format!("{heads} odd heads"), LEARN, || {
        let rows = recorded(program).ok()?;
        let kept: usize = rows.values().map(Vec::len).sum();
        (kept >= heads).then_some(rows)
    });
    let rows = rows.or_else(|_| recorded(program))?;
    let mut faults = Vec::new();
    for (odd, (from, answer)) in odds.iter().zip(&said) {
        let rows = rows.get(from).map_or(&[][..], Vec::as_slice);
        let checks = [is_whole(odd, rows), is_named(odd, rows), is_harmless(odd, answer)];
        faults.extend(all(checks).err().map(|fault| format!("{}: {fault}", odd.what)));
    }
    println!("        odd requests recorded: {} of {}", odds.len() - faults.len(), odds.len());
    holds(faults.is_empty(), || faults.join("\n"))
}

/// By the port that called, in the order received.
fn recorded(program: &Program) -> Result<BTreeMap<u16, Vec<Row>>, Trouble> {
    let sql = format!(
        "select c.source_port, r.part, r.bytes, c.oddities from contacts c join raw r on c.id = r.id \
         where c.source = '{CALLER}' and r.part in ('head', 'hello') order by c.received, c.id"
    );
    let mut rows: BTreeMap<u16, Vec<Row>> = BTreeMap::new();
    for row in program.rows(&sql)? {
        let text = |at: usize| row.get(at).and_then(|cell| cell.as_str()).unwrap_or_default().to_owned();
        let port = row.first().and_then(serde_json::Value::as_u64).ok_or("a row without a port")?;
        let row = Row { part: text(1), octets: unhexed(&text(2))?, oddities: words(row.get(3)) };
        rows.entry(u16::try_from(port)?).or_default().push(row);
    }
    Ok(rows)
}

/// The strings of a list.
pub(crate) fn words(cell: Option<&serde_json::Value>) -> Vec<String> {
    let cells = cell.and_then(|cell| cell.as_array()).map(Vec::as_slice).unwrap_or_default();
    cells.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Octets that `query --json` wrote as digits.
pub(crate) fn unhexed(digits: &str) -> Result<Vec<u8>, Trouble> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

//----------- What must hold ---------------------------------------------------------------------------------------

fn is_whole(odd: &Odd, rows: &[Row]) -> Done {
    let wanted = odd.recorded();
    let kept: Vec<&Vec<u8>> = rows.iter().filter(|row| row.part == odd.part).map(|row| &row.octets).collect();
    // What follows a head that ends a conversation may be on record too, as a head of its own.
    let is_so = kept.len() >= wanted.len() && kept.iter().zip(&wanted).all(|(kept, wanted)| *kept == wanted);
    holds(is_so, || {
        let shown = |octets: &Vec<u8>| octets.escape_ascii().to_string().chars().take(300).collect::<String>();
        let lists = [wanted.iter().map(shown).collect::<Vec<_>>(), kept.into_iter().map(shown).collect()];
        format!("\nwanted {:?}\nkept   {:?}", lists[0], lists[1])
    })
}

fn is_named(odd: &Odd, rows: &[Row]) -> Done {
    let named: Vec<&str> = rows.iter().flat_map(|row| &row.oddities).map(String::as_str).collect();
    holds(odd.oddity.is_empty() || named.contains(&odd.oddity), || format!("no {} in {named:?}", odd.oddity))
}

/// Nothing, a status of the closed set, our page as HTTP/0.9 has it, a record of TLS, or a frame of HTTP/2; never what
/// was asked, and never a way elsewhere.
fn is_harmless(odd: &Odd, answer: &[u8]) -> Done {
    let text = String::from_utf8_lossy(answer);
    let heads: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|head| head.get(..3).unwrap_or_default()).collect();
    let is_known = match answer {
        [] | [0x15 | 0x16, 3, ..] => true,
        // SETTINGS, of whatever length below 256.
        [0, 0, _, 4, ..] => true,
        _ if text.starts_with("<!DOCTYPE html>") => true,
        _ => text.starts_with("HTTP/1.1 ") && heads.iter().all(|status| STATUSES.contains(status)),
    };
    let is_ours = !text.contains(&odd.token()) && !text.to_lowercase().contains("\nlocation:");
    holds(is_known && is_ours, || format!("answered {}", text.chars().take(200).collect::<String>()))
}

const STATUSES: [&str; 6] = ["100", "200", "204", "400", "404", "410"];
