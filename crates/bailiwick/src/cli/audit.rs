//! The words of `bailiwick audit` and `bailiwick export`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use model::id::CaseId;

use super::JsonArgs;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every fact, the tree over them and its signature; reads beside a running daemon.
    Verify(VerifyArgs),
    /// The newest checkpoint, for a witness outside: who keeps it can show later that nothing was cut or changed.
    Anchor {
        /// Write it to this new file instead of stdout.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Prove that a fact is in the ledger, in the form of c2sp.org/tlog-proof.
    Prove { position: u64 },
    /// Write the tree as static files (c2sp.org/tlog-tiles) into a folder, for any web server; again to bring it up to date.
    Tiles {
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Look through every place for what facts say was purged, and name those that are out of reach: backups, feeds.
    Purge(JsonArgs),
    /// The public half of the key that signs checkpoints: whoever verifies needs it, from your own hands.
    Key,
}

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// Verify this folder, an export or tiles, instead of the data folder.
    #[arg(long, value_name = "DIR", requires = "key")]
    pub(crate) export: Option<PathBuf>,
    /// The public half of the key, as `audit key` prints it; this installation's own if not given.
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// A checkpoint that somebody kept; several if given several times.
    #[arg(long = "anchor", value_name = "FILE")]
    pub(crate) anchors: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// For whom.
    #[arg(long)]
    pub(crate) profile: ExportProfile,
    /// For `court`: the case that is shown whole.
    #[arg(long, required_if_eq("profile", "court"))]
    pub(crate) case: Option<CaseId>,
    /// A new or empty folder.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ExportProfile {
    /// The tree, and kinds of facts; nothing of sealed cases.
    Public,
    /// The same with the facts of unsealed cases that may be shared.
    Partner,
    /// One case whole.
    Court,
}
