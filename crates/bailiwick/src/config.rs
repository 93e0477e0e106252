//! The configuration: `Draft` is the text as written, [`Config`] is what it means.
//!
//! Unknown keys are refused, and every key has a unit, a default and a limit; `bailiwick config example` prints them
//! all. Reading touches one file and nothing else; whether an address can be bound is seen by whoever binds it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use model::{Digest, DomainName};
use serde::{Deserialize, Serialize};
use sinkhole::settings::RateLimits;

use crate::cli::{Place, is_loopback};
use crate::failure::{Failure, Tried, code};

/// The file that is read if none is named.
const DEFAULT_FILE: &str = "bailiwick.toml";
/// The largest configuration that is read.
const FILE_OCTETS_MAX: u64 = 1 << 20;
/// The longest server identifier (RFC 5001): asking for it must not amplify much.
const NSID_OCTETS_MAX: usize = 64;
/// The most listeners of one kind.
const LISTENERS_MAX: usize = 64;
/// The most threads of one address.
const THREADS_MAX: usize = 64;
/// The example, which is also the manual.
pub(crate) const EXAMPLE: &str = include_str!("../bailiwick.example.toml");

mod acme;
mod archive;
mod clickhouse;
mod dnstap;
mod evidence;
mod gate;
mod journal;
mod ledger;
mod mail;
mod policy;
mod retention;
mod sensors;
mod transfer;
mod trap;
mod verify;
mod web_limits;

pub(crate) use acme::Acme;
pub(crate) use clickhouse::ClickHouse;
pub(crate) use dnstap::{Door, Sensor};
pub(crate) use evidence::{Evidence, Reports, Tls, bare};
pub(crate) use policy::PolicyZone;
pub(crate) use sensors::host_and_port;
pub(crate) use transfer::{Key as TransferKeyFile, Peer as TransferPeer, Transfer};
pub(crate) use trap::{Ports, Trap};

//----------- Draft ------------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Draft {
    data: PathBuf,
    keys: PathBuf,
    user: Option<String>,
    dns: Dns,
    dnstap: Vec<dnstap::Draft>,
    policy_zone: Vec<policy::Draft>,
    catalog: policy::Catalog,
    transfer: transfer::Draft,
    web: Web,
    journal: journal::Journal,
    mail: mail::Mail,
    trap: trap::Draft,
    acme: acme::Draft,
    answer: Answer,
    insight: Insight,
    archive: archive::Archive,
    clickhouse: clickhouse::Draft,
    metrics: Metrics,
    ledger: ledger::Ledger,
    sensors: sensors::Sensors,
    uplink: sensors::Uplink,
    retention: retention::Retention,
    gate: gate::Gate,
    verify: verify::Verify,
    evidence: Evidence,
    reports: Reports,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            data: "data".into(),
            keys: "keys".into(),
            user: None,
            dns: Dns::default(),
            dnstap: Vec::new(),
            policy_zone: Vec::new(),
            catalog: policy::Catalog::default(),
            transfer: transfer::Draft::default(),
            web: Web::default(),
            journal: journal::Journal::default(),
            mail: mail::Mail::default(),
            trap: trap::Draft::default(),
            acme: acme::Draft::default(),
            answer: Answer::default(),
            insight: Insight::default(),
            archive: archive::Archive::default(),
            clickhouse: clickhouse::Draft::default(),
            metrics: Metrics::default(),
            ledger: ledger::Ledger::default(),
            sensors: sensors::Sensors::default(),
            uplink: sensors::Uplink::default(),
            retention: retention::Retention::default(),
            gate: gate::Gate::default(),
            verify: verify::Verify::default(),
            evidence: Evidence::default(),
            reports: Reports::default(),
        }
    }
}

/// Where DNS is answered, over UDP and TCP alike.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Dns {
    pub(crate) listen: Vec<SocketAddr>,
    /// Said to whoever asks who answered (RFC 5001).
    pub(crate) nsid: String,
    /// Secrets of cookies that servers on one address share.
    pub(crate) cookie_secrets: Option<PathBuf>,
    /// Who may certify names whose order permits it (RFC 8659).
    pub(crate) certifiers: Vec<DomainName>,
    /// UDP threads of each address.
    pub(crate) threads: usize,
    pub(crate) rate: Rate,
}

impl Default for Dns {
    fn default() -> Self {
        let (listen, nsid, certifiers) = (Vec::new(), String::new(), Vec::new());
        Self { listen, nsid, cookie_secrets: None, certifiers, threads: 1, rate: Rate::default() }
    }
}

/// How fast DNS answers and how fast it records, per listen address; 0 is no limit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rate {
    answers_per_sec: u32,
    slip: u32,
    prefix_v4: u8,
    prefix_v6: u8,
    source_records_per_sec: u32,
    name_records_per_sec: u32,
    listener_records_per_sec: u32,
}

impl Default for Rate {
    fn default() -> Self {
        let limits = RateLimits::default();
        Self {
            answers_per_sec: limits.answers.per_sec,
            slip: limits.slip,
            prefix_v4: limits.prefix_v4,
            prefix_v6: limits.prefix_v6,
            source_records_per_sec: limits.source_records.per_sec,
            name_records_per_sec: limits.name_records.per_sec,
            listener_records_per_sec: limits.listener_records.per_sec,
        }
    }
}

impl Rate {
    /// The bursts grow with the rates.
    pub(crate) fn limits(&self) -> RateLimits {
        let usual = RateLimits::default();
        RateLimits {
            answers: usual.answers.scaled(self.answers_per_sec),
            slip: self.slip,
            prefix_v4: self.prefix_v4,
            prefix_v6: self.prefix_v6,
            source_records: usual.source_records.scaled(self.source_records_per_sec),
            name_records: usual.name_records.scaled(self.name_records_per_sec),
            listener_records: usual.listener_records.scaled(self.listener_records_per_sec),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        let in_range = (1..=32).contains(&self.prefix_v4) && (1..=64).contains(&self.prefix_v6);
        if in_range {
            return Ok(());
        }
        let given = format!("prefix_v4 = {} and prefix_v6 = {} in [dns.rate]", self.prefix_v4, self.prefix_v6);
        Err(Failure::new(given).hint("give 1 to 32 and 1 to 64; a /24 and a /56 are usual"))
    }
}

/// Where HTTP and HTTPS are answered.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Web {
    pub(crate) http: Vec<SocketAddr>,
    pub(crate) https: Vec<SocketAddr>,
    pub(crate) limits: web_limits::Limits,
}

/// Where Prometheus reads our counters, over HTTP.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Metrics {
    pub(crate) listen: Vec<SocketAddr>,
}

/// The addresses that a seized name resolves to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(crate) v4: Vec<Ipv4Addr>,
    pub(crate) v6: Vec<Ipv6Addr>,
}

/// Tables and addresses that insight knows.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Insight {
    /// Whether this process makes sense of what it records. Where it does not, the journal waits for one that does.
    pub(crate) follow: bool,
    /// MMDB files, or CSV files of `network,asn,as_name,country`.
    pub(crate) tables: Vec<PathBuf>,
    /// Our own verifiers and monitors: their contacts are labelled `self`.
    pub(crate) own_addresses: BTreeSet<IpAddr>,
}

impl Default for Insight {
    fn default() -> Self {
        Self { follow: true, tables: Vec::new(), own_addresses: BTreeSet::new() }
    }
}

//----------- Config -----------------------------------------------------------------------------------------------

/// The configuration, resolved: every path is absolute or relative to the file's folder, every rule is checked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Config {
    /// Where it was read from; `None` if there was no file.
    pub(crate) file: Option<PathBuf>,
    pub(crate) data: PathBuf,
    /// Keys: apart from the data, with a backup of their own. Losing them is losing what they protect.
    pub(crate) keys: PathBuf,
    /// The user to become once every socket is open.
    pub(crate) user: Option<String>,
    pub(crate) dns: Dns,
    /// Fleet servers that tell us what they were asked.
    pub(crate) dnstap: Vec<dnstap::Sensor>,
    /// What resolvers are told, zone by zone.
    pub(crate) policy_zones: Vec<PolicyZone>,
    /// What a fleet is told to serve.
    pub(crate) catalog: policy::Catalog,
    /// Who takes zones over from us.
    pub(crate) transfer: Transfer,
    pub(crate) web: Web,
    /// What evidence may take of the disk.
    pub(crate) journal: journal::Journal,
    pub(crate) mail: mail::Mail,
    /// Any other port.
    pub(crate) trap: Trap,
    /// Who is asked for public certificates, if anybody.
    pub(crate) acme: Option<Acme>,
    pub(crate) answer: Answer,
    pub(crate) insight: Insight,
    pub(crate) archive: archive::Archive,
    /// Where the archive's rows go, too, if anywhere.
    pub(crate) clickhouse: Option<ClickHouse>,
    pub(crate) metrics: Metrics,
    /// Where the ledger lies, and what its log is called.
    pub(crate) ledger: ledger::Ledger,
    /// Who sends us what it recorded.
    pub(crate) sensors: sensors::Sensors,
    /// How we send what we recorded.
    pub(crate) uplink: sensors::Uplink,
    /// For how long what is kept.
    pub(crate) retention: retention::Retention,
    /// What names are held against before an order is filed.
    pub(crate) gate: gate::Gate,
    /// How the world is asked whether a seizure took effect.
    pub(crate) verify: verify::Verify,
    /// Through whom names are looked at.
    pub(crate) evidence: Evidence,
    /// Who reports names to providers.
    pub(crate) reports: Reports,
}

impl Config {
    /// Reads the configuration that `place` names, or the defaults if there is no file.
    pub(crate) fn load(place: &Place) -> Result<Self, Failure> {
        let named = place.config.clone();
        let file = named.clone().or_else(|| Path::new(DEFAULT_FILE).exists().then(|| DEFAULT_FILE.into()));
        let draft = match &file {
            Some(path) => read(path)?,
            None => Draft::default(),
        };
        let mut config = Self::resolve(draft, file)?;
        if let Some(data) = &place.data {
            if named.is_none() {
                config.keys = beside(data);
            }
            config.data.clone_from(data);
            config.check()?;
        }
        Ok(config)
    }

    fn resolve(draft: Draft, file: Option<PathBuf>) -> Result<Self, Failure> {
        let base = file.as_deref().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
        let mut insight = draft.insight;
        for table in &mut insight.tables {
            *table = base.join(&table);
        }
        let mut dns = draft.dns;
        dns.cookie_secrets = dns.cookie_secrets.map(|file| base.join(file));
        let policy_zones = policy::resolve(draft.policy_zone, &draft.catalog)?;
        let named = policy_zones.iter().map(|zone| &zone.zone).chain(&draft.catalog.zone).cloned().collect();
        let config = Self {
            data: base.join(draft.data),
            keys: base.join(draft.keys),
            user: draft.user,
            acme: acme::resolve(draft.acme, !dns.certifiers.is_empty(), &base)?,
            dns,
            dnstap: dnstap::resolve(draft.dnstap, &base)?,
            policy_zones,
            transfer: transfer::resolve(draft.transfer, &named, &base)?,
            catalog: draft.catalog,
            web: draft.web,
            journal: draft.journal,
            mail: draft.mail,
            trap: trap::resolve(draft.trap, &base)?,
            answer: draft.answer,
            insight,
            archive: draft.archive,
            clickhouse: clickhouse::resolve(draft.clickhouse, &base)?,
            metrics: draft.metrics,
            ledger: draft.ledger.resolve(&base),
            sensors: draft.sensors,
            uplink: draft.uplink,
            retention: draft.retention,
            gate: draft.gate.resolve(&base),
            verify: draft.verify.resolve(&base),
            evidence: draft.evidence.resolve(&base),
            reports: draft.reports.resolve(&base),
            file,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Failure> {
        if absolute(&self.keys)?.starts_with(absolute(&self.data)?) {
            return Err(Failure::new("`keys` lies inside `data`: a copy of the data would hold its keys")
                .hint("name a folder beside it, such as keys = \"keys\""));
        }
        for (what, count) in [
            ("dns.listen", self.dns.listen.len()),
            ("web.http", self.web.http.len()),
            ("web.https", self.web.https.len()),
            ("mail.smtp", self.mail.smtp.len()),
            ("mail.smtps", self.mail.smtps.len()),
            ("metrics.listen", self.metrics.listen.len()),
            ("transfer.listen", self.transfer.listen.len()),
            ("sensors.listen", self.sensors.listen.len()),
        ] {
            if count > LISTENERS_MAX {
                return Err(Failure::new(format!(
                    "`{what}` names {count} addresses; at most {LISTENERS_MAX} are opened"
                )));
            }
        }
        if !(1..=THREADS_MAX).contains(&self.dns.threads) {
            return Err(Failure::new(format!("`dns.threads` is {}", self.dns.threads))
                .hint(format!("1 to {THREADS_MAX}; more than there are cores helps nobody")));
        }
        self.web.limits.check()?;
        self.journal.check()?;
        self.archive.check()?;
        self.ledger.check()?;
        self.sensors.check()?;
        self.uplink.check()?;
        self.retention.check()?;
        self.verify.check()?;
        self.evidence.check()?;
        self.reports.check()?;
        self.check_each_address_is_named_once()
    }

    /// An IPv4 address written as IPv6 is the same address.
    fn check_each_address_is_named_once(&self) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        for address in self.tcp_listeners().chain(self.own_listeners()) {
            let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
            if address.port() != 0 && !seen.insert(canonical) {
                return Err(Failure::new(format!("{address} is named twice"))
                    .hint("every listener needs an address and port of its own"));
            }
        }
        self.check_any_port_is_free()?;
        if self.dns.nsid.len() > NSID_OCTETS_MAX {
            return Err(Failure::new(format!(
                "`dns.nsid` has {} octets; at most {NSID_OCTETS_MAX} are said",
                self.dns.nsid.len()
            )));
        }
        self.dns.rate.check()
    }

    /// A range must leave out the ports that speak.
    fn check_any_port_is_free(&self) -> Result<(), Failure> {
        let tcp: Vec<SocketAddr> = self.tcp_listeners().chain(self.own_listeners()).collect();
        let udp: Vec<SocketAddr> = self.dns.listen.iter().chain(&self.transfer.listen).copied().collect();
        for (key, ranges, named) in [("any_tcp", &self.trap.any_tcp, tcp), ("any_udp", &self.trap.any_udp, udp)] {
            let is_within = |address: &SocketAddr| ranges.iter().any(|range| range.contain(*address));
            if let Some(address) = named.into_iter().find(is_within) {
                return Err(Failure::new(format!("{address} is named, and lies within a range of `trap.{key}`"))
                    .hint("end one range before that port and begin another behind it"));
            }
        }
        Ok(())
    }

    /// Where nobody comes in who called for a seized name: our own machines.
    fn own_listeners(&self) -> impl Iterator<Item = SocketAddr> {
        self.metrics.listen.iter().chain(&self.sensors.listen).copied()
    }

    /// Every TCP address at which callers or sensors come in.
    fn tcp_listeners(&self) -> impl Iterator<Item = SocketAddr> {
        let Self { dns, web, mail, transfer, .. } = self;
        let dnstap = self.dnstap.iter().filter_map(dnstap::Sensor::tcp);
        let of_trap = web.http.iter().chain(&web.https).chain(&mail.smtp).chain(&mail.smtps);
        dns.listen.iter().chain(of_trap).chain(&transfer.listen).copied().chain(dnstap)
    }

    /// Whether nothing beyond this machine can reach us: exercises are served only then.
    pub(crate) fn is_loopback_only(&self) -> bool {
        !self.trap.transparent
            && self.tcp_listeners().chain(self.trap.addresses()).all(|address| is_loopback(address.ip()))
    }

    /// The digest that the ledger keeps.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of_value(self)
    }
}

/// `.` and relative paths as what they stand for, so that `.keys` lies in `.`; nothing needs to be there yet.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).tried(format_args!("finding {}", path.display()))
}

fn beside(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".keys");
    data.with_file_name(name)
}

fn read(path: &Path) -> Result<Draft, Failure> {
    let shown = path.display().to_string();
    let size = std::fs::metadata(path).tried(format_args!("reading the configuration {shown}"))?.len();
    if size > FILE_OCTETS_MAX {
        return Err(Failure::new(format!("the configuration {shown} has {size} octets; at most {FILE_OCTETS_MAX}")));
    }
    let text = std::fs::read_to_string(path).tried(format_args!("reading the configuration {shown}"))?;
    parse(&text, &shown)
}

/// Reads the text, or says where it is wrong.
fn parse(text: &str, shown: &str) -> Result<Draft, Failure> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let snippet =
            Snippet::source(text).path(shown).annotation(AnnotationKind::Primary.span(span).label(error.message()));
        let report = [Level::ERROR.primary_title("the configuration is not understood").element(snippet)];
        Failure::new(format!("{shown} is refused\n{}", Renderer::plain().render(&report)))
            .hint("`bailiwick config example` prints every key with its unit and default")
            .code(code::USAGE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_understood_and_is_the_default() {
        let draft = parse(EXAMPLE, "example").unwrap();
        assert_eq!(draft.data, Draft::default().data);
        Config::resolve(draft, None).unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let failure = parse("[dns]\nlisten = []\nport = 53\n", "bailiwick.toml").unwrap_err();
        let text = format!("{failure:?}");
        assert!(text.contains("bailiwick.toml:3:1") && text.contains("unknown field `port`"), "{text}");
    }

    #[test]
    fn keys_inside_the_data_and_addresses_named_twice_are_refused() {
        for (text, why) in [
            ("data = \"d\"\nkeys = \"d/keys\"", "inside `data`"),
            ("[web]\nhttp = [\"127.0.0.1:80\", \"127.0.0.1:80\"]", "named twice"),
            ("[web]\nhttp = [\"127.0.0.1:80\"]\nhttps = [\"[::ffff:127.0.0.1]:80\"]", "named twice"),
            (
                "[web]\nhttp = [\"127.0.0.1:80\"]\n[trap]\nany_tcp = [\"127.0.0.1:1-99\"]",
                "within a range of `trap.any_tcp`",
            ),
            (
                "[dns]\nlisten = [\"127.0.0.1:53\"]\n[trap]\nany_udp = [\"127.0.0.1:1-99\"]",
                "within a range of `trap.any_udp`",
            ),
            ("[dns]\nthreads = 0", "`dns.threads` is 0"),
            ("[dns]\nthreads = 65", "1 to 64"),
            ("[archive]\ncompact_core_percent = 0", "`archive.compact_core_percent` is 0"),
            ("[archive]\nfiles_at_once = 1", "2 to 256"),
            ("[retention]\nraw_days = 0", "`retention.raw_days` is 0"),
        ] {
            let failure = Config::resolve(parse(text, "x").unwrap(), None).unwrap_err();
            assert!(format!("{failure:?}").contains(why), "{failure:?}");
        }
    }

    #[test]
    fn naming_the_data_on_the_command_line_does_not_put_the_keys_inside() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("b.toml");
        std::fs::write(&file, "keys = \"d/keys\"").unwrap();
        for (data, config) in [(home.path().join("d"), Some(file)), (".".into(), None)] {
            let failure = Config::load(&Place { config, data: Some(data), reader: None }).unwrap_err();
            assert!(format!("{failure:?}").contains("inside `data`"), "{failure:?}");
        }
    }

    #[test]
    fn only_loopback_is_loopback() {
        let config = |text: &str| Config::resolve(parse(text, "x").unwrap(), None).unwrap();
        assert!(config("[dns]\nlisten = [\"127.0.0.1:53\", \"[::1]:53\"]").is_loopback_only());
        assert!(!config("[dns]\nlisten = [\"0.0.0.0:53\"]").is_loopback_only());
        assert!(!config("[web]\nhttp = [\"192.0.2.1:80\"]").is_loopback_only());
        assert!(config("[trap]\nany_udp = [\"127.0.0.1:1-9\"]").is_loopback_only());
        assert!(!config("[trap]\nany_udp = [\"192.0.2.1:1-9\"]").is_loopback_only());
        // What is led to us was sent to anywhere.
        assert!(!config("[trap]\nany_udp = [\"127.0.0.1:9\"]\ntransparent = true").is_loopback_only());
    }
}
