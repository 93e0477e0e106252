//! The ledger's promises.

use model::DomainName;
use model::case::CaseState;
use model::fact::{Actor, Body};
use model::id::CaseId;
use model::order::{Listed, names_digest};
use tempfile::TempDir;

use super::*;

fn now() -> Timestamp {
    "2019-03-27T12:00:00Z".parse().unwrap()
}

fn refused(what: &str) -> Draft {
    let body = Body::Refused { tried: what.into(), why: "no order covers it".into() };
    Draft::new(Actor::LocalUser { uid: 1000 }, body)
}

async fn ledger() -> (TempDir, DataFolder, Ledger) {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", now()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    (home, folder, ledger)
}

fn many_names(count: usize) -> Names {
    (0..count).map(|n| (DomainName::parse(&format!("n{n}.test")).unwrap(), Listed::default())).collect()
}

#[tokio::test]
async fn facts_have_dense_positions_and_are_there_after_reopening() {
    let (_home, folder, ledger) = ledger().await;
    let mut changed = ledger.changed();
    let first = ledger.append(Some(Position(0)), vec![refused("a"), refused("b")], vec![], now()).await.unwrap();
    assert_eq!(first.iter().map(|fact| fact.position.0).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(*changed.borrow_and_update(), Position(2));
    let more = ledger.append(None, vec![refused("c")], vec![], now()).await.unwrap();
    ledger.close().await;
    let ledger = Ledger::open(&folder).await.unwrap();
    assert_eq!(ledger.facts(Position(0)).await.unwrap(), [first, more].concat());
    assert_eq!(ledger.view().await.unwrap().refusals, 3);
    assert_eq!(*ledger.changed().borrow(), Position(3));
}

#[tokio::test]
async fn the_second_of_two_who_decided_at_once_decides_again() {
    let (_home, _folder, ledger) = ledger().await;
    let seen = ledger.view().await.unwrap().next;
    let one = ledger.append(Some(seen), vec![refused("one")], vec![], now());
    let two = ledger.append(Some(seen), vec![refused("two")], vec![], now());
    let ((Ok(_), Err(lost)) | (Err(lost), Ok(_))) = tokio::join!(one, two) else { panic!("one wins and one loses") };
    let AppendError::Conflict { expected, found } = lost else { panic!("{lost}") };
    assert_eq!((expected, found), (Position(0), Position(1)));
    assert_eq!(ledger.facts(Position(0)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_who_expect_nothing_all_get_a_place() {
    let (_home, _folder, ledger) = ledger().await;
    let append = |n: usize| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.append(None, vec![refused(&n.to_string())], vec![], now()).await.unwrap() })
    };
    for task in (0..20).map(append).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let places: Vec<u64> = ledger.facts(Position(0)).await.unwrap().iter().map(|fact| fact.position.0).collect();
    assert_eq!(places, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_finds_the_line_full_is_told_and_has_appended_nothing() {
    let (_home, _folder, ledger) = ledger().await;
    let turn = ledger.inner.line.turn.lock().await;
    let append = || {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.append(None, vec![refused("in line")], vec![], now()).await })
    };
    let waiting: Vec<_> = (0..appending::WAITING_MAX).map(|_| append()).collect();
    while ledger.inner.line.waiting().len() < appending::WAITING_MAX {
        tokio::task::yield_now().await;
    }
    let refused = append().await.unwrap();
    assert!(matches!(refused, Err(AppendError::Store(Error::Limit { .. }))), "{refused:?}");
    drop(turn);
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    assert_eq!(ledger.facts(Position(0)).await.unwrap().len(), appending::WAITING_MAX);
}

/// They share a transaction; each has its own answer.
#[tokio::test]
async fn of_those_who_come_at_once_one_that_fails_hinders_nobody() {
    let (_home, _folder, ledger) = ledger().await;
    let (one, late, three) = tokio::join!(
        ledger.append(Some(Position(0)), vec![refused("one"), refused("two")], vec![], now()),
        ledger.append(Some(Position(0)), vec![refused("late")], vec![], now()),
        ledger.append(None, vec![refused("three")], vec![], now()),
    );
    assert_eq!(one.unwrap().len(), 2);
    assert!(matches!(late, Err(AppendError::Conflict { expected: Position(0), found: Position(2) })), "{late:?}");
    assert_eq!(three.unwrap()[0].position, Position(2));
    assert_eq!(ledger.facts(Position(0)).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_fact_that_was_changed_on_disk_is_noticed() {
    let (_home, _folder, ledger) = ledger().await;
    ledger.append(None, vec![refused("a")], vec![], now()).await.unwrap();
    let forge = "UPDATE facts SET body = replace(CAST(body AS TEXT), 'no order', 'an order')";
    sqlx::query(forge).execute(ledger.pool()).await.unwrap_err();
    let forge = "UPDATE facts SET body = CAST(replace(CAST(body AS TEXT), 'no order', 'an order') AS BLOB)";
    sqlx::query(forge).execute(ledger.pool()).await.unwrap();
    assert!(matches!(ledger.facts(Position(0)).await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_fact_that_was_taken_out_is_missed() {
    let (_home, _folder, ledger) = ledger().await;
    ledger.append(None, vec![refused("a"), refused("b"), refused("c")], vec![], now()).await.unwrap();
    sqlx::query("DELETE FROM facts WHERE position = 1").execute(ledger.pool()).await.unwrap();
    let error = ledger.facts(Position(0)).await.unwrap_err();
    assert!(error.to_string().contains("fact 1 is missing"), "{error}");
    assert_eq!(ledger.facts(Position(2)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_set_of_names_lies_beside_its_fact_and_proves_itself() {
    let (_home, _folder, ledger) = ledger().await;
    let names = many_names(1000);
    let digest = names_digest(&names);
    assert_eq!(NamedSet::of(names.clone()).digest(), digest, "the lines are what is hashed");
    assert!(matches!(ledger.names(&digest).await, Err(Error::NoSuchNames(_))));
    let set = NamedSet::of(names.clone());
    ledger.append(None, vec![refused("a")], vec![set.clone(), set], now()).await.unwrap();
    assert_eq!(ledger.names(&digest).await.unwrap(), names);
    assert_eq!(ledger.facts(Position(0)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_fact_without_effect_does_not_stop_the_view() {
    let (_home, _folder, ledger) = ledger().await;
    let nowhere =
        Body::CaseAdvanced { case: CaseId::parse("nowhere").unwrap(), to: CaseState::Filed, documents: Vec::new() };
    let drafts = vec![Draft::new(Actor::LocalUser { uid: 0 }, nowhere), refused("a")];
    ledger.append(None, drafts, vec![], now()).await.unwrap();
    let view = ledger.view().await.unwrap();
    assert_eq!((view.next, view.refusals, view.without_effect.len()), (Position(2), 1, 1));
    assert!(Arc::ptr_eq(&view, &ledger.view().await.unwrap()), "nothing new is nothing folded");
}

#[tokio::test]
async fn every_cell_can_be_looked_through_while_the_ledger_is_open_and_after() {
    let (home, _folder, ledger) = ledger().await;
    ledger.append(None, vec![refused("needle")], vec![], now()).await.unwrap();
    let found = || {
        let (mut cells, mut found) = (0, 0);
        let look = &mut |cell: &[u8]| {
            cells += 1;
            found += usize::from(cell.windows(6).any(|part| part == b"needle"));
        };
        each_cell(&home.path().join("ledger.sqlite"), look).unwrap();
        (cells > 7, found)
    };
    assert_eq!(found(), (true, 1));
    ledger.close().await;
    assert_eq!(found(), (true, 1));
}

/// `cargo test -p bailiwick-store -- --ignored --nocapture measure`
#[tokio::test]
#[ignore = "prints figures, promises nothing"]
#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
async fn measure_appends_and_a_million_names() {
    let (_home, _folder, ledger) = ledger().await;
    let start = std::time::Instant::now();
    for n in 0..200 {
        ledger.append(Some(Position(n)), vec![refused("a")], vec![], now()).await.unwrap();
    }
    println!("append, one fact each, synced: {:?} per fact", start.elapsed() / 200);
    let start = std::time::Instant::now();
    for _ in 0..20 {
        ledger.append(None, vec![refused("a"); 1_000], vec![], now()).await.unwrap();
    }
    println!("append, a thousand facts each, synced: {:?} per fact", start.elapsed() / 20_000);
    let names = many_names(1_000_000);
    let start = std::time::Instant::now();
    let set = NamedSet::of(names);
    println!("digest of a million names: {:?}", start.elapsed());
    let (digest, start) = (set.digest(), std::time::Instant::now());
    ledger.append(None, vec![refused("a")], vec![set], now()).await.unwrap();
    println!("append of a million names: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    assert_eq!(ledger.names(&digest).await.unwrap().len(), 1_000_000);
    println!("load of a million names: {:?}", start.elapsed());
}
