//! Who probably called, and why: rules over one contact, what followed it, and what its source did before.
//!
//! Pure: the same contact, memory and tables give the same verdict. A verdict never deletes; when rules or tables
//! change, a new generation is written beside the old. Each rule stands in [`rules`] with its reason as a sentence for
//! people, and in `docs/concepts/labels.md` with how it errs.
//!
//! What is deliberately absent: any look-up, any list that is not written here or named by the operator, and any rule
//! that makes a name-server's query a victim.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::Digest;
use model::contact::{Contact, Kind};
use model::id::{CaseId, ContactId};
use model::marking::Withheld;
use model::outcome::Outcome;
use model::verdict::{Label, Verdict};

use crate::tables::{Origin, Tables};

pub mod agents;
mod memory;
mod rules;
mod seen;
#[cfg(test)]
mod tests;

pub use memory::{Beats, Memory, MemoryLimits, Source};
pub use seen::Seen;

/// Counts up with every change of a rule, so that verdicts of two rule sets are never mixed.
pub const RULES_VERSION: u32 = 2;

/// How much less sure a contact is that speaks only through its source's other contacts.
const BY_ASSOCIATION: u8 = 20;

//----------- Context ----------------------------------------------------------------------------------------------

/// What the rules may look at beside the contact.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub tables: &'a Tables,
    /// What each case withholds. A contact that concerns none of them is withheld if any case would.
    pub withheld: &'a BTreeMap<CaseId, Withheld>,
    /// Addresses from which we call ourselves.
    pub own: &'a BTreeSet<IpAddr>,
    pub memory: &'a Memory,
}

impl Context<'_> {
    /// Whether the case withholds what concerns that address.
    pub fn withholds(&self, case: &CaseId, address: IpAddr) -> bool {
        let origin = self.tables.origin(address);
        self.withheld.get(case).is_some_and(|terms| terms.covers(address, origin.asn, origin.country))
    }
}

/// The generation of verdicts: which rules, which tables.
pub fn generation(tables: &Tables) -> Digest {
    let version = RULES_VERSION.to_be_bytes();
    Digest::of_parts([b"bailiwick generation v1\0".as_slice(), &version, &tables.digest().0])
}

//----------- assess -----------------------------------------------------------------------------------------------

/// Judges one contact. The memory should have learnt of it first.
pub fn assess(contact: &Contact<'_>, outcome: Option<&Outcome<'_>>, context: &Context<'_>) -> Verdict {
    let mut seen = Seen::of(contact);
    if let Some(outcome) = outcome {
        seen.follow(outcome);
    }
    judge(&seen, context)
}

/// Judges what was seen of one contact.
pub fn judge(seen: &Seen, context: &Context<'_>) -> Verdict {
    let opinion = opinion(seen, context);
    let origin = context.tables.origin(seen.address);
    let withheld = seen.is_partly_known || is_withheld(seen, &origin, context);
    let Origin { asn, as_name, country } = origin;
    let as_name = as_name.map(|name| name.to_string());
    Verdict {
        of: seen.id,
        label: opinion.label,
        score: opinion.score,
        reasons: opinion.reasons,
        asn,
        as_name,
        country,
        withheld,
    }
}

/// Judges the contacts of a batch; the verdicts stand in its order. A connection or hello is what came over it, in
/// this batch or, by `carried`, before. The memory has learnt of the whole batch, so that the first beacon of three is
/// judged like the third.
pub fn judge_all(batch: &mut [Seen], carried: &mut Carried, context: &Context<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = batch.iter().map(|seen| judge(seen, context)).collect();
    for kind in [Kind::Query, Kind::Request, Kind::Message, Kind::Hello, Kind::Connection] {
        for (seen, verdict) in batch.iter_mut().zip(&mut verdicts).filter(|(seen, _)| seen.kind == kind) {
            if let Some(above) = carried.by_carrier.remove(&seen.id) {
                above.lift(seen, verdict);
            }
            if let Some(over) = seen.over {
                carried.put(over, Above { kind, verdict: verdict.clone(), user_agent: seen.user_agent.clone() });
            }
        }
    }
    verdicts
}

//----------- Carried ----------------------------------------------------------------------------------------------

/// What came over connections and hellos that are not judged yet.
#[derive(Debug, Default)]
pub struct Carried {
    by_carrier: BTreeMap<ContactId, Above>,
}

/// The strongest verdict on what came over a carrier.
#[derive(Debug)]
struct Above {
    kind: Kind,
    verdict: Verdict,
    user_agent: String,
}

impl Carried {
    fn put(&mut self, carrier: ContactId, above: Above) {
        match self.by_carrier.get_mut(&carrier) {
            Some(kept) if !says_more(&above.verdict, &kept.verdict) => kept.verdict.withheld |= above.verdict.withheld,
            Some(kept) => {
                let withheld = kept.verdict.withheld | above.verdict.withheld;
                *kept = above;
                kept.verdict.withheld = withheld;
            }
            None => drop(self.by_carrier.insert(carrier, above)),
        }
    }

    /// Forgets carriers that nobody waits for.
    pub fn retain(&mut self, is_awaited: impl Fn(ContactId) -> bool) {
        self.by_carrier.retain(|carrier, _| is_awaited(*carrier));
    }
}

impl Above {
    /// Gives a carrier the verdict of what it carried, if that says more; and a hello its program's own word.
    fn lift(self, seen: &mut Seen, under: &mut Verdict) {
        under.withheld |= self.verdict.withheld;
        if says_more(&self.verdict, under) {
            under.label = self.verdict.label;
            under.score = self.verdict.score;
            let reason = self.verdict.reasons.first().map_or("", String::as_str);
            let reason = reason.rsplit(" came over it: ").next().unwrap_or(reason);
            under.reasons = vec![format!("a {} came over it: {reason}", self.kind.as_str())];
            seen.user_agent = self.user_agent;
        }
    }
}

fn says_more(verdict: &Verdict, than: &Verdict) -> bool {
    verdict.label != Label::Unknown && (than.label == Label::Unknown || verdict.score > than.score)
}

//----------- Opinion ----------------------------------------------------------------------------------------------

struct Opinion {
    label: Label,
    score: u8,
    reasons: Vec<String>,
}

/// The first rule that speaks gives the label, those that agree strengthen it, those that do not are named.
fn opinion(seen: &Seen, context: &Context<'_>) -> Opinion {
    let source = context.memory.of(seen.address);
    let findings: Vec<_> = rules::RULES.iter().filter_map(|rule| rule(seen, source, context)).collect();
    let Some(first) = findings.first() else { return by_association(seen, source) };
    let agrees = |finding: &&rules::Finding| finding.label == first.label;
    let score = findings.iter().filter(agrees).map(|finding| finding.score).max().unwrap_or(first.score);
    let mut reasons: Vec<String> = findings.iter().filter(agrees).map(|finding| finding.reason.clone()).collect();
    let others = findings.iter().filter(|finding| finding.label != first.label);
    reasons.extend(others.map(|other| format!("though, as of a {}: {}", other.label, other.reason)));
    Opinion { label: first.label, score, reasons }
}

/// What no rule knows is what its source was known as, if it concerns a seized name at all.
fn by_association(seen: &Seen, source: &Source) -> Opinion {
    match source.known_as {
        Some((label, score)) if seen.kind != Kind::Query || seen.asks_for_itself() => Opinion {
            label,
            score: score.saturating_sub(BY_ASSOCIATION),
            reasons: vec![format!("other contacts of this address are those of a {label}")],
        },
        _ => Opinion { label: Label::Unknown, score: 0, reasons: vec![rules::nothing_known(seen)] },
    }
}

/// Whether any address that the contact names, its own or one that it speaks for, is one that the case withholds.
fn is_withheld(seen: &Seen, origin: &Origin, context: &Context<'_>) -> bool {
    let own = std::iter::once((seen.address, origin.clone()));
    let claimed = seen.speaks_for.iter().map(|address| (*address, context.tables.origin(*address)));
    let case = seen.case.as_deref().filter(|case| context.withheld.keys().any(|known| known.as_str() == *case));
    let concerned = |id: &CaseId| case.is_none_or(|case| case == id.as_str());
    let terms: Vec<&Withheld> =
        context.withheld.iter().filter(|(id, _)| concerned(id)).map(|(_, terms)| terms).collect();
    own.chain(claimed)
        .any(|(address, origin)| terms.iter().any(|terms| terms.covers(address, origin.asn, origin.country)))
}
