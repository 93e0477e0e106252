//! What the doctor says of a database that others keep: whether it answers, and whether it keeps what it acknowledges.

use store::Database;
use store::db::postgres::{self, Examined};

use super::Finding;
use crate::config::Config;

const ABOUT: &str = "ledger's database";

/// Nothing, where the ledger is a file of the data folder.
pub(super) fn examine(config: &Config) -> Option<Finding> {
    let server = match config.ledger.database() {
        Ok(Database::Folder) => return None,
        Ok(Database::Postgres(server)) => server,
        Err(failure) => {
            return Some(Finding::wrong(ABOUT, failure.message(), failure.what_to_do().unwrap_or_default()));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let examined = runtime.map(|runtime| runtime.block_on(postgres::examine(&server)));
    Some(match examined {
        Err(error) => Finding::wrong(ABOUT, format!("starting a runtime: {error}"), "look at this machine's memory"),
        Ok(Err(error)) => {
            let found = crate::failure::Failure::of(&server, &error);
            let hint = error.hint().unwrap_or("docs/guide/postgresql.md says what the server needs");
            Finding::wrong(ABOUT, found.message(), hint)
        }
        Ok(Ok(examined)) => found(&server.to_string(), &examined),
    })
}

fn found(place: &str, Examined { version, unsafe_settings, facts }: &Examined) -> Finding {
    let facts = facts.map_or("no ledger yet".to_owned(), |facts| format!("{facts} facts"));
    let found = format!("PostgreSQL {version} at {place}, {facts}");
    match unsafe_settings.is_empty() {
        true => Finding::holds(ABOUT, found),
        false => Finding::wrong(
            ABOUT,
            format!("{found}; off: {}", unsafe_settings.join(", ")),
            "turn them on in postgresql.conf: without them a loss of power takes facts that were acknowledged",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_server_that_does_not_sync_is_wrong() {
        let sound = Examined { version: "15.20".into(), unsafe_settings: Vec::new(), facts: Some(7) };
        let finding = found("postgres:///b", &sound);
        assert_eq!((finding.state, finding.found.contains("7 facts")), (State::Holds, true));
        let finding = found("postgres:///b", &Examined { unsafe_settings: vec!["fsync".into()], ..sound });
        assert!(finding.state == State::Wrong && finding.found.contains("off: fsync"), "{finding:?}");
    }
}
