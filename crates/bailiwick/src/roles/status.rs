//! `bailiwick status`: what runs, what came in, what was lost.

use desk::api::{CertificateTally, Status};

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
    if let Some(tally) = &live.certificates {
        text.push_str(&certificates(tally));
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
