//! A table as text: one network or range per row, refused at its first bad row.

use std::sync::Arc;

use csv::StringRecord;
use model::address::{Asn, Prefix};

use super::ranges::{Ranges, prefixes};
use super::{Origin, TableError};

const BY_NETWORK: [&str; 4] = ["network", "asn", "as_name", "country"];
const BY_RANGE: [&str; 5] = ["first", "last", "asn", "as_name", "country"];

pub(super) fn read(file: &str, bytes: &[u8], networks_max: usize) -> Result<Ranges, TableError> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|error| unreadable(file, &error))?.clone();
    let by_range = header == BY_RANGE[..];
    if !by_range && header != BY_NETWORK[..] {
        return Err(Fault::new("the header is not one of a table", HEADER_HINT).at(file, 1));
    }
    let mut ranges = Ranges::default();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(file, &error))?;
        let line = line_of(bytes, row.position());
        add(&mut ranges, &row, line, header.len(), by_range).map_err(|fault| fault.at(file, line))?;
        if ranges.len() > networks_max {
            return Err(TableError::TooManyNetworks { file: file.into(), networks_max });
        }
    }
    Ok(ranges)
}

/// The line of a row. The reader's own position is that of the remarks and empty lines before it.
fn line_of(bytes: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let from = usize::try_from(position.byte()).unwrap_or(bytes.len());
    let lines = bytes.get(from..).unwrap_or_default().split(|byte| *byte == b'\n');
    let skipped = lines.take_while(|line| line.is_empty() || *line == b"\r" || line.starts_with(b"#")).count();
    position.line() + skipped as u64
}

fn add(ranges: &mut Ranges, row: &StringRecord, line: u64, columns: usize, by_range: bool) -> Result<(), Fault> {
    if row.len() != columns {
        return Err(Fault::new(format!("{} columns where the header has {columns}", row.len()), COLUMNS_HINT));
    }
    let field = |column: usize| row.get(columns - 3 + column).unwrap_or_default();
    let origin = origin(field(0), field(1), field(2))?;
    for network in networks(row, by_range)? {
        ranges.add(network, line, origin.clone()).map_err(|earlier| {
            Fault::new(format!("{network} stands in line {earlier} already"), "one network has one row")
        })?;
    }
    Ok(())
}

fn networks(row: &StringRecord, by_range: bool) -> Result<Vec<Prefix>, Fault> {
    if !by_range {
        let network = row[0].parse().map_err(|error| Fault::new(format!("`{}`: {error}", &row[0]), NETWORK_HINT))?;
        return Ok(vec![network]);
    }
    let address = |text: &str| text.parse().map_err(|_| Fault::new(format!("`{text}` is no address"), RANGE_HINT));
    prefixes(address(&row[0])?, address(&row[1])?)
        .ok_or_else(|| Fault::new(format!("{} to {} is no range", &row[0], &row[1]), RANGE_HINT))
}

/// The three columns about the network; an empty one says that it is not known.
fn origin(asn: &str, as_name: &str, country: &str) -> Result<Origin, Fault> {
    let asn = match asn {
        "" => None,
        text => Some(parse_asn(text).ok_or_else(|| Fault::new(format!("`{text}` is no AS number"), ASN_HINT))?),
    };
    let country = match country {
        "" => None,
        text => Some(text.parse().map_err(|error| Fault::new(format!("`{text}`: {error}"), COUNTRY_HINT))?),
    };
    let as_name = (!as_name.is_empty()).then(|| Arc::from(as_name));
    Ok(Origin { asn, as_name, country })
}

/// `64496` or `AS64496`.
pub(super) fn parse_asn(text: &str) -> Option<Asn> {
    text.strip_prefix("AS").unwrap_or(text).parse().ok().map(Asn)
}

//----------- Fault ------------------------------------------------------------------------------------------------

const HEADER_HINT: &str = "it is `network,asn,as_name,country` or `first,last,asn,as_name,country`";
const COLUMNS_HINT: &str = "an empty column is allowed, a missing one is not; a name with a comma stands in quotes";
const NETWORK_HINT: &str = "write it as 192.0.2.0/24 or 2001:db8::/32, with no bit set beyond the length";
const RANGE_HINT: &str = "write first and last address of one family, the lower one first";
const ASN_HINT: &str = "write 64496 or AS64496, or leave it empty";
const COUNTRY_HINT: &str = "write two capital letters such as IR, or leave it empty";

/// What is wrong with a row; the place is added by whoever knows it.
struct Fault {
    what: String,
    hint: &'static str,
}

impl Fault {
    fn new(what: impl Into<String>, hint: &'static str) -> Self {
        Self { what: what.into(), hint }
    }

    fn at(self, file: &str, line: u64) -> TableError {
        TableError::Row { file: file.into(), line, what: self.what, hint: self.hint }
    }
}

fn unreadable(file: &str, error: &csv::Error) -> TableError {
    let line = error.position().map_or(1, csv::Position::line);
    Fault::new("the row is not UTF-8 text with commas", "save the table as UTF-8 CSV").at(file, line)
}
