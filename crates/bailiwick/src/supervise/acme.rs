//! Public certificates: follows the zones, asks the authority for those that an order permits, and gives up the rest.
//!
//! To ask is the one call that the program makes by itself. The operator names whom ([`crate::config::Acme`]), two people
//! put the order in force that permits it, and nothing that a caller sends leads here. It stands under the roof and not in
//! the sinkhole, which calls nobody. What is shown at a hello is decided there, at that moment; here it is only had,
//! renewed and destroyed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{Account, Error};
use model::{DomainName, Timestamp};
use sinkhole::certificates::{Certificates, PUBLIC_MAX, Standing};
use sinkhole::dns::Challenges;
use sinkhole::{Running, ServedZone, ZoneTable};
use tokio::sync::{OnceCell, watch};

use self::authority::Authority;
pub(crate) use self::authority::roots;
pub(super) use self::books::Books;
use self::orders::{Ended, Orders};
use super::now;
use crate::config::{Acme, Config};
use crate::failure::{Failure, Tried};

mod authority;
mod books;
mod order;
mod orders;
mod plan;

/// How often the zones are looked at if nobody says that they changed: seals and authorities end by the clock alone.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The least time between two looks, however much changes: a look at a million zones takes some 20 ms.
const LOOK_REST: Duration = Duration::from_secs(1);

/// Where the account of an authority lies, in the folder of keys.
const FOLDER: &str = "acme";

//----------- Certifier --------------------------------------------------------------------------------------------

/// The task that has certificates ordered.
pub(super) struct Certifier {
    ground: Arc<Ground>,
    orders: Orders,
    books: Books,
}

/// What every order works with.
struct Ground {
    acme: Acme,
    authority: Authority,
    folder: PathBuf,
    account: OnceCell<Account>,
    zones: Arc<ZoneTable>,
    certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
}

impl Certifier {
    /// With the certificates that earlier runs had. `None`: nobody is to be asked, or nothing would be shown.
    pub(super) fn new(config: &Config, running: &Running, zones: &Arc<ZoneTable>) -> Result<Option<Self>, Failure> {
        let (Some(acme), Some(certificates)) = (&config.acme, running.certificates()) else { return Ok(None) };
        let authority = Authority::new(acme)?;
        certificates.public().load().tried("reading the certificates that we have")?;
        tracing::info!(kept = certificates.public().len(), directory = acme.directory, "public certificates are kept");
        let ground = Ground {
            acme: acme.clone(),
            authority,
            folder: config.keys.join(FOLDER),
            account: OnceCell::new(),
            zones: Arc::clone(zones),
            certificates: Arc::clone(certificates),
            challenges: Arc::clone(running.challenges()),
        };
        Ok(Some(Self { ground: Arc::new(ground), orders: Orders::default(), books: Books::default() }))
    }

    /// What it counts, for whoever asks.
    pub(super) fn books(&self) -> Books {
        self.books.clone()
    }

    /// Looks, orders and waits, until the stop. Orders that run then are left to lapse at the authority.
    pub(super) async fn follow(mut self, mut seized: watch::Receiver<u64>, mut stopped: watch::Receiver<bool>) {
        loop {
            self.ground.forget();
            for apex in self.due(now()) {
                let order = Arc::clone(&self.ground).order(apex.clone());
                self.orders.begin(apex, order);
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                Some(ended) = self.orders.next() => self.note(&ended),
                changed = seized.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK_REST) => {}
            }
        }
    }

    /// The names to order for now.
    fn due(&mut self, now: Timestamp) -> Vec<DomainName> {
        let (ground, zones) = (Arc::clone(&self.ground), self.ground.zones.read());
        let due: Vec<&DomainName> = zones
            .iter()
            .filter(|served| ground.may_ask_for(served, now) && ground.needs_one(served, now))
            .map(|served| served.zone.apex())
            .collect();
        let picked = self.orders.plan.pick(due.iter().copied(), now);
        self.books.asked(picked.len());
        self.books.looked(ground.certificates.public().len(), due.len());
        self.books.waits_until(self.orders.plan.next_try(now));
        picked
    }

    fn note(&mut self, ended: &Ended) {
        let (name, until) = (ended.apex.defanged().to_string(), self.orders.note(ended, now()));
        match &ended.done {
            Ok(()) => {
                self.books.issued();
                tracing::info!(name, "a public certificate was obtained");
            }
            Err(error) => {
                self.books.failed(&format!("{name}: {error}"));
                tracing::warn!(name, error, again = %until, "no public certificate was obtained");
            }
        }
        self.books.waits_until(self.orders.plan.next_try(now()));
    }
}

//----------- Ground -----------------------------------------------------------------------------------------------

impl Ground {
    /// Whether the authority may be asked for that name at this moment. An exercise asks only one on this machine.
    fn may_ask_for(&self, served: &ServedZone, now: Timestamp) -> bool {
        let is_rehearsed_here = !served.zone.coverage().is_exercise() || self.acme.is_on_loopback();
        Standing::of(served, now) == Standing::Shown && is_rehearsed_here
    }

    /// Whether there is none, or one that is to be renewed.
    fn needs_one(&self, served: &ServedZone, now: Timestamp) -> bool {
        match self.certificates.public().renew_at(served.zone.apex()) {
            Some(at) => at <= now,
            None => self.certificates.public().len() < PUBLIC_MAX,
        }
    }

    /// What is true of the name now; `None`: it is not served.
    fn with_zone<T>(&self, apex: &DomainName, look: impl Fn(&ServedZone) -> T) -> Option<T> {
        let (zones, name) = (self.zones.read(), apex.to_wire());
        // A name below another's apex would find that.
        zones.find(&name).filter(|found| found.served.zone.apex() == apex).map(|found| look(found.served))
    }

    /// Destroys the keys of names that are not ours any more.
    fn forget(&self) {
        let public = self.certificates.public();
        let names = public.names().inspect_err(|error| tracing::error!(%error, "no certificate is given up"));
        for apex in names.unwrap_or_default() {
            let standing = self.with_zone(&apex, |served| Standing::of(served, now()));
            if standing.unwrap_or(Standing::Forgotten) != Standing::Forgotten {
                continue;
            }
            let name = apex.defanged().to_string();
            match public.forget(&apex) {
                Ok(()) => tracing::info!(
                    name,
                    "the key of its public certificate was destroyed; the name is not ours to certify"
                ),
                Err(error) => tracing::error!(name, %error, "the key of its public certificate could not be destroyed"),
            }
        }
    }

    async fn order(self: Arc<Self>, apex: DomainName) -> Result<(), String> {
        let pem = self.obtain(&apex).await.map_err(|error| error.to_string())?;
        self.certificates.public().keep(&apex, &pem).map_err(|error| error.to_string())
    }

    async fn obtain(&self, apex: &DomainName) -> Result<String, Error> {
        let account = self.account.get_or_try_init(|| order::account(&self.acme, self.authority.clone(), &self.folder));
        let may_go_on = || self.with_zone(apex, |served| self.may_ask_for(served, now())).unwrap_or(false);
        order::obtain(account.await?, apex, &self.challenges, may_go_on).await
    }
}
