//! A folder that somebody was given, verified with nothing but a key: no database, no clock, no network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::Digest;

use super::folder::{CHECKPOINT, Disclosed, FACTS, MANIFEST, MANIFEST_TITLE, list, read, read_text};
use super::{Anchor, AuditError, Report, Walk};
use crate::log::{Tiles, VerifyingKey, place_of};

/// The largest checkpoint and manifest, in octets: a million files are listed in less.
const NOTE_OCTETS_MAX: u64 = 256 << 20;
/// A full tile of hashes has 8,192 octets, a full bundle of commitments 8,704.
const TILE_OCTETS_MAX: u64 = 8_704;
/// The largest `facts.jsonl`, in octets.
const FACTS_OCTETS_MAX: u64 = 2 << 30;
/// An entry in a bundle: two octets of length, and a commitment.
const ENTRY_OCTETS: usize = 34;

/// Verifies an export or a folder of tiles: every file, every fact that is shown, the tree, its signature, and the
/// anchors.
///
/// # Errors
/// If files cannot be read, or the checkpoint is not signed by the key.
pub fn verify_folder(folder: &Path, key: &VerifyingKey, anchors: &[Anchor]) -> Result<Report, AuditError> {
    let own = Anchor::read(&folder.join(CHECKPOINT), key)?;
    let files = list(folder)?;
    let commitments = commitments(folder, &files)?;
    let mut walk = Walk::new(anchors.iter().chain([&own]));
    commitments.iter().for_each(|commitment| walk.step(commitment));
    let mut report = walk.finish();
    report.anchors = anchors.len();
    key.name().clone_into(&mut report.origin);
    if report.size > own.checkpoint.size {
        report.fault(None, format!("entries from position {} on are in no checkpoint", own.checkpoint.size));
    }
    let tiles = Tiles::new(commitments);
    check_tiles(folder, &files, &tiles, &mut report)?;
    if files.iter().any(|file| file == FACTS) {
        check_facts(&folder.join(FACTS), &tiles, &mut report)?;
    }
    check_list(folder, &files, key, &mut report)?;
    Ok(report)
}

/// The entries of the bundles, the widest of each, in order.
fn commitments(folder: &Path, files: &[String]) -> Result<Vec<Digest>, AuditError> {
    let mut widest: BTreeMap<usize, (usize, &String)> = BTreeMap::new();
    for file in files {
        if let Some(("entries", n, width)) = place_of(file) {
            let known = widest.entry(n).or_insert((width, file));
            *known = (width, file).max(*known);
        }
    }
    let mut commitments = Vec::new();
    for (_, file) in widest.values() {
        let octets = read(&folder.join(file), TILE_OCTETS_MAX)?;
        // An entry that is not 32 octets long is none of ours: what is read instead is not what was signed.
        let entry = |entry: &[u8]| Digest(*entry.last_chunk().expect("an entry has its length"));
        commitments.extend(octets.chunks_exact(ENTRY_OCTETS).map(entry));
    }
    Ok(commitments)
}

/// Each file of tiles is what the entries make of it, and each that the size needs is there.
fn check_tiles(folder: &Path, files: &[String], tiles: &Tiles, report: &mut Report) -> Result<(), AuditError> {
    let there: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    for (path, _) in tiles.files().filter(|(path, _)| !there.contains(path.as_str())) {
        report.fault(None, format!("{path} is missing"));
    }
    for file in files.iter().filter(|file| file.starts_with("tile/")) {
        let octets = read(&folder.join(file), TILE_OCTETS_MAX)?;
        if tiles.file(file) != Some(octets) {
            report.fault(None, format!("{file} is not what the entries make of it"));
        }
    }
    Ok(())
}

/// Each fact that is shown has the commitment that stands in the tree.
fn check_facts(file: &Path, tiles: &Tiles, report: &mut Report) -> Result<(), AuditError> {
    let text = read_text(file, FACTS_OCTETS_MAX)?;
    let mut next = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let read = serde_json::from_str::<Disclosed>(line);
        let Some((position, shown)) = read.as_ref().ok().and_then(|line| Some((line.position.0, line.shown().ok()?)))
        else {
            report.fault(None, format!("line {number} of {FACTS} is no fact"));
            continue;
        };
        let leaf = usize::try_from(position).ok().and_then(|at| tiles.leaves().get(at));
        if position < next || leaf.is_none() {
            report.fault(Some(position), format!("line {number} of {FACTS} is out of order, or beyond the tree"));
        }
        next = position + 1;
        let Some((fact, commitment)) = shown else { continue };
        report.with_body += 1;
        if leaf != Some(&crate::log::leaf(&commitment.0)) || !is_of(fact, position) {
            report.fault(Some(position), "what is shown is not what was committed to at that position");
        }
    }
    Ok(())
}

/// Whether the fact speaks of itself as being there: it cannot be shown at another's place.
fn is_of(fact: &str, position: u64) -> bool {
    #[derive(serde::Deserialize)]
    struct Place {
        position: u64,
    }
    serde_json::from_str::<Place>(fact).is_ok_and(|place| place.position == position)
}

/// Every file is one that the exporter signed for. A folder of tiles has no list, and nothing but tiles.
fn check_list(folder: &Path, files: &[String], key: &VerifyingKey, report: &mut Report) -> Result<(), AuditError> {
    let other = |file: &&String| !file.starts_with("tile/") && ![CHECKPOINT, MANIFEST].contains(&file.as_str());
    if !files.iter().any(|file| file == MANIFEST) {
        for file in files.iter().filter(other) {
            report.fault(None, format!("{file} is no part of a folder of tiles, and there is no signed list of files"));
        }
        return Ok(());
    }
    let place = folder.join(MANIFEST);
    let note = read_text(&place, NOTE_OCTETS_MAX)?;
    let at = |cause| AuditError::Manifest { place: place.display().to_string(), cause };
    let mut lines = key.open(&note).map_err(at)?.lines();
    if lines.next() != Some(MANIFEST_TITLE) || lines.next() != Some(key.name()) {
        report.fault(None, format!("{MANIFEST} is no list of files of this log"));
    }
    let listed: BTreeMap<&str, &str> =
        lines.filter_map(|line| line.split_once("  ")).map(|(d, path)| (path, d)).collect();
    let there: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    for path in listed.keys().filter(|path| !there.contains(*path)) {
        report.fault(None, format!("{path} is missing"));
    }
    for file in files.iter().filter(|file| *file != MANIFEST) {
        let digest = Digest::of_bytes(&read(&folder.join(file), FACTS_OCTETS_MAX)?).to_string();
        match listed.get(file.as_str()) {
            Some(signed) if **signed == digest => {}
            Some(_) => report.fault(None, format!("{file} is not the file that was exported")),
            None => report.fault(None, format!("{file} was not exported")),
        }
    }
    Ok(())
}
