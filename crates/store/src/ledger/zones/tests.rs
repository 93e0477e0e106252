//! Named zones across restarts and failures, and their figures.

use tempfile::TempDir;

use super::*;
use crate::folder::DataFolder;

const ORIGIN: &[u8] = b"\x03rpz\x07example\x00";

fn now() -> Timestamp {
    "2019-03-27T12:00:00Z".parse().unwrap()
}

async fn ledger() -> (TempDir, DataFolder, Ledger) {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", now()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    (home, folder, ledger)
}

/// What stands in the zone for a name that is blocked.
fn blocked(label: &str) -> [Record; 2] {
    let own = [&[u8::try_from(label.len()).unwrap()], label.as_bytes(), b"\x04test"].concat();
    let below = [b"\x01*", &own[..]].concat();
    [own, below].map(|owner| Record { owner: owner.into(), kind: 5, data: Box::new([0]), ttl_secs: 300 })
}

fn all(labels: &[&str]) -> Vec<Record> {
    labels.iter().flat_map(|label| blocked(label)).collect()
}

fn told(zone: &NamedZone) -> (u32, Vec<Record>, Vec<Difference>) {
    let differences = zone.differences.iter().map(|step| Difference::clone(step)).collect();
    (zone.serial, zone.records.to_vec(), differences)
}

#[tokio::test]
async fn a_zone_goes_on_after_a_restart_where_it_was() {
    let (_home, folder, ledger) = ledger().await;
    assert!(ledger.named_zone(ORIGIN).await.unwrap().is_none());
    let first = ledger.publish_zone(ORIGIN, all(&["a", "b"]), now()).await.unwrap();
    assert_eq!((first.serial, first.records.len(), first.differences.len()), (1, 4, 0));
    let again = ledger.publish_zone(ORIGIN, all(&["b", "a"]), now()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again), "nothing new is no new serial");
    let second = ledger.publish_zone(ORIGIN, all(&["b", "c"]), now()).await.unwrap();
    assert_eq!(second.serial, 2);
    let other = ledger.publish_zone(b"\x05other\x00", all(&["z"]), now()).await.unwrap();
    ledger.close().await;

    let ledger = Ledger::open(&folder).await.unwrap();
    let loaded = ledger.named_zone(ORIGIN).await.unwrap().unwrap();
    assert_eq!(told(&loaded), told(&second));
    let third = ledger.publish_zone(ORIGIN, all(&["c"]), now()).await.unwrap();
    assert_eq!(third.differences.iter().map(|step| (step.from, step.to)).collect::<Vec<_>>(), [(1, 2), (2, 3)]);
    assert_eq!(told(&ledger.named_zone(b"\x05other\x00").await.unwrap().unwrap()), told(&other));
}

#[tokio::test]
async fn what_cannot_be_written_whole_is_not_told_and_the_next_try_starts_from_the_disk() {
    let (_home, _folder, ledger) = ledger().await;
    let first = ledger.publish_zone(ORIGIN, all(&["a"]), now()).await.unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON named_differences BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    sqlx::query(full).execute(ledger.pool()).await.unwrap();
    ledger.publish_zone(ORIGIN, all(&["b"]), now()).await.unwrap_err();
    assert_eq!(told(&ledger.named_zone(ORIGIN).await.unwrap().unwrap()), told(&first));
    sqlx::query("DROP TRIGGER full").execute(ledger.pool()).await.unwrap();
    assert_eq!(ledger.publish_zone(ORIGIN, all(&["b"]), now()).await.unwrap().serial, 2);
}

#[tokio::test]
async fn the_steps_that_are_forgotten_in_memory_are_forgotten_on_disk() {
    let (_home, folder, ledger) = ledger().await;
    ledger.publish_zone(ORIGIN, all(&["a"]), now()).await.unwrap();
    ledger.publish_zone(ORIGIN, all(&["b"]), now()).await.unwrap();
    let many: Vec<String> = (0..crate::zones::history::DIFFERENCE_RECORDS_MAX / 2).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let told = ledger.publish_zone(ORIGIN, all(&many), now()).await.unwrap();
    assert!(told.differences.is_empty());
    ledger.close().await;
    let loaded = Ledger::open(&folder).await.unwrap().named_zone(ORIGIN).await.unwrap().unwrap();
    assert_eq!((loaded.serial, loaded.differences.len()), (3, 0));
    assert_eq!(loaded.records, told.records);
}

#[tokio::test]
async fn steps_that_lead_nowhere_are_damage() {
    let (_home, folder, ledger) = ledger().await;
    ledger.publish_zone(ORIGIN, all(&["a"]), now()).await.unwrap();
    ledger.publish_zone(ORIGIN, all(&["b"]), now()).await.unwrap();
    sqlx::query("UPDATE named_zones SET serial = 9").execute(ledger.pool()).await.unwrap();
    ledger.close().await;
    let error = Ledger::open(&folder).await.unwrap().named_zone(ORIGIN).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// `cargo test --release -p bailiwick-store -- --ignored --nocapture measure_a_million`
#[tokio::test]
#[ignore = "prints figures, promises nothing"]
#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
async fn measure_a_million_entries() {
    let (_home, folder, ledger) = ledger().await;
    let names: Vec<String> = (0..1_000_000).map(|n| format!("outlook-verify-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let publish = async |ledger: &Ledger, names: &[&str], what: &str| {
        let mut records = all(names);
        records.sort_unstable();
        let start = std::time::Instant::now();
        let zone = ledger.publish_zone(ORIGIN, records, now()).await.unwrap();
        println!("{what}: {:?} (serial {}, {} records)", start.elapsed(), zone.serial, zone.records.len());
    };
    publish(&ledger, &names, "a million entries for the first time").await;
    publish(&ledger, &names, "the same again").await;
    publish(&ledger, &names[1..], "one entry less").await;
    publish(&ledger, &names, "one entry more").await;
    ledger.close().await;
    let ledger = Ledger::open(&folder).await.unwrap();
    let start = std::time::Instant::now();
    let zone = ledger.named_zone(ORIGIN).await.unwrap().unwrap();
    println!("loaded after a restart: {:?} ({} steps)", start.elapsed(), zone.differences.len());
}
