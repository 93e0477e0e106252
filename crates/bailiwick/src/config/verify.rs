//! `[verify]`: how the program asks the world whether a seizure took effect.
//!
//! Without root hints nobody is asked. The files that it names are read when the program starts, and said then if they
//! cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use docket::verify::schedule::{EVERY_SECS_MAX, EVERY_SECS_MIN};
use docket::verify::settings::{RATE_MAX, RESOLVERS_MAX};
use model::DomainName;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The longest that one question may wait.
const PATIENCE_MILLIS_MAX: u64 = 60_000;

/// The table as it is written, and as it is meant.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Verify {
    /// IANA's `named.root`, or the root of a world of one's own.
    pub(crate) root_hints: Option<PathBuf>,
    pub(crate) resolvers: Vec<SocketAddr>,
    /// RFC 9224's file for domains.
    pub(crate) rdap_bootstrap: Option<PathBuf>,
    /// PEM: whom certificates of RDAP servers are checked against.
    pub(crate) rdap_roots: Option<PathBuf>,
    /// Other people's sinkholes: a name server or a network a line, and whose it is.
    pub(crate) sinkholes: Option<PathBuf>,
    /// The program looks by itself so often; 0: it does not.
    pub(crate) every_secs: u64,
    pub(crate) rate_per_sec: u32,
    pub(crate) patience_millis: u64,
    pub(crate) source_v4: Option<Ipv4Addr>,
    pub(crate) source_v6: Option<Ipv6Addr>,
    pub(crate) dns_port: u16,
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
    /// What our name servers answer with where neither order nor case says so; nothing: what `[answer]` says here.
    pub(crate) answers: BTreeSet<IpAddr>,
    /// Our name servers, and where they are.
    pub(crate) name_servers: BTreeMap<DomainName, BTreeSet<IpAddr>>,
}

impl Default for Verify {
    fn default() -> Self {
        Self {
            root_hints: None,
            resolvers: Vec::new(),
            rdap_bootstrap: None,
            rdap_roots: None,
            sinkholes: None,
            every_secs: 0,
            rate_per_sec: 20,
            patience_millis: 2_000,
            source_v4: None,
            source_v6: None,
            dns_port: 53,
            http_port: 80,
            https_port: 443,
            answers: BTreeSet::new(),
            name_servers: BTreeMap::new(),
        }
    }
}

impl Verify {
    pub(super) fn resolve(mut self, base: &Path) -> Self {
        for file in [&mut self.root_hints, &mut self.rdap_bootstrap, &mut self.rdap_roots, &mut self.sinkholes] {
            *file = file.take().map(|file| base.join(file));
        }
        self
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        if !(1..=RATE_MAX).contains(&self.rate_per_sec) {
            return Err(Failure::new(format!("`verify.rate_per_sec` is {}", self.rate_per_sec))
                .hint(format!("1 to {RATE_MAX} questions a second to one server; 20 is polite")));
        }
        if !(1..=PATIENCE_MILLIS_MAX).contains(&self.patience_millis) {
            return Err(Failure::new(format!("`verify.patience_millis` is {}", self.patience_millis))
                .hint(format!("1 to {PATIENCE_MILLIS_MAX}")));
        }
        if self.every_secs != 0 && !(EVERY_SECS_MIN..=EVERY_SECS_MAX).contains(&self.every_secs) {
            return Err(Failure::new(format!("`verify.every_secs` is {}", self.every_secs)).hint(format!(
                "0: never by itself; else {EVERY_SECS_MIN} to {EVERY_SECS_MAX}; 21600 is every six hours"
            )));
        }
        if self.every_secs != 0 && self.root_hints.is_none() {
            return Err(Failure::new(
                "`verify.every_secs` has the program look by itself, and nothing says where to begin",
            )
            .hint("name the root hints: `root_hints = \"named.root\"`"));
        }
        if self.resolvers.len() > RESOLVERS_MAX {
            return Err(Failure::new(format!("`verify.resolvers` names {}", self.resolvers.len()))
                .hint(format!("at most {RESOLVERS_MAX} are asked")));
        }
        Ok(())
    }

    /// The time between two passes; `None`: the program does not look by itself.
    pub(crate) fn every(&self) -> Option<Duration> {
        (self.every_secs > 0).then(|| Duration::from_secs(self.every_secs))
    }

    /// Where our own questions come from: contacts from there are labelled `self`.
    pub(crate) fn sources(&self) -> impl Iterator<Item = IpAddr> {
        self.source_v4.map(IpAddr::from).into_iter().chain(self.source_v6.map(IpAddr::from))
    }

    /// The file of roots: the operator's, or else the system's.
    pub(crate) fn roots(&self) -> Option<PathBuf> {
        let of_system = || super::acme::SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.exists());
        self.rdap_roots.clone().or_else(of_system)
    }
}
