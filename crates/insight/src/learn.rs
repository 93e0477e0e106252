//! What victims' calls give away about the group: hosts, paths, programs, fingerprints.
//!
//! Something is learned once enough different addresses show it, so that nothing which only one caller has, a token in
//! a path or a name made for one machine, can become an indicator. Never a caller's address or value: the query string
//! is cut off, and what looks like an account is left, as is what spells the address of somebody who showed it or of
//! somebody whom the case withholds: whoever calls can write another's address into a path. A browser's User-Agent or fingerprint says nothing of the
//! group, so those are learned from programs only.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::contact::Kind;
use model::fact::{Indicator, IndicatorKind};
use model::id::CaseId;
use model::spelling::addresses_in;
use model::verdict::{Label, Verdict};
use model::{DomainName, Timestamp};

use crate::assess::Seen;

#[cfg(test)]
mod tests;

/// From how many addresses labelled victim something is learned.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    pub host_addresses: usize,
    pub path_addresses: usize,
    pub user_agent_addresses: usize,
    pub ja4_addresses: usize,
    /// Things that are watched but not learned yet; further ones are not looked at until a restart.
    pub watched_max: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { host_addresses: 3, path_addresses: 3, user_agent_addresses: 3, ja4_addresses: 3, watched_max: 20_000 }
    }
}

/// The longest path or User-Agent that is learned, in octets.
pub const VALUE_LEN_MAX: usize = 256;

/// Paths that every site has.
const EVERYWHERE: [&str; 5] = ["/", "/favicon.ico", "/robots.txt", "/index.html", "/index.php"];

//----------- Learning ---------------------------------------------------------------------------------------------

/// What is being watched, and what is known already.
#[derive(Debug, Default)]
pub struct Learning {
    thresholds: Thresholds,
    watched: BTreeMap<Key, Watched>,
    known: BTreeSet<Key>,
}

type Key = (CaseId, IndicatorKind, String);

#[derive(Debug)]
struct Watched {
    apex: DomainName,
    first: Timestamp,
    last: Timestamp,
    contacts: u64,
    addresses: BTreeSet<IpAddr>,
}

impl Learning {
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, ..Self::default() }
    }

    /// What the ledger has already is not learned again.
    pub fn know(&mut self, case: &CaseId, indicator: &Indicator) {
        self.known.insert((case.clone(), indicator.kind, indicator.value.clone()));
    }

    /// Looks at one judged contact. What is withheld teaches nothing: it would stand in counts that leave the house.
    pub fn take(&mut self, seen: &Seen, verdict: &Verdict) {
        if verdict.withheld {
            return;
        }
        let case = seen.case.as_deref().and_then(|case| CaseId::parse(case).ok());
        let apex = seen.apex.as_deref().and_then(|apex| DomainName::parse(apex).ok());
        if let (Label::Victim, Some(case), Some(apex)) = (verdict.label, case, apex) {
            for (kind, value) in shown(seen, &apex) {
                self.watch((case.clone(), kind, value), &apex, seen);
            }
        }
    }

    fn watch(&mut self, key: Key, apex: &DomainName, seen: &Seen) {
        let is_full = self.watched.len() >= self.thresholds.watched_max && !self.watched.contains_key(&key);
        if is_full || self.known.contains(&key) {
            return;
        }
        let watched = self.watched.entry(key).or_insert_with(|| Watched {
            apex: apex.clone(),
            first: seen.at,
            last: seen.at,
            contacts: 0,
            addresses: BTreeSet::new(),
        });
        watched.first = watched.first.min(seen.at);
        watched.last = watched.last.max(seen.at);
        watched.contacts += 1;
        watched.addresses.insert(seen.address);
    }

    /// What has become known since the last call, in order of case, kind and value. Of what speaks of an address that
    /// `is_withheld` nothing is said, nor is it looked at again.
    pub fn found(&mut self, is_withheld: impl Fn(&CaseId, IpAddr) -> bool) -> Vec<(CaseId, Indicator)> {
        let thresholds = self.thresholds;
        let is_enough = |key: &Key, watched: &mut Watched| watched.addresses.len() >= thresholds.of(key.1);
        let found: BTreeMap<Key, Watched> = self.watched.extract_if(.., is_enough).collect();
        self.known.extend(found.keys().cloned());
        let names_nobody = |((case, _, value), watched): &(Key, Watched)| {
            let named = |address: IpAddr| watched.addresses.contains(&address) || is_withheld(case, address);
            !addresses_in(value).into_iter().any(named)
        };
        let found = found.into_iter().filter(names_nobody);
        found.map(|((case, kind, value), watched)| (case, watched.indicator(kind, value))).collect()
    }
}

impl Thresholds {
    fn of(&self, kind: IndicatorKind) -> usize {
        match kind {
            IndicatorKind::HostName => self.host_addresses,
            IndicatorKind::UrlPath => self.path_addresses,
            IndicatorKind::UserAgent => self.user_agent_addresses,
            IndicatorKind::Ja4 => self.ja4_addresses,
        }
    }
}

impl Watched {
    fn indicator(self, kind: IndicatorKind, value: String) -> Indicator {
        let Self { apex, first, last, contacts, addresses } = self;
        let addresses = addresses.len() as u64;
        Indicator { kind, value, apex, first_seen: first, last_seen: last, contacts, addresses }
    }
}

//----------- What a contact shows ---------------------------------------------------------------------------------

fn shown(seen: &Seen, apex: &DomainName) -> Vec<(IndicatorKind, String)> {
    let host = [&seen.host, &seen.sni].into_iter().find_map(|host| host_below(host, apex));
    let path = (seen.kind == Kind::Request).then(|| seen.path()).filter(|path| is_of_the_group(path));
    let is_program = seen.agent().is_like_malware();
    let user_agent = Some(&seen.user_agent).filter(|agent| is_program && seen.kind == Kind::Request && is_plain(agent));
    let ja4 = Some(&seen.ja4).filter(|ja4| seen.kind == Kind::Hello && says_what_it_is(seen) && is_plain(ja4));
    let all = [
        (IndicatorKind::HostName, host),
        (IndicatorKind::UrlPath, path.map(ToOwned::to_owned)),
        (IndicatorKind::UserAgent, user_agent.cloned()),
        (IndicatorKind::Ja4, ja4.cloned()),
    ];
    all.into_iter().filter_map(|(kind, value)| Some((kind, value?))).collect()
}

/// A hello is a program's if the request that came over it was, or if its handshake failed as old programs' do.
fn says_what_it_is(seen: &Seen) -> bool {
    seen.failed_handshake() || (!seen.user_agent.is_empty() && seen.agent().is_like_malware())
}

/// A host below the seized name; the name itself is in the order.
fn host_below(host: &str, apex: &DomainName) -> Option<String> {
    let name = DomainName::parse(host.split(':').next()?).ok()?;
    (name != *apex && name.is_at_or_below(apex)).then(|| name.as_str().to_owned())
}

fn is_of_the_group(path: &str) -> bool {
    path.starts_with('/') && !EVERYWHERE.contains(&path) && is_plain(path)
}

/// Printable, short, without anything that was redacted or looks like an account.
fn is_plain(value: &str) -> bool {
    let printable = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let personal = value.contains('@') || value.to_ascii_lowercase().contains("%40") || value.contains("{redacted");
    (1..=VALUE_LEN_MAX).contains(&value.len()) && printable && !personal
}
