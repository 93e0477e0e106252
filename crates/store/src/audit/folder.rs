//! The ledger as files for others: the tree as static tiles, and exports with some bodies beside it.
//!
//! ```text
//! checkpoint          the signed note: origin, size, root                       (tlog-checkpoint)
//! tile/…              hashes, and commitments in tile/entries/…                 (tlog-tiles)
//! facts.jsonl         one line for each fact that may be shown: whole with its salt, or only its kind
//! names/<digest>      sets of names that facts speak of
//! README.md           how to verify
//! manifest            a signed note with the SHA-256 of every other file
//! ```
//!
//! A folder of tiles alone has the first two. Whatever stands in no line of `facts.jsonl` keeps its place in the tree.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;

use model::Digest;
use model::fact::Fact;
use model::id::Position;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AuditError, Entry};
use crate::log::{SigningKey, Tiles};

pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const FACTS: &str = "facts.jsonl";
pub(super) const MANIFEST: &str = "manifest";
/// The first line of a manifest: no log can be called so, so it is never taken for a checkpoint.
pub(super) const MANIFEST_TITLE: &str = "bailiwick export v1";

/// A line of `facts.jsonl`: a fact whole with its salt, or only its kind.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    pub(super) position: Position,
    /// Nobody but the exporter stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Digest>,
    /// Canonical JSON, octet for octet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fact: Option<Box<RawValue>>,
}

impl Disclosed {
    /// The fact, and what proves it.
    pub fn whole(entry: &Entry) -> Self {
        let fact = RawValue::from_string(entry.text.clone()).expect("a fact that was read is JSON");
        Self { position: entry.fact.position, kind: None, salt: Some(Digest(entry.salt)), fact: Some(fact) }
    }

    /// That there is a fact of that kind.
    pub fn kind(entry: &Entry) -> Self {
        Self { position: entry.fact.position, kind: Some(entry.kind.clone()), salt: None, fact: None }
    }

    /// The fact that is shown, and the commitment over it; `None` if only its kind is.
    ///
    /// # Errors
    /// If the line is neither.
    pub(super) fn shown(&self) -> Result<Option<(&str, Digest)>, ()> {
        match (&self.kind, &self.salt, &self.fact) {
            (Some(_), None, None) => Ok(None),
            (None, Some(salt), Some(fact)) => {
                Ok(Some((fact.get(), Fact::commitment_over(&salt.0, fact.get().as_bytes()))))
            }
            _ => Err(()),
        }
    }
}

/// What an export consists of.
#[derive(Debug)]
pub struct Export {
    pub profile: &'static str,
    pub checkpoint: String,
    pub commitments: Vec<Digest>,
    pub facts: Vec<Disclosed>,
    /// Other files, by their paths.
    pub files: Vec<(String, Vec<u8>)>,
}

//----------- Writing ----------------------------------------------------------------------------------------------

/// Writes the tree as it stands into a folder, which may hold an older state of the same tree. The checkpoint comes last.
pub fn write_tiles(folder: &Path, checkpoint: &str, commitments: Vec<Digest>) -> Result<(), AuditError> {
    for (path, octets) in Tiles::new(commitments).files() {
        write(&folder.join(path), &octets)?;
    }
    write(&folder.join(CHECKPOINT), checkpoint.as_bytes())
}

/// Writes an export into a folder that is new or empty.
pub fn write_export(folder: &Path, export: Export, key: &SigningKey) -> Result<(), AuditError> {
    fs::create_dir_all(folder).map_err(AuditError::io("making", folder))?;
    let mut entries = fs::read_dir(folder).map_err(AuditError::io("listing", folder))?;
    if entries.next().is_some() {
        let not_empty = std::io::Error::other("it holds files already");
        return Err(AuditError::io("exporting into", folder)(not_empty));
    }
    let Export { profile, checkpoint, commitments, facts, files } = export;
    write_tiles(folder, &checkpoint, commitments)?;
    let lines: String =
        facts.iter().map(|fact| serde_json::to_string(fact).expect("a line is plain JSON") + "\n").collect();
    write(&folder.join(FACTS), lines.as_bytes())?;
    for (path, octets) in files {
        write(&folder.join(path), &octets)?;
    }
    let mut manifest = format!("{MANIFEST_TITLE}\n{}\nprofile {profile}\n", key.verifying().name());
    for path in list(folder)? {
        let octets = read(&folder.join(&path), u64::MAX)?;
        manifest.push_str(&format!("{}  {path}\n", Digest::of_bytes(&octets)));
    }
    write(&folder.join(MANIFEST), key.sign(&manifest).as_bytes())
}

/// Readers see a file whole or not at all.
fn write(path: &Path, octets: &[u8]) -> Result<(), AuditError> {
    let within = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(within).map_err(AuditError::io("making", within))?;
    let draft = path.with_extension("new");
    let file = File::create(&draft).map_err(AuditError::io("making", &draft))?;
    let mut file = BufWriter::new(file);
    file.write_all(octets).and_then(|()| file.flush()).map_err(AuditError::io("writing", &draft))?;
    fs::rename(&draft, path).map_err(AuditError::io("renaming to", path))
}

//----------- Reading ----------------------------------------------------------------------------------------------

/// Every file below the folder by its path within, in order.
pub(super) fn list(folder: &Path) -> Result<Vec<String>, AuditError> {
    let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(within) = folders.pop() {
        let path = folder.join(&within);
        for entry in fs::read_dir(&path).map_err(AuditError::io("listing", &path))? {
            let entry = entry.map_err(AuditError::io("listing", &path))?;
            let name = format!("{within}{}", entry.file_name().to_string_lossy());
            match entry.file_type().map_err(AuditError::io("looking at", &entry.path()))?.is_dir() {
                true => folders.push(name + "/"),
                false => found.push(name),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A file of at most so many octets.
pub(super) fn read(path: &Path, octets_max: u64) -> Result<Vec<u8>, AuditError> {
    let file = File::open(path).map_err(AuditError::io("opening", path))?;
    let mut octets = Vec::new();
    file.take(octets_max.saturating_add(1)).read_to_end(&mut octets).map_err(AuditError::io("reading", path))?;
    if octets.len() as u64 > octets_max {
        let too_long = std::io::Error::other(format!("it has more than {octets_max} octets"));
        return Err(AuditError::io("reading", path)(too_long));
    }
    Ok(octets)
}

pub(super) fn read_text(path: &Path, octets_max: u64) -> Result<String, AuditError> {
    let no_text = |_| AuditError::io("reading", path)(std::io::Error::other("it is no text"));
    String::from_utf8(read(path, octets_max)?).map_err(no_text)
}
