//! Block or detect: what a recipient is to do with a name follows from who holds it.
//!
//! A blocked victim never reaches us and is never told. So a name that we hold, seen to be delegated to us and
//! answered with recording, is let through and reported; everything else that the order lists is blocked.
//!
//! ```text
//! ours: collected, and verified at the parent          ──► detect
//! a kill switch, whoever holds it                      ──► detect
//! not ours yet, or never to be, or ours without record ──► block
//! ours once, and seen delegated elsewhere since        ──► block, until it is verified again
//! released, returned, handed back, order vacated       ──► withdraw
//! ```
//!
//! A resolver that blocks a kill switch is silent in our place, and silence lets the thing run: it is never blocked.

use model::order::OrderStatus;
use model::seizure::{Seizure, ServiceMode};
use serde::Serialize;

/// What a recipient is asked to do with a name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Block,
    /// Let it through and say who asked.
    Detect,
    /// Forget what was said of it: it belongs to somebody again.
    Withdraw,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Detect => "detect",
            Self::Withdraw => "withdraw",
        }
    }
}

/// What the case knows of who holds a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Custody {
    pub(crate) order: OrderStatus,
    pub(crate) seizure: Seizure,
    pub(crate) mode: Option<ServiceMode>,
    /// An exercise has no parent zone at which a delegation could be seen.
    pub(crate) exercise: bool,
    pub(crate) kill_switch: bool,
    /// The last look saw that the parent no longer delegates it to us, or an alarm says so.
    pub(crate) lost: bool,
}

impl Custody {
    /// What to do with the name; `None` as long as no authority has spoken: a list that leaks before the day warns
    /// the group.
    pub(crate) fn action(self) -> Option<Action> {
        let given_back = matches!(self.seizure, Seizure::Released | Seizure::Returned)
            || self.mode == Some(ServiceMode::Handback)
            || self.order == OrderStatus::Vacated;
        match self.order {
            OrderStatus::Draft => None,
            _ if given_back => Some(Action::Withdraw),
            _ if self.kill_switch || self.is_ours() => Some(Action::Detect),
            _ => Some(Action::Block),
        }
    }

    /// In `hold`, where a lapsed order puts its names, nothing is recorded: letting victims through would help nobody.
    fn is_ours(self) -> bool {
        self.order == OrderStatus::InForce
            && !self.lost
            && self.mode == Some(ServiceMode::Collect)
            && (self.exercise || self.seizure >= Seizure::Verified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_name_decides() {
        use OrderStatus::{Draft, InForce, Lapsed, Vacated};
        use Seizure::{Ordered, Returned, Sinkholed};
        use ServiceMode::{Collect, Handback, Hold, Off};
        for (order, seizure, mode, exercise, action) in [
            (Draft, Ordered, None, false, None),
            (Draft, Ordered, Some(Collect), true, None),
            (InForce, Ordered, None, false, Some(Action::Block)),
            (InForce, Ordered, Some(Collect), false, Some(Action::Block)),
            (InForce, Ordered, Some(Collect), true, Some(Action::Detect)),
            (InForce, Sinkholed, Some(Collect), false, Some(Action::Detect)),
            (InForce, Sinkholed, Some(Hold), false, Some(Action::Block)),
            (InForce, Sinkholed, Some(Off), false, Some(Action::Block)),
            (InForce, Sinkholed, Some(Handback), false, Some(Action::Withdraw)),
            (InForce, Returned, Some(Off), false, Some(Action::Withdraw)),
            (Lapsed, Sinkholed, Some(Hold), false, Some(Action::Block)),
            (Lapsed, Sinkholed, Some(Collect), true, Some(Action::Block)),
            (Vacated, Sinkholed, Some(Collect), false, Some(Action::Withdraw)),
        ] {
            let custody = Custody { order, seizure, mode, exercise, kill_switch: false, lost: false };
            assert_eq!(custody.action(), action, "{custody:?}");
            let lost = action.map(|action| if action == Action::Detect { Action::Block } else { action });
            assert_eq!(Custody { lost: true, ..custody }.action(), lost, "{custody:?}, lost");
            assert_eq!(Custody { lost: true, kill_switch: true, ..custody }.action(), lost.map(unless_blocked));
            assert_eq!(Custody { kill_switch: true, ..custody }.action(), action.map(unless_blocked), "{custody:?}");
        }
    }

    fn unless_blocked(action: Action) -> Action {
        if action == Action::Block { Action::Detect } else { action }
    }
}
