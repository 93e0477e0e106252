//! NOTIFY out: sees what is new, tells whoever may take it, and hears the answers.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Opcode, Rtype};
use domain::base::message_builder::MessageBuilder;
use domain::base::{Message, Name};
use domain::tsig::ClientTransaction;
use foldhash::quality::RandomState;
use store::zones::Published;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use wire::dns::{Answers, rtype};

use super::access::{Allowed, Peer};
use super::counts::Kind;
use super::messages::shown;
use super::run::House;
use super::tell::{AT_ONCE_MAX, Proof, Teller, Telling};
use crate::run::stopped;

/// Between two turns of a flood of news.
const TURN: Duration = Duration::from_millis(100);
/// When nothing is due: long, because something new wakes us.
const NEVER: Duration = Duration::from_secs(24 * 3_600);
/// At the start every seized zone is told of, because it may have changed while we were away; unless there are so many
/// that peers had better look by themselves.
const TOLD_AT_START_MAX: usize = 10_000;

/// What came back.
pub(super) struct Heard {
    pub(super) source: SocketAddr,
    pub(super) packet: Vec<u8>,
}

/// Tells until the stop.
pub(super) async fn run(
    sockets: Vec<Arc<UdpSocket>>,
    house: Arc<House>,
    mut seized: watch::Receiver<u64>,
    mut hears: mpsc::Receiver<Heard>,
    mut stop: watch::Receiver<bool>,
) {
    let mut published = house.published.clone();
    let mut crier = Crier::new(sockets, house);
    crier.see_named(&published.borrow_and_update());
    crier.see_seized();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            Ok(()) = published.changed() => crier.see_named(&published.borrow_and_update()),
            Ok(()) = seized.changed() => crier.see_seized(),
            Some(heard) = hears.recv() => crier.hear(heard),
            () = sleep_until(crier.next_turn()) => crier.cry().await,
        }
    }
}

/// What it knows of what was told.
struct Crier {
    sockets: Vec<Arc<UdpSocket>>,
    house: Arc<House>,
    teller: Teller,
    started: Instant,
    last_turn: Instant,
    named: HashMap<Box<[u8]>, u32, RandomState>,
    /// What each seized zone said when it was told of last; `None` before the first look.
    seized: Option<HashMap<Box<[u8]>, u64, RandomState>>,
    seed: RandomState,
}

impl Crier {
    fn new(sockets: Vec<Arc<UdpSocket>>, house: Arc<House>) -> Self {
        let started = Instant::now();
        Self {
            sockets,
            house,
            teller: Teller::default(),
            started,
            last_turn: started,
            named: HashMap::default(),
            seized: None,
            seed: RandomState::default(),
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    //------- Seeing

    fn see_named(&mut self, published: &Published) {
        for (origin, zone) in &published.zones {
            if self.named.insert(origin.clone(), zone.serial) != Some(zone.serial) {
                self.tell(origin, &Allowed::Named(origin.clone()));
            }
        }
    }

    /// A new serial of ours is no news to a peer if the zone says the same: then it is not told.
    fn see_seized(&mut self) {
        if !self.house.access.peers.iter().any(|peer| hears_of(peer, &Allowed::Seized)) {
            return;
        }
        let mut said = HashMap::default();
        let mut hashes = HashMap::new();
        for served in self.house.seized.read().iter() {
            let hash = hashes.entry(Arc::as_ptr(&served.answers)).or_insert_with(|| self.hash(&served.answers));
            said.insert(Box::from(served.zone.apex().to_wire()), *hash);
        }
        let before = self.seized.replace(said);
        let after = self.seized.as_ref().expect("it was just put there");
        let is_news = |apex: &[u8], hash: u64| match &before {
            Some(before) => before.get(apex) != Some(&hash),
            None => after.len() <= TOLD_AT_START_MAX,
        };
        let news = after.iter().filter(|(apex, hash)| is_news(apex, **hash)).map(|(apex, _)| apex.clone());
        let news: Vec<Box<[u8]>> = news.collect();
        news.iter().for_each(|apex| self.tell(apex, &Allowed::Seized));
    }

    /// Of all that a zone says but its SOA.
    fn hash(&self, answers: &Answers) -> u64 {
        let mut hasher = self.seed.build_hasher();
        for record in answers.listing().iter().filter(|record| record.rtype != rtype::SOA) {
            (&record.owner, record.rtype, record.ttl_secs, &record.rdata).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn tell(&mut self, origin: &[u8], kind: &Allowed) {
        let (origin, now): (Arc<[u8]>, Duration) = (origin.into(), self.now());
        let hearers = self.house.access.peers.iter().filter(|peer| hears_of(peer, kind));
        for &to in hearers.flat_map(|peer| &peer.notify) {
            if !self.teller.tell(Telling { to, origin: Arc::clone(&origin) }, now) {
                let zone = shown(&origin);
                tracing::warn!(%zone, %to, "too many peers wait to be told; this one will look by itself");
            }
        }
    }

    //------- Crying

    fn next_turn(&self) -> Instant {
        let due = self.teller.next_due().map_or(self.last_turn + NEVER, |due| self.started + due);
        due.max(self.last_turn + TURN)
    }

    async fn cry(&mut self) {
        let (due, given_up) = self.teller.due(self.now());
        self.last_turn = self.started + self.now();
        for _ in 0..given_up {
            self.house.counting.add(Kind::NotifyGivenUp);
        }
        if given_up > 0 {
            tracing::warn!(given_up, "peers did not answer a NOTIFY; they will look by themselves");
        }
        debug_assert!(due.len() <= AT_ONCE_MAX, "a turn has its limit");
        for telling in due {
            self.send(&telling).await;
        }
    }

    async fn send(&mut self, telling: &Telling) {
        let Some(socket) = self.socket_for(telling.to) else { return };
        let Some((id, packet, proof)) = self.message(telling) else { return };
        self.teller.sent(telling, id, proof);
        match socket.send_to(&packet, telling.to).await {
            Ok(_) => self.house.counting.add(Kind::NotifySent),
            Err(error) => tracing::warn!(to = %telling.to, %error, "a NOTIFY could not be sent; it is tried again"),
        }
    }

    /// One of ours that reaches the peer: its source is where the peer knows us.
    fn socket_for(&self, to: SocketAddr) -> Option<Arc<UdpSocket>> {
        let same = |socket: &&Arc<UdpSocket>| socket.local_addr().is_ok_and(|local| local.is_ipv4() == to.is_ipv4());
        self.sockets.iter().find(same).cloned()
    }

    fn message(&self, telling: &Telling) -> Option<(u16, Vec<u8>, Proof)> {
        let name = Name::from_octets(telling.origin.to_vec()).ok()?;
        let mut id = [0; 2];
        getrandom::fill(&mut id).expect("the system gives random octets");
        let id = u16::from_be_bytes(id);
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(id);
        builder.header_mut().set_opcode(Opcode::NOTIFY);
        builder.header_mut().set_aa(true);
        let mut builder = builder.question();
        builder.push((name, Rtype::SOA)).ok()?;
        let mut message = builder.additional();
        let key = self.house.access.peers.iter().find(|peer| peer.notify.contains(&telling.to))?.key.as_ref();
        let sign = |key: &super::TransferKey| {
            ClientTransaction::request(Arc::clone(key.key()), &mut message, self.house.now()).ok()
        };
        let proof = key.and_then(sign);
        Some((id, message.finish(), proof))
    }

    //------- Hearing

    fn hear(&mut self, Heard { source, packet }: Heard) {
        let Ok(mut message) = Message::from_octets(packet) else { return };
        let Ok(question) = message.sole_question() else { return };
        let name: Name<Vec<u8>> = domain::base::name::ToName::to_vec(&question.qname());
        let origin = name.as_slice().to_ascii_lowercase().into();
        let (id, now) = (message.header().id(), self.house.now());
        let telling = Telling { to: source, origin };
        let proves = |proof: &Proof| match proof {
            Some(transaction) => transaction.answer(&mut message, now).is_ok(),
            None => true,
        };
        if self.teller.answered(&telling, id, proves) {
            self.house.counting.add(Kind::NotifyAnswered);
        }
    }
}

fn hears_of(peer: &Peer, kind: &Allowed) -> bool {
    !peer.notify.is_empty() && peer.may_take(kind)
}
