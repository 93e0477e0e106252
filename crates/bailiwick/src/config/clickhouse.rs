//! `[clickhouse]`: where the archive's rows go, too, and who answers questions then.
//!
//! Without servers nothing is shipped and nobody is called. The password is a file, read when somebody speaks to the
//! servers and never shown.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::clickhouse::{Keep, Profile, Server, Target};

use super::acme::SYSTEM_ROOTS;
use crate::failure::{Failure, Tried};

/// The longest file of a password.
const PASSWORD_OCTETS_MAX: u64 = 1_024;
/// The longest that rows are kept: ClickHouse's dates end in 2106, and a day past their end is one long ago.
const DAYS_MAX: u32 = 20_000;

/// The table as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Draft {
    urls: Vec<String>,
    shards: Vec<Vec<String>>,
    profile: Profile,
    database: String,
    cluster: String,
    user: String,
    password_file: Option<PathBuf>,
    roots: Option<PathBuf>,
    create: bool,
    ask: bool,
    quorum: u32,
    keep_days: u32,
    raw_keep_days: u32,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            shards: Vec::new(),
            profile: Profile::Single,
            database: "bailiwick".into(),
            cluster: "bailiwick".into(),
            user: "default".into(),
            password_file: None,
            roots: None,
            create: true,
            ask: true,
            quorum: 0,
            keep_days: 0,
            raw_keep_days: 0,
        }
    }
}

/// Where rows go, checked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClickHouse {
    shards: Vec<Vec<String>>,
    profile: Profile,
    database: String,
    cluster: String,
    user: String,
    password_file: Option<PathBuf>,
    roots: Option<PathBuf>,
    /// Whether database, tables and views are made where they are missing.
    pub(crate) create: bool,
    /// Whether reports and questions go there if nobody says where.
    pub(crate) ask: bool,
    /// 0: the majority of a shard's replicas.
    quorum: u32,
    keep_days: u32,
    raw_keep_days: u32,
}

pub(super) fn resolve(draft: Draft, base: &Path) -> Result<Option<ClickHouse>, Failure> {
    let shards = match (draft.urls.is_empty(), draft.shards.is_empty()) {
        (true, true) => return Ok(None),
        (false, true) => vec![draft.urls],
        (true, false) => draft.shards,
        (false, false) => {
            return Err(Failure::new("[clickhouse] has `urls` and `shards`")
                .hint("`urls` names the replicas of the one shard; where there are several, `shards` names all"));
        }
    };
    for (key, days) in [("keep_days", draft.keep_days), ("raw_keep_days", draft.raw_keep_days)] {
        if days > DAYS_MAX {
            let why = format!("`clickhouse.{key}` is {days}");
            return Err(Failure::new(why).hint(format!("0 for ever, or 1 to {DAYS_MAX} days")));
        }
    }
    let clickhouse = ClickHouse {
        shards,
        profile: draft.profile,
        database: draft.database,
        cluster: draft.cluster,
        user: draft.user,
        password_file: draft.password_file.map(|file| base.join(file)),
        roots: draft.roots.map(|file| base.join(file)),
        create: draft.create,
        ask: draft.ask && draft.profile.answers(),
        quorum: draft.quorum,
        keep_days: draft.keep_days,
        raw_keep_days: draft.raw_keep_days,
    };
    clickhouse.names()?;
    Ok(Some(clickhouse))
}

impl ClickHouse {
    pub(crate) fn keep(&self) -> Keep {
        Keep { days: self.keep_days, raw_days: self.raw_keep_days }
    }

    /// The same in another profile, as one might want to see its statements.
    pub(crate) fn with_profile(&self, profile: Profile) -> Self {
        Self { profile, ..self.clone() }
    }

    /// What is printed where nobody configured anything.
    pub(crate) fn usual() -> Self {
        let draft = Draft { urls: vec!["http://127.0.0.1:8123".into()], ..Draft::default() };
        resolve(draft, Path::new("")).ok().flatten().expect("the defaults can be resolved")
    }

    /// Whether a server is spoken to in TLS.
    pub(crate) fn needs_roots(&self) -> bool {
        self.shards.iter().flatten().any(|url| url.starts_with("https://"))
    }

    /// The file of roots: the operator's, or else the system's.
    pub(crate) fn roots(&self) -> Option<PathBuf> {
        let of_system = || SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.exists());
        self.roots.clone().or_else(of_system)
    }

    /// The target, with its password read.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        let mut target = self.names()?;
        if let Some(file) = &self.password_file {
            let shown = file.display();
            let tried = format!("reading the password of ClickHouse in {shown}");
            let size = std::fs::metadata(file).tried(&tried)?.len();
            if size > PASSWORD_OCTETS_MAX {
                let why = format!("{shown} has {size} octets; a password has at most {PASSWORD_OCTETS_MAX}");
                return Err(Failure::new(why));
            }
            let text = std::fs::read_to_string(file).tried(&tried)?;
            target.password = Some(text.trim_end_matches(['\r', '\n']).to_owned().into());
        }
        Ok(target)
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile
    }

    /// The target without its password.
    pub(crate) fn names(&self) -> Result<Target, Failure> {
        let refused = |error: store::clickhouse::BadTarget| {
            Failure::new(format!("[clickhouse] is refused: {error}"))
                .hint("urls = [\"http://127.0.0.1:8123\"] is one server; docs/guide/clickhouse.md has clusters")
        };
        let servers = |urls: &Vec<String>| urls.iter().map(|url| Server::parse(url)).collect::<Result<Vec<_>, _>>();
        let shards = self.shards.iter().map(servers).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let (database, cluster, user) = (self.database.clone(), self.cluster.clone(), self.user.clone());
        let quorum = (self.quorum > 0).then_some(self.quorum);
        let target = Target { shards, profile: self.profile, database, cluster, user, password: None, quorum };
        target.check().map_err(refused)?;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<ClickHouse>, String> {
        let draft: Draft = toml::from_str(text).map_err(|error| error.to_string())?;
        resolve(draft, Path::new("/etc/bailiwick")).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn one_line_is_enough_and_none_is_nothing() {
        assert!(read("").unwrap().is_none());
        let one = read("urls = [\"http://127.0.0.1:8123\"]").unwrap().unwrap();
        let target = one.target().unwrap();
        assert_eq!((target.profile, target.database.as_str(), one.ask), (Profile::Single, "bailiwick", true));
        let old = read("urls = [\"http://a:1\", \"http://b:1\"]\nprofile = \"old\"").unwrap().unwrap();
        assert!(!old.ask, "it answers no questions");
        assert_eq!((old.target().unwrap().shards.len(), one.needs_roots()), (1, false));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (text, why) in [
            ("urls = [\"http://a\"]\nshards = [[\"http://b\"]]", "`urls` and `shards`"),
            ("urls = [\"a:8123\"]", "does not begin with http://"),
            ("urls = [\"http://u:p4ss@a\"]", "has a user in it"),
            ("urls = [\"http://a\", \"http://b\"]", "is one server"),
            ("urls = [\"http://a\"]\ndatabase = \"a; DROP\"", "`database` is"),
            ("urls = [\"http://a\"]\nquorum = 2", "`quorum` is 2"),
            ("urls = [\"http://a\"]\nkeep_days = 50000", "`clickhouse.keep_days` is 50000"),
            ("urls = [\"http://a\"]\nprofile = \"huge\"", "unknown variant"),
            ("urls = [\"http://a\"]\npassword = \"x\"", "unknown field"),
        ] {
            let refused = read(text).map(|read| format!("{read:?}")).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("p4ss"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_password_is_read_from_its_file_and_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret pass\n").unwrap();
        let text = format!("urls = [\"http://a\"]\npassword_file = {:?}", file.path().to_str().unwrap());
        let config = read(&text).unwrap().unwrap();
        let target = config.target().unwrap();
        assert_eq!(target.password.as_ref().map(|password| password.as_str()), Some("s3cret pass"));
        let shown = format!("{target:?} {config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("s3cret"));
        std::fs::write(file.path(), "x".repeat(2_000)).unwrap();
        assert!(config.target().is_err());
    }
}
