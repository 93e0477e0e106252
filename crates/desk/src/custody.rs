//! `/custody`: what was seen of names from outside comes in, and alarms come of it; `/cases/{id}/post-mortem` looks back.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use docket::custody::certificates::{self, Certificate};
use docket::custody::{self, NAMES_MAX, Shelf, Sinkholes, Taking};
use docket::post_mortem::{LabelCalls, PostMortem, post_mortem, still_from, window};
use docket::{Command, Done};
use model::id::CaseId;
use model::observation::Observation;
use model::time::to_nanos;
use model::{Digest, Timestamp};
use store::archive::{QueryAnswer, Sight};
use store::view::CaseView;

use crate::api::{CaseTaken, CustodyRequest, CustodyTaken, Engine, PostMortemQuery, Said};
use crate::asker::Asker;
use crate::intake::{Asked, Named, Octets, Sent};
use crate::problem::{self, Told, bad_request};
use crate::run::{Desk, now};
use crate::sight;
use crate::watch::seen_by;

/// The largest file of observations.
pub(crate) const OBSERVATIONS_OCTETS_MAX: usize = 128 << 20;

//----------- Observations -----------------------------------------------------------------------------------------

pub(crate) async fn take(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(CustodyRequest { observations, sinkholes }): Sent<CustodyRequest>,
) -> Result<Json<CustodyTaken>, Told> {
    check(&observations)?;
    let sinkholes = Sinkholes::parse(sinkholes.as_deref().unwrap_or_default()).map_err(problem::refused)?;
    let view = desk.view().await?;
    let seen: BTreeSet<&CaseId> = seen_by(&view, &asker, None)?.into_iter().map(|case| &case.terms.id).collect();
    let mut by_case: BTreeMap<&CaseId, Vec<Observation>> = BTreeMap::new();
    let mut taken = CustodyTaken::default();
    for observation in &observations {
        let watching = custody::cases_of(&view, &observation.name).map(|case| &case.terms.id);
        let watching: Vec<&CaseId> = watching.filter(|id| seen.contains(id)).collect();
        taken.strangers += u64::from(watching.is_empty());
        watching.into_iter().for_each(|case| by_case.entry(case).or_default().push(observation.clone()));
    }
    for (id, seen) in by_case {
        let case = &view.cases[id];
        taken.cases.push(desk.take_of(case, seen, &sinkholes, &asker).await?);
    }
    Ok(Json(taken))
}

fn check(observations: &[Observation]) -> Result<(), Told> {
    if observations.len() > NAMES_MAX {
        return Err(bad_request(
            format!("{} observations are more than {NAMES_MAX}", observations.len()),
            "send several files",
        ));
    }
    let bad = observations.iter().find_map(|one| Some((one, one.beyond_limits()?)));
    bad.map_or(Ok(()), |(one, part)| {
        let what = format!("the {part} of {} are more than a registry says", one.name.defanged());
        Err(bad_request(what, "look at what wrote the file"))
    })
}

impl Desk {
    async fn take_of(
        &self,
        case: &CaseView,
        seen: Vec<Observation>,
        sinkholes: &Sinkholes,
        asker: &Asker,
    ) -> Result<CaseTaken, Told> {
        let before = case.watch.observed.map(|observed| observed.file);
        let shelf = before.map(|file| self.shelf(&file)).transpose()?.unwrap_or_default();
        let count = seen.len() as u64;
        let octets = custody::written(&custody::pass(case, &shelf, &seen, sinkholes, now()).shelf);
        let (id, sinkholes) = (case.terms.id.clone(), sinkholes.clone());
        let taking = Box::new(Taking { case: id.clone(), before, shelf, seen, sinkholes });
        let asker = asker.clone();
        let executed = self.execute(Command::TakeObservations { taking, octets }, asker).await?;
        Ok(came_of(id, count, &executed.done))
    }

    fn shelf(&self, file: &Digest) -> Result<Shelf, Told> {
        let octets = self.vault.get(file).map_err(|error| problem::ours(&error))?;
        let lost = || problem::lost("what was seen of names before", file);
        custody::read(&octets.ok_or_else(lost)?).map_err(|_| lost())
    }
}

fn came_of(case: CaseId, seen: u64, done: &Done) -> CaseTaken {
    let (raised, cleared, left) = match done {
        Done::Watched { raised, cleared, left } => (*raised as u64, *cleared as u64, *left as u64),
        _ => (0, 0, 0),
    };
    CaseTaken { case, seen, raised, cleared, left, of_old_owner: None }
}

//----------- Certificates -----------------------------------------------------------------------------------------

pub(crate) async fn take_certificates(
    State(desk): State<Desk>,
    asker: Asker,
    Octets(body): Octets,
) -> Result<Json<CustodyTaken>, Told> {
    let unread = |refusal: model::Refusal| bad_request(refusal.what, refusal.hint.unwrap_or_default());
    let all = certificates::read(&body).map_err(unread)?;
    let view = desk.view().await?;
    let mut taken = CustodyTaken::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for case in seen_by(&view, &asker, None)? {
        let found = certificates::find(case, &all, now());
        if found.certificates.is_empty() {
            continue;
        }
        known.extend(found.certificates.keys().map(|(_, serial)| serial.clone()));
        let ours: Vec<Certificate> = found.certificates.values().cloned().collect();
        let octets = model::digest::canonical_json(&ours);
        let (id, asker) = (case.terms.id.clone(), asker.clone());
        let command = Command::TakeCertificates { case: id.clone(), certificates: ours, octets };
        let executed = desk.execute(command, asker).await?;
        let of_old_owner = Some(found.of_old_owner as u64);
        taken.cases.push(CaseTaken { of_old_owner, ..came_of(id, found.certificates.len() as u64, &executed.done) });
    }
    taken.strangers = all.iter().filter(|one| !known.contains(&one.serial)).count() as u64;
    Ok(Json(taken))
}

//----------- Looking back -----------------------------------------------------------------------------------------

pub(crate) async fn look_back(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    Asked(PostMortemQuery { days }): Asked<PostMortemQuery>,
    asker: Asker,
) -> Result<Json<PostMortem>, Told> {
    desk.looked_back(&id, days, &asker).await.map(Json)
}

/// Remembers that somebody has looked back, and at what.
pub(crate) async fn hold_post_mortem(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(PostMortemQuery { days }): Sent<PostMortemQuery>,
) -> Result<Json<Said>, Told> {
    let report = desk.looked_back(&id, days, &asker).await?;
    let octets = model::digest::canonical_json(&report);
    let file = Digest::of_bytes(&octets);
    desk.execute(Command::HoldPostMortem { case: id.clone(), days, octets }, asker).await?;
    Ok(Json(Said { said: format!("looked back on case {id} after {days} days; the report is {file} in the vault") }))
}

impl Desk {
    async fn looked_back(&self, id: &CaseId, days: u16, asker: &Asker) -> Result<PostMortem, Told> {
        let view = self.view().await?;
        let case = seen_by(&view, asker, Some(id))?[0];
        let sight = sight::of(&view, &asker.actor, now());
        let window = window(case, days).map_err(problem::refused)?;
        let still = (still_from(window, now()), window.1);
        let mut calls: BTreeMap<String, LabelCalls> = BTreeMap::new();
        for (label, contacts, addresses) in self.calls(id, window, &sight).await? {
            let of_label = calls.entry(label).or_default();
            (of_label.contacts, of_label.addresses) = (contacts, addresses);
        }
        for (label, contacts, addresses) in self.calls(id, still, &sight).await? {
            let of_label = calls.entry(label).or_default();
            (of_label.contacts_still, of_label.addresses_still) = (contacts, addresses);
        }
        post_mortem(&view, case, days, calls, now()).map_err(problem::refused)
    }

    /// Label, contacts, addresses.
    async fn calls(
        &self,
        case: &CaseId,
        (from, until): (Timestamp, Timestamp),
        sight: &Sight,
    ) -> Result<Vec<(String, u64, u64)>, Told> {
        // A case's id is letters, digits and `-._`, an instant a number: nothing of this text can end a literal.
        let time = |at| format!("arrow_cast({}, 'Timestamp(Nanosecond, Some(\"UTC\"))')", to_nanos(at));
        let sql = format!(
            "SELECT label, sum(1 + coalesce(repeats, 0)) AS contacts, count(DISTINCT source) AS addresses FROM sightings \
             WHERE case_id = '{case}' AND received >= {} AND received < {} GROUP BY label ORDER BY label",
            time(from),
            time(until)
        );
        let QueryAnswer { rows, .. } = self.query(Some(Engine::Parquet), &sql, sight).await?;
        let number = |cell: Option<&serde_json::Value>| cell.and_then(serde_json::Value::as_u64).unwrap_or_default();
        let row = |row: Vec<serde_json::Value>| {
            let label = row.first().and_then(|cell| cell.as_str()).unwrap_or("not judged yet").to_owned();
            (label, number(row.get(1)), number(row.get(2)))
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
