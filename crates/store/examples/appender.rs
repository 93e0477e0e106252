//! One core of several that share a ledger: the suite `postgres` runs four of them, kills one, and stops the server.
//!
//! `appender URL FOLDER FACTS` appends until FOLDER/acknowledged has so many lines, 64 at once, and follows all that others
//! append too. A line is a fact's own words; it is written when the fact was acknowledged, and before the next one is asked
//! for. What was refused, or is in doubt, is said again in other words, so that no line stands for two facts. When
//! FOLDER/end appears, it holds a position: the process follows to it and prints how many facts it saw and a digest over
//! them. Whoever is killed begins again with the same words.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailiwick_store::log::SigningKey;
use bailiwick_store::{DataFolder, Database, Ledger, Postgres};
use model::fact::{Actor, Body, Draft};
use model::id::{PersonId, Position};
use model::{Digest, Timestamp};
use tokio::sync::Mutex;
use tokio::time::sleep;

const AT_ONCE: usize = 64;
const AGAIN: Duration = Duration::from_millis(200);

type Trouble = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Trouble> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, home, facts] = &arguments[..] else { return Err("URL FOLDER FACTS".into()) };
    let (home, facts) = (PathBuf::from(home), facts.parse()?);
    let folder = DataFolder::open(&home.join("data"), "appender", now())?;
    let ledger = Ledger::open_in(&folder, &Database::Postgres(Box::new(Postgres::parse(url)?))).await?;
    let key = SigningKey::from_seed(Some("log.example.org/b"), [7; 32])?;
    std::fs::write(home.join("key"), key.verifying().to_string())?;
    let is_new = ledger.facts(Position(0)).await?.is_empty();
    ledger.sign_with(key, is_new).await?;
    let follower = tokio::spawn(follow(ledger.clone(), home.clone()));
    append(&ledger, &home, folder.boot().0, facts).await?;
    std::fs::write(home.join("done"), "")?;
    let (seen, digest) = follower.await??;
    println!("{seen} {digest}");
    ledger.close().await;
    Ok(())
}

//----------- Appending --------------------------------------------------------------------------------------------

async fn append(ledger: &Ledger, home: &Path, life: u32, facts: usize) -> Result<(), Trouble> {
    let file = home.join("acknowledged");
    let before = std::fs::read_to_string(&file).unwrap_or_default().lines().count();
    let paper = OpenOptions::new().create(true).append(true).open(&file)?;
    let (paper, next) = (Arc::new(Mutex::new(paper)), Arc::new(AtomicUsize::new(before)));
    let who = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let writer = |_| {
        let (ledger, paper, next, who) = (ledger.clone(), Arc::clone(&paper), Arc::clone(&next), who.clone());
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= facts {
                    return Ok::<(), std::io::Error>(());
                }
                let words = acknowledged(&ledger, &format!("{who} life {life} fact {n}")).await;
                paper.lock().await.write_all(format!("{words}\n").as_bytes())?;
            }
        })
    };
    for task in (0..AT_ONCE).map(writer).collect::<Vec<_>>() {
        task.await??;
    }
    Ok(())
}

/// The words under which it was acknowledged.
async fn acknowledged(ledger: &Ledger, words: &str) -> String {
    for again in 0_u32.. {
        let words = format!("{words} try {again}");
        let actor = Actor::Person { id: PersonId::parse("alice").expect("a slug") };
        let body = Body::Refused { tried: words.clone(), why: "no order in force covers it".into() };
        match ledger.append(None, vec![Draft::new(actor, body)], vec![], now()).await {
            Ok(_) => return words,
            Err(error) => eprintln!("{words}: {error}"),
        }
        sleep(AGAIN).await;
    }
    unreachable!("it is tried until it is acknowledged")
}

//----------- Following --------------------------------------------------------------------------------------------

async fn follow(ledger: Ledger, home: PathBuf) -> Result<(u64, Digest), std::io::Error> {
    let (mut next, mut digest, mut changed) = (0, Digest([0; 32]), ledger.changed());
    loop {
        let end = std::fs::read_to_string(home.join("end")).ok().and_then(|text| text.trim().parse::<u64>().ok());
        if end.is_some_and(|end| next >= end) {
            return Ok((next, digest));
        }
        for fact in ledger.facts(Position(next)).await.unwrap_or_default() {
            assert_eq!(fact.position.0, next, "a follower sees every position in its place");
            let commitment = Digest::of_value(&fact);
            digest = Digest::of_bytes(&[digest.0, commitment.0].concat());
            next += 1;
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = sleep(AGAIN) => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "facts have a time")]
fn now() -> Timestamp {
    Timestamp::now()
}
