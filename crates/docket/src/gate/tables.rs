//! The operator's tables: which files there are, what each is, and as of when.
//!
//! A folder of tables has a `gate.toml` that says it. Whoever asks hands all of them over in one [`Bundle`], so that what was
//! looked into is exactly what the report names by digest.

use model::Digest;
pub use model::gate::TableKind;
use model::gate::TableSeen;
use model::name::DomainName;
use model::time::Date;
use serde::{Deserialize, Serialize};

use crate::observed::{FileFault, Taken, text_of};

use super::history::History;
use super::report::Coverage;
use super::root::Root;
use super::table::NameTable;

/// What says which files there are.
pub(super) const MANIFEST: &str = "gate.toml";
/// The most files of one bundle.
const FILES_MAX: usize = 64;
/// The most octets of one bundle.
pub const TABLES_OCTETS_MAX: usize = 256 << 20;

//----------- TableSpec --------------------------------------------------------------------------------------------

/// One file, as `gate.toml` says it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TableSpec {
    pub is: TableKind,
    /// Relative to the folder.
    pub file: String,
    /// As of when.
    pub date: Option<String>,
    /// The column of names, addresses or networks; the first, without a head, if nothing is said.
    pub column: Option<String>,
    /// The column that is quoted as evidence; the second, where there is no head.
    pub note: Option<String>,
    /// Only rows with one of these values in that column.
    pub only: Option<Only>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    pub column: String,
    pub is: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(default)]
    table: Vec<TableSpec>,
}

/// The files that a `gate.toml` names.
pub fn specs(text: &str) -> Result<Vec<TableSpec>, FileFault> {
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        FileFault { file: MANIFEST.into(), line, what: error.message().to_owned() }
    })?;
    if manifest.table.len() > FILES_MAX {
        return Err(FileFault::whole(MANIFEST, format!("more than {FILES_MAX} tables")));
    }
    Ok(manifest.table)
}

//----------- Bundle -----------------------------------------------------------------------------------------------

/// Files on their way to the gate: a line of JSON that says their names and lengths, then one after the other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bundle(pub Vec<(String, Vec<u8>)>);

impl Bundle {
    pub fn to_bytes(&self) -> Vec<u8> {
        let head: Vec<(&str, usize)> = self.0.iter().map(|(name, octets)| (&**name, octets.len())).collect();
        let mut bytes = serde_json::to_vec(&head).expect("names and lengths are plain JSON");
        bytes.push(b'\n');
        self.0.iter().for_each(|(_, octets)| bytes.extend_from_slice(octets));
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, FileFault> {
        let fault = |what: &str| FileFault::whole("the bundle of tables", what);
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        if bytes.len() > TABLES_OCTETS_MAX {
            return Err(fault("has more octets than the gate takes"));
        }
        let end = bytes.iter().position(|octet| *octet == b'\n').ok_or_else(|| fault("has no head"))?;
        let head: Vec<(String, usize)> = serde_json::from_slice(&bytes[..end])
            .map_err(|_| fault("has a head that is no list of names and lengths"))?;
        if head.len() > FILES_MAX {
            return Err(fault("holds too many files"));
        }
        let (mut files, mut rest) = (Vec::new(), &bytes[end + 1..]);
        for (name, len) in head {
            let octets = rest.get(..len).ok_or_else(|| fault("is shorter than its head says"))?;
            rest = &rest[len..];
            files.push((name, octets.to_vec()));
        }
        if rest.is_empty() { Ok(Self(files)) } else { Err(fault("is longer than its head says")) }
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(file, _)| file == name).map(|(_, octets)| &octets[..])
    }
}

//----------- Tables -----------------------------------------------------------------------------------------------

/// All that a run looks into.
pub struct Tables {
    pub(super) names: Vec<(TableKind, NameTable)>,
    pub(super) root: Root,
    observed: Vec<(TableKind, TableSeen, Vec<u8>, Taken)>,
}

impl Tables {
    /// What is shipped, and nothing of the operator's.
    pub fn shipped() -> Self {
        Self { names: Vec::new(), root: Root::shipped(), observed: Vec::new() }
    }

    /// Reads a bundle whole, or says what is wrong with the first file that is.
    pub fn read(bundle: Bundle) -> Result<Self, FileFault> {
        let mut tables = Self::shipped();
        let Some(manifest) = bundle.get(MANIFEST) else {
            let is_empty = bundle.0.is_empty();
            return if is_empty { Ok(tables) } else { Err(FileFault::whole(MANIFEST, "is not among the files")) };
        };
        for spec in specs(text_of(MANIFEST, manifest)?)? {
            let octets =
                bundle.get(&spec.file).ok_or_else(|| FileFault::whole(&spec.file, "is not among the files"))?;
            tables.take(&spec, octets)?;
        }
        Ok(tables)
    }

    fn take(&mut self, spec: &TableSpec, octets: &[u8]) -> Result<(), FileFault> {
        let date = spec.date.as_deref().map(|date| {
            date.parse::<Date>()
                .map_err(|_| FileFault::whole(MANIFEST, format!("`{date}` is no date such as 2026-11-22")))
        });
        let seen = TableSeen { file: spec.file.clone(), digest: Digest::of_bytes(octets), date: date.transpose()? };
        match spec.is {
            TableKind::Root => self.root = Root::read(seen, text_of(&spec.file, octets)?)?,
            TableKind::PassiveDns | TableKind::Rdap => {
                let taken = History::check(spec.is, &spec.file, octets)?;
                self.observed.push((spec.is, seen, octets.to_vec(), taken));
            }
            kind => self.names.push((kind, NameTable::read(spec, seen, text_of(&spec.file, octets)?)?)),
        }
        Ok(())
    }

    pub(super) fn of(&self, kind: TableKind) -> impl Iterator<Item = &NameTable> {
        self.names.iter().filter(move |(of, _)| *of == kind).map(|(_, table)| table)
    }

    /// Whether there is a table of that kind with anything in it that can be looked into.
    pub(super) fn has(&self, kind: TableKind) -> bool {
        let is_read = |taken: &Taken| taken.records > taken.passed_over;
        self.of(kind).any(|table| !table.is_empty())
            || self.observed.iter().any(|(of, _, _, taken)| *of == kind && is_read(taken))
    }

    /// What the observed files say of these names.
    pub(super) fn history<'n>(&self, names: impl Iterator<Item = &'n DomainName>) -> History {
        let mut history = History::default();
        if !self.observed.is_empty() {
            history.about(names);
        }
        for (kind, seen, octets, _) in &self.observed {
            history.take(*kind, seen, octets);
        }
        history
    }

    pub(super) fn seen(&self) -> Vec<Coverage> {
        let names = self.names.iter().map(|(kind, table)| (*kind, &table.seen, table.taken));
        let observed = self.observed.iter().map(|(kind, seen, _, taken)| (*kind, seen, *taken));
        let root = std::iter::once((TableKind::Root, &self.root.seen, self.root.taken()));
        let one = |(is, seen, taken): (TableKind, &TableSeen, Taken)| Coverage {
            is,
            seen: seen.clone(),
            rows: taken.records,
            passed_over: taken.passed_over,
        };
        root.chain(names).chain(observed).map(one).collect()
    }
}
