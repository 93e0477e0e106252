//! The words of `bailiwick clickhouse`.

use clap::{Args, Subcommand, ValueEnum};
use model::id::CaseId;
use store::clickhouse::{Profile, Reader};

/// The longest name of a user.
const USER_OCTETS_MAX: usize = 64;

#[derive(Subcommand)]
pub(crate) enum ClickHouseCommand {
    /// Print the statements that make database, tables, roll-ups and views, for whoever runs them by hand
    /// (`clickhouse.create = false`). Run again they change nothing.
    Ddl(DdlArgs),
}

#[derive(Args)]
pub(crate) struct DdlArgs {
    /// Instead of the configuration's.
    #[arg(long)]
    pub(crate) profile: Option<ProfileWord>,
    /// A user of ClickHouse who may read the contacts of some cases and nothing else, by row policies:
    /// `cert=phosphorus-2019,other-case`. Several if given several times. Not for `old`.
    #[arg(long = "reader", value_name = "USER=CASE,…", value_parser = reader)]
    pub(crate) readers: Vec<Reader>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ProfileWord {
    /// One server of today.
    Single,
    /// Shards and replicas of today.
    Cluster,
    /// Shards and replicas of 18.16, which Debian carries; it keeps rows and answers no reports.
    Old,
}

impl From<ProfileWord> for Profile {
    fn from(word: ProfileWord) -> Self {
        match word {
            ProfileWord::Single => Self::Single,
            ProfileWord::Cluster => Self::Cluster,
            ProfileWord::Old => Self::Old,
        }
    }
}

/// Which engine answers.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum EngineWord {
    /// ClickHouse, where the rows of all cores are.
    Clickhouse,
    /// The Parquet files of this data folder.
    Parquet,
}

impl EngineWord {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Clickhouse => "clickhouse",
            Self::Parquet => "parquet",
        }
    }
}

fn reader(text: &str) -> Result<Reader, String> {
    let (user, cases) = text.split_once('=').ok_or("USER=CASE, or USER=CASE,CASE")?;
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    if user.is_empty() || user.len() > USER_OCTETS_MAX || !user.bytes().all(is_plain) {
        return Err("a user is letters, digits and _ here: the name stands in statements as it is".into());
    }
    let cases: Result<Vec<CaseId>, _> = cases.split(',').map(CaseId::parse).collect();
    Ok(Reader { user: user.to_owned(), cases: cases.map_err(|error| error.to_string())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_a_user_and_cases() {
        assert_eq!(reader("cert=c-1,c-2").unwrap().cases.len(), 2);
        for wrong in ["cert", "=c-1", "a b=c-1", "x;y=c-1", "cert=C 1", "cert="] {
            assert!(reader(wrong).is_err(), "{wrong}");
        }
    }
}
