//! A table of names, addresses and networks: one column of a file, with its lines and what stands beside.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use model::address::Prefix;
use model::gate::TableSeen;
use model::{Digest, DomainName};

use crate::observed::rows::fields;
use crate::observed::{FileFault, Taken, lines};

use super::tables::{TableKind, TableSpec};

/// The longest note that is quoted.
const NOTE_CHARS_MAX: usize = 80;

/// What a file says of names, addresses and networks.
#[derive(Clone, Debug, PartialEq)]
pub struct NameTable {
    pub seen: TableSeen,
    pub taken: Taken,
    /// The first line that was passed over: its value is none of these.
    pub unread: Option<u32>,
    names: HashMap<Box<str>, Entry>,
    addresses: HashMap<IpAddr, Entry>,
    networks: HashMap<Prefix, Entry>,
    /// How long the prefixes of those are.
    lengths: BTreeSet<u8>,
    notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    line: u32,
    note: u32,
}

/// A row that speaks of what was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hit<'t> {
    /// As it stands there.
    pub value: String,
    pub line: u32,
    pub note: &'t str,
}

impl NameTable {
    /// Reads a list without a head: what, and what is said of it.
    pub fn listed(is: TableKind, file: &str, text: &str) -> Result<Self, FileFault> {
        let spec = TableSpec { is, file: file.to_owned(), date: None, column: None, note: None, only: None };
        let seen = TableSeen { file: file.to_owned(), digest: Digest::of_bytes(text.as_bytes()), date: None };
        Self::read(&spec, seen, text)
    }

    /// Reads the column that the operator named, of the rows that are meant.
    pub fn read(spec: &TableSpec, seen: TableSeen, text: &str) -> Result<Self, FileFault> {
        let mut table = Self {
            seen,
            taken: Taken::default(),
            unread: None,
            names: HashMap::new(),
            addresses: HashMap::new(),
            networks: HashMap::new(),
            lengths: BTreeSet::new(),
            notes: vec![String::new()],
        };
        let mut rows = lines(&spec.file, text);
        let columns = Columns::read(spec, &mut rows)?;
        let mut known: HashMap<String, u32> = HashMap::new();
        for row in rows {
            let (line, row) = row?;
            let unread = || FileFault::at(&spec.file, line, "a quote does not end, or there are too many fields");
            let row = fields(row).ok_or_else(unread)?;
            if !columns.is_meant(&row) {
                continue;
            }
            let note = columns.note.and_then(|at| row.get(at)).map_or("", |note| note);
            let note = match note {
                "" => 0,
                note => *known.entry(note.chars().take(NOTE_CHARS_MAX).collect()).or_insert_with_key(|note| {
                    table.notes.push(note.clone());
                    table.notes.len() as u32 - 1
                }),
            };
            let value = row.get(columns.value).map_or("", |value| value);
            table.take(value, Entry { line: u32::try_from(line).unwrap_or(u32::MAX), note });
        }
        Ok(table)
    }

    fn take(&mut self, value: &str, entry: Entry) {
        self.taken.records += 1;
        let value = value.trim_start_matches("*.").trim_start_matches('.');
        if let Ok(address) = value.parse::<IpAddr>() {
            self.addresses.entry(address.to_canonical()).or_insert(entry);
        } else if let Ok(network) = value.parse::<Prefix>() {
            self.lengths.insert(network.len());
            self.networks.entry(network).or_insert(entry);
        } else if let Ok(name) = DomainName::parse(value) {
            self.names.entry(name.as_str().into()).or_insert(entry);
        } else {
            self.taken.passed_over += 1;
            self.unread = self.unread.or(Some(entry.line));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.addresses.is_empty() && self.networks.is_empty()
    }

    pub fn of_name(&self, name: &DomainName) -> Option<Hit<'_>> {
        self.names.get(name.as_str()).map(|entry| self.hit(name.as_str(), *entry))
    }

    /// The row of the name itself, or of one above it.
    pub fn at_or_above(&self, name: &DomainName) -> Option<Hit<'_>> {
        let mut text = name.as_str();
        loop {
            if let Some(entry) = self.names.get(text) {
                return Some(self.hit(text, *entry));
            }
            text = text.split_once('.')?.1;
        }
    }

    /// The row of the address itself, or of the smallest network that it is in.
    pub fn of_address(&self, address: IpAddr) -> Option<Hit<'_>> {
        let address = address.to_canonical();
        let itself = self.addresses.get(&address).map(|entry| self.hit(&address.to_string(), *entry));
        let around = |len: &u8| {
            let network = Prefix::of(address, *len);
            self.networks.get(&network).map(|entry| self.hit(&network.to_string(), *entry))
        };
        itself.or_else(|| self.lengths.iter().rev().find_map(around))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    fn hit(&self, value: &str, entry: Entry) -> Hit<'_> {
        Hit { value: value.to_owned(), line: entry.line, note: &self.notes[entry.note as usize] }
    }
}

//----------- Columns ----------------------------------------------------------------------------------------------

/// Where in a row the things stand.
struct Columns<'s> {
    value: usize,
    note: Option<usize>,
    only: Option<(usize, &'s [String])>,
}

impl<'s> Columns<'s> {
    /// Without names of columns the first counts, the second is quoted, and there is no head.
    fn read<'t>(
        spec: &'s TableSpec,
        rows: &mut impl Iterator<Item = Result<(usize, &'t str), FileFault>>,
    ) -> Result<Self, FileFault> {
        if spec.column.is_none() && spec.note.is_none() && spec.only.is_none() {
            return Ok(Self { value: 0, note: Some(1), only: None });
        }
        let (line, head) = rows.next().ok_or_else(|| FileFault::whole(&spec.file, "no row, not even a head"))??;
        let head = fields(head).unwrap_or_default();
        let place = |column: &str| {
            let missing = || {
                let all: Vec<&str> = head.iter().map(|name| &**name).collect();
                FileFault::at(&spec.file, line, format!("no column `{column}`; the head names {}", all.join(", ")))
            };
            head.iter().position(|name| name == column).ok_or_else(missing)
        };
        Ok(Self {
            value: spec.column.as_deref().map_or(Ok(0), place)?,
            note: spec.note.as_deref().map(place).transpose()?,
            only: spec.only.as_ref().map(|only| Ok((place(&only.column)?, &only.is[..]))).transpose()?,
        })
    }

    fn is_meant(&self, row: &[std::borrow::Cow<'_, str>]) -> bool {
        self.only.is_none_or(|(at, values)| row.get(at).is_some_and(|value| values.iter().any(|one| one == value)))
    }
}
