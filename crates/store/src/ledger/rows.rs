//! A fact as a row: the whole of it as canonical JSON, the salt, and the commitment over both.
//!
//! The commitment is over the octets that lie in the row. Whoever checks it hashes those and writes nothing anew.

use model::Digest;
use model::digest::canonical_json;
use model::fact::Fact;
use model::time::to_nanos;
use serde::Deserialize;
use sqlx::query_builder::Separated;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use super::{Error, as_i64, damaged};

/// What is written of a fact.
pub(super) struct FactRow {
    position: i64,
    version: i64,
    time: i64,
    kind: String,
    salt: [u8; 32],
    pub(super) commitment: Digest,
    body: Vec<u8>,
}

impl FactRow {
    /// With a salt of its own.
    pub(super) fn of(fact: &Fact) -> Result<Self, Error> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(Error::Random)?;
        let body = canonical_json(fact);
        Ok(Self {
            position: as_i64(fact.position.0),
            version: i64::from(fact.version),
            time: to_nanos(fact.time),
            kind: kind(&body).expect("a body is tagged by `fact`"),
            commitment: Fact::commitment_over(&salt, &body),
            salt,
            body,
        })
    }

    pub(super) fn bind(&self, values: &mut Separated<'_, Sqlite, &'static str>) {
        values
            .push_bind(self.position)
            .push_bind(self.version)
            .push_bind(self.time)
            .push_bind(self.kind.clone())
            .push_bind(self.salt.to_vec())
            .push_bind(self.commitment.0.to_vec())
            .push_bind(self.body.clone());
    }
}

/// The tag under which a fact's body is serialized.
fn kind(fact: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Tagged {
        body: Tag,
    }
    #[derive(Deserialize)]
    struct Tag {
        fact: String,
    }
    serde_json::from_slice::<Tagged>(fact).ok().map(|tagged| tagged.body.fact)
}

/// A fact of a row that has its place and its commitment.
pub(super) fn read(row: &SqliteRow) -> Result<Fact, Error> {
    let position: i64 = row.get("position");
    let wrong = |what: &str| damaged(&format!("fact {position} {what}"));
    let body: &[u8] = row.get("body");
    let salt: [u8; 32] = row.get::<&[u8], _>("salt").try_into().map_err(|_| wrong("has a salt of another length"))?;
    if Fact::commitment_over(&salt, body).0 != row.get::<&[u8], _>("commitment") {
        return Err(wrong("does not have the commitment that was made for it"));
    }
    let fact: Fact = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
    if fact.position.0 == position.cast_unsigned() { Ok(fact) } else { Err(wrong("says that it is another")) }
}
