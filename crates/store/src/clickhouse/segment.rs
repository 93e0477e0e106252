//! A segment on its way: which shard, which blocks, which token, and then the INSERT.
//!
//! A file that is short enough is one block, and the file itself is the body. A longer one (history that was compacted
//! before ClickHouse was asked) goes in stretches of rows, each a block of its own with a token of its own; where they
//! begin follows from the file alone, so that a try after a crash cuts at the same rows. The server is told to make no
//! smaller blocks of what it gets: a block counts whole or not at all.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use hyper::body::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;
use ring::digest::{Context, SHA256};

use super::client::{Rows, Sent};
use super::row_binary;
use super::{ClickHouse, Profile};
use crate::Error;
use crate::archive::tables::Shape;
use crate::archive::{Archive, Segment, blocking};

/// The most rows of a block, and about how many octets of values it may have: what is held in memory while a long file
/// is cut, here and on the server.
const BLOCK_ROWS_MAX: u64 = 1 << 16;
const BLOCK_OCTETS: u64 = 32 << 20;
/// A block of rows with long values still has so many of them.
const BLOCK_ROWS_MIN: u64 = 1 << 10;
/// Larger than every block of ours: the server gathers the rows of a request until there are so many.
const SERVER_BLOCK_ROWS: &str = "1048576";
/// How long an INSERT waits for its quorum.
const QUORUM_MILLIS: &str = "120000";
/// Octets that are read and digested at once.
const READ_OCTETS: usize = 64 << 10;

/// What became of one call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Shipped {
    pub segments: u64,
    pub rows: u64,
}

impl ClickHouse {
    /// Sends the segment that waits longest, whole, and takes it out of the outbox; `None` if none waits. Blocks that
    /// were acknowledged stay acknowledged, whatever happens afterwards.
    pub async fn ship_next(&self, archive: &Archive) -> Result<Option<Shipped>, Error> {
        let Some(segment) = archive.next_segment().await? else { return Ok(None) };
        let (path, rows) = (segment.path.clone(), segment.rows);
        let parcel = blocking(move || Parcel::of(&path)).await?;
        if parcel.rows != rows {
            let what = format!("it has {} rows, and its row says {rows}", parcel.rows);
            return Err(Error::Damaged { path: segment.path, what });
        }
        for block in segment.blocks_done..parcel.blocks() {
            self.insert(&segment, &parcel, block).await?;
            archive.block_shipped(&segment, block + 1).await?;
        }
        archive.segment_shipped(&segment).await?;
        Ok(Some(Shipped { segments: 1, rows }))
    }

    async fn insert(&self, segment: &Segment, parcel: &Parcel, block: u64) -> Result<(), Error> {
        let target = self.target();
        let shard = parcel.shard(target.shards.len());
        let rows = self.body(segment, parcel, block).await?;
        let mut sent = Sent { rows, ..Sent::statement(self.statement(&segment.table)?) };
        sent.settings = settings(target.profile, target.quorum_of(shard));
        if target.profile != Profile::Old {
            sent.settings.push(("insert_deduplication_token", parcel.token(&segment.table, block)));
        }
        let replicas: Vec<_> = target.shards[shard].iter().collect();
        self.first_of(&replicas, &sent).await.map(|_| ())
    }

    /// Columns by name: a table that an administrator widened, or a file of an older release, keeps its order.
    fn statement(&self, table: &str) -> Result<String, Error> {
        let unknown = || Error::ClickHouse { server: "nobody".into(), what: format!("no table {table} is shipped") };
        let shape = Shape::named(table).ok_or_else(unknown)?;
        let (local, profile) = (self.target().local(table), self.target().profile);
        let columns: Vec<&str> = shape.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let format = if profile == Profile::Old { "RowBinary" } else { "Parquet" };
        Ok(format!("INSERT INTO {local} ({}) FORMAT {format}", columns.join(", ")))
    }

    async fn body(&self, segment: &Segment, parcel: &Parcel, block: u64) -> Result<Rows, Error> {
        let is_old = self.target().profile == Profile::Old;
        if parcel.blocks() == 1 && !is_old {
            return Ok(Rows::File(segment.path.clone()));
        }
        let (path, table, from, rows) = (segment.path.clone(), segment.table.clone(), block, parcel.block_rows);
        blocking(move || {
            let reader = stretch(&path, from * rows, rows)?;
            let octets = if is_old { row_binary::of(&table, &path, reader)? } else { parquet(&path, reader)? };
            Ok(Rows::Held(Bytes::from(octets)))
        })
        .await
    }
}

/// One block of what is sent: no smaller ones made of it, known again, and on the disk before it is acknowledged.
fn settings(profile: Profile, quorum: Option<u32>) -> Vec<(&'static str, String)> {
    let mut all = vec![("max_insert_block_size", SERVER_BLOCK_ROWS.to_owned())];
    all.extend(quorum.map(|replicas| ("insert_quorum", replicas.to_string())));
    all.extend(quorum.map(|_| ("insert_quorum_timeout", QUORUM_MILLIS.to_owned())));
    if profile == Profile::Old {
        return all;
    }
    let more = [
        ("async_insert", "0"),
        ("insert_deduplicate", "1"),
        ("deduplicate_blocks_in_dependent_materialized_views", "1"),
        ("max_insert_threads", "1"),
        ("min_insert_block_size_rows", SERVER_BLOCK_ROWS),
        // 0 is no limit: rows alone decide.
        ("min_insert_block_size_bytes", "0"),
        ("input_format_null_as_default", "1"),
        ("input_format_parquet_allow_missing_columns", "1"),
        ("wait_end_of_query", "1"),
    ];
    all.extend(more.map(|(name, value)| (name, value.to_owned())));
    all
}

//----------- Parcel -----------------------------------------------------------------------------------------------

/// What is known of a segment's file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Parcel {
    /// The digest of the file: the segment's id.
    id: [u8; 32],
    rows: u64,
    block_rows: u64,
}

impl Parcel {
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let id = digest(path)?;
        let (rows, block_rows) = plan(open(path)?.metadata());
        Ok(Self { id, rows, block_rows })
    }

    fn blocks(&self) -> u64 {
        self.rows.div_ceil(self.block_rows)
    }

    /// Every try of every process finds the same shard.
    fn shard(&self, shards: usize) -> usize {
        let first = u64::from_be_bytes(self.id[..8].try_into().expect("8 of 32 octets"));
        usize::try_from(first % shards as u64).expect("it is less than a count of shards")
    }

    /// What ClickHouse knows the block by: `contacts:6a09…:0`.
    fn token(&self, table: &str, block: u64) -> String {
        let id: String = self.id.iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{table}:{id}:{block}")
    }
}

/// How many rows there are, and how many a block has.
fn plan(file: &ParquetMetaData) -> (u64, u64) {
    let rows = file.file_metadata().num_rows().max(0).cast_unsigned();
    let octets: u64 = file.row_groups().iter().map(|group| group.total_byte_size().max(0).cast_unsigned()).sum();
    let fitting = BLOCK_OCTETS.saturating_mul(rows) / octets.max(1);
    (rows, fitting.clamp(BLOCK_ROWS_MIN, BLOCK_ROWS_MAX))
}

fn digest(path: &Path) -> Result<[u8; 32], Error> {
    let mut file = File::open(path).map_err(Error::io("opening", path))?;
    let (mut context, mut piece) = (Context::new(&SHA256), vec![0; READ_OCTETS]);
    loop {
        match file.read(&mut piece).map_err(Error::io("reading", path))? {
            0 => break,
            octets => context.update(&piece[..octets]),
        }
    }
    Ok(context.finish().as_ref().try_into().expect("SHA-256 has 32 octets"))
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, Error> {
    let file = File::open(path).map_err(Error::io("opening", path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(Error::archive(format!("reading {}", path.display())))
}

/// These rows of a file, some thousand at a time.
fn stretch(path: &Path, from: u64, rows: u64) -> Result<ParquetRecordBatchReader, Error> {
    let [from, rows] = [from, rows].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    let reader = open(path)?.with_offset(from).with_limit(rows).build();
    reader.map_err(Error::archive(format!("reading {}", path.display())))
}

/// Rows as a Parquet file in memory.
fn parquet(path: &Path, reader: ParquetRecordBatchReader) -> Result<Vec<u8>, Error> {
    let failed = || format!("cutting {}", path.display());
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).map_err(Error::archive(failed()))?;
    for batch in reader {
        let batch = batch.map_err(Error::archive(failed()))?;
        writer.write(&batch).map_err(Error::archive(failed()))?;
    }
    writer.into_inner().map_err(Error::archive(failed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_and_a_shard_follow_from_the_file_alone() {
        let parcel = Parcel { id: [0xff; 32], rows: 200_000, block_rows: 65_536 };
        assert_eq!((parcel.blocks(), parcel.shard(1), parcel.shard(4)), (4, 0, 3));
        assert_eq!(parcel.token("raw", 2), format!("raw:{}:2", "ff".repeat(32)));
    }

    #[test]
    fn a_current_server_makes_one_block_and_waits_for_it() {
        let has = |profile, quorum, name| settings(profile, quorum).into_iter().find(|(known, _)| *known == name);
        assert_eq!(has(Profile::Single, None, "async_insert"), Some(("async_insert", "0".into())));
        assert_eq!(has(Profile::Single, None, "insert_quorum"), None);
        assert_eq!(has(Profile::Old, Some(2), "insert_quorum"), Some(("insert_quorum", "2".into())));
        assert_eq!(has(Profile::Old, Some(2), "async_insert"), None, "18.16 refuses a setting that it does not know");
    }
}
