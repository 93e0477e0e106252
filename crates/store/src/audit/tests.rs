//! What an audit finds: one flipped octet, a gap, a reorder, a cut, a fork; and nothing where nothing is wrong.

use std::fs;

use model::Timestamp;
use model::fact::{Actor, Body, Draft};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::*;
use crate::log::SigningKey;
use crate::{DataFolder, Error, Ledger};

fn now() -> Timestamp {
    "2019-03-27T12:00:00Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(Some("log.example.org/b"), [7; 32]).unwrap()
}

fn drafts(words: impl IntoIterator<Item = u32>) -> Vec<Draft> {
    let body = |n| Body::Refused { tried: format!("the thing {n}"), why: "no order covers it".into() };
    words.into_iter().map(|n| Draft::new(Actor::LocalUser { uid: 1000 }, body(n))).collect()
}

/// Opens the ledger of a folder as the daemon does, appends, and leaves it.
async fn append(home: &Path, is_new: bool, words: std::ops::Range<u32>) {
    let folder = DataFolder::open(home, "test", now()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    ledger.sign_with(key(), is_new).await.unwrap();
    ledger.append(None, drafts(words), vec![], now()).await.unwrap();
    ledger.close().await;
}

async fn six_facts() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    append(home.path(), true, 0..6).await;
    home
}

async fn anchor(home: &Path) -> Anchor {
    let note = Audit::open(home).await.unwrap().checkpoint().await.unwrap().unwrap();
    let checkpoint = Checkpoint::open(&note, key().verifying()).unwrap();
    Anchor { place: format!("anchor of {}", checkpoint.size), checkpoint }
}

async fn verify(home: &Path, anchors: &[Anchor]) -> Report {
    Audit::open(home).await.unwrap().verify(key().verifying(), anchors).await.unwrap()
}

/// What somebody does with a database shell.
async fn tamper(home: &Path, sql: &str) {
    let folder = DataFolder::open(home, "test", now()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(ledger.pool()).await.unwrap();
    ledger.close().await;
}

fn copy(home: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["ledger.sqlite", "format"] {
        fs::copy(home.join(file), copy.path().join(file)).unwrap();
    }
    copy
}

/// Finds a fault, at that position if one is given, with that word in it.
fn found(report: &Report, position: Option<u64>, word: &str) {
    let is_it = |fault: &&Fault| fault.position.map(|at| at.0) == position && fault.what.contains(word);
    assert!(report.faults.iter().any(|fault| is_it(&fault)), "{position:?} {word:?} in {:?}", report.faults);
}

#[tokio::test]
async fn a_ledger_that_nobody_touched_is_whole_against_every_anchor() {
    let home = six_facts().await;
    let six = anchor(home.path()).await;
    append(home.path(), false, 6..9).await;
    let anchors = [anchor(home.path()).await, six];
    let report = verify(home.path(), &anchors).await;
    assert!(report.is_whole(), "{:?}", report.faults);
    assert_eq!((report.size, report.with_body, report.anchors), (9, 9, 2));
    assert_eq!(report.root, Some(anchors[0].checkpoint.root));
    let other = SigningKey::from_seed(Some("log.example.org/b"), [8; 32]).unwrap();
    let refused = Audit::open(home.path()).await.unwrap().verify(other.verifying(), &[]).await.unwrap_err();
    assert!(matches!(refused, AuditError::Checkpoint { .. }), "{refused}");
}

#[tokio::test]
async fn one_octet_that_was_changed_is_found_with_its_position() {
    let home = six_facts().await;
    for (column, change) in [
        ("body", "CAST(replace(CAST(body AS TEXT), 'the thing 3', 'the thong 3') AS BLOB)"),
        ("salt", "CAST(x'00' || substr(salt, 2) AS BLOB)"),
        ("commitment", "CAST(x'00' || substr(commitment, 2) AS BLOB)"),
        ("version", "version + 1"),
        ("time", "time + 1"),
        ("kind", "'rafused'"),
    ] {
        let copy = copy(home.path());
        tamper(copy.path(), &format!("UPDATE facts SET {column} = {change} WHERE position = 3")).await;
        let report = verify(copy.path(), &[]).await;
        let word = if matches!(column, "version" | "time" | "kind") { "beside the body" } else { "do not belong" };
        found(&report, Some(3), word);
        assert!(report.faults.iter().all(|fault| fault.position.is_none_or(|at| at.0 == 3)), "{:?}", report.faults);
    }
}

#[tokio::test]
async fn a_gap_a_move_and_a_cut_are_found() {
    let home = six_facts().await;
    let gap = copy(home.path());
    tamper(gap.path(), "DELETE FROM facts WHERE position = 2").await;
    let report = verify(gap.path(), &[]).await;
    found(&report, Some(2), "missing");
    found(&report, None, "positions 5 to 5 were cut off");
    let moved = copy(home.path());
    let swap = "UPDATE facts SET position = 99 WHERE position = 1; UPDATE facts SET position = 1 WHERE position = 4;
                UPDATE facts SET position = 4 WHERE position = 99";
    tamper(moved.path(), swap).await;
    let report = verify(moved.path(), &[]).await;
    found(&report, Some(1), "moved");
    found(&report, Some(4), "moved");
    found(&report, None, "another tree");
    let cut = copy(home.path());
    tamper(cut.path(), "DELETE FROM facts WHERE position = 5").await;
    found(&verify(cut.path(), &[]).await, None, "positions 5 to 5 were cut off");
    let folder = DataFolder::open(cut.path(), "test", now()).unwrap();
    assert!(matches!(Ledger::open(&folder).await, Err(Error::Damaged { .. })), "nothing is appended to it");
}

/// Whoever has the data and not the key cannot sign; whoever goes back to an older copy is betrayed by an anchor.
#[tokio::test]
async fn an_older_copy_and_another_history_are_found_by_an_anchor() {
    let home = six_facts().await;
    let (older, fork) = (copy(home.path()), copy(home.path()));
    let six = anchor(home.path()).await;
    append(home.path(), false, 6..9).await;
    append(fork.path(), false, 20..24).await;
    let nine = anchor(home.path()).await;
    assert!(verify(older.path(), &[]).await.is_whole(), "it is what it was");
    found(&verify(older.path(), std::slice::from_ref(&nine)).await, None, "positions 6 to 8 were cut off");
    let report = verify(fork.path(), &[six, nine]).await;
    found(&report, None, "anchor of 9 is over another tree: of positions 6 to 8");
    assert_eq!(report.faults.len(), 1, "what was before the fork agrees");
}

#[tokio::test]
async fn facts_and_commitments_that_were_changed_together_are_found_by_the_signature() {
    let home = six_facts().await;
    let forged = copy(home.path());
    let body = br#"{"body":{"fact":"refused"},"position":3,"time":"2019-03-27T12:00:00Z","version":1}"#;
    let (salt, hex) = ([0; 32], |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
    let commitment = model::fact::Fact::commitment_over(&salt, body);
    let sql = format!(
        "UPDATE facts SET body = x'{}', salt = x'{}', commitment = x'{commitment}' WHERE position = 3",
        hex(body),
        hex(&salt)
    );
    tamper(forged.path(), &sql).await;
    let report = verify(forged.path(), &[]).await;
    found(&report, None, "the ledger's own checkpoint is over another tree: of positions 0 to 5");
    assert_eq!(report.faults.len(), 1);
}

#[tokio::test]
async fn a_key_signs_only_what_it_signed_last() {
    let home = six_facts().await;
    let refuses = async |home: &Path, key: SigningKey, is_new| {
        let folder = DataFolder::open(home, "test", now()).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        let done = ledger.sign_with(key, is_new).await;
        ledger.close().await;
        matches!(done, Err(Error::Damaged { .. }))
    };
    let other = SigningKey::from_seed(None, [8; 32]).unwrap();
    assert!(refuses(home.path(), other, true).await, "another key does not take over");
    let wiped = copy(home.path());
    tamper(wiped.path(), "UPDATE ledger_head SET checkpoint = NULL").await;
    assert!(refuses(wiped.path(), key(), false).await, "a checkpoint does not get lost");
    found(&verify(wiped.path(), &[]).await, None, "nothing was signed");
    assert!(!refuses(home.path(), key(), false).await);
    let added = copy(home.path());
    let folder = DataFolder::open(added.path(), "test", now()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    ledger.append(None, drafts(6..7), vec![], now()).await.unwrap();
    ledger.close().await;
    drop(folder);
    found(&verify(added.path(), &[]).await, None, "nothing was signed");
}

//----------- Folders ----------------------------------------------------------------------------------------------

/// Facts 1 and 4 whole, 2 by its kind, and a file.
async fn export(home: &Path, to: &Path) {
    let mut audit = Audit::open(home).await.unwrap();
    let checkpoint = audit.checkpoint().await.unwrap().unwrap();
    let commitments = audit.commitments().await.unwrap();
    let entries = audit.entries().await.unwrap();
    let facts = vec![Disclosed::whole(&entries[1]), Disclosed::kind(&entries[2]), Disclosed::whole(&entries[4])];
    let files = vec![("README.md".to_owned(), b"how to verify\n".to_vec())];
    let export = Export { profile: "partner", checkpoint, commitments, facts, files };
    write_export(to, export, &key()).unwrap();
}

/// Whether verifying finds something; not being able to read what was flipped counts.
fn is_found(folder: &Path) -> bool {
    verify_folder(folder, key().verifying(), &[]).map_or(true, |report| !report.is_whole())
}

#[tokio::test]
async fn any_bit_that_is_flipped_in_an_export_is_found() {
    let (home, out) = (six_facts().await, tempfile::tempdir().unwrap());
    export(home.path(), out.path()).await;
    let report = verify_folder(out.path(), key().verifying(), &[anchor(home.path()).await]).unwrap();
    assert!(report.is_whole(), "{:?}", report.faults);
    assert_eq!((report.size, report.with_body, report.anchors), (6, 2, 1));
    let files = folder::list(out.path()).unwrap();
    let tree = ["tile/0/000.p/6", "tile/entries/000.p/6"];
    assert_eq!(files, [&["README.md", "checkpoint", "facts.jsonl", "manifest"][..], &tree].concat());
    for file in files {
        let path = out.path().join(&file);
        let octets = fs::read(&path).unwrap();
        for at in 0..octets.len() {
            let mut flipped = octets.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).unwrap();
            assert!(is_found(out.path()), "octet {at} of {file}");
        }
        fs::remove_file(&path).unwrap();
        assert!(is_found(out.path()) || file == "manifest", "{file} is missing");
        fs::write(&path, octets).unwrap();
    }
    assert!(!is_found(out.path()));
    fs::write(out.path().join("more"), "x").unwrap();
    assert!(is_found(out.path()), "a file that was not exported");
    let refused = write_export(out.path(), Export { files: vec![], ..empty() }, &key()).unwrap_err();
    assert!(refused.to_string().contains("exporting into"), "{refused}");
}

fn empty() -> Export {
    Export { profile: "public", checkpoint: String::new(), commitments: vec![], facts: vec![], files: vec![] }
}

#[tokio::test]
async fn tiles_grow_in_their_folder_and_partial_ones_of_before_are_verified_too() {
    let (home, out) = (six_facts().await, tempfile::tempdir().unwrap());
    let write = async || {
        let mut audit = Audit::open(home.path()).await.unwrap();
        let checkpoint = audit.checkpoint().await.unwrap().unwrap();
        write_tiles(out.path(), &checkpoint, audit.commitments().await.unwrap()).unwrap();
    };
    write().await;
    let six = anchor(home.path()).await;
    append(home.path(), false, 6..300).await;
    write().await;
    let report = verify_folder(out.path(), key().verifying(), std::slice::from_ref(&six)).unwrap();
    assert!(report.is_whole(), "{:?}", report.faults);
    assert_eq!((report.size, report.with_body), (300, 0));
    let partial = out.path().join("tile/0/000.p/6");
    let mut octets = fs::read(&partial).unwrap();
    octets[0] ^= 1;
    fs::write(&partial, &octets).unwrap();
    found(&verify_folder(out.path(), key().verifying(), &[]).unwrap(), None, "tile/0/000.p/6");
    fs::remove_file(partial).unwrap();
    fs::remove_file(out.path().join("tile/0/000")).unwrap();
    found(&verify_folder(out.path(), key().verifying(), &[]).unwrap(), None, "tile/0/000 is missing");
}

#[test]
fn more_faults_than_are_told_are_counted() {
    let mut report = Report::default();
    (0..FAULTS_MAX as u64 + 5).for_each(|at| report.fault(Some(at), "x"));
    assert_eq!((report.faults.len(), report.more_faults), (FAULTS_MAX, 5));
}
