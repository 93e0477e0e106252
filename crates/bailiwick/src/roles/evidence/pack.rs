//! `evidence export` and `evidence exhibits`: a folder for a stranger, signed with the ledger's key.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket::evidence::pack::{Manifest, key_as_pem, readme, sums};
use docket::evidence::page::{Form, certificate, exhibits};
use model::Digest;
use model::id::CaseId;
use store::log::SigningKey;

use super::write_new;
use crate::cli::{FormWord, Place};
use crate::config::Config;
use crate::door::Door;
use crate::failure::{Done, Failure, Tried};
use crate::supervise::signing;
use crate::terminal;

/// An Ed25519 signature in a note: four octets of the key's id stand before its 64.
const ID_OCTETS: usize = 4;

/// Whom a certificate is for, in which words; without a person there is none.
type Paper<'a> = (Option<&'a str>, FormWord);

pub(super) fn run(place: &Place, case: &CaseId, folder: &Path, paper: Option<Paper<'_>>, json: bool) -> Done {
    let config = Config::load(place)?;
    let door = Door::into(&config, "evidence export")?;
    let manifest: Manifest = door.get(&format!("/cases/{case}/evidence"))?;
    if manifest.exhibits.is_empty() {
        return Err(Failure::new(format!("case {case} has no exhibit")).hint("`bailiwick evidence add` keeps one"));
    }
    let key = signing::key(&config)?;
    let files = gather(&door, case, &manifest, paper, &key)?;
    write(folder, &files, &key)?;
    if let Some(until) = manifest.sealed_until {
        terminal::say(&format!("the case is under seal until {until}: this folder names it, and goes to nobody else"));
    }
    let count = manifest.exhibits.len();
    if json {
        return terminal::json(&serde_json::json!({
            "folder": folder, "exhibits": count, "files": files.len(), "key": key.verifying().to_string(),
        }));
    }
    terminal::line(&format!("{} has {count} exhibits; README.txt says how to check it", folder.display()))?;
    terminal::say(&format!("tell whoever gets it the key by another way: {}", key.verifying()));
    Ok(())
}

fn gather(
    door: &Door,
    case: &CaseId,
    manifest: &Manifest,
    paper: Option<Paper<'_>>,
    key: &SigningKey,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    for entry in &manifest.exhibits {
        let number = entry.exhibit.number;
        let octets = super::file(door, case, number)?;
        if Digest::of_bytes(&octets) != entry.exhibit.file {
            return Err(Failure::new(format!("exhibit {number} is not what was kept")).hint("`bailiwick audit verify`"));
        }
        files.insert(entry.path.clone(), octets);
        if let Some(stamp) = &entry.stamp {
            let answer = door.get_document(&format!("/cases/{case}/exhibits/{number}/file?stamp=true"))?;
            files.insert(stamp.path.clone(), answer.body);
        }
    }
    if let Some((person, form)) = paper {
        let of = |number: u32| manifest.exhibits.iter().find(|entry| entry.exhibit.number == number);
        let page = exhibits(manifest, |number| files.get(&of(number)?.path).cloned());
        files.insert("index.html".into(), page.into_bytes());
        if let Some(person) = person {
            files.insert("certificate.html".into(), certificate(manifest, person, words(form)).into_bytes());
        }
    }
    files.insert("README.txt".into(), readme(manifest, &key.verifying().to_string()).into_bytes());
    files.insert("manifest.json".into(), manifest.canonical());
    Ok(files)
}

fn words(form: FormWord) -> Form {
    match form {
        FormWord::Fre902 => Form::Fre902,
        FormWord::Statement => Form::Statement,
    }
}

fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>, key: &SigningKey) -> Done {
    let into = || format!("writing evidence into {}", folder.display());
    std::fs::create_dir(folder).tried(into())?;
    for below in ["exhibits", "stamps"] {
        if files.keys().any(|path| path.starts_with(below)) {
            std::fs::create_dir(folder.join(below)).tried(into())?;
        }
    }
    for (path, octets) in files {
        write_new(&folder.join(path), octets)?;
    }
    let listed = sums(files.iter().map(|(path, octets)| (path.as_str(), Digest::of_bytes(octets))));
    let (signature, public) = signed(key, &listed)?;
    write_new(&folder.join("SHA256SUMS"), listed.as_bytes())?;
    write_new(&folder.join("SHA256SUMS.sig"), &signature)?;
    write_new(&folder.join("key.pem"), key_as_pem(&public).as_bytes())
}

/// The ledger's key signs notes; what stands in a note is signed text, signature and key, each to be had alone.
fn signed(key: &SigningKey, text: &str) -> Result<(Vec<u8>, [u8; 32]), Failure> {
    let broken = || Failure::new("the ledger's key signs in a form that openssl does not take");
    let note = key.sign(text);
    let signature = note.trim_end().rsplit(' ').next().and_then(|text| STANDARD.decode(text).ok());
    let signature = signature.and_then(|octets| octets.get(ID_OCTETS..).map(<[u8]>::to_vec)).ok_or_else(broken)?;
    // `name+id+base64(01 ‖ key)`; base64 may hold a `+` of its own.
    let shown = key.verifying().to_string();
    let public = shown.splitn(3, '+').nth(2).and_then(|text| STANDARD.decode(text).ok()).ok_or_else(broken)?;
    let public = public.get(1..).and_then(|octets| octets.try_into().ok()).ok_or_else(broken)?;
    Ok((signature, public))
}
