//! Hashes of what callers sent, each case's under a key of its own.
//!
//! A plain hash of a short text is the text: whoever has a list of passwords finds it in milliseconds. So a caller's
//! bytes are hashed under a key that lies in the folder of keys, apart from the data, and only within one case can two
//! hashes be compared. A case's key is made when it is first needed, and burning it makes its hashes noise.
//!
//! What is deliberately absent: deciding what may be hashed at all. Whoever calls this has asked the order.

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Mutex;

use model::Digest;
use model::digest::keyed_hash;
use model::id::CaseId;

use crate::certificates::write_whole;
use crate::{Error, Keys};

/// The folder within that of keys.
const FOLDER: &str = "cases";
/// As many octets as the hash has (RFC 2104, 3).
const KEY_OCTETS: usize = 32;

/// The keys that were needed so far.
#[derive(Debug)]
pub(crate) struct CaseKeys {
    dir: PathBuf,
    /// For what is no case's and no hash: it lives as long as the process.
    house: Key,
    /// `None`: it cannot be had, which has been said.
    known: Mutex<HashMap<CaseId, Option<Key>>>,
}

/// No log shows it.
#[derive(Clone, Copy)]
struct Key([u8; KEY_OCTETS]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl CaseKeys {
    pub(crate) fn new(keys: &Keys) -> Self {
        let mut house = [0; KEY_OCTETS];
        // Without the system's dice it is the same for ever, and challenges can be guessed: nobody is let in anyway.
        let _ = getrandom::fill(&mut house);
        Self { dir: keys.dir.join(FOLDER), house: Key(house), known: Mutex::default() }
    }

    /// A key for challenges; nothing is hashed under it.
    pub(crate) fn of_the_house(&self) -> &[u8; KEY_OCTETS] {
        &self.house.0
    }

    /// The hash of these bytes within the case; `None` if its key cannot be had, which is logged once.
    pub(crate) fn hash(&self, case: &CaseId, bytes: &[u8]) -> Option<Digest> {
        self.key(case).map(|key| keyed_hash(&key, bytes))
    }

    /// The case's key, for whoever hashes what streams by.
    pub(crate) fn key(&self, case: &CaseId) -> Option<[u8; KEY_OCTETS]> {
        self.known_key(case).map(|Key(key)| key)
    }

    fn known_key(&self, case: &CaseId) -> Option<Key> {
        let mut known = self.known.lock().expect("nothing panics while it looks up a key");
        if let Some(key) = known.get(case) {
            return *key;
        }
        let key = self.read_or_make(case);
        let key =
            key.inspect_err(|error| tracing::error!(%case, %error, "what callers send is kept without a hash")).ok();
        known.insert(case.clone(), key);
        key
    }

    fn read_or_make(&self, case: &CaseId) -> Result<Key, Error> {
        let name = format!("{case}.key");
        let failed = |what| move |cause| Error::Key { what, path: self.dir.join(format!("{case}.key")), cause };
        match fs::read(self.dir.join(&name)) {
            Ok(octets) => match octets.try_into() {
                Ok(key) => Ok(Key(key)),
                Err(_) => Err(failed("reading the case's key")(io::Error::other("it has not 32 octets"))),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make(&name).map_err(failed("making the case's key"))
            }
            Err(error) => Err(failed("reading the case's key")(error)),
        }
    }

    fn make(&self, name: &str) -> io::Result<Key> {
        let mut key = [0; KEY_OCTETS];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        write_whole(&self.dir, name, 0o600, &key)?;
        Ok(Key(key))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_case_has_one_key_and_no_other_case_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || CaseKeys::new(&Keys { dir: folder.path().to_owned() });
        let (one, other) = (CaseId::parse("one").unwrap(), CaseId::parse("other").unwrap());
        let hash = open().hash(&one, b"hunter2").unwrap();
        assert_eq!(open().hash(&one, b"hunter2"), Some(hash), "a restart finds it");
        assert_ne!(open().hash(&other, b"hunter2"), Some(hash));
        assert_ne!(hash, Digest::of_bytes(b"hunter2"));
        let mode = fs::metadata(folder.path().join("cases/one.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_is_none_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys = CaseKeys::new(&Keys { dir: folder.path().to_owned() });
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        fs::write(folder.path().join("cases/one.key"), "short").unwrap();
        assert_eq!(keys.hash(&CaseId::parse("one").unwrap(), b"x"), None);
    }
}
