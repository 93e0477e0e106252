//! Which folders of a case left the house: the view's side.

use model::Timestamp;
use model::fact::{Actor, Fact};
use model::id::Position;
use model::leaving::Leaving;

use super::CaseView;

/// A folder that somebody took out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeavingView {
    pub folder: Leaving,
    pub by: Actor,
    /// The fact that says so.
    pub at: Position,
    pub left: Timestamp,
}

impl CaseView {
    pub(super) fn leave(&mut self, folder: &Leaving, fact: &Fact) {
        let (by, at, left) = (fact.actor.clone(), fact.position, fact.time);
        self.left.push(LeavingView { folder: folder.clone(), by, at, left });
    }
}
