//! Exhibits and imported files, verbatim, under their digest: `DATA/vault/sha256/ab/cdef…`.
//!
//! A file of the vault is written once, synced before anything names it, and never changed; what is read is checked
//! against its name. Nothing here knows what a file means.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::Digest;

use crate::Error;
use crate::folder::{DataFolder, make_folder, sync_folder, write_synced};

/// The vault of a data folder. All who write to it hold clones of one.
#[derive(Clone, Debug)]
pub struct Vault {
    root: PathBuf,
    /// Two who keep the same bytes at once would share a draft.
    writing: Arc<Mutex<()>>,
}

impl Vault {
    pub fn open(folder: &DataFolder) -> Result<Self, Error> {
        let root = folder.path().join("vault").join("sha256");
        make_folder(&root)?;
        Ok(Self { root, writing: Arc::default() })
    }

    /// The vault of a data folder that somebody else may hold: for reading alone.
    pub fn to_read(data: &Path) -> Self {
        Self { root: data.join("vault").join("sha256"), writing: Arc::default() }
    }

    /// Keeps the bytes; they are synced when this returns. The same bytes twice are one file.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of_bytes(bytes);
        let path = self.place(&digest);
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if path.exists() {
            return Ok(digest);
        }
        let folder = path.parent().expect("a place lies in its shelf");
        make_folder(folder)?;
        let beside = path.with_extension("new");
        write_synced(&beside, bytes)?;
        fs::rename(&beside, &path).map_err(Error::io("renaming to", &path))?;
        sync_folder(folder)?;
        sync_folder(&self.root)?;
        Ok(digest)
    }

    /// The bytes under a digest; `None` if they are not here.
    pub fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let path = self.place(digest);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(Error::io("reading", &path))?,
        };
        if Digest::of_bytes(&bytes) == *digest {
            Ok(Some(bytes))
        } else {
            Err(Error::Damaged { path, what: "its bytes do not have the digest that it is named by".into() })
        }
    }

    /// Everything that is kept, in order of digest.
    pub fn digests(&self) -> Result<Vec<Digest>, Error> {
        let mut digests = Vec::new();
        for shelf in list(&self.root)? {
            let prefix = shelf.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for file in list(&shelf)? {
                let rest = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                digests.extend(format!("{prefix}{rest}").parse::<Digest>());
            }
        }
        digests.sort_unstable();
        Ok(digests)
    }

    fn place(&self, digest: &Digest) -> PathBuf {
        let text = digest.to_string();
        let (shelf, rest) = text.split_at(2);
        self.root.join(shelf).join(rest)
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("listing", folder))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(Error::io("listing", folder))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    #[test]
    fn what_is_put_is_got_and_a_changed_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path(), "test", Timestamp::UNIX_EPOCH).unwrap();
        let vault = Vault::open(&folder).unwrap();
        let digest = vault.put(b"exhibit 1").unwrap();
        assert_eq!(vault.put(b"exhibit 1").unwrap(), digest);
        assert_eq!(vault.get(&digest).unwrap().unwrap(), b"exhibit 1");
        assert_eq!(vault.digests().unwrap(), [digest]);
        assert_eq!(vault.get(&Digest::of_bytes(b"exhibit 2")).unwrap(), None);
        fs::write(vault.place(&digest), b"exhibit l").unwrap();
        assert!(matches!(vault.get(&digest), Err(Error::Damaged { .. })));
    }

    #[test]
    fn what_many_put_at_once_is_one_whole_file() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path(), "test", Timestamp::UNIX_EPOCH).unwrap();
        let vault = Vault::open(&folder).unwrap();
        for round in 0..32 {
            let bytes = format!("exhibit {round} ").repeat(4_000);
            let keep = |vault: Vault| {
                let digest = vault.put(bytes.as_bytes()).unwrap();
                assert_eq!(vault.get(&digest).unwrap().unwrap(), bytes.as_bytes());
            };
            std::thread::scope(|all| {
                for _ in 0..4 {
                    let vault = vault.clone();
                    all.spawn(move || keep(vault));
                }
            });
        }
        assert_eq!(vault.digests().unwrap().len(), 32);
    }
}
