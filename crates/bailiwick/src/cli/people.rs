//! The commands about people and the case machine: who is on a case, where it goes, what changes in its orders.

use clap::{Args, Subcommand};
use model::id::{CaseId, PersonId};
use std::path::PathBuf;

use super::{JsonArgs, WhoArgs};

/// Verbs of `case`, beside those of its records and its service.
#[derive(Subcommand)]
pub(crate) enum MachineCommand {
    /// Who is on a case; while it is sealed it is there for them and for nobody else.
    People(MembersArgs),
}

#[derive(Args)]
pub(crate) struct MembersArgs {
    pub(crate) case: CaseId,
    /// Put somebody on it: whoever is on it, an admin, or this machine's user does.
    #[arg(long, value_name = "PERSON", conflicts_with = "remove")]
    pub(crate) add: Option<PersonId>,
    /// Take somebody off it; it takes a person.
    #[arg(long, value_name = "PERSON")]
    pub(crate) remove: Option<PersonId>,
    #[command(flatten)]
    pub(crate) by: ByArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

/// Who acts, where the machine's user may act as well.
#[derive(Args)]
pub(crate) struct ByArgs {
    /// The person who does it; this machine's user, if not said.
    #[arg(long = "as", value_name = "PERSON", requires = "token_file")]
    pub(crate) person: Option<PersonId>,
    /// The file that holds the person's token; never the token itself.
    #[arg(long, value_name = "FILE", requires = "person")]
    pub(crate) token_file: Option<PathBuf>,
}

impl ByArgs {
    pub(crate) fn who(self) -> Option<WhoArgs> {
        self.person.zip(self.token_file).map(|(person, token_file)| WhoArgs { person, token_file })
    }
}
