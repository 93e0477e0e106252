//! `[ledger]`: where the log of facts lies, and what it is called where others read its checkpoints.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::db::postgres::{CONNECTIONS_MAX, CONNECTIONS_MIN, PostgresError};
use store::log::{ORIGIN_OCTETS_MAX, is_origin};
use store::{Database, Postgres};
use zeroize::Zeroizing;

use crate::failure::{Failure, Tried};

/// The longest password that is read.
const PASSWORD_OCTETS_MAX: u64 = 1_024;
/// What a file's mode gives to everybody.
const OTHERS: u32 = 0o007;

/// The log's own name, given to its key when that is made, and its database.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ledger {
    /// `None`: called after its key.
    pub(crate) origin: Option<String>,
    /// `None`: a file in the data folder.
    database: Option<String>,
    password_file: Option<PathBuf>,
    connections: u32,
    /// Whether this process has the key that signs checkpoints.
    pub(crate) signs: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { origin: None, database: None, password_file: None, connections: 4, signs: true }
    }
}

impl Ledger {
    /// Relative paths begin at the configuration's folder.
    pub(super) fn resolve(mut self, base: &Path) -> Self {
        self.password_file = self.password_file.map(|file| base.join(file));
        self
    }

    /// Reads no file and reaches no server.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if let Some(origin) = self.origin.as_ref().filter(|origin| !is_origin(origin)) {
            return Err(Failure::new(format!("`ledger.origin` is {origin:?}")).hint(format!(
                "give 1 to {ORIGIN_OCTETS_MAX} octets without space and plus, such as log.example.org/sinkhole"
            )));
        }
        if !(CONNECTIONS_MIN..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(Failure::new(format!("`ledger.connections` is {}", self.connections))
                .hint(format!("{CONNECTIONS_MIN} to {CONNECTIONS_MAX}; the server has to have room for all of them")));
        }
        match &self.database {
            Some(url) => Postgres::parse(url).map(|_| ()).map_err(|error| of_url(&error)),
            None if self.password_file.is_some() || !self.signs => {
                Err(Failure::new("`ledger.password_file` and `ledger.signs = false` are for a database that is shared")
                    .hint("name it in `ledger.database`, or leave both out"))
            }
            None => Ok(()),
        }
    }

    /// Where the ledger lies, for people; no secret is in it.
    pub(crate) fn place(&self) -> &str {
        self.database.as_deref().unwrap_or("SQLite, in the data folder")
    }

    /// Where the ledger lies, with the password from its file.
    pub(crate) fn database(&self) -> Result<Database, Failure> {
        let Some(url) = &self.database else { return Ok(Database::Folder) };
        let server = Postgres::parse(url).map_err(|error| of_url(&error))?.with_connections(self.connections);
        let server = match &self.password_file {
            Some(file) => server.with_password(&password(file)?),
            None => server,
        };
        Ok(Database::Postgres(Box::new(server)))
    }
}

fn of_url(error: &PostgresError) -> Failure {
    let failure = Failure::new(format!("`ledger.database` is not understood: {error}"));
    match error {
        PostgresError::Password => failure
            .hint("put the password alone into a file that only we can read, and name it in `ledger.password_file`"),
        _ => failure.hint("such as \"postgres:///bailiwick?host=/run/postgresql\"; docs/guide/postgresql.md"),
    }
}

/// One line. What it holds is never part of a message.
fn password(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let shown = file.display();
    let reading = || format!("reading the database's password in {shown}");
    let about = std::fs::metadata(file).tried(reading())?;
    if about.permissions().mode() & OTHERS != 0 {
        return Err(
            Failure::new(format!("everybody on this machine can read {shown}")).hint(format!("chmod 600 {shown}"))
        );
    }
    if about.len() > PASSWORD_OCTETS_MAX {
        return Err(Failure::new(format!("{shown} has {} octets; at most {PASSWORD_OCTETS_MAX}", about.len())));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).tried(reading())?);
    match text.trim_end_matches(['\r', '\n']) {
        line if line.is_empty() || line.contains(['\n', '\0']) => {
            Err(Failure::new(format!("{shown} is no file of a password")).hint("it has one line, the password"))
        }
        line => Ok(Zeroizing::new(line.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(database: &str) -> Ledger {
        Ledger { database: Some(database.into()), ..Ledger::default() }
    }

    #[test]
    fn a_name_that_no_checkpoint_could_carry_is_refused() {
        let check = |origin: &str| Ledger { origin: Some(origin.into()), ..Ledger::default() }.check();
        assert!(check("log.example.org/sinkhole").is_ok() && check(&"a".repeat(ORIGIN_OCTETS_MAX)).is_ok());
        for wrong in ["", "a b", "a+b", &"a".repeat(ORIGIN_OCTETS_MAX + 1)] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        assert!(on("postgres:///bailiwick?host=/run/postgresql").check().is_ok());
        let refused = format!("{:?}", on("postgres://ann:hush-hush@db.example.org/bailiwick").check().unwrap_err());
        assert!(refused.contains("ledger.password_file") && !refused.contains("hush"), "{refused}");
        let few = Ledger { connections: CONNECTIONS_MIN - 1, ..on("postgres:///b") };
        let many = Ledger { connections: CONNECTIONS_MAX + 1, ..on("postgres:///b") };
        let idle = Ledger { signs: false, ..Ledger::default() };
        assert!(few.check().is_err() && many.check().is_err() && idle.check().is_err());
    }

    #[test]
    fn a_password_is_one_line_of_a_file_that_is_closed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        for (text, is_good) in [("hush\n", true), ("two words", true), ("", false), ("a\nb\n", false)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(password(file.path()).is_ok(), is_good, "{text:?}");
        }
        std::fs::write(&file, "hush\n").unwrap();
        mode(0o644);
        let refused = format!("{:?}", password(file.path()).unwrap_err());
        assert!(refused.contains("chmod 600") && !refused.contains("hush"), "{refused}");
        mode(0o600);
        std::fs::write(&file, "a".repeat(2_000)).unwrap();
        assert!(password(file.path()).is_err());
    }
}
