//! The words of `bailiwick case export` and `case exports`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::id::CaseId;

use super::{ByArgs, JsonArgs};

#[derive(Subcommand)]
pub(crate) enum LeavingCommand {
    /// Write all that is kept of a case into a new folder, which a stranger with the public key checks with `sha256sum`,
    /// `openssl` and a script within that they can read: evidence, papers and approvals, acts with their proofs, checkpoints,
    /// reports, alarms. Nothing of another case is in it. That it left, and its digest, stand in the ledger.
    Export(Box<CaseExportArgs>),
    /// Which folders of a case left the house: what, when, by whom, with which digest.
    Exports {
        case: CaseId,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Args)]
pub(crate) struct CaseExportArgs {
    pub(crate) case: CaseId,
    /// A new folder.
    #[arg(long = "to", value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// A checkpoint that somebody kept (`audit anchor`), to go with it; several if given several times.
    #[arg(long = "anchor", value_name = "FILE")]
    pub(crate) anchors: Vec<PathBuf>,
    /// A folder that `case appendix` wrote, to go with it; several if given several times.
    #[arg(long = "appendix", value_name = "DIR")]
    pub(crate) appendices: Vec<PathBuf>,
    /// The exhibits as PDF, too, by the browser that `[evidence] chromium` names.
    #[arg(long)]
    pub(crate) pdf: bool,
    #[command(flatten)]
    pub(crate) by: ByArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}
