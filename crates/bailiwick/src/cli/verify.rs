//! `bailiwick verify`: whether seizures took effect, and what people attest.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::DomainName;
use model::check::Check;
use model::id::CaseId;

use super::{JsonArgs, WhoArgs};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct VerifyCaseArgs {
    #[command(subcommand)]
    pub(crate) command: Option<VerifyCommand>,
    #[arg(required = true)]
    pub(crate) case: Option<CaseId>,
    /// Only this name; may be said several times.
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Show what was seen last, and ask nobody.
    #[arg(long, conflicts_with = "anew")]
    pub(crate) last: bool,
    /// Look again at what a pass that was broken off has seen already.
    #[arg(long)]
    pub(crate) anew: bool,
    /// Say only what is different from then: a file that `--json` printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    /// Names that are looked at in one request.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) at_once: u16,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Subcommand)]
pub(crate) enum VerifyCommand {
    /// Answer, with a document, for a check that nobody can see. One person.
    Attest {
        case: CaseId,
        #[arg(value_parser = DomainName::parse)]
        name: DomainName,
        /// Such as `rdap-registrar`; it has to stand as `not-observable`.
        check: Check,
        /// The letter, printout or extract that it rests on; kept in the vault.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}
