//! `/cases/{id}/verification`: look, record, attest.
//!
//! A pass is many looks and one end. What looks saw is kept beside the ledger until the pass ends, so that one that was
//! broken off goes on; then it goes to the vault, and facts say what it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::Command;
use docket::decide::may_verify;
use docket::verify::report::{NAMES_MAX, lines, read};
use docket::verify::{NameReport, Verifier, batches};
use model::check::Check;
use model::id::{CaseId, OrderId};
use model::{Digest, DomainName};
use store::verification::Pass;
use store::view::{CaseView, PassView};

use crate::api::{CheckAttestedTold, LookRequest, Looked, PassTold, VerificationTold};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Named, Octets, Sent};
use crate::problem::{self, Told, bad_request};
use crate::run::Desk;

type Reports = BTreeMap<DomainName, NameReport>;

//----------- What is known ----------------------------------------------------------------------------------------

impl Desk {
    fn pass(&self, case: &CaseId) -> Pass {
        Pass::of(&self.place.data, case)
    }

    /// What the pass that goes on has seen.
    fn seen_so_far(&self, case: &CaseId) -> Result<Reports, Told> {
        Ok(read(&self.pass(case).lines().map_err(|error| problem::of_store(&error))?))
    }

    /// What the last recorded passes saw.
    fn recorded(&self, case: &CaseView) -> Result<Reports, Told> {
        let mut reports = Reports::new();
        for pass in case.verification.passes.values() {
            let octets = self.vault.get(&pass.made.report).map_err(|error| problem::of_store(&error))?;
            let lost = || problem::lost(&format!("the verification of order {}", pass.made.order), &pass.made.report);
            reports.extend(read(&octets.ok_or_else(lost)?));
        }
        Ok(reports)
    }

    fn verifier(&self) -> Result<&Arc<Verifier>, Told> {
        self.verifier.as_ref().ok_or_else(|| {
            let what = "nobody has said where the verifier begins, so nobody was asked";
            bad_request(what, "name the root hints: `[verify]`, `root_hints = \"named.root\"`; docs/guide/verify.md")
        })
    }
}

fn attested(case: &CaseView, report: NameReport) -> NameReport {
    let name = report.name.clone();
    report.attested(|finding| case.verification.attested.get(&(name.clone(), finding.check)).cloned())
}

pub(crate) async fn show(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<VerificationTold>, Told> {
    told(&desk, &id).await.map(Json)
}

async fn told(desk: &Desk, id: &CaseId) -> Result<VerificationTold, Told> {
    let view = desk.view().await?;
    let case = known(&view, id)?;
    let so_far = desk.seen_so_far(id)?;
    let looked = so_far.keys().cloned().collect();
    let mut all = desk.recorded(case)?;
    all.extend(so_far);
    let names = all.into_values().map(|report| attested(case, report)).collect();
    let passes = case.verification.passes.values().map(pass).collect();
    Ok(VerificationTold { case: id.clone(), passes, names, looked })
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

//----------- Looking ----------------------------------------------------------------------------------------------

pub(crate) async fn look(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(LookRequest { names }): Sent<LookRequest>,
) -> Result<Json<Looked>, Told> {
    let view = desk.view().await?;
    if let Err(refusal) = may_verify(&view, &id, &asker.actor) {
        desk.remember_refusal(&format!("verify case {id}"), &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    let (case, verifier) = (known(&view, &id)?, desk.verifier()?);
    let names: Vec<DomainName> = names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let so_far = desk.seen_so_far(&id)?;
    if so_far.len() + names.len() > NAMES_MAX {
        return Err(bad_request(format!("a pass looks at {NAMES_MAX} names at most"), "end this one, and name others"));
    }
    let mut before = desk.recorded(case)?;
    before.extend(so_far);
    let mut seen = Vec::new();
    let (batches, drafts) = batches(case, &names).map_err(problem::refused)?;
    for batch in batches {
        seen.extend(verifier.look(batch.targets, &before, batch.exercise).await);
    }
    desk.pass(&id).add(&lines(&seen)).map_err(|error| problem::of_store(&error))?;
    Ok(Json(Looked { names: seen.into_iter().map(|report| attested(case, report)).collect(), drafts }))
}

/// Ends the pass: one report and one fact for each order, and names move as far as was seen.
pub(crate) async fn record(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
) -> Result<Json<VerificationTold>, Told> {
    let so_far = desk.seen_so_far(&id)?;
    if so_far.is_empty() {
        let hint = format!("`bailiwick verify {id}` looks, and then ends the pass");
        return Err(bad_request(format!("no name of case {id} was looked at"), hint));
    }
    let looked: BTreeSet<DomainName> = so_far.keys().cloned().collect();
    settle(&desk, &id, so_far, (&looked, None), &asker).await?;
    desk.pass(&id).end().map_err(|error| problem::of_store(&error))?;
    told(&desk, &id).await.map(Json)
}

/// Records what is known of every order that one of these names is under. An order that refuses keeps no other from it;
/// its refusal is told where none was recorded.
async fn settle(
    desk: &Desk,
    id: &CaseId,
    seen: Reports,
    (looked, answered): (&BTreeSet<DomainName>, Option<&DomainName>),
    asker: &Asker,
) -> Result<(), Told> {
    let view = desk.view().await?;
    let case = known(&view, id)?;
    let orders: BTreeSet<OrderId> = seen.values().map(|report| report.order.clone()).collect();
    let mut all = desk.recorded(case)?;
    all.extend(seen);
    let (mut recorded, mut refused) = (0, None);
    for order in orders {
        let of_order = all.values().filter(|report| report.order == order).cloned();
        let reports: Vec<NameReport> = of_order.map(|report| attested(case, report)).collect();
        let (case, looked, attested) = (id.clone(), looked.clone(), answered.cloned());
        let (octets, shown) = (lines(&reports), order.clone());
        let command = Command::RecordVerification { case, order, reports, looked, attested, octets };
        match desk.execute(command, asker.clone()).await {
            Ok(_) => recorded += 1,
            Err(told) if told.status == StatusCode::FORBIDDEN.as_u16() => {
                tracing::warn!(case = %id, order = %shown, why = %told.detail, "what was seen of an order was not recorded");
                refused = Some(told);
            }
            Err(told) => return Err(told),
        }
    }
    match refused {
        Some(told) if recorded == 0 => Err(told),
        _ => Ok(()),
    }
}

//----------- Attesting --------------------------------------------------------------------------------------------

pub(crate) async fn attest(
    State(desk): State<Desk>,
    Named((id, name, check)): Named<(CaseId, DomainName, Check)>,
    asker: Asker,
    Octets(body): Octets,
) -> Result<Json<CheckAttestedTold>, Told> {
    let view = desk.view().await?;
    let last = desk.recorded(known(&view, &id)?)?.remove(&name);
    let verdict = last.as_ref().and_then(|report| report.findings.iter().find(|finding| finding.check == check));
    let (last_verdict, document) = (verdict.map(|finding| finding.verdict), Digest::of_bytes(&body));
    let command =
        Command::AttestCheck { case: id.clone(), name: name.clone(), check, last: last_verdict, octets: body.to_vec() };
    desk.execute(command, asker.clone()).await?;
    let last = last.ok_or_else(|| problem::lost("the report that was attested", &document))?;
    let nobody_looked = BTreeSet::new();
    settle(&desk, &id, [(name.clone(), last.clone())].into(), (&nobody_looked, Some(&name)), &asker).await?;
    let view = desk.view().await?;
    let report = attested(known(&view, &id)?, last);
    let said = format!("{check} of {} is attested; the name is {}", name.defanged(), report.standing.as_str());
    Ok(Json(CheckAttestedTold { name, check, document, report, said }))
}
