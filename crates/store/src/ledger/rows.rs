//! A fact as a row: the whole of it as canonical JSON, the salt, and the commitment over both.
//!
//! The commitment is over the octets that lie in the row. Whoever checks it hashes those and writes nothing anew.

use model::Digest;
use model::digest::canonical_json;
use model::fact::Fact;
use model::time::to_nanos;
use serde::Deserialize;

use super::{Error, as_i64, damaged};
use crate::db::{Row, Value};

/// What is written of a fact.
pub(super) struct FactRow {
    pub(super) position: i64,
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

    pub(super) fn values(&self) -> [Value; 7] {
        [
            self.position.into(),
            self.version.into(),
            self.time.into(),
            self.kind.clone().into(),
            self.salt[..].into(),
            self.commitment.0[..].into(),
            self.body.clone().into(),
        ]
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
pub(super) fn read(row: &Row) -> Result<Fact, Error> {
    let position = row.number("position");
    let wrong = |what: &str| damaged(&format!("fact {position} {what}"));
    let body = row.octets("body");
    let salt: [u8; 32] = row.octets("salt").try_into().map_err(|_| wrong("has a salt of another length"))?;
    if Fact::commitment_over(&salt, body).0 != row.octets("commitment") {
        return Err(wrong("does not have the commitment that was made for it"));
    }
    let fact: Fact = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
    if fact.position.0 == position.cast_unsigned() { Ok(fact) } else { Err(wrong("says that it is another")) }
}
