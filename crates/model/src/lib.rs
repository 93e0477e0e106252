//! The words and the law: what exists in a takedown, and what may follow from what.
//!
//! Values only: no clock, no disk, no sockets, no async. Time comes in as `now`, salts as bytes. Every other room
//! speaks in these words, so this is the place to learn the trade from: start with [`order`] (what an authority
//! allows), [`contact`] (what came in) and [`fact`] (what somebody did).
//!
//! What is deliberately absent: protocols (room `wire`), storage (room `store`), and decisions (room `docket`). A
//! state machine lives here with its `apply`, so that folding facts needs no room above `store`.

pub mod address;
pub mod alarm;
pub mod amendment;
pub mod answers;
pub mod approval;
pub mod case;
pub mod check;
pub mod contact;
pub mod digest;
pub mod due;
pub mod evidence;
pub mod execution;
pub mod fact;
pub mod frame;
pub mod gate;
pub mod group;
pub mod id;
pub mod leaving;
pub mod marking;
pub mod moment;
pub mod name;
pub mod notification;
pub mod observation;
pub mod order;
pub mod outcome;
pub mod paper;
pub mod person;
pub mod privacy;
pub mod returning;
pub mod segment;
pub mod seizure;
pub mod spelling;
pub mod suspect;
pub mod tally;
pub mod time;
pub mod token;
pub mod verdict;
pub mod visit;

pub use digest::Digest;
pub use name::DomainName;
pub use time::Timestamp;

/// Why the law says no: a document, date, role or approval that is missing, in words for the person who asked.
///
/// A refusal is not an error of ours. It is shown to whoever asked, and recorded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// What was refused and why, in one sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What whoever asked may not know. It is logged for the machine's user, and stands in no answer and no fact.
    pub detail: Option<String>,
}

impl Refusal {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, detail: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
