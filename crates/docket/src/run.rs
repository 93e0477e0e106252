//! The door of the docket: load what stands, decide, append; and decide again if somebody was faster.
//!
//! Order of writes: a file is in the vault, synced, before the fact that names it. A refusal is a fact too.

use std::collections::BTreeSet;

use model::fact::{Actor, Body, Draft, Fact};
use model::person::Role;
use model::{Refusal, Timestamp};
use store::ledger::{AppendError, Ledger};
use store::vault::Vault;

use crate::command::Command;
use crate::decide::{Done, decide_as};

/// How often a command is decided again because somebody else appended in between.
pub const TRIES_MAX: usize = 8;

/// What was done, and the facts that say so.
#[derive(Clone, Debug)]
pub struct Executed {
    pub done: Done,
    pub facts: Vec<Fact>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The law said no; that is recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the ledger was written by somebody else {TRIES_MAX} times in a row")]
    Contended,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Carries out a command, or records why not.
pub async fn execute(
    ledger: &Ledger,
    vault: &Vault,
    command: Command,
    actor: Actor,
    now: Timestamp,
) -> Result<Executed, ExecuteError> {
    execute_as(ledger, vault, command, (actor, None), now).await
}

/// The same for whoever shows a token that has only some of a person's roles.
pub async fn execute_as(
    ledger: &Ledger,
    vault: &Vault,
    command: Command,
    (actor, roles): (Actor, Option<BTreeSet<Role>>),
    now: Timestamp,
) -> Result<Executed, ExecuteError> {
    until_appended(|| attempt(ledger, vault, &command, (&actor, roles.as_ref()), now)).await
}

/// Tries until an attempt comes to something; one that lost a race comes to `None`.
async fn until_appended<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ExecuteError>
where
    F: Future<Output = Result<Option<T>, ExecuteError>>,
{
    for _ in 0..TRIES_MAX {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(ExecuteError::Contended)
}

async fn attempt(
    ledger: &Ledger,
    vault: &Vault,
    command: &Command,
    (actor, roles): (&Actor, Option<&BTreeSet<Role>>),
    now: Timestamp,
) -> Result<Option<Executed>, ExecuteError> {
    let view = ledger.view().await?;
    let decision = match decide_as(&view, command, actor, roles, now) {
        Ok(decision) => decision,
        Err(refusal) => return Err(record(ledger, command, actor.clone(), refusal, now).await),
    };
    if decision.drafts.is_empty() {
        return Ok(Some(Executed { done: decision.done, facts: Vec::new() }));
    }
    keep_file(vault, command)?;
    match ledger.append(Some(view.next), decision.drafts, decision.named_sets, now).await {
        Ok(facts) => Ok(Some(Executed { done: decision.done, facts })),
        Err(AppendError::Conflict { .. }) => Ok(None),
        Err(AppendError::Store(error)) => Err(error.into()),
    }
}

/// Puts the file that the command brings into the vault. The same file twice is one.
fn keep_file(vault: &Vault, command: &Command) -> Result<(), store::Error> {
    match command {
        Command::ImportCase { text, .. } | Command::AmendOrder { text, .. } => vault.put(text.as_bytes()).map(drop),
        Command::ImportKnowledge { octets, .. }
        | Command::CaptureRecords { octets, .. }
        | Command::TakeObservations { octets, .. }
        | Command::TakeCertificates { octets, .. }
        | Command::HoldPostMortem { octets, .. }
        | Command::FilePaper { octets, .. }
        | Command::RecordVerification { octets, .. }
        | Command::AttestCheck { octets, .. } => vault.put(octets).map(drop),
        Command::RecordGate { report, .. } => vault.put(report).map(drop),
        Command::KeepExhibit { octets, .. } | Command::StampExhibit { octets, .. } => vault.put(octets).map(drop),
        Command::MakeReport { letter, xarf, .. } => {
            vault.put(letter.as_bytes())?;
            vault.put(xarf.as_bytes()).map(drop)
        }
        Command::RecordReturn { files, .. } => files.iter().try_for_each(|file| vault.put(file).map(drop)),
        Command::NoteSending { message: Some(message), .. } => vault.put(message).map(drop),
        _ => Ok(()),
    }
}

async fn record(ledger: &Ledger, command: &Command, actor: Actor, refusal: Refusal, now: Timestamp) -> ExecuteError {
    if let Some(detail) = &refusal.detail {
        tracing::warn!(%detail, "refused, and whoever asked was not told why");
    }
    let body = Body::Refused { tried: command.tried(), why: refusal.what.clone() };
    match ledger.append(None, vec![Draft::new(actor, body)], Vec::new(), now).await {
        Ok(_) => ExecuteError::Refused(refusal),
        Err(AppendError::Store(error)) => ExecuteError::Store(error),
        Err(AppendError::Conflict { .. }) => ExecuteError::Contended,
    }
}

#[cfg(test)]
mod tests;
