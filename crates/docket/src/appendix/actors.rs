//! Who acts for which name: the operator's own table, because no case file says who sponsors a registration.
//!
//! Two forms are read. TOML says everything: actors, the state of each registration today, addresses of host objects, and
//! what the paper says of contact data, renewal and costs. CSV has one line per TLD or name. Where neither names anybody,
//! the registry of the TLD acts, as the case file calls it; for what a provider has to remove, a provider whom nobody has
//! stated: no registry can remove a host, and what it gets to read it may take for an order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use model::DomainName;
use model::name::defang;
use model::order::NameOutcome;
use serde::{Deserialize, Serialize};

use super::ACTORS_MAX;
use super::state::{Ds, State, Status};
use crate::casefile::NameList;

/// The largest file of actors: a million lines with name servers.
pub const ACTORS_OCTETS_MAX: usize = 256 << 20;
/// The longest text of one field.
const FIELD_OCTETS_MAX: usize = 500;

/// Whoever has to act.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// A folder's name: letters, digits, hyphens.
    pub id: String,
    pub registry: Option<String>,
    pub registrar: Option<String>,
    /// The registrar's number at IANA.
    pub iana_id: Option<u32>,
    pub contact: Option<String>,
    /// How they want it: mail, portal, phone.
    pub channel: Option<String>,
    /// Whether that registrar is us: only then is there anything to write in EPP.
    pub sponsors: bool,
}

impl Actor {
    /// How people call them.
    pub fn called(&self) -> &str {
        self.registrar.as_deref().or(self.registry.as_deref()).unwrap_or(&self.id)
    }
}

/// What the paper or the requester says for all names.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instructions {
    /// What registration data (WHOIS, RDAP) shall show.
    pub whois: Option<String>,
    /// For how long, where the authority's expiry does not say it.
    pub duration: Option<String>,
    pub renewal: Option<String>,
    pub who_pays: Option<String>,
    /// Whom the owner or the actor writes to, if not the case's contact.
    pub contact: Option<String>,
}

/// Everything the operator knows of actors and registrations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actors {
    pub instructions: Instructions,
    actors: Vec<Actor>,
    /// By name or TLD.
    by: BTreeMap<String, usize>,
    before: BTreeMap<DomainName, State>,
    hosts: BTreeMap<DomainName, Vec<IpAddr>>,
}

impl Actors {
    /// The place of whoever acts for a name: its own line, or the nearest suffix's.
    pub fn index_for(&self, name: &DomainName) -> Option<usize> {
        self.nearest(name).map(|(_, index)| index)
    }

    /// The scope that counts for a name, and who acts for it.
    fn nearest<'n>(&self, name: &'n DomainName) -> Option<(&'n str, usize)> {
        let mut text = name.as_str();
        loop {
            if let Some(found) = self.by.get(text) {
                return Some((text, *found));
            }
            text = text.split_once('.')?.1;
        }
    }

    pub fn actor(&self, index: usize) -> &Actor {
        &self.actors[index]
    }

    /// What stands at the registry today, where somebody has looked.
    pub fn before(&self, name: &DomainName) -> Option<&State> {
        self.before.get(name)
    }

    /// The addresses of a host object.
    pub fn host(&self, name: &DomainName) -> &[IpAddr] {
        self.hosts.get(name).map_or(&[], Vec::as_slice)
    }

    /// Has the registries that the case file names act for every TLD that the operator says nothing of.
    pub fn with_registries(mut self, lists: &[NameList]) -> Self {
        for list in lists {
            let registry = list.registry.as_ref();
            let operator = registry.and_then(|registry| registry.operator.as_ref()).map(|op| op.value.clone());
            let of_list = registry.map(|registry| registry.tld.clone()).into_iter();
            let tlds = of_list.chain(list.names.iter().map(|name| name.tld().to_owned()));
            let mut last = String::new();
            for tld in tlds {
                if tld != last {
                    self.add_registry(&tld, operator.as_deref());
                }
                last = tld;
            }
        }
        self.add_providers(lists);
        self
    }

    /// What a provider has to remove is that provider's, where no line is nearer than the registry's.
    fn add_providers(&mut self, lists: &[NameList]) {
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut ids: HashSet<String> = self.actors.iter().map(|actor| actor.id.clone()).collect();
        let removed = lists.iter().filter(|list| list.outcome == NameOutcome::ProviderRemoval);
        for name in removed.flat_map(|list| &list.names) {
            if self.nearest(name).is_some_and(|(scope, _)| !is_of_registry(scope)) {
                continue;
            }
            let mut provider = provider_of(name);
            if known.len() >= ACTORS_MAX && !known.contains_key(&provider) {
                provider = "others".to_owned();
            }
            let index = *known.entry(provider).or_insert_with_key(|provider| {
                let id = free_id(&mut ids, format!("provider-{}", slug(provider)));
                self.actors.push(Actor { id, ..Actor::default() });
                self.actors.len() - 1
            });
            self.by.insert(name.as_str().to_owned(), index);
        }
    }

    /// One operator of several TLDs is one actor.
    fn add_registry(&mut self, tld: &str, operator: Option<&str>) {
        if self.by.contains_key(tld) {
            return;
        }
        let registry = operator.map_or_else(|| format!("the registry of .{tld}"), str::to_owned);
        let id = format!("registry-{}", slug(operator.unwrap_or(tld)));
        let known = self.actors.iter().position(|known| known.id == id);
        let index = known.unwrap_or_else(|| {
            self.actors.push(Actor { id, registry: Some(registry), ..Actor::default() });
            self.actors.len() - 1
        });
        self.by.insert(tld.to_owned(), index);
    }

    //----- Reading

    /// Reads TOML or CSV: a CSV file begins with its header, `for,`.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > ACTORS_OCTETS_MAX {
            return Err(format!("a file of actors has at most {ACTORS_OCTETS_MAX} octets, this one {}", text.len()));
        }
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with("for,") { Self::of_csv(text) } else { Self::of_toml(text) }
    }

    fn of_toml(text: &str) -> Result<Self, String> {
        let file: InToml = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut all = Self { instructions: file.instructions, ..Self::default() };
        for actor in file.actor {
            let scopes = actor.scopes.clone();
            let index = all.add(actor.into_actor()?)?;
            scopes.iter().try_for_each(|scope| all.claim(scope, index))?;
        }
        for InRegistered { name, statuses, name_servers, ds } in file.registered {
            let state = State {
                statuses: statuses.into_iter().collect(),
                name_servers: name_servers.into_iter().collect(),
                ds: ds.into_iter().collect(),
            };
            if all.before.insert(name.clone(), state).is_some() {
                return Err(format!("`{}` is registered twice", name.defanged()));
            }
        }
        all.hosts = file.host.into_iter().map(|host| (host.name, host.addresses)).collect();
        Ok(all)
    }

    fn of_csv(text: &str) -> Result<Self, String> {
        let mut all = Self::default();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        for (number, row) in reader.deserialize::<InCsv>().enumerate() {
            let row = row.map_err(|error| error.to_string())?;
            all.take(row).map_err(|why| format!("line {}: {why}", number + 2))?;
        }
        Ok(all)
    }

    fn take(&mut self, row: InCsv) -> Result<(), String> {
        let list = |text: &Option<String>| text.clone().unwrap_or_default();
        let (statuses, servers, ds) = (list(&row.statuses), list(&row.name_servers), list(&row.ds));
        let scope = row.scope.clone();
        let index = self.add(row.into_actor()?)?;
        self.claim(&scope, index)?;
        if statuses.is_empty() && servers.is_empty() && ds.is_empty() {
            return Ok(());
        }
        let name = DomainName::parse(&scope).map_err(|error| format!("`{}`: {error}", defang(&scope)))?;
        let server = |text: &str| DomainName::parse(text).map_err(|error| format!("`{}`: {error}", defang(text)));
        let state = State {
            statuses: statuses.split_whitespace().map(str::parse::<Status>).collect::<Result<_, _>>()?,
            name_servers: servers.split_whitespace().map(server).collect::<Result<_, _>>()?,
            ds: ds.split(';').filter(|one| !one.trim().is_empty()).map(str::parse::<Ds>).collect::<Result<_, _>>()?,
        };
        self.before.insert(name, state);
        Ok(())
    }

    /// The same actor twice is one.
    fn add(&mut self, actor: Actor) -> Result<usize, String> {
        let texts = [&actor.registry, &actor.registrar, &actor.contact, &actor.channel];
        if texts.into_iter().flatten().any(|text| text.len() > FIELD_OCTETS_MAX) {
            return Err(format!("a field of `{}` has more than {FIELD_OCTETS_MAX} octets", actor.id));
        }
        // Lines of a table stand together, so the last is looked at first.
        if let Some(found) = self.actors.iter().rposition(|known| known.id == actor.id) {
            if self.actors[found] == actor {
                return Ok(found);
            }
            return Err(format!("actor `{}` is said twice, and not alike", actor.id));
        }
        if self.actors.len() == ACTORS_MAX {
            return Err(format!("more than {ACTORS_MAX} actors"));
        }
        self.actors.push(actor);
        Ok(self.actors.len() - 1)
    }

    fn claim(&mut self, scope: &str, index: usize) -> Result<(), String> {
        let scope = scope.trim().trim_matches('.').to_ascii_lowercase();
        if scope.is_empty() || scope.len() > 253 {
            return Err("an actor acts `for` a TLD or a name".to_owned());
        }
        match self.by.insert(scope.clone(), index) {
            Some(other) if other != index => Err(format!("two actors act for `{}`", defang(&scope))),
            _ => Ok(()),
        }
    }
}

//----------- Shapes -----------------------------------------------------------------------------------------------

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InToml {
    #[serde(default)]
    instructions: Instructions,
    #[serde(default)]
    actor: Vec<InActor>,
    #[serde(default)]
    registered: Vec<InRegistered>,
    #[serde(default)]
    host: Vec<InHost>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InActor {
    #[serde(rename = "for")]
    scopes: Vec<String>,
    id: Option<String>,
    registry: Option<String>,
    registrar: Option<String>,
    iana_id: Option<u32>,
    contact: Option<String>,
    channel: Option<String>,
    #[serde(default)]
    sponsors: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InRegistered {
    name: DomainName,
    #[serde(default)]
    statuses: Vec<Status>,
    #[serde(default)]
    name_servers: Vec<DomainName>,
    #[serde(default)]
    ds: Vec<Ds>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InHost {
    name: DomainName,
    addresses: Vec<IpAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InCsv {
    #[serde(rename = "for")]
    scope: String,
    id: Option<String>,
    registry: Option<String>,
    registrar: Option<String>,
    iana_id: Option<u32>,
    contact: Option<String>,
    channel: Option<String>,
    sponsors: Option<bool>,
    statuses: Option<String>,
    name_servers: Option<String>,
    ds: Option<String>,
}

impl InCsv {
    fn into_actor(self) -> Result<Actor, String> {
        let Self { id, registry, registrar, iana_id, contact, channel, sponsors, .. } = self;
        let sponsors = sponsors.unwrap_or_default();
        InActor { scopes: Vec::new(), id, registry, registrar, iana_id, contact, channel, sponsors }.into_actor()
    }
}

impl InActor {
    fn into_actor(self) -> Result<Actor, String> {
        let Self { id, registry, registrar, iana_id, contact, channel, sponsors, .. } = self;
        let named = id.as_ref().or(registrar.as_ref()).or(registry.as_ref());
        let id = named.map(|named| slug(named)).filter(|id| !id.is_empty());
        let id = id.ok_or("an actor has an `id`, a `registrar` or a `registry`")?;
        if sponsors && registrar.is_none() {
            return Err(format!("actor `{id}` sponsors names and is no registrar: say `registrar`"));
        }
        Ok(Actor { id, registry, registrar, iana_id, contact, channel, sponsors })
    }
}

/// A TLD, or a suffix below which a registry registers, such as `co.uk`.
fn is_of_registry(scope: &str) -> bool {
    let is_suffix = |name: DomainName| name.is_public_suffix() && !name.is_under_shared_suffix();
    !scope.contains('.') || DomainName::parse(scope).is_ok_and(is_suffix)
}

/// Whoever lets strangers have names: by the public suffix list, or else by the name's parent.
fn provider_of(name: &DomainName) -> String {
    let own = name.registrable().filter(|_| name.is_under_shared_suffix());
    let child = own.as_ref().unwrap_or(name).as_str();
    let parent = child.split_once('.').map(|(_, parent)| parent).filter(|parent| !is_of_registry(parent));
    parent.unwrap_or(child).to_owned()
}

/// Two providers may be called alike once dots are hyphens; the second gets a number.
fn free_id(taken: &mut HashSet<String>, wanted: String) -> String {
    let numbered = (2..).map(|number: u64| format!("{wanted}-{number}"));
    let id = std::iter::once(wanted.clone()).chain(numbered).find(|id| !taken.contains(id));
    let id = id.unwrap_or(wanted);
    taken.insert(id.clone());
    id
}

/// Letters, digits and single hyphens: what a folder can be called anywhere.
pub(super) fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().map(plain).take(60).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
