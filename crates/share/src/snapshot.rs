//! What may be told of one case at one moment, to anybody at all.
//!
//! A snapshot is a value: sorted, without a clock, and already without what is withheld. What of it a given audience
//! may see is decided later, in [`audience`](crate::audience). There is no way in but
//! [`gather`](Snapshot::gather), and the renderers never see one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::address::{Asn, Country};
use model::fact::Indicator;
use model::group::Group;
use model::id::{CaseId, ContactId};
use model::marking::Tlp;
use model::{Digest, DomainName, Timestamp};

use crate::custody::Action;

//----------- Snapshot ---------------------------------------------------------------------------------------------

/// What may be told of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub(crate) group: Group,
    pub(crate) tlp: Tlp,
    /// Every output says so.
    pub(crate) exercise: bool,
    /// Until the day that the paper names nothing that we show names the court or the case.
    pub(crate) sealed: bool,
    pub(crate) face: Face,
    /// The digest of the case file: it keys identifiers, and gives away nothing of a sealed case.
    pub(crate) key: Digest,
    pub(crate) opened: Timestamp,
    /// The last fact that changed what may be told.
    pub(crate) changed: Timestamp,
    /// The ledger's position after that fact.
    pub(crate) serial: u32,
    pub(crate) names: BTreeMap<DomainName, Named>,
    /// In order of kind, value, apex.
    pub(crate) learned: Vec<Indicator>,
    /// In order of receipt.
    pub(crate) victims: Vec<Victim>,
}

/// What says whose case it is: the part that a seal covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Face {
    pub(crate) id: CaseId,
    pub(crate) title: String,
    pub(crate) contact: String,
    pub(crate) papers: Vec<Paper>,
}

/// An instrument, as others cite it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Paper {
    pub(crate) instrument: &'static str,
    pub(crate) issuer: String,
    pub(crate) docket_number: Option<String>,
}

/// One name of the case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    pub(crate) action: Action,
    /// The authority covers `share` for this name: what was learned there may leave the house.
    pub(crate) shareable: bool,
    pub(crate) seen: Option<Seen>,
}

/// How often a name was called, by whoever matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) contacts: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl Seen {
    pub(crate) fn once(at: Timestamp) -> Self {
        Self { contacts: 1, first: at, last: at }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        let (first, last) = (self.first.min(other.first), self.last.max(other.last));
        Self { contacts: self.contacts + other.contacts, first, last }
    }
}

//----------- Victim -----------------------------------------------------------------------------------------------

/// One request of somebody whom the group has in its hands, as the owner of the network needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Victim {
    pub(crate) id: ContactId,
    pub(crate) received: Timestamp,
    pub(crate) source: IpAddr,
    /// Behind carrier-grade NAT nothing but time and port finds the subscriber.
    pub(crate) source_port: u16,
    pub(crate) asn: Option<Asn>,
    pub(crate) country: Option<Country>,
    pub(crate) local: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) apex: DomainName,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) user_agent: String,
    pub(crate) referer: String,
    pub(crate) sni: String,
}

impl Snapshot {
    /// The same, with the victims of one network only: what the owner of that network gets.
    pub fn about(&self, asn: Asn) -> Self {
        let mut narrowed = self.clone();
        narrowed.victims.retain(|victim| victim.asn == Some(asn));
        narrowed
    }

    /// The networks that have victims to be told, in order.
    pub fn networks(&self) -> std::collections::BTreeSet<Asn> {
        self.victims.iter().filter_map(|victim| victim.asn).collect()
    }
}
