//! `bailiwick journal`: the contacts as they lie on disk.

use std::io::Write;

use model::contact::{Contact, What};
use model::name::defang;
use store::archive::name_text;
use store::journal::{Frame, read_all};

use crate::cli::{JournalCommand, Place};
use crate::config::Config;
use crate::failure::{Done, Failure, Tried};
use crate::on_disk::{JOURNAL, OnDisk};
use crate::terminal;

const COLUMNS: [&str; 13] = [
    "id",
    "received",
    "kind",
    "source",
    "local",
    "case",
    "name",
    "named_by",
    "asked",
    "detail",
    "user_agent",
    "oddities",
    "answer",
];

pub(crate) fn run(place: &Place, command: JournalCommand) -> Done {
    let data = Config::load(place)?.data;
    match command {
        JournalCommand::Csv => csv(&data.join(JOURNAL)),
        JournalCommand::Count { sensor, per_minute, out } => {
            let counted = sensor.map_or_else(|| OnDisk::count(&data), |sensor| OnDisk::count_of(&data, sensor))?;
            match (out.json, per_minute) {
                (true, _) => terminal::json(&counted),
                (false, true) => terminal::line(&minutes(&counted)),
                (false, false) => terminal::line(&text(&counted)),
            }
        }
    }
}

fn minutes(counted: &OnDisk) -> String {
    let heads = ["listener", "minute", "offered", "recorded", "collapsed", "shed", "lost in the kernel"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (listener, minutes) in &counted.minutes {
        for (minute, tally) in minutes {
            let terms = [tally.offered(), tally.recorded, tally.collapsed, tally.shed.total(), tally.lost_in_kernel];
            let cells = terms.map(terminal::count).into_iter();
            rows.push([listener.clone(), minute.clone()].into_iter().chain(cells).collect());
        }
    }
    terminal::table(&rows)
}

fn text(counted: &OnDisk) -> String {
    let mut rows = vec![vec!["kind".to_owned(), "recorded".to_owned()]];
    rows.extend(counted.by_kind.iter().map(|(kind, n)| vec![(*kind).to_owned(), terminal::count(*n)]));
    rows.push(vec!["total".into(), terminal::count(counted.contacts())]);
    let tally = counted.tally();
    let damage: String = counted.report.damaged.iter().map(|damage| format!("\ndamaged: {damage}")).collect();
    format!(
        "{}\n\noffered {} = recorded {} + collapsed {} + shed {} + lost in the kernel {}{damage}",
        terminal::table(&rows),
        terminal::count(tally.offered()),
        terminal::count(tally.recorded),
        terminal::count(tally.collapsed),
        terminal::count(tally.shed.total()),
        terminal::count(tally.lost_in_kernel),
    )
}

/// A spreadsheet is a machine that people look at: names stand defanged, and no cell starts a formula.
fn csv(journal: &std::path::Path) -> Done {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed = writeln!(out, "{}", COLUMNS.join(","));
    let report = read_all(journal, &mut |frame| {
        if let (Frame::Contact(contact), true) = (frame, failed.is_ok()) {
            failed = writeln!(out, "{}", row(&contact).map(|cell| quoted(&cell)).join(","));
        }
    })
    .tried(format_args!("reading the journal in {}", journal.display()))?;
    match failed.and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error).tried("writing to stdout"),
        _ => {}
    }
    if report.damaged.is_empty() {
        return Ok(());
    }
    let places: Vec<String> = report.damaged.iter().map(ToString::to_string).collect();
    Err(Failure::new(format!("the journal is damaged: {}", places.join("; "))).hint("everything else was printed"))
}

fn quoted(cell: &str) -> String {
    let inert = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() };
    if inert.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", inert.replace('"', "\"\"")) } else { inert }
}

fn row(contact: &Contact<'_>) -> [String; 13] {
    let subject = contact.subject.as_ref();
    let (asked, detail, user_agent, answer) = said(&contact.what);
    [
        contact.id.to_string(),
        contact.received.to_string(),
        contact.what.kind().as_str().to_owned(),
        contact.source.to_string(),
        contact.local.to_string(),
        subject.map(|subject| subject.case.to_string()).unwrap_or_default(),
        subject.map(|subject| defang(&subject.apex).to_string()).unwrap_or_default(),
        subject.map(|subject| format!("{:?}", subject.named_by).to_lowercase()).unwrap_or_default(),
        asked,
        detail,
        user_agent,
        contact.oddities.join(" "),
        answer,
    ]
}

/// What was asked for, a detail, the user agent, and the answer's code.
fn said(what: &What<'_>) -> (String, String, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_default().to_string();
    let inert = |bytes: &[u8]| defang(&text(bytes)).to_string();
    match what {
        What::Query(query) => (
            defang(&name_text(&query.name)).to_string(),
            format!("type {}", query.qtype),
            String::new(),
            query.rcode.map(|rcode| rcode.to_string()).unwrap_or_default(),
        ),
        What::Hello(hello) => (inert(&hello.sni), hello.ja4.to_string(), String::new(), String::new()),
        What::Request(request) => {
            let line = format!("{} {}", text(&request.method), text(&request.target));
            (line, inert(&request.host), text(&request.user_agent), String::new())
        }
        What::Connection(connection) => {
            (connection.looks_like.to_string(), String::new(), String::new(), String::new())
        }
        What::Message(message) => (text(&message.helo), String::new(), String::new(), String::new()),
        What::Datagram(datagram) => {
            (datagram.looks_like.to_string(), datagram.len.to_string(), String::new(), String::new())
        }
    }
}
