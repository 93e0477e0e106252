//! What becomes of one datagram: whom it concerns, whether it may be kept, what of it, and at which rate.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::Timestamp;
use model::contact::{Contact, Datagram, Limits, NamedBy, Transport, Via, What};
use model::id::ContactId;
use model::tally::Tally;
use wire::banner::{Carrier, look};

use super::NamesByAddress;
use crate::ZoneTable;
use crate::inbox::Received;
use crate::keyed::CaseKeys;
use crate::rate::{Asked, Rates, Record};
use crate::recorder::Recorder;
use crate::settings::RateLimits;
use crate::thrift::Wanted;
use crate::zones::{ServedZone, Zones};

/// What every silent listener stands on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) zones: Arc<ZoneTable>,
    pub(crate) names: Arc<NamesByAddress>,
    pub(crate) keys: Arc<CaseKeys>,
    /// Only its rates of records are used: nothing is answered.
    pub(crate) rates: RateLimits,
}

/// When a batch was read, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) since_start_nanos: u64,
}

/// What a thread records with.
pub(super) struct Pen {
    pub(super) recorder: Recorder,
    ground: Ground,
    rates: Rates,
}

impl Pen {
    pub(super) fn new(recorder: Recorder, ground: Ground) -> Self {
        let rates = Rates::new(ground.rates);
        Self { recorder, ground, rates }
    }

    pub(super) fn zones(&self) -> Zones {
        self.ground.zones.read()
    }

    /// Stages the contact, or counts why there is none.
    pub(super) fn take(&mut self, received: &Received<'_>, at: SocketAddr, zones: &Zones, moment: Moment) {
        let called: IpAddr = received.note.local.unwrap_or(at.ip());
        let local = SocketAddr::new(called, received.note.port.unwrap_or(at.port()));
        let served = self.ground.names.find(zones, called).map(|found| found.served);
        let since = received.note.at.unwrap_or(moment.now);
        let mut tally = Tally::default();
        if served.is_some_and(|served| !served.may_record(since)) {
            tally.shed.not_covered = 1;
        } else if self.judge(received.source.ip(), served, moment) == Record::Collapse {
            tally.collapsed = 1;
        } else if self.recorder.has_room(&wanted(received.source.ip(), served), 1, moment.now) {
            let what = self.datagram(received, served, since);
            let id = self.recorder.next_id();
            self.recorder.contact(contact(id, since, received, local, served, what));
        }
        if !tally.is_empty() {
            self.recorder.count(&tally);
        }
    }

    fn judge(&mut self, source: IpAddr, served: Option<&ServedZone>, moment: Moment) -> Record {
        let apex = served.map_or("", |served| served.zone.apex().as_str());
        let asked = Asked { source, apex, positive: None, rcode: 0, is_proven: true, is_kept: true };
        self.rates.judge(&asked, moment.since_start_nanos).1
    }

    /// Its form always; its bytes and their hash where the order covers what callers send.
    fn datagram<'a>(&self, received: &Received<'a>, served: Option<&ServedZone>, since: Timestamp) -> Datagram<'a> {
        let covering = served.filter(|served| served.may_record_content(since));
        let first_bytes = if covering.is_some() { received.packet } else { &[] };
        Datagram {
            looks_like: look(received.packet, Carrier::Datagram).word().into(),
            first_bytes: first_bytes.into(),
            keyed_hash: covering
                .and_then(|served| self.ground.keys.hash(served.zone.coverage().case(), received.packet)),
            len: u32::try_from(received.len).unwrap_or(u32::MAX),
        }
    }
}

fn wanted(source: IpAddr, served: Option<&ServedZone>) -> Wanted<'_> {
    let apex = served.map_or("", |served| served.zone.apex().as_str());
    Wanted::new(source, apex, served.is_some_and(ServedZone::is_kill_switch))
}

fn contact<'a>(
    id: ContactId,
    received_at: Timestamp,
    received: &Received<'a>,
    local: SocketAddr,
    served: Option<&'a ServedZone>,
    what: Datagram<'a>,
) -> Contact<'a> {
    let is_cut = !what.first_bytes.is_empty() && received.is_cut();
    Contact {
        id,
        received: received_at,
        source: received.source,
        local,
        transport: Transport::Udp,
        via: Via::Direct,
        over: None,
        subject: served.map(|served| served.subject(NamedBy::Address)),
        oddities: Vec::new(),
        limits: if is_cut { Limits::CUT } else { Limits::default() },
        what: What::Datagram(what),
    }
}
