//! People, their roles, and the token by which one of them acts.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::PersonId;

/// What a person may do. Admin alone can neither seize nor release.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Admin,
    Analyst,
    Auditor,
    Investigator,
    Legal,
    Operator,
    Partner,
}

impl Role {
    pub const ALL: [Self; 7] =
        [Self::Admin, Self::Analyst, Self::Auditor, Self::Investigator, Self::Legal, Self::Operator, Self::Partner];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Investigator => "investigator",
            Self::Legal => "legal",
            Self::Operator => "operator",
            Self::Partner => "partner",
        }
    }

    /// Whether this role may be one of the two that approve what widens.
    pub fn may_approve(self) -> bool {
        matches!(self, Self::Investigator | Self::Legal | Self::Operator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A person as the ledger knows them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: PersonId,
    pub roles: BTreeSet<Role>,
    /// The SHA-256 of the person's token. A token is 256 random bits, so the digest needs no salt and no stretching.
    pub token: Digest,
    /// A demo's person, whose token is public: an approval by one counts for exercises only.
    pub fixture: bool,
}

impl Person {
    /// Whether `token` is this person's. Digests are compared, so the time taken tells nothing about the token.
    pub fn holds(&self, token: &str) -> bool {
        Digest::of_bytes(token.trim().as_bytes()) == self.token
    }
}
