//! Taking a backup, beside whatever else goes on.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::id::Position;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::copy::{copy, files_below, make_empty, measure, sync_folders, text};
use super::manifest::{Entry, Head, Kind, MANIFEST, Manifest};
use super::{BackupError, Taken};
use crate::Error;
use crate::archive::Archive;
use crate::db::query;
use crate::folder::{make_folder, sync_folder, write_synced};
use crate::ledger::{self, Ledger};
use crate::log::SigningKey;

/// Links to archive files while they are copied, below the data folder. A crash leaves them; the next backup removes them.
const HELD: &str = "backup.held";
/// What a data folder says of itself.
const SMALL: [&str; 3] = ["format", "sensor", "boot"];

/// What a backup is taken of.
#[derive(Clone, Debug)]
pub struct Source {
    pub data: PathBuf,
    pub sensor: u32,
    pub boot: u32,
    /// The configuration's file, if there is one.
    pub config: Option<PathBuf>,
    /// This release.
    pub program: String,
}

/// Takes a backup into a folder that is new or empty. Answers, records and facts go on meanwhile; a compaction waits
/// while files are held, and nothing is purged until it is done.
pub async fn take(
    ledger: &Ledger,
    archive: &Archive,
    source: &Source,
    into: &Path,
    now: Timestamp,
) -> Result<Taken, BackupError> {
    if ledger.db().is_shared() {
        return Err(BackupError::OnServer);
    }
    let alone = archive.hold_still().try_lock_owned().map_err(|_| BackupError::UnderWay)?;
    let into = prepared(source, into)?;
    let held = source.data.join(HELD);
    let files = {
        let _reading = archive.hold_files().await;
        let copied = into.join("data").join(ledger::FILE);
        ledger.copy_to(&copied).await?;
        let named = named_files(&copied).await?;
        let (data, held) = (source.data.clone(), held.clone());
        blocking(move || hold(&data, &held, &named).map(|()| named)).await?
    };
    let (facts, source, ledger) = (position(&into).await?, source.clone(), ledger.clone());
    blocking(move || {
        // Held to the end of the copy, also where nobody waits for it any more.
        let _alone = alone;
        let mut entries = vec![measure(&into.join("data").join(ledger::FILE), format!("data/{}", ledger::FILE))?];
        for file in &files {
            let within = format!("data/archive/{}", text(file));
            entries.push(copy(&held.join(file), &into.join(&within), within)?);
        }
        drop_held(&held)?;
        entries.extend(below(&source.data, "journal", &into)?);
        entries.extend(below(&source.data, "received", &into)?);
        entries.extend(waiting(&source.data, &into)?);
        entries.extend(below(&source.data, "vault", &into)?);
        for small in SMALL {
            let within = format!("data/{small}");
            entries.push(copy(&source.data.join(small), &into.join(&within), within)?);
        }
        if let Some(config) = &source.config {
            let name = config.file_name().unwrap_or_default();
            let within = format!("config/{}", text(Path::new(name)));
            entries.push(copy(config, &into.join(&within), within)?);
        }
        let Source { sensor, boot, program, .. } = source;
        let head = Head { kind: Kind::Data, made: now, program, sensor, boot, facts, files: 0, octets: 0 };
        finish(&into, head, entries, ledger.key())
    })
    .await
}

/// Copies the folder of keys, signed by none of them: whoever has this has the keys.
pub fn take_keys(keys: &Path, into: &Path, program: &str, now: Timestamp) -> Result<Taken, BackupError> {
    make_empty(into)?;
    let (keys, into) = (canonical(keys)?, canonical(into)?);
    check_apart(&into, &keys)?;
    let mut entries = Vec::new();
    for file in files_below(&keys)? {
        let within = format!("keys/{}", text(&file));
        entries.push(copy(&keys.join(&file), &into.join(&within), within)?);
    }
    let (program, facts) = (program.to_owned(), Position(0));
    let head = Head { kind: Kind::Keys, made: now, program, sensor: 0, boot: 0, facts, files: 0, octets: 0 };
    finish(&into, head, entries, None)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.map_err(Error::archive("copying files"))?
}

//----------- Before -----------------------------------------------------------------------------------------------

fn prepared(source: &Source, into: &Path) -> Result<PathBuf, BackupError> {
    make_empty(into)?;
    let (into, data) = (canonical(into)?, canonical(&source.data)?);
    check_apart(&into, &data)?;
    make_folder(&into.join("data"))?;
    Ok(into)
}

fn canonical(path: &Path) -> Result<PathBuf, BackupError> {
    path.canonicalize().map_err(BackupError::io("finding", path))
}

fn check_apart(one: &Path, other: &Path) -> Result<(), BackupError> {
    let inside = |inner: &Path, outer: &Path| BackupError::Inside { inner: inner.into(), outer: outer.into() };
    match (one.starts_with(other), other.starts_with(one)) {
        (true, _) => Err(inside(one, other)),
        (_, true) => Err(inside(other, one)),
        _ => Ok(()),
    }
}

//----------- The ledger and what it names -------------------------------------------------------------------------

impl Ledger {
    /// Writes the database as it stands into a new file, without what was deleted in it, and syncs it.
    pub(crate) async fn copy_to(&self, file: &Path) -> Result<(), Error> {
        let path = std::str::from_utf8(file.as_os_str().as_bytes());
        let path = path.map_err(|_| Error::io("writing", file)(ErrorKind::InvalidFilename.into()))?;
        self.db().execute(query("VACUUM INTO $1").bind(path), "copying the ledger").await?;
        let close = |file: &Path| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
            fs::File::open(file)?.sync_all()
        };
        close(file).map_err(Error::io("syncing", file))
    }
}

async fn named_files(ledger: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut copy = open(ledger).await?;
    let rows = sqlx::query("SELECT path FROM archive_files ORDER BY path").fetch_all(&mut copy).await;
    let rows = rows.map_err(Error::database("reading the archive's manifest"))?;
    copy.close().await.map_err(Error::database("closing the copy of the ledger"))?;
    Ok(rows.iter().map(|row| PathBuf::from(row.get::<&str, _>("path"))).collect())
}

async fn position(into: &Path) -> Result<Position, BackupError> {
    let mut copy = open(&into.join("data").join(ledger::FILE)).await?;
    let next = sqlx::query_scalar::<_, i64>("SELECT next FROM ledger_head").fetch_one(&mut copy).await;
    copy.close().await.map_err(Error::database("closing the copy of the ledger"))?;
    Ok(Position(next.map_err(Error::database("reading the ledger's head"))?.cast_unsigned()))
}

async fn open(file: &Path) -> Result<sqlx::SqliteConnection, BackupError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    Ok(options.connect().await.map_err(Error::database("opening the copy of the ledger"))?)
}

//----------- Holding the archive's files --------------------------------------------------------------------------

/// A second name for each file, so that its octets stay while it is copied, whoever removes the first.
fn hold(data: &Path, held: &Path, files: &[PathBuf]) -> Result<(), BackupError> {
    drop_held(held)?;
    make_folder(held)?;
    for file in files {
        let (from, to) = (data.join("archive").join(file), held.join(file));
        make_folder(to.parent().expect("a file of the archive lies in a folder"))?;
        match fs::hard_link(&from, &to) {
            // A file system without links: the copy is made here and now.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                fs::copy(&from, &to).map_err(BackupError::io("copying", &from))?;
            }
            linked => linked.map_err(BackupError::io("holding", &from))?,
        }
    }
    Ok(())
}

fn drop_held(held: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(held) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(BackupError::io("removing", held)(error)),
        _ => Ok(()),
    }
}

//----------- The rest ---------------------------------------------------------------------------------------------

/// Copies what has its final name; what is being written beside it has none yet.
/// What ClickHouse has not acknowledged. Nobody holds it: what is acknowledged meanwhile goes, and is not missed.
fn waiting(data: &Path, into: &Path) -> Result<Vec<Entry>, BackupError> {
    let mut entries = Vec::new();
    for file in files_below(&data.join("outbox"))? {
        let within = format!("data/outbox/{}", text(&file));
        match copy(&data.join("outbox").join(&file), &into.join(&within), within) {
            Err(BackupError::Store(Error::Io { cause, .. })) if cause.kind() == ErrorKind::NotFound => {}
            copied => entries.push(copied?),
        }
    }
    Ok(entries)
}

fn below(data: &Path, folder: &str, into: &Path) -> Result<Vec<Entry>, BackupError> {
    let mut entries = Vec::new();
    for file in files_below(&data.join(folder))? {
        if file.extension().is_none_or(|extension| extension != "new") {
            let within = format!("data/{folder}/{}", text(&file));
            entries.push(copy(&data.join(folder).join(&file), &into.join(&within), within)?);
        }
    }
    Ok(entries)
}

/// The manifest last: without it there is no backup.
fn finish(
    into: &Path,
    mut head: Head,
    mut entries: Vec<Entry>,
    key: Option<&SigningKey>,
) -> Result<Taken, BackupError> {
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    head.files = entries.len() as u64;
    head.octets = entries.iter().map(|entry| entry.octets).sum();
    let (facts, files, octets) = (head.facts, head.files, head.octets);
    sync_folders(into)?;
    let manifest = Manifest { head, entries }.to_text(key);
    let beside = into.join("manifest.new");
    write_synced(&beside, manifest.as_bytes())?;
    fs::rename(&beside, into.join(MANIFEST)).map_err(BackupError::io("renaming", &beside))?;
    sync_folder(into)?;
    Ok(Taken { digest: model::Digest::of_bytes(manifest.as_bytes()), facts, files, octets })
}
