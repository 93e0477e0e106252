//! The data folder: one path, one holder, one sensor, and a count of boots.
//!
//! ```text
//! DATA/lock       who holds it: pid, role, since; the kernel's flock decides, the text only tells
//! DATA/format     the version of everything below
//! DATA/sensor     the sensor's number, given once
//! DATA/name       what the folder is called in a database that others share; made when first asked for
//! DATA/boot       how often it was opened, synced before the first contact; its upper half counts the folder's homes
//! DATA/home       on which machine and in which folder it was opened last
//! DATA/journal/   DATA/archive/   DATA/vault/   DATA/ledger.sqlite
//! DATA/received/  segments of sensors, at their core      DATA/zones/  what a core lets a sensor serve
//! DATA/quarantine what could not be read or has no row: named, never deleted
//! ```
//!
//! A copy of a folder must not count on where its original does: two contacts would have one id. A folder that finds
//! itself elsewhere than it was, copied, moved or restored, goes on in a later *epoch*: the upper sixteen bits of the boot
//! number rise by a random step. A copy that cannot be told from its original (a machine that was cloned with its disk) has
//! the same boots, and another random number in the header of each segment: whoever collects from both sees it.
//!
//! Keep the [`DataFolder`] until everything that was opened on it is closed: dropping it lets the next process in.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::id::{Boot, SensorId};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::Error;

/// The version of the folder that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The folders within.
const FOLDERS: [&str; 6] = ["journal", "archive", "vault", "quarantine", "received", "zones"];

/// The most that is read of a small file of ours.
const SMALL_FILE_MAX: u64 = 4096;

//----------- DataFolder -------------------------------------------------------------------------------------------

/// A data folder, held by this process.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    sensor: SensorId,
    boot: Boot,
    /// Random, for this opening.
    start: u64,
    _lock: Flock<File>,
}

impl DataFolder {
    /// Takes the folder, making it if it is new, and counts this boot.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process holds it; [`Error::NotOurs`] for a folder with files but no `format`;
    /// [`Error::Format`] for one that a later release wrote.
    pub fn open(path: &Path, role: &str, now: Timestamp) -> Result<Self, Error> {
        make_folder(path)?;
        let path = path.canonicalize().map_err(Error::io("finding", path))?;
        let lock = take_lock(&path, role, now)?;
        check_format(&path)?;
        close_to_others(&path)?;
        for folder in FOLDERS {
            make_folder(&path.join(folder))?;
        }
        let sensor = read_number(&path.join("sensor"))?.unwrap_or(1);
        write_small(&path.join("sensor"), &format!("{sensor}\n"))?;
        let start = random()?;
        let last = read_number(&path.join("boot"))?.unwrap_or(0);
        let (home, before) = (home_of(&path)?, read_small(&path.join("home"))?);
        let has_moved = last > 0 && before.is_some_and(|before| before != home);
        let boot = if has_moved { in_a_later_epoch(last, start) } else { last.checked_add(1) };
        let boot = boot.ok_or_else(|| Error::Damaged { path: path.join("boot"), what: "it has no next one".into() })?;
        // The boot first: whoever dies in between comes to a later epoch twice, which costs nothing.
        write_small(&path.join("boot"), &format!("{boot}\n"))?;
        write_small(&path.join("home"), &home)?;
        Ok(Self { path, sensor: SensorId(sensor), boot: Boot(boot), start, _lock: lock })
    }

    /// Takes the number that a core has given. Of a folder that has begun to record under another it cannot be
    /// changed: its contacts are called so.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the folder has recorded something as another sensor.
    pub fn become_sensor(&self, sensor: SensorId) -> Result<(), Error> {
        let is_others = |entry: std::io::Result<fs::DirEntry>| {
            let own = format!("{:08x}-", sensor.0);
            entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with(&own))
        };
        let journal = self.path.join("journal");
        if fs::read_dir(&journal).map_err(Error::io("listing", &journal))?.any(is_others) {
            let what = format!("its contacts are those of sensor {}, and not of {sensor}", self.sensor);
            return Err(Error::Damaged { path: journal, what });
        }
        write_small(&self.path.join("sensor"), &format!("{sensor}\n"))
    }

    /// Whether another process holds the folder, without taking it: asked before sockets are opened, so that a second
    /// daemon hears who the first one is and not that a port is taken.
    ///
    /// # Errors
    /// [`Error::InUse`] if so. Only [`DataFolder::open`] decides; this is a courtesy.
    pub fn check_free(path: &Path) -> Result<(), Error> {
        let Ok(file) = File::open(path.join("lock")) else { return Ok(()) };
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Err((file, Errno::EWOULDBLOCK)) => Err(holder(path, file)),
            _ => Ok(()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn sensor(&self) -> SensorId {
        self.sensor
    }

    pub fn boot(&self) -> Boot {
        self.boot
    }

    /// 16 hexadecimal digits that no other folder has: under them a database that several share knows this one.
    pub fn name(&self) -> Result<String, Error> {
        let path = self.path.join("name");
        let Some(text) = read_small(&path)? else {
            let mut octets = [0; 8];
            getrandom::fill(&mut octets).map_err(Error::Random)?;
            let name = format!("{:016x}", u64::from_be_bytes(octets));
            write_small(&path, &format!("{name}\n"))?;
            return Ok(name);
        };
        let is_name = |name: &str| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.trim() {
            name if is_name(name) => Ok(name.to_owned()),
            other => Err(Error::Damaged { path, what: format!("{other:?} is no name of a folder") }),
        }
    }

    pub(crate) fn has_name(&self) -> bool {
        self.path.join("name").exists()
    }

    /// A random number for this opening, which stands in every segment that it writes.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn quarantine(&self) -> PathBuf {
        self.path.join("quarantine")
    }
}

//----------- Epochs -----------------------------------------------------------------------------------------------

/// The largest step from one epoch to the next: two copies of one folder take the same one once in so many.
const EPOCH_STEP_MAX: u64 = 1_024;
/// The bits of a boot number that count within an epoch.
const EPOCH_SHIFT: u32 = 16;
const MACHINE_ID: &str = "/etc/machine-id";

fn random() -> Result<u64, Error> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).map_err(Error::Random)?;
    // 0 is what segments without one say.
    Ok(u64::from_be_bytes(octets).max(1))
}

fn in_a_later_epoch(boot: u32, dice: u64) -> Option<u32> {
    let step = 1 + u32::try_from(dice % EPOCH_STEP_MAX).unwrap_or_default();
    let epoch = (boot >> EPOCH_SHIFT).checked_add(step).filter(|epoch| *epoch <= u32::from(u16::MAX))?;
    Some(epoch << EPOCH_SHIFT | 1)
}

/// Machine and folder, as far as they can be told; a machine without an id is told by the folder alone. The number of
/// the device is left out: it changes with the order in which disks are found.
fn home_of(path: &Path) -> Result<String, Error> {
    let machine = fs::read(MACHINE_ID).map_or_else(|_| "unknown".to_owned(), |id| model::Digest::of_bytes(&id).short());
    let inode = fs::metadata(path).map_err(Error::io("looking at", path))?.ino();
    Ok(format!("machine={machine}\nfolder={inode}\n"))
}

//----------- The lock ---------------------------------------------------------------------------------------------

fn take_lock(folder: &Path, role: &str, now: Timestamp) -> Result<Flock<File>, Error> {
    let path = folder.join("lock");
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = open.map_err(Error::io("opening", &path))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            let text = format!("pid={}\nrole={role}\nsince={now}\n", std::process::id());
            lock.set_len(0).and_then(|()| lock.write_all(text.as_bytes())).map_err(Error::io("writing", &path))?;
            Ok(lock)
        }
        Err((file, Errno::EWOULDBLOCK)) => Err(holder(folder, file)),
        Err((_, errno)) => Err(Error::Io { what: "locking", path, cause: errno.into() }),
    }
}

/// Who holds the folder, as far as the holder has said.
fn holder(folder: &Path, file: File) -> Error {
    let mut text = String::new();
    // An unreadable text changes nothing: the kernel has said that the folder is held.
    let _ = file.take(SMALL_FILE_MAX).read_to_string(&mut text);
    let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown").to_owned();
    Error::InUse {
        path: folder.to_owned(),
        pid: field("pid=").parse().unwrap_or(0),
        role: field("role="),
        since: field("since="),
    }
}

//----------- Small files ------------------------------------------------------------------------------------------

fn check_format(folder: &Path) -> Result<(), Error> {
    let path = folder.join("format");
    match read_small(&path)? {
        Some(text) if text.trim() == FORMAT.to_string() => Ok(()),
        Some(text) => Err(Error::Format { path: folder.to_owned(), found: text.trim().to_owned(), known: FORMAT }),
        None if holds_only_the_lock(folder)? => write_small(&path, &format!("{FORMAT}\n")),
        None => Err(Error::NotOurs { path: folder.to_owned() }),
    }
}

fn holds_only_the_lock(folder: &Path) -> Result<bool, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("listing", folder))?;
    let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let ours = ["lock", "format.new"];
    Ok(names.map_err(Error::io("listing", folder))?.iter().all(|name| ours.iter().any(|our| name == our)))
}

fn read_small(path: &Path) -> Result<Option<String>, Error> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(Error::io("opening", path))?,
    };
    let mut text = String::new();
    file.take(SMALL_FILE_MAX).read_to_string(&mut text).map_err(Error::io("reading", path))?;
    Ok(Some(text))
}

fn read_number(path: &Path) -> Result<Option<u32>, Error> {
    let Some(text) = read_small(path)? else { return Ok(None) };
    let number = text
        .trim()
        .parse()
        .map_err(|_| Error::Damaged { path: path.to_owned(), what: format!("{:?} is no number", text.trim()) })?;
    Ok(Some(number))
}

/// Writes beside, syncs, renames and syncs the folder: after it, a loss of power leaves the old text or the new.
pub(crate) fn write_small(path: &Path, text: &str) -> Result<(), Error> {
    let beside = path.with_extension("new");
    write_synced(&beside, text.as_bytes())?;
    fs::rename(&beside, path).map_err(Error::io("renaming to", path))?;
    sync_folder(path.parent().expect("a file of ours lies in the data folder"))
}

/// Writes a whole file and syncs it. It is not visible under its own name until renamed.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = open.map_err(Error::io("creating", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io("writing", path))
}

/// Makes a rename or a new file in the folder survive a loss of power.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("syncing", path))
}

/// A folder that somebody made beforehand, with the mode that folders usually have, holds people's addresses now: it is
/// closed to all but its owner, and with it whatever lies below.
fn close_to_others(path: &Path) -> Result<(), Error> {
    let mode = fs::metadata(path).map_err(Error::io("looking at", path))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(Error::io("closing to others", path))
}

/// Makes a folder that only its owner can enter, with those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("making", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2019-03-27T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_opening_is_a_boot_and_the_sensor_stays() {
        let home = tempfile::tempdir().unwrap();
        for boot in 1..=3 {
            let folder = DataFolder::open(&home.path().join("d"), "test", now()).unwrap();
            assert_eq!((folder.sensor(), folder.boot()), (SensorId(1), Boot(boot)));
        }
    }

    #[test]
    fn a_folder_that_was_copied_or_moved_counts_on_in_a_later_epoch() {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (home.path().join("a"), home.path().join("b"));
        assert_eq!(DataFolder::open(&first, "t", now()).unwrap().boot(), Boot(1));
        fs::create_dir(&second).unwrap();
        for file in ["format", "sensor", "boot", "home"] {
            fs::copy(first.join(file), second.join(file)).unwrap();
        }
        let copy = DataFolder::open(&second, "t", now()).unwrap().boot();
        assert!(copy.0 >> EPOCH_SHIFT >= 1 && copy.0 & 0xffff == 1, "{copy}");
        assert_eq!(DataFolder::open(&second, "t", now()).unwrap().boot(), Boot(copy.0 + 1), "it has arrived");
        assert_eq!(DataFolder::open(&first, "t", now()).unwrap().boot(), Boot(2));
    }

    #[test]
    fn epochs_rise_and_end() {
        for dice in [0, 1, 1_023, u64::MAX] {
            let next = in_a_later_epoch(7, dice).unwrap();
            assert!(next > 0xffff && next >> EPOCH_SHIFT <= 1_024, "{dice}: {next}");
        }
        assert_eq!(in_a_later_epoch(u32::MAX, 0), None);
    }

    #[test]
    fn a_sensor_keeps_its_number_once_it_has_recorded() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path(), "t", now()).unwrap();
        folder.become_sensor(SensorId(4)).unwrap();
        drop(folder);
        let folder = DataFolder::open(home.path(), "t", now()).unwrap();
        assert_eq!(folder.sensor(), SensorId(4));
        fs::write(home.path().join("journal/00000004-00000002-0000-00000000.seg"), "").unwrap();
        folder.become_sensor(SensorId(4)).unwrap();
        assert!(matches!(folder.become_sensor(SensorId(5)), Err(Error::Damaged { .. })));
    }

    #[test]
    fn the_second_holder_is_told_of_the_first() {
        let home = tempfile::tempdir().unwrap();
        let first = DataFolder::open(home.path(), "serve", now()).unwrap();
        let error = DataFolder::open(home.path(), "query", now()).unwrap_err();
        let Error::InUse { pid, role, since, .. } = &error else { panic!("{error}") };
        assert_eq!((*pid, role.as_str(), since.as_str()), (std::process::id(), "serve", "2019-03-27T12:00:00Z"));
        assert!(error.hint().is_some());
        drop(first);
        assert!(DataFolder::open(home.path(), "query", now()).is_ok(), "the lock file stays, the lock does not");
    }

    #[test]
    fn a_folder_of_somebody_else_or_of_the_future_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("thesis.tex"), "x").unwrap();
        assert!(matches!(DataFolder::open(home.path(), "t", now()), Err(Error::NotOurs { .. })));
        assert!(!home.path().join("journal").exists());
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("format"), "2\n").unwrap();
        assert!(matches!(DataFolder::open(home.path(), "t", now()), Err(Error::Format { known: 1, .. })));
    }

    #[test]
    fn a_folder_that_was_open_to_others_is_closed_and_somebody_elses_is_left() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        let home = tempfile::tempdir().unwrap();
        open(home.path());
        drop(DataFolder::open(home.path(), "t", now()).unwrap());
        assert_eq!(mode(home.path()), 0o700);
        let home = tempfile::tempdir().unwrap();
        open(home.path());
        fs::write(home.path().join("thesis.tex"), "x").unwrap();
        DataFolder::open(home.path(), "t", now()).unwrap_err();
        assert_eq!(mode(home.path()), 0o755);
    }

    #[test]
    fn a_folder_keeps_its_name_and_each_has_another() {
        let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let open = |at: usize| DataFolder::open(homes[at].path(), "t", now()).unwrap();
        let name = open(0).name().unwrap();
        assert_eq!((name.len(), open(0).name().unwrap()), (16, name.clone()));
        assert_ne!(open(1).name().unwrap(), name);
        fs::write(homes[0].path().join("name"), "robert'); DROP\n").unwrap();
        assert!(matches!(open(0).name(), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_damaged_boot_number_is_an_error_and_not_a_new_beginning() {
        let home = tempfile::tempdir().unwrap();
        drop(DataFolder::open(home.path(), "t", now()).unwrap());
        fs::write(home.path().join("boot"), "\0\0").unwrap();
        assert!(matches!(DataFolder::open(home.path(), "t", now()), Err(Error::Damaged { .. })));
    }
}
