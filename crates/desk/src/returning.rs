//! `/cases/{id}/returns`: names go back to their owners by one act of one person, and what remains is told.
//!
//! The order matters: records that were given are kept, the name is handed back, and only then is anything read that takes
//! time, such as a case file of a million names. Whoever was broken off says the same again: what is done stays done, and
//! what is missing is written then.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use docket::returning::{self, NAMES_MAX, Papers, Progress, Wish, progress};
use docket::shown::counted;
use docket::{Command, Done, zonefile};
use model::id::CaseId;
use model::order::OrderStatus;
use model::returning::PlanStep;
use model::seizure::ServiceMode;
use model::{DomainName, Refusal};
use store::view::{CaseView, NameView, View};

use crate::api::{
    FeedServed, PaperTold, PlanStepRequest, RecordsGiven, ReturnRequest, ReturnsQuery, ReturnsTold, Said,
};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Asked, Named, Sent};
use crate::problem::{self, Told, bad_request};
use crate::records::faulty;
use crate::run::{Desk, now};

//----------- Returning --------------------------------------------------------------------------------------------

pub(crate) async fn make(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(request): Sent<ReturnRequest>,
) -> Result<Json<ReturnsTold>, Told> {
    let ReturnRequest { names, reason, disarm_kill_switch: disarm, records } = request;
    let names: Vec<DomainName> = names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    if names.is_empty() || names.len() > NAMES_MAX {
        let what = format!("{} cannot go back at once", counted(names.len()));
        return Err(bad_request(what, format!("name 1 to {NAMES_MAX}: each has a letter of its own")));
    }
    let view = desk.view().await?;
    if let Err(refusal) = check_taken(known(&view, &id)?, &names) {
        desk.remember_refusal(&format!("return {} of case {id}", counted(names.len())), &refusal.what, asker.actor)
            .await;
        return Err(problem::refused(refusal));
    }
    let notes = match records {
        Some(records) => desk.keep_records(&id, &names, records, &asker).await?,
        None => Vec::new(),
    };
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let is_served = |name: &&DomainName| {
        case.names.get(name).is_some_and(|known| known.mode.is_some_and(|mode| mode < ServiceMode::Handback))
    };
    let served: Vec<DomainName> = names.iter().filter(is_served).cloned().collect();
    if !served.is_empty() {
        let (case, names, reason) = (id.clone(), served, reason.clone());
        let command = Command::NarrowService { case, names, mode: ServiceMode::Handback, reason, disarm };
        desk.execute(command, asker.clone()).await?;
    }
    let fresh = desk.write_papers(&id, &names, &reason, &asker).await?;
    desk.told(&id, &names, said(&id, &names, &fresh), true).await.map(|told| Json(ReturnsTold { notes, ..told }))
}

/// All of them, before anything is done for one.
fn check_taken(case: &CaseView, names: &[DomainName]) -> Result<(), Refusal> {
    for name in names {
        let shown = name.defanged();
        let known = case.names.get(name).ok_or_else(|| {
            Refusal::new(format!("case {} does not list {shown}", case.terms.id))
                .hint("a name below a listed one follows it: give the listed one")
        })?;
        if case.orders.get(&known.order).is_none_or(|order| order.status() == OrderStatus::Draft) {
            return Err(Refusal::new(format!("{shown} was never taken: its order is a draft"))
                .hint("there is nothing to give back"));
        }
    }
    Ok(())
}

fn said(id: &CaseId, names: &[DomainName], fresh: &[DomainName]) -> String {
    let already = names.len() - fresh.len();
    match (fresh.len(), already) {
        (0, already) => format!("{} of case {id} already returned; nothing changed", counted(already)),
        (new, 0) => format!("{} of case {id} in handback now", counted(new)),
        (new, already) => format!("{} of case {id} in handback now; {already} already returned", counted(new)),
    }
}

impl Desk {
    async fn keep_records(
        &self,
        id: &CaseId,
        names: &[DomainName],
        RecordsGiven { zone_file, source }: RecordsGiven,
        asker: &Asker,
    ) -> Result<Vec<String>, Told> {
        let [name] = names else {
            return Err(bad_request("a zone file is one name's", "return that name by itself"));
        };
        let octets = zone_file.into_bytes();
        let read = zonefile::read(&octets, name).map_err(|fault| faulty(&fault))?;
        let (case, name, count) = (id.clone(), name.clone(), read.records.len() as u64);
        self.execute(Command::CaptureRecords { case, name, source, octets, count }, asker.clone()).await?;
        Ok(read.notes)
    }

    /// Writes letters and plans for those of the names that have none since they went back; which those are.
    async fn write_papers(
        &self,
        id: &CaseId,
        names: &[DomainName],
        reason: &str,
        asker: &Asker,
    ) -> Result<Vec<DomainName>, Told> {
        let view = self.view().await?;
        let case = known(&view, id)?;
        let fresh: Vec<DomainName> = names.iter().filter(|name| !has_papers(case, name)).cloned().collect();
        if fresh.is_empty() {
            return Ok(fresh);
        }
        let text = case.execution.appendix.as_ref().map(|(appendix, _)| self.vault.get(&appendix.actors));
        let text = text.transpose().map_err(|error| problem::ours(&error))?.flatten();
        let table = self.table(&view, id, String::from_utf8(text.unwrap_or_default()).unwrap_or_default()).await?;
        let returned_days = self.returned_days(&view, case);
        let wish = Wish { case, table: &table, names: &fresh, reason, returned_days, now: now() };
        let Papers { made, files } = returning::papers(&wish).map_err(problem::refused)?;
        let command = Command::RecordReturn { case: id.clone(), returned: Box::new(made), files };
        match self.execute(command, asker.clone()).await?.done {
            Done::NamesReturned { .. } => Ok(fresh),
            _ => Ok(Vec::new()),
        }
    }

    /// For how long the case keeps what was recorded of a name that is back.
    pub(crate) fn returned_days(&self, view: &View, case: &CaseView) -> Option<u32> {
        let plan = docket::retention::plan(view, &self.retention, now());
        let rule = plan.rules.into_iter().find(|rule| rule.case.as_ref() == Some(&case.terms.id));
        rule.and_then(|rule| rule.kept.returned_days)
    }

    async fn told(&self, id: &CaseId, names: &[DomainName], said: String, papers: bool) -> Result<ReturnsTold, Told> {
        let view = self.view().await?;
        let case = known(&view, id)?;
        let days = self.returned_days(&view, case);
        let progress: Vec<Progress> = names.iter().map(|name| progress(&view, case, name, days)).collect();
        let papers = if papers { self.papers_of(case, names) } else { Vec::new() };
        let feed = |(format, audience): &(String, model::marking::Audience)| FeedServed {
            format: format.clone(),
            audience: *audience,
        };
        let feeds = case.returning.exported.iter().map(feed).collect();
        Ok(ReturnsTold { said, names: progress, papers, feeds, notes: Vec::new() })
    }

    fn papers_of(&self, case: &CaseView, names: &[DomainName]) -> Vec<PaperTold> {
        let places: BTreeSet<_> = names.iter().filter_map(|name| case.returning.of(name)).map(|(at, _)| at).collect();
        let vault = |digest: &model::Digest| self.vault.get(digest).ok().flatten();
        let made = places.iter().filter_map(|place| case.returning.returns.get(place));
        // A name that went back twice has the papers of the last time.
        let wanted = |made: &store::view::ReturnView| -> Vec<DomainName> {
            let last = |name: &&DomainName| case.returning.of(name).is_some_and(|(_, of)| of.at == made.at);
            names.iter().filter(last).cloned().collect()
        };
        let papers = made.flat_map(|made| returning::folder(&made.made, &wanted(made), vault));
        let told = papers
            .map(|paper| PaperTold { path: paper.path, text: String::from_utf8_lossy(&paper.octets).into_owned() });
        told.collect()
    }
}

/// Whether papers were written since the name went back last.
fn has_papers(case: &CaseView, name: &DomainName) -> bool {
    let is_back = case.names.get(name).is_some_and(|known| known.is_back());
    let made = case.returning.of(name).map(|(_, made)| made.at);
    is_back && made.is_some_and(|made| case.returned.get(name).is_none_or(|at| *at <= made))
}

//----------- What remains -----------------------------------------------------------------------------------------

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    Asked(ReturnsQuery { name, papers }): Asked<ReturnsQuery>,
) -> Result<Json<ReturnsTold>, Told> {
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let names = match name {
        Some(name) if case.names.get(&name).is_none() => {
            let refusal = Refusal::new(format!("case {id} does not list {}", name.defanged()));
            return Err(problem::not_found(refusal.what, "`bailiwick case show` lists its names"));
        }
        Some(name) => vec![name],
        None => {
            let back = case.returned.keys().filter(|name| case.names.get(name).as_ref().is_some_and(NameView::is_back));
            back.take(NAMES_MAX).cloned().collect()
        }
    };
    let back = names.iter().filter(|name| case.returned.contains_key(*name)).count();
    let said = match (names.len(), back) {
        (0, _) => format!("no name of case {id} went back"),
        (1, 0) => format!("{} of case {id} has not gone back", names[0].defanged()),
        (_, back) => format!("{} of case {id} went back", counted(back)),
    };
    desk.told(&id, &names, said, papers).await.map(Json)
}

/// The plan that a name is in was sent, or answered.
pub(crate) async fn step(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(PlanStepRequest { name, at, said }): Sent<PlanStepRequest>,
) -> Result<Json<Said>, Told> {
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let none = || {
        let refusal = Refusal::new(format!("no plan is written for {} of case {id}", name.defanged()));
        problem::refused(
            refusal.hint(format!("`bailiwick case return {id} {} --reason TEXT` writes it", name.as_str())),
        )
    };
    let (returned, made) = case.returning.of(&name).ok_or_else(none)?;
    let actor = made.name(&name).and_then(|one| one.actor.clone()).ok_or_else(none)?;
    let names = made.plans.get(&actor).map_or(1, |plan| plan.names);
    let (at, answered) = (at.unwrap_or_else(now), said.is_some());
    let step = PlanStep { returned, actor: actor.clone(), at, said };
    desk.execute(Command::StepReversePlan { case: id, step }, asker).await?;
    let what = if answered { "answered" } else { "was sent what to undo" };
    Ok(Json(Said { said: format!("{actor} {what} at {at}, for {}", counted(names as usize)) }))
}
