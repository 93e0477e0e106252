//! What lies on disk, counted: frames by kind, the equation by listener, damage. It reads the journal's files and
//! nothing else, so it works beside a running daemon, after a crash, and on a copy.

use std::collections::BTreeMap;
use std::path::Path;

use model::contact::{Kind, Transport, What};
use model::tally::{Counts, Tally};
use serde::Serialize;
use store::journal::{Frame, ReadReport, read_all};

use crate::failure::{Failure, Tried};

/// The journal's folder within the data folder.
pub(crate) const JOURNAL: &str = "journal";
/// The folder of what sensors have sent.
const RECEIVED: &str = "received";

/// A count of the journal.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct OnDisk {
    /// Contacts by kind; kinds that did not occur are 0.
    pub(crate) by_kind: BTreeMap<&'static str, u64>,
    /// Contacts by protocol as people speak of it.
    pub(crate) by_protocol: BTreeMap<&'static str, u64>,
    pub(crate) outcomes: u64,
    /// What each listener counted, over all boots.
    pub(crate) listeners: BTreeMap<String, Tally>,
    /// The same by listener and minute (UTC): what was counted in it, or in the second before it began.
    pub(crate) minutes: BTreeMap<String, BTreeMap<String, Tally>>,
    pub(crate) report: ReadReport,
}

impl OnDisk {
    pub(crate) fn count(data: &Path) -> Result<Self, Failure> {
        Self::count_in(&data.join(JOURNAL))
    }

    /// What a sensor has sent, as it lies at its core.
    pub(crate) fn count_of(data: &Path, sensor: u32) -> Result<Self, Failure> {
        Self::count_in(&data.join(RECEIVED).join(format!("{sensor:08x}")))
    }

    fn count_in(folder: &Path) -> Result<Self, Failure> {
        let mut counted = Self { by_kind: Kind::ALL.map(|kind| (kind.as_str(), 0)).into(), ..Self::default() };
        let report = read_all(folder, &mut |frame| counted.take(&frame));
        counted.report = report.tried(format_args!("reading the journal in {}", folder.display()))?;
        Ok(counted)
    }

    fn take(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Contact(contact) => {
                *self.by_kind.entry(contact.what.kind().as_str()).or_default() += 1;
                *self.by_protocol.entry(protocol(contact.transport, &contact.what)).or_default() += 1;
            }
            Frame::Outcome(_) => self.outcomes += 1,
            Frame::Counts(counts) => self.take_counts(counts),
            Frame::Clock(_) => {}
        }
    }

    fn take_counts(&mut self, counts: &Counts<'_>) {
        let listener = counts.listener.to_string();
        let minute = counts.at.strftime("%Y-%m-%dT%H:%MZ").to_string();
        self.minutes.entry(listener.clone()).or_default().entry(minute).or_default().add(&counts.tally);
        self.listeners.entry(listener).or_default().add(&counts.tally);
    }

    pub(crate) fn contacts(&self) -> u64 {
        self.by_kind.values().sum()
    }

    /// The equation's terms over all listeners.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.listeners.values().for_each(|tally| sum.add(tally));
        sum
    }
}

fn protocol(transport: Transport, what: &What<'_>) -> &'static str {
    match (what, transport) {
        (What::Query(_), Transport::Udp) => "dns-udp",
        (What::Query(_), Transport::Tcp) => "dns-tcp",
        (What::Connection(_), _) => "tcp",
        (What::Hello(_), _) => "tls",
        (What::Request(_), _) => "http",
        (What::Message(_), _) => "smtp",
        (What::Datagram(_), _) => "udp",
    }
}
