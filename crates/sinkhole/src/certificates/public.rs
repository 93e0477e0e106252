//! Certificates of public authorities: kept in the folder of keys, one file for each apex, and shown by the trap.
//!
//! A file holds the key and its chain together, so that no crash leaves a key with another's certificate. It is written
//! whole and readable by us alone. What cannot be read, is for another name, or has another's key is refused and never
//! shown; the private leaf stands in. Whether one may be shown at all is no question of this shelf
//! ([`Standing`](super::Standing)), and how one is had is none of this room.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::quality::RandomState;
use model::{DomainName, Timestamp};
use rustls::client::verify_server_name;
use rustls::server::{ParsedCertificate, ProducesTickets};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::validity::validity;
use super::{Setup, keep_file};
use crate::Error;

/// The most public certificates at once: what one account may have of an authority in some months. About 20 KiB each.
pub const PUBLIC_MAX: usize = 10_000;
/// The largest file with key and chain. Chains of public authorities have 4 to 8 KiB.
pub const PEM_OCTETS_MAX: usize = 64 * 1024;
/// The longest chain: a leaf, two below the root, a root that signs across, and as many again.
pub const CHAIN_CERTIFICATES_MAX: usize = 8;

const FOLDER: &str = "certificates";
const FILE: &str = "certificate.pem";
/// What a crash in the middle of writing leaves: a key too.
const DRAFT: &str = "certificate.pem.new";

type ByApex = HashMap<DomainName, Shown, RandomState>;

//----------- PublicShelf ------------------------------------------------------------------------------------------

/// All of them; readers never wait.
pub struct PublicShelf {
    folder: PathBuf,
    tickets: Arc<dyn ProducesTickets>,
    by_apex: ArcSwap<ByApex>,
}

#[derive(Clone)]
struct Shown {
    setup: Setup,
    from: Timestamp,
    until: Timestamp,
}

impl PublicShelf {
    /// An empty shelf over the folder of keys. Nothing is read before [`Self::load`].
    pub(super) fn new(keys: &Path, tickets: Arc<dyn ProducesTickets>) -> Self {
        Self { folder: keys.join(FOLDER), tickets, by_apex: ArcSwap::default() }
    }

    /// Takes what earlier runs kept. A file that is refused stays where it is and is named in the log.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn load(&self) -> Result<(), Error> {
        let mut found = ByApex::default();
        for apex in self.names()? {
            if found.len() == PUBLIC_MAX {
                tracing::warn!(max = PUBLIC_MAX, "there are more public certificates than are shown");
                break;
            }
            match self.read(&apex) {
                Ok(shown) => drop(found.insert(apex, shown)),
                Err(error) => tracing::warn!(%error, "a kept certificate is not shown; a new one will replace it"),
            }
        }
        self.by_apex.store(Arc::new(found));
        Ok(())
    }

    /// Writes the key with its chain to the disk and shows them from now on, in place of what was shown.
    ///
    /// # Errors
    /// If they do not belong together or to that name, if there are too many, or if the disk refuses.
    pub fn keep(&self, apex: &DomainName, key_and_chain: &str) -> Result<(), Error> {
        let shown = certified(apex, key_and_chain.as_bytes(), &self.tickets)?;
        let has_room = |held: &ByApex| held.len() < PUBLIC_MAX || held.contains_key(apex);
        if !has_room(&self.by_apex.load()) {
            return Err(refused(apex, &format!("{PUBLIC_MAX} other names have one")));
        }
        let folder = self.folder.join(apex.as_str());
        keep_file(&folder, FILE, key_and_chain.as_bytes()).map_err(|cause| Error::Key {
            what: "keeping the certificate in",
            path: folder,
            cause,
        })?;
        self.change(|held| drop(held.insert(apex.clone(), shown.clone())));
        Ok(())
    }

    /// Shows it no more and destroys its key. One that is not there is forgotten already.
    ///
    /// # Errors
    /// If the disk refuses; it is not shown all the same.
    pub fn forget(&self, apex: &DomainName) -> Result<(), Error> {
        self.change(|held| drop(held.remove(apex)));
        let folder = self.folder.join(apex.as_str());
        for path in [folder.join(FILE), folder.join(DRAFT)] {
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Key { what: "destroying", path, cause });
                }
                _ => {}
            }
        }
        // Whatever else lies there was not put there by us, and keeps the folder.
        let _ = fs::remove_dir(&folder);
        Ok(())
    }

    /// The names that have a key on the disk, whether it may be shown or not.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn names(&self) -> Result<Vec<DomainName>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(Error::Key { what: "listing", path: self.folder.clone(), cause }),
        };
        // What is no name, or has no such file, was not put there by us.
        let has_key = |folder: &Path| [FILE, DRAFT].iter().any(|file| folder.join(file).exists());
        let ours = entries.flatten().filter(|entry| has_key(&entry.path()));
        Ok(ours.filter_map(|entry| DomainName::parse(entry.file_name().to_str()?).ok()).collect())
    }

    /// When the certificate is to be replaced: with a third of its life left. `None`: there is none.
    pub fn renew_at(&self, apex: &DomainName) -> Option<Timestamp> {
        self.by_apex.load().get(apex).map(Shown::renew_at)
    }

    /// How many may be shown.
    pub fn len(&self) -> usize {
        self.by_apex.load().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn find(&self, apex: &DomainName, now: Timestamp) -> Option<Setup> {
        let held = self.by_apex.load();
        // Most operators have none, and nothing is hashed.
        let shown = if held.is_empty() { None } else { held.get(apex) };
        shown.filter(|shown| shown.from <= now && now < shown.until).map(|shown| shown.setup.clone())
    }

    fn change(&self, change: impl Fn(&mut ByApex)) {
        self.by_apex.rcu(|before| {
            let mut after = ByApex::clone(before);
            change(&mut after);
            after
        });
    }

    fn read(&self, apex: &DomainName) -> Result<Shown, Error> {
        let path = self.folder.join(apex.as_str()).join(FILE);
        let mut pem = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(PEM_OCTETS_MAX as u64 + 1).read_to_end(&mut pem))
            .map_err(|cause| Error::Key { what: "reading", path, cause })?;
        certified(apex, &pem, &self.tickets)
    }
}

impl Shown {
    fn renew_at(&self) -> Timestamp {
        let life = self.until.duration_since(self.from);
        self.from + life / 3 * 2
    }
}

//----------- What is believed -------------------------------------------------------------------------------------

/// Reads a key and its chain, leaf first, and believes them only together and for that name and those below it.
fn certified(apex: &DomainName, pem: &[u8], tickets: &Arc<dyn ProducesTickets>) -> Result<Shown, Error> {
    let refused = |cause: &str| refused(apex, cause);
    if pem.len() > PEM_OCTETS_MAX {
        return Err(refused(&format!("more than {PEM_OCTETS_MAX} octets of key and chain")));
    }
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| refused("there is no private key"))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .take(CHAIN_CERTIFICATES_MAX + 1)
        .collect::<Result<_, _>>()
        .map_err(|error| refused(&error.to_string()))?;
    if chain.len() > CHAIN_CERTIFICATES_MAX {
        return Err(refused(&format!("a chain of more than {CHAIN_CERTIFICATES_MAX} certificates")));
    }
    let leaf = chain.first().ok_or_else(|| refused("there is no certificate"))?;
    let (from, until) = validity(leaf).ok_or_else(|| refused("its dates cannot be read"))?;
    for name in [apex.as_str().to_owned(), format!("a.{}", apex.as_str())] {
        check_name(leaf, name).map_err(|error| refused(&error.to_string()))?;
    }
    let setup = Setup::new(chain, key, tickets).map_err(|error| refused(&error.to_string()))?;
    Ok(Shown { setup, from, until })
}

fn check_name(leaf: &CertificateDer<'_>, name: String) -> Result<(), rustls::Error> {
    let name = ServerName::try_from(name).map_err(|error| rustls::Error::General(error.to_string()))?;
    verify_server_name(&ParsedCertificate::try_from(leaf)?, &name)
}

fn refused(apex: &DomainName, cause: &str) -> Error {
    Error::Certificate { name: apex.as_str().to_owned(), cause: cause.to_owned() }
}
