//! One day, file by file: what goes of each table, and what is counted again.

use std::path::PathBuf;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, RecordBatch, StringArray};
use model::fact::RecordPart;
use model::id::ContactId;
use model::time::Date;

use super::super::file::{self, Written};
use super::super::rollup::RollUp;
use super::super::tables::{ContactRow, DailyNameRow, DailySourceRow, OutcomeRow, RawRow, Row as _, Shape, VerdictRow};
use super::Due;
use super::ids::Ids;
use super::rewrite::{Fate, is_whole, rewrite};
use crate::Error;

/// Which of what is due takes something of a contact, by its place in the list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Takes {
    contacts: Option<usize>,
    raw: Option<usize>,
    verdicts: Option<usize>,
    addresses: Option<usize>,
}

/// A day under work.
pub(super) struct Day {
    root: PathBuf,
    date: Date,
    name: String,
    due: Vec<Due>,
    held_max: usize,
    /// Words of [`Ids`]: 0 is for contacts of which nothing goes.
    kinds: Vec<Takes>,
    ids: Ids,
    /// The day's contacts as they will be, in order, below the root.
    contacts: Vec<PathBuf>,
    are_contacts_changed: bool,
    count: usize,
    pub(super) replaced: Vec<Written>,
    pub(super) written: Vec<Written>,
    /// Rows that went or were cut, by what was due.
    pub(super) rows: Vec<u64>,
}

impl Day {
    pub(super) fn new(root: PathBuf, date: Date, name: String, due: Vec<Due>, held_max: usize) -> Self {
        let rows = vec![0; due.len()];
        Self {
            root,
            date,
            name,
            due,
            held_max,
            kinds: vec![Takes::default()],
            ids: Ids::default(),
            contacts: Vec::new(),
            are_contacts_changed: false,
            count: 0,
            replaced: Vec::new(),
            written: Vec::new(),
            rows,
        }
    }

    /// Does one file. All of contacts come before the others.
    pub(super) fn take(&mut self, file: &Written) -> Result<(), Error> {
        match file.table.as_str() {
            ContactRow::TABLE => self.take_contacts(file),
            RawRow::TABLE => self.take_others(file, "id", |takes| takes.contacts.or(takes.raw)),
            VerdictRow::TABLE | OutcomeRow::TABLE => {
                self.take_others(file, "contact_id", |takes| takes.contacts.or(takes.verdicts))
            }
            DailyNameRow::TABLE => self.take_names(file),
            _ => Ok(()),
        }
    }

    fn name_of_next(&mut self) -> String {
        self.count += 1;
        format!("{}-{:04x}.parquet", self.name, self.count)
    }

    /// Notes what became of a file.
    fn keep(&mut self, file: &Written, rewritten: Option<Option<Written>>) {
        let is_contacts = file.table == ContactRow::TABLE;
        self.are_contacts_changed |= is_contacts && rewritten.is_some();
        let path = match &rewritten {
            None => Some(file.path.clone()),
            Some(written) => written.as_ref().map(|written| file::beside(&written.path)),
        };
        self.contacts.extend(path.filter(|_| is_contacts));
        if let Some(written) = rewritten {
            self.replaced.push(file.clone());
            self.written.extend(written);
        }
    }

    //------- Contacts ---------------------------------------------------------------------------------------------

    fn take_contacts(&mut self, file: &Written) -> Result<(), Error> {
        let (root, shape, name) = (self.root.clone(), Shape::of::<ContactRow>(), self.name_of_next());
        let rewritten = rewrite(&root, file, &name, &shape, &mut |batch| self.fates_of_contacts(batch))?;
        self.keep(file, rewritten);
        Ok(())
    }

    fn fates_of_contacts(&mut self, batch: &RecordBatch) -> Result<Vec<Fate>, Error> {
        let (case, apex, id) = (text(batch, "case_id")?, text(batch, "apex")?, text(batch, "id")?);
        let mut fates = Vec::with_capacity(batch.num_rows());
        let (mut last, mut word) = (None, 0);
        for row in 0..batch.num_rows() {
            let of = (cell(case, row), cell(apex, row));
            // Rows are sorted by case and name: most are as the one before.
            if last != Some(of) {
                (last, word) = (Some(of), self.word_of(of.0, of.1));
            }
            if word != 0 {
                self.ids.put(parse(id.value(row))?, word)?;
            }
            fates.push(self.fate_of_contact(word, batch, row));
        }
        Ok(fates)
    }

    fn fate_of_contact(&mut self, word: u16, batch: &RecordBatch, row: usize) -> Fate {
        let Takes { contacts, addresses, .. } = self.kinds[usize::from(word)];
        let (due, fate) = match (contacts, addresses.filter(|_| is_whole(batch, row))) {
            (Some(due), _) => (due, Fate::Goes),
            (None, Some(due)) => (due, Fate::Cut),
            (None, None) => return Fate::Stays,
        };
        self.rows[due] += 1;
        fate
    }

    /// The word for contacts of that case and name. There are as many as ways in which what is due meets one: few.
    fn word_of(&mut self, case: Option<&str>, apex: Option<&str>) -> u16 {
        let of = |part| self.due.iter().position(|due| due.part == part && due.is_of(case, apex));
        let takes = Takes {
            contacts: of(RecordPart::Contacts),
            raw: of(RecordPart::Raw),
            verdicts: of(RecordPart::Verdicts),
            addresses: of(RecordPart::Addresses),
        };
        let known = self.kinds.iter().position(|known| *known == takes).unwrap_or(self.kinds.len());
        if known == self.kinds.len() {
            self.kinds.push(takes);
        }
        u16::try_from(known).expect("what is due is listed by case and part, and meets a contact in few ways")
    }

    //------- What belongs to contacts -----------------------------------------------------------------------------

    /// `id` names the column with the contact's id.
    fn take_others(&mut self, file: &Written, id: &str, of: fn(&Takes) -> Option<usize>) -> Result<(), Error> {
        let shape = Shape::named(&file.table).expect("it is one of our tables");
        let (root, name) = (self.root.clone(), self.name_of_next());
        let rewritten = rewrite(&root, file, &name, &shape, &mut |batch| {
            let ids = text(batch, id)?;
            let fate = |row: usize| -> Result<Fate, Error> {
                let word = self.ids.get(parse(ids.value(row))?);
                let Some(due) = of(&self.kinds[usize::from(word)]) else { return Ok(Fate::Stays) };
                self.rows[due] += 1;
                Ok(Fate::Goes)
            };
            (0..batch.num_rows()).map(fate).collect()
        })?;
        self.keep(file, rewritten);
        Ok(())
    }

    //------- Roll-ups ---------------------------------------------------------------------------------------------

    /// Counts stay, but those of a name that is purged itself.
    fn take_names(&mut self, file: &Written) -> Result<(), Error> {
        let (root, shape, name) = (self.root.clone(), Shape::of::<DailyNameRow>(), self.name_of_next());
        let names = |due: &&Due| due.part == RecordPart::Contacts && due.apex.is_some();
        let names: Vec<Due> = self.due.iter().filter(names).cloned().collect();
        let rewritten = rewrite(&root, file, &name, &shape, &mut |batch| {
            let (case, apex) = (text(batch, "case_id")?, text(batch, "apex")?);
            let goes = |row| names.iter().any(|due| due.is_of(cell(case, row), cell(apex, row)));
            Ok((0..batch.num_rows()).map(|row| if goes(row) { Fate::Goes } else { Fate::Stays }).collect())
        })?;
        self.keep(file, rewritten);
        Ok(())
    }

    /// Addresses by day are counted again from the contacts that are left, where the day was counted before.
    pub(super) fn count_again(&mut self, sources: &[Written]) -> Result<(), Error> {
        if sources.is_empty() || !self.are_contacts_changed {
            return Ok(());
        }
        let name = format!("{}-again", self.name);
        let mut again = RollUp::start(&self.root, &self.date.to_string(), &name, self.contacts.clone(), self.held_max)?;
        while again.step()? {}
        for written in again.finish()? {
            if written.table == DailySourceRow::TABLE {
                self.written.push(written);
            } else {
                // How many there were is known from when addresses were whole.
                file::remove(&self.root, &[file::beside(&written.path)])?;
            }
        }
        self.replaced.extend_from_slice(sources);
        Ok(())
    }
}

pub(super) fn text<'a>(batch: &'a RecordBatch, column: &str) -> Result<&'a StringArray, Error> {
    let found = batch.column_by_name(column).and_then(|column| column.as_string_opt::<i32>());
    found.ok_or_else(|| Error::Archive { what: format!("looking for the column {column}"), cause: None })
}

pub(super) fn cell(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

pub(super) fn parse(id: &str) -> Result<ContactId, Error> {
    id.parse().map_err(|_| Error::Archive { what: format!("reading {id:?} as the id of a contact"), cause: None })
}
