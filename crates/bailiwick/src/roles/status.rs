//! `bailiwick status`: what runs, what came in, what was lost.

use desk::api::{JournalLive, Status};

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
    text.extend(live.journal.iter().map(journal));
    if !live.tallies.is_empty() {
        let head = ["listener", "offered", "recorded", "collapsed", "shed", "lost"].map(str::to_owned).to_vec();
        let mut rows = vec![head];
        for one in &live.tallies {
            let tally = &one.tally;
            let lost = if tally.loss_unknown > 0 { "unknown".to_owned() } else { count(tally.lost_in_kernel) };
            let numbers = [one.offered, tally.recorded, tally.collapsed, tally.shed.total()].map(count);
            rows.push([vec![one.listener.clone()], numbers.to_vec(), vec![lost]].concat());
        }
        text.push_str(&format!("\n{}\n", table(&rows)));
    }
    let archive = status.archive.iter().map(|(name, tally)| vec![name.clone(), count(tally.rows), count(tally.files)]);
    let rows: Vec<Vec<String>> =
        std::iter::once(["archive", "rows", "files"].map(str::to_owned).to_vec()).chain(archive).collect();
    text.push_str(&format!("\n{}\n", table(&rows)));
    for trouble in &live.troubles {
        text.push_str(&format!("\ntrouble: {trouble}"));
    }
    text.trim_end().to_owned()
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
