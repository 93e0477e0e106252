//! Roll-ups: the contacts of a whole day, counted exactly, by name and by address.
//!
//! Contacts lie sorted by case and name, so one name is counted after the other, and only the addresses of one name are
//! held at a time. Where a name has more than may be held, the day is read several times, each time for a part of all
//! addresses: the parts share none, so their counts add up and nothing is estimated. Labels have no place here: they
//! change by generation, and what was received does not.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{TimestampNanosecondType, UInt32Type};
use arrow_array::{Array as _, RecordBatch, StringArray};
use model::contact::Kind;
use model::time::from_nanos;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::compact::SETTLED;
use super::file::{Growing, Place, Written};
use super::merge::open;
use super::tables::{DailyNameRow, DailySourceRow, Row, Shape};
use crate::Error;

/// What is read of a contact.
const COLUMNS: [&str; 6] = ["case_id", "apex", "kind", "source", "received", "repeats"];
/// Rows between two looks at whether to go on.
const BATCH_ROWS: usize = 8192;
/// The most parts that the addresses of a day are counted in.
const PARTS_MAX: u64 = 4096;
/// Rows that are handed to a file at once.
const WRITE_ROWS: usize = 8192;

//----------- RollUp -----------------------------------------------------------------------------------------------

/// A day that is being counted.
pub(super) struct RollUp {
    root: PathBuf,
    day: String,
    name: String,
    files: Vec<PathBuf>,
    held_max: usize,
    part: u64,
    parts: u64,
    /// The file that is read, counted from 1, and where in it.
    opened: usize,
    reader: Option<ParquetRecordBatchReader>,
    names: Vec<Name>,
    /// Which of the names is counted in this part.
    at: Option<usize>,
    held: HashMap<IpAddr, Tally>,
    rows: Vec<DailySourceRow>,
    sources: Growing,
}

/// A name of a case, over all parts.
struct Name {
    case_id: Option<String>,
    apex: Option<String>,
    kinds: [Tally; Kind::ALL.len()],
    distinct: [u64; Kind::ALL.len()],
    sources: u64,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    contacts: u64,
    repeats: u64,
    first: i64,
    last: i64,
    /// A bit for each kind.
    kinds: u8,
}

impl Tally {
    fn take(&mut self, kind: usize, received: i64, repeats: u64) {
        let one = Self { contacts: 1, repeats, first: received, last: received, kinds: 1 << kind };
        self.add(one);
    }

    fn add(&mut self, other: Self) {
        if other.contacts == 0 {
            return;
        }
        (self.first, self.last) = match self.contacts {
            0 => (other.first, other.last),
            _ => (self.first.min(other.first), self.last.max(other.last)),
        };
        self.contacts += other.contacts;
        self.repeats += other.repeats;
        self.kinds |= other.kinds;
    }
}

impl RollUp {
    /// Of these files, which hold the day's contacts, one sorted run.
    pub(super) fn start(
        root: &Path,
        day: &str,
        name: &str,
        files: Vec<PathBuf>,
        held_max: usize,
    ) -> Result<Self, Error> {
        let sources = grow::<DailySourceRow>(root, day, name)?;
        Ok(Self {
            root: root.to_owned(),
            day: day.into(),
            name: name.into(),
            files,
            held_max,
            part: 0,
            parts: 1,
            opened: 0,
            reader: None,
            names: Vec::new(),
            at: None,
            held: HashMap::new(),
            rows: Vec::new(),
            sources,
        })
    }

    /// Counts a batch; `false` when there is nothing left.
    pub(super) fn step(&mut self) -> Result<bool, Error> {
        if let Some(batch) = self.next()? {
            self.count(&batch)?;
            return if self.held.len() > self.held_max { self.start_again().map(|()| true) } else { Ok(true) };
        }
        self.end_name()?;
        (self.opened, self.at) = (0, None);
        self.part += 1;
        Ok(self.part < self.parts)
    }

    pub(super) fn finish(mut self) -> Result<Vec<Written>, Error> {
        self.hand_over(0)?;
        let sources = self.sources.close()?;
        let mut names = grow::<DailyNameRow>(&self.root, &self.day, &self.name)?;
        for some in self.names.chunks(WRITE_ROWS) {
            let rows: Vec<DailyNameRow> = some.iter().flat_map(Name::rows).collect();
            names.write(&DailyNameRow::to_batch(&rows.iter().collect::<Vec<_>>()))?;
        }
        Ok(vec![names.close()?, sources])
    }

    pub(super) fn abandon(self) -> Result<(), Error> {
        self.sources.abandon()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            if let Some(batch) = self.reader.as_mut().and_then(Iterator::next) {
                return batch.map(Some).map_err(Error::archive(format!("counting the contacts of {}", self.day)));
            }
            self.reader = None;
            let Some(file) = self.files.get(self.opened) else { return Ok(None) };
            self.opened += 1;
            let builder = open(&self.root.join(file))?;
            let columns = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
            let reader = builder.with_projection(columns).with_batch_size(BATCH_ROWS).build();
            self.reader = Some(reader.map_err(Error::archive(format!("counting the contacts of {}", self.day)))?);
        }
    }

    /// Twice as many parts, from the beginning.
    fn start_again(&mut self) -> Result<(), Error> {
        let parts = self.parts * 2;
        if parts > PARTS_MAX {
            let (needs, limit) = (self.held.len() as u64, self.held_max as u64);
            return Err(Error::Limit { what: "counting the addresses of a name", needs, limit });
        }
        let name = format!("{}-{parts}", self.name);
        let sources = grow::<DailySourceRow>(&self.root, &self.day, &name)?;
        std::mem::replace(&mut self.sources, sources).abandon()?;
        (self.part, self.parts, self.opened, self.reader, self.at) = (0, parts, 0, None, None);
        self.names.clear();
        self.held.clear();
        self.rows.clear();
        Ok(())
    }

    //----- Counting

    fn count(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let damaged = || Error::Archive { what: format!("counting the contacts of {}", self.day), cause: None };
        let cells = Cells::of(batch).ok_or_else(damaged)?;
        for row in 0..batch.num_rows() {
            if !self.is_counting(&cells, row) {
                self.end_name()?;
                self.begin_name(&cells, row);
            }
            let damaged = || Error::Archive { what: format!("counting the contacts of {}", self.day), cause: None };
            let source: IpAddr = cells.source.value(row).parse().map_err(|_| damaged())?;
            if self.parts > 1 && part_of(source) % self.parts != self.part {
                continue;
            }
            let kind = cells.kind(row).ok_or_else(damaged)?;
            let (received, repeats) = (cells.received.value(row), cells.repeats(row));
            self.held.entry(source).or_default().take(kind, received, repeats);
            let name = &mut self.names[self.at.expect("a name was begun")];
            name.kinds[kind].take(kind, received, repeats);
        }
        Ok(())
    }

    fn is_counting(&self, cells: &Cells<'_>, row: usize) -> bool {
        let name = self.at.map(|at| &self.names[at]);
        name.is_some_and(|name| {
            name.apex.as_deref() == text(cells.apex, row) && name.case_id.as_deref() == text(cells.case_id, row)
        })
    }

    /// Names come in the same order in every part.
    fn begin_name(&mut self, cells: &Cells<'_>, row: usize) {
        let at = self.at.map_or(0, |at| at + 1);
        if at == self.names.len() {
            let own = |column, row| text(column, row).map(str::to_owned);
            let (kinds, distinct) = Default::default();
            let (case_id, apex) = (own(cells.case_id, row), own(cells.apex, row));
            self.names.push(Name { case_id, apex, kinds, distinct, sources: 0 });
        }
        self.at = Some(at);
    }

    /// What is held becomes rows.
    fn end_name(&mut self) -> Result<(), Error> {
        let Some(at) = self.at else { return Ok(()) };
        let name = &mut self.names[at];
        let mut held: Vec<(String, IpAddr, Tally)> =
            self.held.drain().map(|(source, tally)| (source.to_string(), source, tally)).collect();
        held.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        name.sources += held.len() as u64;
        for (_, source, tally) in held {
            for kind in 0..Kind::ALL.len() {
                name.distinct[kind] += u64::from(tally.kinds >> kind & 1);
            }
            self.rows.push(DailySourceRow {
                case_id: name.case_id.clone(),
                apex: name.apex.clone(),
                source,
                contacts: tally.contacts,
                repeats: tally.repeats,
                first_received: from_nanos(tally.first),
                last_received: from_nanos(tally.last),
            });
        }
        self.hand_over(WRITE_ROWS)
    }

    /// Writes the rows of addresses, if there are more than so many.
    fn hand_over(&mut self, above: usize) -> Result<(), Error> {
        if self.rows.len() > above {
            self.sources.write(&DailySourceRow::to_batch(&self.rows.iter().collect::<Vec<_>>()))?;
            self.rows.clear();
        }
        Ok(())
    }
}

fn grow<R: Row>(root: &Path, day: &str, name: &str) -> Result<Growing, Error> {
    let place = Place { root, day, name: &format!("{name}.parquet"), level: SETTLED };
    Growing::create(&place, &Shape::of::<R>())
}

/// The same for an address in every run and release: only that parts are about equal counts.
fn part_of(source: IpAddr) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(source)
}

impl Name {
    /// A row for all kinds together, and one for each kind that came.
    fn rows(&self) -> Vec<DailyNameRow> {
        let mut all = Tally::default();
        self.kinds.iter().for_each(|tally| all.add(*tally));
        let kinds = Kind::ALL.into_iter().zip(self.kinds).zip(self.distinct);
        let came = kinds.filter(|((_, tally), _)| tally.contacts > 0);
        let each = came.map(|((kind, tally), sources)| self.row(Some(kind), tally, sources));
        std::iter::once(self.row(None, all, self.sources)).chain(each).collect()
    }

    fn row(&self, kind: Option<Kind>, tally: Tally, sources: u64) -> DailyNameRow {
        DailyNameRow {
            case_id: self.case_id.clone(),
            apex: self.apex.clone(),
            kind,
            contacts: tally.contacts,
            sources,
            repeats: tally.repeats,
            first_received: from_nanos(tally.first),
            last_received: from_nanos(tally.last),
        }
    }
}

//----------- Cells ------------------------------------------------------------------------------------------------

/// The columns of a batch of contacts.
struct Cells<'a> {
    case_id: &'a StringArray,
    apex: &'a StringArray,
    kind: &'a StringArray,
    source: &'a StringArray,
    received: &'a arrow_array::TimestampNanosecondArray,
    repeats: &'a arrow_array::UInt32Array,
}

impl<'a> Cells<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
        Some(Self {
            case_id: text("case_id")?,
            apex: text("apex")?,
            kind: text("kind")?,
            source: text("source")?,
            received: batch.column_by_name("received")?.as_primitive_opt::<TimestampNanosecondType>()?,
            repeats: batch.column_by_name("repeats")?.as_primitive_opt::<UInt32Type>()?,
        })
    }

    /// The place of the kind in [`Kind::ALL`].
    fn kind(&self, row: usize) -> Option<usize> {
        let text = self.kind.value(row);
        Kind::ALL.iter().position(|kind| kind.as_str() == text)
    }

    fn repeats(&self, row: usize) -> u64 {
        if self.repeats.is_null(row) { 0 } else { self.repeats.value(row).into() }
    }
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
