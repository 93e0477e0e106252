//! Sorted files become one sorted stream, batch by batch, and that becomes files again.
//!
//! Each input shows the rows that it has in memory; the smallest row goes first, and of equal ones that of the earlier
//! input. Rows are copied column by column, whatever their columns mean: what is added to a table later needs nothing
//! here. An input is a run: files that a merge wrote one after the other are one. A file of a release that did not sort
//! holds one batch of a follower, and is sorted as it is opened.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampNanosecondArray, new_null_array};
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave_record_batch;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ParquetMetaData;

use super::encoding::sorting;
use super::file::{Growing, Place, Written};
use super::tables::Shape;
use crate::Error;

/// What an input holds in memory as rows: about so many octets, by the file's own average.
const BATCH_OCTETS: usize = 1 << 20;
/// And no more rows than these.
const BATCH_ROWS_MAX: usize = 8192;
/// How many rows are merged between two looks at whether to go on.
pub(super) const SLICE_ROWS: usize = 1 << 16;

//----------- Merge ------------------------------------------------------------------------------------------------

/// A merge that is under way.
pub(super) struct Merge {
    shape: Shape,
    inputs: Vec<Input>,
    output: Output,
}

impl Merge {
    /// The runs in order of commit, each of files that follow each other.
    pub(super) fn start(shape: Shape, root: &Path, runs: Vec<Vec<PathBuf>>, output: Output) -> Result<Self, Error> {
        let inputs = runs.into_iter().map(|files| Input::open(&shape, root, files)).collect::<Result<_, _>>()?;
        Ok(Self { shape, inputs, output })
    }

    /// Merges a slice; `false` when there is nothing left.
    pub(super) fn step(&mut self) -> Result<bool, Error> {
        let mut rows = 0;
        while rows < SLICE_ROWS {
            self.inputs.retain(|input| input.at < input.batch.num_rows());
            if self.inputs.is_empty() {
                return Ok(false);
            }
            rows += self.pass()?;
        }
        Ok(true)
    }

    /// The finished files, closed and not yet shown.
    pub(super) fn finish(self) -> Result<Vec<Written>, Error> {
        self.output.finish(&self.shape)
    }

    /// Leaves the file that was being written; what was finished is for the caller to remove.
    pub(super) fn abandon(self) -> Result<Vec<Written>, Error> {
        self.output.growing.map_or(Ok(()), Growing::abandon)?;
        Ok(self.output.written)
    }

    /// Takes rows until one input has shown all that it had in memory, and writes them.
    fn pass(&mut self) -> Result<usize, Error> {
        let picked = self.pick();
        let batches: Vec<&RecordBatch> = self.inputs.iter().map(|input| &input.batch).collect();
        let merged = interleave_record_batch(&batches, &picked).map_err(Error::archive("merging rows"))?;
        self.output.write(&self.shape, &merged)?;
        for input in &mut self.inputs {
            if input.at == input.batch.num_rows() {
                input.turn_page(&self.shape)?;
            }
        }
        Ok(picked.len())
    }

    fn pick(&mut self) -> Vec<(usize, usize)> {
        let mut picked = Vec::new();
        while self.inputs.iter().all(|input| input.at < input.batch.num_rows()) {
            let (first, second) = self.first_two();
            let mut taken = self.inputs[first].at;
            let rows = self.inputs[first].batch.num_rows();
            // A run of rows of one input costs one comparison each.
            while taken < rows && second.is_none_or(|second| self.is_before(first, taken, second)) {
                picked.push((first, taken));
                taken += 1;
            }
            self.inputs[first].at = taken;
        }
        picked
    }

    /// The input whose row comes first, and the one whose row would be next.
    fn first_two(&self) -> (usize, Option<usize>) {
        let (mut first, mut second) = (0, None);
        for other in 1..self.inputs.len() {
            if self.is_before(other, self.inputs[other].at, first) {
                second = Some(first);
                first = other;
            } else if second.is_none_or(|second| self.is_before(other, self.inputs[other].at, second)) {
                second = Some(other);
            }
        }
        (first, second)
    }

    fn is_before(&self, one: usize, row: usize, other: usize) -> bool {
        let (ours, theirs) = (&self.inputs[one], &self.inputs[other]);
        let order = compare(&ours.keys, row, &theirs.keys, theirs.at);
        order.then_with(|| one.cmp(&other)) == Ordering::Less
    }
}

//----------- Input ------------------------------------------------------------------------------------------------

struct Input {
    root: PathBuf,
    files: VecDeque<PathBuf>,
    reader: Option<ParquetRecordBatchReader>,
    batch: RecordBatch,
    keys: Vec<Key>,
    at: usize,
}

impl Input {
    fn open(shape: &Shape, root: &Path, files: Vec<PathBuf>) -> Result<Self, Error> {
        let batch = RecordBatch::new_empty(shape.schema.clone());
        let mut input =
            Self { root: root.to_owned(), files: files.into(), reader: None, batch, keys: Vec::new(), at: 0 };
        input.turn_page(shape)?;
        Ok(input)
    }

    /// The next rows in memory; none at the run's end.
    fn turn_page(&mut self, shape: &Shape) -> Result<(), Error> {
        self.at = 0;
        self.batch = loop {
            if let Some(batch) = self.reader.as_mut().and_then(Iterator::next) {
                let batch = batch.map_err(Error::archive(format!("reading a file of {}", shape.table)))?;
                if batch.num_rows() > 0 {
                    break batch;
                }
                continue;
            }
            self.reader = None;
            let Some(file) = self.files.pop_front() else {
                break RecordBatch::new_empty(shape.schema.clone());
            };
            let path = self.root.join(file);
            let builder = open(&path)?;
            if !is_sorted(shape, builder.metadata()) {
                break sorted(shape, &path, builder)?;
            }
            self.reader = Some(paged(builder).map_err(Error::archive(format!("reading {}", path.display())))?);
        };
        self.batch = conform(&self.batch, shape)?;
        self.keys = keys(&self.batch, shape)?;
        Ok(())
    }
}

type Builder = ParquetRecordBatchReaderBuilder<File>;

pub(super) fn open(path: &Path) -> Result<Builder, Error> {
    let file = File::open(path).map_err(Error::io("opening", path))?;
    Builder::try_new(file).map_err(Error::archive(format!("reading {}", path.display())))
}

fn paged(builder: Builder) -> parquet::errors::Result<ParquetRecordBatchReader> {
    let (mut octets, mut rows) = (0, 1);
    for group in builder.metadata().row_groups() {
        octets += usize::try_from(group.total_byte_size()).unwrap_or_default();
        rows += usize::try_from(group.num_rows()).unwrap_or_default();
    }
    let each = (octets / rows).max(1);
    builder.with_batch_size((BATCH_OCTETS / each).clamp(1, BATCH_ROWS_MAX)).build()
}

/// Whether the file says of itself that it is sorted as its table is today.
fn is_sorted(shape: &Shape, metadata: &ParquetMetaData) -> bool {
    let expected = sorting(shape);
    metadata.row_groups().iter().all(|group| group.sorting_columns() == Some(&expected))
}

/// All rows of a file, sorted here.
fn sorted(shape: &Shape, path: &Path, builder: Builder) -> Result<RecordBatch, Error> {
    let failed = || format!("sorting {}", path.display());
    let batches = builder.build().map_err(Error::archive(failed()))?.collect::<Result<Vec<_>, _>>();
    let batches = batches.map_err(Error::archive(failed()))?;
    let batches = batches.iter().map(|batch| conform(batch, shape)).collect::<Result<Vec<_>, _>>()?;
    let keys = batches.iter().map(|batch| keys(batch, shape)).collect::<Result<Vec<_>, _>>()?;
    let rows = |(at, batch): (usize, &RecordBatch)| (0..batch.num_rows()).map(move |row| (at, row));
    let mut order: Vec<(usize, usize)> = batches.iter().enumerate().flat_map(rows).collect();
    order.sort_by(|one, other| compare(&keys[one.0], one.1, &keys[other.0], other.1));
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    if batches.is_empty() {
        return Ok(RecordBatch::new_empty(shape.schema.clone()));
    }
    interleave_record_batch(&batches, &order).map_err(Error::archive(failed()))
}

/// The same rows in the columns that the table has today: what an older file lacks is null.
pub(super) fn conform(batch: &RecordBatch, shape: &Shape) -> Result<RecordBatch, Error> {
    let rows = batch.num_rows();
    let column = |field: &std::sync::Arc<arrow_schema::Field>| -> ArrayRef {
        batch.column_by_name(field.name()).cloned().unwrap_or_else(|| new_null_array(field.data_type(), rows))
    };
    let columns = shape.schema.fields().iter().map(column).collect();
    let conforming = RecordBatch::try_new(shape.schema.clone(), columns);
    conforming.map_err(Error::archive(format!("reading rows of {} as they are today", shape.table)))
}

//----------- Keys -------------------------------------------------------------------------------------------------

/// A column by which rows are sorted.
enum Key {
    Text(StringArray),
    Instant(TimestampNanosecondArray),
}

fn keys(batch: &RecordBatch, shape: &Shape) -> Result<Vec<Key>, Error> {
    let key = |name: &&str| {
        let column = batch.column_by_name(name)?;
        let text = column.as_string_opt::<i32>().cloned().map(Key::Text);
        text.or_else(|| column.as_primitive_opt::<TimestampNanosecondType>().cloned().map(Key::Instant))
    };
    let none = || Error::Archive { what: format!("sorting by a column that {} has not", shape.table), cause: None };
    shape.sorted.iter().map(key).collect::<Option<_>>().ok_or_else(none)
}

fn compare(ours: &[Key], row: usize, theirs: &[Key], other: usize) -> Ordering {
    let pairs = ours.iter().zip(theirs);
    pairs.map(|(one, two)| one.compare(row, two, other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

impl Key {
    /// Nulls first.
    fn compare(&self, row: usize, other: &Self, at: usize) -> Ordering {
        match (self, other) {
            (Self::Text(ours), Self::Text(theirs)) => text(ours, row).cmp(&text(theirs, at)),
            (Self::Instant(ours), Self::Instant(theirs)) => instant(ours, row).cmp(&instant(theirs, at)),
            _ => unreachable!("both were made of one table's columns"),
        }
    }
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn instant(column: &TimestampNanosecondArray, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

//----------- Output -----------------------------------------------------------------------------------------------

/// Where merged rows go: files of about one length, the next one begun when the last is full.
pub(super) struct Output {
    pub(super) root: PathBuf,
    pub(super) day: String,
    /// What the files' names begin with.
    pub(super) name: String,
    pub(super) level: u8,
    /// `None`: one file, however long.
    pub(super) file_bytes_max: Option<u64>,
    pub(super) growing: Option<Growing>,
    pub(super) written: Vec<Written>,
    /// `None`: every row.
    pub(super) lasts: Option<Lasts>,
}

impl Output {
    fn write(&mut self, shape: &Shape, batch: &RecordBatch) -> Result<(), Error> {
        let Some(lasts) = &mut self.lasts else { return self.append(shape, batch) };
        lasts.pass(batch)?.iter().try_for_each(|batch| self.append(shape, batch))
    }

    fn append(&mut self, shape: &Shape, batch: &RecordBatch) -> Result<(), Error> {
        let mut growing = match self.growing.take() {
            Some(growing) => growing,
            None => self.next(shape)?,
        };
        growing.write(batch)?;
        if self.file_bytes_max.is_some_and(|max| growing.octets() >= max) {
            self.written.push(growing.close()?);
        } else {
            self.growing = Some(growing);
        }
        Ok(())
    }

    fn next(&self, shape: &Shape) -> Result<Growing, Error> {
        let name = format!("{}-{:04x}.parquet", self.name, self.written.len());
        Growing::create(&Place { root: &self.root, day: &self.day, name: &name, level: self.level }, shape)
    }

    fn finish(mut self, shape: &Shape) -> Result<Vec<Written>, Error> {
        if let Some(held) = self.lasts.take().and_then(|lasts| lasts.held) {
            self.append(shape, &held)?;
        }
        if let Some(growing) = self.growing {
            self.written.push(growing.close()?);
        }
        Ok(self.written)
    }
}

//----------- Lasts ------------------------------------------------------------------------------------------------

/// Of rows on one contact, which follow each other, only the last goes on.
#[derive(Default)]
pub(super) struct Lasts {
    /// The row that came last: the next one may be on the same contact.
    held: Option<RecordBatch>,
}

impl Lasts {
    fn pass(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, Error> {
        let ids = contacts(batch)?;
        let Some(last) = ids.len().checked_sub(1) else { return Ok(Vec::new()) };
        let is_last: BooleanArray =
            (0..=last).map(|row| Some(row < last && ids.value(row) != ids.value(row + 1))).collect();
        let lasts =
            filter_record_batch(batch, &is_last).map_err(Error::archive("looking for the last rows on contacts"))?;
        let mut passed = Vec::new();
        if let Some(held) = self.held.replace(batch.slice(last, 1))
            && contacts(&held)?.value(0) != ids.value(0)
        {
            passed.push(held);
        }
        passed.push(lasts);
        passed.retain(|batch| batch.num_rows() > 0);
        Ok(passed)
    }
}

fn contacts(batch: &RecordBatch) -> Result<&StringArray, Error> {
    let found = batch.column_by_name("contact_id").and_then(|column| column.as_string_opt::<i32>());
    found.ok_or_else(|| Error::Archive { what: "looking for the contacts of rows".into(), cause: None })
}
