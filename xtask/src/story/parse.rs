//! From text to steps. A sentence that nobody knows is a fault with its line; nothing is guessed.

use std::net::Ipv4Addr;

use super::Story;
use super::step::{Ask, Given, Step, Then, Visit, When};

/// Where a story cannot be read, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    pub line: usize,
    pub what: String,
}

/// Reads one story.
pub fn parse(text: &str) -> Result<Story, Fault> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let title = lines.by_ref().find_map(|(_, line)| line.strip_prefix('#'));
    let title = title.ok_or_else(|| fault(1, "a story begins with its title: `# …`"))?.trim().to_owned();
    let mut steps: Vec<(usize, Step)> = Vec::new();
    for (line, said) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let (word, sentence) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
        let kind = kind(word, steps.last().map(|(_, step)| step))
            .ok_or_else(|| fault(line, "a step begins with given, when, then or and"))?;
        let words = words(sentence).ok_or_else(|| fault(line, "a quote is not closed"))?;
        let spoken: Vec<&str> = words.iter().map(String::as_str).collect();
        let step =
            read(kind, &spoken).ok_or_else(|| fault(line, &format!("no `{kind:?}` sentence is like `{sentence}`")))?;
        steps.push((line, step));
    }
    if !steps.iter().any(|(_, step)| matches!(step, Step::Then(_))) {
        return Err(fault(1, "a story without `then` expects nothing"));
    }
    Ok(Story { title, steps })
}

fn fault(line: usize, what: &str) -> Fault {
    Fault { line, what: what.to_owned() }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Given,
    When,
    Then,
}

/// `and` goes on with what the step before was.
fn kind(word: &str, before: Option<&Step>) -> Option<Kind> {
    match (word, before) {
        ("given", _) | ("and", Some(Step::Given(_))) => Some(Kind::Given),
        ("when", _) | ("and", Some(Step::When(_))) => Some(Kind::When),
        ("then", _) | ("and", Some(Step::Then(_))) => Some(Kind::Then),
        _ => None,
    }
}

fn read(kind: Kind, words: &[&str]) -> Option<Step> {
    match kind {
        Kind::Given => given(words).map(Step::Given),
        Kind::When => when(words).map(Step::When),
        Kind::Then => then(words).map(Step::Then),
    }
}

//----------- Sentences --------------------------------------------------------------------------------------------

fn given(words: &[&str]) -> Option<Given> {
    Some(match *words {
        [name, "is", "seized"] => Given::Seized(name.to_owned()),
        [name, "is", "seized", "and", "may", "be", "shared"] => Given::Shared(name.to_owned()),
        [name, "is", "ordered", "to", "be", outcome] => {
            Given::Ordered { name: name.to_owned(), outcome: outcome.to_owned() }
        }
        [name, "is", "answered", "for,", "without", "record"] => Given::AnsweredOnly(name.to_owned()),
        [name, "is", "a", "kill", "switch"] => Given::KillSwitch(name.to_owned()),
        [name, "had", record] => Given::Had { name: name.to_owned(), record: record.to_owned() },
        ["the", "case", "answers", "with", address] => Given::AnswersWith(address.parse().ok()?),
        ["the", "authority", "ends", "after", secs, "seconds"] => Given::Ends { secs: secs.parse().ok()? },
        ["the", "country", country, "is", "withheld"] => Given::CountryWithheld(country.to_owned()),
        ["the", "network", network, "is", "withheld"] => Given::NetworkWithheld(network.to_owned()),
        _ => return None,
    })
}

fn when(words: &[&str]) -> Option<When> {
    Some(match *words {
        [source, "asks", qtype, name] => When::Asks(ask(source, qtype, name, false)?),
        [source, "asks", qtype, name, "over", "TCP"] => When::Asks(ask(source, qtype, name, true)?),
        [source, "sends", "the", "octets", octets] => {
            When::SendsOctets { source: source.parse().ok()?, octets: hex(octets)? }
        }
        [source, "opens", path, "at", name, ref more @ ..] => When::Opens(visit(source, path, name, more)?),
        [source, "posts", body, "to", path, "at", name, ref more @ ..] => {
            When::Posts { body: body.to_owned(), visit: visit(source, path, name, more)? }
        }
        [source, "says", text] => When::Says { source: source.parse().ok()?, text: text.to_owned() },
        [name, "is", "put", "on", "hold"] => When::Narrowed { name: name.to_owned(), mode: "hold" },
        [name, "is", "handed", "back"] => When::Narrowed { name: name.to_owned(), mode: "handback" },
        [name, "is", "switched", "off"] => When::Narrowed { name: name.to_owned(), mode: "off" },
        ["the", "program", "is", "killed", "and", "started", "again"] => When::Killed,
        ["the", "authority", "has", "ended"] => When::AuthorityEnded,
        _ => return None,
    })
}

fn then(words: &[&str]) -> Option<Then> {
    Some(match *words {
        ["the", "answer", "is", rcode] => Then::Rcode(rcode.to_owned()),
        ["there", "is", "no", "answer"] => Then::NoAnswer,
        ["the", "answer", "holds", "nothing"] => Then::HoldsNothing,
        ["the", "answer", "holds", rtype, ref rdata @ ..] => {
            Then::Holds { rtype: rtype.to_owned(), rdata: rdata.join(" ") }
        }
        ["the", "status", "is", status] => Then::Status(status.parse().ok()?),
        ["the", "page", "says", text] => Then::PageSays(text.to_owned()),
        ["the", "page", "does", "not", "say", text] => Then::PageLacks(text.to_owned()),
        ["the", "oddity", code, "is", "recorded"] => Then::Oddity(code.to_owned()),
        [count, kind, "is" | "are", "recorded"] => Then::Recorded { count: counted(count)?, kind: singular(kind) },
        [text, "is", "nowhere"] => Then::Nowhere(text.to_owned()),
        [source, "is", "labelled", label] => Then::Labelled { source: source.parse().ok()?, label: label.to_owned() },
        [source, "is", "in", "the", "victim", "report"] => Then::Reported { source: source.parse().ok()?, is: true },
        [source, "is", "not", "in", "the", "victim", "report"] => {
            Then::Reported { source: source.parse().ok()?, is: false }
        }
        [source, "is", "in", "no", "output"] => Then::InNoOutput(source.parse().ok()?),
        [name, "is", "in", "the", format, "feed"] => in_feed(name, format, true),
        [name, "is", "not", "in", "the", format, "feed"] => in_feed(name, format, false),
        _ => return None,
    })
}

fn in_feed(name: &str, format: &str, is: bool) -> Then {
    Then::InFeed { name: name.to_owned(), format: format.to_owned(), is }
}

fn ask(source: &str, qtype: &str, name: &str, over_tcp: bool) -> Option<Ask> {
    Some(Ask { source: source.parse().ok()?, qtype: qtype.to_owned(), name: name.to_owned(), over_tcp })
}

fn visit(source: &str, path: &str, name: &str, mut more: &[&str]) -> Option<Visit> {
    let source: Ipv4Addr = source.parse().ok()?;
    let mut visit =
        Visit { source, path: path.to_owned(), name: name.to_owned(), over_tls: false, referer: None, agent: None };
    loop {
        more = match *more {
            [] => return Some(visit),
            ["over", "TLS", ref rest @ ..] => {
                visit.over_tls = true;
                rest
            }
            ["following", referer, ref rest @ ..] => {
                visit.referer = Some(referer.to_owned());
                rest
            }
            ["as", agent, ref rest @ ..] => {
                visit.agent = Some(agent.to_owned());
                rest
            }
            _ => return None,
        };
    }
}

//----------- Words ------------------------------------------------------------------------------------------------

fn counted(word: &str) -> Option<u64> {
    match word {
        "no" => Some(0),
        "one" => Some(1),
        "two" => Some(2),
        "three" => Some(3),
        _ => word.parse().ok(),
    }
}

fn singular(kind: &str) -> String {
    kind.strip_suffix("ies").map(|stem| format!("{stem}y")).unwrap_or_else(|| kind.trim_end_matches('s').to_owned())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    text.len().is_multiple_of(2).then_some(())?;
    text.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Words between blanks; what stands in quotes is one word. `None` if a quote is not closed.
fn words(sentence: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = sentence.trim_start();
    while !rest.is_empty() {
        let (word, more) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => rest.split_once(' ').map_or((rest.to_owned(), ""), |(word, more)| (word.to_owned(), more)),
        };
        words.push(word);
        rest = more.trim_start();
    }
    Some(words)
}

/// What stands before the closing quote, and what comes after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((word, &text[at + 1..])),
            '\\' => word.push(match letters.next()?.1 {
                'r' => '\r',
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            _ => word.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests;
