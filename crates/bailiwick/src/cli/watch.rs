//! `case due`, `case confirm`, `case date`, `case post-mortem`, `alarm` and `custody`, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::id::{CaseId, OrderId};
use model::moment::PaperTime;
use model::time::Date;

use super::report::AskerArgs;
use super::{JsonArgs, WhoArgs};

/// What `bailiwick case` says of days and hours.
#[derive(Subcommand)]
pub(crate) enum CaseWatchCommand {
    /// What must happen by when: papers' dates, what waits for people, and dates that somebody counted by a rule.
    Due {
        /// Only this case; all that you may see if not given.
        case: Option<CaseId>,
        #[command(flatten)]
        asker: AskerArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Confirm, as a second person, what somebody else narrowed. Within a day; then it gives alarm.
    Confirm {
        case: CaseId,
        /// Only this one, by its number in `case due`; otherwise all that wait and that are not your own.
        #[arg(long, value_name = "NUMBER")]
        narrowing: Option<u64>,
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Dates that are counted by a rule: propose one, or confirm one as counsel.
    #[command(subcommand)]
    Date(DateCommand),
    /// Look back, so many days after the names were served first: what still calls, what gave alarm, what was learned, what
    /// was missed.
    PostMortem {
        case: CaseId,
        /// 7, 30 or 90 as a rule; `case due` names them.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_650))]
        days: u16,
        /// Keep the report in the vault and say that somebody has looked back; it takes a person.
        #[arg(long, requires = "person")]
        hold: bool,
        #[command(flatten)]
        asker: AskerArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum DateCommand {
    /// Count a date. It is a proposal with its rule, until counsel confirms it.
    Propose {
        case: CaseId,
        #[arg(long)]
        order: OrderId,
        /// What the date is of, in small letters: `objection-window`.
        #[arg(long, value_name = "NAME")]
        what: String,
        /// The day of the event, which is not counted: `2026-11-28`.
        #[arg(long, value_name = "DATE")]
        from: Date,
        #[arg(long)]
        days: u16,
        /// Do not count weekends and U.S. federal holidays.
        #[arg(long)]
        business: bool,
        #[command(flatten)]
        asker: AskerArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Confirm a date that was counted. It takes the role legal.
    Confirm {
        case: CaseId,
        #[arg(long)]
        order: OrderId,
        /// As `case due` calls it: `frcp-65b2`.
        #[arg(long, value_name = "NAME")]
        what: String,
        /// What the paper says, where that is not what the rule comes to: `2019-03-29`, or `2019-03-29T17:00:00-04:00`.
        #[arg(long, value_name = "DATE", requires = "note")]
        date: Option<PaperTime>,
        /// Why: which paper or rule says so.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum AlarmCommand {
    /// Alarms that stand, each with its reason.
    List {
        /// Only of this case.
        #[arg(long)]
        case: Option<CaseId>,
        /// Those that have ended, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        asker: AskerArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Say that you know of an alarm, and what is done about it. It ends by itself once its cause has.
    Ack {
        /// By its number in `alarm list`.
        number: u64,
        #[arg(long, value_name = "TEXT")]
        note: String,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum CustodyCommand {
    /// Take what was seen of names from outside, an observation a line of JSON; compare, raise and clear alarms.
    Take(TakeArgs),
    /// Take an answer of certificate transparency (JSON as crt.sh gives it); a new certificate for a name that is ours gives
    /// alarm.
    Certificates {
        file: PathBuf,
        #[command(flatten)]
        asker: AskerArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Args)]
pub(crate) struct TakeArgs {
    pub(crate) file: PathBuf,
    /// Other people's sinkholes: a name server, an address or a network a line, a comma, and whose it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) sinkholes: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asker: AskerArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}
