//! The manifest of a backup: what it holds, octet by octet, and who says so.
//!
//! ```text
//! bailiwick backup v1
//! {"kind":"data","made":"…","program":"…","sensor":1,"boot":3,"facts":"1234","files":17,"octets":"123456"}
//! <sha256>  <octets>  data/ledger.sqlite
//! …
//! whole <sha256 of all lines above>
//!
//! — log.example.org/sinkhole …          the ledger's key, where there is one
//! ```
//!
//! The last line finds a flipped bit without any key; the signature says whose backup it is.

use std::path::{Component, Path};

use model::id::Position;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::log::{SigningKey, VerifyingKey};

/// The manifest's name within a backup.
pub(super) const MANIFEST: &str = "manifest";
/// No log can be called so.
const TITLE: &str = "bailiwick backup v1";
/// The largest manifest that is read: some two million files.
pub(super) const MANIFEST_OCTETS_MAX: u64 = 256 << 20;

/// What was backed up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Data,
    Keys,
}

/// What a manifest says of the whole.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub kind: Kind,
    pub made: Timestamp,
    /// The release that made it.
    pub program: String,
    pub sensor: u32,
    pub boot: u32,
    /// Facts from this position on are not in it.
    pub facts: Position,
    pub files: u64,
    pub octets: u64,
}

/// One file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) octets: u64,
    pub(super) sha256: Digest,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Manifest {
    pub(super) head: Head,
    pub(super) entries: Vec<Entry>,
}

impl Manifest {
    /// As it is written, signed if there is a key.
    pub(super) fn to_text(&self, key: Option<&SigningKey>) -> String {
        let head = serde_json::to_string(&self.head).expect("a head is plain JSON");
        let mut text = format!("{TITLE}\n{head}\n");
        for Entry { path, octets, sha256 } in &self.entries {
            text.push_str(&format!("{sha256}  {octets}  {path}\n"));
        }
        let whole = format!("whole {}\n", Digest::of_bytes(text.as_bytes()));
        text.push_str(&whole);
        key.map_or(text.clone(), |key| key.sign(&text))
    }

    /// Reads one, with its signature if a key is given.
    pub(super) fn parse(place: &Path, note: &str, key: Option<&VerifyingKey>) -> Result<Self, BackupError> {
        let no_backup = |why: &str| BackupError::NoBackup { place: place.to_owned(), why: why.to_owned() };
        let text = match note.split_once("\n\n") {
            Some((text, _)) => &note[..=text.len()],
            None => note,
        };
        let (lines, whole) = text.trim_end().rsplit_once('\n').ok_or_else(|| no_backup("its manifest is too short"))?;
        let lines = &text[..=lines.len()];
        if whole.strip_prefix("whole ") != Some(&Digest::of_bytes(lines.as_bytes()).to_string()) {
            return Err(no_backup("its manifest was changed or cut: it does not have the digest of its last line"));
        }
        if let Some(key) = key {
            key.open(note).map_err(|cause| BackupError::Note { place: place.to_owned(), cause })?;
        }
        let mut lines = lines.lines();
        if lines.next() != Some(TITLE) {
            return Err(no_backup("its manifest is of another kind or a later release"));
        }
        let head = lines.next().and_then(|line| serde_json::from_str(line).ok());
        let head = head.ok_or_else(|| no_backup("its manifest has no head"))?;
        let entries: Option<Vec<Entry>> = lines.map(entry).collect();
        let entries = entries.ok_or_else(|| no_backup("a line of its manifest names no file of a backup"))?;
        Ok(Self { head, entries })
    }
}

fn entry(line: &str) -> Option<Entry> {
    let mut parts = line.splitn(3, "  ");
    let (sha256, octets, path) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    is_within(path).then(|| Entry { path: path.to_owned(), octets, sha256 })
}

/// A path that leads out of the backup is none.
fn is_within(path: &str) -> bool {
    let roots = ["data", "config", "keys"];
    let mut parts = Path::new(path).components();
    let is_ours = matches!(parts.next(), Some(Component::Normal(first)) if roots.iter().any(|root| first == *root));
    is_ours && parts.clone().next().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let head = Head {
            kind: Kind::Data,
            made: "2026-03-20T12:00:00Z".parse().unwrap(),
            program: "0.1.0".into(),
            sensor: 1,
            boot: 3,
            facts: Position(12),
            files: 1,
            octets: 2,
        };
        let entries = vec![Entry { path: "data/format".into(), octets: 2, sha256: Digest::of_bytes(b"1\n") }];
        Manifest { head, entries }
    }

    #[test]
    fn a_manifest_comes_back_and_every_flipped_octet_is_found() {
        let key = SigningKey::from_seed(Some("log.example.org/b"), [7; 32]).unwrap();
        let place = Path::new("b");
        let text = manifest().to_text(Some(&key));
        insta::assert_snapshot!(text);
        assert_eq!(Manifest::parse(place, &text, Some(key.verifying())).unwrap(), manifest());
        assert_eq!(Manifest::parse(place, &manifest().to_text(None), None).unwrap(), manifest());
        assert!(Manifest::parse(place, &manifest().to_text(None), Some(key.verifying())).is_err());
        for at in 0..text.len() {
            let mut octets = text.clone().into_bytes();
            octets[at] ^= 1;
            let Ok(spoilt) = String::from_utf8(octets) else { continue };
            assert!(Manifest::parse(place, &spoilt, Some(key.verifying())).is_err(), "{at}: {spoilt}");
        }
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for bad in ["/etc/passwd", "data/../x", "../data/x", "data", "other/x", "", "data/./../../x"] {
            assert!(!is_within(bad), "{bad}");
        }
        assert!(is_within("data/archive/contacts/day=2026-03-20/a.parquet"));
    }
}
