//! `/cases/{id}/amendments`: a later paper changes an order; what the court's monitor said; taking back what waits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::casefile::amend::{self, AmendmentFile};
use docket::casefile::{CaseFile, faults_rendered};
use docket::shown::counted;
use docket::{Command, Done};
use model::Digest;
use model::amendment::AmendmentTerms;
use model::id::CaseId;
use model::order::Order;
use serde::Deserialize;
use store::view::CaseView;

use crate::api::{AmendTold, AmendmentWithdrawal, ObjectionRequest, Said, VersionDetail};
use crate::asker::Asker;
use crate::cases::{known, off_the_runtime};
use crate::intake::{Asked, Named, Octets, Sent};
use crate::problem::{self, Told};
use crate::run::Desk;

/// What stands behind `?`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AmendQuery {
    /// The file's name, for the places of faults.
    file: Option<String>,
}

pub(crate) async fn bring(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    Asked(query): Asked<AmendQuery>,
    asker: Asker,
    Octets(body): Octets,
) -> Result<(StatusCode, Json<AmendTold>), Told> {
    known(&*desk.view().await?, &id)?;
    let name = query.file.unwrap_or_else(|| "amendment".into());
    let unread = |_| problem::bad_request(format!("{name} is not UTF-8 text"), "an amendment is TOML in UTF-8");
    let text = String::from_utf8(body.into()).map_err(unread)?;
    let read = off_the_runtime(move || {
        let file = amend::parse(&text).map_err(|faults| faults_rendered(&text, &name, &faults));
        file.map(|file| (file, text)).map_err(|faults| problem::bad_case_file(&name, faults))
    });
    let (file, text) = read.await??;
    let (order, digest) = (file.order.clone(), file.digest);
    let executed = desk.execute(Command::AmendOrder { case: id.clone(), file: Box::new(file), text }, asker).await?;
    let told = match &executed.done {
        Done::AmendmentProposed { version, request, .. } => AmendTold {
            order: order.clone(),
            version: *version,
            in_effect: false,
            request: Some(request.to_string()),
            file: digest,
            said: format!(
                "version {version} of order {order} does more than the one that stands: request {request} needs two people \
                 in two roles, and until then nothing changes"
            ),
        },
        done @ Done::OrderAmended { version, .. } => {
            let (version, said) = (*version, amended(done));
            AmendTold { order, version, in_effect: true, request: None, file: digest, said }
        }
        other => unreachable!("an amendment does not end in {other:?}"),
    };
    Ok((StatusCode::CREATED, Json(told)))
}

/// What came of an amendment that has its effect.
pub(crate) fn amended(done: &Done) -> String {
    let Done::OrderAmended { request, order, version, added, removed, handed_back, held, binds } = done else {
        return String::new();
    };
    let mut said = format!("order {order} is at version {version}");
    if !binds {
        said.push_str(", a draft still: two people are asked about what it says now");
        return said;
    }
    if *added > 0 {
        let them = counted(*added);
        said.push_str(&format!(
            "; {them} came in, and two people are asked to let those that are redirected be served"
        ));
    }
    if *removed > 0 {
        let them = counted(*removed);
        said.push_str(&format!("; {them} left: {handed_back} handed back, {held} held because no records of an owner are kept, or as kill switches"));
    }
    if request.is_none() {
        said.push_str("; a second person confirms it within a day");
    }
    said
}

pub(crate) async fn objection(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(ObjectionRequest { order, objected, note }): Sent<ObjectionRequest>,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    let command = Command::NoteObjection { case: id, order: order.clone(), objected, note };
    let executed = desk.execute(command, asker).await?;
    let Done::ObjectionNoted { version, .. } = executed.done else { unreachable!("it is noted or refused") };
    let came_of_it = if objected { "it is withdrawn" } else { "its window is over" };
    let what = if objected { "objects" } else { "does not object" };
    Ok(Json(Said { said: format!("the monitor {what} to version {version} of order {order}: {came_of_it}") }))
}

pub(crate) async fn withdraw(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(AmendmentWithdrawal { order, reason }): Sent<AmendmentWithdrawal>,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    let executed = desk.execute(Command::WithdrawAmendment { case: id, order: order.clone(), reason }, asker).await?;
    let Done::AmendmentWithdrawn { version, .. } = executed.done else { unreachable!("it is withdrawn or refused") };
    Ok(Json(Said { said: format!("version {version} of order {order} is withdrawn; the order stands as it was") }))
}

//----------- Showing ----------------------------------------------------------------------------------------------

/// Every amendment of an order, the oldest first; the one that waits comes last.
pub(crate) fn versions(case: &CaseView, order: &Order) -> Vec<VersionDetail> {
    let Some(versions) = case.amendments.of(&order.terms().id) else { return Vec::new() };
    let over = versions.history.iter().map(|one| VersionDetail {
        stands: if one.withdrawn.is_some() { "withdrawn" } else { "in-effect" }.to_owned(),
        proposed: one.proposed,
        ended: Some(one.ended),
        by: one.by.clone(),
        request: one.request.map(|request| request.to_string()),
        withdrawn: one.withdrawn.clone(),
        ..counted_of(&one.terms)
    });
    let waits = versions.pending.iter().map(|pending| VersionDetail {
        proposed: pending.proposed,
        by: pending.by.clone(),
        ..counted_of(pending.amendment.terms())
    });
    over.chain(waits).collect()
}

fn counted_of(terms: &AmendmentTerms) -> VersionDetail {
    let count = |set: &Option<model::check::NameSet>| set.as_ref().map_or(0, |set| set.count);
    VersionDetail {
        stands: "waits".to_owned(),
        proposed: model::Timestamp::UNIX_EPOCH,
        ended: None,
        by: None,
        request: None,
        withdrawn: None,
        names_added: terms.added.iter().map(|list| list.names.count).sum(),
        names_changed: count(&terms.changed),
        names_removed: count(&terms.removed),
        terms: terms.clone(),
    }
}

impl Desk {
    /// The case file with what its amendments added, those that wait among them: what the gate is told of the names.
    pub(crate) async fn case_file_as_proposed(&self, case: &CaseView) -> Result<CaseFile, Told> {
        let mut file = self.case_file(case).await?;
        for digest in case.amendments.files() {
            let amendment = self.amendment_file(case, digest).await?;
            file.lists.extend(amendment.added.into_iter().map(|addition| addition.list));
            file.claims.extend(amendment.claims);
        }
        Ok(file)
    }

    async fn amendment_file(&self, case: &CaseView, digest: Digest) -> Result<AmendmentFile, Told> {
        let bytes = self.vault.get(&digest).map_err(|error| problem::ours(&error))?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let lost = || problem::lost(&format!("an amendment of case {}", case.terms.id), &digest);
        let text = text.ok_or_else(lost)?;
        off_the_runtime(move || amend::parse(&text)).await?.map_err(|_| lost())
    }
}
