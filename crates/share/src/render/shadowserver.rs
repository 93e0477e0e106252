//! The victim report, in the columns of Shadowserver's `event4_sinkhole_http`: what CERTs and network owners read
//! already.
//!
//! One row is one request of a victim over IPv4; IPv6 has a report of its own, not yet written. Times are UTC to the
//! second, ports are given, because behind carrier-grade NAT nothing else finds the subscriber. A span where a secret
//! stood is cut out: a marker in its place would read like a value. A column that we know nothing of is empty. CSV has
//! no comments, so an exercise stands in the column `tag` and in the file name.

use model::contact::Secret;
use model::time::utc_day;

use super::{EXERCISE, cell, one_line};
use crate::Document;
use crate::audience::Cleared;
use crate::snapshot::Victim;

/// The columns, in the order of Shadowserver's schema of March 2026.
const COLUMNS: [&str; 39] = [
    "timestamp",
    "protocol",
    "src_ip",
    "src_port",
    "src_asn",
    "src_geo",
    "src_region",
    "src_city",
    "src_hostname",
    "src_naics",
    "src_sector",
    "device_vendor",
    "device_type",
    "device_model",
    "severity",
    "dst_ip",
    "dst_port",
    "dst_asn",
    "dst_geo",
    "dst_region",
    "dst_city",
    "dst_hostname",
    "dst_naics",
    "dst_sector",
    "public_source",
    "infection",
    "family",
    "tag",
    "application",
    "version",
    "event_id",
    "http_url",
    "http_host",
    "http_agent",
    "forwarded_by",
    "ssl_cipher",
    "http_referer",
    "ssl_servername",
    "machine_name",
];

pub(super) fn render(cleared: &Cleared<'_>) -> Document {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    let broken = "rows are written to memory and have the header's length";
    writer.write_record(COLUMNS).expect(broken);
    let victims = || cleared.victims.iter().filter(|victim| victim.source.is_ipv4());
    for victim in victims() {
        writer.write_record(COLUMNS.map(|column| field(cleared, victim, column))).expect(broken);
    }
    let day = utc_day(victims().map(|victim| victim.received).max().unwrap_or(cleared.changed));
    let bytes = writer.into_inner().expect(broken);
    Document {
        file_name: format!("{day}-event4_sinkhole_http-{}-asn.csv", organisation(cleared)),
        media_type: "text/csv",
        bytes,
    }
}

/// Whose report it is, in letters that IntelMQ's file names allow: one network, or all of them.
fn organisation(cleared: &Cleared<'_>) -> String {
    let exercise = if cleared.exercise { "EXERCISE-" } else { "" };
    let mut networks = cleared.victims.iter().map(|victim| victim.asn);
    match networks.next() {
        Some(Some(asn)) if networks.all(|other| other == Some(asn)) => format!("{exercise}{asn}"),
        _ => format!("{exercise}all"),
    }
}

fn field(cleared: &Cleared<'_>, victim: &Victim, column: &str) -> String {
    match column {
        "timestamp" => victim.received.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "protocol" => "tcp".to_owned(),
        "src_ip" => victim.source.to_string(),
        "src_port" => victim.source_port.to_string(),
        "src_asn" => victim.asn.map(|asn| asn.0.to_string()).unwrap_or_default(),
        "src_geo" => victim.country.map(|country| country.to_string()).unwrap_or_default(),
        "severity" => "high".to_owned(),
        "dst_ip" => victim.local.to_string(),
        "dst_port" => victim.local_port.to_string(),
        "infection" => one_line(&cleared.group.name).to_lowercase(),
        "family" => cleared.group.id.to_string(),
        "tag" => if cleared.exercise { EXERCISE } else { "" }.to_owned(),
        "application" => if victim.sni.is_empty() { "http" } else { "https" }.to_owned(),
        "event_id" => victim.id.to_string(),
        "http_url" => format!("{} {} HTTP/1.1", method(&victim.method), path(&victim.target)),
        "http_host" => host(victim),
        "http_agent" => text(&victim.user_agent),
        "http_referer" => text(&victim.referer),
        "ssl_servername" => text(&victim.sni),
        _ => String::new(),
    }
}

/// The longest registered method (`UPDATEREDIRECTREF`, RFC 4437) has 17.
const METHOD_LEN_MAX: usize = 32;

/// The method as a token (RFC 9110, 5.6.2) that starts with a letter, as every registered one does; anything else was
/// no HTTP, and might start a formula.
fn method(method: &str) -> &str {
    let is_token = method.starts_with(|c: char| c.is_ascii_alphabetic())
        && method.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if is_token && method.len() <= METHOD_LEN_MAX { method } else { "GET" }
}

/// The target's path and query as a URL may hold them: readers join host and path.
fn path(target: &str) -> String {
    let target = without_markers(target);
    let path = match target.split_once("://") {
        // The absolute form (RFC 9112, 3.2.2) starts with a scheme, and its path after the next slash.
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("", |at| &rest[at..]),
        _ => &target,
    };
    let path = if path.starts_with('/') { path } else { "/" };
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'!' | b'#'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' | b'~' => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// The host as it was sent, without its port; the seized name where none was sent that is one.
fn host(victim: &Victim) -> String {
    let sent = victim.host.rsplit_once(':').map_or(victim.host.as_str(), |(host, _)| host);
    let named = model::DomainName::parse(sent).ok().filter(|name| name.is_at_or_below(&victim.apex));
    named.as_ref().unwrap_or(&victim.apex).as_str().to_owned()
}

fn text(text: &str) -> String {
    cell(&without_markers(text))
}

/// The text without the spans where secrets stood, and without the sign that would promise a value there.
fn without_markers(text: &str) -> String {
    let mut text = text.to_owned();
    for secret in Secret::ALL {
        let marker = std::str::from_utf8(secret.marker()).expect("markers are ASCII");
        for spelled in [format!("={marker}"), format!("{marker}@"), marker.to_owned()] {
            text = text.replace(&spelled, "");
        }
    }
    // A text that was cut may end within a marker.
    text.find("{redact").map_or(text.clone(), |at| text[..at].trim_end_matches('=').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_holds_what_a_url_may_hold_and_no_marker() {
        for (target, url) in [
            ("/owa/auth.owa", "/owa/auth.owa"),
            ("/?user={redacted:query-value}&lang={redacted:query-value}", "/?user&lang"),
            ("/?user={redacted:query-va", "/?user"),
            ("http://{redacted:user-info}@x.example/a?b", "/a?b"),
            ("http://x.example", "/"),
            ("/a?to=http://y.example/", "/a?to=http://y.example/"),
            ("*", "/"),
            ("x.example:443", "/"),
            ("/a b\"<é>", "/a%20b%22%3C%C3%A9%3E"),
            ("", "/"),
        ] {
            assert_eq!(path(target), url, "{target}");
        }
    }

    #[test]
    fn a_text_from_outside_is_one_line() {
        assert_eq!(text("curl\r\n\"x\""), "curl  \"x\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "={redacted:query-value}=1"] {
            assert!(!text(formula).starts_with(['=', '+', '-', '@']), "{formula}");
        }
        assert_eq!(method("+1"), "GET");
        assert_eq!(method("POST"), "POST");
        assert_eq!(method("PO ST"), "GET");
        assert_eq!(method(&"X".repeat(METHOD_LEN_MAX)).len(), METHOD_LEN_MAX);
        assert_eq!(method(&"X".repeat(METHOD_LEN_MAX + 1)), "GET");
    }
}
