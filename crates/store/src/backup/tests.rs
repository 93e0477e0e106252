//! A backup comes back as it was; whatever is changed in one is named, and nothing is written then.

use std::fs;

use model::fact::{Actor, Body, Draft};
use model::{Digest, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::archive::CompactLimits;
use crate::archive::tests::two_days;
use crate::audit::Audit;
use crate::log::SigningKey;
use crate::{Archive, DataFolder, Ledger, SightingFilter, Vault};

fn now() -> Timestamp {
    "2019-03-28T12:00:00Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(Some("log.example.org/b"), [7; 32]).unwrap()
}

struct House {
    home: TempDir,
    _folder: DataFolder,
    ledger: Ledger,
    archive: Archive,
    source: Source,
}

impl House {
    /// Facts, two days of contacts, an exhibit and a segment.
    async fn furnished() -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let folder = DataFolder::open(&data, "test", now()).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        ledger.sign_with(key(), true).await.unwrap();
        let archive = Archive::open(&folder, &ledger).await.unwrap();
        archive.commit("insight", two_days(), now()).await.unwrap();
        Vault::open(&folder).unwrap().put(b"exhibit 1").unwrap();
        fs::write(data.join("journal/00000001-00000001-0000-00000000.seg"), [7; 100]).unwrap();
        fs::write(data.join("journal/00000001-00000001-0000-00000001.new"), [7; 100]).unwrap();
        fs::write(home.path().join("b.toml"), "data = \"data\"\n").unwrap();
        let config = Some(home.path().join("b.toml"));
        let source = Source { data, sensor: 1, boot: 1, config, program: "test".into() };
        let house = Self { home, _folder: folder, ledger, archive, source };
        house.say("before").await;
        house
    }

    async fn say(&self, what: &str) {
        let body = Body::Refused { tried: what.into(), why: "no order covers it".into() };
        let draft = Draft::new(Actor::LocalUser { uid: 1 }, body);
        self.ledger.append(None, vec![draft], vec![], now()).await.unwrap();
    }

    async fn take(&self, name: &str) -> (PathBuf, Taken) {
        let into = self.home.path().join(name);
        let taken = take(&self.ledger, &self.archive, &self.source, &into, now()).await.unwrap();
        (into, taken)
    }
}

async fn restored(found: &Found, into: &Path) -> (DataFolder, Ledger, Archive) {
    Restoring::begin(found, into).unwrap().finish().unwrap();
    let folder = DataFolder::open(into, "test", now()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    ledger.sign_with(key(), false).await.unwrap();
    let archive = Archive::open(&folder, &ledger).await.unwrap();
    (folder, ledger, archive)
}

#[tokio::test]
async fn what_was_backed_up_comes_back_whatever_happened_since() {
    let house = House::furnished().await;
    let before = house.archive.sightings(&SightingFilter::default()).await.unwrap();
    let (backup, taken) = house.take("b").await;
    // What comes later is not in it, and what is compacted away later is.
    house.say("after").await;
    let later = "2019-04-02T00:00:00Z".parse().unwrap();
    while let Some(mut work) = house.archive.next_compaction(later, CompactLimits::default().settle).await.unwrap() {
        while work.step().await.unwrap() {}
        work.commit(later).await.unwrap();
    }
    let found = check(&backup).unwrap();
    check_signature(&backup, key().verifying()).unwrap();
    assert_eq!((found.digest, found.head.files, found.head.octets), (taken.digest, taken.files, taken.octets));
    let into = house.home.path().join("new");
    let (folder, ledger, archive) = restored(&found, &into).await;
    assert!(archive.orphans().is_empty(), "{:?}", archive.orphans());
    assert_eq!(archive.sightings(&SightingFilter::default()).await.unwrap(), before);
    let facts = ledger.facts(Position(0)).await.unwrap();
    assert_eq!(
        (facts.len() as u64, facts.len() as u64),
        (taken.facts.0, house.ledger.view().await.unwrap().next.0 - 1)
    );
    assert_eq!(folder.boot().0, 1 + (1 << 16) + 1, "no contact of the lost folder has such an id");
    assert_eq!(Vault::open(&folder).unwrap().get(&Digest::of_bytes(b"exhibit 1")).unwrap().unwrap(), b"exhibit 1");
    assert_eq!(fs::read(into.join("journal/00000001-00000001-0000-00000000.seg")).unwrap(), [7; 100]);
    assert!(!into.join("journal/00000001-00000001-0000-00000001.new").exists(), "it had no name yet");
    assert!(!into.join("restoring").exists() && !house.source.data.join("backup.held").exists());
    let report = Audit::open(&into).await.unwrap().verify(key().verifying(), &[]).await.unwrap();
    assert!(report.is_whole(), "{:?}", report.faults);
}

#[tokio::test]
async fn every_flipped_octet_and_missing_file_is_named_and_nothing_is_written() {
    let house = House::furnished().await;
    let (backup, _) = house.take("b").await;
    for entry in read_manifest(&backup) {
        let file = backup.join(&entry);
        let octets = fs::read(&file).unwrap();
        let mut spoilt = octets.clone();
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 1;
        for (change, told) in
            [(Some(spoilt), "was changed"), (Some(octets[1..].to_vec()), "octets, and had"), (None, "is missing")]
        {
            match change {
                Some(change) => fs::write(&file, change).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let BackupError::Damaged { faults, more: 0, .. } = check(&backup).unwrap_err() else { panic!("{entry}") };
            assert!(faults.len() == 1 && faults[0].starts_with(&entry) && faults[0].contains(told), "{faults:?}");
        }
        fs::write(&file, octets).unwrap();
    }
    let found = check(&backup).unwrap();
    // Changed between the check and the copy.
    fs::write(backup.join("data/format"), "2\n").unwrap();
    let into = house.home.path().join("new");
    assert!(matches!(Restoring::begin(&found, &into), Err(BackupError::Damaged { .. })));
    assert!(!into.exists());
    fs::write(backup.join("data/format"), "1\n").unwrap();
    // What that left is no hindrance, and what is somebody else's is.
    drop(restored(&found, &into).await);
    assert!(matches!(Restoring::begin(&found, &into), Err(BackupError::NotEmpty(_))));
}

fn read_manifest(backup: &Path) -> Vec<String> {
    let text = fs::read_to_string(backup.join("manifest")).unwrap();
    let paths: Vec<String> = text.lines().filter_map(|line| Some(line.split("  ").nth(2)?.to_owned())).collect();
    assert!(paths.len() > 10 && paths.contains(&"config/b.toml".to_owned()), "{paths:?}");
    paths
}

#[tokio::test]
async fn a_backup_goes_into_an_empty_folder_outside_and_only_one_at_a_time() {
    let house = House::furnished().await;
    let attempt = async |into: PathBuf| take(&house.ledger, &house.archive, &house.source, &into, now()).await;
    assert!(matches!(attempt(house.source.data.join("b")).await, Err(BackupError::Inside { .. })));
    fs::create_dir(house.home.path().join("full")).unwrap();
    fs::write(house.home.path().join("full/thesis.tex"), "x").unwrap();
    assert!(matches!(attempt(house.home.path().join("full")).await, Err(BackupError::NotEmpty(_))));
    let still = house.archive.hold_still().lock_owned().await;
    assert!(matches!(attempt(house.home.path().join("b")).await, Err(BackupError::UnderWay)));
    drop(still);
    // A backup that broke off has no manifest, and is none.
    fs::create_dir_all(house.home.path().join("broken/data")).unwrap();
    assert!(matches!(check(&house.home.path().join("broken")), Err(BackupError::NoBackup { .. })));
}

#[test]
fn keys_are_backed_up_apart_and_come_back_into_an_empty_folder() {
    let home = tempfile::tempdir().unwrap();
    let [keys, backup, into] = ["keys", "b", "again"].map(|name| home.path().join(name));
    fs::create_dir_all(keys.join("zones")).unwrap();
    fs::write(keys.join("ledger.key"), "secret").unwrap();
    fs::write(keys.join("zones/ca.pem"), "ca").unwrap();
    take_keys(&keys, &backup, "test", now()).unwrap();
    let found = check(&backup).unwrap();
    assert!(Restoring::begin(&found, &into).is_err(), "it is no data");
    restore_keys(&found, &into).unwrap();
    assert_eq!(fs::read(into.join("zones/ca.pem")).unwrap(), b"ca");
    assert!(matches!(restore_keys(&found, &into), Err(BackupError::NotEmpty(_))));
}
