//! `serve --role sensor`: DNS, trap and journal, and the way to the core. No archive is written here, nothing is learned,
//! nothing is shared.
//!
//! The folder has a ledger of its own all the same, for what happened on this machine (starts, configurations), and so
//! that `status` and `doctor` work here as everywhere.

use std::sync::{Arc, Mutex, PoisonError};

use desk::api::UplinkLive;
use sinkhole::transfer::Counts;
use sinkhole::{Keys, ZoneTable};
use store::{Journal, JournalLimits, SyncThread};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::pulse::{self, Addresses, Held, Pulse};
use super::sensors::Caller;
use super::sensors::identity::Identity;
use super::sensors::leased::{Ground, LeaseLive, Leased};
use super::sensors::uplink::{Sending, Standing};
use super::{CONTROL_PATIENCE, House, Stopped, control, metrics, note_start, now, settings};
use crate::config::Config;
use crate::failure::{Failure, Tried};
use crate::listen::Sockets;

/// Everything that a sensor runs.
pub(crate) struct SensorDaemon {
    house: House,
    sync: SyncThread,
    sinkhole: Held,
    stop: watch::Sender<bool>,
    uplink: JoinHandle<()>,
    zones: JoinHandle<()>,
    control: JoinHandle<()>,
    pub(crate) addresses: Addresses,
}

impl SensorDaemon {
    /// Starts from the bottom up, and serves what the lease allows before the core is reached.
    pub(crate) async fn start(config: &Config, sockets: Sockets) -> Result<Self, Failure> {
        let addresses = Addresses::of(&sockets)?;
        let Sockets { sinkhole: listeners, metrics, transfer, sensors } = sockets;
        check_alone(config, transfer.len() + sensors.len())?;
        let threads = listeners.threads_per_address();
        let identity = Identity::load(&config.keys)?;
        let house = House::open(config, "serve --role sensor").await?;
        check_number(&house, &identity)?;
        note_start(config, &house).await?;
        let limits = JournalLimits { segment_age: config.uplink.segment_age(), ..config.journal.limits() };
        let journal = Journal::open(&house.folder, limits).tried("opening the journal")?;
        let sync = journal.start_syncing();
        let (settings, table) = (settings(config)?, Arc::new(ZoneTable::default()));
        let caller = Caller::new(&identity)?;
        let ground = Ground {
            caller: caller.clone(),
            vault: Arc::clone(&house.vault),
            settings: settings.clone(),
            table: Arc::clone(&table),
            loopback_only: config.is_loopback_only(),
            poll: config.uplink.poll(),
        };
        let leased = Leased::open(&house.folder, &identity, ground)?;
        let keys = Keys { dir: config.keys.clone() };
        let sinkhole = sinkhole::start(listeners, Arc::clone(&table), &journal, &settings, &keys)
            .tried("starting the sinkhole")?;
        let sinkhole = Held::new(Some(sinkhole).into());
        let sending = Sending::new(Arc::clone(&journal), caller, config);
        let uplink = told(identity.core.clone(), sending.standing(), leased.live());
        let (stop, stopped) = watch::channel(false);
        let pulse = Arc::new(Pulse {
            addresses: addresses.clone(),
            sinkhole: Arc::clone(&sinkhole),
            zones: table,
            since: now(),
            limits: pulse::limits(&settings, threads),
            journal,
            pace: Mutex::default(),
            certificates: None,
            shipped: None,
            retention: None,
            ledger: house.ledger.clone(),
            primary: Box::new(Counts::default),
            uplink: Some(Box::new(uplink)),
        });
        tokio::spawn(Arc::clone(&pulse).beat(stopped.clone()));
        metrics::serve(metrics, &pulse, &stopped)?;
        let control = control::serve(&config.data, house.router(pulse, None), stopped.clone())?;
        let uplink = tokio::spawn(sending.run(stopped.clone()));
        let zones = tokio::spawn(leased.follow(stopped));
        Ok(Self { house, sync, sinkhole, stop, uplink, zones, control, addresses })
    }

    /// Stops from the top down. What was not acknowledged lies in the journal and is sent after the next start.
    pub(crate) async fn stop(mut self) -> Result<Stopped, Failure> {
        let sinkhole = self.sinkhole.lock().expect("nothing panics while it asks for tallies").take();
        let tallies = sinkhole.expect("a daemon stops once").stop().await;
        self.sync.stop();
        self.stop.send_replace(true);
        self.uplink.await.tried("waiting for the uplink")?;
        self.zones.await.tried("waiting for the zones' follower")?;
        if tokio::time::timeout(CONTROL_PATIENCE, &mut self.control).await.is_err() {
            self.control.abort();
        }
        self.house.ledger.close().await;
        Ok(Stopped { tallies })
    }
}

/// What a sensor leaves to its core.
fn check_alone(config: &Config, others: usize) -> Result<(), Failure> {
    let publishes = !config.policy_zones.is_empty() || config.catalog.zone.is_some() || config.acme.is_some();
    if others == 0 && !publishes {
        return Ok(());
    }
    Err(Failure::new("a sensor publishes no zones, asks for no certificates and has no sensors of its own")
        .hint("leave [transfer], [[policy_zone]], [catalog], [acme] and [sensors] to the core"))
}

/// Contacts are called by the number in the data folder; the certificate is the other's.
fn check_number(house: &House, identity: &Identity) -> Result<(), Failure> {
    let number = house.folder.sensor();
    if number == identity.sensor {
        return Ok(());
    }
    let what =
        format!("the data folder is sensor {number}'s, and the identity in `keys` is sensor {}'s", identity.sensor);
    Err(Failure::new(what).hint("`data` and `keys` belong together: put the right one beside the other, or join anew"))
}

/// What sending and the lease come to, for whoever asks.
fn told(
    core: String,
    sending: Arc<Mutex<Standing>>,
    lease: Arc<Mutex<LeaseLive>>,
) -> impl Fn() -> UplinkLive + Send + Sync + 'static {
    move || {
        let sending = sending.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lease = lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
        UplinkLive {
            core: core.clone(),
            tally: sending.tally,
            lag_secs: sending.lag_secs,
            last_heard: sending.last_heard.max(lease.last_heard),
            zones_version: lease.version,
            lease_until: lease.until,
            lease_is_over: lease.is_over,
            zones_error: lease.error,
        }
    }
}
