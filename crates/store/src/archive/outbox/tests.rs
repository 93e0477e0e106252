//! What is committed enters, what is compacted stays, what is acknowledged leaves, and a crash doubles nothing.

use std::time::Duration;

use super::super::tests::{House, at, house, two_days};
use super::*;
use crate::clickhouse::{ClickHouse, Profile, Server, Target};

async fn waiting(house: &House) -> Vec<String> {
    let rows = house.ledger.db().all(query("SELECT path FROM outbox_segments ORDER BY id"), "test").await.unwrap();
    rows.iter().map(|row| row.text("path").to_owned()).collect()
}

fn lying(house: &House) -> Vec<String> {
    let entries = fs::read_dir(house.archive.inner.outbox.clone()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_there_enters_first_and_what_comes_enters_by_itself() {
    let house = house().await;
    let now = at("2019-03-28T00:01:00Z");
    house.archive.commit("insight", two_days(), now).await.unwrap();
    assert_eq!(house.archive.outbox().await.unwrap(), None);
    assert!(lying(&house).is_empty(), "nobody ships");
    house.archive.begin_shipping(now).await.unwrap();
    let first = waiting(&house).await;
    house.archive.begin_shipping(now).await.unwrap();
    assert_eq!(waiting(&house).await, first, "again it changes nothing");
    house.archive.commit("insight", two_days(), now).await.unwrap();
    let mut all = waiting(&house).await;
    assert_eq!((all.len(), &all[..first.len()]), (2 * first.len(), &first[..]));
    all.sort();
    assert_eq!(lying(&house), all);
    let outbox = house.archive.outbox().await.unwrap().unwrap();
    let tallies = house.archive.tallies().await.unwrap();
    assert_eq!(outbox.rows_waiting, tallies.values().map(|table| table.rows).sum::<u64>());
    assert_eq!((outbox.segments_in, outbox.rows_in), (all.len() as u64, outbox.rows_waiting));
    assert_eq!((outbox.segments_out, outbox.oldest), (0, Some(now)));
}

#[tokio::test]
async fn compaction_takes_nothing_out_of_the_outbox() {
    let house = house().await;
    house.archive.begin_shipping(at("2019-03-28T00:00:00Z")).await.unwrap();
    for _ in 0..2 {
        house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    }
    let before = lying(&house);
    let rows = house.archive.outbox().await.unwrap().unwrap().rows_waiting;
    let later = at("2019-04-02T00:00:00Z");
    while let Some(mut work) = house.archive.next_compaction(later, Duration::ZERO).await.unwrap() {
        while work.step().await.unwrap() {}
        work.commit(later).await.unwrap();
    }
    assert_eq!(lying(&house), before, "nor into it: merged rows are the same rows");
    let mut read = 0;
    while let Some(segment) = house.archive.next_segment().await.unwrap() {
        assert!(segment.path.is_file());
        read += segment.rows;
        house.archive.segment_shipped(&segment).await.unwrap();
    }
    let outbox = house.archive.outbox().await.unwrap().unwrap();
    assert_eq!((read, outbox.rows_out, outbox.rows_waiting), (rows, rows, 0));
    assert_eq!((outbox.segments_out, outbox.oldest), (outbox.segments_in, None));
    assert!(lying(&house).is_empty());
}

#[tokio::test]
async fn a_second_name_without_a_row_is_removed_and_a_row_without_one_gets_it_back() {
    let house = house().await;
    house.archive.begin_shipping(at("2019-03-28T00:00:00Z")).await.unwrap();
    house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    let before = lying(&house);
    fs::write(house.archive.inner.outbox.join("contacts-day=2019-03-27-x.parquet"), "left by a crash").unwrap();
    let segment = house.archive.next_segment().await.unwrap().unwrap();
    fs::remove_file(&segment.path).unwrap();
    house.archive.block_shipped(&segment, 3).await.unwrap();
    let house = house.reopen().await;
    assert_eq!(lying(&house), before);
    let again = house.archive.next_segment().await.unwrap().unwrap();
    assert_eq!((again.path, again.blocks_done), (segment.path, 3), "blocks that were acknowledged are not sent again");
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_the_segment_where_it_is() {
    let house = house().await;
    house.archive.begin_shipping(at("2019-03-28T00:00:00Z")).await.unwrap();
    house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    let before = house.archive.outbox().await.unwrap();
    // A port that was free a moment ago, and where nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let shards = vec![vec![Server { host: "127.0.0.1".into(), port, is_tls: false }]];
    let (database, cluster, user) = ("bailiwick".into(), "bailiwick".into(), "default".into());
    let target = Target { shards, profile: Profile::Single, database, cluster, user, password: None, quorum: None };
    let error = ClickHouse::new(target, None).ship_next(&house.archive).await.unwrap_err();
    assert!(matches!(&error, Error::ClickHouse { server, .. } if server.contains(&port.to_string())), "{error}");
    assert_eq!(house.archive.outbox().await.unwrap(), before);
}
