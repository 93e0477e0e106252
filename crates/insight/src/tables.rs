//! Where an address belongs: its autonomous system and country, from tables that the operator names.
//!
//! We ship no such table and fetch none: who may use which table is between the operator and its publisher. A table
//! is an MMDB file (GeoLite2, IPinfo and their kin) or CSV with a header, `network,asn,as_name,country` or
//! `first,last,asn,as_name,country`. A table with one bad row is refused whole, because a report that goes to the
//! wrong network does harm. Looking up is pure: nothing is resolved, asked or guessed.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Digest;
use model::address::{Asn, Country};

mod mmdb;
mod ranges;
mod rows;
#[cfg(test)]
mod tests;

/// The demo's table of 127.0.0.0/8: made-up networks, numbers from RFC 5398.
pub const DEMO: &str = include_str!("../tables/demo.csv");

//----------- Tables -----------------------------------------------------------------------------------------------

/// All tables that the operator named, and the digest of their bytes.
#[derive(Default)]
pub struct Tables {
    tables: Vec<Table>,
    digests: Vec<Digest>,
}

/// What the tables say of an address. Where they say nothing, nothing is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    pub asn: Option<Asn>,
    pub as_name: Option<Arc<str>>,
    pub country: Option<Country>,
}

enum Table {
    Ranges(ranges::Ranges),
    Mmdb(mmdb::Mmdb),
}

/// How large a table may be: a planet's ASN or country table with room to spare.
#[derive(Clone, Copy, Debug)]
pub struct TableLimits {
    pub octets_max: u64,
    /// Networks in one CSV table, after ranges were cut into prefixes.
    pub networks_max: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self { octets_max: 512 << 20, networks_max: 4_000_000 }
    }
}

impl Tables {
    /// No table: every origin is unknown.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The table that the demo uses: see `tables/demo.csv`.
    pub fn demo() -> Self {
        let mut tables = Self::empty();
        tables.add("demo.csv", DEMO.as_bytes().to_vec(), TableLimits::default()).expect("our own table is well formed");
        tables
    }

    /// Reads the files that the operator named. Where two say different things of one address, the longer prefix
    /// wins, and at equal length the file named first.
    pub fn load(files: &[PathBuf]) -> Result<Self, TableError> {
        let mut tables = Self::empty();
        for file in files {
            let bytes = read_bounded(file, TableLimits::default())?;
            tables.add(&file.display().to_string(), bytes, TableLimits::default())?;
        }
        Ok(tables)
    }

    /// Adds a table from its bytes; which of the two forms it has, its bytes say.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>, limits: TableLimits) -> Result<(), TableError> {
        check_size(name, bytes.len() as u64, limits)?;
        let digest = Digest::of_bytes(&bytes);
        let table = if mmdb::is_mmdb(&bytes) {
            Table::Mmdb(mmdb::Mmdb::read(name, bytes)?)
        } else {
            Table::Ranges(rows::read(name, &bytes, limits.networks_max)?)
        };
        self.tables.push(table);
        self.digests.push(digest);
        Ok(())
    }

    pub fn origin(&self, address: IpAddr) -> Origin {
        let mut found: Vec<(u8, Origin)> = self.tables.iter().filter_map(|table| table.find(address)).collect();
        found.sort_by_key(|(len, _)| Reverse(*len));
        let system = found.iter().map(|(_, origin)| origin).find(|origin| origin.asn.is_some());
        Origin {
            asn: system.and_then(|origin| origin.asn),
            as_name: system.and_then(|origin| origin.as_name.clone()),
            country: found.iter().find_map(|(_, origin)| origin.country),
        }
    }

    /// The digest of all tables in their order: with the rules' version it is the generation of a verdict.
    pub fn digest(&self) -> Digest {
        let tables = self.digests.iter().map(|digest| digest.0.as_slice());
        Digest::of_parts(std::iter::once(b"bailiwick tables v1\0".as_slice()).chain(tables))
    }
}

impl Table {
    /// The length of the longest prefix that holds the address, and what stands there.
    fn find(&self, address: IpAddr) -> Option<(u8, Origin)> {
        match self {
            Self::Ranges(ranges) => ranges.find(address),
            Self::Mmdb(mmdb) => mmdb.find(address),
        }
    }
}

fn read_bounded(file: &Path, limits: TableLimits) -> Result<Vec<u8>, TableError> {
    let name = file.display().to_string();
    let unreadable = |source| TableError::Read { file: name.clone(), source };
    let octets = std::fs::metadata(file).map_err(unreadable)?.len();
    check_size(&name, octets, limits)?;
    std::fs::read(file).map_err(unreadable)
}

fn check_size(name: &str, octets: u64, limits: TableLimits) -> Result<(), TableError> {
    let octets_max = limits.octets_max;
    if octets > octets_max { Err(TableError::TooLarge { file: name.into(), octets, octets_max }) } else { Ok(()) }
}

//----------- TableError -------------------------------------------------------------------------------------------

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("reading table {file}")]
    Read { file: String, source: std::io::Error },
    #[error("{file}:{line}: {what}\nhint: {hint}")]
    Row { file: String, line: u64, what: String, hint: &'static str },
    #[error("{file}: more than {networks_max} networks\nhint: use an MMDB file, or a table of fewer networks")]
    TooManyNetworks { file: String, networks_max: usize },
    #[error("{file}: {octets} octets, and a table has at most {octets_max}")]
    TooLarge { file: String, octets: u64, octets_max: u64 },
    #[error("{file}: the MMDB file is damaged\nhint: fetch it again, and check it with its publisher's checksum")]
    Mmdb { file: String, source: Box<maxminddb::MaxMindDbError> },
}
