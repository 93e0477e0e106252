//! Execution day: what was compiled for whom, when it was sent, and who answered.
//!
//! An actor is a registrar, a registry or a provider, by the id that the operator's table of actors gives them. Instants are
//! copied from the letter and from the answer; nothing here is computed.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::OrderId;
use crate::time::Timestamp;

/// An appendix left the house's memory for a folder. Its manifest and the table of actors, which lies in the vault, say
/// which names each actor got.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compilation {
    /// Of the manifest, which names every file.
    pub manifest: Digest,
    /// The operator's table of actors, verbatim.
    pub actors: Digest,
    pub names: u64,
    pub files: u64,
    pub octets: u64,
    /// Items of the checklist that nobody stated, over all actors.
    pub open: u64,
}

/// One actor's share was sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    pub order: OrderId,
    pub actor: String,
    pub sent: Timestamp,
    /// By when the paper wants it done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The manifest under which the share stands.
    pub manifest: Digest,
    pub names: u64,
}

/// An actor answered.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    pub order: OrderId,
    pub actor: String,
    pub answered: Timestamp,
    /// What they said: a ticket's number, a refusal.
    pub said: String,
    /// They will not do it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}
