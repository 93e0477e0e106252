//! `bailiwick replay`: label what was received since then anew, by today's rules and tables.

use desk::api::{ReplayAnswer, ReplayRequest};
use model::Timestamp;
use model::fact::Actor;
use store::Journal;

use super::report::when;
use crate::cli::{Place, ReplayArgs};
use crate::config::Config;
use crate::door::Door;
use crate::failure::{Done, Failure, Tried, code};
use crate::supervise::{self, House};
use crate::terminal::{self, count};

pub(crate) fn run(place: &Place, args: &ReplayArgs) -> Done {
    let since = when::instant(&args.since, supervise::now());
    let since =
        since.map_err(|why| Failure::new(format!("reading --since: {why}")).hint(when::HINT).code(code::USAGE))?;
    let config = Config::load(place)?;
    let door = Door::into(&config, "replay")?;
    let answer = match door.into_house() {
        Err(door) => door.post("/archive/replay", &ReplayRequest { since }, None)?,
        Ok((runtime, house)) => runtime.block_on(here(&config, &house, since))?,
    };
    if args.out.json { terminal::json(&answer) } else { terminal::line(&told(&answer)) }
}

/// Nobody runs: this process has the folder, and the journal with it.
async fn here(config: &Config, house: &House, since: Timestamp) -> Result<ReplayAnswer, Failure> {
    let journal = Journal::open(&house.folder, config.journal.limits()).tried("opening the journal")?;
    let labels = supervise::labels(config, journal)?;
    let actor = Actor::LocalUser { uid: nix::unistd::getuid().as_raw() };
    let replayed = insight::run::replay(&labels, &house.ledger, &house.archive, since, actor).await;
    replayed.map(ReplayAnswer::from).tried("labelling history anew")
}

fn told(answer: &ReplayAnswer) -> String {
    let ReplayAnswer { generation, since, until, contacts, verdicts } = answer;
    format!(
        "{} verdicts count from now on: {} contacts were read again, what was received from {since} to {until} was judged\n\
         generation {generation}; the verdicts of before are kept beside them",
        count(*verdicts),
        count(*contacts)
    )
}
