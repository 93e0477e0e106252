//! The words of `bailiwick case quick`.

use clap::{Args, ValueEnum};
use model::id::CaseId;

use super::JsonArgs;

#[derive(Args)]
pub(crate) struct QuickArgs {
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// By what right.
    #[arg(long)]
    pub(crate) authority: QuickAuthority,
    /// The case's id; made from the first name if not given.
    #[arg(long)]
    pub(crate) id: Option<CaseId>,
    /// Whom an owner or a victim can write to.
    #[arg(long)]
    pub(crate) contact: Option<String>,
    /// Why the data is processed, and on which legal basis.
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// Who handed the names over, or who registered them.
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// Our name servers, to which the names are delegated.
    #[arg(long = "name-server", value_name = "NAME")]
    pub(crate) name_servers: Vec<String>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum QuickAuthority {
    OwnRegistration,
    VoluntaryTransfer,
}
