//! The sensor's side: keeps the grant and its zones durably, and says what may be served at this moment.
//!
//! ```text
//! DATA/zones/<digest>.json   the zones of the grant
//! DATA/zones/grant.note      the grant, as it was signed; written after its zones
//! DATA/zones/clock           the core's time and ours, at most ten seconds old
//! ```
//!
//! At a start both are verified anew. What does not verify is not served, and the core is asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::Digest;
use model::Timestamp;
use model::id::SensorId;

use super::body::{ZONES_OCTETS_MAX, ZoneBody};
use super::clock::{AuthorityClock, Instants, SavedClock};
use super::grant::{Grant, GrantError};
use crate::Error;
use crate::ZoneSet;
use crate::folder::{DataFolder, sync_folder, write_small, write_synced};
use crate::log::VerifyingKey;

/// How often the clock is saved.
pub(super) const SAVED_EVERY: Duration = Duration::from_secs(10);
const GRANT: &str = "grant.note";
const CLOCK: &str = "clock";

/// What the zones that are served follow from. While it is the same, they are; the version is none of it, because most
/// facts are about no zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    zones: Digest,
    /// Nobody has renewed it in time, or nobody knows what time it is.
    pub is_over: bool,
    ended: usize,
}

/// What a sensor may serve.
pub struct Keeper {
    root: PathBuf,
    key: VerifyingKey,
    sensor: SensorId,
    held: Option<Held>,
    clock: AuthorityClock,
    saved: Duration,
}

#[derive(Clone)]
struct Held {
    grant: Grant,
    body: Arc<ZoneBody>,
}

impl Keeper {
    /// Opens what was kept. What does not verify is left lying and not served.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn open(folder: &DataFolder, key: VerifyingKey, at: Instants) -> Result<Self, Error> {
        let root = folder.path().join("zones");
        let sensor = folder.sensor();
        let clock = read(&root.join(CLOCK))?.and_then(|octets| SavedClock::parse(std::str::from_utf8(&octets).ok()?));
        let clock = clock.map_or_else(AuthorityClock::default, |saved| AuthorityClock::resume(saved, at));
        let mut keeper = Self { root, key, sensor, held: None, clock, saved: at.running };
        if let Some(note) = read(&keeper.root.join(GRANT))? {
            match keeper.load(&note) {
                Ok(held) => keeper.held = Some(held),
                Err(why) => {
                    tracing::error!(target: "bailiwick_store", "the zones that were kept are not served: {why}; the core is asked");
                }
            }
        }
        Ok(keeper)
    }

    fn load(&self, note: &[u8]) -> Result<Held, String> {
        let note = std::str::from_utf8(note).map_err(|error| error.to_string())?;
        let grant = Grant::open(note, &self.key, self.sensor).map_err(|error| error.to_string())?;
        let octets = read(&self.body_of(&grant.zones)).map_err(|error| error.to_string())?;
        let body = self.verify(&grant, &octets.ok_or("they are gone")?).map_err(|error| error.to_string())?;
        Ok(Held { grant, body })
    }

    fn body_of(&self, zones: &Digest) -> PathBuf {
        self.root.join(format!("{zones}.json"))
    }

    fn verify(&self, grant: &Grant, octets: &[u8]) -> Result<Arc<ZoneBody>, GrantError> {
        let digest = Digest::of_bytes(octets);
        if digest != grant.zones {
            return Err(GrantError::OtherZones(format!("their digest is {digest}")));
        }
        ZoneBody::read(octets).map(Arc::new).map_err(GrantError::OtherZones)
    }

    /// The version and the zones that are held.
    pub fn holds(&self) -> Option<(u64, Digest)> {
        self.held.as_ref().map(|held| (held.grant.version, held.grant.zones))
    }

    /// What decides whether a grant may be obeyed, for whoever asks on another task.
    pub fn judge(&self) -> Judge {
        let held = self.held.as_ref().map(|held| (held.grant.version, held.grant.issued));
        Judge { key: self.key.clone(), sensor: self.sensor, held }
    }

    /// Whether a grant may be obeyed, before its zones are fetched.
    ///
    /// # Errors
    /// If it is not signed by the core, is another's, or is older than what is held.
    pub fn check(&self, note: &str) -> Result<Grant, GrantError> {
        self.judge().check(note)
    }

    /// Takes a grant that was asked for at `asked`. `octets`: its zones, unless they are those that are held.
    ///
    /// # Errors
    /// If it may not be obeyed, or cannot be kept; what was held stays then.
    pub fn take(
        &mut self,
        note: &str,
        octets: Option<&[u8]>,
        asked: Instants,
    ) -> Result<Result<(), GrantError>, Error> {
        let grant = match self.check(note) {
            Ok(grant) => grant,
            Err(refused) => return Ok(Err(refused)),
        };
        let held = self.held.as_ref().filter(|held| held.grant.zones == grant.zones).map(|held| Arc::clone(&held.body));
        let body = match (held, octets) {
            (Some(body), _) => body,
            (None, Some(octets)) => match self.verify(&grant, octets) {
                Ok(body) => {
                    self.keep_body(&grant.zones, octets)?;
                    body
                }
                Err(refused) => return Ok(Err(refused)),
            },
            (None, None) => return Ok(Err(GrantError::OtherZones("they did not come".into()))),
        };
        write_small(&self.root.join(GRANT), note)?;
        self.forget_others(&grant.zones)?;
        self.clock.told(grant.issued, asked);
        self.held = Some(Held { grant, body });
        self.save_clock(asked)?;
        Ok(Ok(()))
    }

    fn keep_body(&self, zones: &Digest, octets: &[u8]) -> Result<(), Error> {
        let (path, draft) = (self.body_of(zones), self.root.join("zones.new"));
        write_synced(&draft, octets)?;
        fs::rename(&draft, &path).map_err(Error::io("naming", &draft))?;
        sync_folder(&self.root)
    }

    fn forget_others(&self, zones: &Digest) -> Result<(), Error> {
        let own = self.body_of(zones);
        for entry in fs::read_dir(&self.root).map_err(Error::io("listing", &self.root))? {
            let path = entry.map_err(Error::io("listing", &self.root))?.path();
            if path != own && path.extension().is_some_and(|extension| extension == "json") {
                fs::remove_file(&path).map_err(Error::io("removing", &path))?;
            }
        }
        Ok(())
    }

    fn save_clock(&mut self, at: Instants) -> Result<(), Error> {
        self.saved = at.running;
        let Some(saved) = self.clock.save(at) else { return Ok(()) };
        write_small(&self.root.join(CLOCK), &saved.to_text())
    }

    /// Lets time pass: saves the clock now and then, and says how the lease stands; `None` without one.
    ///
    /// # Errors
    /// If the clock cannot be saved. Serving goes on.
    pub fn tick(&mut self, at: Instants) -> Result<Option<Standing>, Error> {
        if at.running.saturating_sub(self.saved) >= SAVED_EVERY {
            self.save_clock(at)?;
        }
        Ok(self.standing(at))
    }

    pub fn standing(&mut self, at: Instants) -> Option<Standing> {
        let now = self.clock.now(at);
        let Held { grant, body } = self.held.as_ref()?;
        let is_over = now.is_none_or(|now| grant.until <= now);
        Some(Standing { zones: grant.zones, is_over, ended: body.ended(now) })
    }

    /// What may be served at this moment.
    pub fn zones(&mut self, at: Instants) -> ZoneSet {
        let (now, standing) = (self.clock.now(at), self.standing(at));
        let (Some(held), Some(standing)) = (&self.held, standing) else { return ZoneSet::default() };
        // A serial is 32 bits by RFC 1035; it wraps as RFC 1982 means it to.
        held.body.zones(held.grant.version as u32, now, standing.is_over)
    }

    /// When the lease ends, by the core's clock.
    pub fn until(&self) -> Option<Timestamp> {
        self.held.as_ref().map(|held| held.grant.until)
    }
}

//----------- Judge ------------------------------------------------------------------------------------------------

/// Whom a sensor obeys, and what it has obeyed last.
#[derive(Clone, Debug)]
pub struct Judge {
    key: VerifyingKey,
    sensor: SensorId,
    held: Option<(u64, Timestamp)>,
}

impl Judge {
    /// Whether a grant may be obeyed.
    ///
    /// # Errors
    /// If it is not signed by the core, is another's, or is older than what is held.
    pub fn check(&self, note: &str) -> Result<Grant, GrantError> {
        let grant = Grant::open(note, &self.key, self.sensor)?;
        let (theirs, issued) = (grant.version, grant.issued);
        match self.held {
            Some((ours, since)) if theirs < ours || issued < since => Err(GrantError::Older { theirs, ours, issued }),
            _ if grant.octets > ZONES_OCTETS_MAX => Err(GrantError::OtherZones(format!("{} octets", grant.octets))),
            _ => Ok(grant),
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::metadata(path) {
        Ok(file) if file.len() > ZONES_OCTETS_MAX => {
            Err(Error::Limit { what: "a file of zones", needs: file.len(), limit: ZONES_OCTETS_MAX })
        }
        Ok(_) => fs::read(path).map(Some).map_err(Error::io("reading", path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("looking at", path)(error)),
    }
}
