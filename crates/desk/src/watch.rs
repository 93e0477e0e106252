//! `/dues`, `/alarms`, and what people say to both: confirming, counting dates, acknowledging.
//!
//! What an asker may not see of a sealed case is not there: no due, no alarm, no number of either.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::due::dues;
use docket::{Command, Done};
use model::due::Rule;
use model::id::{CaseId, Position};
use store::view::{AlarmView, CaseView, View};

use crate::api::{
    AcknowledgeRequest, AlarmTold, AlarmsQuery, ConfirmRequest, DateConfirmRequest, DateRequest, DuesQuery, DuesTold,
    Said,
};
use crate::asker::Asker;
use crate::intake::{Asked, Named, Sent};
use crate::problem::{Told, bad_request, not_found};
use crate::run::{Desk, now};
use crate::{cases, sight};

/// The cases that the asker may see: the one that was asked for, or all.
pub(crate) fn seen_by<'v>(view: &'v View, asker: &Asker, wanted: Option<&CaseId>) -> Result<Vec<&'v CaseView>, Told> {
    let sight = sight::of(view, &asker.actor, now());
    let is_seen = |case: &CaseView| !sight.hidden.contains(&case.terms.id);
    match wanted {
        None => Ok(view.cases.values().filter(|case| is_seen(case)).collect()),
        Some(id) => {
            let case = cases::known(view, id)?;
            let hidden = || not_found(format!("there is no case {id}"), "`bailiwick case list` names them");
            Some(vec![case]).filter(|_| is_seen(case)).ok_or_else(hidden)
        }
    }
}

//----------- Dues -------------------------------------------------------------------------------------------------

pub(crate) async fn due(
    State(desk): State<Desk>,
    Asked(DuesQuery { case }): Asked<DuesQuery>,
    asker: Asker,
) -> Result<Json<DuesTold>, Told> {
    let view = desk.view().await?;
    let (cases, now) = (seen_by(&view, &asker, case.as_ref())?, now());
    Ok(Json(DuesTold { now, dues: dues(&view, cases, now) }))
}

pub(crate) async fn confirm(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(ConfirmRequest { narrowing, note }): Sent<ConfirmRequest>,
) -> Result<Json<Said>, Told> {
    seen_by(&*desk.view().await?, &asker, Some(&id))?;
    let narrowing = narrowing.as_deref().map(|text| place(text, "narrowing")).transpose()?;
    let executed = desk.execute(Command::ConfirmNarrowing { case: id.clone(), narrowing, note }, asker).await?;
    let Done::NarrowingsConfirmed { narrowings } = executed.done else { unreachable!("it is confirmed or refused") };
    let numbers: Vec<String> = narrowings.iter().map(ToString::to_string).collect();
    Ok(Json(Said { said: format!("narrowing {} of case {id} is confirmed", numbers.join(", ")) }))
}

pub(crate) async fn propose_date(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(DateRequest { order, what, from, days, business }): Sent<DateRequest>,
) -> Result<(StatusCode, Json<Said>), Told> {
    seen_by(&*desk.view().await?, &asker, Some(&id))?;
    let by = if business { Rule::BusinessDays { from, days } } else { Rule::Days { from, days } };
    let executed = desk.execute(Command::ProposeDate { case: id, order, what: what.clone(), by }, asker).await?;
    let Done::DateProposed { date, by } = executed.done else { unreachable!("it is proposed or refused") };
    let said = format!("`{what}` is proposed for {date}, by {by}; counsel confirms it");
    Ok((StatusCode::CREATED, Json(Said { said })))
}

pub(crate) async fn confirm_date(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(DateConfirmRequest { order, what, date, note }): Sent<DateConfirmRequest>,
) -> Result<Json<Said>, Told> {
    seen_by(&*desk.view().await?, &asker, Some(&id))?;
    let command = Command::ConfirmDate { case: id, order: order.clone(), what: what.clone(), date, note };
    let executed = desk.execute(command, asker).await?;
    let Done::DateConfirmed { date } = executed.done else { unreachable!("it is confirmed or refused") };
    Ok(Json(Said { said: format!("`{what}` of order {order} is {date}") }))
}

//----------- Alarms -----------------------------------------------------------------------------------------------

pub(crate) async fn alarms(
    State(desk): State<Desk>,
    Asked(AlarmsQuery { case, all }): Asked<AlarmsQuery>,
    asker: Asker,
) -> Result<Json<Vec<AlarmTold>>, Told> {
    let view = desk.view().await?;
    let cases = seen_by(&view, &asker, case.as_ref())?;
    let of_case = |case: &CaseView| {
        let alarms = case.watch.alarms.values().filter(|alarm| all || alarm.state.is_open());
        alarms.map(|alarm| told(&case.terms.id, alarm)).collect::<Vec<_>>()
    };
    Ok(Json(cases.into_iter().flat_map(of_case).collect()))
}

fn told(case: &CaseId, view: &AlarmView) -> AlarmTold {
    let key = &view.alarm.key;
    AlarmTold {
        number: view.number.to_string(),
        case: case.clone(),
        kind: key.kind,
        subject: key.subject.clone(),
        mark: key.mark.clone(),
        reason: view.alarm.reason.clone(),
        state: view.state,
        first_seen: view.first_seen,
        raised: view.raised,
        times: view.times,
        evidence: view.alarm.evidence,
        acknowledged_by: view.acknowledged.as_ref().map(|(by, ..)| by.clone()),
        note: view.acknowledged.as_ref().map(|(.., note)| note.clone()),
        cleared: view.cleared,
    }
}

pub(crate) async fn acknowledge(
    State(desk): State<Desk>,
    Named(number): Named<String>,
    asker: Asker,
    Sent(AcknowledgeRequest { note }): Sent<AcknowledgeRequest>,
) -> Result<Json<Said>, Told> {
    let alarm = place(&number, "alarm")?;
    let view = desk.view().await?;
    let is_seen = seen_by(&view, &asker, None)?.iter().any(|case| case.watch.alarm(alarm).is_some());
    if !is_seen {
        return Err(not_found(format!("there is no alarm {alarm}"), "`bailiwick alarm list` names them"));
    }
    desk.execute(Command::AcknowledgeAlarm { alarm, note }, asker).await?;
    Ok(Json(Said { said: format!("alarm {alarm} is acknowledged; it ends by itself when its cause has ended") }))
}

fn place(text: &str, what: &str) -> Result<Position, Told> {
    let no_number = |_| {
        bad_request(format!("`{text}` is no number of a {what}"), "`bailiwick case due` and `alarm list` name them")
    };
    text.parse().map(Position).map_err(no_number)
}
