//! Where the server is and who we are to it: a URL without a secret, and a password from a file.

use std::fmt;
use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use zeroize::Zeroizing;

/// Connections of one process, besides the one that listens. One would do; two let a person read while facts are appended.
pub const CONNECTIONS_MIN: u32 = 2;
pub const CONNECTIONS_MAX: u32 = 64;
const CONNECTIONS: u32 = 4;

/// The longest URL that is read, in octets.
const URL_OCTETS_MAX: usize = 2_048;

/// What may stand behind the `?`.
const PARAMETERS: [&str; 8] = ["host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// How to reach a ledger on PostgreSQL.
#[derive(Clone)]
pub struct Postgres {
    options: PgConnectOptions,
    shown: String,
    connections: u32,
}

/// Why a URL is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PostgresError {
    #[error("it does not begin with postgres:// or postgresql://")]
    Scheme,
    #[error("it holds a password, which whoever reads the configuration would read too")]
    Password,
    #[error("nobody knows the parameter {0:?} behind its question mark")]
    Parameter(String),
    #[error("it names no database, such as postgres:///bailiwick?host=/run/postgresql")]
    NoDatabase,
    #[error("it has more than {URL_OCTETS_MAX} octets")]
    Long,
    #[error("{0}")]
    Other(String),
}

impl Postgres {
    /// Reads `postgres://USER@HOST:PORT/DATABASE?…`. A server that is reached over a network is asked for a certificate
    /// that is valid for its name, unless the URL says otherwise (`sslmode`).
    pub fn parse(url: &str) -> Result<Self, PostgresError> {
        check(url)?;
        let mut options = PgConnectOptions::from_str(url).map_err(|error| PostgresError::Other(error.to_string()))?;
        if options.get_database().is_none() {
            return Err(PostgresError::NoDatabase);
        }
        if !url.contains("sslmode=") {
            let mode = if is_here(&options) { PgSslMode::Prefer } else { PgSslMode::VerifyFull };
            options = options.ssl_mode(mode);
        }
        Ok(Self { options, shown: url.to_owned(), connections: CONNECTIONS })
    }

    pub fn with_password(mut self, password: &Zeroizing<String>) -> Self {
        self.options = self.options.password(password);
        self
    }

    /// At most so many connections, from [`CONNECTIONS_MIN`] to [`CONNECTIONS_MAX`].
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
        self
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    pub(super) fn connections(&self) -> u32 {
        self.connections
    }
}

/// sqlx's own would show the password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({})", self.shown)
    }
}

/// The URL, in which no secret is.
impl fmt::Display for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// sqlx warns of a parameter that it does not know, and goes on: a misspelt `sslmode` would be no `sslmode`.
fn check(url: &str) -> Result<(), PostgresError> {
    if url.len() > URL_OCTETS_MAX {
        return Err(PostgresError::Long);
    }
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    let rest = rest.ok_or(PostgresError::Scheme)?;
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
        return Err(PostgresError::Password);
    }
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split('=').next().unwrap_or_default() {
            "password" => return Err(PostgresError::Password),
            name if PARAMETERS.contains(&name) => {}
            name => return Err(PostgresError::Parameter(name.to_owned())),
        }
    }
    Ok(())
}

/// Whether nothing between us and the server can be listened to.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_or_a_misspelling_in_a_url_is_refused() {
        let why = |url: &str| Postgres::parse(url).unwrap_err();
        assert_eq!(why("mysql://h/d"), PostgresError::Scheme);
        assert_eq!(why("postgres://ann:secret@h/d"), PostgresError::Password);
        assert_eq!(why("postgres://ann:@h/d"), PostgresError::Password);
        assert_eq!(why("postgres://h/d?password=secret"), PostgresError::Password);
        assert_eq!(why("postgres://h/d?ssl=on"), PostgresError::Parameter("ssl".into()));
        assert_eq!(why("postgres://h/d?options=-c%20fsync=off"), PostgresError::Parameter("options".into()));
        assert_eq!(why(&format!("postgres://h/{}", "d".repeat(URL_OCTETS_MAX))), PostgresError::Long);
        assert!(matches!(why("postgres://h/d?sslmode=perhaps"), PostgresError::Other(_)));
        assert!(matches!(why("postgres://h/d?port=many"), PostgresError::Other(_)));
    }

    #[test]
    fn a_server_far_away_shows_a_certificate_and_one_at_hand_need_not() {
        let mode = |url: &str| format!("{:?}", Postgres::parse(url).unwrap().options.get_ssl_mode());
        assert_eq!(mode("postgres:///bailiwick?host=/run/postgresql"), "Prefer");
        assert_eq!(mode("postgres://ann@localhost/bailiwick"), "Prefer");
        assert_eq!(mode("postgresql://ann@db.example.org:5433/bailiwick"), "VerifyFull");
        assert_eq!(mode("postgres://db.example.org/bailiwick?sslmode=require"), "Require");
    }

    #[test]
    fn no_password_is_ever_shown() {
        let secret = Zeroizing::new("hush-hush".to_owned());
        let settings = Postgres::parse("postgres://ann@localhost/bailiwick").unwrap().with_password(&secret);
        assert!(!format!("{settings:?} {settings}").contains("hush"));
        let held = settings.with_connections(1_000);
        assert_eq!(held.connections(), CONNECTIONS_MAX);
    }
}
