//! `/cases/{id}/appendix` and execution day: compile, say what was sent and answered, and the board.
//!
//! The appendix is written by the process that holds the ledger's key, into a folder of this machine, for the machine's user:
//! whoever can open the control socket can read the data folder itself. What was sent and answered is a person's word.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use docket::appendix::{Actor as Doer, Actors, Difference, Part, Wanted, compile, plan, run::Wish};
use docket::shown::counted;
use docket::{Command, Done};
use model::execution::{Acknowledgement, Compilation, Dispatch};
use model::fact::Actor;
use model::id::{CaseId, OrderId, Position};
use model::order::{NameOutcome, Order, OrderStatus};
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, DomainName, Refusal, Timestamp};
use store::archive::Sight;
use store::view::{CaseView, Moved, View};

use crate::api::{
    AckedRequest, AppendixRequest, Board, BoardRow, Compiled, ReadyCheck, ReadyTold, ReadyVerdict, ReverseTold, Said,
    SentRequest,
};
use crate::asker::Asker;
use crate::cases::{known, off_the_runtime};
use crate::intake::{Named, Sent};
use crate::problem::{self, Told, bad_request};
use crate::run::{Desk, now};

mod board;

pub use board::LastCount;
pub(crate) use board::board;

use board::Rows;

/// The most zones that are told to whoever asks the servers; of more, the first ones stand for all.
const ZONES_MAX: usize = 100_000;

//----------- Compiling --------------------------------------------------------------------------------------------

pub(crate) async fn appendix(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(AppendixRequest { into, actors, difference }): Sent<AppendixRequest>,
) -> Result<Json<Compiled>, Told> {
    if matches!(asker.actor, Actor::Person { .. }) {
        let refusal = Refusal::new("an appendix is written by the user of the machine, not by a person's token");
        desk.remember_refusal(&format!("compile the appendix of case {id}"), &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    if !into.is_absolute() {
        return Err(bad_request(format!("{} is no absolute path", into.display()), "name it from the root"));
    }
    let view = desk.view().await?;
    known(&view, &id)?;
    let table = desk.table(&view, &id, actors.clone()).await?;
    // Whoever asked may go away: what is begun is ended, and the fact says what lies there.
    let writing = tokio::spawn(async move {
        let (ledger, case) = (Arc::clone(&desk.ledger), id.clone());
        let written = off_the_runtime(move || {
            let sign = |text: &str| ledger.sign_note(text);
            write(&view.cases[&case], (&table, difference), &into, &sign)
        });
        let compiled = written.await?.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::InvalidInput => {
                bad_request(error.to_string(), "nothing was written")
            }
            _ => problem::ours(&error),
        })?;
        let actors = desk.vault.put(actors.as_bytes()).map_err(|error| problem::ours(&error))?;
        let open = compiled.actors.iter().map(|handed| handed.open.len() as u64).sum();
        let Compiled { digest: manifest, names, files, octets, .. } = compiled;
        let appendix = Compilation { manifest, actors, names, files, octets, open };
        desk.execute(Command::RecordAppendix { case: id, appendix }, asker).await?;
        Ok(Json(compiled))
    });
    writing.await.map_err(|error| problem::ours(&error))?
}

fn write(
    case: &CaseView,
    (actors, difference): (&Actors, bool),
    into: &std::path::Path,
    sign: &dyn Fn(&str) -> Option<String>,
) -> std::io::Result<Compiled> {
    let parts = parts(case);
    let differences = if difference { differences(case, actors) } else { Vec::new() };
    if difference && differences.is_empty() {
        let id = &case.terms.id;
        let what = format!("of case {id} nobody was sent another version of an order than the one that stands");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what));
    }
    let sealed = case.orders.values().filter_map(|order| Some((order.terms().id.clone(), case.sealed_until(order)?)));
    let (sealed, made) = (sealed.collect(), now());
    let (parts, differences) = (&parts[..], &differences[..]);
    compile(&Wish { case: &case.terms, parts, differences, sealed: &sealed, actors, into, made, sign })
}

/// Orders that stand or are to be put in force, each with its names that nobody gave back or put off.
fn parts(case: &CaseView) -> Vec<Part<'_>> {
    let part = |order: &'_ Order| -> Vec<Wanted<'_>> { Vec::with_capacity(order.names().len()) };
    let mut parts: Vec<Part<'_>> = Vec::new();
    for order in case.orders.values().filter(|order| stands(order)) {
        let mut names = part(order);
        for (name, listed) in order.names() {
            if is_ours(case, order, name) {
                names.push(Wanted { name, listed: *listed });
            }
        }
        parts.push(Part { terms: order.terms(), names });
    }
    parts
}

fn stands(order: &Order) -> bool {
    matches!(order.status(), OrderStatus::Draft | OrderStatus::InForce)
}

/// Whether an actor is asked for something about the name.
fn is_ours(case: &CaseView, order: &Order, name: &DomainName) -> bool {
    case.names.get(name).is_some_and(|known| {
        known.order == order.terms().id
            && !matches!(known.seizure, Seizure::Released | Seizure::Returned)
            && !matches!(known.mode, Some(ServiceMode::Handback | ServiceMode::Off))
    })
}

/// What each actor has not been told: since the version of the order that they were sent. Who was sent nothing gets the whole.
fn differences<'a>(case: &'a CaseView, actors: &'a Actors) -> Vec<Difference<'a>> {
    let mut all = Vec::new();
    for order in case.orders.values().filter(|order| stands(order)) {
        let mut since: BTreeMap<u32, BTreeMap<&str, Difference<'_>>> = BTreeMap::new();
        for ((of, actor), sent) in &case.execution.dispatches {
            if *of == order.terms().id && sent.version < order.version() {
                let version = sent.version;
                let news = since.entry(version).or_insert_with(|| news_by_actor(case, order, actors, version));
                all.extend(news.remove(actor.as_str()));
            }
        }
    }
    all
}

/// A name that another order took over did not leave: it is asked for there.
fn news_by_actor<'a>(
    case: &'a CaseView,
    order: &'a Order,
    actors: &'a Actors,
    since: u32,
) -> BTreeMap<&'a str, Difference<'a>> {
    let mut news: BTreeMap<&str, Difference<'_>> = BTreeMap::new();
    let is_elsewhere = |name| case.names.get(name).is_some_and(|known| known.order != order.terms().id);
    for Moved { name, before, now } in case.moved_since(order, since) {
        let Some(index) = actors.index_for(name) else { continue };
        let (terms, actor) = (order.terms(), actors.actor(index));
        let empty = || Difference { terms, actor, since, came: Vec::new(), left: Vec::new() };
        match (before, now) {
            (_, Some(listed)) if is_ours(case, order, name) => {
                news.entry(&actor.id).or_insert_with(empty).came.push(Wanted { name, listed });
            }
            (Some(listed), None) if !is_elsewhere(name) => {
                news.entry(&actor.id).or_insert_with(empty).left.push(Wanted { name, listed });
            }
            _ => {}
        }
    }
    news
}

impl Desk {
    /// The table of actors, with the registries of the case file and its amendments for whatever it leaves out.
    pub(crate) async fn table(&self, view: &View, id: &CaseId, text: String) -> Result<Actors, Told> {
        let file = self.case_file_as_proposed(known(view, id)?).await?;
        let read = off_the_runtime(move || Actors::parse(&text).map(|actors| actors.with_registries(&file.lists)));
        read.await?
            .map_err(|why| bad_request(format!("the table of actors: {why}"), "docs/guide/execution-day.md shows one"))
    }

    /// The table under which the appendix that stands was compiled.
    async fn table_that_stands(&self, view: &View, id: &CaseId) -> Result<(Compilation, Timestamp, Actors), Told> {
        let none = || {
            let refusal = Refusal::new(format!("case {id} has no appendix"));
            problem::refused(refusal.hint(format!("compile it first: `bailiwick case appendix {id} --out DIR`")))
        };
        let (appendix, compiled) = known(view, id)?.execution.appendix.clone().ok_or_else(none)?;
        let octets = self.vault.get(&appendix.actors).map_err(|error| problem::ours(&error))?;
        let text = octets.and_then(|octets| String::from_utf8(octets).ok());
        let text = text.ok_or_else(|| problem::lost(&format!("the table of actors of case {id}"), &appendix.actors))?;
        let table = self.table(view, id, text).await?;
        Ok((appendix, compiled, table))
    }
}

//----------- Sent and answered ------------------------------------------------------------------------------------

pub(crate) async fn sent(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(SentRequest { actor, order, sent, due }): Sent<SentRequest>,
) -> Result<Json<Said>, Told> {
    let view = desk.view().await?;
    let (appendix, _, table) = desk.table_that_stands(&view, &id).await?;
    let (order, names) = share(&view.cases[&id], &table, &actor, order)?;
    let (sent, manifest) = (sent.unwrap_or_else(now), appendix.manifest);
    let dispatch = Dispatch { order, actor: actor.clone(), sent, due, manifest, names: names.len() as u64 };
    let executed = desk.execute(Command::Dispatch { case: id, dispatch, names }, asker).await?;
    let until = due.map(|due| format!(", due by {due}")).unwrap_or_default();
    Ok(Json(Said { said: format!("{actor} was sent {} at {sent}{until}", moved(&executed.done)) }))
}

pub(crate) async fn acked(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(AckedRequest { actor, order, answered, said, refused }): Sent<AckedRequest>,
) -> Result<Json<Said>, Told> {
    let view = desk.view().await?;
    let (_, _, table) = desk.table_that_stands(&view, &id).await?;
    let (order, names) = share(&view.cases[&id], &table, &actor, order)?;
    let answered = answered.unwrap_or_else(now);
    let answer = Acknowledgement { order, actor: actor.clone(), answered, said, refused };
    let executed = desk.execute(Command::Acknowledge { case: id, answer, names }, asker).await?;
    let what = if refused { "refused, which gives alarm".to_owned() } else { moved(&executed.done) + " acknowledged" };
    Ok(Json(Said { said: format!("{actor} answered at {answered}: {what}") }))
}

fn moved(done: &Done) -> String {
    match done {
        Done::NamesMoved { names } => counted(*names),
        _ => String::new(),
    }
}

/// The order and the names of one actor. An id of several orders has to be said with its order.
fn share(
    case: &CaseView,
    table: &Actors,
    actor: &str,
    order: Option<OrderId>,
) -> Result<(OrderId, Vec<DomainName>), Told> {
    let mut shares: BTreeMap<OrderId, Vec<DomainName>> = BTreeMap::new();
    let parts = parts(case);
    let is_asked = |part: &&Part<'_>| order.as_ref().is_none_or(|order| part.order() == order);
    for part in parts.iter().filter(is_asked) {
        let is_theirs =
            |wanted: &&Wanted<'_>| table.index_for(wanted.name).is_some_and(|index| table.actor(index).id == actor);
        let names: Vec<DomainName> = part.names.iter().filter(is_theirs).map(|wanted| wanted.name.clone()).collect();
        if !names.is_empty() {
            shares.insert(part.order().clone(), names);
        }
    }
    // Whoever was sent names that have all left since is told that, too.
    if shares.is_empty() {
        let was_sent = |order: &&OrderId| {
            let key = ((*order).clone(), actor.to_owned());
            case.execution.dispatches.contains_key(&key)
        };
        let orders = parts.iter().filter(is_asked).map(Part::order).filter(was_sent);
        shares.extend(orders.map(|order| (order.clone(), Vec::new())));
    }
    if shares.len() > 1 {
        let orders: Vec<&str> = shares.keys().map(OrderId::as_str).collect();
        let hint = format!("say which: `--order {}`", orders.join("` or `--order "));
        return Err(bad_request(format!("{actor} has names of {} orders", shares.len()), hint));
    }
    let case = &case.terms.id;
    let nobody = || {
        bad_request(
            format!("{actor} has no names of case {case}"),
            format!("`bailiwick case board {case}` lists who has"),
        )
    };
    shares.pop_first().ok_or_else(nobody)
}

//----------- Ready ------------------------------------------------------------------------------------------------

pub(crate) async fn ready(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<ReadyTold>, Told> {
    let view = desk.view().await?;
    let count = desk.count(&view, &id).await?;
    let (case, table) = (&view.cases[&id], &count.table);
    let redirected = |part: &Part<'_>| -> Vec<DomainName> {
        let names = part.names.iter().filter(|wanted| wanted.listed.outcome == NameOutcome::Redirect);
        names.map(|wanted| wanted.name.clone()).collect()
    };
    let mut zones: Vec<DomainName> = parts(case).iter().flat_map(redirected).collect();
    let checks = vec![
        in_force(case),
        gate(case),
        served(case, &zones),
        contacts(&count.rows),
        stated(&count.appendix),
        signed(&desk),
    ];
    zones.truncate(ZONES_MAX);
    Ok(Json(ReadyTold { checks, zones, reverse: reverse(case, table) }))
}

fn check(what: &str, fails: &[String], good: String) -> ReadyCheck {
    let verdict = if fails.is_empty() { ReadyVerdict::Holds } else { ReadyVerdict::Fails };
    let seen = if fails.is_empty() { good } else { fails.join("; ") };
    ReadyCheck { what: what.to_owned(), verdict, seen }
}

/// An order that ended, and whose names another has taken over, is none that has to be in force.
fn in_force(case: &CaseView) -> ReadyCheck {
    let has_names = |order: &Order| {
        let id = &order.terms().id;
        order.names().keys().any(|name| case.names.get(name).is_some_and(|known| known.order == *id))
    };
    let not: Vec<&Order> = case.orders.values().filter(|order| order.status() != OrderStatus::InForce).collect();
    let in_force = case.orders.len() - not.len();
    let not = not.into_iter().filter(|order| order.status() == OrderStatus::Draft || has_names(order));
    let mut fails: Vec<String> = not.map(|order| format!("order {} is not in force", order.terms().id)).collect();
    if in_force == 0 && fails.is_empty() {
        fails.push("no order is in force".to_owned());
    }
    check("every order is in force", &fails, format!("{in_force} in force"))
}

/// A rehearsal need not run it.
fn gate(case: &CaseView) -> ReadyCheck {
    let is_exercise = case.orders.values().all(|order| order.terms().authority.is_exercise());
    let (fails, good) = match &case.gate {
        Some(gate) => (gate.in_the_way(&case.proposed_digests()), "nothing is in the way"),
        None if is_exercise => (Vec::new(), "a rehearsal: it has not run"),
        None => (vec!["it has not run".to_owned()], ""),
    };
    check("the harm gate is clean", &fails, good.to_owned())
}

fn served(case: &CaseView, zones: &[DomainName]) -> ReadyCheck {
    let answers = |mode: Option<ServiceMode>| matches!(mode, Some(ServiceMode::Collect | ServiceMode::Hold));
    let is_dark = |name: &&DomainName| !case.names.get(name).is_some_and(|known| answers(known.mode));
    let dark = zones.iter().filter(is_dark).count();
    let fails = if dark == 0 {
        Vec::new()
    } else {
        vec![format!("{} not served: a delegation to us would be lame", counted(dark))]
    };
    check("every redirected name is served here", &fails, counted(zones.len()))
}

fn contacts(rows: &Rows) -> ReadyCheck {
    let unknown = rows.values().filter(|row| row.contact.is_none()).map(|row| format!("{} has none", row.actor));
    check("every actor has a contact", &unknown.collect::<Vec<_>>(), format!("{} actors", rows.len()))
}

fn stated(appendix: &Compilation) -> ReadyCheck {
    let open = if appendix.open == 0 { Vec::new() } else { vec![format!("{} items are not stated", appendix.open)] };
    check("the checklist is answered", &open, "nothing is left open".to_owned())
}

fn signed(desk: &Desk) -> ReadyCheck {
    let fails =
        if desk.ledger.sign_note("\n").is_some() { Vec::new() } else { vec!["the ledger has no key".to_owned()] };
    check("the appendix can be signed", &fails, "by the ledger's key".to_owned())
}

//----------- How it goes back -------------------------------------------------------------------------------------

/// The most different ways back that are told; the folder's plans say all of them.
const WAYS_BACK_MAX: usize = 200;

/// Names of one order, of one actor, with one outcome.
type Alike = (OrderId, usize, NameOutcome);

/// How each actor's names go back: names that go back alike together.
fn reverse(case: &CaseView, table: &Actors) -> Vec<ReverseTold> {
    let mut told: BTreeMap<(OrderId, String, NameOutcome, Option<Digest>), ReverseTold> = BTreeMap::new();
    // What is the same for names of which nothing is known is made once.
    let mut usual: HashMap<Alike, (Digest, Arc<Vec<String>>)> = HashMap::new();
    for part in parts(case) {
        for wanted in &part.names {
            let Some(index) = table.index_for(wanted.name) else { continue };
            let (doer, outcome) = (table.actor(index), wanted.listed.outcome);
            let make = || way_back(&part, *wanted, doer, table);
            let (digest, steps) = if is_usual(&part, wanted, table) {
                usual.entry((part.order().clone(), index, outcome)).or_insert_with(make).clone()
            } else {
                make()
            };
            let (order, actor) = (part.order().clone(), doer.id.clone());
            let of = |way: Option<Digest>| (order.clone(), actor.clone(), outcome, way);
            let mut key = of(Some(digest));
            let is_beyond = told.len() >= WAYS_BACK_MAX && !told.contains_key(&key);
            if is_beyond {
                key = of(None);
            }
            let entry = told.entry(key).or_insert_with(|| {
                let others = || vec!["plans.json says how the others go back".to_owned()];
                let steps = if is_beyond { others() } else { steps.to_vec() };
                ReverseTold { order, actor, outcome: outcome.as_str().to_owned(), names: 0, steps }
            });
            entry.names += 1;
        }
    }
    told.into_values().collect()
}

fn way_back(part: &Part<'_>, wanted: Wanted<'_>, doer: &Doer, table: &Actors) -> (Digest, Arc<Vec<String>>) {
    let plan = plan::plan(wanted, doer, table, part.terms);
    let steps: Vec<String> = plan.reverse.iter().map(way_step).collect();
    (Digest::of_value(&steps), Arc::new(steps))
}

fn way_step(step: &plan::Step) -> String {
    let only_if = step.only_if.as_ref().map(|when| format!("if {when}: ")).unwrap_or_default();
    format!("{only_if}{} {}", step.who, step.does)
}

/// Whether nothing but the outcome decides how a name goes back.
fn is_usual(part: &Part<'_>, wanted: &Wanted<'_>, table: &Actors) -> bool {
    let holds_server = part.terms.name_servers.iter().any(|server| server.is_at_or_below(wanted.name));
    table.before(wanted.name).is_none() && !holds_server
}
