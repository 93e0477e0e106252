//! `/retention`: what is kept for how long, what waits to be purged, what is held; and carrying it out, now or by the clock.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::retention::{Plan, Rule, carried_out, plan};
use docket::{Command, Done};
use model::fact::{Body, FileSet};
use model::id::{CaseId, Position};
use model::marking::Retention;
use model::time::Date;
use model::{Refusal, Timestamp};
use store::archive::{Archive, Purged, Purging, Trace};
use store::ledger::Ledger;
use store::view::CaseView;
use store::{Error, journal};

use crate::api::{
    HoldRequest, HoldTold, KeptTold, PurgePassTold, PurgeTold, ReleaseRequest, RequestsFiled, RetentionTold, TraceTold,
    TracesTold, WaitingTold,
};
use crate::asker::Asker;
use crate::intake::Sent;
use crate::problem::{self, Told};
use crate::run::{Desk, now};
use crate::sight;

/// The follower whose cursor says what of the journal is archived.
const FOLLOWER: &str = insight::run::FOLLOWER;

//----------- Showing ----------------------------------------------------------------------------------------------

pub(crate) async fn show(State(desk): State<Desk>, asker: Asker) -> Result<Json<RetentionTold>, Told> {
    let view = desk.view().await?;
    let plan = plan(&view, &desk.retention, now());
    let waiting = desk.archive.waiting(&plan.due).await.map_err(|error| problem::ours(&error))?;
    let last_pass = desk.archive.last_retention_pass().await.map_err(|error| problem::ours(&error))?;
    let is_seen =
        |case: &Option<CaseId>| case.as_ref().is_none_or(|case| view.case_seen_by(case, &asker.actor, now()).is_some());
    let told = |one: &store::archive::Waiting| WaitingTold {
        day: one.day,
        parts: one
            .due
            .iter()
            .filter(|due| is_seen(&due.case))
            .map(|due| (due.case.clone(), due.part, due.apex.clone()))
            .collect(),
        is_unsettled: one.is_unsettled,
    };
    Ok(Json(RetentionTold {
        last_pass,
        rules: plan.rules.iter().filter(|rule| is_seen(&rule.case)).map(kept).collect(),
        journal_before: plan.journal_before,
        waiting: waiting.iter().map(told).filter(|one| !one.parts.is_empty()).collect(),
        holds: holds(sight::cases(&view, &asker.actor, now())),
    }))
}

fn kept(rule: &Rule) -> KeptTold {
    let Rule { case, kept, is_shortened, is_held } = rule.clone();
    KeptTold { case, kept, is_shortened, is_held }
}

fn holds<'v>(cases: impl Iterator<Item = &'v CaseView>) -> Vec<HoldTold> {
    let of = |case: &CaseView| {
        let id = case.terms.id.clone();
        let told = |(hold, one): (&Position, &store::view::HoldView)| HoldTold {
            hold: hold.to_string(),
            case: id.clone(),
            reason: one.reason.clone(),
            by: one.by.clone(),
            placed: one.placed,
        };
        case.holds.iter().map(told).collect::<Vec<_>>()
    };
    cases.flat_map(of).collect()
}

//----------- Carrying it out --------------------------------------------------------------------------------------

/// What a pass did.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    pub days: Vec<Purged>,
    pub segments: Option<FileSet>,
    /// `rest` said to stop before everything was done.
    pub is_cut_short: bool,
}

/// Purges all that is due. `rest` is called between two slices of work, and says whether to go on. What is due is asked again
/// before each day, so that a hold placed meanwhile holds.
pub async fn carry_out<F: Future<Output = bool> + Send>(
    ledger: &Ledger,
    archive: &Archive,
    defaults: &Retention,
    mut rest: impl FnMut() -> F + Send,
) -> Result<Pass, Error> {
    let mut pass = Pass::default();
    if !settle(archive, &today(ledger, defaults).await?, &mut rest).await? {
        return Ok(Pass { is_cut_short: true, ..pass });
    }
    loop {
        let still = archive.still().await;
        let Some(purging) = archive.next_purge(still, &today(ledger, defaults).await?.due).await? else { break };
        match prepared(purging, &mut rest).await? {
            None => return Ok(Pass { is_cut_short: true, ..pass }),
            Some(purging) if is_due_still(&purging, &today(ledger, defaults).await?) => {
                pass.days.push(purging.commit(now()).await?);
            }
            Some(held) => held.abandon().await?,
        }
    }
    let still = archive.still().await;
    if let Some(before) = today(ledger, defaults).await?.journal_before {
        pass.segments = archive.purge_journal(still, FOLLOWER, before, now()).await?;
    }
    archive.set_retention_pass(now()).await?;
    Ok(pass)
}

/// Writes what is to take the place of a day's files; `None` if there is no time for it. Trouble leaves no file behind.
async fn prepared<F: Future<Output = bool> + Send>(
    mut purging: Purging,
    rest: &mut (impl FnMut() -> F + Send),
) -> Result<Option<Purging>, Error> {
    loop {
        match purging.step().await {
            Ok(false) => return Ok(Some(purging)),
            Ok(true) if rest().await => {}
            Ok(true) => return purging.abandon().await.map(|()| None),
            Err(error) => {
                purging.abandon().await?;
                return Err(error);
            }
        }
    }
}

/// Whether no hold has come in between.
fn is_due_still(purging: &Purging, today: &Plan) -> bool {
    purging.due().iter().all(|one| today.due.contains(one))
}

async fn today(ledger: &Ledger, defaults: &Retention) -> Result<Plan, Error> {
    Ok(plan(&*ledger.view().await?, defaults, now()))
}

/// Compacts, where a day that is due is not compacted for good yet: its roll-ups are counted while addresses are whole.
async fn settle<F: Future<Output = bool> + Send>(
    archive: &Archive,
    plan: &Plan,
    rest: &mut (impl FnMut() -> F + Send),
) -> Result<bool, Error> {
    if !archive.waiting(&plan.due).await?.iter().any(|one| one.is_unsettled) {
        return Ok(true);
    }
    while let Some(mut work) = archive.next_compaction(now(), std::time::Duration::ZERO).await? {
        while work.step().await? {
            if !rest().await {
                return work.abandon().await.map(|()| false);
            }
        }
        work.commit(now()).await?;
    }
    Ok(true)
}

pub(crate) async fn run(State(desk): State<Desk>, asker: Asker) -> Result<Json<PurgePassTold>, Told> {
    if matches!(asker.actor, model::fact::Actor::Person { .. }) {
        let refusal = Refusal::new("retention is carried out by the machine, not by a person's token");
        desk.remember_refusal("carry out retention", &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    let pass = carry_out(&desk.ledger, &desk.archive, &desk.retention, || std::future::ready(true)).await;
    let Pass { days, segments, .. } = pass.map_err(|error| problem::ours(&error))?;
    let days = days.into_iter().map(|one| PurgeTold {
        day: one.day,
        rows: one.rows,
        files_before: one.files_before,
        files_after: one.files_after,
    });
    let (segments, octets) = segments.map_or((0, 0), |set| (set.files, set.octets));
    Ok(Json(PurgePassTold { days: days.collect(), segments, segments_octets: octets }))
}

//----------- Holds ------------------------------------------------------------------------------------------------

pub(crate) async fn hold(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(HoldRequest { case, reason }): Sent<HoldRequest>,
) -> Result<(StatusCode, Json<HoldTold>), Told> {
    sight::known(&*desk.view().await?, &case, &asker.actor, now())?;
    let executed = desk.execute(Command::PlaceHold { case: case.clone(), reason }, asker).await?;
    let Done::HoldPlaced { hold } = executed.done else { unreachable!("a hold is placed or refused") };
    let view = desk.view().await?;
    let told = holds(view.cases.values()).into_iter().find(|one| one.hold == hold.to_string());
    let gone = || problem::not_found(format!("the hold {hold} on case {case} is gone already"), "see `retention show`");
    told.map(|told| (StatusCode::CREATED, Json(told))).ok_or_else(gone)
}

pub(crate) async fn release(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(ReleaseRequest { case, hold }): Sent<ReleaseRequest>,
) -> Result<(StatusCode, Json<RequestsFiled>), Told> {
    sight::known(&*desk.view().await?, &case, &asker.actor, now())?;
    let hold: u64 = hold
        .parse()
        .map_err(|_| problem::bad_request(format!("`{hold}` is no hold"), "see `bailiwick retention show`"))?;
    let executed = desk.execute(Command::RequestRelease { case: case.clone(), hold: Position(hold) }, asker).await?;
    let Done::ApprovalAsked { requests } = executed.done else { unreachable!("asking ends in requests or a refusal") };
    let requests: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let said = format!("request {} of case {case}: it needs two people in two roles", requests.join(" and "));
    Ok((StatusCode::CREATED, Json(RequestsFiled { requests, said })))
}

//----------- Whether it is gone -----------------------------------------------------------------------------------

/// Looks through every place for what facts say is gone.
pub(crate) async fn traces(State(desk): State<Desk>, _asker: Asker) -> Result<Json<TracesTold>, Told> {
    looked_through(&desk).await.map(Json).map_err(|error| problem::ours(&error))
}

async fn looked_through(desk: &Desk) -> Result<TracesTold, Error> {
    let view = desk.ledger.view().await?;
    let found = desk.archive.traces(carried_out(&view)).await?;
    let data = desk.place.data.clone();
    let days = tokio::task::spawn_blocking(move || recorded_days(&data));
    let days = days.await.map_err(|_| Error::Query("looking through the journal broke off".into()))??;
    let outbox = desk.archive.outbox().await?.unwrap_or_default();
    let late = days.iter().filter(|(day, _)| view.journal_purged.is_some_and(|before| **day < before));
    let of_purged = |day: &Date| view.purges.iter().any(|purge| purge.day == *day);
    let still = days.iter().filter(|(day, _)| of_purged(day));
    let last = view.purges.iter().map(|purge| purge.at).max();
    let older = view.backups.iter().filter(|backup| last.is_some_and(|last| backup.facts <= last));
    let trace = |(Trace { table, day, case, what }, rows): (&Trace, &u64)| TraceTold {
        table: table.clone(),
        day: *day,
        case: case.clone(),
        what: (*what).to_owned(),
        rows: *rows,
    };
    Ok(TracesTold {
        purges: view.purges.len() as u64,
        archive: found.found.iter().map(trace).collect(),
        archive_files: found.files,
        archive_rows: found.rows,
        days_unmatched: found.unmatched.into_iter().collect(),
        journal_segments_late: late.map(|(_, (segments, _))| segments).sum(),
        journal_segments_of_purged_days: still.map(|(_, (segments, _))| segments).sum(),
        outbox_segments: outbox.segments_waiting,
        clickhouse_rows: outbox.rows_out,
        quarantine_files: files_in(&desk.place.data.join("quarantine")),
        backups_before: older.map(|backup| (backup.taken, backup.backup)).collect(),
        exports_before: exports(&desk.ledger, last).await?,
    })
}

/// How many segments there are of each day, our own and those of sensors.
fn recorded_days(data: &std::path::Path) -> Result<BTreeMap<Date, (u64, u64)>, Error> {
    let of_sensors = std::fs::read_dir(data.join("received")).into_iter().flatten().filter_map(Result::ok);
    let folders = of_sensors.map(|entry| entry.path()).filter(|path| path.is_dir()).chain([data.join("journal")]);
    let mut days = BTreeMap::<Date, (u64, u64)>::new();
    for folder in folders {
        for (day, (segments, octets)) in journal::days_of(&folder)? {
            let all = days.entry(day).or_default();
            *all = (all.0 + segments, all.1 + octets);
        }
    }
    Ok(days)
}

fn files_in(folder: &std::path::Path) -> u64 {
    std::fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}

/// What left the house before the last purge is with whoever has it.
async fn exports(ledger: &Ledger, last: Option<Position>) -> Result<u64, Error> {
    let Some(last) = last else { return Ok(0) };
    let facts = ledger.facts(Position(0)).await?;
    let is_export = |fact: &&model::fact::Fact| matches!(fact.body, Body::FeedExported { .. }) && fact.position < last;
    Ok(facts.iter().filter(is_export).count() as u64)
}

/// The last pass and what waits, for whoever looks at the machine.
pub async fn standing(
    ledger: &Ledger,
    archive: &Archive,
    defaults: &Retention,
    now: Timestamp,
) -> Result<(Option<Timestamp>, u64), Error> {
    let due = plan(&*ledger.view().await?, defaults, now).due;
    Ok((archive.last_retention_pass().await?, archive.waiting(&due).await?.len() as u64))
}
