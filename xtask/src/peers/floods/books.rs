//! What the journal's own books say after a flood.

use std::fmt;

use serde_json::Value;

use super::flood::Flood;
use crate::Done;
use crate::tally::holds;

/// The sums of all DNS listeners over UDP, and the questions that lie on the disk.
pub(super) struct Books {
    listeners: Vec<Value>,
    pub(super) queries: u64,
    /// Questions that were asked beside the flood.
    pub(super) beside: u64,
}

impl Books {
    pub(super) fn of_journal(counted: &Value, beside: u64) -> Self {
        let all = counted["listeners"].as_object();
        let listeners = all.into_iter().flatten().filter(|(name, _)| name.starts_with("dns-udp"));
        let listeners = listeners.map(|(_, tally)| tally.clone()).collect();
        Self { listeners, queries: counted["by_protocol"]["dns-udp"].as_u64().unwrap_or_default(), beside }
    }

    pub(super) fn of(&self, part: &str, field: &str) -> u64 {
        self.listeners.iter().filter_map(|tally| tally[part][field].as_u64()).sum()
    }

    pub(super) fn of_all(&self, field: &str) -> u64 {
        self.listeners.iter().filter_map(|tally| tally[field].as_u64()).sum()
    }

    pub(super) fn shed(&self) -> u64 {
        self.listeners.iter().map(shed_of).sum()
    }

    /// The equation's left side for one listener.
    pub(super) fn offered_of(tally: &Value) -> u64 {
        let terms = ["recorded", "collapsed", "lost_in_kernel"].map(|term| tally[term].as_u64().unwrap_or_default());
        terms.iter().sum::<u64>() + shed_of(tally)
    }

    fn offered(&self) -> u64 {
        self.of_all("recorded") + self.of_all("collapsed") + self.shed() + self.of_all("lost_in_kernel")
    }

    /// Everything that was sent stands in one of the terms. The kernel's count only grows, so that one reading of it that
    /// failed is made good by the next.
    pub(super) fn balance(&self, flood: &Flood) -> Done {
        let (sent, offered) = (flood.sent + self.beside, self.offered());
        let unread = self.of_all("loss_unknown");
        holds(sent == offered, || format!("{sent} sent, {offered} offered, {unread} readings failed; {self}"))
    }

    /// Where nothing could be written an answer was still given, and counted.
    pub(super) fn has_or_counts_all_answers(&self, flood: &Flood) -> Done {
        holds(flood.answered <= self.queries + self.shed(), || format!("{flood}; {self}"))
    }

    /// Where nothing collapses each answer has a question on the disk.
    pub(super) fn has_all_answers(&self, flood: &Flood) -> Done {
        holds(flood.answered > 0 && flood.answered <= self.queries, || format!("{flood}; {self}"))
    }
}

fn shed_of(tally: &Value) -> u64 {
    tally["shed"].as_object().map_or(0, |reasons| reasons.values().filter_map(Value::as_u64).sum())
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} offered = {} recorded + {} collapsed + {} shed + {} lost in the kernel; {} on the disk",
            self.offered(),
            self.of_all("recorded"),
            self.of_all("collapsed"),
            self.shed(),
            self.of_all("lost_in_kernel"),
            self.queries,
        )
    }
}
