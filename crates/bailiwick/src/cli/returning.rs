//! `bailiwick case return`, as clap reads it.

use std::path::PathBuf;

use clap::Args;
use model::Timestamp;
use model::id::{CaseId, PersonId};

use super::JsonArgs;

#[derive(Args)]
pub(crate) struct ReturnArgs {
    pub(crate) case: CaseId,
    /// The listed names; with `--status` none means all that went back.
    #[arg(required_unless_present = "status", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Why, for the record and for the letter to the owner.
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["status", "plan_sent", "plan_answered"])]
    pub(crate) reason: Option<String>,
    /// The owner's zone in master file format: kept, and answered with at once. For one name.
    #[arg(long, value_name = "FILE", requires = "reason")]
    pub(crate) records: Option<PathBuf>,
    /// Where the records come from: `the owner's mail of 2026-11-28`.
    #[arg(long, value_name = "TEXT", requires = "records", default_value = "given with the return")]
    pub(crate) source: String,
    /// Let kill switches among the names fall silent: what they stop may run again.
    #[arg(long, alias = "disarm")]
    pub(crate) disarm_kill_switch: bool,
    /// Write letters, plans by actor, and the feeds anew into this new folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Say how far names are on their way back, and change nothing.
    #[arg(long, conflicts_with_all = ["reason", "plan_sent", "plan_answered"])]
    pub(crate) status: bool,
    /// Say that the actor was sent the plan that the name is in.
    #[arg(long, conflicts_with_all = ["reason", "plan_answered"])]
    pub(crate) plan_sent: bool,
    /// Say what the actor answered to the plan: a ticket's number, a refusal.
    #[arg(long, value_name = "TEXT", conflicts_with = "reason")]
    pub(crate) plan_answered: Option<String>,
    /// When it was sent or answered; now, if not said.
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["reason", "status"])]
    pub(crate) at: Option<Timestamp>,
    /// The person who acts, or who reads.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "status", requires = "token_file")]
    pub(crate) person: Option<PersonId>,
    /// The file that holds the person's token; never the token itself.
    #[arg(long, value_name = "FILE", required_unless_present = "status", requires = "person")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
