//! `/cases/{id}/verification`: look, record, attest.
//!
//! A pass is many looks and one end. [`docket::verify::Passes`] keeps what was seen, for a person's command as for the clock;
//! this page only lets people in, and says what came of it.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use docket::Command;
use docket::decide::may_verify;
use docket::verify::PassError;
use docket::verify::run::passes::{Watched, attested};
use model::check::Check;
use model::id::CaseId;
use model::{Digest, DomainName};
use store::view::PassView;

use crate::api::{CaseTaken, CheckAttestedTold, LookRequest, Looked, PassTold, VerificationTold};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Named, Octets, Sent};
use crate::problem::{self, Told, bad_request};
use crate::run::Desk;

//----------- What is known ----------------------------------------------------------------------------------------

pub(crate) async fn show(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<VerificationTold>, Told> {
    told(&desk, &id, None).await.map(Json)
}

async fn told(desk: &Desk, id: &CaseId, watched: Option<Watched>) -> Result<VerificationTold, Told> {
    let view = desk.view().await?;
    let case = known(&view, id)?;
    let known = desk.passes.known(case).await.map_err(unmade)?;
    let passes = case.verification.passes.values().map(pass).collect();
    let custody = watched.map(|Watched { seen, raised, cleared, left }| CaseTaken {
        case: id.clone(),
        seen,
        raised,
        cleared,
        left,
        of_old_owner: None,
    });
    Ok(VerificationTold { case: id.clone(), passes, names: known.names, looked: known.looked, custody })
}

fn pass(PassView { made, at, undelegated, .. }: &PassView) -> PassTold {
    PassTold {
        order: made.order.clone(),
        at: *at,
        report: made.report,
        holds: made.holds,
        fails: made.fails,
        undecided: made.undecided,
        undelegated: undelegated.len() as u64,
    }
}

/// Why a pass did not go on, as it is told.
fn unmade(error: PassError) -> Told {
    let what = error.to_string();
    match error {
        PassError::Refused(refusal) => problem::refused(refusal),
        PassError::Execute(error) => problem::of_command(error, false),
        PassError::Store(error) => problem::of_store(&error),
        PassError::Lost { what, digest } => problem::lost(&what, &digest),
        PassError::NoHints => {
            bad_request(what, "name the root hints: `[verify]`, `root_hints = \"named.root\"`; docs/guide/verify.md")
        }
        PassError::TooMany => bad_request(what, "end this one, and name others"),
        PassError::NothingSeen(case) => {
            bad_request(what, format!("`bailiwick verify {case}` looks, and then ends the pass"))
        }
        PassError::Stopping => problem::stopping(what),
    }
}

//----------- Looking ----------------------------------------------------------------------------------------------

pub(crate) async fn look(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(LookRequest { names, own }): Sent<LookRequest>,
) -> Result<Json<Looked>, Told> {
    let view = desk.view().await?;
    if let Err(refusal) = may_verify(&view, &id, &asker.actor) {
        desk.remember_refusal(&format!("verify case {id}"), &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    let names: Vec<DomainName> = names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let looks = desk.passes.look(known(&view, &id)?, &names, own).await.map_err(unmade)?;
    Ok(Json(Looked { names: looks.reports, drafts: looks.drafts }))
}

/// Ends the pass: one report and one fact for each order, names move as far as was seen, and custody hears of it.
pub(crate) async fn record(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
) -> Result<Json<VerificationTold>, Told> {
    let watched = desk.passes.record(&id, &(asker.actor, asker.roles)).await.map_err(unmade)?;
    told(&desk, &id, Some(watched)).await.map(Json)
}

//----------- Attesting --------------------------------------------------------------------------------------------

pub(crate) async fn attest(
    State(desk): State<Desk>,
    Named((id, name, check)): Named<(CaseId, DomainName, Check)>,
    asker: Asker,
    Octets(body): Octets,
) -> Result<Json<CheckAttestedTold>, Told> {
    let view = desk.view().await?;
    let last = desk.passes.last(known(&view, &id)?, &name).await.map_err(unmade)?;
    let verdict = last.as_ref().and_then(|report| report.findings.iter().find(|finding| finding.check == check));
    let (last_verdict, document) = (verdict.map(|finding| finding.verdict), Digest::of_bytes(&body));
    let command =
        Command::AttestCheck { case: id.clone(), name: name.clone(), check, last: last_verdict, octets: body.to_vec() };
    desk.execute(command, asker.clone()).await?;
    let last = last.ok_or_else(|| problem::lost("the report that was attested", &document))?;
    desk.passes.settle_attested(&id, &name, &(asker.actor, asker.roles)).await.map_err(unmade)?;
    let view = desk.view().await?;
    let report = attested(known(&view, &id)?, last);
    let said = format!("{check} of {} is attested; the name is {}", name.defanged(), report.standing.as_str());
    Ok(Json(CheckAttestedTold { name, check, document, report, said }))
}
