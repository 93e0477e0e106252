//! The appendix and execution day on the API.

use std::path::PathBuf;

pub use docket::appendix::run::{Compiled, Handed};
use model::Timestamp;
use model::id::{CaseId, OrderId, PersonId};
use model::name::DomainName;
use serde::{Deserialize, Serialize};

/// `POST /cases/{id}/appendix`, by the machine's user.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppendixRequest {
    /// A new folder on the machine that answers, from the root.
    pub into: PathBuf,
    /// The table of actors, as its file says it; empty: the registries that the case file names.
    #[serde(default)]
    pub actors: String,
    /// Beside the whole, what came in and what left for each actor since they were sent their share.
    #[serde(default)]
    pub difference: bool,
}

/// `POST /cases/{id}/dispatches`, by a person's token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentRequest {
    pub actor: String,
    /// Needed where the actor has names of several orders.
    #[serde(default)]
    pub order: Option<OrderId>,
    /// Now, if not said.
    #[serde(default)]
    pub sent: Option<Timestamp>,
    #[serde(default)]
    pub due: Option<Timestamp>,
}

/// `POST /cases/{id}/acknowledgements`, by a person's token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AckedRequest {
    pub actor: String,
    #[serde(default)]
    pub order: Option<OrderId>,
    #[serde(default)]
    pub answered: Option<Timestamp>,
    pub said: String,
    /// They will not do it: it gives alarm.
    #[serde(default)]
    pub refused: bool,
}

/// `GET /cases/{id}/board`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Board {
    pub case: CaseId,
    pub now: Timestamp,
    /// When the appendix that stands was compiled.
    pub compiled: Timestamp,
    pub rows: Vec<BoardRow>,
    /// Items of the checklist that nobody stated, over all actors.
    pub open: u64,
    /// Names that went back, which are in no row any more: how far each is, the first hundred.
    #[serde(default)]
    pub returned: Vec<docket::returning::Progress>,
    #[serde(default)]
    pub returned_in_all: u64,
}

/// One actor under one order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BoardRow {
    pub order: OrderId,
    pub actor: String,
    pub called: String,
    /// How they are reached; `None`: nobody has said it.
    pub contact: Option<String>,
    pub names: u64,
    /// Of those, how many our servers have to answer for.
    pub redirected: u64,
    pub sent: Option<Timestamp>,
    pub by: Option<PersonId>,
    pub due: Option<Timestamp>,
    pub acknowledged: Option<Timestamp>,
    pub said: Option<String>,
    /// Redirected names of which some, and of which all, parent servers were seen to delegate to us.
    pub partial: u64,
    pub delegated: u64,
    /// When somebody first called for one of its names after the sending; `None`: nobody, or nobody could be asked.
    pub first_contact: Option<Timestamp>,
    pub late: bool,
}

/// `GET /cases/{id}/ready`: what the memory can say before anything is sent; the rest is asked of the servers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReadyTold {
    pub checks: Vec<ReadyCheck>,
    /// The names that are redirected, for whoever asks the servers.
    pub zones: Vec<DomainName>,
    /// By actor: the folder's plans hold the steps that undo it.
    pub reverse: Vec<ReverseTold>,
}

/// One line before execution day.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReadyCheck {
    pub what: String,
    pub verdict: ReadyVerdict,
    pub seen: String,
}

/// Whether it is ready; what nobody can say is never taken for a yes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadyVerdict {
    Holds,
    Fails,
    NotKnown,
}

/// How the names of one plan of an actor go back.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReverseTold {
    pub order: OrderId,
    pub actor: String,
    pub outcome: String,
    pub names: u64,
    pub steps: Vec<String>,
}
