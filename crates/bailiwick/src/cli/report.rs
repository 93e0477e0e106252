//! The words of `bailiwick report` and `bailiwick query`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use model::DomainName;
use model::id::{CaseId, PersonId};
use store::report::{REPORT_ROWS, REPORT_ROWS_MAX};

use super::{EngineWord, JsonArgs, WhoArgs};

const EXAMPLES: &str = "\
Examples:
  bailiwick report                                    which reports there are
  bailiwick report top-names --since 7d
  bailiwick report timeline --by hour --since 48h --case phosphorus-2019
  bailiwick report victims --since 2019-03-27 --until 2019-03-28 --format csv
  bailiwick report source-history --source 203.0.113.7";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// Which report; without one, the list.
    #[arg(value_name = "REPORT")]
    pub(crate) report: Option<String>,
    /// Contacts received then or later: `2019-03-27`, `2019-03-27T09:00:00Z`, or ago: `90m`, `24h`, `7d`, `4w`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Contacts received before then; a day ends where it begins.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only contacts of this case.
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<CaseId>,
    /// Only contacts of this seized name.
    #[arg(long, value_parser = DomainName::parse)]
    pub(crate) name: Option<DomainName>,
    /// Only contacts from this address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) source: Option<IpAddr>,
    /// How many rows at most.
    #[arg(long, default_value_t = REPORT_ROWS, value_parser = clap::value_parser!(u32).range(1..=i64::from(REPORT_ROWS_MAX)))]
    pub(crate) limit: u32,
    /// How fine the timeline is.
    #[arg(long, default_value = "day")]
    pub(crate) by: By,
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
    /// Who answers: ClickHouse where `[clickhouse]` names one, else the files of this data folder.
    #[arg(long)]
    pub(crate) engine: Option<EngineWord>,
    #[command(flatten)]
    pub(crate) asker: AskerArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    Hour,
    Day,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// Numbers and times as they are; the fields stay.
    Json,
    /// RFC 4180, the first line a header.
    Csv,
}

#[derive(Args)]
pub(crate) struct QueryArgs {
    /// One SELECT, in the dialect of the engine that answers.
    pub(crate) sql: String,
    /// Who answers: ClickHouse where `[clickhouse]` names one, else the files of this data folder.
    #[arg(long)]
    pub(crate) engine: Option<EngineWord>,
    #[command(flatten)]
    pub(crate) asker: AskerArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

/// Who asks, where it is not the machine's own user: a person sees what that person may see.
#[derive(Args)]
pub(crate) struct AskerArgs {
    /// Ask as this person, who sees no sealed case that they are not on.
    #[arg(long = "as", value_name = "PERSON", requires = "token_file")]
    person: Option<PersonId>,
    /// The file that holds the person's token; never the token itself.
    #[arg(long, value_name = "FILE", requires = "person")]
    token_file: Option<PathBuf>,
}

impl AskerArgs {
    /// The person, if one asks.
    pub(crate) fn who(&self) -> Option<WhoArgs> {
        Some(WhoArgs { person: self.person.clone()?, token_file: self.token_file.clone()? })
    }
}
