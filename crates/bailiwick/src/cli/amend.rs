//! `case amend`, `case objection` and `case withdraw-amendment`, as clap reads them.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use model::id::{CaseId, OrderId};

use super::{JsonArgs, WhoArgs};

/// What a later paper changes in an order.
#[derive(Subcommand)]
pub(crate) enum AmendCommand {
    /// Take an amended or supplemental order, as a difference to the order as it stands. What only narrows has its effect at
    /// once, by one person, and a second one confirms it within a day; what widens waits for two people, a clean gate and the
    /// monitor's window, and until then the order stands as it was.
    Amend {
        case: CaseId,
        /// The amendment: `[amendment]`, `[[add]]`, `[[remove]]`, `[[change]]`; docs/guide/amend.md says how.
        file: PathBuf,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Record, as counsel, what the court's monitor said of names that shall come into an order. An objection ends the
    /// amendment.
    Objection {
        case: CaseId,
        said: MonitorSaid,
        #[arg(long)]
        order: OrderId,
        /// How and when the monitor said so.
        #[arg(long, value_name = "TEXT")]
        note: String,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Take back an amendment that has no effect yet. One person.
    WithdrawAmendment {
        case: CaseId,
        #[arg(long)]
        order: OrderId,
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum MonitorSaid {
    /// The monitor does not object: the names may come in before the window is past.
    None,
    /// The monitor objects.
    Raised,
}
