//! How fast the ledger takes facts in and verifies them: `cargo xtask bench ledger` runs it.
//!
//! `ledger FACTS` writes into a temporary folder: single appends one after the other, the same from 64 at once, and
//! batches; then it verifies all of it. Every append is synced and signed.

use std::path::Path;
use std::time::Instant;

use bailiwick_store::audit::Audit;
use bailiwick_store::log::SigningKey;
use bailiwick_store::{DataFolder, Ledger};
use model::Timestamp;
use model::fact::{Actor, Body, Draft};
use model::id::PersonId;

/// Single appends, and how many wait at once.
const SINGLE: usize = 256;
const AT_ONCE: usize = 64;
/// Facts of one batch.
const BATCH: usize = 1_000;

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn key() -> SigningKey {
    SigningKey::from_seed(None, [7; 32]).expect("a seed is a key")
}

fn draft(n: usize) -> Draft {
    let actor = Actor::Person { id: PersonId::parse("alice").expect("a slug") };
    let tried = format!("serve n{n}.example under the order 19-cv-00716");
    Draft::new(actor, Body::Refused { tried, why: "no order in force covers answering for this name".into() })
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Done {
    let facts = std::env::args().nth(1).map_or(Ok(200_000), |text| text.parse())?;
    let home = tempfile::tempdir()?;
    append(home.path(), facts).await?;
    let start = now();
    let report = Audit::open(home.path()).await?.verify(key().verifying(), &[]).await?;
    assert!(report.is_whole(), "{:?}", report.faults);
    say("verified", report.size as usize, start);
    Ok(())
}

async fn append(home: &Path, facts: usize) -> Done {
    let folder = DataFolder::open(home, "bench", Timestamp::UNIX_EPOCH)?;
    let ledger = Ledger::open(&folder).await?;
    ledger.sign_with(key(), true).await?;
    let at = Timestamp::UNIX_EPOCH;
    let start = now();
    for n in 0..SINGLE {
        ledger.append(None, vec![draft(n)], vec![], at).await?;
    }
    say("appended one by one", SINGLE, start);
    let start = now();
    let writer = |_| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            for n in 0..SINGLE {
                ledger.append(None, vec![draft(n)], vec![], at).await?;
            }
            Done::Ok(())
        })
    };
    for task in (0..AT_ONCE).map(writer).collect::<Vec<_>>() {
        task.await??;
    }
    say("appended one by one by 64 at once", SINGLE * AT_ONCE, start);
    let start = now();
    for _ in 0..facts / BATCH {
        ledger.append(None, (0..BATCH).map(draft).collect(), vec![], at).await?;
    }
    say("appended in batches of 1,000", facts / BATCH * BATCH, start);
    ledger.close().await;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
fn now() -> Instant {
    Instant::now()
}

fn say(what: &str, facts: usize, since: Instant) {
    let secs = since.elapsed().as_secs_f64();
    println!("{:>10.0} facts/s  {what} ({facts} facts, {secs:.2} s)", facts as f64 / secs);
}
