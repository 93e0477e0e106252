//! The commands about people and the case machine: who is on a case, where it goes, what changes in its orders.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use docket::authority::state_word;
use model::Refusal;
use model::case::CaseState;
use model::id::{CaseId, PersonId, TokenName};
use model::paper::PaperKind;

use super::{JsonArgs, WhoArgs};

/// Verbs of `case`, beside those of its records and its service.
#[derive(Subcommand)]
pub(crate) enum MachineCommand {
    /// Who is on a case; while it is sealed it is there for them and for nobody else.
    People(MembersArgs),
    /// Take a case one state further, with the papers that its authority asks for.
    Advance(AdvanceArgs),
    /// Put papers on file without a step: the signed order, before two people put it in force.
    File(FileArgs),
}

#[derive(Args)]
pub(crate) struct FileArgs {
    pub(crate) case: CaseId,
    /// A paper, such as `order=order.pdf`; `authority show` says which are needed.
    #[arg(long = "document", value_name = "KIND=FILE", value_parser = document, required = true)]
    pub(crate) documents: Vec<(PaperKind, PathBuf)>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct AdvanceArgs {
    pub(crate) case: CaseId,
    /// evidence, review, filed, granted, executing, executed, unsealed, served, injunction, supplemental, judgment,
    /// permanent, monitoring, closed; denied, expired, amended, contested, vacated.
    #[arg(value_parser = state)]
    pub(crate) state: CaseState,
    /// A paper to file with the step, such as `complaint=complaint.pdf`; `authority show` says which are needed.
    #[arg(long = "document", value_name = "KIND=FILE", value_parser = document)]
    pub(crate) documents: Vec<(PaperKind, PathBuf)>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

fn state(word: &str) -> Result<CaseState, String> {
    let found = CaseState::ALL.into_iter().find(|state| state_word(*state) == word);
    found.ok_or_else(|| format!("there are {}", CaseState::ALL.map(state_word).join(", ")))
}

fn document(text: &str) -> Result<(PaperKind, PathBuf), String> {
    let (kind, file) = text.split_once('=').ok_or("write it as KIND=FILE")?;
    let kind = kind.parse().map_err(|refusal: Refusal| refusal.hint.unwrap_or(refusal.what))?;
    Ok((kind, file.into()))
}

/// What each kind of instrument gives and asks for.
#[derive(Subcommand)]
pub(crate) enum AuthorityCommand {
    /// Every kind of instrument: who issues it, and whether it binds.
    List(JsonArgs),
    /// One of them: outcomes, acts, states, papers by step, expiry, appeal, sources.
    Show {
        instrument: String,
        #[command(flatten)]
        out: JsonArgs,
    },
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

/// A token for a program acts as its person, in some of their roles, until it ends.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token of your own and write it to a new file, once.
    Add {
        name: TokenName,
        /// In which of your roles it acts; one or more.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// How long it lives, in days.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// Where to write the token (mode 0600); the file must not exist.
        #[arg(long, value_name = "FILE")]
        into: PathBuf,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// A person's tokens, ended ones too.
    List {
        person: PersonId,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// End a token, at once: your own, or anybody's as an admin.
    Revoke {
        /// Whose it is.
        #[arg(value_name = "PERSON")]
        holder: PersonId,
        name: TokenName,
        #[command(flatten)]
        who: WhoArgs,
    },
}
