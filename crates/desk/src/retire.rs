//! `POST /archive/retire`: of the verdicts on a contact only the last stays, the one that counts.
//!
//! Day by day, and before each a look whether a legal hold stands: it keeps whatever was made of the callers, too. Verdicts
//! say of no case whose they are, so a hold of any case ends it.

use axum::Json;
use axum::extract::State;
use model::Refusal;
use model::fact::Actor;
use store::Error;
use store::archive::Archive;
use store::ledger::Ledger;
use store::view::View;

use crate::api::RetireAnswer;
use crate::asker::Asker;
use crate::problem::{self, Told};
use crate::run::{Desk, now};

pub(crate) async fn run(State(desk): State<Desk>, asker: Asker) -> Result<Json<RetireAnswer>, Told> {
    let answer = retire(&desk.ledger, &desk.archive, &asker.actor).await.map_err(|error| problem::ours(&error))?;
    let held = || {
        let why = format!("{} legal holds stand: nothing that was made of callers goes", answer.holds);
        Refusal::new(why).hint("`bailiwick retention show` lists them; two people release one")
    };
    if answer.holds > 0 && answer.days == 0 { Err(problem::refused(held())) } else { Ok(Json(answer)) }
}

async fn retire(ledger: &Ledger, archive: &Archive, actor: &Actor) -> Result<RetireAnswer, Error> {
    let (mut answer, mut after) = (RetireAnswer::default(), None);
    loop {
        answer.holds = holds(&*ledger.view().await?);
        if answer.holds > 0 {
            return Ok(answer);
        }
        let Some(retired) = archive.retire(after, actor, now()).await? else { return Ok(answer) };
        after = Some(retired.day);
        answer.days += 1;
        answer.verdicts += retired.verdicts;
        answer.octets += retired.octets;
    }
}

fn holds(view: &View) -> u64 {
    view.cases.values().map(|case| case.holds.len() as u64).sum()
}
