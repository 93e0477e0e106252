//! The execution plan of one name: who does what, in which order, what has to hold before, and what undoes it.
//!
//! A plan is for people; where the actor is a registrar who sponsors the name, [`frames`] says the same in EPP. Two names
//! of which the same is known have the same plan, word for word, so that a million names share a few.

use model::order::{NameOutcome, OrderTerms};
use model::{Digest, DomainName};
use serde::Serialize;

use super::Wanted;
use super::actors::{Actor, Actors};
use super::epp::{self, Frame, Labels};
use super::state::{CLIENT_HOLD, SERVER_HOLD, State, Status};

/// Statuses that only the registry sets: words in an instruction, never in a frame.
const SERVER_LOCKS: &str = "serverTransferProhibited, serverDeleteProhibited and serverUpdateProhibited";
const CLIENT_LOCKS: &str = "clientTransferProhibited, clientDeleteProhibited and clientUpdateProhibited";
const REGISTRY: &str = "registry";
const REGISTRAR: &str = "registrar";
const REQUESTER: &str = "requester";
const PROVIDER: &str = "provider";

/// One thing that somebody does.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Step {
    pub who: &'static str,
    pub does: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
}

/// What is done, and what undoes it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Plan {
    pub outcome: NameOutcome,
    pub steps: Vec<Step>,
    pub reverse: Vec<Step>,
}

impl Plan {
    pub fn digest(&self) -> Digest {
        Digest::of_value(self)
    }

    /// For a name that left the order: what takes this plan back. Nothing undoes that; it would take an order.
    pub fn taken_back(self) -> Self {
        let who = self.steps.first().map_or(REQUESTER, |step| step.who);
        let does = "leaves a name as it stands for which nothing of the order was done, and goes on with the others";
        let mut steps = vec![Step { who, does: does.to_owned(), only_if: None }];
        steps.extend(self.reverse);
        Self { outcome: self.outcome, steps, reverse: Vec::new() }
    }

    fn step(&mut self, who: &'static str, does: impl Into<String>) {
        self.steps.push(Step { who, does: does.into(), only_if: None });
    }

    fn step_if(&mut self, only_if: &str, who: &'static str, does: impl Into<String>) {
        self.steps.push(Step { who, does: does.into(), only_if: Some(only_if.to_owned()) });
    }

    fn undo(&mut self, who: &'static str, does: impl Into<String>) {
        self.reverse.push(Step { who, does: does.into(), only_if: None });
    }

    fn undo_if(&mut self, only_if: &str, who: &'static str, does: impl Into<String>) {
        self.reverse.push(Step { who, does: does.into(), only_if: Some(only_if.to_owned()) });
    }
}

//----------- ordered ----------------------------------------------------------------------------------------------

/// The state that the order wants, where a registrar can bring it about by changing the registration.
pub fn ordered(outcome: NameOutcome, before: &State, terms: &OrderTerms) -> Option<State> {
    let mut state = before.clone();
    match outcome {
        NameOutcome::Redirect => {
            state.name_servers = terms.name_servers.iter().cloned().collect();
            state.ds.clear();
            state.statuses.retain(|status| !matches!(status.as_str(), CLIENT_HOLD | "clientRenewProhibited"));
        }
        NameOutcome::Hold => {
            state.statuses.insert(Status::HOLD);
        }
        NameOutcome::LockOnly => {}
        NameOutcome::Transfer | NameOutcome::Delete | NameOutcome::BlockRegistration | NameOutcome::ProviderRemoval => {
            return None;
        }
    }
    state.statuses.extend(Status::LOCKS);
    Some(state)
}

/// The commands of one name, and those that undo them; none unless the actor is a registrar who sponsors it.
pub fn frames(wanted: Wanted<'_>, actor: &Actor, actors: &Actors, terms: &OrderTerms) -> (Vec<Frame>, Vec<Frame>) {
    if !actor.sponsors || matches!(wanted.listed.outcome, NameOutcome::BlockRegistration | NameOutcome::ProviderRemoval)
    {
        return (Vec::new(), Vec::new());
    }
    let order = terms.id.as_str();
    let (forward, reverse) = (Labels { order, direction: "f" }, Labels { order, direction: "r" });
    let name = wanted.name;
    let Some(before) = actors.before(name) else {
        return (vec![epp::look(name, Labels { order, direction: "i" })], Vec::new());
    };
    match wanted.listed.outcome {
        NameOutcome::Delete => (epp::deletion(name, before, forward), epp::restoration(name, before, reverse)),
        NameOutcome::Transfer => (epp::release(name, before, forward), Vec::new()),
        outcome => match ordered(outcome, before, terms) {
            Some(then) => (epp::between(name, before, &then, forward), epp::between(name, &then, before, reverse)),
            None => (Vec::new(), Vec::new()),
        },
    }
}

//----------- plan -------------------------------------------------------------------------------------------------

/// The plan of one name.
pub fn plan(wanted: Wanted<'_>, actor: &Actor, actors: &Actors, terms: &OrderTerms) -> Plan {
    let before = actors.before(wanted.name);
    let mut plan = Plan { outcome: wanted.listed.outcome, ..Plan::default() };
    let who = if actor.registrar.is_some() { REGISTRAR } else { REGISTRY };
    match wanted.listed.outcome {
        NameOutcome::ProviderRemoval => removal(&mut plan),
        NameOutcome::BlockRegistration => block(&mut plan),
        outcome => {
            open(&mut plan, who, before);
            match outcome {
                NameOutcome::Redirect => redirect(&mut plan, who, wanted.name, before, terms),
                NameOutcome::Hold => hold(&mut plan, who, before),
                NameOutcome::Transfer => transfer(&mut plan, who),
                NameOutcome::Delete => delete(&mut plan, who),
                _ => lock(&mut plan, who, before),
            }
            registry_locks_back(&mut plan, before);
        }
    }
    plan.step(
        REQUESTER,
        "is told, by answer to the letter, what was done for which name and when; what was refused, and why",
    );
    plan.undo(REQUESTER, "is told what was undone, and when");
    plan
}

/// What comes first, whatever is wanted: nothing is changed that nobody wrote down.
fn open(plan: &mut Plan, who: &'static str, before: Option<&State>) {
    match before {
        None => plan.step(
            who,
            "writes down name servers, host addresses, DS records, statuses and contacts as they stand, and sends them to the requester: they are what an undoing restores",
        ),
        Some(state) => plan.step(who, format!("checks that the registration stands as it was seen: {}", shown(state))),
    }
    plan.step(who, "keeps all records of the registration, and tells the registrant nothing before the order was carried out or its seal has ended");
    match before.map(|state| state.server_locks().map(|status| status.as_str()).collect::<Vec<_>>()) {
        Some(locks) if !locks.is_empty() => plan.step(
            REGISTRY,
            format!(
                "lifts {}: no registrar can, and nothing below succeeds while they stand (EPP 2304)",
                locks.join(", ")
            ),
        ),
        Some(_) => {}
        None => plan.step_if(
            "a server lock or a pending operation stands in the way",
            REGISTRY,
            "lifts it: no registrar can (EPP 2304); serverHold is no such lock, and stays",
        ),
    }
    if who == REGISTRAR {
        match before {
            Some(state) if state.has("clientUpdateProhibited") => {
                plan.step(who, "removes clientUpdateProhibited, in a command of its own: while it stands every other change is refused");
            }
            Some(_) => {}
            None => plan.step_if(
                "clientUpdateProhibited is set",
                who,
                "removes it, in a command of its own: while it stands every other change is refused",
            ),
        }
    }
}

fn redirect(plan: &mut Plan, who: &'static str, name: &DomainName, before: Option<&State>, terms: &OrderTerms) {
    let servers = named(&terms.name_servers);
    let inside: Vec<&DomainName> = terms.name_servers.iter().filter(|server| server.is_at_or_below(name)).collect();
    plan.step_if(
        "they are not there yet",
        who,
        format!("makes the host objects {servers}: a delegation to one that is missing is refused (EPP 2303)"),
    );
    if !inside.is_empty() {
        plan.step(
            who,
            format!("registers the addresses of {}, which lie below the name itself, as glue", named(inside)),
        );
    }
    plan.step(
        who,
        "removes every DS record: one that is left makes validating resolvers answer SERVFAIL, and nobody arrives",
    );
    plan.step(who, format!("delegates to exactly {servers}, and removes all other name servers"));
    plan.step(
        who,
        "removes clientHold and clientRenewProhibited, now that the delegation is ours and not before, so that the name stays in the zone and can be renewed",
    );
    lift_server_hold(plan, before);
    set_locks(plan, who);
    unset_locks(plan, who);
    server_hold_back(plan, before);
    match before {
        Some(state) => {
            if state.has(CLIENT_HOLD) {
                plan.undo(who, "sets clientHold, so that the name leaves the zone before its old name servers return");
            }
            plan.undo(
                who,
                format!("delegates to {} again, and removes {servers}", or_none(named(&state.name_servers))),
            );
            plan.undo_if(
                "the name servers answer again",
                who,
                format!("adds the DS records: {}", or_none(joined(&state.ds))),
            );
            plan.undo(who, format!("sets the statuses as they were: {}", or_none(joined(state.client_statuses()))));
        }
        None => unknown_before(plan, who, "name servers, then DS records, then statuses"),
    }
    plan.undo_if("no other name is delegated to them", who, format!("deletes the host objects {servers} that it made"));
}

fn hold(plan: &mut Plan, who: &'static str, before: Option<&State>) {
    let status = if who == REGISTRAR { CLIENT_HOLD } else { SERVER_HOLD };
    plan.step(
        who,
        format!("sets {status}: the name leaves the zone at the next publication, and its delegation stays as it is"),
    );
    set_locks(plan, who);
    unset_locks(plan, who);
    match before {
        Some(state) if state.has(status) => {}
        Some(_) => plan.undo(who, format!("removes {status}")),
        None => plan.undo_if("it was not set before", who, format!("removes {status}")),
    }
    statuses_back(plan, who, before);
}

/// A hold that ended before the delegation was ours would put the name back in the zone with its old name servers.
fn lift_server_hold(plan: &mut Plan, before: Option<&State>) {
    let does = "lifts serverHold, now that the delegation is ours and not before: no registrar can";
    match before {
        Some(state) if state.has(SERVER_HOLD) => plan.step(REGISTRY, does),
        Some(_) => {}
        None => plan.step_if("serverHold is set", REGISTRY, does),
    }
}

fn server_hold_back(plan: &mut Plan, before: Option<&State>) {
    let does = "sets again: serverHold, before the old name servers return";
    match before {
        Some(state) if state.has(SERVER_HOLD) => plan.undo(REGISTRY, does),
        Some(_) => {}
        None => plan.undo_if("it was lifted", REGISTRY, does),
    }
}

/// The registry's own locks, last: nothing above succeeds while they stand.
fn registry_locks_back(plan: &mut Plan, before: Option<&State>) {
    let Some(state) = before else {
        return plan.undo_if("it lifted locks of its own", REGISTRY, "sets them again, last");
    };
    let lifted = joined(state.server_locks().filter(|status| !status.is_pending()).map(|status| status.as_str()));
    if !lifted.is_empty() {
        plan.undo(REGISTRY, format!("sets again: {lifted}"));
    }
}

fn lock(plan: &mut Plan, who: &'static str, before: Option<&State>) {
    set_locks(plan, who);
    unset_locks(plan, who);
    statuses_back(plan, who, before);
}

fn transfer(plan: &mut Plan, who: &'static str) {
    if who == REGISTRAR {
        plan.step(who, "removes clientTransferProhibited, and gives the authInfo to the gaining registrar by a way that is not this paper");
        plan.step_if("the authInfo is there", "gaining registrar", "asks for the transfer, with the authInfo");
        plan.step_if("the status is pendingTransfer", who, "approves the transfer");
    } else {
        plan.step(who, "changes the sponsoring registrar to the one that the order names, by its own procedure: no authInfo is needed for it");
    }
    plan.step("gaining registrar", format!("sets {CLIENT_LOCKS}, and switches renewal on"));
    plan.undo(
        "gaining registrar",
        format!("removes {CLIENT_LOCKS}, and gives a new authInfo to the registrar of before"),
    );
    plan.undo_if(
        "it has the authInfo",
        "registrar of before",
        "asks for the transfer back; registries refuse it for 60 days unless both agree",
    );
}

fn delete(plan: &mut Plan, who: &'static str) {
    plan.step(
        who,
        "checks that no other name uses a host object below it: a deletion is refused while one does (EPP 2305)",
    );
    plan.step_if("clientDeleteProhibited is set", who, "removes it");
    plan.step(who, "deletes the registration; it stays in redemption for 30 days at most registries, and anybody may register it afterwards");
    plan.step(REGISTRY, "reserves the name before it becomes available, or it comes back in other hands");
    plan.undo_if(
        "the redemption period has not ended",
        who,
        "asks for restoration (RFC 3915), and sends the restore report that the registry wants",
    );
}

fn block(plan: &mut Plan) {
    plan.step_if(
        "the name is not registered",
        REGISTRY,
        "reserves it, so that nobody can register it until the order ends",
    );
    plan.step_if(
        "the name is registered",
        REGISTRY,
        "changes nothing, and tells the requester who sponsors it and since when",
    );
    plan.undo(REGISTRY, "ends the reservation");
}

fn removal(plan: &mut Plan) {
    plan.step(PROVIDER, "keeps a copy of what is served and of the account's records");
    plan.step(
        PROVIDER,
        "removes the host under its suffix: no registry can, because the suffix is shared with strangers",
    );
    plan.step(PROVIDER, "keeps the host from being made again by the same account");
    plan.undo(PROVIDER, "puts the host back as it was kept");
}

fn set_locks(plan: &mut Plan, who: &'static str) {
    let locks = if who == REGISTRAR { CLIENT_LOCKS } else { SERVER_LOCKS };
    plan.step(who, format!("sets {locks}, last"));
}

fn unset_locks(plan: &mut Plan, who: &'static str) {
    let locks = if who == REGISTRAR {
        "clientUpdateProhibited first, in a command of its own, then the other locks that the plan set"
    } else {
        SERVER_LOCKS
    };
    plan.undo(who, format!("removes {locks}"));
}

fn statuses_back(plan: &mut Plan, who: &'static str, before: Option<&State>) {
    match before {
        Some(state) => {
            plan.undo(who, format!("sets the statuses as they were: {}", or_none(joined(state.client_statuses()))));
        }
        None => unknown_before(plan, who, "statuses"),
    }
}

fn unknown_before(plan: &mut Plan, who: &'static str, what: &str) {
    plan.undo(
        who,
        format!("restores {what} from what was written down in the first step; nobody has told us how they stood"),
    );
}

fn shown(state: &State) -> String {
    format!(
        "statuses {}; name servers {}; DS {}",
        or_none(joined(&state.statuses)),
        or_none(named(&state.name_servers)),
        or_none(joined(&state.ds))
    )
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

fn joined<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}

/// Exactly, as a registrar has to type them.
fn named<'a>(all: impl IntoIterator<Item = &'a DomainName>) -> String {
    joined(all.into_iter().map(DomainName::as_str))
}
