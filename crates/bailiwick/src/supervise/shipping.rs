//! The task that empties the outbox into ClickHouse: one segment after the other, until it is acknowledged.
//!
//! What fails is tried again, a second later, then twice as long up to a minute, for ever: the outbox is on the disk and
//! waits. Nothing else waits for it. What is under way at a stop is left to the next start, which sends the same block
//! with the same token.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use desk::api::ShippingTally;
use model::Timestamp;
use rustls::ClientConfig;
use store::clickhouse::{ClickHouse, Keep};
use store::{Archive, Error};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use super::acme::roots;
use super::{House, now};
use crate::config::{self, Config};
use crate::failure::{Failure, Tried};

/// How often the outbox is looked into.
const POLL: Duration = Duration::from_secs(1);
/// The first and the longest wait after something failed.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Octets of the last error that are kept.
const ERROR_CHARS_MAX: usize = 600;

/// The servers that the configuration names. Nobody is called yet.
pub(crate) fn clickhouse(config: &config::ClickHouse) -> Result<ClickHouse, Failure> {
    let tls = if config.needs_roots() { Some(tls(config)?) } else { None };
    Ok(ClickHouse::new(config.target()?, tls))
}

fn tls(config: &config::ClickHouse) -> Result<TlsConnector, Failure> {
    let file = config.roots().ok_or_else(|| {
        Failure::new("this system keeps no roots where we look, and [clickhouse] names a server by https")
            .hint("install ca-certificates, or name a file: roots = \"roots.pem\"")
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .tried("setting up TLS towards ClickHouse")?
        .with_root_certificates(roots(&file)?)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

//----------- Books ------------------------------------------------------------------------------------------------

/// What `status` and Prometheus are told, shared between the task and those who ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Books(Arc<Mutex<ShippingTally>>);

impl Books {
    pub(super) fn told(&self) -> ShippingTally {
        let mut told = self.open().clone();
        let lag = told.outbox.oldest.map_or(0, |oldest| now().duration_since(oldest).as_secs());
        told.lag_secs = u64::try_from(lag).unwrap_or(0);
        told
    }

    async fn look(&self, archive: &Archive) -> Result<(), Error> {
        let outbox = archive.outbox().await?.unwrap_or_default();
        self.open().outbox = outbox;
        Ok(())
    }

    fn went_well(&self) {
        self.open().next_try = None;
    }

    fn failed(&self, error: &Error, next_try: Option<Timestamp>) {
        let mut books = self.open();
        books.failures += 1;
        books.last_error = Some(error.to_string().chars().take(ERROR_CHARS_MAX).collect());
        books.next_try = next_try;
    }

    fn open(&self) -> MutexGuard<'_, ShippingTally> {
        self.0.lock().expect("nothing panics while it counts")
    }
}

//----------- Follower ---------------------------------------------------------------------------------------------

/// Ships until the stop.
pub(super) async fn follow(mut shipper: Shipper, mut stopped: watch::Receiver<bool>) {
    let (mut wait, mut retry) = (Duration::ZERO, RETRY);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = sleep(wait) => {}
        }
        let worked = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            worked = shipper.work() => worked,
        };
        (wait, retry) = match worked {
            Ok(()) => (POLL, RETRY),
            Err(error) => {
                shipper.tell(&error, retry);
                (retry, (retry * 2).min(RETRY_MAX))
            }
        };
    }
}

/// The outbox, and where it is emptied into.
pub(super) struct Shipper {
    clickhouse: ClickHouse,
    archive: Archive,
    /// `None`: an administrator makes the tables.
    create: Option<Keep>,
    books: Books,
    /// Whether tables were made since the start.
    is_ready: bool,
}

impl Shipper {
    pub(super) fn of(config: &Config, house: &House) -> Option<Self> {
        let (clickhouse, _) = house.clickhouse.clone()?;
        let create = config.clickhouse.as_ref().filter(|config| config.create).map(config::ClickHouse::keep);
        Some(Self { clickhouse, archive: house.archive.clone(), create, books: Books::default(), is_ready: false })
    }

    pub(super) fn books(&self) -> Books {
        self.books.clone()
    }

    /// Sends all that waits. From the first call on everything that is committed waits for its turn, whether or not
    /// there is anybody to take it.
    async fn work(&mut self) -> Result<(), Error> {
        if !self.is_ready {
            self.archive.begin_shipping(now()).await?;
            self.books.look(&self.archive).await?;
            if let Some(keep) = self.create {
                self.clickhouse.create(keep).await?;
            }
            self.is_ready = true;
        }
        while let Some(shipped) = self.clickhouse.ship_next(&self.archive).await? {
            tracing::debug!(rows = shipped.rows, "a segment of the archive is in ClickHouse");
            self.books.went_well();
            self.books.look(&self.archive).await?;
        }
        self.books.went_well();
        self.books.look(&self.archive).await
    }

    fn tell(&self, error: &Error, wait: Duration) {
        self.books.failed(error, now().checked_add(wait).ok());
        let (hint, secs) = (error.hint().unwrap_or("see `bailiwick doctor`"), wait.as_secs());
        tracing::warn!(%error, again_in_secs = secs, "a segment could not be sent to ClickHouse; hint: {hint}");
    }
}
