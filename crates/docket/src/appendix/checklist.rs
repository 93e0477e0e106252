//! The standing checklist: what ICANN's "Guidance for Preparing Domain Name Orders, Seizures & Takedowns" (2012) asks of an
//! order, and what the case says of each item. What nobody has said stands as *not stated*: an actor who has to ask loses days.

use model::case::CaseTerms;
use model::order::{NameOutcome, OrderTerms};
use serde::Serialize;

use super::Outcomes;
use super::actors::{Actor, Actors};

/// One item, answered or not.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Item {
    pub asks: &'static str,
    /// `None`: not stated.
    pub says: Option<String>,
}

/// The items of one actor's sheet.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Checklist(pub Vec<Item>);

impl Checklist {
    pub fn open(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|item| item.says.is_none()).map(|item| item.asks)
    }
}

/// What the case says to one actor.
pub fn of(case: &CaseTerms, order: &OrderTerms, actors: &Actors, actor: &Actor, outcomes: &Outcomes) -> Checklist {
    let authority = &order.authority;
    let said = &actors.instructions;
    let redirects = outcomes.0.contains_key(&NameOutcome::Redirect);
    let servers = order.name_servers.iter().map(model::DomainName::as_str).collect::<Vec<_>>().join(", ");
    let answers = order.answers.as_ref().or(case.answers.as_ref());
    let addresses =
        answers.map(|set| set.addresses().map(|address| address.to_string()).collect::<Vec<_>>().join(", "));
    let unless_redirect = || Some("unchanged: no name of this list is redirected".to_owned());
    let issuer =
        format!("{} by {} ({})", authority.instrument.as_str(), authority.issuer.value, authority.issuer.source);
    let item = |asks, says: Option<String>| Item { asks, says: says.filter(|text| !text.trim().is_empty()) };
    Checklist(vec![
        item("who asks, and by which authority", Some(issuer)),
        item("docket number", authority.docket_number.as_ref().map(|n| format!("{} ({})", n.value, n.source))),
        item("date of the paper", authority.issued.as_ref().map(|day| format!("{} ({})", day.value, day.source))),
        item("whom to write to with questions", Some(said.contact.clone().unwrap_or_else(|| case.contact.clone()))),
        item("who has to act", actor.registrar.clone().or_else(|| actor.registry.clone())),
        item("how the actor is reached", reached(actor)),
        item("what shall become of each name", Some(outcomes_shown(outcomes))),
        item("name servers (NS)", if redirects { Some(servers) } else { unless_redirect() }),
        item("addresses (A, AAAA) that the names resolve to", if redirects { addresses } else { unless_redirect() }),
        item("DNSSEC (DS)", if redirects { Some("every DS record is removed".into()) } else { unless_redirect() }),
        item("registration data (WHOIS, RDAP)", said.whois.clone()),
        item("status and locks", Some(locks(outcomes))),
        item(
            "for how long",
            authority
                .expires
                .as_ref()
                .map(|at| format!("until {} ({})", at.value, at.source))
                .or_else(|| said.duration.clone()),
        ),
        item("renewal", said.renewal.clone()),
        item("who pays", said.who_pays.clone()),
    ])
}

fn reached(actor: &Actor) -> Option<String> {
    match (&actor.contact, &actor.channel) {
        (Some(contact), Some(channel)) => Some(format!("{contact}, by {channel}")),
        (Some(contact), None) => Some(contact.clone()),
        (None, _) => None,
    }
}

fn outcomes_shown(outcomes: &Outcomes) -> String {
    let one = |(outcome, count): (&NameOutcome, &u64)| format!("{}: {count}", outcome.as_str());
    outcomes.0.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn locks(outcomes: &Outcomes) -> String {
    let one = |outcome: &NameOutcome| match outcome {
        NameOutcome::Redirect => {
            "redirect: clientTransferProhibited, clientDeleteProhibited and clientUpdateProhibited, or the registry's own"
        }
        NameOutcome::Hold => "hold: clientHold or serverHold, with the locks",
        NameOutcome::LockOnly => "lock-only: the locks",
        NameOutcome::Transfer => "transfer: the locks, set by the gaining registrar",
        NameOutcome::Delete => "delete: none",
        NameOutcome::BlockRegistration => "block-registration: reserved by the registry",
        NameOutcome::ProviderRemoval => "provider-removal: none",
    };
    outcomes.0.keys().map(one).collect::<Vec<_>>().join("; ")
}
