//! What a person sees at the end of the demo: the loop with its counts, who called, and what was made of it.

use desk::api::IndicatorDetail;
use model::fact::IndicatorKind;
use model::name::defang;

use super::act::{CASE, Feeds, Play};
use super::ask;
use super::report::Report;
use crate::failure::Failure;
use crate::terminal::{count, inert, table};

const WIDTH: usize = 96;

/// The picture, as wide as a terminal and readable without colour.
pub(crate) fn draw(play: &Play, feeds: &Feeds) -> Result<String, Failure> {
    let door = &play.door;
    let labels = ask::by_label(door)?;
    let archived = ask::archived(door)?;
    let victims = ask::number(door, "select count(distinct source) from sightings where label = 'victim'")?;
    let indicators = ask::indicators(door)?;
    let names = table(&counts(play, "name", TOP_NAMES, true)?);
    let networks = table(&counts(play, "network", TOP_NETWORKS, false)?);
    let mut parts = vec![
        rule("EXERCISE · loopback only · simulated callers"),
        flow(play, archived, victims, indicators, feeds.len()),
        rule("who called (contacts by label)"),
        bars(&labels.into_iter().collect::<Vec<_>>()),
        rule("top names"),
        names,
        rule("top networks (addresses: an upper bound, never a number of machines)"),
        networks,
    ];
    let withheld = ask::number(door, "select count(*) from sightings where withheld")?;
    parts.push(format!(
        "{} contacts from networks where a report could endanger somebody: they stand in no feed",
        count(withheld)
    ));
    parts.push(rule("learned of the group"));
    parts.push(learned(play)?);
    parts.push(rule("files written"));
    parts.push(files(play, feeds));
    Ok(parts.join("\n"))
}

const TOP_NAMES: &str = "select apex, count(*) as contacts, count(distinct source) as addresses from sightings \
     where apex is not null group by apex order by contacts desc, apex limit 6";
const TOP_NETWORKS: &str = "select coalesce(as_name, 'unknown') || coalesce(' (' || country || ')', ''), count(*) as contacts, \
     count(distinct source) as addresses from sightings where not withheld group by 1 order by contacts desc, 1 limit 6";

fn rule(title: &str) -> String {
    format!("\n── {title} {}", "─".repeat(WIDTH.saturating_sub(title.chars().count() + 4)))
}

/// The loop, each stage with what went through it.
fn flow(play: &Play, archived: u64, victims: u64, indicators: u64, feeds: usize) -> String {
    let stages = [
        ("order", format!("{} names", play.names)),
        ("seized", format!("{} served", play.names)),
        ("sinkhole", format!("{} contacts", count(archived))),
        ("understood", format!("victims at {} addresses", count(victims))),
        ("learned", format!("{indicators} indicators")),
        ("shared", format!("{feeds} feeds")),
    ];
    let width = |stage: &(&str, String)| stage.0.chars().count().max(stage.1.chars().count());
    let line = |of: fn(&(&'static str, String)) -> String| {
        let cells: Vec<String> = stages.iter().map(|stage| format!("{:<w$}", of(stage), w = width(stage))).collect();
        cells
    };
    let top = line(|stage| stage.0.to_owned()).join("  ►  ");
    let below = line(|stage| stage.1.clone()).join("     ");
    format!(
        "{}\n{}\n{}",
        top.trim_end(),
        below.trim_end(),
        "  ▲ what was learned of the group is where the next hunt begins"
    )
}

fn bars(labels: &[(String, u64)]) -> String {
    const BAR: u64 = 48;
    let most = labels.iter().map(|(_, n)| *n).max().unwrap_or(1).max(1);
    let mut sorted: Vec<_> = labels.iter().collect();
    sorted.sort_by_key(|(label, n)| (std::cmp::Reverse(*n), label.clone()));
    let bar = |n: u64| "█".repeat(usize::try_from((n * BAR).div_ceil(most)).unwrap_or(0));
    let lines = sorted.into_iter().map(|(label, n)| format!("{label:<18} {:>8}  {}", count(*n), bar(*n)));
    lines.collect::<Vec<_>>().join("\n")
}

fn counts(play: &Play, what: &str, sql: &str, is_name: bool) -> Result<Vec<Vec<String>>, Failure> {
    let answer = ask::query(&play.door, sql)?;
    let mut rows = vec![[what, "contacts", "addresses"].map(str::to_owned).to_vec()];
    for row in answer.rows {
        let text = row[0].as_str().unwrap_or_default();
        let shown = if is_name { defang(text).to_string() } else { text.to_owned() };
        let number = |at: usize| count(row.get(at).and_then(serde_json::Value::as_u64).unwrap_or(0));
        rows.push(vec![shown, number(1), number(2)]);
    }
    Ok(rows)
}

fn learned(play: &Play) -> Result<String, Failure> {
    const SHOWN: usize = 8;
    let group: desk::api::GroupDetail = play.door.get("/groups/apt35")?;
    let mut rows = vec![["indicator", "value", "at", "contacts", "addresses"].map(str::to_owned).to_vec()];
    let mut indicators: Vec<&IndicatorDetail> = group.indicators.iter().collect();
    indicators.sort_by_key(|detail| (std::cmp::Reverse(detail.indicator.contacts), detail.indicator.clone()));
    for IndicatorDetail { indicator, .. } in indicators.iter().take(SHOWN) {
        let value = match indicator.kind {
            IndicatorKind::HostName => defang(&indicator.value).to_string(),
            _ => inert(&indicator.value),
        };
        let value: String = value.chars().take(40).collect();
        let at = indicator.apex.defanged().to_string();
        rows.push(vec![
            indicator.kind.as_str().into(),
            value,
            at,
            count(indicator.contacts),
            count(indicator.addresses),
        ]);
    }
    let more = indicators.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("\n… and {more} more") } else { String::new() };
    Ok(table(&rows) + &rest)
}

fn files(play: &Play, feeds: &Feeds) -> String {
    let mut rows = vec![["format", "octets", "file"].map(str::to_owned).to_vec()];
    for (format, (file, octets)) in feeds {
        let path = play.stage.feeds().join(file);
        rows.push(vec![format.clone(), count(*octets), path.display().to_string()]);
    }
    table(&rows)
}

/// What to try while it is up.
pub(crate) fn next_steps(play: &Play) -> String {
    let announced = &play.daemon.announcement;
    let config = play.stage.config();
    let config = config.display();
    let port = |addresses: &[std::net::SocketAddr]| addresses.first().map_or(0, std::net::SocketAddr::port);
    let (dns, http, https) = (port(&announced.dns), port(&announced.http), port(&announced.https));
    let program = std::env::args().next().unwrap_or_else(|| "bailiwick".into());
    format!(
        "{}
dig @127.0.0.1 -p {dns} www.outlook-verify.net A
dig @127.0.0.1 -p {dns} outlook-verify.net MX
curl -H 'Host: outlook-verify.net' http://127.0.0.1:{http}/
curl -k --resolve outlook-verify.net:{https}:127.0.0.1 https://outlook-verify.net:{https}/ -d 'password=try-me'
{program} --config {config} query \"select label, count(*) from sightings group by label\"
{program} --config {config} group show 'charming kitten'
{program} --config {config} case show {CASE}

It stays up until Ctrl-C; then it is stopped, counted from disk, and looked through for passwords.",
        rule("try, in another terminal")
    )
}

/// What was proven, in four lines.
pub(crate) fn proof(report: &Report) -> String {
    let verdict = |holds: bool| if holds { "holds" } else { "DOES NOT HOLD" };
    let equation =
        report.sent + report.visitors() == report.recorded + report.collapsed + report.shed + report.lost_in_kernel;
    let visitors = match report.visitors() {
        0 => String::new(),
        visitors => format!(" + {} by visitors", count(visitors)),
    };
    let secrets = report.secrets_found == 0 && report.secrets_planted_found == report.secrets_planted;
    format!(
        "{}
sent {}{visitors} = recorded {} + collapsed {} + shed {} + lost in the kernel {}   {}
passwords typed {}, found on disk {}; planted for control {}, found {}   {}
{:.1} s",
        rule("proof, from disk"),
        count(report.sent),
        count(report.recorded),
        count(report.collapsed),
        count(report.shed),
        count(report.lost_in_kernel),
        verdict(equation),
        count(report.secrets_typed),
        count(report.secrets_found),
        count(report.secrets_planted),
        count(report.secrets_planted_found),
        verdict(secrets),
        report.seconds,
    )
}
