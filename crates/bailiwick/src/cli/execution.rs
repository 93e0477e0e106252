//! `bailiwick case`: the appendix and execution day, as clap reads them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::Timestamp;
use model::id::{CaseId, OrderId, PersonId};

use super::{JsonArgs, WhoArgs};

#[derive(Subcommand)]
pub(crate) enum ExecutionCommand {
    /// Compile what each registrar and registry gets: sheet, lists, plans and, where we sponsor the names, EPP commands.
    Appendix(AppendixArgs),
    /// Whether all is ready to be sent: servers, certificates, contacts, checklist, capacity; and how it would be undone.
    Ready(ReadyArgs),
    /// Say that an actor was sent their share. Its names go to `sent`.
    Sent(SentArgs),
    /// Say that an actor answered. Its names go to `acknowledged`.
    Acked(AckedArgs),
    /// Who was sent what, who answered, what is delegated, who called first, who is late.
    Board {
        case: CaseId,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Execution day: the board, live, until every actor has answered and every redirected name is delegated.
    Execute(ExecuteArgs),
}

#[derive(Args)]
pub(crate) struct AppendixArgs {
    pub(crate) case: CaseId,
    /// A new folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Who acts for which TLD or name, as TOML or CSV; without it the registries that the case file names.
    #[arg(long, value_name = "FILE")]
    pub(crate) actors: Option<PathBuf>,
    /// Beside the whole, by actor what came in and what left since they were sent an earlier version of the order.
    #[arg(long)]
    pub(crate) difference: bool,
    /// The sheets as PDF, too, in a folder beside it (`DIR-pdf`), by the browser that `[evidence] chromium` names.
    #[arg(long)]
    pub(crate) pdf: bool,
    /// Fail if an item of the checklist is not stated.
    #[arg(long)]
    pub(crate) strict: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ReadyArgs {
    pub(crate) case: CaseId,
    /// Ask this server of ours for every redirected name, over UDP: `192.0.2.53:53`. Once per server.
    #[arg(long = "server", value_name = "ADDRESS:PORT")]
    pub(crate) servers: Vec<SocketAddr>,
    /// Look which certificate this trap of ours shows for each redirected name: `192.0.2.80:443`. Once per trap, at most 16.
    #[arg(long = "https", value_name = "ADDRESS:PORT")]
    pub(crate) traps: Vec<SocketAddr>,
    /// Queries a second that were measured (`cargo xtask bench dns`).
    #[arg(long, value_name = "RATE", requires = "expected")]
    pub(crate) measured: Option<u64>,
    /// Queries a second that are expected at the peak.
    #[arg(long, value_name = "RATE", requires = "measured", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) expected: Option<u64>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct SentArgs {
    pub(crate) case: CaseId,
    /// The actor's id, as the board shows it.
    pub(crate) actor: String,
    /// Which order, where the actor has names of several.
    #[arg(long)]
    pub(crate) order: Option<OrderId>,
    /// When it was sent; now, if not said.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    /// By when the paper wants it done: `2019-03-29T17:00:00-04:00`.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) due: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct AckedArgs {
    pub(crate) case: CaseId,
    /// The actor's id, as the board shows it.
    pub(crate) actor: String,
    /// What they said: a ticket's number, a refusal.
    #[arg(long, value_name = "TEXT")]
    pub(crate) said: String,
    /// They will not do it: it gives alarm at once.
    #[arg(long)]
    pub(crate) refused: bool,
    /// Which order, where the actor has names of several.
    #[arg(long)]
    pub(crate) order: Option<OrderId>,
    /// When they answered; now, if not said.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ExecuteArgs {
    pub(crate) case: CaseId,
    /// T0: the instant at which all is to be sent.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Timestamp,
    /// Show the board once.
    #[arg(long)]
    pub(crate) once: bool,
    /// Who begins: the case goes to `executing`, if it has been granted and is not there yet.
    #[arg(long = "as", value_name = "PERSON", requires = "token_file")]
    pub(crate) person: Option<PersonId>,
    /// The file that holds the person's token; never the token itself.
    #[arg(long, value_name = "FILE", requires = "person")]
    pub(crate) token_file: Option<PathBuf>,
    /// One JSON object per change instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}
