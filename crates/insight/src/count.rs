//! How many called: exact distinct counts, each with its metric and window, and with what it is not.
//!
//! Addresses are no machines. Torpig's 180,000 machines were 1.2 million addresses within ten days (CCS 2009), and
//! behind one address of a carrier may sit a town. So a count is never shown without the words of [`Metric::label`].

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::Timestamp;
use model::contact::Kind;
use model::verdict::Label;
use serde::Serialize;
use store::archive::Sighting;

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    Addresses,
    /// Distinct (address, User-Agent, JA4): tells apart some of those behind one address, and counts one caller with
    /// two programs twice.
    AddressesAndFingerprints,
}

impl Metric {
    pub const ALL: [Self; 2] = [Self::Addresses, Self::AddressesAndFingerprints];

    /// The words that stand beside the number.
    pub fn label(self) -> &'static str {
        match self {
            Self::Addresses => "distinct addresses (upper bound, not machines)",
            Self::AddressesAndFingerprints => "distinct addresses with fingerprint (upper bound, not machines)",
        }
    }
}

/// From one instant to before another.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// One count with all that it takes to read it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Distinct {
    pub window: Window,
    pub metric: Metric,
    /// Only callers of this label; `None` for all.
    pub label: Option<Label>,
    pub count: u64,
    pub is: &'static str,
}

/// Counts in every metric over one window.
pub fn distinct(sightings: &[Sighting], window: Window, label: Option<Label>) -> [Distinct; 2] {
    let within = |sighting: &&Sighting| {
        (window.from..window.until).contains(&sighting.received) && (label.is_none() || sighting.label == label)
    };
    let counted: Vec<&Sighting> = sightings.iter().filter(within).collect();
    Metric::ALL.map(|metric| {
        let count = match metric {
            Metric::Addresses => addresses(&counted),
            Metric::AddressesAndFingerprints => addresses_and_fingerprints(&counted),
        };
        Distinct { window, metric, label, count: count as u64, is: metric.label() }
    })
}

fn addresses(sightings: &[&Sighting]) -> usize {
    sightings.iter().map(|sighting| sighting.source).collect::<BTreeSet<IpAddr>>().len()
}

/// Requests have a User-Agent and hellos a JA4, and which came over which a sighting does not say. So per address:
/// the User-Agents or the fingerprints, whichever are more, and one at least.
fn addresses_and_fingerprints(sightings: &[&Sighting]) -> usize {
    let of = |kind: Kind, field: fn(&Sighting) -> &Option<String>| {
        let own = sightings.iter().filter(move |sighting| sighting.kind == kind);
        own.map(|sighting| (sighting.source, field(sighting).as_deref())).collect::<BTreeSet<_>>()
    };
    let agents = of(Kind::Request, |sighting| &sighting.user_agent);
    let hellos = of(Kind::Hello, |sighting| &sighting.ja4);
    let all: BTreeSet<IpAddr> = sightings.iter().map(|sighting| sighting.source).collect();
    let mut count = 0;
    for address in all {
        let agents = agents.range((address, None)..).take_while(|(other, _)| *other == address).count();
        let hellos = hellos.range((address, None)..).take_while(|(other, _)| *other == address).count();
        count += agents.max(hellos).max(1);
    }
    count
}

#[cfg(test)]
mod tests {
    use model::id::{Boot, ContactId, Lane, SensorId};
    use model::time::from_nanos;

    use super::*;

    fn sighting(at: i64, from: &str, kind: Kind, fingerprint: &str, label: Label) -> Sighting {
        let text = |of: Kind| (kind == of && !fingerprint.is_empty()).then(|| fingerprint.to_owned());
        Sighting {
            id: ContactId::new(SensorId(1), Boot(1), Lane(0), 0),
            received: from_nanos(at),
            source: from.parse().unwrap(),
            source_port: 40_000,
            local: "127.0.0.1".parse().unwrap(),
            local_port: 80,
            transport: "tcp".into(),
            kind,
            case: None,
            apex: None,
            qname: None,
            qtype: None,
            rcode: None,
            method: None,
            target: None,
            host: None,
            user_agent: text(Kind::Request),
            referer: None,
            content_type: None,
            http_version: None,
            sni: None,
            ja3: None,
            ja4: text(Kind::Hello),
            oddities: vec![],
            status: None,
            body_len: None,
            body_fields: vec![],
            label: Some(label),
            score: None,
            reasons: vec![],
            asn: None,
            as_name: None,
            country: None,
            withheld: false,
        }
    }

    #[test]
    fn each_count_has_its_window_metric_and_warning() {
        let victim = |at, from, kind, fingerprint| sighting(at, from, kind, fingerprint, Label::Victim);
        let sightings = [
            victim(1, "127.10.0.1", Kind::Request, "one"),
            victim(2, "127.10.0.1", Kind::Request, "two"),
            victim(3, "127.10.0.1", Kind::Hello, "t13"),
            victim(4, "127.10.0.2", Kind::Connection, ""),
            victim(5, "127.10.0.3", Kind::Hello, "t12"),
            victim(9, "127.10.0.4", Kind::Request, "too late"),
            sighting(4, "127.80.0.1", Kind::Request, "", Label::Scanner),
        ];
        let window = Window { from: from_nanos(1), until: from_nanos(9) };
        for (label, addresses, fingerprints) in [(Some(Label::Victim), 3, 4), (None, 4, 5), (Some(Label::Own), 0, 0)] {
            let counts = distinct(&sightings, window, label);
            assert_eq!(counts.map(|distinct| distinct.count), [addresses, fingerprints], "{label:?}");
            assert!(counts.iter().all(|count| count.is.ends_with("(upper bound, not machines)")));
            assert!(counts.iter().all(|count| count.window == window && count.label == label));
        }
    }
}
