//! Looks for secrets in everything that the daemon left behind, decoded: journal frames, Parquet cells, SQLite rows
//! with their write-ahead log, the vault, exports, logs. Nothing is skipped for its name; what has no decoder of its
//! own is read as bytes.

use std::path::{Path, PathBuf};

use model::frame::{Fields, Value};
use store::journal::{Frame, read_all};

use super::needle::Search;
use crate::failure::{Failure, Tried};
use crate::on_disk::JOURNAL;

/// Bytes of a file that are looked at at once, and how many of them are looked at again with the next ones, so that
/// no secret hides on a border. The longest form of a password is six octets for each of its characters.
const CHUNK: usize = 4 << 20;
const OVERLAP: usize = 4 << 10;

/// Looks through the folder of a demo, apart from the callers' own books.
pub(crate) fn scan(root: &Path, apart_from: &Path, search: &mut Search) -> Result<(), Failure> {
    for file in files(root)? {
        if !file.starts_with(apart_from) {
            scan_file(root, &file, search)?;
        }
    }
    journal_fields(&root.join("data").join(JOURNAL), search)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).tried(format_args!("reading {}", folder.display()))? {
            let entry = entry.tried(format_args!("reading {}", folder.display()))?;
            let kind = entry.file_type().tried(format_args!("reading {}", folder.display()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn scan_file(root: &Path, file: &Path, search: &mut Search) -> Result<(), Failure> {
    let place = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let reading = || format!("looking through {place}");
    raw(file, &place, search)?;
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => store::archive::each_cell(file, &mut |cell| decoded(cell, &place, search)).tried(reading()),
        Some("sqlite") => store::ledger::each_cell(file, &mut |cell| decoded(cell, &place, search)).tried(reading()),
        Some("json") => {
            decoded(&std::fs::read(file).tried(reading())?, &place, search);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The bytes, and if they are JSON every string in it as it was before it was escaped.
fn decoded(bytes: &[u8], place: &str, search: &mut Search) {
    search.look(place, bytes);
    if matches!(bytes.first(), Some(b'{' | b'[' | b'"'))
        && let Ok(value) = serde_json::from_slice(bytes)
    {
        strings(&value, &mut |text| search.look(place, text.as_bytes()));
    }
}

fn strings(value: &serde_json::Value, each: &mut dyn FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => each(text),
        serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, each)),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            each(name);
            strings(value, each);
        }),
        _ => {}
    }
}

/// The bytes as they lie there.
fn raw(file: &Path, place: &str, search: &mut Search) -> Result<(), Failure> {
    use std::io::Read;
    let mut reader = std::fs::File::open(file).tried(format_args!("opening {place}"))?;
    let mut window = Vec::with_capacity(CHUNK + OVERLAP);
    loop {
        let kept = window.len();
        let read =
            reader.by_ref().take(CHUNK as u64).read_to_end(&mut window).tried(format_args!("reading {place}"))?;
        search.look(place, &window);
        if read == 0 {
            return Ok(());
        }
        let from = (kept + read).saturating_sub(OVERLAP);
        window.drain(..from);
    }
}

/// Every field of every frame, apart from its neighbours: a frame whose bytes look like nothing has fields all the same.
fn journal_fields(journal: &Path, search: &mut Search) -> Result<(), Failure> {
    let mut payload = Vec::new();
    read_all(journal, &mut |frame| {
        payload.clear();
        match &frame {
            Frame::Contact(contact) => contact.encode(&mut payload),
            Frame::Outcome(outcome) => outcome.encode(&mut payload),
            Frame::Counts(counts) => counts.encode(&mut payload),
            Frame::Clock(_) => {}
        }
        for (_, value) in Fields::new(&payload).flatten() {
            if let Value::Bytes(bytes) = value {
                search.look("a journal frame", bytes);
            }
        }
    })
    .tried(format_args!("reading the journal in {}", journal.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_on_the_border_of_two_chunks_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large");
        for at in [0, CHUNK - 7, CHUNK, 2 * CHUNK - OVERLAP, 2 * CHUNK + 100] {
            let mut bytes = vec![b'.'; 2 * CHUNK + 200];
            bytes[at..at + 14].copy_from_slice(b"correct&horse1");
            std::fs::write(&file, bytes).unwrap();
            let mut search = Search::new(&["correct&horse1".to_owned()]);
            raw(&file, "large", &mut search).unwrap();
            assert_eq!(search.found().len(), 1, "at {at}");
        }
    }
}
