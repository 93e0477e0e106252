//! The desk's door: the only place that asks the clock, and through which everything that changes goes.

use std::sync::Arc;

use docket::Command;
use docket::run::Executed;
use insight::run::Labels;
use model::fact::Actor;
use model::{DomainName, Refusal, Timestamp};
use store::archive::Archive;
use store::clickhouse::ClickHouse;
use store::ledger::Ledger;
use store::vault::Vault;
use store::view::View;
use wire::dns::AcmeToken;

use crate::api::{DnsLive, Live};
use crate::asker::Asker;
use crate::execution::LastCount;
use crate::problem::{self, Told};

/// What the desk works on.
#[derive(Clone)]
pub struct Desk {
    pub ledger: Arc<Ledger>,
    pub archive: Arc<Archive>,
    pub vault: Arc<Vault>,
    /// The archive on many machines, and whether it answers where nobody says which engine.
    pub clickhouse: Option<(ClickHouse, bool)>,
    pub status: Arc<dyn StatusSource>,
    /// What the running process labels with; `None` where none runs.
    pub labels: Option<Arc<Labels>>,
    /// Who asks the world whether seizures took effect, and keeps what was seen.
    pub passes: Arc<docket::verify::Passes>,
    /// Where all of it lies.
    pub place: Arc<store::backup::Source>,
    /// For how long what is kept, where a case says nothing else.
    pub retention: model::marking::Retention,
    pub last_count: Arc<LastCount>,
}

/// What the running process knows of itself, asked for each answer.
pub trait StatusSource: Send + Sync {
    /// For `GET /status`.
    fn live(&self) -> Live;

    /// For `GET /dns`; `None` where nothing runs.
    fn dns(&self) -> Option<DnsLive>;

    /// Has `_acme-challenge` below an apex say these tokens from now on, and no others.
    ///
    /// # Errors
    /// If nothing runs that could say them, or too many names have some.
    fn tell_challenge(&self, apex: &DomainName, tokens: Vec<AcmeToken>) -> Result<(), Refusal>;
}

impl Desk {
    pub(crate) async fn view(&self) -> Result<Arc<View>, Told> {
        self.ledger.view().await.map_err(|error| problem::of_store(&error))
    }

    /// Carries out a command, or says why not; a refusal has been recorded then.
    pub(crate) async fn execute(&self, command: Command, asker: Asker) -> Result<Executed, Told> {
        let needs_person = command.needs_person();
        let is_person = matches!(asker.actor, Actor::Person { .. });
        let executed =
            docket::run::execute_as(&self.ledger, &self.vault, command, (asker.actor, asker.roles), now()).await;
        executed.map_err(|error| problem::of_command(error, needs_person && !is_person))
    }

    /// Remembers a refusal that the docket never saw.
    pub(crate) async fn remember_refusal(&self, tried: &str, why: &str, actor: Actor) {
        let command = Command::Refuse { tried: tried.to_owned(), why: why.to_owned() };
        if let Err(error) = docket::execute(&self.ledger, &self.vault, command, actor, now()).await {
            tracing::error!(%error, tried, why, "a refusal could not be recorded; the disk may be full");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the desk's door")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
