//! The commands before filing: the harm gate, counsel's decisions, and what is not on the list.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use model::id::CaseId;

use super::{JsonArgs, WhoArgs};

#[derive(Subcommand)]
pub(crate) enum GateCommand {
    /// Hold every name against what speaks against taking it, and record what was found. Exits with 3 while something is in
    /// the way of filing.
    Gate(GateArgs),
    /// Decide warnings of the gate, as counsel: `case decide CASE NAME… WARNING`, or `--all WARNING` for every one that is open.
    Decide(DecideArgs),
    /// Names that belong to the listed ones and are not on the list, with reasons; and a draft of a supplemental list.
    Related(RelatedArgs),
}

#[derive(Args)]
pub(crate) struct GateArgs {
    pub(crate) case: CaseId,
    /// A folder with `gate.toml`, which names the tables; the configuration's `[gate] tables` if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tables: Option<PathBuf>,
    /// Show the newest run instead of running again.
    #[arg(long, conflicts_with = "tables")]
    pub(crate) show: bool,
    /// Every finding and every name, not the first of them.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
#[command(group = ArgGroup::new("choice").required(true))]
pub(crate) struct DecideArgs {
    pub(crate) case: CaseId,
    /// Names, and last the warning: `popular`, `conflicting-attribution`, …
    #[arg(required = true, value_name = "NAME… WARNING")]
    pub(crate) what: Vec<String>,
    /// Every warning of that kind that nobody has decided.
    #[arg(long)]
    pub(crate) all: bool,
    /// The names stay on the list.
    #[arg(long, group = "choice")]
    pub(crate) accept: bool,
    /// The names have to leave the list: the case is held until they have.
    #[arg(long, group = "choice")]
    pub(crate) drop: bool,
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RelatedArgs {
    pub(crate) case: CaseId,
    /// Passive DNS in the Common Output Format, one record a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) pdns: Vec<PathBuf>,
    /// Certificates, as crt.sh answers with `output=json`.
    #[arg(long, value_name = "FILE")]
    pub(crate) ct: Vec<PathBuf>,
    /// RDAP answers about domains.
    #[arg(long, value_name = "FILE")]
    pub(crate) rdap: Vec<PathBuf>,
    /// Write a case file with the related names there, for somebody to read and change; it must not exist.
    #[arg(long, value_name = "FILE")]
    pub(crate) draft: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}
