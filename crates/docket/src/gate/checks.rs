//! The checks, one by one: each looks at a name, and says what speaks against taking it, with the place where that stands.

use std::collections::{BTreeSet, HashMap};

use model::Timestamp;
use model::address::Country;
use model::gate::{Severity, TableSeen, WarningKind};
use model::name::{DomainName, defang};
use model::order::{Instrument, Listed, NameOutcome, Order};
use model::seizure::AnswerEffect;
use model::time::utc_day;
use store::view::CaseView;

use crate::authority::parent_in;
use crate::casefile::{CaseFile, Claim, Threat};
use crate::observed::cof::Data;
use crate::shown::counted;

use super::Findings;
use super::history::{History, Past, Span};
use super::report::Check;
use super::reserved::reserved_by;
use super::root::{Tld, TldKind};
use super::table::{Hit, NameTable};
use super::tables::{TableKind, Tables};

/// A name that was registered, or seen, so many days before the order may have been innocent for long.
pub(super) const OLD_DAYS: i64 = 2 * 365;
/// So many names below one say that somebody lives there.
pub(super) const BELOW_MANY: usize = 20;

//----------- Found ------------------------------------------------------------------------------------------------

/// What one check says of one name.
pub(super) struct Found {
    pub(super) kind: WarningKind,
    pub(super) severity: Severity,
    pub(super) evidence: String,
    pub(super) source: Option<TableSeen>,
}

fn warning(kind: WarningKind, evidence: impl Into<String>) -> Found {
    Found { kind, severity: Severity::Warning, evidence: evidence.into(), source: None }
}

fn stop(kind: WarningKind, evidence: impl Into<String>) -> Found {
    Found { severity: Severity::Stop, ..warning(kind, evidence) }
}

impl Found {
    fn by(self, source: &TableSeen) -> Self {
        Self { source: Some(source.clone()), ..self }
    }
}

//----------- Context ----------------------------------------------------------------------------------------------

/// What stands for all names of a case.
pub(super) struct Context<'a> {
    case: &'a CaseView,
    tables: &'a Tables,
    history: &'a History,
    claims: HashMap<&'a DomainName, Vec<&'a Claim>>,
    credentials: BTreeSet<&'a DomainName>,
    file: TableSeen,
    /// Top lists know hosts; who takes a name takes all its hosts.
    popular: Vec<(&'a NameTable, HashMap<String, String>)>,
    is_exercise: bool,
    now: Timestamp,
}

/// The same for the names of one order.
pub(super) struct Asked<'a> {
    context: &'a Context<'a>,
    order: &'a Order,
    since: Timestamp,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        case: &'a CaseView,
        file: Option<&'a CaseFile>,
        tables: &'a Tables,
        history: &'a History,
        now: Timestamp,
    ) -> Self {
        let mut claims: HashMap<_, Vec<_>> = HashMap::new();
        for claim in file.iter().flat_map(|file| file.conflicts()) {
            claims.entry(&claim.name).or_default().push(claim);
        }
        let of_credentials = |list: &&crate::casefile::NameList| list.threat == Some(Threat::Credentials);
        let lists = file.iter().flat_map(|file| &file.lists).filter(of_credentials);
        let is_exercise = case.orders.values().all(|order| order.terms().authority.is_exercise());
        let name = format!("case file of {}", case.terms.id);
        Self {
            case,
            tables,
            history,
            claims,
            credentials: lists.flat_map(|list| &list.names).collect(),
            file: TableSeen { file: name, digest: case.file, date: None },
            popular: tables.of(TableKind::Popular).map(|table| (table, by_registration(table))).collect(),
            is_exercise,
            now,
        }
    }

    pub(super) fn under(&'a self, order: &'a Order) -> Asked<'a> {
        let issued = order.terms().authority.issued.as_ref().map(|issued| issued.value);
        let at = issued.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|day| day.timestamp());
        Asked { context: self, order, since: at.unwrap_or(self.now) }
    }

    /// What the check for sinkholes lacks.
    fn for_sinkholes(&self) -> &'static str {
        match (self.tables.has(TableKind::Sinkholes), self.tables.has(TableKind::PassiveDns)) {
            (true, _) => "passive DNS, to see where the names pointed (their own names were held against the table)",
            (false, true) => "a table of known sinkholes",
            (false, false) => "a table of known sinkholes, and passive DNS",
        }
    }

    /// Which checks had something to look at. One that had not is a warning by itself.
    pub(super) fn coverage(&self, findings: &mut Findings) -> Vec<Check> {
        use WarningKind as K;
        let has = |kind| self.tables.has(kind);
        let seen = has(TableKind::PassiveDns);
        let all = [
            (K::AlreadySinkholed, has(TableKind::Sinkholes) && seen, self.for_sinkholes()),
            (
                K::SharedSuffix,
                has(TableKind::Shared),
                "a table of dynamic DNS and free hosting (the public suffix list was asked)",
            ),
            (K::Popular, has(TableKind::Popular), "a top list"),
            (K::BrandOwned, has(TableKind::BrandOwned), "a table of names that brands own"),
            (K::CompromisedLegitimate, seen || has(TableKind::Rdap), "passive DNS or RDAP answers"),
            (K::OthersDepend, seen, "passive DNS"),
            (K::RegistryOutOfReach, true, ""),
            (
                K::ReservedOrUnregistered,
                has(TableKind::Rdap),
                "RDAP answers, to see who was never registered (reserved names were looked up)",
            ),
            (K::ConflictingAttribution, true, ""),
            (K::AnswerEffectUnknown, true, ""),
            (K::CoveredByParent, true, ""),
        ];
        for (kind, _, wanted) in all.into_iter().filter(|(_, looked, _)| !looked) {
            findings.add(warning(K::NotLooked, format!("{kind}: nothing to look at; give {wanted}")), None);
        }
        self.silence(findings);
        all.into_iter().map(|(kind, looked, _)| Check { kind, looked }).collect()
    }

    /// Names of which a file of observations that was given says nothing: for them it is as if it had not been.
    fn silence(&self, findings: &mut Findings) {
        let orders = self.case.orders.values().filter(|order| super::is_open(order));
        let names: Vec<(&DomainName, &Listed)> = orders.flat_map(Order::names).collect();
        let is_seen = |name: &DomainName| self.history.get(name).is_some_and(|past| past.is_seen);
        let is_registered = |name: &DomainName| self.history.get(name).is_some_and(|past| past.registration.is_some());
        if self.tables.has(TableKind::PassiveDns) {
            let silent = names.iter().map(|(name, _)| *name).filter(|name| !is_seen(name)).collect();
            add_silence("passive DNS", silent, findings);
        }
        if self.tables.has(TableKind::Rdap) {
            // What a provider gave away has no registration of its own.
            let asked = names.iter().filter(|(_, listed)| listed.outcome != NameOutcome::ProviderRemoval);
            let silent = asked.map(|(name, _)| *name).filter(|name| !is_registered(name)).collect();
            add_silence("RDAP", silent, findings);
        }
    }
}

fn add_silence(what: &str, silent: Vec<&DomainName>, findings: &mut Findings) {
    let evidence = format!("{what} that was given says nothing about {}", counted(silent.len()));
    for name in silent {
        findings.add(warning(WarningKind::NotLooked, evidence.clone()), Some(name));
    }
}

/// A suffix below which a registry registers, such as `com` and `co.uk`.
fn is_registry_suffix(text: &str) -> bool {
    DomainName::parse(text).is_ok_and(|name| name.is_public_suffix() && !name.is_under_shared_suffix())
}

/// A popular host by the registration that it lies in.
fn by_registration(table: &NameTable) -> HashMap<String, String> {
    let registrable = |host: &str| psl_of(host).map(|registered| (registered, host.to_owned()));
    table.names().filter_map(registrable).collect()
}

fn psl_of(host: &str) -> Option<String> {
    let name = DomainName::parse(host).ok()?;
    name.registrable().map(|registered| registered.as_str().to_owned())
}

//----------- Checks -----------------------------------------------------------------------------------------------

impl Asked<'_> {
    pub(super) fn check(&self, name: &DomainName, listed: Listed, findings: &mut Findings) {
        let past = self.context.history.get(name);
        let all = self.sinkholed(name, past).into_iter().chain(self.shared(name, listed)).chain(self.popular(name));
        let all = all.chain(self.brand_owned(name)).chain(self.old(past, listed)).chain(self.depended_on(past));
        let all = all.chain(self.reach(name, listed)).chain(self.reserved(name, past, listed));
        let all = all.chain(self.conflicts(name)).chain(self.effect(name, listed)).chain(self.covered(name));
        all.for_each(|found| findings.add(found, Some(name)));
    }

    fn sinkholed(&self, name: &DomainName, past: Option<&Past>) -> Vec<Found> {
        let kind = WarningKind::AlreadySinkholed;
        let ours = &self.order.terms().name_servers;
        let mut all = Vec::new();
        for table in self.context.tables.of(TableKind::Sinkholes) {
            if let Some(hit) = table.at_or_above(name) {
                all.push(stop(kind, format!("the name is a sinkhole's own: {}", told(&hit))).by(&table.seen));
            }
            let servers =
                past.iter().filter_map(|past| past.registration.as_ref()).flat_map(|(one, _)| &one.name_servers);
            for server in servers.filter(|server| !ours.contains(server)) {
                if let Some(hit) = table.at_or_above(server) {
                    let evidence =
                        format!("registered with the name server {} of a sinkhole: {}", server.defanged(), told(&hit));
                    all.push(warning(kind, evidence).by(&table.seen));
                }
            }
            for (data, span) in past.iter().flat_map(|past| &past.data) {
                let (hit, what) = match data {
                    Data::Address(address) => (table.of_address(*address), defang(&address.to_string()).to_string()),
                    Data::NameServer(host) if !ours.contains(host) => {
                        (table.at_or_above(host), host.defanged().to_string())
                    }
                    _ => continue,
                };
                if let Some(hit) = hit {
                    let evidence = format!(
                        "pointed to {what} {}, a sinkhole: {}; passive DNS line {}",
                        when(span),
                        told(&hit),
                        span.at.line
                    );
                    all.push(warning(kind, evidence).by(&table.seen));
                }
            }
        }
        all
    }

    fn shared(&self, name: &DomainName, listed: Listed) -> Vec<Found> {
        let kind = WarningKind::SharedSuffix;
        let by_provider = listed.outcome == NameOutcome::ProviderRemoval;
        let mut all = Vec::new();
        if name.is_public_suffix() {
            all.push(stop(kind, "a public suffix: strangers hold names below it"));
        } else if name.is_under_shared_suffix() && !by_provider {
            all.push(stop(kind, "below a suffix of the public suffix list's private section: its provider has to act"));
        }
        for table in self.context.tables.of(TableKind::Shared) {
            // A copy of the public suffix list has `com` in it, too: everybody is below that.
            let Some(hit) = table.at_or_above(name).filter(|hit| !is_registry_suffix(&hit.value)) else { continue };
            if hit.value == name.as_str() {
                all.push(stop(kind, format!("strangers hold names below it: {}", told(&hit))).by(&table.seen));
            } else if !by_provider {
                let evidence = format!("below a name that strangers share, so its provider has to act: {}", told(&hit));
                all.push(stop(kind, evidence).by(&table.seen));
            }
        }
        all
    }

    fn popular(&self, name: &DomainName) -> Vec<Found> {
        let one = |(table, hosts): &(&NameTable, HashMap<String, String>)| {
            let host = hosts.get(name.as_str()).map(String::as_str);
            let hit = table.of_name(name).or_else(|| table.of_name(&DomainName::parse(host?).ok()?))?;
            Some(warning(WarningKind::Popular, format!("on a top list: {}", told(&hit))).by(&table.seen))
        };
        self.context.popular.iter().filter_map(one).collect()
    }

    fn brand_owned(&self, name: &DomainName) -> Vec<Found> {
        let one = |table: &NameTable| {
            let hit = table.at_or_above(name)?;
            Some(stop(WarningKind::BrandOwned, format!("a brand's own: {}", told(&hit))).by(&table.seen))
        };
        self.context.tables.of(TableKind::BrandOwned).filter_map(one).collect()
    }

    /// Attackers register shortly before they attack. What is old may have been somebody's.
    fn old(&self, past: Option<&Past>, listed: Listed) -> Vec<Found> {
        let Some(past) = past.filter(|_| listed.outcome != NameOutcome::ProviderRemoval) else { return Vec::new() };
        let days = |then: Timestamp| self.since.duration_since(then).as_hours() / 24;
        let registered =
            past.registration.as_ref().and_then(|(one, at)| one.registered.map(|then| (then, *at, "registered")));
        let seen = past.first.map(|(then, at)| (then, at, "seen in DNS"));
        let oldest = registered
            .into_iter()
            .chain(seen)
            .filter(|(then, ..)| days(*then) >= OLD_DAYS)
            .min_by_key(|(then, ..)| *then);
        let Some((then, at, how)) = oldest else { return Vec::new() };
        let evidence = format!(
            "{how} on {} already, {} days before; an innocent site may have been broken into",
            utc_day(then),
            days(then)
        );
        vec![warning(WarningKind::CompromisedLegitimate, evidence).by(&self.context.history.source(at))]
    }

    fn depended_on(&self, past: Option<&Past>) -> Vec<Found> {
        let Some(past) = past else { return Vec::new() };
        let mut all = Vec::new();
        for how in ["NS", "MX", "CNAME"] {
            let mut those = past.dependants.iter().filter(|((kind, _), _)| *kind == how).peekable();
            let Some(((_, first), span)) = those.peek().map(|(key, span)| (key, **span)) else { continue };
            let evidence =
                format!("{how} of {}, {} among them ({})", counted(those.count()), first.defanged(), when(&span));
            all.push(warning(WarningKind::OthersDepend, evidence).by(&self.context.history.source(span.at)));
        }
        if past.below.len() >= BELOW_MANY {
            let evidence = format!("{} were seen below it: somebody may live there", counted(past.below.len()));
            all.push(warning(WarningKind::OthersDepend, evidence).by(&self.context.history.source(past.below_at)));
        }
        all
    }

    /// Says whose the registry is. An issuer reaches its own country's; whether it reaches another is counsel's to know.
    fn reach(&self, name: &DomainName, listed: Listed) -> Option<Found> {
        let kind = WarningKind::RegistryOutOfReach;
        let instrument = self.order.terms().authority.instrument;
        let by_registrant = matches!(
            instrument,
            Instrument::VoluntaryTransfer | Instrument::OwnRegistration | Instrument::RegistrarAction
        );
        if by_registrant || listed.outcome == NameOutcome::ProviderRemoval {
            return None;
        }
        let root = &self.context.tables.root;
        let Tld { kind: of, country, has_contract, manager } = root.get(name.tld())?;
        let tld = name.tld();
        let evidence = match (of, country) {
            (TldKind::CountryCode, _) if instrument == Instrument::CctldPolicy => return None,
            (TldKind::CountryCode, Some(country)) => {
                let group = self.context.case.terms.group.attributed_to.as_ref();
                let same = group.filter(|state| state.country.to_string() == *country);
                let also = same.map_or("", |_| "; the group is attributed to that same state");
                let issuer = self.order.terms().authority.country.as_ref().map(Country::as_str);
                let whose = match issuer {
                    Some(issuer) if issuer == country => return None,
                    Some(issuer) => format!("the issuer is of {issuer} and"),
                    None => "a court elsewhere".to_owned(),
                };
                format!(".{tld} is country {country}'s, its registry {manager}: {whose} can ask, and not order{also}")
            }
            (TldKind::CountryCode, None) => format!(".{tld} is a country-code domain, its registry {manager}"),
            _ if instrument == Instrument::CctldPolicy => {
                format!(".{tld} is {}, which no ccTLD's policy speaks for", of.as_str())
            }
            _ if *has_contract => return None,
            _ => format!(
                ".{tld} is {} and without a registry agreement with ICANN in the table; its registry is {manager}",
                of.as_str()
            ),
        };
        Some(warning(kind, evidence).by(&root.seen))
    }

    fn reserved(&self, name: &DomainName, past: Option<&Past>, listed: Listed) -> Option<Found> {
        let kind = WarningKind::ReservedOrUnregistered;
        let root = &self.context.tables.root;
        // A rehearsal is made of names that nobody has.
        let severity = if self.context.is_exercise { Severity::Warning } else { Severity::Stop };
        if let Some(by) = reserved_by(name) {
            return Some(Found { severity, ..warning(kind, format!("reserved, nobody can register it: {by}")) });
        }
        if root.get(name.tld()).is_none() {
            let evidence = format!(".{} is not delegated", name.tld());
            return Some(Found { severity, ..warning(kind, evidence) }.by(&root.seen));
        }
        let (registration, at) = past?.registration.as_ref().filter(|(one, _)| one.is_unknown)?;
        if listed.outcome == NameOutcome::BlockRegistration {
            return None;
        }
        let evidence = format!(
            "RDAP knows no such name (404, answer {}): it can be blocked or registered, not seized",
            registration.place
        );
        Some(warning(kind, evidence).by(&self.context.history.source(*at)))
    }

    fn conflicts(&self, name: &DomainName) -> Vec<Found> {
        let ours = &self.context.case.terms.group.name;
        let one = |claim: &&Claim| {
            let evidence = format!("{} by {}; {ours} in this case", claim.group, claim.source);
            warning(WarningKind::ConflictingAttribution, evidence).by(&self.context.file)
        };
        self.context.claims.get(name).into_iter().flatten().map(one).collect()
    }

    fn covered(&self, name: &DomainName) -> Option<Found> {
        let (parent, above) = parent_in(self.order.names(), name)?;
        let evidence = format!(
            "below {}, which the order lists as {}: whoever runs that zone answers for both, and its registry is asked for it alone",
            parent.defanged(),
            above.outcome.as_str()
        );
        Some(warning(WarningKind::CoveredByParent, evidence).by(&self.context.file))
    }

    fn effect(&self, name: &DomainName, listed: Listed) -> Option<Found> {
        if listed.outcome != NameOutcome::Redirect {
            return None;
        }
        let evidence = match listed.answer_effect {
            AnswerEffect::Tested | AnswerEffect::KillSwitch => return None,
            AnswerEffect::Unknown if self.context.credentials.contains(name) => return None,
            AnswerEffect::Unknown => {
                "what an answer sets off is not known: test it and say `answer_effect`, or say `threat = \"credentials\"` where only people call"
            }
            AnswerEffect::FallbackTrigger => {
                "known, and of consequence: an answer makes the caller look for another way home; redirect it with the others at once, or not at all"
            }
            AnswerEffect::Destructive => {
                "known, and harmful: an answer makes the caller destroy something; `outcome = \"hold\"` gives none"
            }
        };
        Some(warning(WarningKind::AnswerEffectUnknown, evidence).by(&self.context.file))
    }
}

//----------- Texts ------------------------------------------------------------------------------------------------

fn told(hit: &Hit<'_>) -> String {
    let note = if hit.note.is_empty() { String::new() } else { format!(" ({})", hit.note) };
    format!("{}{note}, line {}", defang(&hit.value), hit.line)
}

fn when(span: &Span) -> String {
    let day = |at: Option<Timestamp>| at.map_or("an unknown day".to_owned(), |at| utc_day(at).to_string());
    format!("from {} to {}", day(span.first), day(span.last))
}
