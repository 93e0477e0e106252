//! Named zones beside the ledger: records, serial and the step between them are one transaction.
//!
//! What was told last stays in memory, so that a change of one record costs one comparison and a few rows, whatever the
//! size of the zone. A zone that is no longer published keeps its rows: it goes on where it was if it ever comes back,
//! and its secondaries do not meet a serial for the second time.

use std::sync::Arc;

use model::Timestamp;
use model::time::to_nanos;
use tokio::task::spawn_blocking;

use super::{Ledger, damaged};
use crate::Error;
use crate::db::{Query, Row, Transaction, insert, query, query_of};
use crate::zones::history::Step;
use crate::zones::{Difference, NamedZone, Record, packed};

/// Rows of one statement; SQLite allows 32,766 values in one.
const ROWS_PER_STATEMENT: usize = 1_000;
/// How often a zone is compared again because another process told something in between.
const TRIES_MAX: usize = 8;
/// Rows that are read at once.
const ROWS_PER_PAGE: i64 = 50_000;

//----------- Ledger -----------------------------------------------------------------------------------------------

impl Ledger {
    /// The zone of that origin (wire form, lower case) as it was told last; `None` if it never was.
    pub async fn named_zone(&self, origin: &[u8]) -> Result<Option<Arc<NamedZone>>, Error> {
        let mut zones = self.inner.zones.lock().await;
        let newest = self.newest(zones.remove(origin), origin).await?;
        zones.extend(newest.iter().map(|zone| (origin.into(), Arc::clone(zone))));
        Ok(newest)
    }

    /// Makes these records, in any order, what the zone of that origin tells. Whether anything changed is seen by the
    /// serial. A change is synced when this returns.
    ///
    /// # Errors
    /// [`Error::Moved`] if other processes changed the zone each time that we had compared.
    pub async fn publish_zone(
        &self,
        origin: &[u8],
        mut records: Vec<Record>,
        now: Timestamp,
    ) -> Result<Arc<NamedZone>, Error> {
        let mut zones = self.inner.zones.lock().await;
        for tries_left in (0..TRIES_MAX).rev() {
            // Where nobody else publishes, the first try is the last.
            let again = (tries_left > 0 && self.db().is_shared()).then(|| records.clone());
            // Taken out until the new one is synced: after an error, or if nobody waits for us any more, the disk is asked.
            let before = self.newest(zones.remove(origin), origin).await?;
            let (step, before) = compare(origin.into(), before, records).await;
            let zone = match step {
                Some(step) => self.write(step, now).await,
                None => Ok(before.expect("what is told for the first time is a step")),
            };
            match (zone, again) {
                (Err(Error::Moved { .. }), Some(again)) => records = again,
                (zone, _) => {
                    let zone = zone?;
                    zones.insert(origin.into(), Arc::clone(&zone));
                    return Ok(zone);
                }
            }
        }
        Err(Error::Moved { what: "a named zone" })
    }

    /// What is known, unless somebody else has told more since, or nothing is known.
    async fn newest(&self, known: Option<Arc<NamedZone>>, origin: &[u8]) -> Result<Option<Arc<NamedZone>>, Error> {
        if let Some(known) = known
            && (!self.db().is_shared() || self.stored_serial(origin).await? == Some(i64::from(known.serial)))
        {
            return Ok(Some(known));
        }
        load(&mut self.db().begin_to_read().await?, origin).await
    }

    async fn stored_serial(&self, origin: &[u8]) -> Result<Option<i64>, Error> {
        let select = query("SELECT serial FROM named_zones WHERE origin = $1").bind(origin);
        let row = self.db().first(select, "reading a named zone's serial").await?;
        Ok(row.map(|row| row.number("serial")))
    }

    async fn write(&self, step: Step, now: Timestamp) -> Result<Arc<NamedZone>, Error> {
        let mut transaction = self.db().begin_beside().await?;
        let zone = write_zone(&mut transaction, &step, now).await?;
        match &step.difference {
            None => write_records(&mut transaction, zone, &step.zone.records).await?,
            Some(difference) => {
                delete(&mut transaction, zone, &difference.removed).await?;
                write_records(&mut transaction, zone, &difference.added).await?;
                write_difference(&mut transaction, zone, &step, difference, now).await?;
            }
        }
        transaction.commit().await?;
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

/// Moves the serial from where the step begins. The row is ours from then on until the commit; if another process was
/// faster, the step begins somewhere else.
async fn write_zone(transaction: &mut Transaction, step: &Step, now: Timestamp) -> Result<i64, Error> {
    let (origin, serial, now) = (&step.zone.origin[..], i64::from(step.zone.serial), to_nanos(now));
    let write = match &step.difference {
        None => query(
            "INSERT INTO named_zones (origin, serial, changed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
        ),
        Some(_) => {
            query("UPDATE named_zones SET serial = $2, changed = $3 WHERE origin = $1 AND serial = $4 RETURNING id")
        }
    };
    let write = write.bind(origin).bind(serial).bind(now);
    let write = match &step.difference {
        None => write,
        Some(difference) => write.bind(i64::from(difference.from)),
    };
    let row = transaction.first(write, "writing a named zone").await?;
    row.map(|row| row.number("id")).ok_or(Error::Moved { what: "a named zone" })
}

async fn write_records(transaction: &mut Transaction, zone: i64, records: &[Record]) -> Result<(), Error> {
    for some in records.chunks(ROWS_PER_STATEMENT) {
        let rows = some.iter().map(|record| [zone.into(), packed::pack(record).into()]);
        let insert = insert("INSERT INTO named_records (zone, record)", rows);
        transaction.execute(insert, "writing records").await?;
    }
    Ok(())
}

async fn delete(transaction: &mut Transaction, zone: i64, records: &[Record]) -> Result<(), Error> {
    for some in records.chunks(ROWS_PER_STATEMENT) {
        let places = Query::places(2, some.len());
        let delete = query_of(format!("DELETE FROM named_records WHERE zone = $1 AND record IN ({places})")).bind(zone);
        let delete = some.iter().fold(delete, |delete, record| delete.bind(packed::pack(record)));
        transaction.execute(delete, "removing records").await?;
    }
    Ok(())
}

/// Writes the difference, unless it is itself too large to keep, and forgets the oldest.
async fn write_difference(
    transaction: &mut Transaction,
    zone: i64,
    step: &Step,
    difference: &Difference,
    now: Timestamp,
) -> Result<(), Error> {
    if !step.zone.differences.is_empty() {
        let write = "INSERT INTO named_differences (zone, from_serial, to_serial, changed, removed, added)
                     VALUES ($1, $2, $3, $4, $5, $6)";
        let write = query(write)
            .bind(zone)
            .bind(i64::from(difference.from))
            .bind(i64::from(difference.to))
            .bind(to_nanos(now))
            .bind(packed::pack_all(&difference.removed))
            .bind(packed::pack_all(&difference.added));
        transaction.execute(write, "writing a zone's difference").await?;
    }
    let forget = "DELETE FROM named_differences WHERE id IN
                  (SELECT id FROM named_differences WHERE zone = $1 ORDER BY id LIMIT $2)";
    let forget = query(forget).bind(zone).bind(i64::try_from(step.dropped).unwrap_or(i64::MAX));
    transaction.execute(forget, "forgetting old differences").await.map(|_| ())
}

//----------- Reading ----------------------------------------------------------------------------------------------

/// As it stands at one moment.
async fn load(reading: &mut Transaction, origin: &[u8]) -> Result<Option<Arc<NamedZone>>, Error> {
    let found = query("SELECT id, serial FROM named_zones WHERE origin = $1").bind(origin);
    let Some(row) = reading.first(found, "reading a named zone").await? else { return Ok(None) };
    let (id, serial) = (row.number("id"), serial(&row, "serial")?);
    let records = load_records(reading, id).await?.into();
    let differences = load_differences(reading, id).await?;
    if !lead_to(&differences, serial) {
        return Err(damaged("the steps of a named zone do not lead to its serial"));
    }
    Ok(Some(Arc::new(NamedZone { origin: origin.into(), serial, records, differences })))
}

async fn load_records(reading: &mut Transaction, zone: i64) -> Result<Vec<Record>, Error> {
    let page = "SELECT record FROM named_records WHERE zone = $1 AND record > $2 ORDER BY record LIMIT $3";
    let (mut records, mut last) = (Vec::new(), Vec::new());
    loop {
        let page = query(page).bind(zone).bind(last).bind(ROWS_PER_PAGE);
        let rows = reading.all(page, "reading records").await?;
        let Some(end) = rows.last() else { break };
        last = end.octets("record").to_vec();
        for row in &rows {
            let record = packed::unpack(row.octets("record"));
            records.push(record.ok_or_else(|| damaged("a record of a named zone cannot be read"))?);
        }
    }
    // The index has the TTL before the data.
    records.sort_unstable();
    Ok(records)
}

async fn load_differences(reading: &mut Transaction, zone: i64) -> Result<Vec<Arc<Difference>>, Error> {
    let all = "SELECT from_serial, to_serial, removed, added FROM named_differences WHERE zone = $1 ORDER BY id";
    let rows = reading.all(query(all).bind(zone), "reading differences").await?;
    rows.iter().map(|row| read_difference(row).map(Arc::new)).collect()
}

fn read_difference(row: &Row) -> Result<Difference, Error> {
    let records = |column| {
        let records = packed::unpack_all(row.octets(column));
        records.ok_or_else(|| damaged("a step of a named zone cannot be read"))
    };
    let (from, to) = (serial(row, "from_serial")?, serial(row, "to_serial")?);
    Ok(Difference { from, to, removed: records("removed")?, added: records("added")? })
}

fn serial(row: &Row, column: &str) -> Result<u32, Error> {
    u32::try_from(row.number(column)).map_err(|_| damaged("a serial of a named zone has more than 32 bits"))
}

/// Whether each step starts where the one before it ended, and the last one ends at the serial.
fn lead_to(differences: &[Arc<Difference>], serial: u32) -> bool {
    let ends = differences.iter().map(|step| step.to);
    let starts = differences.iter().skip(1).map(|step| step.from).chain([serial]);
    ends.eq(starts.take(differences.len()))
}

#[cfg(test)]
mod tests;
