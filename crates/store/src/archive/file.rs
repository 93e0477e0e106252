//! One Parquet file per table, day and batch: written beside, synced, renamed, its folder synced. And what lies in
//! the archive without a manifest row.
//!
//! Rows of a file are sorted as their table says, and the file says so itself. How its columns are encoded stands in
//! [`encoding`](super::encoding).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, RecordBatch};
use model::time::utc_day;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::encoding::properties;
use super::tables::{Row, Shape, TABLES};
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
    /// How often its rows were merged; see `migrations/sqlite/0004_compaction.sql`.
    pub(super) level: u8,
    /// When its row was committed, in nanoseconds; 0 before.
    pub(super) committed: i64,
}

/// Writes the rows, a file for each UTC day. Nothing counts before the manifest says so.
pub(super) fn write_by_day<R: Row>(root: &Path, name: &str, rows: &[R]) -> Result<Vec<Written>, Error> {
    let mut days = BTreeMap::<_, Vec<&R>>::new();
    for row in rows {
        days.entry(utc_day(row.filed_at())).or_default().push(row);
    }
    let shape = Shape::of::<R>();
    let write = |(day, mut rows): (model::time::Date, Vec<&R>)| {
        rows.sort_by(|one, other| one.in_order(other));
        let place = Place { root, day: &day.to_string(), name, level: 0 };
        let mut file = Growing::create(&place, &shape)?;
        file.write(&R::to_batch(&rows))?;
        file.close()
    };
    let written = days.into_iter().map(write).collect::<Result<Vec<_>, _>>()?;
    show(root, &written)?;
    Ok(written)
}

//----------- Growing ----------------------------------------------------------------------------------------------

/// Where a file is to lie.
pub(super) struct Place<'a> {
    pub(super) root: &'a Path,
    pub(super) day: &'a str,
    pub(super) name: &'a str,
    pub(super) level: u8,
}

/// A file that is being written, beside its place until it is shown.
pub(super) struct Growing {
    writer: ArrowWriter<File>,
    path: PathBuf,
    written: Written,
}

impl Growing {
    pub(super) fn create(place: &Place<'_>, shape: &Shape) -> Result<Self, Error> {
        let Place { root, day, name, level } = *place;
        let folder = root.join(shape.table).join(format!("day={day}"));
        make_folder(&folder)?;
        let path = folder.join(name);
        let beside = beside(&path);
        let file = File::create(&beside).map_err(Error::io("creating", &beside))?;
        let writer = ArrowWriter::try_new(file, shape.schema.clone(), Some(properties(shape, level)));
        let writer = writer.map_err(Error::archive(format!("writing {}", beside.display())))?;
        let below = path.strip_prefix(root).expect("the file lies below the root").to_owned();
        let (table, day) = (shape.table.into(), day.into());
        let written = Written { path: below, table, day, rows: 0, bytes: 0, level, committed: 0 };
        Ok(Self { writer, path: beside, written })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.written.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(Error::archive(format!("writing {}", self.path.display())))
    }

    /// About how long it would be, were it closed now.
    pub(super) fn octets(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Whole and synced, and still beside its place.
    pub(super) fn close(self) -> Result<Written, Error> {
        let Self { writer, path, mut written } = self;
        let file = writer.into_inner().map_err(Error::archive(format!("writing {}", path.display())))?;
        file.sync_all().map_err(Error::io("syncing", &path))?;
        written.bytes = file.metadata().map_err(Error::io("measuring", &path))?.len();
        Ok(written)
    }

    /// Leaves nothing behind.
    pub(super) fn abandon(self) -> Result<(), Error> {
        drop(self.writer);
        fs::remove_file(&self.path).map_err(Error::io("removing", &self.path))
    }
}

/// Where a file lies until it is shown: under a name that nobody takes for one of the archive's.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Gives closed files their names, and syncs the folders: only then may a row name them.
pub(super) fn show(root: &Path, files: &[Written]) -> Result<(), Error> {
    let mut folders = BTreeSet::new();
    for file in files {
        let path = root.join(&file.path);
        fs::rename(beside(&path), &path).map_err(Error::io("renaming to", &path))?;
        folders.insert(root.join(&file.table));
        folders.extend(path.parent().map(Path::to_owned));
    }
    folders.iter().try_for_each(|folder| sync_folder(folder))
}

//----------- Reading ----------------------------------------------------------------------------------------------

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

/// Removes files; one that is gone already is as it should be.
pub(super) fn remove(root: &Path, files: &[PathBuf]) -> Result<(), Error> {
    let mut folders = BTreeSet::new();
    for file in files {
        let path = root.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("removing", &path)(error));
            }
            _ => {}
        }
        folders.extend(path.parent().filter(|folder| folder.exists()).map(Path::to_owned));
    }
    folders.iter().try_for_each(|folder| sync_folder(folder))
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
    let known: HashSet<&Path> = known.iter().map(|file| file.path.as_path()).collect();
    let mut orphans = Vec::new();
    for table in TABLES {
        for day in list(&root.join(table))? {
            for path in list(&day)? {
                let below = path.strip_prefix(root).expect("the file lies below the root");
                if !known.contains(below) {
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
