//! What the server says of itself: its cookies, its identifier, and proofs for certification authorities.
//!
//! The secret of the cookies is the operator's, where several servers answer on one address, or it is made at the start
//! and rolled over every day (RFC 7873, 7.1), the one before it being believed for as long as its cookies are.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use model::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;
use wire::dns::{CookieJar, Manners, SECRET_OCTETS};

use super::challenges::{Challenges, Told};
use crate::Settings;
use crate::run::stopped;
use crate::zones::Found;

/// How long a secret is the one that cookies are made with.
const SECRET_LIFE: Duration = Duration::from_secs(24 * 3600);

type Secret = [u8; SECRET_OCTETS];

/// What all listeners say alike.
pub(crate) struct Voice {
    cookies: ArcSwap<CookieJar>,
    id: Option<Vec<u8>>,
    /// How long a connection may be silent, for whoever asks over TCP.
    tcp_idle: Duration,
    challenges: Arc<Challenges>,
    rolls: bool,
    first: Secret,
}

impl Voice {
    pub(crate) fn new(settings: &Settings, challenges: Arc<Challenges>) -> Arc<Self> {
        let (own, others) = match settings.cookie_secrets.split_first() {
            Some((own, others)) => (own.0, others.first().map(|other| &other.0)),
            None => (random(), None),
        };
        Arc::new(Self {
            cookies: ArcSwap::from_pointee(CookieJar::new(&own, others)),
            id: (!settings.nsid.is_empty()).then(|| settings.nsid.clone().into_bytes()),
            tcp_idle: settings.dns_tcp.idle,
            challenges,
            rolls: settings.cookie_secrets.is_empty(),
            first: own,
        })
    }

    /// As it is now, for a batch.
    pub(super) fn read(&self) -> Saying<'_> {
        Saying { cookies: self.cookies.load(), challenges: self.challenges.read(), voice: self }
    }

    /// Rolls the secret over, day by day, until the stop.
    pub(crate) async fn roll(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        if !self.rolls {
            return;
        }
        let mut before = self.first;
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = sleep(SECRET_LIFE) => before = self.roll_over(before),
            }
        }
    }

    fn roll_over(&self, before: Secret) -> Secret {
        let own = random();
        self.cookies.store(Arc::new(CookieJar::new(&own, Some(&before))));
        own
    }
}

/// The voice while a batch is answered.
pub(super) struct Saying<'a> {
    cookies: Guard<Arc<CookieJar>>,
    challenges: Told,
    voice: &'a Voice,
}

impl Saying<'_> {
    /// The zone as DNS answers for it now.
    pub(super) fn zone<'a>(&'a self, found: Found<'a>, now: Timestamp) -> wire::dns::Zone<'a> {
        let acme = self.challenges.of(found.served.zone.apex(), now);
        wire::dns::Zone { acme, ..found.as_answered(now) }
    }

    pub(super) fn manners(&self, client: IpAddr, now: Timestamp) -> Manners<'_> {
        // Cookies count in 32 bits that wrap (RFC 9018, 4.3).
        let manners = Manners::new(&self.cookies, client, now.as_second() as u32);
        Manners { server_id: self.voice.id.as_deref(), tcp_idle: Some(self.voice.tcp_idle), ..manners }
    }
}

/// # Panics
/// If the system has no randomness: then nothing that it serves is safe.
fn random() -> Secret {
    let mut secret = [0; SECRET_OCTETS];
    getrandom::fill(&mut secret).expect("the system gives random octets");
    secret
}
