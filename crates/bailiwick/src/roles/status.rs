//! `bailiwick status`: what runs, what came in, what was lost.

use desk::api::{
    CertificateTally, JournalLive, ListenerTally, OpenAlarms, RetentionLive, ShippingTally, Status, UplinkLive,
};
use model::tally::CutShort;

use crate::cli::{JsonArgs, Place};
use crate::door::Door;
use crate::failure::Done;
use crate::terminal::{self, count, table};

pub(crate) fn run(place: &Place, args: &JsonArgs) -> Done {
    let status: Status = Door::open(place, "status")?.get("/status")?;
    if args.json { terminal::json(&status) } else { terminal::line(&told(&status)) }
}

fn told(status: &Status) -> String {
    let live = &status.live;
    let runs = match live.running_since {
        Some(since) => format!("running since {since} ({} s), {} zones answered", live.uptime_secs, count(live.zones)),
        None => "no daemon runs on this data folder; `bailiwick serve` starts one".to_owned(),
    };
    let stands = format!(
        "{} cases, {} names to serve, {} requests wait for people, {} indicators learned, {} refusals",
        status.cases, status.names_served, status.approvals_open, status.indicators, status.ledger.refusals
    );
    let mut text = format!("{runs}\n{stands}\n");
    text.push_str(&alarms(&status.alarms));
    text.extend(live.journal.iter().map(journal));
    text.extend(live.uplink.iter().map(uplink));
    if !live.tallies.is_empty() {
        text.push_str(&format!("\n{}\n", table(&listeners(&live.tallies))));
    }
    let cut = cut_short(&live.tallies);
    if cut.len() > 1 {
        text.push_str(&format!("\n{}\n", table(&cut)));
    }
    if let Some(tally) = &live.certificates {
        text.push_str(&certificates(tally));
    }
    text.extend(live.clickhouse.iter().map(shipping));
    let archive = status.archive.iter().map(|(name, tally)| {
        let numbers = [tally.rows, tally.files, tally.bytes, tally.waiting].map(count);
        [vec![name.clone()], numbers.to_vec()].concat()
    });
    let heads = ["archive", "rows", "files", "octets", "files that wait"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(archive).collect();
    text.push_str(&format!("\n{}\n", table(&rows)));
    if let Some(retention) = &live.retention {
        text.push_str(&retained(retention));
    }
    for trouble in &live.troubles {
        text.push_str(&format!("\ntrouble: {trouble}"));
    }
    text.trim_end().to_owned()
}

fn alarms(open: &OpenAlarms) -> String {
    let (raised, known) = (open.raised_in_all(), open.acknowledged_in_all());
    if raised + known == 0 {
        return "no alarm stands\n".to_owned();
    }
    let kinds: Vec<String> = open.raised.iter().map(|(kind, many)| format!("{} {kind}", count(*many))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    format!("alarms: {} wait for somebody{kinds}, {} are known; `bailiwick alarm list`\n", count(raised), count(known))
}

fn journal(journal: &JournalLive) -> String {
    let mib = |octets: u64| count(octets >> 20);
    let (used, budget, left) = (mib(journal.used_octets), mib(journal.budget_octets), mib(journal.left_octets));
    let mut text = format!("journal: {}, {used} of {budget} MiB used, {left} MiB left\n", journal.state);
    if journal.state != "ok" {
        text.push_str("hint: what is shed is counted by reason; make room, or raise `journal.disk_budget_mib`\n");
    }
    if journal.failed_syncs > 0 {
        let lost = count(journal.let_go_octets);
        let failed = count(journal.failed_syncs);
        text.push_str(&format!("journal: {failed} syncs failed; {lost} octets could not be written again\n"));
    }
    text
}

fn uplink(uplink: &UplinkLive) -> String {
    let tally = &uplink.tally;
    let [waiting, octets, acknowledged, released, failed] =
        [tally.waiting, tally.waiting_octets, tally.acknowledged, tally.released, tally.failed].map(count);
    let lag = count(uplink.lag_secs);
    let mut text = format!(
        "uplink to {}: {waiting} segments wait ({octets} octets, the oldest for {lag} s), {acknowledged} acknowledged, \
         {released} let go, {failed} attempts failed\n",
        uplink.core
    );
    if tally.held > 0 {
        text.push_str(&format!("uplink: the core refuses {} lanes; nothing of them is deleted\n", count(tally.held)));
    }
    text.extend(tally.last_error.iter().map(|error| format!("uplink: {error}\n")));
    match (uplink.zones_version, uplink.lease_until) {
        (Some(version), Some(until)) if uplink.lease_is_over => {
            text.push_str(&format!("zones: version {version}, and the lease is OVER since {until}\n"));
        }
        (Some(version), Some(until)) => text.push_str(&format!("zones: version {version}, leased until {until}\n")),
        _ => text.push_str("zones: the core has never told any\n"),
    }
    text.extend(uplink.zones_error.iter().map(|error| format!("zones: {error}\n")));
    text
}

/// What each offered and what became of it; what was shed, by reason.
fn listeners(all: &[ListenerTally]) -> Vec<Vec<String>> {
    let head = [
        "listener",
        "open",
        "offered",
        "recorded",
        "collapsed",
        "shed: full",
        "no journal",
        "no room",
        "not covered",
        "lost",
    ];
    let row = |one: &ListenerTally| {
        let tally = &one.tally;
        let lost = if tally.loss_unknown > 0 { "unknown".to_owned() } else { count(tally.lost_in_kernel) };
        let open = one.open.map(count).unwrap_or_default();
        let no_room = tally.shed.repeats + tally.shed.limited + tally.shed.room;
        let shed = [tally.shed.connections, tally.shed.journal, no_room, tally.shed.not_covered];
        let came = [one.offered, tally.recorded, tally.collapsed].map(count);
        [vec![one.listener.clone(), open], came.to_vec(), shed.map(count).to_vec(), vec![lost]].concat()
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(all.iter().map(row)).collect()
}

/// Which connections ended for a limit on all of them, where there were any.
fn cut_short(all: &[ListenerTally]) -> Vec<Vec<String>> {
    let head = ["cut short by a limit", "evicted", "handshakes", "octets held"].map(str::to_owned).to_vec();
    let some = all.iter().filter(|one| one.tally.cut_short != CutShort::default());
    let row = |one: &ListenerTally| {
        let CutShort { evicted, handshakes, buffered } = one.tally.cut_short;
        [vec![one.listener.clone()], [evicted, handshakes, buffered].map(count).to_vec()].concat()
    };
    std::iter::once(head).chain(some.map(row)).collect()
}

/// What came in is what went out and what waits.
fn shipping(tally: &ShippingTally) -> String {
    let outbox = &tally.outbox;
    let [rows_in, rows_out, waiting, segments, mib] =
        [outbox.rows_in, outbox.rows_out, outbox.rows_waiting, outbox.segments_waiting, outbox.bytes_waiting >> 20]
            .map(count);
    let mut text = format!(
        "\nClickHouse: {rows_in} rows came in, {rows_out} went out, {waiting} wait in {segments} segments ({mib} MiB), the oldest for {} s\n",
        count(tally.lag_secs)
    );
    if let (Some(error), Some(at)) = (&tally.last_error, tally.next_try) {
        text.push_str(&format!("ClickHouse: {}; tried again at {at}\n", terminal::inert(error)));
    }
    text
}

fn retained(retention: &RetentionLive) -> String {
    let last = retention.last_pass.map_or("not yet".to_owned(), |last| last.to_string());
    let mut text = format!("\nretention: carried out {last}, {} days wait\n", count(retention.days_waiting));
    if let Some(error) = &retention.last_error {
        text.push_str(&format!("the last pass failed: {error}\n"));
    }
    text
}

fn certificates(tally: &CertificateTally) -> String {
    let CertificateTally { held, due, asked, issued, failed, .. } = *tally;
    let [held, due, asked, issued, failed] = [held, due, asked, issued, failed].map(count);
    let mut text = format!(
        "\npublic certificates: {held} held, {due} due; {asked} orders begun, {issued} issued, {failed} failed\n"
    );
    if let Some(error) = &tally.last_error {
        text.push_str(&format!("the last that failed: {error}\n"));
    }
    if let Some(at) = tally.next_try {
        text.push_str(&format!("next try of one that failed: {at}\n"));
    }
    text
}
