//! `cargo xtask gen`: an archive of as many sightings as wanted, the same for the same seed.
//!
//! Whoever measures or compares engines needs millions of rows that look like ours and that can be made again. They
//! are written through the archive's own door, batch by batch, so that what is measured is what the program writes.
//! This is the one page of the tooling that calls a room: it makes material, and judges nothing.
//!
//! What a row holds is a function of (seed, number) alone ([`rows`]), so a judge may fold over the same rows without
//! reading them back.

pub mod rows;

use std::path::{Path, PathBuf};

use store::archive::{Archive, ArchiveBatch};
use store::folder::DataFolder;
use store::ledger::Ledger;

use crate::clock::Watch;
use crate::{Done, Trouble};
use rows::Rows;

/// The name under which the archive keeps what we wrote.
const FOLLOWER: &str = "gen";
/// Rows of one commit: about what a busy follower has in hand, and 60 MB of memory.
const BATCH: u64 = 1 << 16;

#[derive(clap::Args, Clone, Debug)]
pub struct Orders {
    /// How many contacts, each with what followed and a verdict where it has one.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub sightings: u64,
    /// Over how many days from 2026-01-01 on.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// Another number makes other rows.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The data folder, new or without contacts; one that holds some is refused.
    pub folder: PathBuf,
}

/// Makes the data folder and says how fast.
pub fn run(orders: &Orders) -> Done {
    let watch = Watch::start();
    make(&orders.folder, Rows::new(orders.sightings, orders.days, orders.seed))?;
    let rate = orders.sightings as f64 / watch.secs().max(f64::MIN_POSITIVE);
    println!("{} sightings in {:.1} s, {rate:.0} a second", orders.sightings, watch.secs());
    Ok(())
}

/// Writes all rows into the archive of a data folder that nobody holds.
pub fn make(folder: &Path, rows: Rows) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(fill(folder, rows))
}

pub(crate) async fn fill(folder: &Path, rows: Rows) -> Done {
    let folder = DataFolder::open(folder, FOLLOWER, rows::START)?;
    let ledger = Ledger::open(&folder).await?;
    let archive = Archive::open(&folder, &ledger).await?;
    if archive.tallies().await?.values().any(|table| table.rows > 0) {
        return Err(format!("{} holds an archive already; name a new folder", folder.path().display()).into());
    }
    let mut next = batch(rows.clone(), 0).await?;
    // One batch is made while the one before it is written.
    for number in 0..rows.len().div_ceil(BATCH) {
        let made = std::mem::take(&mut next);
        let (written, following) =
            tokio::join!(archive.commit(FOLLOWER, made, rows.judged(number)), batch(rows.clone(), number + 1));
        written?;
        next = following?;
    }
    // What was judged anew in the last batch stands alone.
    archive.commit(FOLLOWER, next, rows.judged(rows.len().div_ceil(BATCH))).await?;
    ledger.close().await;
    Ok(())
}

/// The rows of one batch, and the second verdicts on the batch before it: one generation follows the other.
async fn batch(rows: Rows, number: u64) -> Result<ArchiveBatch, Trouble> {
    let len = rows.len();
    let range = move |number: u64| (number * BATCH).min(len)..((number + 1) * BATCH).min(len);
    let made = tokio::task::spawn_blocking(move || {
        let mut batch = ArchiveBatch::default();
        for number in range(number) {
            let row = rows.row(number);
            batch.contacts.push(row.contact);
            batch.outcomes.extend(row.outcomes);
            batch.verdicts.extend(row.verdict);
        }
        if let Some(before) = number.checked_sub(1) {
            batch.verdicts.extend(range(before).filter_map(|number| rows.judged_anew(number)));
        }
        batch
    });
    Ok(made.await?)
}
