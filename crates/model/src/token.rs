//! A token for a program: one person's, with a name, an end, and no more roles than that person has.
//!
//! It stands beside the token by which the person was enrolled. Of either only the digest is kept.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{PersonId, TokenName};
use crate::person::Role;
use crate::time::Timestamp;

/// A token as the ledger knows it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    pub person: PersonId,
    pub name: TokenName,
    /// In which of the person's roles whoever shows it may act.
    pub roles: BTreeSet<Role>,
    /// From this instant on it is nobody's.
    pub expires: Timestamp,
    /// The SHA-256 of 256 random bits: it needs no salt and no stretching.
    pub token: Digest,
}
