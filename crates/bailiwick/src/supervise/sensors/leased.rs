//! What a sensor serves: asked of the core again and again, and obeyed by the sensor's own clock in between.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Digest, Timestamp};
use sinkhole::{Settings, ZoneTable};
use store::lease::{GrantError, Instants, Keeper, Standing};
use store::{DataFolder, Vault};
use tokio::sync::watch;
use tokio::time::Instant;

use super::caller::Caller;
use super::identity::Identity;
use super::{SMALL_OCTETS_MAX, Told};
use crate::failure::{Done, Failure, Tried};
use crate::supervise::captured::Shelf;
use crate::supervise::{now, of_store};

/// How often the clock is looked at: so much later than its moment a lease may end.
const TICK: Duration = Duration::from_millis(500);
/// The largest file of an owner's records: what `case records` takes.
const FILE_OCTETS_MAX: u64 = docket::zonefile::ZONE_FILE_OCTETS_MAX as u64;

/// How the lease stands, for whoever asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct LeaseLive {
    pub(crate) version: Option<u64>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) is_over: bool,
    pub(crate) last_heard: Option<Timestamp>,
    pub(crate) error: Option<String>,
}

/// The zones of a sensor.
pub(crate) struct Leased {
    keeper: Keeper,
    caller: Caller,
    vault: Arc<Vault>,
    shelf: Shelf,
    settings: Settings,
    table: Arc<ZoneTable>,
    loopback_only: bool,
    poll: Duration,
    began: Instant,
    /// What the table was made from.
    served: Option<Standing>,
    live: Arc<Mutex<LeaseLive>>,
}

/// What a sensor's zones are made with.
pub(crate) struct Ground {
    pub(crate) caller: Caller,
    pub(crate) vault: Arc<Vault>,
    pub(crate) settings: Settings,
    pub(crate) table: Arc<ZoneTable>,
    pub(crate) loopback_only: bool,
    pub(crate) poll: Duration,
}

impl Leased {
    /// Opens what was kept, and serves it at once: a sensor that starts while it is cut off does what it may.
    pub(crate) fn open(folder: &DataFolder, identity: &Identity, ground: Ground) -> Result<Self, Failure> {
        let key = identity.ledger.parse().tried("reading the key of the core's ledger")?;
        let began = Instant::now();
        let at = Instants { wall: now(), running: Duration::ZERO };
        let keeper = Keeper::open(folder, key, at).map_err(|error| of_store(&folder.path().display(), &error))?;
        let Ground { caller, vault, settings, table, loopback_only, poll } = ground;
        let (shelf, live) = (Shelf::new(Arc::clone(&vault)), Arc::default());
        let served = None;
        let mut leased =
            Self { keeper, caller, vault, shelf, settings, table, loopback_only, poll, began, served, live };
        leased.obey();
        Ok(leased)
    }

    pub(crate) fn live(&self) -> Arc<Mutex<LeaseLive>> {
        Arc::clone(&self.live)
    }

    fn at(&self) -> Instants {
        Instants { wall: now(), running: self.began.elapsed() }
    }

    /// Serves what may be served at this moment, if it is not what is served.
    fn obey(&mut self) {
        let at = self.at();
        let standing = self.keeper.tick(at).unwrap_or_else(|error| {
            tracing::error!(%error, "the clock of the lease could not be saved; after a restart now it counts from earlier");
            self.keeper.standing(at)
        });
        if standing != self.served {
            let mut set = self.keeper.zones(at);
            set.zones.retain(|zone| self.loopback_only || !zone.coverage().is_exercise());
            let is_over = standing.as_ref().is_some_and(|standing| standing.is_over);
            let zones = set.zones.len();
            if is_over {
                tracing::error!(
                    zones,
                    "nobody has renewed the lease in time; hint: is the core reached? `bailiwick status`"
                );
            } else {
                tracing::info!(zones, serial = set.serial, "zones are served");
            }
            let files = self.shelf.files_for(&set);
            self.table.replace_with(set, &self.settings, files);
        }
        self.tell(standing.as_ref());
        self.served = standing;
    }

    fn tell(&self, standing: Option<&Standing>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.version = self.keeper.holds().map(|(version, _)| version);
        live.until = self.keeper.until();
        live.is_over = standing.is_some_and(|standing| standing.is_over);
    }

    /// Asks and obeys until the stop.
    pub(crate) async fn follow(mut self, mut stopped: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(TICK);
        let (mut next, mut asking) = (self.began, None);
        loop {
            if asking.is_none() && Instant::now() >= next {
                next = Instant::now() + self.poll;
                asking = Some(tokio::spawn(self.question()));
            }
            let answered = async {
                match &mut asking {
                    Some(asking) => asking.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                _ = tick.tick() => {}
                fetched = answered => {
                    asking = None;
                    let taken = fetched.tried("asking the core").flatten().and_then(|fetched| self.take(fetched));
                    self.note(taken);
                }
            }
            self.obey();
        }
    }

    fn question(&self) -> impl Future<Output = Result<Fetched, Failure>> + Send + 'static {
        let question = Question {
            asked: self.at(),
            holds: self.keeper.holds(),
            key: self.keeper.judge(),
            caller: self.caller.clone(),
            vault: Arc::clone(&self.vault),
        };
        question.ask()
    }

    fn take(&mut self, fetched: Fetched) -> Done {
        let Fetched { note, octets, asked } = fetched;
        let taken = self.keeper.take(&note, octets.as_deref(), asked);
        let taken = taken.map_err(|error| Failure::of("keeping the zones of the core", &error))?;
        taken.map_err(|refused| Failure::of("the core's grant is not obeyed", &refused))?;
        // A file that has come since is read anew.
        self.shelf.try_lost_again();
        Ok(())
    }

    fn note(&self, taken: Done) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match taken {
            Ok(()) => (live.last_heard, live.error) = (Some(now()), None),
            Err(failure) => {
                let why = failure.message().to_owned();
                if live.error.as_ref() != Some(&why) {
                    tracing::warn!(why, "the lease is not renewed; names are served until it is over");
                }
                live.error = Some(why);
            }
        }
    }
}

//----------- Asking -----------------------------------------------------------------------------------------------

/// One question to the core, with all that it needs.
struct Question {
    asked: Instants,
    holds: Option<(u64, Digest)>,
    key: store::lease::Judge,
    caller: Caller,
    vault: Arc<Vault>,
}

/// What came of it.
struct Fetched {
    note: String,
    octets: Option<Vec<u8>>,
    asked: Instants,
}

impl Question {
    async fn ask(self) -> Result<Fetched, Failure> {
        let version = self.holds.map_or(0, |(version, _)| version);
        let answered = self.caller.get(&format!("/v1/zones?version={version}"), SMALL_OCTETS_MAX as u64).await?;
        let told: Told =
            serde_json::from_slice(&answered.good("asking for zones")?).tried("reading the core's answer")?;
        let grant = self.key.check(&told.grant);
        let grant = grant.map_err(|refused: GrantError| Failure::of("the core's grant is not obeyed", &refused))?;
        let is_held = self.holds.is_some_and(|(_, zones)| zones == grant.zones);
        let octets = match is_held {
            true => None,
            false => Some(self.fetch(&grant.zones, grant.octets).await?),
        };
        Ok(Fetched { note: told.grant, octets, asked: self.asked })
    }

    async fn fetch(&self, zones: &Digest, octets: u64) -> Result<Vec<u8>, Failure> {
        let answered = self.caller.get(&format!("/v1/zones/{zones}"), octets).await?;
        let octets = answered.good("fetching zones")?.to_vec();
        // A file that does not come is said, and its name is answered with SOA and NS only until it does.
        for file in store::lease::captured_in(&octets) {
            if let Err(failure) = self.fetch_file(file).await {
                tracing::error!(?failure, %file, "an owner's records could not be fetched");
            }
        }
        Ok(octets)
    }

    async fn fetch_file(&self, file: Digest) -> Done {
        let vault = Arc::clone(&self.vault);
        let known = tokio::task::spawn_blocking(move || vault.get(&file)).await.tried("looking into the vault")?;
        if known.tried("looking into the vault")?.is_some() {
            return Ok(());
        }
        let answered = self.caller.get(&format!("/v1/files/{file}"), FILE_OCTETS_MAX).await?;
        let octets = answered.good("fetching an owner's records")?;
        if Digest::of_bytes(&octets) != file {
            return Err(Failure::new("what came is another file"));
        }
        let vault = Arc::clone(&self.vault);
        let put = tokio::task::spawn_blocking(move || vault.put(&octets).map(drop));
        put.await.tried("keeping a file")?.tried("keeping a file")
    }
}
