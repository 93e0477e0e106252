//! The way back: everything is verified before anything is written, and what is written counts only when all of it is there.
//!
//! ```text
//! check ──► Restoring::begin ──► NEW.restoring/… (copied, verified again, opened, purged) ──► Restoring::finish: renamed to NEW
//! ```
//!
//! A crash leaves `NEW.restoring`, which the next attempt removes, and never a `NEW` that is half there. The boots of the
//! restored folder are counted from a number that the lost one cannot have reached, so that no contact gets the id of
//! another that was recorded after the backup.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use model::Digest;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::copy::{copy, make_empty, measure, sync_folders};
use super::manifest::{Entry, Head, Kind, MANIFEST, MANIFEST_OCTETS_MAX, Manifest};
use super::{BackupError, FAULTS_MAX};
use crate::folder::{sync_folder, write_synced};
use crate::log::VerifyingKey;

/// By how many boots a restored folder is ahead: nobody starts so often between a backup and its restoring.
const BOOTS_AHEAD: u32 = 1 << 16;
/// Says that a folder was begun by us and not ended.
const UNFINISHED: &str = "restoring";

/// A backup that verifies.
#[derive(Debug)]
pub struct Found {
    pub head: Head,
    /// Of the manifest.
    pub digest: Digest,
    place: PathBuf,
    entries: Vec<Entry>,
}

/// Reads the manifest and every file that it names.
///
/// # Errors
/// [`BackupError::Damaged`] names each file that is missing or is not what it was.
pub fn check(place: &Path) -> Result<Found, BackupError> {
    let found = read(place, None)?;
    let (mut faults, mut more) = (Vec::new(), 0);
    for entry in &found.entries {
        let Some(fault) = fault(place, entry)? else { continue };
        if faults.len() < FAULTS_MAX { faults.push(fault) } else { more += 1 }
    }
    if faults.is_empty() { Ok(found) } else { Err(BackupError::Damaged { place: place.to_owned(), faults, more }) }
}

/// Whether this key signed the manifest.
///
/// # Errors
/// [`BackupError::Note`] if not.
pub fn check_signature(place: &Path, key: &VerifyingKey) -> Result<(), BackupError> {
    read(place, Some(key)).map(drop)
}

fn read(place: &Path, key: Option<&VerifyingKey>) -> Result<Found, BackupError> {
    let path = place.join(MANIFEST);
    let no_backup = |why: &str| BackupError::NoBackup { place: place.to_owned(), why: why.to_owned() };
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(no_backup("it has no manifest, which is written last"));
        }
        other => other.map_err(BackupError::io("opening", &path))?,
    };
    let mut note = Vec::new();
    file.take(MANIFEST_OCTETS_MAX + 1).read_to_end(&mut note).map_err(BackupError::io("reading", &path))?;
    if note.len() as u64 > MANIFEST_OCTETS_MAX {
        return Err(no_backup("its manifest is longer than any of ours"));
    }
    let digest = Digest::of_bytes(&note);
    let note = String::from_utf8(note).map_err(|_| no_backup("its manifest is no text"))?;
    let Manifest { head, entries } = Manifest::parse(place, &note, key)?;
    Ok(Found { head, digest, place: place.to_owned(), entries })
}

/// What is wrong with a file, if anything is.
fn fault(place: &Path, entry: &Entry) -> Result<Option<String>, BackupError> {
    let (path, file) = (&entry.path, place.join(&entry.path));
    match fs::symlink_metadata(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(format!("{path} is missing"))),
        Err(error) => return Err(BackupError::io("looking at", &file)(error)),
        Ok(found) if !found.is_file() => return Ok(Some(format!("{path} is no file"))),
        Ok(found) if found.len() != entry.octets => {
            return Ok(Some(format!("{path} has {} octets, and had {}", found.len(), entry.octets)));
        }
        Ok(_) => {}
    }
    let is_same = measure(&file, path.clone())? == *entry;
    Ok((!is_same).then(|| format!("{path} was changed: its SHA-256 is not {}", entry.sha256)))
}

//----------- Restoring --------------------------------------------------------------------------------------------

/// A data folder that is being put together beside its place.
#[derive(Debug)]
pub struct Restoring {
    into: PathBuf,
    beside: PathBuf,
    /// Another restore into the same place finds it locked.
    _mark: Flock<File>,
}

impl Restoring {
    /// Copies a backup of data, each file verified once more as it is copied.
    pub fn begin(found: &Found, into: &Path) -> Result<Self, BackupError> {
        if found.head.kind != Kind::Data {
            let why = "it is one of keys, and data is wanted".to_owned();
            return Err(BackupError::NoBackup { place: found.place.clone(), why });
        }
        let restoring = Self::beside(into)?;
        copy_all(found, "data", &restoring.beside)?;
        let boot = found.head.boot.saturating_add(BOOTS_AHEAD);
        write_synced(&restoring.beside.join("boot"), format!("{boot}\n").as_bytes())?;
        Ok(restoring)
    }

    /// An empty folder beside the place, which is new or empty itself.
    fn beside(into: &Path) -> Result<Self, BackupError> {
        check_empty(into)?;
        let mut name = into.file_name().unwrap_or_default().to_owned();
        name.push(".restoring");
        let beside = into.with_file_name(name);
        remove_unfinished(&beside)?;
        make_empty(&beside)?;
        let mark = beside.join(UNFINISHED);
        write_synced(&mark, b"a restore was begun here and has not ended\n")?;
        let lock = lock(&mark)?.ok_or(BackupError::UnderWay)?;
        Ok(Self { into: into.to_owned(), beside, _mark: lock })
    }

    /// Where it lies until it is finished.
    pub fn path(&self) -> &Path {
        &self.beside
    }

    /// Puts it in its place.
    pub fn finish(self) -> Result<(), BackupError> {
        sync_folders(&self.beside)?;
        fs::rename(&self.beside, &self.into).map_err(BackupError::io("renaming to", &self.into))?;
        sync_folder(&parent(&self.into))?;
        // It is whole now; the mark tells of nothing any more.
        let mark = self.into.join(UNFINISHED);
        fs::remove_file(&mark).map_err(BackupError::io("removing", &mark))?;
        Ok(sync_folder(&self.into)?)
    }
}

/// Puts keys back into a folder that is new or empty.
pub fn restore_keys(found: &Found, into: &Path) -> Result<(), BackupError> {
    if found.head.kind != Kind::Keys {
        let why = "it is one of data, and keys are wanted".to_owned();
        return Err(BackupError::NoBackup { place: found.place.clone(), why });
    }
    let restoring = Restoring::beside(into)?;
    copy_all(found, "keys", &restoring.beside)?;
    restoring.finish()
}

fn copy_all(found: &Found, root: &str, to: &Path) -> Result<(), BackupError> {
    for entry in &found.entries {
        let Some(within) = entry.path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let copied = copy(&found.place.join(&entry.path), &to.join(within), entry.path.clone())?;
        if copied != *entry {
            let faults = vec![format!("{} was changed while it was restored", entry.path)];
            return Err(BackupError::Damaged { place: found.place.clone(), faults, more: 0 });
        }
    }
    Ok(())
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| ".".into(), Path::to_owned)
}

fn check_empty(into: &Path) -> Result<(), BackupError> {
    let mut entries = match fs::read_dir(into) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(BackupError::io("listing", into))?,
    };
    if entries.next().is_some() { Err(BackupError::NotEmpty(into.to_owned())) } else { Ok(()) }
}

/// What an attempt left that did not end; anything else is not ours to remove.
fn remove_unfinished(beside: &Path) -> Result<(), BackupError> {
    let mark = beside.join(UNFINISHED);
    if !mark.exists() {
        return Ok(());
    }
    let _mark = lock(&mark)?.ok_or(BackupError::UnderWay)?;
    fs::remove_dir_all(beside).map_err(BackupError::io("removing", beside))
}

/// `None` if somebody else has it.
fn lock(mark: &Path) -> Result<Option<Flock<File>>, BackupError> {
    let file = File::open(mark).map_err(BackupError::io("opening", mark))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(BackupError::io("locking", mark)(errno.into())),
    }
}
