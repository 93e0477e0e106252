//! The verifier's door: walks down from the root, asks everybody who has to be asked, and notes what each said.
//!
//! Nobody is asked faster than the operator allows, and one name has so many questions and no more. Who serves a zone is
//! remembered for a minute, so that ten thousand names of one registry find it once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::base::Rtype;
use domain::base::iana::Rcode;
use model::check::Check;
use model::id::OrderId;
use model::observation::{ChildAnswer, Heard as Answered, Observation};
use model::visit::Salt;
use model::{DomainName, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use self::exchange::Pace;
use super::handover::{self, named};
use super::judge::Target;
use super::message::{Host, Question, Reply, host};
use super::rdap::{self, Registration};
use super::report::{LookedAt, NameReport};
use super::seen::{
    Delegation, OursSeen, ParentSeen, Place, RdapSeen, Resolved, ResolverSeen, Seen, Transport, Unheard, WebSeen,
    answered,
};
use super::settings::{OurSide, Settings};
use super::walk::{ADDRESSES_PER_SERVER_MAX, DEPTH_MAX, Heard, ZoneServers, above, hear, name_server};

mod exchange;
pub mod passes;
#[cfg(test)]
mod tests;
mod web;

/// So many names are looked at side by side.
const NAMES_AT_ONCE: usize = 32;
/// The most questions about one name: 32 servers with 2 addresses, two ways, two types are 256.
const QUESTIONS_PER_NAME_MAX: u32 = 1_024;
/// One look ends after so long, whoever is slow: many names wait for each other, and a person for all of them.
const LOOK_PATIENCE: Duration = Duration::from_secs(90);
/// Servers of one zone that are tried on the way down.
const TRIES_PER_ZONE_MAX: usize = 6;
/// Servers that a name is delegated to and that are asked what they say of it.
const CHILDREN_ASKED_MAX: usize = 8;
/// For how long who serves a zone, and where a server is, is believed.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The most zones and servers that are remembered.
const REMEMBERED_MAX: usize = 50_000;

//----------- Verifier ---------------------------------------------------------------------------------------------

/// Asks the world, for every case.
#[derive(Debug)]
pub struct Verifier {
    settings: Settings,
    pace: Pace,
    zones: Remembered<Arc<ZoneServers>>,
    addresses: Remembered<Vec<IpAddr>>,
}

impl Verifier {
    pub(super) fn ours(&self) -> &OurSide {
        &self.settings.ours
    }

    pub fn new(settings: Settings) -> Self {
        let (pace, zones, addresses) = (Pace::default(), Remembered::default(), Remembered::default());
        Self { settings, pace, zones, addresses }
    }

    /// Looks at names, side by side; an exercise's nowhere but on this machine.
    pub fn look(
        self: &Arc<Self>,
        targets: Vec<(Target, OrderId)>,
        before: &BTreeMap<DomainName, NameReport>,
        exercise: bool,
    ) -> Looking {
        let places = Arc::new(Semaphore::new(NAMES_AT_ONCE));
        let mut looking = Looking { running: JoinSet::new(), open: BTreeMap::new() };
        for (target, order) in targets {
            let (verifier, places) = (Arc::clone(self), Arc::clone(&places));
            let before = before.get(&target.name).cloned();
            looking.open.insert(target.name.clone(), (target.clone(), order.clone(), before.clone()));
            looking.running.spawn(async move {
                let _place = places.acquire().await;
                let seen = Look::new(&verifier, exercise).at(&target, Instant::now() + LOOK_PATIENCE).await;
                looked_at(&target, &order, &seen, before.as_ref())
            });
        }
        looking
    }

    /// What is seen of the name of one of our name servers: nothing is ordered of it, and all hangs on it.
    pub async fn watch(&self, name: &DomainName, exercise: bool) -> LookedAt {
        let look = Look::new(self, exercise);
        let mut seen = unheard(&[], "not heard");
        let until = Instant::now() + LOOK_PATIENCE;
        if let Ok((zone, parents)) = timeout_at(until, look.above(&host(name))).await {
            seen.child = timeout_at(until, look.child(&host(name), &parents)).await.unwrap_or_default();
            (seen.zone, seen.parents) = (zone, parents);
        }
        if let Ok(rdap) = timeout_at(until, look.rdap(name)).await {
            seen.rdap = rdap;
        }
        seen.at = now();
        LookedAt { report: None, seen: handover::observation(name, &seen) }
    }
}

/// Looks that go on, side by side: each comes out as it ends. Dropped, they break off.
#[derive(Debug)]
pub struct Looking {
    running: JoinSet<LookedAt>,
    /// What has not come out yet, with what the last report says of it.
    open: BTreeMap<DomainName, (Target, OrderId, Option<NameReport>)>,
}

impl Looking {
    pub async fn next(&mut self) -> Option<LookedAt> {
        while let Some(looked) = self.running.join_next().await {
            match looked {
                Ok(looked) => {
                    self.open.remove(&looked.seen.name);
                    return Some(looked);
                }
                Err(error) => tracing::error!(%error, "a look broke off"),
            }
        }
        let (_, (target, order, before)) = self.open.pop_first()?;
        let seen = unheard(&target.name_servers, "the look broke off by a fault of ours: the log says more");
        Some(looked_at(&target, &order, &seen, before.as_ref()))
    }
}

fn looked_at(target: &Target, order: &OrderId, seen: &Seen, before: Option<&NameReport>) -> LookedAt {
    let observed: Observation = handover::observation(&target.name, seen);
    LookedAt { report: Some(NameReport::of(target, order, seen, before)), seen: observed }
}

/// What was found out, for a while.
#[derive(Debug)]
struct Remembered<T>(Mutex<HashMap<Host, (Instant, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<T: Clone> Remembered<T> {
    fn get(&self, name: &Host) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|(until, _)| *until > Instant::now()).map(|(_, found)| found.clone())
    }

    fn keep(&self, name: &Host, found: &T) {
        let (now, mut known) = (Instant::now(), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, (until, _)| *until > now);
        }
        if known.len() < REMEMBERED_MAX {
            known.insert(name.clone(), (now + REMEMBERED, found.clone()));
        }
    }
}

//----------- Look -------------------------------------------------------------------------------------------------

/// One look at one name.
struct Look<'v> {
    verifier: &'v Verifier,
    exercise: bool,
    questions_left: AtomicU32,
}

/// The addresses of our name servers, or why they are not known.
type Addresses = BTreeMap<DomainName, Result<BTreeSet<IpAddr>, String>>;
type Found<'f, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'f>>;

impl<'v> Look<'v> {
    fn new(verifier: &'v Verifier, exercise: bool) -> Self {
        Self { verifier, exercise, questions_left: AtomicU32::new(QUESTIONS_PER_NAME_MAX) }
    }

    /// Whatever is not complete by then was not heard: half of the servers of a zone speak for none of them. A resolver
    /// speaks for itself.
    async fn at(&self, target: &Target, until: Instant) -> Seen {
        let (name, checks) = (host(&target.name), Check::asked(target.outcome, target.returned));
        let wants = |some: &[Check]| some.iter().any(|check| checks.contains(check));
        let mut seen = unheard(&target.name_servers, &too_late());
        // Custody compares the delegation of every name, also where no check asks for it.
        if let Ok((zone, parents)) = timeout_at(until, self.above(&name)).await {
            seen.child = timeout_at(until, self.child(&name, &parents)).await.unwrap_or_default();
            (seen.zone, seen.parents) = (zone, parents);
        }
        if wants(&[Check::OurAnswer]) {
            if let Ok((addresses, ours)) = timeout_at(until, self.our_side(target, &name)).await {
                (seen.addresses, seen.ours) = (addresses, ours);
            }
            seen.resolvers = self.resolvers(&name, until).await;
            let address = seen.ours.iter().find_map(|ours| ours.said.as_ref().ok()?.first().copied());
            if let Some(address) = address {
                seen.http = timeout_at(until, self.visit(&target.name, address, false)).await.ok();
                seen.https = timeout_at(until, self.visit(&target.name, address, true)).await.ok();
            }
        }
        if wants(&[Check::RdapRegistrar, Check::RdapStatus, Check::NotRegistrable, Check::Unregistered])
            && let Ok(rdap) = timeout_at(until, self.rdap(&target.name)).await
        {
            seen.rdap = rdap;
        }
        seen.at = now();
        seen
    }

    /// The zone above, and what each of its servers said.
    async fn above(&self, name: &Host) -> (Result<Host, String>, Vec<ParentSeen>) {
        match self.zone_above(name).await {
            Ok(zone) => (Ok(zone.apex.clone()), self.parents(&zone, name).await),
            Err(why) => (Err(why), Vec::new()),
        }
    }

    /// Where our servers are, and what each of them said.
    async fn our_side(&self, target: &Target, name: &Host) -> (Addresses, Vec<OursSeen>) {
        let mut addresses = Addresses::new();
        for server in &target.name_servers {
            addresses.insert(server.clone(), self.addresses_of_ours(server).await);
        }
        let ours = self.ours(&addresses, name).await;
        (addresses, ours)
    }

    async fn ask(
        &self,
        server: SocketAddr,
        transport: Transport,
        name: &Host,
        rtype: Rtype,
        recursive: bool,
    ) -> Result<Reply, Unheard> {
        let left = self.questions_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            return Err(Unheard::Ours(format!("more than {QUESTIONS_PER_NAME_MAX} questions about one name")));
        }
        let Verifier { settings, pace, .. } = self.verifier;
        let is_named = settings.resolvers.contains(&server) && !self.exercise;
        if !is_named && !settings.may_ask(server.ip(), self.exercise) {
            let why =
                if self.exercise { "an exercise stays on this machine" } else { "no server of the world is there" };
            return Err(Unheard::Ours(format!("not asked: {why}")));
        }
        let question = Question { id: random(), name: name.clone(), rtype, recursive };
        exchange::ask(settings, pace, server, transport, &question).await
    }

    //----- Walking down

    /// Who serves the zone that delegates `name`, or would.
    async fn zone_above(&self, name: &Host) -> Result<Arc<ZoneServers>, String> {
        let above = above(name).ok_or("nothing is above the root")?;
        if let Some(zone) = self.verifier.zones.get(&above) {
            return Ok(zone);
        }
        let mut zone = self.verifier.settings.hints.clone();
        // Each step leads at least one label down.
        loop {
            match self.ask_zone(&zone, name, Rtype::NS, 0).await? {
                (Heard::Referral(below), _) if below.apex != *name => zone = below,
                _ => break,
            }
        }
        let mut found = ZoneServers { apex: zone.apex.clone(), servers: Vec::new() };
        for mut server in zone.servers {
            if server.addresses.is_empty() {
                server.addresses = self.locate(&server.name, 1).await.unwrap_or_default();
            }
            found.servers.push(server);
        }
        let found = Arc::new(found);
        self.verifier.zones.keep(&above, &found);
        Ok(found)
    }

    /// What the first server of a zone says that is one.
    async fn ask_zone(
        &self,
        zone: &ZoneServers,
        name: &Host,
        rtype: Rtype,
        depth: usize,
    ) -> Result<(Heard, Reply), String> {
        let mut troubles = Vec::new();
        for server in zone.servers.iter().take(TRIES_PER_ZONE_MAX) {
            let addresses = match &server.addresses[..] {
                [] => self.locate(&server.name, depth + 1).await.unwrap_or_default(),
                known => known.to_vec(),
            };
            for address in addresses {
                let at = SocketAddr::new(address, self.verifier.settings.port);
                match self.ask(at, Transport::Udp, name, rtype, false).await {
                    Ok(reply) => match hear(&reply, &zone.apex, name) {
                        Heard::Lame(why) => troubles.push(format!("{} at {address}: {why}", server.name)),
                        heard => return Ok((heard, reply)),
                    },
                    Err(unheard) => troubles.push(format!("{} at {address}: {}", server.name, unheard.why())),
                }
            }
        }
        troubles.truncate(TRIES_PER_ZONE_MAX);
        Err(format!("no server of {} could say: {}", zone.apex, troubles.join("; ")))
    }

    /// The addresses of a server, found from the root.
    fn locate<'f>(&'f self, server: &'f Host, depth: usize) -> Found<'f, Vec<IpAddr>> {
        Box::pin(async move {
            if depth > DEPTH_MAX {
                return Err(format!("{server} hangs on more than {DEPTH_MAX} others"));
            }
            if let Some(found) = self.verifier.addresses.get(server) {
                return Ok(found);
            }
            let mut zone = self.verifier.settings.hints.clone();
            let found = loop {
                let (heard, reply) = self.ask_zone(&zone, server, Rtype::A, depth).await?;
                if let Heard::Referral(below) = heard {
                    zone = below;
                    continue;
                }
                let mut found = reply.addresses(server);
                if let Ok((_, reply)) = self.ask_zone(&zone, server, Rtype::AAAA, depth).await {
                    found.extend(reply.addresses(server));
                }
                found.truncate(ADDRESSES_PER_SERVER_MAX);
                break found;
            };
            self.verifier.addresses.keep(server, &found);
            Ok(found)
        })
    }

    //----- Asking everybody

    async fn parents(&self, zone: &ZoneServers, name: &Host) -> Vec<ParentSeen> {
        let mut parents = Vec::new();
        for server in &zone.servers {
            if server.addresses.is_empty() {
                let address = std::net::Ipv4Addr::UNSPECIFIED.into();
                let place = Place { server: server.name.to_string(), address, transport: Transport::Udp };
                parents.push(ParentSeen { place, said: Err("its address was not found".into()) });
            }
            for address in &server.addresses {
                for transport in [Transport::Udp, Transport::Tcp] {
                    let place = Place { server: server.name.to_string(), address: *address, transport };
                    let said = self.parent(&zone.apex, name, *address, transport).await;
                    parents.push(ParentSeen { place, said });
                }
            }
        }
        parents
    }

    async fn parent(&self, zone: &Host, name: &Host, at: IpAddr, transport: Transport) -> Result<Delegation, String> {
        let at = SocketAddr::new(at, self.verifier.settings.port);
        let ns = self.ask(at, transport, name, Rtype::NS, false).await?;
        let ds = self.ask(at, transport, name, Rtype::DS, false).await?;
        Delegation::read(zone, name, &ns, &ds)
    }

    /// What the servers that a name is delegated to say of it. One that says something else than the parent counts before
    /// those that agree with it; that all agree is known only where nobody was silent.
    async fn child(&self, name: &Host, parents: &[ParentSeen]) -> Option<ChildAnswer> {
        let delegations = || parents.iter().filter_map(|parent| parent.said.as_ref().ok());
        let servers: BTreeSet<&Host> = delegations().flat_map(|found| &found.servers).collect();
        let parent: BTreeSet<DomainName> = servers.iter().filter_map(|server| named(server)).collect();
        let (mut agreeing, mut silent, mut broken) = (None, false, false);
        let mut places: BTreeSet<IpAddr> = BTreeSet::new();
        for server in servers.iter().copied() {
            let glue = || delegations().flat_map(|found| found.glue.get(server).into_iter().flatten());
            let ours = named(server).and_then(|server| self.verifier.settings.ours.name_servers.get(&server));
            match ours {
                Some(ours) => places.extend(ours),
                None if glue().next().is_some() => places.extend(glue()),
                None => match self.locate(server, 0).await {
                    Ok(found) => places.extend(found),
                    Err(_) => silent = true,
                },
            }
        }
        for address in places.into_iter().take(CHILDREN_ASKED_MAX) {
            let at = SocketAddr::new(address, self.verifier.settings.port);
            let Ok(reply) = self.ask(at, Transport::Udp, name, Rtype::NS, false).await else {
                silent = true;
                continue;
            };
            let own = reply.answers.iter().filter(|record| record.owner == *name).filter_map(name_server);
            let ns: BTreeSet<DomainName> = own.filter_map(named).collect();
            if !reply.authoritative || ns.is_empty() {
                broken = true;
                continue;
            }
            let answer = ChildAnswer { heard: Answered::Delegated, ns, serial: None };
            if answer.ns != parent {
                return Some(answer);
            }
            agreeing = Some(answer);
        }
        let lame = || ChildAnswer { heard: Answered::Broken, ns: BTreeSet::new(), serial: None };
        if silent {
            return None;
        }
        agreeing.or_else(|| broken.then(lame))
    }

    async fn addresses_of_ours(&self, server: &DomainName) -> Result<BTreeSet<IpAddr>, String> {
        if let Some(known) = self.verifier.settings.ours.name_servers.get(server) {
            return Ok(known.clone());
        }
        let found = self.locate(&host(server), 0).await?;
        // What lies beyond a limit of ours is neither right nor wrong.
        if found.len() >= ADDRESSES_PER_SERVER_MAX {
            return Err(format!(
                "it has {ADDRESSES_PER_SERVER_MAX} or more, and no more are followed: [verify.name_servers]"
            ));
        }
        Ok(found.into_iter().collect())
    }

    async fn ours(&self, servers: &Addresses, name: &Host) -> Vec<OursSeen> {
        let mut ours = Vec::new();
        for (server, addresses) in servers {
            for address in addresses.iter().flatten() {
                for transport in [Transport::Udp, Transport::Tcp] {
                    let place = Place { server: server.as_str().to_owned(), address: *address, transport };
                    ours.push(OursSeen { place, said: self.our(name, *address, transport).await });
                }
            }
        }
        ours
    }

    async fn our(&self, name: &Host, at: IpAddr, transport: Transport) -> Result<Vec<IpAddr>, Unheard> {
        let at = SocketAddr::new(at, self.verifier.settings.port);
        let soa = self.ask(at, transport, name, Rtype::SOA, false).await?;
        let a = self.ask(at, transport, name, Rtype::A, false).await?;
        let aaaa = self.ask(at, transport, name, Rtype::AAAA, false).await?;
        Ok(answered(name, &soa, &a, &aaaa)?)
    }

    async fn resolvers(&self, name: &Host, until: Instant) -> Vec<ResolverSeen> {
        let mut resolvers = Vec::new();
        for resolver in &self.verifier.settings.resolvers {
            let said = timeout_at(until, self.resolved(*resolver, name)).await;
            let said = said.unwrap_or_else(|_| Err(too_late()));
            resolvers.push(ResolverSeen { resolver: resolver.to_string(), said });
        }
        resolvers
    }

    async fn resolved(&self, resolver: SocketAddr, name: &Host) -> Result<Resolved, String> {
        let a = self.ask(resolver, Transport::Udp, name, Rtype::A, true).await?;
        let mut resolved = Resolved { rcode: a.rcode, addresses: a.addresses(name), reason: a.reason };
        if a.rcode == Rcode::NOERROR {
            let aaaa = self.ask(resolver, Transport::Udp, name, Rtype::AAAA, true).await?;
            resolved.addresses.extend(aaaa.addresses(name));
            (resolved.rcode, resolved.reason) = (aaaa.rcode, aaaa.reason.or(resolved.reason));
        }
        Ok(resolved)
    }

    async fn rdap(&self, name: &DomainName) -> RdapSeen {
        let Verifier { settings, pace, .. } = self.verifier;
        let Some(bootstrap) = &settings.bootstrap else {
            return RdapSeen::Trouble("no bootstrap file is named in [verify]".into());
        };
        let Some(base) = bootstrap.server(name) else {
            return RdapSeen::Trouble(format!("the bootstrap file has no RDAP server for .{}", name.tld()));
        };
        let url = rdap::url(base, name);
        match web::rdap(settings, pace, &url, self.exercise).await {
            Ok((200, body)) => match Registration::read(&body, name) {
                Ok(found) => RdapSeen::Known { server: base.to_owned(), found: Box::new(found) },
                Err(why) => RdapSeen::Trouble(format!("{url}: {why}")),
            },
            Ok((404, _)) => RdapSeen::Unknown { server: base.to_owned() },
            Ok((status, _)) => RdapSeen::Trouble(format!("{url} answered {status}")),
            Err(why) => RdapSeen::Trouble(format!("{url}: {why}")),
        }
    }

    async fn visit(&self, name: &DomainName, address: IpAddr, is_secure: bool) -> WebSeen {
        let settings = &self.verifier.settings;
        let port = if is_secure { settings.https_port } else { settings.http_port };
        let address = SocketAddr::new(address, port);
        let said = if settings.may_ask(address.ip(), self.exercise) {
            web::visit(settings, address, name.as_str(), is_secure, &settings.key.sign(name, now(), salt())).await
        } else {
            Err(Unheard::Ours("not visited: no server of the world is there".into()))
        };
        WebSeen { address: address.to_string(), said }
    }
}

fn too_late() -> String {
    format!("not heard within the {} s of a look", LOOK_PATIENCE.as_secs())
}

/// Nobody said anything, for that reason.
fn unheard(name_servers: &[DomainName], why: &str) -> Seen {
    Seen {
        at: now(),
        zone: Err(why.to_owned()),
        parents: Vec::new(),
        child: None,
        addresses: name_servers.iter().map(|server| (server.clone(), Err(why.to_owned()))).collect(),
        ours: Vec::new(),
        resolvers: Vec::new(),
        rdap: RdapSeen::Trouble(why.to_owned()),
        http: None,
        https: None,
    }
}

/// What tells a visit from every other.
fn salt() -> Salt {
    let mut salt = Salt::default();
    // Without randomness a second visit of one second is not believed: the check fails, and says so.
    let _ = getrandom::fill(&mut salt);
    salt
}

/// An id that nobody guesses.
fn random() -> u16 {
    let mut octets = [0; 2];
    // Without randomness an id would be guessed; the question is asked all the same, and its port is the kernel's.
    let _ = getrandom::fill(&mut octets);
    u16::from_be_bytes(octets)
}

#[expect(clippy::disallowed_methods, reason = "this is the verifier's door")]
fn now() -> Timestamp {
    // Whole seconds are what people compare.
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
}
