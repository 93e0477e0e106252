//! The quiet task that keeps the watch: what the clock brings about becomes facts, authorities that end and alarms alike.
//!
//! It looks at every fact and every few seconds. While nothing changes nothing is written; several cores on one ledger
//! write it once, because what is there already is not written again.

use std::sync::Arc;

use docket::Command;
use model::fact::Actor;
use store::Ledger;
use store::vault::Vault;
use tokio::sync::watch;

use super::{is_woken, now};

pub(super) async fn follow(ledger: Ledger, vault: Arc<Vault>, mut stopped: watch::Receiver<bool>) {
    let mut changed = ledger.changed();
    loop {
        look(&ledger, &vault).await;
        if !is_woken(&mut changed, &mut stopped).await {
            return;
        }
    }
}

async fn look(ledger: &Ledger, vault: &Vault) {
    let actor = Actor::Room { name: "watch".into() };
    match docket::execute(ledger, vault, Command::KeepWatch, actor, now()).await {
        Ok(executed) if executed.facts.is_empty() => {}
        Ok(executed) => {
            tracing::warn!(facts = executed.facts.len(), "the watch has news; `bailiwick alarm list` shows it");
        }
        Err(error) => tracing::error!(%error, "the watch could not be kept; it is tried again within seconds"),
    }
}
