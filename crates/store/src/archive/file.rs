//! One Parquet file per table, day and batch: written beside, synced, renamed, its folder synced. And what lies in
//! the archive without a manifest row.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::Array;
use arrow_array::cast::AsArray as _;
use model::time::utc_day;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::tables::{Row, TABLES};
use crate::Error;
use crate::folder::{make_folder, sync_folder};

/// A file of the archive, as the manifest has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Written {
    /// Below `DATA/archive`.
    pub(super) path: PathBuf,
    pub(super) table: String,
    /// `2019-03-27`
    pub(super) day: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Writes the rows, a file for each UTC day. Nothing counts before the manifest says so.
pub(super) fn write_by_day<R: Row>(root: &Path, name: &str, rows: Vec<R>) -> Result<Vec<Written>, Error> {
    let mut days = BTreeMap::<_, Vec<R>>::new();
    for row in rows {
        days.entry(utc_day(row.filed_at())).or_default().push(row);
    }
    days.into_iter().map(|(day, rows)| write(root, name, &day.to_string(), &rows)).collect()
}

fn write<R: Row>(root: &Path, name: &str, day: &str, rows: &[R]) -> Result<Written, Error> {
    let table = root.join(R::TABLE);
    let folder = table.join(format!("day={day}"));
    make_folder(&folder)?;
    let path = folder.join(name);
    let beside = path.with_extension("new");
    write_parquet(&beside, rows)?;
    fs::rename(&beside, &path).map_err(Error::io("renaming to", &path))?;
    sync_folder(&folder)?;
    sync_folder(&table)?;
    let bytes = fs::metadata(&path).map_err(Error::io("measuring", &path))?.len();
    let path = path.strip_prefix(root).expect("the file lies below the root").to_owned();
    Ok(Written { path, table: R::TABLE.into(), day: day.into(), rows: rows.len() as u64, bytes })
}

fn write_parquet<R: Row>(path: &Path, rows: &[R]) -> Result<(), Error> {
    let file = File::create(path).map_err(Error::io("creating", path))?;
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let writer = ArrowWriter::try_new(file, R::schema(), Some(properties));
    let failed = || format!("writing {}", path.display());
    let mut writer = writer.map_err(Error::archive(failed()))?;
    writer.write(&R::to_batch(rows)).map_err(Error::archive(failed()))?;
    let file = writer.into_inner().map_err(Error::archive(failed()))?;
    file.sync_all().map_err(Error::io("syncing", path))
}

/// Hands over the rows of a file, batch by batch.
pub(super) fn read<R: Row>(root: &Path, file: &Written, each: &mut dyn FnMut(R)) -> Result<(), Error> {
    let path = root.join(&file.path);
    let failed = || format!("reading {}", path.display());
    let opened = File::open(&path).map_err(Error::io("opening", &path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(Error::archive(failed()))?;
    for batch in reader.build().map_err(Error::archive(failed()))? {
        let batch = batch.map_err(Error::archive(failed()))?;
        let what = || format!("a column is not what the table {} has there", R::TABLE);
        let rows = R::from_batch(&batch).ok_or_else(|| Error::Damaged { path: path.clone(), what: what() })?;
        rows.into_iter().for_each(&mut *each);
    }
    Ok(())
}

/// Hands over every cell of a Parquet file that holds text or bytes, list items one by one: for whoever looks for
/// what must not be there.
pub fn each_cell(file: &Path, each: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let failed = || format!("reading {}", file.display());
    let opened = File::open(file).map_err(Error::io("opening", file))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(Error::archive(failed()))?;
    for batch in reader.build().map_err(Error::archive(failed()))? {
        let batch = batch.map_err(Error::archive(failed()))?;
        batch.columns().iter().for_each(|column| cells_of(column, each));
    }
    Ok(())
}

fn cells_of(column: &dyn Array, each: &mut dyn FnMut(&[u8])) {
    if let Some(texts) = column.as_string_opt::<i32>() {
        texts.iter().flatten().for_each(|text| each(text.as_bytes()));
    } else if let Some(blobs) = column.as_binary_opt::<i32>() {
        blobs.iter().flatten().for_each(each);
    } else if let Some(lists) = column.as_list_opt::<i32>() {
        cells_of(lists.values(), each);
    }
}

//----------- Orphans ----------------------------------------------------------------------------------------------

/// Moves files without a manifest row to quarantine: a crash came between their renaming and their transaction. The
/// follower's cursor has not moved either, so what they hold is read again from the journal.
pub(super) fn set_orphans_aside(root: &Path, quarantine: &Path, known: &[Written]) -> Result<Vec<PathBuf>, Error> {
    let mut orphans = Vec::new();
    for table in TABLES {
        for day in list(&root.join(table))? {
            for path in list(&day)? {
                let below = path.strip_prefix(root).expect("the file lies below the root");
                if !known.iter().any(|file| file.path == below) {
                    orphans.push(set_aside(&path, below, quarantine)?);
                }
            }
        }
    }
    if !orphans.is_empty() {
        sync_folder(quarantine)?;
    }
    Ok(orphans)
}

fn set_aside(path: &Path, below: &Path, quarantine: &Path) -> Result<PathBuf, Error> {
    let flat = below.to_string_lossy().replace('/', "-");
    let aside = quarantine.join(format!("archive-{flat}"));
    fs::rename(path, &aside).map_err(Error::io("renaming to", &aside))?;
    Ok(aside)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("listing", folder))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(Error::io("listing", folder))?;
    paths.sort();
    Ok(paths)
}
