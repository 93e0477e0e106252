//! The rows of what sensors sent, in the ledger's database. Every statement about them stands here.

use std::collections::BTreeMap;

use model::id::{Boot, Lane, SensorId};
use model::segment::{Receipt, SegmentKey};
use model::time::{from_nanos, to_nanos};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::read::LanePlace;
use super::reception::{Known, Offer};
use crate::Error;
use crate::db::{Db, Query, Row, Transaction, query};

//----------- One segment ------------------------------------------------------------------------------------------

pub(super) async fn known(db: &Db, key: SegmentKey) -> Result<Known, Error> {
    let segment = receipt(db, key).await?.map(|receipt| receipt.digest);
    let select = "SELECT next FROM received_lanes WHERE sensor = $1 AND boot = $2 AND lane = $3";
    let next = db.first(bind_lane(query(select), key), "asking for a lane").await?.map(|row| row.number("next"));
    let select = "SELECT count(*) AS lanes, max(CASE WHEN boot = $2 AND start <> 0 THEN start END) AS start
                  FROM received_lanes WHERE sensor = $1";
    let select = query(select).bind(i64::from(key.sensor.0)).bind(i64::from(key.boot.0));
    let of_sensor = db.first(select, "asking for the lanes of a sensor").await?;
    Ok(Known {
        segment,
        next: next.map_or(0, number),
        start: of_sensor.as_ref().and_then(|row| row.number_if_any("start")).unwrap_or_default().cast_unsigned(),
        lanes: of_sensor.as_ref().map_or(0, |row| count(row, "lanes")),
        is_new_lane: next.is_none(),
    })
}

/// What was said of a segment that is here.
pub(super) async fn receipt(db: &Db, key: SegmentKey) -> Result<Option<Receipt>, Error> {
    let select = "SELECT digest, octets, received FROM received_segments
                  WHERE sensor = $1 AND boot = $2 AND lane = $3 AND segment = $4";
    let row = db.first(bind_lane(query(select), key).bind(i64::from(key.number)), "asking for a segment").await?;
    let receipt = |row: Row| {
        Ok(Receipt {
            segment: key,
            digest: digest(&row)?,
            octets: count(&row, "octets"),
            received: from_nanos(row.number("received")),
        })
    };
    row.map(receipt).transpose()
}

fn digest(row: &Row) -> Result<Digest, Error> {
    let octets = row.octets("digest");
    let damaged = |_| Error::Damaged { path: crate::ledger::FILE.into(), what: "a segment's digest is none".into() };
    octets.try_into().map(Digest).map_err(damaged)
}

fn bind_lane(query: Query, key: SegmentKey) -> Query {
    query.bind(i64::from(key.sensor.0)).bind(i64::from(key.boot.0)).bind(i64::from(key.lane.0))
}

fn count(row: &Row, column: &str) -> u64 {
    row.number(column).cast_unsigned()
}

/// Segments, boots and lanes are unsigned and small: what is stored came from one.
fn number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

/// The row of a segment, and its lane one further.
pub(super) async fn record(
    transaction: &mut Transaction,
    offer: &Offer,
    start: u64,
    now: Timestamp,
) -> Result<(), Error> {
    let key = offer.key;
    let ahead = offer.clock.map(|clock| to_nanos(clock).saturating_sub(to_nanos(now)));
    let insert = "INSERT INTO received_segments
                  (sensor, boot, lane, segment, digest, octets, end_seq, received, clock_offset)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let insert = bind_lane(query(insert), key)
        .bind(i64::from(key.number))
        .bind(&offer.digest.0[..])
        .bind(offer.octets.cast_signed())
        .bind(offer.end.map(u64::cast_signed))
        .bind(to_nanos(now))
        .bind(ahead);
    transaction.execute(insert, "recording a segment").await?;
    let upsert = "INSERT INTO received_lanes (sensor, boot, lane, start, next, read_segment, read_offset, read_seq)
                  VALUES ($1, $2, $3, $4, $5, 0, 0, 0)
                  ON CONFLICT (sensor, boot, lane) DO UPDATE SET next = excluded.next,
                  start = CASE WHEN received_lanes.start = 0 THEN excluded.start ELSE received_lanes.start END";
    let upsert = bind_lane(query(upsert), key).bind(start.cast_signed()).bind(i64::from(key.number) + 1);
    transaction.execute(upsert, "moving a lane").await.map(|_| ())
}

/// The most contradictions of one sensor that are kept apart.
const CONTRADICTIONS_MAX: i64 = 1_000;

/// Counts what contradicts; whether it is the first of its kind, and there is room to say so.
pub(super) async fn contradict(transaction: &mut Transaction, key: SegmentKey, sent: &Digest) -> Result<bool, Error> {
    let counting = "counting what contradicts";
    let update = "UPDATE sensor_contradictions SET times = times + 1 WHERE sensor = $1 AND segment = $2 AND sent = $3";
    let (sensor, segment) = (i64::from(key.sensor.0), key.to_string());
    let update = query(update).bind(sensor).bind(&segment[..]).bind(&sent.0[..]);
    if transaction.execute(update, counting).await? > 0 {
        return Ok(false);
    }
    let insert = "INSERT INTO sensor_contradictions (sensor, segment, sent, times) SELECT $1, $2, $3, 1
                  WHERE (SELECT count(*) FROM sensor_contradictions WHERE sensor = $1) < $4";
    let insert = query(insert).bind(sensor).bind(&segment[..]).bind(&sent.0[..]).bind(CONTRADICTIONS_MAX);
    Ok(transaction.execute(insert, counting).await? > 0)
}

//----------- Reading ----------------------------------------------------------------------------------------------

/// A lane that has something unread.
pub(super) struct UnreadLane {
    pub(super) place: LanePlace,
    /// Number, octets, end and when it came.
    pub(super) segments: Vec<(u32, u64, Option<u64>, Timestamp)>,
}

/// The first lanes that have something unread, with the first segments of each. `turn` says where to begin, so that no
/// lane waits behind others for ever.
pub(super) async fn unread(
    db: &Db,
    after: (SensorId, Boot, Lane),
    lanes_max: usize,
    segments_max: usize,
) -> Result<Vec<UnreadLane>, Error> {
    let select = "SELECT sensor, boot, lane, read_segment, read_offset, read_seq FROM received_lanes
                  WHERE read_segment < next AND (sensor, boot, lane) > ($1, $2, $3)
                  ORDER BY sensor, boot, lane LIMIT $4";
    let (sensor, boot, of_lane) = after;
    let select = query(select).bind(i64::from(sensor.0)).bind(i64::from(boot.0)).bind(i64::from(of_lane.0));
    let rows = db.all(select.bind(lanes_max as i64), "asking for what is unread").await?;
    let mut lanes = Vec::with_capacity(rows.len());
    for row in &rows {
        lanes.push(lane(db, place(row), segments_max).await?);
    }
    Ok(lanes)
}

/// Every lane from its beginning, with the number of the segment that must come.
pub(super) async fn lanes(db: &Db) -> Result<Vec<(LanePlace, u32)>, Error> {
    let select = "SELECT sensor, boot, lane, next, CAST(0 AS bigint) AS read_segment, CAST(0 AS bigint) AS read_offset,
                  CAST(0 AS bigint) AS read_seq FROM received_lanes ORDER BY sensor, boot, lane";
    let rows = db.all(query(select), "asking for the lanes of all sensors").await?;
    Ok(rows.iter().map(|row| (place(row), number(row.number("next")))).collect())
}

/// Which segment of each lane is read next.
pub(super) async fn read_up_to(db: &Db) -> Result<BTreeMap<(SensorId, Boot, Lane), u32>, Error> {
    let select = "SELECT sensor, boot, lane, read_segment, read_offset, read_seq FROM received_lanes";
    let rows = db.all(query(select), "asking how far lanes were read").await?;
    Ok(rows.iter().map(place).map(|at| ((at.sensor, at.boot, at.lane), at.segment)).collect())
}

/// A lane from some place on.
pub(super) async fn lane(db: &Db, place: LanePlace, segments_max: usize) -> Result<UnreadLane, Error> {
    Ok(UnreadLane { segments: segments(db, &place, segments_max).await?, place })
}

fn place(row: &Row) -> LanePlace {
    let (segment, offset) = (number(row.number("read_segment")), count(row, "read_offset"));
    LanePlace {
        sensor: SensorId(number(row.number("sensor"))),
        boot: Boot(number(row.number("boot"))),
        lane: Lane(u16::try_from(row.number("lane")).unwrap_or(u16::MAX)),
        segment,
        offset,
        seq: count(row, "read_seq"),
        was: (segment, offset),
    }
}

async fn segments(db: &Db, place: &LanePlace, most: usize) -> Result<Vec<(u32, u64, Option<u64>, Timestamp)>, Error> {
    let select = "SELECT segment, octets, end_seq, received FROM received_segments
                  WHERE sensor = $1 AND boot = $2 AND lane = $3 AND segment >= $4 ORDER BY segment LIMIT $5";
    let select = bind_lane(query(select), place.key()).bind(i64::from(place.segment)).bind(most as i64);
    let rows = db.all(select, "asking for segments").await?;
    let segment = |row: &Row| {
        let end = row.number_if_any("end_seq").map(i64::cast_unsigned);
        (number(row.number("segment")), count(row, "octets"), end, from_nanos(row.number("received")))
    };
    Ok(rows.iter().map(segment).collect())
}

/// Moves a lane from where it stood. A commit whose answer was lost may have moved it: what is committed again then would
/// be there twice.
pub(crate) async fn save_place(transaction: &mut Transaction, place: &LanePlace) -> Result<(), Error> {
    let update = "UPDATE received_lanes SET read_segment = $4, read_offset = $5, read_seq = $6
                  WHERE sensor = $1 AND boot = $2 AND lane = $3 AND read_segment = $7 AND read_offset = $8";
    let update = bind_lane(query(update), place.key())
        .bind(i64::from(place.segment))
        .bind(place.offset.cast_signed())
        .bind(place.seq.cast_signed())
        .bind(i64::from(place.was.0))
        .bind(place.was.1.cast_signed());
    match transaction.execute(update, "moving the place of a lane").await? {
        0 => Err(Error::Moved { what: "the place of a sensor's lane" }),
        _ => Ok(()),
    }
}

//----------- What sensors stand at --------------------------------------------------------------------------------

/// What a sensor has sent, in all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LaneStatus {
    pub segments: u64,
    pub octets: u64,
    /// Lanes of which the archive has not read everything.
    pub unread_lanes: u64,
    /// When the last segment came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_received: Option<Timestamp>,
    /// By how much its clock was ahead of ours, as the last segment came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_nanos: Option<i64>,
    /// How often it sent what contradicts what is kept.
    pub contradictions: u64,
}

pub(super) async fn status(db: &Db, sensor: SensorId) -> Result<LaneStatus, Error> {
    let select = "SELECT
        (SELECT count(*) FROM received_segments WHERE sensor = $1) AS segments,
        (SELECT CAST(coalesce(sum(octets), 0) AS bigint) FROM received_segments WHERE sensor = $1) AS octets,
        (SELECT count(*) FROM received_lanes WHERE sensor = $1 AND read_segment < next) AS unread,
        (SELECT CAST(coalesce(sum(times), 0) AS bigint) FROM sensor_contradictions WHERE sensor = $1) AS contradictions,
        (SELECT max(received) FROM received_segments WHERE sensor = $1) AS last,
        (SELECT clock_offset FROM received_segments WHERE sensor = $1 ORDER BY received DESC LIMIT 1) AS ahead";
    let row = db.first(query(select).bind(i64::from(sensor.0)), "asking how a sensor stands").await?;
    let status = |row: Row| LaneStatus {
        segments: count(&row, "segments"),
        octets: count(&row, "octets"),
        unread_lanes: count(&row, "unread"),
        last_received: row.number_if_any("last").map(from_nanos),
        clock_ahead_nanos: row.number_if_any("ahead"),
        contradictions: count(&row, "contradictions"),
    };
    Ok(row.map(status).unwrap_or_default())
}

/// What a sensor was told of the zones, and what it has confirmed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LeaseStatus {
    /// When it asked last.
    pub seen: Timestamp,
    /// The version that it serves, by its own word.
    pub confirmed: u64,
    pub told: u64,
    /// When it stops at the latest if it hears nothing more.
    pub until: Timestamp,
}

pub(super) async fn lease(db: &Db, sensor: SensorId) -> Result<Option<LeaseStatus>, Error> {
    let select = "SELECT seen, confirmed, told, until FROM sensor_leases WHERE sensor = $1";
    let row = db.first(query(select).bind(i64::from(sensor.0)), "asking for a lease").await?;
    let lease = |row: Row| LeaseStatus {
        seen: from_nanos(row.number("seen")),
        confirmed: count(&row, "confirmed"),
        told: count(&row, "told"),
        until: from_nanos(row.number("until")),
    };
    Ok(row.map(lease))
}

/// Before a lease leaves. `until` never goes back: an earlier lease may be the one that arrives.
pub(super) async fn save_lease(
    transaction: &mut Transaction,
    sensor: SensorId,
    lease: &LeaseStatus,
) -> Result<(), Error> {
    let upsert = "INSERT INTO sensor_leases (sensor, seen, confirmed, told, until) VALUES ($1, $2, $3, $4, $5)
                  ON CONFLICT (sensor) DO UPDATE SET seen = excluded.seen, confirmed = excluded.confirmed,
                  told = excluded.told,
                  until = CASE WHEN excluded.until > sensor_leases.until THEN excluded.until ELSE sensor_leases.until END";
    let upsert = query(upsert)
        .bind(i64::from(sensor.0))
        .bind(to_nanos(lease.seen))
        .bind(lease.confirmed.cast_signed())
        .bind(lease.told.cast_signed())
        .bind(to_nanos(lease.until));
    transaction.execute(upsert, "keeping a lease").await.map(|_| ())
}
