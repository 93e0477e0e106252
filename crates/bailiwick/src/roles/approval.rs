//! `bailiwick approval`: what waits for two people, exactly what it asks for, and a person's yes.

use desk::api::{ApprovalDetail, ApprovalSummary, YesRequest, YesTaken};
use model::id::CaseId;

use crate::cli::{ApprovalCommand, Place, WhoArgs};
use crate::door::{Door, token};
use crate::failure::{Done, Failure};
use crate::roles::case::disagreement;
use crate::roles::person::role;
use crate::terminal::{self, table};

pub(crate) fn run(place: &Place, command: ApprovalCommand) -> Done {
    match command {
        ApprovalCommand::List(out) => list(&Door::open(place, "approval list")?, out.json),
        ApprovalCommand::Show { request, out } => show(&Door::open(place, "approval show")?, request, out.json),
        ApprovalCommand::Give { case, request, role, who, out } => {
            give(&Door::open(place, "approval give")?, &case, request, &role, &who, out.json)
        }
    }
}

fn list(door: &Door, json: bool) -> Done {
    let all: Vec<ApprovalSummary> = door.get("/approvals")?;
    if json {
        return terminal::json(&all);
    }
    if all.is_empty() {
        terminal::say("nothing waits for you; `bailiwick case request CASE` asks two people");
        return Ok(());
    }
    let mut rows = vec![["request", "case", "act", "order", "stands", "yes by"].map(str::to_owned).to_vec()];
    for one in all {
        let yes: Vec<String> = one.given.iter().map(|yes| format!("{} as {}", yes.person, yes.role)).collect();
        let order = one.order.map(|order| order.to_string()).unwrap_or_default();
        rows.push(vec![one.id, one.case.to_string(), one.act, order, one.stands, yes.join(", ")]);
    }
    terminal::line(&table(&rows))
}

fn show(door: &Door, request: u64, json: bool) -> Done {
    let detail: ApprovalDetail = door.get(&format!("/approvals/{request}"))?;
    if json {
        return terminal::json(&detail);
    }
    terminal::line(detail.value_text.trim_end())?;
    for conflict in &detail.conflicts {
        terminal::line(&disagreement(conflict))?;
    }
    terminal::line(&format!("\nan approval is bound to {}", detail.summary.shown))?;
    if detail.changed {
        terminal::say("what stands has changed since: no yes counts any more; ask again with `bailiwick case request`");
    }
    Ok(())
}

/// Yes to every request of the case that is still open, or to one of them, each bound to what it shows now.
fn give(door: &Door, case: &CaseId, only: Option<u64>, as_role: &str, who: &WhoArgs, json: bool) -> Done {
    let as_role = role(as_role)?;
    let token = token(who)?;
    let all: Vec<ApprovalSummary> = door.get("/approvals")?;
    let is_meant = |one: &ApprovalSummary| only.is_none_or(|id| one.id == id.to_string());
    let is_open = |one: &ApprovalSummary| one.case == *case && matches!(&*one.stands, "open" | "half");
    let open: Vec<_> = all.into_iter().filter(|one| is_open(one) && is_meant(one)).collect();
    if open.is_empty() {
        return Err(Failure::new(format!("nothing of case {case} waits for approval")).hint(format!(
            "`bailiwick case request {case}` asks two people; `bailiwick approval list` shows what stands"
        )));
    }
    let mut taken = Vec::new();
    for request in open {
        let yes = YesRequest { role: as_role, shown: request.shown };
        taken.push(door.post::<YesTaken>(&format!("/approvals/{}", request.id), &yes, Some(&token))?);
    }
    if json {
        return terminal::json(&taken);
    }
    taken.iter().try_for_each(|one| terminal::line(&one.said))
}
