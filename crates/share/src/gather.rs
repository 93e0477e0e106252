//! From the store to a snapshot: facts folded into a view, and sightings, become what may be told of a case.
//!
//! Here what is withheld stays behind, before anything else is done. Here too lies the decision of which contacts
//! count as somebody's use of a name: crawlers, scanners and our own verifier would only make the numbers large.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::contact::Kind;
use model::fact::Indicator;
use model::id::CaseId;
use model::order::{Act, Order, OrderStatus};
use model::verdict::Label;
use model::{DomainName, Refusal, Timestamp};
use store::archive::Sighting;
use store::view::{CaseView, NameView, View};

use crate::audience::{Caller, Withholding};
use crate::custody::Custody;
use crate::snapshot::{Face, Named, Paper, Seen, Snapshot, Victim};

/// Octets of one text from outside that are told, and that are searched for what is withheld.
const TEXT_OCTETS_MAX: usize = 2_048;

impl Snapshot {
    /// What may be told of the case. Sightings of other cases, and their order, do not matter.
    pub fn gather(view: &View, sightings: &[Sighting], case: &CaseId) -> Result<Self, Refusal> {
        Self::gather_by(view, sightings, case, None)
    }

    /// What may be told of the case's names at that instant, without anything that was seen of callers: orders and
    /// seals end by the clock, also where nothing has been heard since.
    pub fn of_names_at(view: &View, case: &CaseId, now: Timestamp) -> Result<Self, Refusal> {
        Self::gather_by(view, &[], case, Some(now))
    }

    fn gather_by(view: &View, sightings: &[Sighting], case: &CaseId, now: Option<Timestamp>) -> Result<Self, Refusal> {
        let unknown = || Refusal::new(format!("there is no case {case}")).hint("`bailiwick case list` names them");
        let known = view.cases.get(case).ok_or_else(unknown)?;
        let ours = || sightings.iter().filter(|sighting| sighting.case.as_ref() == Some(case));
        let withholding = Withholding::new(&known.terms.withheld, ours().map(caller));
        let is_told = |sighting: &&Sighting| !sighting.withheld && !withholding.covers(sighting.source);
        let told: Vec<&Sighting> = ours().filter(is_told).collect();
        let seen = seen_by_name(&told);
        let latest = now.unwrap_or_else(|| latest(known, &told));
        let lost = known.lost_names();
        let named = |(name, at): (&DomainName, NameView)| {
            let order = known.orders.get(&at.order)?;
            let (seen, lost) = (seen.get(name).copied(), lost.contains(name.as_str()));
            Some((name.clone(), named(order, name, (&at, lost), latest, seen)?))
        };
        Ok(Self {
            group: known.terms.group.clone(),
            tlp: known.terms.tlp.0,
            exercise: known.orders.values().any(|order| order.terms().authority.is_exercise()),
            sealed: is_sealed(known, latest),
            face: face(known),
            key: known.file,
            opened: known.opened,
            changed: known.changed_at,
            serial: u32::try_from(known.changed.0 + 1).unwrap_or(u32::MAX),
            names: known.names.iter().filter_map(named).collect(),
            learned: learned(view, case, &withholding),
            victims: victims(&told, &withholding),
        })
    }
}

fn caller(sighting: &Sighting) -> Caller<'_> {
    Caller {
        source: sighting.source,
        asn: sighting.asn,
        as_name: sighting.as_name.as_deref(),
        country: sighting.country,
    }
}

fn face(case: &CaseView) -> Face {
    let papers = case.orders.values().map(|order| {
        let authority = &order.terms().authority;
        Paper {
            instrument: authority.instrument.as_str(),
            issuer: authority.issuer.value.clone(),
            docket_number: authority.docket_number.as_ref().map(|number| number.value.clone()),
        }
    });
    Face {
        id: case.terms.id.clone(),
        title: case.terms.title.clone(),
        contact: case.terms.contact.clone(),
        papers: papers.collect(),
    }
}

/// The last instant that the data knows of; whoever has heard nothing since the seal was set keeps it.
fn latest(case: &CaseView, told: &[&Sighting]) -> Timestamp {
    told.iter().map(|sighting| sighting.received).fold(case.changed_at, Ord::max)
}

/// Whether the case is under seal: until the paper's day, unless two people have lifted the seal before.
pub fn is_sealed(case: &CaseView, at: Timestamp) -> bool {
    case.is_sealed(at)
}

//----------- Names ------------------------------------------------------------------------------------------------

fn named(
    order: &Order,
    name: &DomainName,
    (at, lost): (&NameView, bool),
    now: Timestamp,
    seen: Option<Seen>,
) -> Option<Named> {
    let exercise = order.terms().authority.is_exercise();
    let kill_switch = order.names().get(name).is_some_and(|listed| listed.answer_effect.is_kill_switch());
    let order_status = status_at(order, now);
    let custody = Custody { order: order_status, seizure: at.seizure, mode: at.mode, exercise, kill_switch, lost };
    Some(Named { action: custody.action()?, shareable: order.covers(name, Act::Share).is_some(), seen })
}

/// An order lapses on its own day, whether or not a fact has said so yet.
fn status_at(order: &Order, now: Timestamp) -> OrderStatus {
    let expires = order.terms().authority.expires.as_ref();
    match order.status() {
        OrderStatus::InForce if expires.is_some_and(|expires| expires.value.at <= now) => OrderStatus::Lapsed,
        status => status,
    }
}

fn seen_by_name<'a>(told: &[&'a Sighting]) -> BTreeMap<&'a DomainName, Seen> {
    let mut seen = BTreeMap::new();
    for sighting in told.iter().filter(|sighting| is_use(sighting)) {
        let Some(apex) = &sighting.apex else { continue };
        let once = Seen::once(sighting.received);
        seen.entry(apex).and_modify(|seen: &mut Seen| *seen = seen.and(once)).or_insert(once);
    }
    seen
}

/// Whether somebody used the name as the group meant it. The group's own knocks are never shared by themselves.
fn is_use(sighting: &Sighting) -> bool {
    matches!(sighting.label, Some(Label::Victim | Label::ReferredVisitor | Label::Resolver))
}

//----------- Learned ----------------------------------------------------------------------------------------------

fn learned(view: &View, case: &CaseId, withholding: &Withholding<'_>) -> Vec<Indicator> {
    let ours = view.indicators.iter().filter(|(of, _, _)| of == case).map(|(_, _, indicator)| indicator);
    let mut last = BTreeMap::new();
    for indicator in ours.filter(|indicator| may_be_told(indicator, withholding)) {
        // A later fact about the same thing says more.
        last.insert((indicator.kind, indicator.value.clone(), indicator.apex.clone()), indicator.clone());
    }
    last.into_values().collect()
}

/// A value that echoes a withheld address, or that had a secret in it, is no indicator for anybody else.
fn may_be_told(indicator: &Indicator, withholding: &Withholding<'_>) -> bool {
    let value = &indicator.value;
    value.len() <= TEXT_OCTETS_MAX && !value.contains("{redacted:") && !withholding.is_mentioned_in(value)
}

//----------- Victims ----------------------------------------------------------------------------------------------

fn victims(told: &[&Sighting], withholding: &Withholding<'_>) -> Vec<Victim> {
    let server_names = server_names(told);
    let caught = told.iter().filter(|s| s.label == Some(Label::Victim) && s.kind == Kind::Request);
    let mut victims: Vec<Victim> = caught
        .filter_map(|request| {
            let over_tls = server_names.get(&connection(request)).copied();
            victim(request, request.sni.as_deref().or(over_tls).unwrap_or_default(), withholding)
        })
        .collect();
    victims.sort_by_key(|victim| (victim.received, victim.id));
    victims
}

/// The two ends of a connection. A request over TLS has those of the hello before it.
fn connection(sighting: &Sighting) -> (IpAddr, u16, IpAddr, u16) {
    (sighting.source, sighting.source_port, sighting.local, sighting.local_port)
}

/// The server names of the hellos, the same one whatever the order in which they came to us.
fn server_names<'a>(told: &[&'a Sighting]) -> BTreeMap<(IpAddr, u16, IpAddr, u16), &'a str> {
    let mut hellos: Vec<&Sighting> = told.iter().copied().filter(|sighting| sighting.kind == Kind::Hello).collect();
    hellos.sort_by_key(|hello| (hello.received, hello.id));
    hellos.into_iter().filter_map(|hello| Some((connection(hello), hello.sni.as_deref()?))).collect()
}

fn victim(request: &Sighting, server_name: &str, withholding: &Withholding<'_>) -> Option<Victim> {
    let text = |text: &str| {
        let text = &text[..text.floor_char_boundary(TEXT_OCTETS_MAX)];
        if withholding.is_mentioned_in(text) { String::new() } else { text.to_owned() }
    };
    let given = |field: &Option<String>| text(field.as_deref().unwrap_or_default());
    Some(Victim {
        id: request.id,
        received: request.received,
        source: request.source.to_canonical(),
        source_port: request.source_port,
        asn: request.asn,
        country: request.country,
        local: request.local.to_canonical(),
        local_port: request.local_port,
        apex: request.apex.clone()?,
        method: given(&request.method),
        target: given(&request.target),
        host: given(&request.host),
        user_agent: given(&request.user_agent),
        referer: given(&request.referer),
        sni: text(server_name),
    })
}
