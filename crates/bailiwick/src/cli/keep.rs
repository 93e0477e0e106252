//! The commands about keeping: copies of the memory, the way back, and for how long what is kept.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::id::CaseId;

use super::{JsonArgs, WhoArgs};

#[derive(Subcommand)]
pub(crate) enum RetentionCommand {
    /// What holds for each case, what is due now, and what is held.
    Show(JsonArgs),
    /// Purge what is due now. The daemon does it by itself once a day.
    Run(JsonArgs),
    /// Keep everything of a case, at once. One person.
    Hold {
        case: CaseId,
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Ask two people to end a hold; `retention show` numbers them.
    Release {
        case: CaseId,
        hold: u64,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Args)]
pub(crate) struct BackupArgs {
    /// A new or empty folder, outside of the data folder; better on another disk.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Copy the keys, and nothing else. Keep them where no backup of the data lies.
    #[arg(long)]
    pub(crate) keys: bool,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// What `bailiwick backup` wrote. Data goes to the data folder (`--data`), keys to the folder of keys: neither may hold
    /// anything. Put the keys back first.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Only verify it: nothing is written.
    #[arg(long)]
    pub(crate) check: bool,
    /// The data folder that was lost, or the `data` of a later backup: what was purged by its ledger since is purged here, too,
    /// before anything is served.
    #[arg(long, value_name = "DIR", conflicts_with = "no_later_ledger")]
    pub(crate) purges_from: Option<PathBuf>,
    /// There is no later ledger: only what is due by the rules of today is purged.
    #[arg(long)]
    pub(crate) no_later_ledger: bool,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}
