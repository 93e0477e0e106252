//! `GET /metrics`: every counter of the running process in the text that Prometheus reads (OpenMetrics 1.0).
//!
//! Names are `bailiwick_…`, counters end in `_total`, times are seconds. Labels come from closed sets and from what the
//! operator named (listeners, sensors); nothing that a caller sent becomes a label.

use std::fmt;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use model::tally::{CutShort, Tally};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::api::{
    CertificateTally, DnsLive, DnstapSensor, JournalLive, ListenerTally, Live, OpenAlarms, RetentionLive,
    ShippingTally, Transfers, UplinkLive,
};
use crate::run::Desk;

/// How OpenMetrics announces itself.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) async fn show(State(desk): State<Desk>) -> Response {
    let text = text(desk.status.live(), desk.status.dns());
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response()
}

/// The counters of one moment as text.
pub fn text(live: Live, dns: Option<DnsLive>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Moment { live, dns }));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes whatever is written");
    text
}

#[derive(Debug)]
struct Moment {
    live: Live,
    dns: Option<DnsLive>,
}

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Live { running_since, zones, tallies, certificates, .. } = &self.live;
        let since = running_since.map_or(0, Timestamp::as_second);
        gauge(&mut encoder, "bailiwick_start_time_seconds", "When the daemon started, since 1970", since)?;
        gauge(&mut encoder, "bailiwick_zones", "Zones that are answered", i64::try_from(*zones).unwrap_or(i64::MAX))?;
        if let Some(journal) = &self.live.journal {
            encode_journal(&mut encoder, journal)?;
        }
        if let Some(shipping) = &self.live.clickhouse {
            encode_shipping(&mut encoder, shipping)?;
        }
        if let Some(uplink) = &self.live.uplink {
            encode_uplink(&mut encoder, uplink)?;
        }
        if let Some(retention) = &self.live.retention {
            encode_retention(&mut encoder, retention)?;
        }
        if let Some(open) = &self.live.open_alarms {
            encode_alarms(&mut encoder, open)?;
        }
        let by_listener = |rows: fn(&Tally) -> Vec<(&'static str, u64)>| {
            let rows = tallies.iter().map(move |one| (one.listener.as_str(), rows(&one.tally)));
            rows.collect::<Vec<_>>()
        };
        let about = "What callers offered, by what became of it";
        family(&mut encoder, ("bailiwick_contacts", about), ("listener", "fate"), by_listener(contacts))?;
        let about = "Answers to datagrams and messages, by what became of them";
        family(&mut encoder, ("bailiwick_answers", about), ("listener", "fate"), by_listener(answers))?;
        let about = "Connections on record that a limit on all of them ended, by limit";
        family(&mut encoder, ("bailiwick_cut_short", about), ("listener", "limit"), by_listener(cut_short))?;
        open_connections(&mut encoder, tallies)?;
        let about = "Contacts and outcomes recorded without a part of them, for want of room";
        family(&mut encoder, ("bailiwick_stripped", about), ("listener", "part"), by_listener(stripped))?;
        let about = "How often the kernel's count of drops could not be read";
        family(&mut encoder, ("bailiwick_loss_unknown", about), ("listener", "source"), by_listener(unknown))?;
        let sensors = self.dns.iter().flat_map(|dns| &dns.sensors);
        let gaps = sensors.map(|one| (one.sensor.as_str(), gaps(one))).collect();
        let about = "What could be seen of a dnstap sensor's losses";
        family(&mut encoder, ("bailiwick_dnstap_gaps", about), ("sensor", "kind"), gaps)?;
        let primary = self.dns.iter().map(|dns| ("primary", transfers(&dns.transfers))).collect();
        let about = "What peers took from the primary, and what they were told";
        family(&mut encoder, ("bailiwick_transfers", about), ("server", "kind"), primary)?;
        certificates.as_ref().map_or(Ok(()), |tally| encode_certificates(&mut encoder, tally))
    }
}

/// How many, and nothing of whom.
fn encode_alarms(encoder: &mut DescriptorEncoder<'_>, open: &OpenAlarms) -> fmt::Result {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let about = "Alarms that wait for somebody";
    gauge(encoder, "bailiwick_alarms_raised", about, whole(open.raised_in_all()))?;
    let about = "Alarms that last, and that somebody knows of";
    gauge(encoder, "bailiwick_alarms_acknowledged", about, whole(open.acknowledged_in_all()))
}

/// Without the last error: it names a name, and may say what an authority said.
fn encode_certificates(encoder: &mut DescriptorEncoder<'_>, tally: &CertificateTally) -> fmt::Result {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    gauge(encoder, "bailiwick_certificates_held", "Public certificates that are kept", whole(tally.held))?;
    gauge(encoder, "bailiwick_certificates_due", "Names that want a public certificate now", whole(tally.due))?;
    let next_try = tally.next_try.map_or(0, Timestamp::as_second);
    let about = "When the first name that failed is tried again, since 1970; 0: none failed";
    gauge(encoder, "bailiwick_certificates_next_try_seconds", about, next_try)?;
    let rows = vec![("asked", tally.asked), ("issued", tally.issued), ("failed", tally.failed)];
    let about = "Orders for public certificates, by what became of them";
    family(encoder, ("bailiwick_certificate_orders", about), ("client", "fate"), vec![("acme", rows)])
}

/// Without the last error: it may say what a server said.
fn encode_shipping(encoder: &mut DescriptorEncoder<'_>, tally: &ShippingTally) -> fmt::Result {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let outbox = &tally.outbox;
    let about = "Segments that wait for ClickHouse";
    gauge(encoder, "bailiwick_clickhouse_waiting_segments", about, whole(outbox.segments_waiting))?;
    gauge(encoder, "bailiwick_clickhouse_waiting_bytes", "What they take", whole(outbox.bytes_waiting))?;
    let about = "How long the one that waits longest has waited";
    gauge(encoder, "bailiwick_clickhouse_lag_seconds", about, whole(tally.lag_secs))?;
    let rows = vec![("segments", vec![("in", outbox.segments_in), ("out", outbox.segments_out)])];
    let about = "Segments that entered the outbox, and that ClickHouse has";
    family(encoder, ("bailiwick_clickhouse_segments", about), ("unit", "way"), rows)?;
    let rows = vec![("rows", vec![("in", outbox.rows_in), ("out", outbox.rows_out)])];
    family(encoder, ("bailiwick_clickhouse_rows", "The same in rows"), ("unit", "way"), rows)?;
    let failed = vec![("clickhouse", vec![("failed", tally.failures)])];
    family(encoder, ("bailiwick_clickhouse_tries", "Tries that failed"), ("store", "fate"), failed)
}

fn encode_journal(encoder: &mut DescriptorEncoder<'_>, journal: &JournalLive) -> fmt::Result {
    let octets = |octets: u64| i64::try_from(octets).unwrap_or(i64::MAX);
    let about = "What the journal may take of its disk";
    gauge(encoder, "bailiwick_journal_budget_bytes", about, octets(journal.budget_octets))?;
    gauge(encoder, "bailiwick_journal_used_bytes", "What its segments take", octets(journal.used_octets))?;
    let about = "What is left of the budget or of the disk";
    gauge(encoder, "bailiwick_journal_left_bytes", about, octets(journal.left_octets))?;
    let about = "Whether the reserve for kill switches and counts is set aside";
    gauge(encoder, "bailiwick_journal_reserve", about, i64::from(journal.has_reserve))?;
    let about = "Syncs of the journal that failed";
    let failed = vec![("journal", vec![("failed", journal.failed_syncs)])];
    family(encoder, ("bailiwick_journal_syncs", about), ("store", "fate"), failed)
}

fn encode_uplink(encoder: &mut DescriptorEncoder<'_>, uplink: &UplinkLive) -> fmt::Result {
    let UplinkLive { tally, lag_secs, lease_is_over, .. } = uplink;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let about = "Closed segments that the core has not acknowledged";
    gauge(encoder, "bailiwick_uplink_waiting_segments", about, number(tally.waiting))?;
    gauge(encoder, "bailiwick_uplink_waiting_bytes", about, number(tally.waiting_octets))?;
    let about = "How old the oldest of them is";
    gauge(encoder, "bailiwick_uplink_lag_seconds", about, number(*lag_secs))?;
    let about = "Lanes that the core refuses";
    gauge(encoder, "bailiwick_uplink_held_lanes", about, number(tally.held))?;
    let about = "Whether nobody has renewed the lease of the zones in time";
    gauge(encoder, "bailiwick_lease_over", about, i64::from(*lease_is_over))?;
    let fates = vec![
        ("sent", tally.sent),
        ("acknowledged", tally.acknowledged),
        ("released", tally.released),
        ("failed", tally.failed),
    ];
    let about = "Segments by what became of them; one may be sent again and again";
    family(encoder, ("bailiwick_uplink_segments", about), ("store", "fate"), vec![("uplink", fates)])
}

/// Without the last error: it may name a file.
fn encode_retention(encoder: &mut DescriptorEncoder<'_>, retention: &RetentionLive) -> fmt::Result {
    let last = retention.last_pass.map_or(0, Timestamp::as_second);
    let about = "When all that was due had been purged last, since 1970; 0: never";
    gauge(encoder, "bailiwick_retention_last_pass_seconds", about, last)?;
    let waiting = i64::try_from(retention.days_waiting).unwrap_or(i64::MAX);
    gauge(encoder, "bailiwick_retention_days_waiting", "Days with something that is due to be purged", waiting)?;
    let failed = i64::from(retention.last_error.is_some());
    gauge(encoder, "bailiwick_retention_failed", "Whether the last pass failed", failed)
}

/// The terms of the accounting equation.
fn contacts(tally: &Tally) -> Vec<(&'static str, u64)> {
    vec![
        ("recorded", tally.recorded),
        ("collapsed", tally.collapsed),
        ("shed-connections", tally.shed.connections),
        ("shed-journal", tally.shed.journal),
        ("shed-not-covered", tally.shed.not_covered),
        ("shed-repeats", tally.shed.repeats),
        ("shed-limited", tally.shed.limited),
        ("shed-room", tally.shed.room),
        ("lost-in-kernel", tally.lost_in_kernel),
    ]
}

fn answers(tally: &Tally) -> Vec<(&'static str, u64)> {
    let answers = &tally.answers;
    vec![("sent", answers.sent), ("rate-slipped", answers.rate_slipped), ("rate-dropped", answers.rate_dropped)]
}

fn cut_short(tally: &Tally) -> Vec<(&'static str, u64)> {
    let CutShort { evicted, handshakes, buffered } = tally.cut_short;
    vec![("evicted", evicted), ("handshakes", handshakes), ("buffered", buffered)]
}

fn stripped(tally: &Tally) -> Vec<(&'static str, u64)> {
    vec![("bodies", tally.stripped.bodies), ("raw", tally.stripped.raw)]
}

fn unknown(tally: &Tally) -> Vec<(&'static str, u64)> {
    vec![("kernel", tally.loss_unknown)]
}

fn gaps(sensor: &DnstapSensor) -> Vec<(&'static str, u64)> {
    vec![
        ("reconnects", sensor.reconnects),
        ("cut", sensor.cut),
        ("without-stop", sensor.without_stop),
        ("faults", sensor.faults),
        ("unreadable", sensor.unreadable),
    ]
}

fn transfers(counts: &Transfers) -> Vec<(&'static str, u64)> {
    vec![
        ("axfr", counts.axfr),
        ("ixfr", counts.ixfr),
        ("look", counts.looks),
        ("refused", counts.refused),
        ("badly-signed", counts.badly_signed),
        ("malformed", counts.malformed),
        ("broken", counts.broken),
        ("shed", counts.shed),
        ("notify-sent", counts.notifies_sent),
        ("notify-answered", counts.notifies_answered),
        ("notify-given-up", counts.notifies_given_up),
    ]
}

//----------- Encoding ---------------------------------------------------------------------------------------------

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, about: &str, value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, about, None, MetricType::Gauge)?)
}

fn open_connections(encoder: &mut DescriptorEncoder<'_>, tallies: &[ListenerTally]) -> fmt::Result {
    let (name, about) = ("bailiwick_connections_open", "Connections that are open now");
    let mut metric = encoder.encode_descriptor(name, about, None, MetricType::Gauge)?;
    for (one, open) in tallies.iter().filter_map(|one| Some((one, one.open?))) {
        let labels = [("listener", one.listener.as_str())];
        ConstGauge::new(i64::try_from(open).unwrap_or(i64::MAX)).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

/// One counter for each pair of labels: whose it is, and what it counts.
fn family(
    encoder: &mut DescriptorEncoder<'_>,
    (name, about): (&str, &str),
    (whose, what): (&str, &str),
    rows: Vec<(&str, Vec<(&'static str, u64)>)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, about, None, MetricType::Counter)?;
    for (owner, counts) in rows {
        for (kind, count) in counts {
            let labels = [(whose, owner), (what, kind)];
            ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::tally::{Answers, Shed};

    use super::*;

    #[test]
    fn what_waits_for_clickhouse_is_told_and_no_word_of_a_server() {
        let outbox = store::archive::Outbox { rows_in: 9, rows_out: 7, segments_waiting: 2, ..Default::default() };
        let last_error = Some("Code: 516".to_owned());
        let clickhouse = Some(ShippingTally { outbox, lag_secs: 7, failures: 3, last_error, next_try: None });
        let text = text(Live { clickhouse, ..Live::default() }, None);
        for line in [
            "bailiwick_clickhouse_waiting_segments 2",
            "bailiwick_clickhouse_lag_seconds 7",
            "bailiwick_clickhouse_rows_total{unit=\"rows\",way=\"out\"} 7",
            "bailiwick_clickhouse_tries_total{store=\"clickhouse\",fate=\"failed\"} 3",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains("516"));
    }

    #[test]
    fn what_prometheus_reads_is_what_was_counted() {
        let shed = Shed { journal: 3, ..Shed::default() };
        let answers = Answers { sent: 40, rate_slipped: 1, ..Answers::default() };
        let tally = Tally { recorded: 41, lost_in_kernel: 2, shed, answers, ..Tally::default() };
        let of_trap =
            Tally { recorded: 7, cut_short: CutShort { evicted: 5, ..CutShort::default() }, ..Tally::default() };
        let tallies = [("dns-udp 127.0.0.1:53", None, tally), ("smtp 127.0.0.1:25", Some(2), of_trap)].map(
            |(listener, open, tally)| ListenerTally {
                listener: listener.into(),
                open,
                offered: tally.offered(),
                tally,
            },
        );
        let tallies = tallies.to_vec();
        let certificates = Some(CertificateTally {
            held: 2,
            asked: 4,
            issued: 2,
            failed: 1,
            last_error: Some("a.test: no".into()),
            ..CertificateTally::default()
        });
        insta::assert_snapshot!(text(Live { zones: 99, tallies, certificates, ..Live::default() }, None));
    }
}
