//! Copying files with their digests, and listing what lies below a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::Digest;

use super::BackupError;
use super::manifest::Entry;
use crate::folder::{make_folder, sync_folder};

/// What is read at once.
const CHUNK_LEN: usize = 256 << 10;

/// Copies a file, no further than it is long now, and syncs the copy.
pub(super) fn copy(from: &Path, to: &Path, path: String) -> Result<Entry, BackupError> {
    make_folder(to.parent().expect("a copy lies in a folder"))?;
    let source = File::open(from).map_err(BackupError::io("opening", from))?;
    let len = source.metadata().map_err(BackupError::io("measuring", from))?.len();
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut copy = open.map_err(BackupError::io("creating", to))?;
    let (octets, sha256) =
        read_through(from, source, len, &mut |chunk| copy.write_all(chunk).map_err(BackupError::io("writing", to)))?;
    copy.sync_all().map_err(BackupError::io("syncing", to))?;
    Ok(Entry { path, octets, sha256 })
}

/// Length and digest of a file.
pub(super) fn measure(file: &Path, path: String) -> Result<Entry, BackupError> {
    let opened = File::open(file).map_err(BackupError::io("opening", file))?;
    let (octets, sha256) = read_through(file, opened, u64::MAX, &mut |_| Ok(()))?;
    Ok(Entry { path, octets, sha256 })
}

fn read_through(
    place: &Path,
    file: File,
    len: u64,
    each: &mut dyn FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(u64, Digest), BackupError> {
    let (mut left, mut octets, mut failed) = (file.take(len), 0, None);
    let chunks = std::iter::from_fn(|| {
        let mut chunk = Vec::with_capacity(CHUNK_LEN);
        let read = (&mut left).take(CHUNK_LEN as u64).read_to_end(&mut chunk);
        let taken = read.map_err(BackupError::io("reading", place)).and_then(|_| each(&chunk));
        octets += chunk.len() as u64;
        failed = taken.err();
        (failed.is_none() && !chunk.is_empty()).then_some(chunk)
    });
    let sha256 = Digest::of_parts(chunks);
    failed.map_or(Ok((octets, sha256)), Err)
}

/// Every file below the folder by its path within, in order; what is neither file nor folder is not ours.
pub(super) fn files_below(root: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(within) = folders.pop() {
        let folder = root.join(&within);
        for entry in fs::read_dir(&folder).map_err(BackupError::io("listing", &folder))? {
            let entry = entry.map_err(BackupError::io("listing", &folder))?;
            let kind = entry.file_type().map_err(BackupError::io("looking at", &entry.path()))?;
            let path = within.join(entry.file_name());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Makes every folder below, and the root, survive a loss of power.
pub(super) fn sync_folders(root: &Path) -> Result<(), BackupError> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(BackupError::io("listing", &folder))? {
            let entry = entry.map_err(BackupError::io("listing", &folder))?;
            if entry.file_type().map_err(BackupError::io("looking at", &entry.path()))?.is_dir() {
                folders.push(entry.path());
            }
        }
        sync_folder(&folder)?;
    }
    Ok(())
}

/// Makes the folder, which must be new or empty, and keeps it from others.
pub(super) fn make_empty(folder: &Path) -> Result<(), BackupError> {
    make_folder(folder)?;
    let mut entries = fs::read_dir(folder).map_err(BackupError::io("listing", folder))?;
    if entries.next().is_some() { Err(BackupError::NotEmpty(folder.to_owned())) } else { Ok(()) }
}

/// The path as text with `/`; ours are ASCII.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
