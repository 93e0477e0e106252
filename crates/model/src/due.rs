//! Dates that nobody has signed: a date that was computed is a proposal with its rule, until counsel confirms it.
//!
//! What a rule comes to is reckoned in room `docket`; here stands which rules there are, and what a proposal and its
//! confirmation say in the ledger.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::OrderId;
use crate::moment::PaperTime;
use crate::time::Date;

/// The longest name of a date, in octets.
pub const WHAT_OCTETS_MAX: usize = 64;

/// By what a date was computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Rule {
    /// A temporary restraining order without notice ends 14 days after its entry at the latest.
    #[serde(rename = "frcp-65b2")]
    Frcp65b2,
    /// The court may extend it for a like period: 28 days in all, unless the other side agrees to more.
    #[serde(rename = "frcp-65b2-extended")]
    Frcp65b2Extended,
    /// So many days after that day, which is not counted.
    Days { from: Date, days: u16 },
    /// So many days after that day that are neither weekend nor a holiday of the United States.
    BusinessDays { from: Date, days: u16 },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frcp65b2 => f.write_str("Fed. R. Civ. P. 65(b)(2), 6(a)(1): at most 14 days after the entry"),
            Self::Frcp65b2Extended => f.write_str(
                "Fed. R. Civ. P. 65(b)(2), 6(a)(1): 28 days after the entry, if extended before for good cause",
            ),
            Self::Days { from, days } => write!(f, "{days} days after {from}"),
            Self::BusinessDays { from, days } => {
                write!(f, "{days} days after {from} without weekends and U.S. federal holidays")
            }
        }
    }
}

/// Somebody computed a date.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateProposal {
    pub order: OrderId,
    /// `objection-window`
    pub what: String,
    pub by: Rule,
    pub date: Date,
}

/// Counsel has looked: this is the date.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateConfirmation {
    pub order: OrderId,
    pub what: String,
    pub by: Rule,
    /// What the rule came to.
    pub proposed: Date,
    /// What counsel says: the same, or what the paper says instead.
    pub date: PaperTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
