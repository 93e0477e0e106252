//! Looking for what should be gone: every file of the archive that could hold some of it is read.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use arrow_array::RecordBatch;
use model::fact::RecordPart;
use model::id::ContactId;
use model::time::Date;

use super::super::file::Written;
use super::super::merge::{conform, open};
use super::super::tables::{ContactRow, DailyNameRow, DailySourceRow, OutcomeRow, RawRow, Row as _, Shape, VerdictRow};
use super::super::{Archive, blocking};
use super::Due;
use super::day::{cell, parse, text};
use super::rewrite::is_whole;
use crate::Error;

/// Rows that are read at once.
const BATCH_ROWS: usize = 4096;
/// Contacts of a day that are held: where there are more, other tables' rows without a contact are not looked for.
const CONTACTS_HELD_MAX: usize = 8_000_000;

/// Something that should be gone.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Trace {
    pub table: String,
    pub day: Date,
    pub case: Option<String>,
    pub what: &'static str,
}

/// What a scan found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Traces {
    /// How many rows of each there are.
    pub found: BTreeMap<Trace, u64>,
    pub files: u64,
    pub rows: u64,
    /// Days on which rows without their contact could not be looked for: it has too many contacts.
    pub unmatched: BTreeSet<Date>,
}

impl Archive {
    /// Looks for rows of what was purged: `due` is what is to be gone by now.
    pub async fn traces(&self, due: Vec<Due>) -> Result<Traces, Error> {
        let (files, root) = (self.files().await?, self.inner.root.clone());
        blocking(move || {
            let mut days = BTreeMap::<Date, Vec<&Written>>::new();
            for file in files.iter() {
                file.day.parse().into_iter().for_each(|day| days.entry(day).or_default().push(file));
            }
            let mut traces = Traces::default();
            for (day, files) in &days {
                let due: Vec<&Due> = due.iter().filter(|due| due.concerns(*day)).collect();
                if !due.is_empty() {
                    Scan {
                        root: &root,
                        day: *day,
                        due: &due,
                        traces: &mut traces,
                        raw: HashSet::new(),
                        all: HashSet::new(),
                    }
                    .look(files)?;
                }
            }
            Ok(traces)
        })
        .await
    }
}

struct Scan<'a> {
    root: &'a Path,
    day: Date,
    due: &'a [&'a Due],
    traces: &'a mut Traces,
    /// Contacts of the day whose bytes, or verdicts, should be gone.
    raw: HashSet<(ContactId, RecordPart)>,
    all: HashSet<ContactId>,
}

impl Scan<'_> {
    fn look(mut self, files: &[&Written]) -> Result<(), Error> {
        let rows: u64 = files.iter().filter(|file| file.table == ContactRow::TABLE).map(|file| file.rows).sum();
        let is_matched = rows <= CONTACTS_HELD_MAX as u64;
        if !is_matched {
            self.traces.unmatched.insert(self.day);
        }
        for file in files.iter().filter(|file| file.table == ContactRow::TABLE) {
            self.read(file, |scan, batch| scan.contacts(batch, is_matched))?;
        }
        for file in files {
            match file.table.as_str() {
                RawRow::TABLE if is_matched => {
                    self.read(file, |scan, batch| scan.others(batch, RawRow::TABLE, "id"))?;
                }
                VerdictRow::TABLE if is_matched => {
                    self.read(file, |scan, batch| scan.others(batch, VerdictRow::TABLE, "contact_id"))?;
                }
                OutcomeRow::TABLE if is_matched => {
                    self.read(file, Self::outcomes)?;
                }
                DailySourceRow::TABLE => self.read(file, Self::sources)?,
                DailyNameRow::TABLE => self.read(file, Self::names)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        file: &Written,
        mut each: impl FnMut(&mut Self, &RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(shape) = Shape::named(&file.table) else { return Ok(()) };
        let path = self.root.join(&file.path);
        let failed = || format!("looking through {}", path.display());
        let reader = open(&path)?.with_batch_size(BATCH_ROWS).build().map_err(Error::archive(failed()))?;
        self.traces.files += 1;
        for batch in reader {
            let batch = conform(&batch.map_err(Error::archive(failed()))?, &shape)?;
            self.traces.rows += batch.num_rows() as u64;
            each(self, &batch)?;
        }
        Ok(())
    }

    fn is_due(&self, part: RecordPart, case: Option<&str>, apex: Option<&str>) -> bool {
        self.due.iter().any(|due| due.part == part && due.is_of(case, apex))
    }

    fn find(&mut self, table: &str, case: Option<&str>, what: &'static str) {
        let trace = Trace { table: table.into(), day: self.day, case: case.map(str::to_owned), what };
        *self.traces.found.entry(trace).or_default() += 1;
    }

    fn contacts(&mut self, batch: &RecordBatch, is_matched: bool) -> Result<(), Error> {
        let (cases, apexes, ids) = (text(batch, "case_id")?, text(batch, "apex")?, text(batch, "id")?);
        for row in 0..batch.num_rows() {
            let (case, apex) = (cell(cases, row), cell(apexes, row));
            if self.is_due(RecordPart::Contacts, case, apex) {
                self.find(ContactRow::TABLE, case, "a contact");
            } else if self.is_due(RecordPart::Addresses, case, apex) && is_whole(batch, row) {
                self.find(ContactRow::TABLE, case, "a whole address");
            }
            if is_matched {
                let id = parse(ids.value(row))?;
                self.all.insert(id);
                for part in [RecordPart::Raw, RecordPart::Verdicts] {
                    if self.is_due(part, case, apex) {
                        self.raw.insert((id, part));
                    }
                }
            }
        }
        Ok(())
    }

    /// A row whose contact is not there was to go with it.
    fn others(&mut self, batch: &RecordBatch, table: &str, id: &str) -> Result<(), Error> {
        let (ids, is_raw) = (text(batch, id)?, table == RawRow::TABLE);
        let part = if is_raw { RecordPart::Raw } else { RecordPart::Verdicts };
        let contacts_went = self.due.iter().any(|due| due.part == RecordPart::Contacts);
        for row in 0..batch.num_rows() {
            let id = parse(ids.value(row))?;
            if self.raw.contains(&(id, part)) {
                self.find(table, None, if is_raw { "bytes" } else { "a verdict" });
            } else if contacts_went && !self.all.contains(&id) {
                self.find(table, None, "a row without its contact");
            }
        }
        Ok(())
    }

    /// One that ended on this day may belong to the day before.
    fn outcomes(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let ids = text(batch, "contact_id")?;
        for row in 0..batch.num_rows() {
            if self.raw.contains(&(parse(ids.value(row))?, RecordPart::Verdicts)) {
                self.find(OutcomeRow::TABLE, None, "an outcome");
            }
        }
        Ok(())
    }

    fn sources(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let (cases, apexes) = (text(batch, "case_id")?, text(batch, "apex")?);
        for row in 0..batch.num_rows() {
            let (case, apex) = (cell(cases, row), cell(apexes, row));
            if self.is_due(RecordPart::Contacts, case, apex) {
                self.find(DailySourceRow::TABLE, case, "an address of a day");
            } else if self.is_due(RecordPart::Addresses, case, apex) && is_whole(batch, row) {
                self.find(DailySourceRow::TABLE, case, "a whole address");
            }
        }
        Ok(())
    }

    fn names(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let (cases, apexes) = (text(batch, "case_id")?, text(batch, "apex")?);
        for row in 0..batch.num_rows() {
            let (case, apex) = (cell(cases, row), cell(apexes, row));
            let is_of = |due: &&&Due| due.part == RecordPart::Contacts && due.apex.is_some() && due.is_of(case, apex);
            if self.due.iter().any(|due| is_of(&due)) {
                self.find(DailyNameRow::TABLE, case, "the counts of a name");
            }
        }
        Ok(())
    }
}
