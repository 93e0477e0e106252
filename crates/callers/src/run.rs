//! The one door: it carries out the scripts over real sockets and keeps the books.
//!
//! Closed loop: a caller does one act after the other and waits for each answer, and only so many callers are at work
//! at once. Who has started finishes, so that nothing is in flight when the tally is written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::contact::Kind;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Error;
use crate::act::Act;
use crate::cast::{Caller, cast};
use crate::plan::Plan;
use crate::script::{Stage, script};
use crate::secret::Passwords;
use crate::tally::Tally;

mod connection;
pub(crate) mod dangerous;
mod dns;
mod visit;

use connection::TlsSetups;

/// Threads of the callers' own runtime: the sinkhole on the same machine needs the others.
const THREADS: usize = 2;
/// Callers at work at the same time.
const CALLERS_AT_ONCE: usize = 64;
/// How often the tally file is written on the way, where the plan asks for it.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// Times that an act is tried before it is given up: as resolvers and browsers do.
const ATTEMPTS_MAX: usize = 3;
/// Between a failed connect and the next try.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Lets the population call, writes the tally to the plan's file, and returns it; on a runtime of its own.
pub fn run(plan: &Plan) -> Result<Tally, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    runtime.map_err(Error::io("start", "a runtime for callers"))?.block_on(call(plan.clone()))
}

/// The same within a runtime that is there already.
pub async fn call(plan: Plan) -> Result<Tally, Error> {
    plan.check()?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(Error::Entropy)?;
    let world =
        Arc::new(World { tls: TlsSetups::new()?, passwords: Passwords::new(key), books: Books::default(), plan });
    // What cannot be written at the end should not start.
    world.books.close(|_| ()).write(&world.plan.tally)?;
    let reporter = world.plan.report_answered.then(|| tokio::spawn(report(Arc::clone(&world))));
    call_all(&world).await;
    if let Some(reporter) = reporter {
        reporter.abort();
        // Cancelled is what we asked for; a report that failed on the way is followed by the last one.
        let _ = reporter.await;
    }
    let tally = world.books.close(|tally| tally.finished = true);
    tally.write(&world.plan.tally)?;
    Ok(tally)
}

async fn call_all(world: &Arc<World>) {
    let deadline = Instant::now() + world.plan.duration_max();
    let mut at_work = JoinSet::new();
    for caller in cast(world.plan.seed, world.plan.scale) {
        if at_work.len() >= CALLERS_AT_ONCE {
            at_work.join_next().await;
        }
        if Instant::now() >= deadline {
            world.books.note(|tally| tally.callers_not_started += 1);
            continue;
        }
        at_work.spawn(perform(Arc::clone(world), caller));
    }
    while at_work.join_next().await.is_some() {}
}

async fn perform(world: Arc<World>, caller: Caller) {
    let stage = Stage { seed: world.plan.seed, names: &world.plan.names, passwords: &world.passwords };
    for act in script(&caller, &stage) {
        match act {
            Act::Ask { resolver, question } => dns::ask(&world, resolver, &question).await,
            Act::AskOverTcp(questions) => dns::ask_over_tcp(&world, caller.address, &questions).await,
            Act::Mutter { octets, due } => dns::mutter(&world, caller.address, &octets, due).await,
            Act::Visit { door, requests } => visit::visit(&world, caller.address, &door, &requests).await,
            Act::Greet { hello } => visit::greet(&world, caller.address, &hello).await,
            Act::StaySilent(door) => visit::stay_silent(&world, caller.address, &door).await,
        }
    }
    world.books.note(|tally| *tally.callers.entry(caller.role).or_default() += 1);
}

async fn report(world: Arc<World>) {
    let mut ticks = interval(REPORT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let tally = world.books.close(|_| ());
        // The disk of the callers is not what is being tried: the last write reports its errors.
        let _ = tally.write(&world.plan.tally);
    }
}

//----------- World ------------------------------------------------------------------------------------------------

/// What all callers share.
struct World {
    plan: Plan,
    tls: TlsSetups,
    passwords: Passwords,
    books: Books,
}

/// The tally while it is being counted.
#[derive(Default)]
struct Books(Mutex<Tally>);

impl Books {
    fn note(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// One last change, and a copy of everything.
    fn close(&self, change: impl FnOnce(&mut Tally)) -> Tally {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut tally);
        tally.clone()
    }

    fn sent(&self, kind: Kind) {
        self.note(|tally| tally.sent.add(kind, 1));
    }

    fn answered(&self, kind: Kind) {
        self.note(|tally| tally.answered.add(kind, 1));
    }

    fn said(&self, what: String) {
        self.note(|tally| *tally.answers.entry(what).or_default() += 1);
    }

    fn strange(&self) {
        self.note(|tally| tally.strange_answers += 1);
    }

    fn retry(&self) {
        self.note(|tally| tally.retries += 1);
    }

    fn given_up(&self) {
        self.note(|tally| tally.given_up += 1);
    }
}

#[cfg(test)]
mod tests;
