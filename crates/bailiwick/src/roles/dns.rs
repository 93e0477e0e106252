//! `bailiwick dns …`: the DNS plane, listener by listener, and what a forged question could make of its answers.

use desk::api::{ChallengeRequest, ChallengeTold, DnsLimits, DnsListener, DnsLive, DnsStatus, Rates, Transfers};
use model::DomainName;
use wire::dns::{Amplified, Answers, Certifiers, Records, amplification};

use crate::cli::{AmplificationArgs, DnsCommand, JsonArgs, Place};
use crate::config::Config;
use crate::door::Door;
use crate::failure::Done;
use crate::terminal::{self, count, table};

pub(crate) fn run(place: &Place, command: DnsCommand) -> Done {
    match command {
        DnsCommand::Status(args) => status(place, &args),
        DnsCommand::Amplification(args) => amplified(place, &args),
        DnsCommand::Challenge { name, tokens, out } => challenge(place, ChallengeRequest { name, tokens }, &out),
    }
}

fn challenge(place: &Place, request: ChallengeRequest, out: &JsonArgs) -> Done {
    let told: ChallengeTold = Door::open(place, "dns challenge")?.post("/dns/challenges", &request, None)?;
    if out.json { terminal::json(&told) } else { terminal::line(&told.said) }
}

//----------- dns status -------------------------------------------------------------------------------------------

fn status(place: &Place, args: &JsonArgs) -> Done {
    let status: DnsStatus = Door::open(place, "dns status")?.get("/dns")?;
    if args.json { terminal::json(&status) } else { terminal::line(&told(&status)) }
}

fn told(status: &DnsStatus) -> String {
    let zones = &status.zones;
    let by_mode = format!(
        "{} names collect, {} on hold, {} handed back",
        count(zones.collect),
        count(zones.hold),
        count(zones.handback)
    );
    match &status.live {
        Some(live) => [format!("{} zones answered: {by_mode}", count(live.zones)), running(live)].join("\n\n"),
        None => format!("no daemon runs on this data folder; `bailiwick serve` starts one\n{by_mode}"),
    }
}

fn running(live: &DnsLive) -> String {
    let mut parts = Vec::new();
    if !live.listeners.is_empty() {
        parts.push(table(&since_start(&live.listeners)));
        parts.push(table(&lately(&live.listeners)));
    }
    parts.push(limits(&live.limits));
    for sensor in &live.sensors {
        parts.push(format!(
            "dnstap {}: {} reconnects, {} cut, {} without a stop, {} faults, {} frames unreadable",
            sensor.sensor, sensor.reconnects, sensor.cut, sensor.without_stop, sensor.faults, sensor.unreadable
        ));
    }
    let primary = &live.transfers;
    if *primary != Transfers::default() {
        parts.push(format!(
            "primary: {} whole zones and {} steps taken, {} looks; {} refused, {} badly signed, {} malformed, {} broken, \
             {} shed\nNOTIFY: {} sent, {} answered, {} given up",
            count(primary.axfr),
            count(primary.ixfr),
            count(primary.looks),
            count(primary.refused),
            count(primary.badly_signed),
            count(primary.malformed),
            count(primary.broken),
            count(primary.shed),
            count(primary.notifies_sent),
            count(primary.notifies_answered),
            count(primary.notifies_given_up),
        ));
    }
    parts.join("\n\n")
}

fn since_start(listeners: &[DnsListener]) -> Vec<Vec<String>> {
    let head =
        ["since the start", "offered", "recorded", "collapsed", "shed", "lost", "answered", "slipped", "dropped"];
    let row = |one: &DnsListener| {
        let tally = &one.tally;
        let lost = if tally.loss_unknown > 0 { "unknown".to_owned() } else { count(tally.lost_in_kernel) };
        let before = [one.offered, tally.recorded, tally.collapsed, tally.shed.total()].map(count);
        let after = [tally.answers.sent, tally.answers.rate_slipped, tally.answers.rate_dropped].map(count);
        [vec![one.listener.clone()], before.to_vec(), vec![lost], after.to_vec()].concat()
    };
    rows(&head, listeners.iter().map(row))
}

fn lately(listeners: &[DnsListener]) -> Vec<Vec<String>> {
    let secs = listeners.iter().filter_map(|one| one.rates).map(|rates| rates.over_secs).fold(0.0, f64::max);
    let title = format!("a second, of the last {secs:.0} s");
    let head = [&title, "offered", "recorded", "collapsed", "shed", "lost", "answered", "slipped", "dropped"];
    let row = |one: &DnsListener| {
        let numbers = one.rates.map(|rates| each(&rates).map(|number| count(number.round() as u64)).to_vec());
        [vec![one.listener.clone()], numbers.unwrap_or_default()].concat()
    };
    rows(&head, listeners.iter().map(row))
}

fn each(rates: &Rates) -> [f64; 8] {
    [
        rates.offered,
        rates.recorded,
        rates.collapsed,
        rates.shed,
        rates.lost_in_kernel,
        rates.answered,
        rates.rate_slipped,
        rates.rate_dropped,
    ]
}

fn rows(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    std::iter::once(head.iter().map(|&cell| cell.to_owned()).collect()).chain(rows).collect()
}

fn limits(limits: &DnsLimits) -> String {
    let rate =
        |per_sec: u32| if per_sec == 0 { "no limit".to_owned() } else { format!("{} a second", count(per_sec.into())) };
    let slip = if limits.slip == 0 {
        "none slipped".to_owned()
    } else {
        format!("every {}. of the rest slipped", limits.slip)
    };
    format!(
        "limits of each address, over {} UDP thread(s)\n\
         answers: {} by name, kind and prefix (/{}, /{}), {slip}\n\
         records: {} by source, {} by name, {} in all; what is over is collapsed\n\
         TCP: {} connections, {} of one prefix, {} s idle, {} s in all",
        limits.threads,
        rate(limits.answers_per_sec),
        limits.prefix_v4,
        limits.prefix_v6,
        rate(limits.source_records_per_sec),
        rate(limits.name_records_per_sec),
        rate(limits.listener_records_per_sec),
        count(limits.tcp_connections),
        count(limits.tcp_connections_per_prefix),
        limits.tcp_idle_secs,
        limits.tcp_lifetime_secs,
    )
}

//----------- dns amplification ------------------------------------------------------------------------------------

/// The answers that this configuration would give: the shortest name that can be registered, and the longest way to
/// ask for it. Orders and cases with answers of their own have at most sixteen addresses of each family.
fn amplified(place: &Place, args: &AmplificationArgs) -> Done {
    let config = Config::load(place)?;
    let rows = amplification(&Answers::new(&records(&config, &args.name_servers)));
    if args.out.json {
        let rows = rows.iter().map(|row| {
            serde_json::json!({
                "type": row.qtype, "edns": row.edns, "factor": row.factor(),
                "asked_octets": row.asked_octets, "answered_octets": row.answered_octets,
            })
        });
        return terminal::json(&rows.collect::<Vec<_>>());
    }
    let cells = |row: &Amplified| {
        let octets = [row.asked_octets as u64, row.answered_octets as u64].map(count);
        [vec![row.qtype.to_owned(), row.edns.to_owned()], octets.to_vec(), vec![format!("{:.1}", row.factor())]]
            .concat()
    };
    let head = ["type", "EDNS", "asked", "answered", "factor"];
    terminal::line(&table(&self::rows(&head, rows.iter().map(cells))))?;
    let worst = rows.iter().map(Amplified::factor).fold(0.0, f64::max);
    terminal::say(&format!(
        "over UDP, in octets of DNS; at most {worst:.1} octets leave for one that comes, until the limit of answers is reached"
    ));
    Ok(())
}

fn records(config: &Config, name_servers: &[DomainName]) -> Records {
    let settings = sinkhole::Settings::default();
    Records {
        name_servers: name_servers.iter().map(DomainName::to_wire).collect(),
        hostmaster: name_servers.first().map_or_else(|| vec![0], DomainName::to_wire),
        serial: 0,
        ttl_secs: settings.ttl_secs,
        negative_ttl_secs: settings.negative_ttl_secs,
        v4: config.answer.v4.clone(),
        v6: config.answer.v6.clone(),
        refuses_mail: true,
        certifiers: Certifiers::Nobody,
    }
}
