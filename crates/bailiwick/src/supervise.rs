//! Start, run, drain, stop: in order.
//!
//! Started from the bottom (folder, ledger, journal) to the top (control socket), stopped from the top down, so that
//! nothing is offered that could not be kept and nothing that was kept is left behind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use desk::{Desk, Peer, StatusSource};
use insight::run::Labels;
use model::Timestamp;
use model::fact::{Actor, Body, Draft};
use model::id::Position;
use sinkhole::transfer::{Primary, Transfer};
use sinkhole::{Keys, NamesByAddress, Settings, ZoneTable};
use store::clickhouse::ClickHouse;
use store::{Archive, DataFolder, Journal, Ledger, SyncThread, Vault};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::failure::{Failure, Tried};
use crate::listen::Sockets;
use crate::terminal;

mod acme;
mod captured;
mod compacting;
mod control;
mod cookies;
mod gate;
mod labelling;
mod metrics;
mod pace;
mod peers;
mod publish;
mod pulse;
mod retaining;
mod sealing;
mod sensor;
pub(crate) mod sensors;
mod shipping;
pub(crate) mod signing;
mod verifying;
mod watching;

pub(crate) use acme::roots as read_roots;

use acme::Certifier;
use captured::Shelf;
use gate::Gate;
pub(crate) use labelling::labels;
use publish::Publisher;
pub(crate) use pulse::Addresses;
use pulse::{Asleep, Held, Pulse};
use retaining::Retaining;
pub(crate) use sensor::SensorDaemon;
use sensors::hall::Hall;
use sensors::{Authority, Notice};
use shipping::Shipper;

/// The clock, asked at the edge and nowhere else.
#[expect(clippy::disallowed_methods, reason = "the roof is one of the doors that ask the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

//----------- House ------------------------------------------------------------------------------------------------

/// The data folder, locked and open: what every command works on.
pub(crate) struct House {
    pub(crate) folder: DataFolder,
    pub(crate) ledger: Ledger,
    pub(crate) vault: Arc<Vault>,
    pub(crate) archive: Archive,
    /// The engine of many machines, and whether it answers where nobody says which.
    pub(crate) clickhouse: Option<(ClickHouse, bool)>,
    place: Arc<store::backup::Source>,
    retention: model::marking::Retention,
    /// Who asks the world, and keeps what was seen.
    passes: Arc<docket::verify::Passes>,
}

impl House {
    pub(crate) async fn open(config: &Config, role: &str) -> Result<Self, Failure> {
        let shown = config.data.display();
        let folder = DataFolder::open(&config.data, role, now()).map_err(|error| of_store(&shown, &error))?;
        let ledger = Ledger::open_in(&folder, &config.ledger.database()?).await;
        let ledger = ledger.map_err(|error| of_store(&shown, &error))?;
        if config.ledger.signs {
            signing::sign(&ledger, config).await?;
        }
        let archive = Archive::open_with(&folder, &ledger, config.archive.limits()).await;
        let archive = archive.map_err(|error| of_store(&shown, &error))?;
        for orphan in archive.orphans() {
            tracing::warn!(file = %orphan.display(), "a file without a manifest row was put into quarantine; it is kept");
        }
        let vault = Vault::open(&folder).map_err(|error| of_store(&shown, &error))?;
        let clickhouse = config.clickhouse.as_ref();
        let clickhouse = clickhouse.map(|one| shipping::clickhouse(one).map(|made| (made, one.ask))).transpose()?;
        let place = Arc::new(store::backup::Source {
            data: folder.path().to_owned(),
            sensor: folder.sensor().0,
            boot: folder.boot().0,
            config: config.file.as_ref().and_then(|file| std::path::absolute(file).ok()),
            program: env!("CARGO_PKG_VERSION").into(),
        });
        let (vault, retention) = (Arc::new(vault), config.retention.defaults());
        let passes = Arc::new(verifying::passes(config, (&ledger, &vault))?);
        Ok(Self { folder, ledger, vault, archive, clickhouse, place, retention, passes })
    }

    /// The API over this house, for the person who runs this process.
    pub(crate) fn router_for_this_user(&self) -> Router {
        let peer = Peer { uid: nix::unistd::getuid().as_raw() };
        self.router(Arc::new(Asleep), None).layer(axum::Extension(peer))
    }

    fn router(&self, status: Arc<dyn StatusSource>, labels: Option<Arc<Labels>>) -> Router {
        desk::router(Desk {
            ledger: Arc::new(self.ledger.clone()),
            archive: Arc::new(self.archive.clone()),
            vault: Arc::clone(&self.vault),
            clickhouse: self.clickhouse.clone(),
            status,
            labels,
            passes: Arc::clone(&self.passes),
            place: Arc::clone(&self.place),
            retention: self.retention,
            last_count: Arc::default(),
        })
    }
}

/// Says who holds the data folder, if somebody does, before anything is opened.
pub(crate) fn check_free(config: &Config) -> Result<(), Failure> {
    DataFolder::check_free(&config.data).map_err(|error| of_store(&config.data.display(), &error))
}

pub(crate) fn of_store(place: &impl std::fmt::Display, error: &store::Error) -> Failure {
    let failure = Failure::of(format_args!("opening the data folder {place}"), error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Followers wake by notification and always by this bounded poll: the ledger is the truth.
const POLL: Duration = Duration::from_secs(5);
/// Waits until facts were appended or a poll is due; `false`: to stop is what is due.
async fn is_woken(changed: &mut watch::Receiver<Position>, stopped: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => false,
        _ = changed.changed() => true,
        () = tokio::time::sleep(POLL) => true,
    }
}

/// How long a stop waits for commands that are being answered.
const CONTROL_PATIENCE: Duration = Duration::from_secs(2);

//----------- Daemon -----------------------------------------------------------------------------------------------

/// Everything that `serve` runs.
pub(crate) struct Daemon {
    house: House,
    sync: SyncThread,
    sinkhole: Held,
    stop: watch::Sender<bool>,
    /// Insight, unless the journal is left to a later start.
    follower: Option<JoinHandle<Result<insight::run::Progress, store::Error>>>,
    /// Compaction, unless the operator does it by hand.
    compacting: Option<JoinHandle<()>>,
    /// The outbox into ClickHouse, where one is named.
    shipping: Option<JoinHandle<()>>,
    /// Retention, unless the operator carries it out by hand.
    retaining: Option<JoinHandle<()>>,
    zones: JoinHandle<()>,
    watching: JoinHandle<()>,
    /// Passes of verification by the clock, where the operator wants them.
    verifying: Option<JoinHandle<()>>,
    publisher: JoinHandle<()>,
    transfer: Transfer,
    control: JoinHandle<()>,
    pub(crate) addresses: Addresses,
}

impl Daemon {
    /// Starts from the bottom up. The sockets are open already, and privileges are dropped.
    pub(crate) async fn start(config: &Config, sockets: Sockets) -> Result<Self, Failure> {
        let addresses = Addresses::of(&sockets)?;
        let Sockets { sinkhole: listeners, metrics, transfer, sensors: from_sensors } = sockets;
        let threads = listeners.threads_per_address();
        // A key that cannot be read is said before anything answers.
        let access = peers::access(&config.transfer)?;
        let house = House::open(config, "serve").await?;
        note_start(config, &house).await?;
        offer_first_token(&house).await?;
        let keys = Keys { dir: config.keys.clone() };
        let journal = Journal::open(&house.folder, config.journal.limits()).tried("opening the journal")?;
        let labels = Arc::new(labels(config, Arc::clone(&journal))?);
        let sync = journal.start_syncing();

        let settings = settings(config)?;
        let table = Arc::new(ZoneTable::default());
        let shelf = Shelf::new(Arc::clone(&house.vault));
        let mut gate = Gate::new(config.is_loopback_only(), settings.clone(), shelf);
        gate.load(&house.ledger, &table).await?;
        let sinkhole = sinkhole::start(listeners, Arc::clone(&table), &journal, &settings, &keys)
            .tried("starting the sinkhole")?;
        let certifier = Certifier::new(config, &sinkhole, &table)?;
        let sinkhole = Held::new(Some(sinkhole).into());

        let mut publisher = Publisher::new(config);
        publisher.load(&house.ledger).await?;
        let published = publisher.told();
        let named = published.borrow().zones.len();
        tracing::info!(zones = named, "named zones are published");

        let (stop, stopped) = watch::channel(false);
        let seized = watch::Sender::new(0);
        let primary = Primary { access, published, seized: seized.subscribe() };
        let transfer =
            Transfer::start(transfer, primary, Arc::clone(&table), &stopped).tried("starting the primary")?;
        let certificates = certifier.as_ref().map(Certifier::books);
        if let Some(certifier) = certifier {
            tokio::spawn(certifier.follow(seized.subscribe(), stopped.clone()));
        }
        let publisher = tokio::spawn(publisher.follow(house.ledger.clone(), stopped.clone()));
        let zones = tokio::spawn(gate.follow(house.ledger.clone(), Arc::clone(&table), seized, stopped.clone()));
        let watching = tokio::spawn(watching::follow(house.ledger.clone(), Arc::clone(&house.vault), stopped.clone()));
        let follow = || {
            let (ledger, archive) = (house.ledger.clone(), house.archive.clone());
            let (journal, tables) = (Arc::clone(&journal), Arc::clone(&labels.tables));
            let rules = labels.settings.clone();
            tokio::spawn(insight::run::follow(journal, ledger, archive, tables, rules, stopped.clone()))
        };
        let follower = config.insight.follow.then(follow);
        let percent = config.archive.compact_core_percent;
        let compact = || tokio::spawn(compacting::follow(house.archive.clone(), percent, stopped.clone()));
        let compacting = config.archive.compact.then(compact);
        let shipper = Shipper::of(config, &house);
        let shipped = shipper.as_ref().map(Shipper::books);
        let shipping = shipper.map(|shipper| tokio::spawn(shipping::follow(shipper, stopped.clone())));
        let board = retaining::Board::default();
        let retain = || {
            let (ledger, archive, defaults) = (house.ledger.clone(), house.archive.clone(), house.retention);
            let first_after = Duration::from_secs(config.retention.first_after_secs);
            let board = Arc::clone(&board);
            let retaining = Retaining { ledger, archive, defaults, first_after, core_percent: percent, board };
            tokio::spawn(retaining.follow(stopped.clone()))
        };
        let retaining = config.retention.daily.then(retain);
        let pulse = Arc::new(Pulse {
            addresses: addresses.clone(),
            sinkhole: Arc::clone(&sinkhole),
            zones: table,
            since: now(),
            limits: pulse::limits(&settings, threads),
            journal,
            pace: Mutex::default(),
            certificates,
            shipped,
            retention: retaining.is_some().then_some(board),
            primary: Box::new(transfer.counter()),
            ledger: house.ledger.clone(),
            uplink: None,
        });
        tokio::spawn(Arc::clone(&pulse).beat(stopped.clone()));
        metrics::serve(metrics, &pulse, &stopped)?;
        if !from_sensors.is_empty() {
            let notice = Notice::new(config.sensors.lease(), config.sensors.after_lease);
            let authority = Authority::open(&config.keys)?;
            let vault = Arc::clone(&house.vault);
            let hall = Hall::new(house.ledger.clone(), house.archive.clone(), vault, authority, notice);
            sensors::hall::serve(hall, from_sensors, &stopped)?;
        }
        let verify = |every| tokio::spawn(verifying::follow(house.ledger.clone(), Arc::clone(&house.passes), every));
        let verifying = config.verify.every().map(verify);
        let control = control::serve(&config.data, house.router(pulse, Some(labels)), stopped)?;
        Ok(Self {
            house,
            sync,
            sinkhole,
            stop,
            follower,
            compacting,
            shipping,
            retaining,
            zones,
            watching,
            verifying,
            publisher,
            transfer,
            control,
            addresses,
        })
    }

    /// Stops from the top down and says what was kept.
    pub(crate) async fn stop(mut self) -> Result<Stopped, Failure> {
        // Before our own servers fall silent: that would be seen as a fault of theirs.
        self.house.passes.close();
        if let Some(verifying) = self.verifying.take() {
            verifying.await.tried("waiting for a pass of verification to break off")?;
        }
        let sinkhole = self.sinkhole.lock().expect("nothing panics while it asks for tallies").take();
        let tallies = sinkhole.expect("a daemon stops once").stop().await;
        self.sync.stop();
        self.stop.send_replace(true);
        if let Some(follower) = self.follower {
            let followed = follower.await.tried("waiting for insight to finish")?;
            followed.tried("following the journal to its end")?;
        }
        if let Some(compacting) = self.compacting {
            compacting.await.tried("waiting for compaction to stop")?;
        }
        if let Some(shipping) = self.shipping {
            shipping.await.tried("waiting for the shipping to ClickHouse to stop")?;
        }
        if let Some(retaining) = self.retaining {
            retaining.await.tried("waiting for retention to stop")?;
        }
        self.zones.await.tried("waiting for the zones' follower")?;
        self.watching.await.tried("waiting for the watch to end")?;
        self.publisher.await.tried("waiting for the publisher of named zones")?;
        self.transfer.join().await;
        // Whoever still waits for a long query hears nothing more: stopping does not wait for questions.
        if tokio::time::timeout(CONTROL_PATIENCE, &mut self.control).await.is_err() {
            self.control.abort();
        }
        self.house.ledger.close().await;
        Ok(Stopped { tallies })
    }
}

/// What the listeners counted in all.
pub(crate) struct Stopped {
    pub(crate) tallies: Vec<(String, model::tally::Tally)>,
}

/// What the sinkhole is told of the configuration.
fn settings(config: &Config) -> Result<Settings, Failure> {
    Ok(Settings {
        answer_v4: config.answer.v4.clone(),
        answer_v6: config.answer.v6.clone(),
        rates: config.dns.rate.limits(),
        nsid: config.dns.nsid.clone(),
        cookie_secrets: config.dns.cookie_secrets.as_deref().map_or(Ok(Vec::new()), cookies::secrets)?,
        certifiers: config.dns.certifiers.clone(),
        mail: config.mail.settings(),
        balancers: config.trap.balancers.clone(),
        names_by_address: NamesByAddress::new(config.trap.names.clone()),
        trap: config.web.limits.of_trap(),
        account_key: config.trap.account_key.as_deref().map(sealing::key).transpose()?,
        visit_key: verifying::visit_key(config)?,
        ..Settings::default()
    })
}

async fn note_start(config: &Config, house: &House) -> Result<(), Failure> {
    let actor = || Actor::Room { name: "bailiwick".into() };
    let (sensor, boot) = (house.folder.sensor().0, house.folder.boot().0);
    let drafts = vec![
        Draft::new(actor(), Body::Started { sensor, boot, program: env!("CARGO_PKG_VERSION").into() }),
        Draft::new(actor(), Body::ConfigApplied { digest: config.digest() }),
    ];
    house.ledger.append(None, drafts, Vec::new(), now()).await.tried("noting the start in the ledger")?;
    Ok(())
}

/// Where nobody vouches for anybody there is no password: whoever started the program is given a one-time token, printed
/// once. A rehearsal, with a demo's people and exercises only, needs none.
async fn offer_first_token(house: &House) -> Result<(), Failure> {
    let actor = Actor::Room { name: "bailiwick".into() };
    let view = house.ledger.view().await.tried("reading who is enrolled")?;
    let orders = || view.cases.values().flat_map(|case| case.orders.values());
    let is_rehearsal = !view.people.is_empty()
        && view.people.values().all(|person| person.fixture)
        && orders().all(|order| order.terms().authority.is_exercise());
    if view.has_voucher() || is_rehearsal && view.tokens.first.is_none() {
        return Ok(());
    }
    let token = crate::roles::person::fresh_token()?;
    let command = docket::Command::MakeFirstToken { token: model::Digest::of_bytes(token.as_bytes()) };
    let made = docket::execute(&house.ledger, &house.vault, command, actor, now()).await;
    made.tried("making the one-time token of the first admin")?;
    terminal::say(&format!(
        "no admin is enrolled who vouches for others. This token enrols the first one, once, within {} hours, and is printed \
         nowhere else:\n\n  {token}\n\nput it into a file: `bailiwick person add PERSON --role admin --token-file NEW-FILE --first FILE`",
        store::view::FIRST_TOKEN_HOURS
    ));
    Ok(())
}
