//! A sighting: contact ⟕ outcome ⟕ the last verdict on it, as one value.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;

use model::address::{Asn, Country};
use model::contact::Kind;
use model::id::{CaseId, ContactId};
use model::time::{Date, utc_day};
use model::verdict::Label;
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::file::{self, Written};
use super::tables::{ContactRow, OutcomeRow, Row, VerdictRow};
use crate::Error;

/// Which sightings. The default is all of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SightingFilter {
    pub case: Option<CaseId>,
    pub apex: Option<DomainName>,
    pub kind: Option<Kind>,
    pub label: Option<Label>,
    /// Received at this instant or later.
    pub from: Option<Timestamp>,
    /// Received before this instant.
    pub until: Option<Timestamp>,
    /// No more than so many, the last ones; `None` for all.
    pub last: Option<usize>,
}

/// One contact with what followed and what is made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    pub id: ContactId,
    pub received: Timestamp,
    pub source: IpAddr,
    pub source_port: u16,
    pub local: IpAddr,
    pub local_port: u16,
    /// `udp` or `tcp`
    pub transport: String,
    pub kind: Kind,
    pub case: Option<CaseId>,
    pub apex: Option<DomainName>,
    pub qname: Option<String>,
    pub qtype: Option<u16>,
    pub rcode: Option<u16>,
    pub method: Option<String>,
    pub target: Option<String>,
    pub host: Option<String>,
    pub user_agent: Option<String>,
    pub referer: Option<String>,
    pub content_type: Option<String>,
    pub http_version: Option<String>,
    pub sni: Option<String>,
    pub ja3: Option<String>,
    pub ja4: Option<String>,
    pub oddities: Vec<String>,
    pub status: Option<u16>,
    pub body_len: Option<u64>,
    pub body_fields: Vec<String>,
    /// `None` until insight has spoken.
    pub label: Option<Label>,
    pub score: Option<u8>,
    pub reasons: Vec<String>,
    pub asn: Option<Asn>,
    pub as_name: Option<String>,
    pub country: Option<Country>,
    /// Data about this caller does not leave the house. Until insight has spoken it does not either.
    pub withheld: bool,
}

//----------- Joining ----------------------------------------------------------------------------------------------

/// Reads the days that the filter asks for and joins them in memory.
pub(super) fn join(root: &Path, files: &[Written], filter: &SightingFilter) -> Result<Vec<Sighting>, Error> {
    let mut contacts = Vec::new();
    read_days(root, files, filter, &mut |row: ContactRow| {
        if filter.admits(&row) {
            contacts.push(row);
        }
    })?;
    let mut outcomes = HashMap::<ContactId, OutcomeRow>::new();
    read_days(root, files, &filter.open_ended(), &mut |row: OutcomeRow| {
        if outcomes.get(&row.contact_id).is_none_or(|known| (known.ended, known.id) < (row.ended, row.id)) {
            outcomes.insert(row.contact_id, row);
        }
    })?;
    let mut verdicts = HashMap::<ContactId, VerdictRow>::new();
    read_days(root, files, filter, &mut |row: VerdictRow| {
        // Files come in order of commit: of two at one instant the later one counts.
        if verdicts.get(&row.contact_id).is_none_or(|known| known.judged <= row.judged) {
            verdicts.insert(row.contact_id, row);
        }
    })?;
    contacts.sort_unstable_by_key(|row| (row.received, row.id));
    let sighting = |row: ContactRow| {
        let id = row.id;
        Sighting::new(row, outcomes.get(&id), verdicts.get(&id))
    };
    let mut sightings: Vec<Sighting> = contacts.into_iter().map(sighting).collect();
    sightings.retain(|sighting| filter.label.is_none_or(|label| sighting.label == Some(label)));
    let surplus = filter.last.map_or(0, |last| sightings.len().saturating_sub(last));
    Ok(sightings.split_off(surplus))
}

fn read_days<R: Row>(
    root: &Path,
    files: &[Written],
    filter: &SightingFilter,
    each: &mut dyn FnMut(R),
) -> Result<(), Error> {
    let wanted = |file: &&Written| file.table == R::TABLE && filter.may_have(&file.day);
    files.iter().filter(wanted).try_for_each(|file| file::read(root, file, each))
}

impl SightingFilter {
    /// Whether a day may hold what is asked for. A day that cannot be read as one may hold anything.
    fn may_have(&self, day: &str) -> bool {
        let Ok(day) = day.parse::<Date>() else { return true };
        self.from.is_none_or(|from| utc_day(from) <= day) && self.until.is_none_or(|until| day <= utc_day(until))
    }

    /// The same without an end: what followed a contact may have come on a later day.
    fn open_ended(&self) -> Self {
        Self { until: None, ..self.clone() }
    }

    fn admits(&self, row: &ContactRow) -> bool {
        self.from.is_none_or(|from| row.received >= from)
            && self.until.is_none_or(|until| row.received < until)
            && self.kind.is_none_or(|kind| row.kind == kind)
            && self.case.as_ref().is_none_or(|case| row.case_id.as_deref() == Some(case.as_str()))
            && self.apex.as_ref().is_none_or(|apex| row.apex.as_deref() == Some(apex.as_str()))
    }
}

impl Sighting {
    fn new(contact: ContactRow, outcome: Option<&OutcomeRow>, verdict: Option<&VerdictRow>) -> Self {
        Self {
            id: contact.id,
            received: contact.received,
            source: contact.source,
            source_port: contact.source_port,
            local: contact.local,
            local_port: contact.local_port,
            transport: contact.transport,
            kind: contact.kind,
            case: contact.case_id.and_then(|case| CaseId::parse(&case).ok()),
            apex: contact.apex.and_then(|apex| DomainName::parse(&apex).ok()),
            qname: contact.qname,
            qtype: contact.qtype,
            rcode: contact.rcode,
            method: contact.method,
            target: contact.target,
            host: contact.host,
            user_agent: contact.user_agent,
            referer: contact.referer,
            content_type: contact.content_type,
            http_version: contact.http_version,
            sni: contact.sni,
            ja3: contact.ja3,
            ja4: contact.ja4,
            oddities: contact.oddities,
            status: outcome.and_then(|outcome| outcome.status),
            body_len: outcome.and_then(|outcome| outcome.body_len),
            body_fields: outcome.and_then(|outcome| outcome.body_fields.clone()).unwrap_or_default(),
            label: verdict.map(|verdict| verdict.label),
            score: verdict.map(|verdict| verdict.score),
            reasons: verdict.map(|verdict| verdict.reasons.clone()).unwrap_or_default(),
            asn: verdict.and_then(|verdict| verdict.asn).map(Asn),
            as_name: verdict.and_then(|verdict| verdict.as_name.clone()),
            country: verdict.and_then(|verdict| verdict.country.as_ref()?.parse().ok()),
            withheld: verdict.is_none_or(|verdict| verdict.withheld),
        }
    }
}
