//! What others have seen of names, from files that they hand over: passive DNS ([`cof`]), registration data ([`rdap`]) and
//! certificates ([`ct`]).
//!
//! Readers are functions of octets. Every file is hostile: it has a size, each line and each answer has one, and what does not
//! fit is told with file and line. Names that are no domain names in our sense are counted and passed over.

use std::fmt;

pub mod cof;
pub mod ct;
pub mod rdap;
pub(crate) mod rows;
pub(crate) mod values;

/// The largest file that is read.
pub const FILE_OCTETS_MAX: usize = 256 << 20;
/// The longest line or answer.
pub const RECORD_OCTETS_MAX: usize = 1 << 20;
/// The most records of one file.
pub const RECORDS_MAX: usize = 20_000_000;
/// The most that is said of a fault: a reader's words may quote what they could not read.
pub const WHAT_CHARS_MAX: usize = 400;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileFault {
    pub file: String,
    /// Counted from 1; `None`: the file as a whole.
    pub line: Option<usize>,
    pub what: String,
}

impl FileFault {
    pub fn whole(file: &str, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, what: cut(what.into()) }
    }

    pub fn at(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: Some(line), what: cut(what.into()) }
    }
}

fn cut(what: String) -> String {
    match what.char_indices().nth(WHAT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &what[..end]),
        None => what,
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for FileFault {}

/// How much of a file was taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Taken {
    pub records: u64,
    /// Records about what is no domain name, or of a kind that nobody here asks about.
    pub passed_over: u64,
}

pub(crate) fn text_of<'o>(file: &str, octets: &'o [u8]) -> Result<&'o str, FileFault> {
    if octets.len() > FILE_OCTETS_MAX {
        return Err(FileFault::whole(file, format!("{} octets; at most {FILE_OCTETS_MAX} are read", octets.len())));
    }
    std::str::from_utf8(octets).map_err(|error| {
        let line = 1 + octets[..error.valid_up_to()].iter().filter(|octet| **octet == b'\n').count();
        FileFault::at(file, line, "not UTF-8 text")
    })
}

/// The lines that say something, with their numbers. `#` begins a comment where the format has such.
pub(crate) fn lines<'t>(
    file: &'t str,
    text: &'t str,
) -> impl Iterator<Item = Result<(usize, &'t str), FileFault>> + 't {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).enumerate().map(|(count, (at, line))| {
        if line.len() > RECORD_OCTETS_MAX {
            return Err(FileFault::at(
                file,
                at,
                format!("a line of {} octets; at most {RECORD_OCTETS_MAX}", line.len()),
            ));
        }
        if count >= RECORDS_MAX {
            return Err(FileFault::at(file, at, format!("more than {RECORDS_MAX} records")));
        }
        Ok((at, line))
    })
}

/// A time as these files write it: seconds since 1970.
pub(crate) fn instant(secs: i64) -> Option<model::Timestamp> {
    model::Timestamp::from_second(secs).ok()
}

#[cfg(test)]
mod tests;
