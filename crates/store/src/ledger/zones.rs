//! Named zones beside the ledger: records, serial and the step between them are one transaction.
//!
//! What was told last stays in memory, so that a change of one record costs one comparison and a few rows, whatever the
//! size of the zone. A zone that is no longer published keeps its rows: it goes on where it was if it ever comes back,
//! and its secondaries do not meet a serial for the second time.

use std::sync::Arc;

use model::Timestamp;
use model::time::to_nanos;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::task::spawn_blocking;

use super::{Ledger, damaged};
use crate::Error;
use crate::zones::history::Step;
use crate::zones::{Difference, NamedZone, Record, packed};

/// Rows of one statement; SQLite allows 32,766 values in one.
const ROWS_PER_STATEMENT: usize = 1_000;
/// Rows that are read at once.
const ROWS_PER_PAGE: i64 = 50_000;

//----------- Ledger -----------------------------------------------------------------------------------------------

impl Ledger {
    /// The zone of that origin (wire form, lower case) as it was told last; `None` if it never was.
    pub async fn named_zone(&self, origin: &[u8]) -> Result<Option<Arc<NamedZone>>, Error> {
        let mut zones = self.inner.zones.lock().await;
        if !zones.contains_key(origin)
            && let Some(zone) = load(self.pool(), origin).await?
        {
            zones.insert(origin.into(), zone);
        }
        Ok(zones.get(origin).cloned())
    }

    /// Makes these records, in any order, what the zone of that origin tells. Whether anything changed is seen by the
    /// serial. A change is synced when this returns.
    pub async fn publish_zone(
        &self,
        origin: &[u8],
        records: Vec<Record>,
        now: Timestamp,
    ) -> Result<Arc<NamedZone>, Error> {
        let mut zones = self.inner.zones.lock().await;
        // Taken out until the new one is synced: after an error, or if nobody waits for us any more, the disk is asked.
        let before = match zones.remove(origin) {
            Some(zone) => Some(zone),
            None => load(self.pool(), origin).await?,
        };
        let (step, before) = compare(origin.into(), before, records).await;
        let zone = match step {
            Some(step) => self.write(step, now).await?,
            None => before.expect("what is told for the first time is a step"),
        };
        zones.insert(origin.into(), Arc::clone(&zone));
        Ok(zone)
    }

    async fn write(&self, step: Step, now: Timestamp) -> Result<Arc<NamedZone>, Error> {
        let mut transaction = self.begin().await?;
        let zone = write_zone(&mut transaction, &step.zone, now).await?;
        match &step.difference {
            None => insert(&mut transaction, zone, &step.zone.records).await?,
            Some(difference) => {
                delete(&mut transaction, zone, &difference.removed).await?;
                insert(&mut transaction, zone, &difference.added).await?;
                write_difference(&mut transaction, zone, &step, difference, now).await?;
            }
        }
        self.commit_without_facts(transaction).await?;
        Ok(Arc::new(step.zone))
    }
}

/// Off the async threads: a large zone takes a while.
async fn compare(
    origin: Box<[u8]>,
    before: Option<Arc<NamedZone>>,
    records: Vec<Record>,
) -> (Option<Step>, Option<Arc<NamedZone>>) {
    let compare = move || match before {
        None => (Some(Step::first(&origin, records)), None),
        Some(before) => (Step::from(&before, records), Some(before)),
    };
    spawn_blocking(compare).await.expect("comparing records does not panic")
}

//----------- Writing ----------------------------------------------------------------------------------------------

async fn write_zone(connection: &mut SqliteConnection, zone: &NamedZone, now: Timestamp) -> Result<i64, Error> {
    let write = "INSERT INTO named_zones (origin, serial, changed) VALUES ($1, $2, $3)
                 ON CONFLICT (origin) DO UPDATE SET serial = excluded.serial, changed = excluded.changed
                 RETURNING id";
    sqlx::query_scalar::<_, i64>(write)
        .bind(zone.origin.to_vec())
        .bind(i64::from(zone.serial))
        .bind(to_nanos(now))
        .fetch_one(connection)
        .await
        .map_err(Error::database("writing a named zone"))
}

async fn insert(connection: &mut SqliteConnection, zone: i64, records: &[Record]) -> Result<(), Error> {
    for some in records.chunks(ROWS_PER_STATEMENT) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO named_records (zone, record) ");
        insert.push_values(some, |mut row, record| {
            row.push(zone).push_bind(packed::pack(record));
        });
        insert.build().execute(&mut *connection).await.map_err(Error::database("writing records"))?;
    }
    Ok(())
}

async fn delete(connection: &mut SqliteConnection, zone: i64, records: &[Record]) -> Result<(), Error> {
    for some in records.chunks(ROWS_PER_STATEMENT) {
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM named_records WHERE zone = ");
        delete.push(zone).push(" AND record IN (");
        let mut list = delete.separated(", ");
        for record in some {
            list.push_bind(packed::pack(record));
        }
        delete.push(")");
        delete.build().execute(&mut *connection).await.map_err(Error::database("removing records"))?;
    }
    Ok(())
}

/// Writes the difference, unless it is itself too large to keep, and forgets the oldest.
async fn write_difference(
    connection: &mut SqliteConnection,
    zone: i64,
    step: &Step,
    difference: &Difference,
    now: Timestamp,
) -> Result<(), Error> {
    if !step.zone.differences.is_empty() {
        let write = "INSERT INTO named_differences (zone, from_serial, to_serial, changed, removed, added)
                     VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(write)
            .bind(zone)
            .bind(i64::from(difference.from))
            .bind(i64::from(difference.to))
            .bind(to_nanos(now))
            .bind(packed::pack_all(&difference.removed))
            .bind(packed::pack_all(&difference.added))
            .execute(&mut *connection)
            .await
            .map_err(Error::database("writing a zone's difference"))?;
    }
    let forget = "DELETE FROM named_differences WHERE id IN
                  (SELECT id FROM named_differences WHERE zone = $1 ORDER BY id LIMIT $2)";
    let forget = sqlx::query(forget).bind(zone).bind(i64::try_from(step.dropped).unwrap_or(i64::MAX));
    forget.execute(connection).await.map_err(Error::database("forgetting old differences"))?;
    Ok(())
}

//----------- Reading ----------------------------------------------------------------------------------------------

async fn load(pool: &SqlitePool, origin: &[u8]) -> Result<Option<Arc<NamedZone>>, Error> {
    let found = sqlx::query("SELECT id, serial FROM named_zones WHERE origin = $1").bind(origin.to_vec());
    let found = found.fetch_optional(pool).await.map_err(Error::database("reading a named zone"))?;
    let Some(row) = found else { return Ok(None) };
    let id: i64 = row.get("id");
    let serial = serial(&row, "serial")?;
    let records = load_records(pool, id).await?.into();
    let differences = load_differences(pool, id).await?;
    if !lead_to(&differences, serial) {
        return Err(damaged("the steps of a named zone do not lead to its serial"));
    }
    Ok(Some(Arc::new(NamedZone { origin: origin.into(), serial, records, differences })))
}

async fn load_records(pool: &SqlitePool, zone: i64) -> Result<Vec<Record>, Error> {
    let page = "SELECT record FROM named_records WHERE zone = $1 AND record > $2 ORDER BY record LIMIT $3";
    let (mut records, mut last) = (Vec::new(), Vec::new());
    loop {
        let page = sqlx::query_scalar::<_, Vec<u8>>(page).bind(zone).bind(last).bind(ROWS_PER_PAGE);
        let rows = page.fetch_all(pool).await.map_err(Error::database("reading records"))?;
        let Some(end) = rows.last().cloned() else { break };
        last = end;
        for row in rows {
            records.push(packed::unpack(&row).ok_or_else(|| damaged("a record of a named zone cannot be read"))?);
        }
    }
    // The index has the TTL before the data.
    records.sort_unstable();
    Ok(records)
}

async fn load_differences(pool: &SqlitePool, zone: i64) -> Result<Vec<Arc<Difference>>, Error> {
    let all = "SELECT from_serial, to_serial, removed, added FROM named_differences WHERE zone = $1 ORDER BY id";
    let rows = sqlx::query(all).bind(zone).fetch_all(pool).await.map_err(Error::database("reading differences"))?;
    rows.iter().map(|row| read_difference(row).map(Arc::new)).collect()
}

fn read_difference(row: &SqliteRow) -> Result<Difference, Error> {
    let records = |column| {
        let records = packed::unpack_all(row.get::<&[u8], _>(column));
        records.ok_or_else(|| damaged("a step of a named zone cannot be read"))
    };
    let (from, to) = (serial(row, "from_serial")?, serial(row, "to_serial")?);
    Ok(Difference { from, to, removed: records("removed")?, added: records("added")? })
}

fn serial(row: &SqliteRow, column: &str) -> Result<u32, Error> {
    let serial: i64 = row.get(column);
    u32::try_from(serial).map_err(|_| damaged("a serial of a named zone has more than 32 bits"))
}

/// Whether each step starts where the one before it ended, and the last one ends at the serial.
fn lead_to(differences: &[Arc<Difference>], serial: u32) -> bool {
    let ends = differences.iter().map(|step| step.to);
    let starts = differences.iter().skip(1).map(|step| step.from).chain([serial]);
    ends.eq(starts.take(differences.len()))
}

#[cfg(test)]
mod tests;
