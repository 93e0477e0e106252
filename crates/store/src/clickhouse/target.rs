//! Which servers, as whom, and into which database: parsed once, where the configuration is read.

use std::fmt;

use zeroize::Zeroizing;

use super::Profile;

/// The most servers of all shards together.
pub const SERVERS_MAX: usize = 64;
/// The longest name of a database, cluster or user.
const NAME_OCTETS_MAX: usize = 64;
/// The longest host.
const HOST_OCTETS_MAX: usize = 253;
/// ClickHouse's own ports for HTTP and HTTPS.
const PORTS: [u16; 2] = [8123, 8443];

/// Where rows go. Only [`Target::check`]ed ones are used: names stand in statements as they are.
#[derive(Clone)]
pub struct Target {
    /// The replicas of each shard. The order of shards must not change: a segment goes to the one that its id says.
    pub shards: Vec<Vec<Server>>,
    pub profile: Profile,
    pub database: String,
    /// What the servers call the cluster, in `remote_servers`.
    pub cluster: String,
    pub user: String,
    /// Read from its file; sent as a field, never in an address, and never shown.
    pub password: Option<Zeroizing<String>>,
    /// How many replicas must have a block before it counts; `None`: the majority.
    pub quorum: Option<u32>,
}

/// One server's HTTP door.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub is_tls: bool,
}

/// Why a target is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct BadTarget(pub String);

impl Server {
    /// `http://host:8123` or `https://host:8443`, without path, user or question.
    pub fn parse(url: &str) -> Result<Self, BadTarget> {
        let odd = |why: &str| {
            let shown: String = url.chars().take(HOST_OCTETS_MAX).collect();
            BadTarget(format!("\"{}\" {why}", shown.escape_default()))
        };
        if url.contains('@') {
            // Not shown: what stands before it may be a password.
            return Err(BadTarget("a URL has a user in it; say `user` and `password_file`".into()));
        }
        let (is_tls, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(odd("does not begin with http:// or https://")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let usual = PORTS[usize::from(is_tls)];
        let (host, port) = match rest.strip_prefix('[') {
            Some(inner) => {
                let (host, port) = inner.split_once(']').ok_or_else(|| odd("has no end of its address"))?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => rest.split_once(':').map_or((rest, Some("")), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some("") => usual,
            Some(port) => port.parse().map_err(|_| odd("has a port that is none"))?,
            None => return Err(odd("has something behind its address")),
        };
        let is_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
        if host.is_empty() || host.len() > HOST_OCTETS_MAX || !host.bytes().all(is_host) {
            return Err(odd("names no host; a path or a question does not belong there"));
        }
        Ok(Self { host: host.to_ascii_lowercase(), port, is_tls })
    }

    /// As it stands in the field `Host`.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_tls { "https" } else { "http" }, self.authority())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shards, profile, database, user, .. } = self;
        write!(f, "Target({profile} {shards:?} {database} as {user})")
    }
}

impl Target {
    /// Whether it can be spoken to, and its names can stand in statements.
    pub fn check(&self) -> Result<(), BadTarget> {
        let servers = self.shards.iter().flatten().count();
        if servers == 0 || servers > SERVERS_MAX || self.shards.iter().any(Vec::is_empty) {
            return Err(BadTarget(format!("{servers} servers are named; 1 to {SERVERS_MAX}, and one in each shard")));
        }
        if self.profile == Profile::Single && servers > 1 {
            let why = "the profile single is one server: two of them would not know what the other one has";
            return Err(BadTarget(why.into()));
        }
        for (what, name) in [("database", &self.database), ("cluster", &self.cluster)] {
            let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
            let begins = name.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic());
            if !begins || name.len() > NAME_OCTETS_MAX || !name.bytes().all(is_plain) {
                return Err(BadTarget(format!("`{what}` is {name:?}; letters, digits and _, a letter first")));
            }
        }
        let is_visible = self.user.bytes().all(|octet| octet.is_ascii_graphic());
        if self.user.is_empty() || self.user.len() > NAME_OCTETS_MAX || !is_visible {
            return Err(BadTarget(format!("`user` is {:?}; 1 to {NAME_OCTETS_MAX} visible letters", self.user)));
        }
        let replicas = self.shards.iter().map(Vec::len).min().unwrap_or(0);
        match self.quorum {
            Some(quorum) if quorum as usize > replicas => {
                Err(BadTarget(format!("`quorum` is {quorum}, and a shard has {replicas} replicas")))
            }
            _ => Ok(()),
        }
    }

    /// How many of a shard's replicas must have a block; `None` where that is not asked.
    pub(super) fn quorum_of(&self, shard: usize) -> Option<u32> {
        let replicas = u32::try_from(self.shards[shard].len()).unwrap_or(u32::MAX);
        let quorum = self.quorum.unwrap_or(replicas / 2 + 1);
        // A quorum of one is what an INSERT waits for anyway.
        (self.profile.is_distributed() && quorum > 1).then_some(quorum)
    }

    /// The table that rows are inserted into.
    pub(super) fn local(&self, table: &str) -> String {
        let suffix = if self.profile.is_distributed() { "_local" } else { "" };
        format!("{}.{table}{suffix}", self.database)
    }

    /// The table over all shards.
    pub(super) fn whole(&self, table: &str) -> String {
        format!("{}.{table}", self.database)
    }
}
