//! `/approvals`: what waits for two people, exactly what they are shown, and each yes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::shown::{Shown, counted};
use docket::{Command, Done};
use model::approval::{Amend, PutInForce, Serve, Standing, Unseal, Widening};
use model::id::{CaseId, OrderId, RequestId};

use crate::api::{ApprovalDetail, ApprovalSummary, RequestsFiled, YesGiven, YesRequest, YesTaken};
use crate::asker::Asker;
use crate::cases;
use crate::intake::{Named, Sent};
use crate::problem::{Told, bad_request, not_found};
use crate::run::{Desk, now};
use crate::sight::no_request;

//----------- Asking -----------------------------------------------------------------------------------------------

pub(crate) async fn request(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
) -> Result<(StatusCode, Json<RequestsFiled>), Told> {
    cases::known(&*desk.view().await?, &id)?;
    filed(&desk, Command::RequestApproval { case: id.clone() }, &id, asker).await
}

pub(crate) async fn request_unsealing(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
) -> Result<(StatusCode, Json<RequestsFiled>), Told> {
    cases::known(&*desk.view().await?, &id)?;
    filed(&desk, Command::RequestUnsealing { case: id.clone() }, &id, asker).await
}

async fn filed(
    desk: &Desk,
    command: Command,
    id: &CaseId,
    asker: Asker,
) -> Result<(StatusCode, Json<RequestsFiled>), Told> {
    let executed = desk.execute(command, asker).await?;
    let Done::ApprovalAsked { requests } = executed.done else { unreachable!("asking ends in requests or a refusal") };
    let requests: Vec<String> = requests.iter().map(RequestId::to_string).collect();
    let said = format!("request {} of case {id}: each needs two people in two roles", requests.join(" and "));
    Ok((StatusCode::CREATED, Json(RequestsFiled { requests, said })))
}

//----------- Showing ----------------------------------------------------------------------------------------------

pub(crate) async fn list(State(desk): State<Desk>, asker: Asker) -> Result<Json<Vec<ApprovalSummary>>, Told> {
    let view = desk.view().await?;
    let is_seen = |standing: &&Standing| view.case_seen_by(&standing.request.case, &asker.actor, now()).is_some();
    Ok(Json(view.approvals.iter().filter(is_seen).map(summary).collect()))
}

pub(crate) async fn show(State(desk): State<Desk>, Named(id): Named<String>) -> Result<Json<ApprovalDetail>, Told> {
    let id = parse(&id)?;
    let view = desk.view().await?;
    let standing = view.approvals.get(id).ok_or_else(|| no_request(id))?;
    let request = &standing.request;
    let case = cases::known(&view, &request.case)?;
    let order = match &request.what {
        Widening::ReleaseHold(_) => case.orders.values().next(),
        what => order_of(what).and_then(|order| case.orders.get(order)),
    };
    let nothing = || not_found(format!("what request {id} asks for is not there any more"), "ask anew");
    let shown = Shown::of(case, order.ok_or_else(nothing)?, request.what.clone());
    Ok(Json(ApprovalDetail {
        summary: summary(standing),
        changed: shown.digest() != request.shown,
        value: serde_json::to_value(&shown).expect("what is shown is plain JSON"),
        value_text: shown.to_text(),
        conflicts: cases::conflicts(&desk.case_file_as_proposed(case).await?),
    }))
}

/// A request's number is a string on the API; a path that holds none is the asker's slip.
fn parse(id: &str) -> Result<RequestId, Told> {
    id.parse()
        .map(RequestId)
        .map_err(|_| bad_request(format!("`{id}` is no request"), "`bailiwick approval list` numbers them"))
}

fn order_of(what: &Widening) -> Option<&OrderId> {
    match what {
        Widening::PutInForce(PutInForce { order, .. })
        | Widening::Serve(Serve { order, .. })
        | Widening::Amend(Amend { order, .. })
        | Widening::Unseal(Unseal { order }) => Some(order),
        Widening::SharePolicy(_)
        | Widening::ReleaseWithheld(_)
        | Widening::PurgeEvidence(_)
        | Widening::ReleaseHold(_) => None,
    }
}

fn act(what: &Widening) -> &'static str {
    match what {
        Widening::PutInForce(_) => "put-in-force",
        Widening::Serve(_) => "serve",
        Widening::Unseal(_) => "unseal",
        Widening::SharePolicy(_) => "share-policy",
        Widening::ReleaseWithheld(_) => "release-withheld",
        Widening::PurgeEvidence(_) => "purge-evidence",
        Widening::ReleaseHold(_) => "release-hold",
        Widening::Amend(_) => "amend",
    }
}

fn summary(standing: &Standing) -> ApprovalSummary {
    let request = &standing.request;
    let given = standing.given.iter().map(|yes| YesGiven { person: yes.person.clone(), role: yes.role });
    ApprovalSummary {
        id: request.id.to_string(),
        case: request.case.clone(),
        act: act(&request.what).into(),
        order: order_of(&request.what).cloned(),
        exercise: request.exercise,
        asked_at: standing.asked_at,
        asked_by: standing.asked_by.clone(),
        given: given.collect(),
        stands: stands(standing).into(),
        shown: request.shown,
    }
}

fn stands(standing: &Standing) -> &'static str {
    match standing.given.len() {
        _ if standing.void => "void",
        0 => "open",
        1 => "half",
        _ => "granted",
    }
}

//----------- Giving -----------------------------------------------------------------------------------------------

pub(crate) async fn give(
    State(desk): State<Desk>,
    Named(id): Named<String>,
    asker: Asker,
    Sent(YesRequest { role, shown }): Sent<YesRequest>,
) -> Result<Json<YesTaken>, Told> {
    let id = parse(&id)?;
    desk.view().await?.approvals.get(id).ok_or_else(|| no_request(id))?;
    let executed = desk.execute(Command::GiveApproval { request: id, role, shown }, asker).await?;
    Ok(Json(taken(&executed.done)))
}

fn taken(done: &Done) -> YesTaken {
    let (came_of_it, said) = match done {
        Done::HalfApproved { request } => {
            ("half", format!("request {request} has one yes; the second is another person's, in another role"))
        }
        Done::OrderInForce { order, .. } => ("in-force", format!("order {order} is in force")),
        Done::NamesServed { order, names, .. } => {
            ("served", format!("{} of order {order} served from now on", counted(*names as usize)))
        }
        Done::OrderUnsealed { order, .. } => ("unsealed", format!("the seal of order {order} is lifted")),
        Done::HoldReleased { case, hold } => ("released", format!("the hold {hold} on case {case} has ended")),
        Done::OrderAmended { .. } => ("amended", crate::amendments::amended(done)),
        other => unreachable!("a yes does not end in {other:?}"),
    };
    YesTaken { came_of_it: came_of_it.into(), said }
}
