//! A folder for a stranger: written beside its place, listed in `SHA256SUMS`, signed with the ledger's key, recorded, and
//! only then there. Where it may not leave, or something breaks on the way, nothing stays.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use desk::api::Said;
use docket::evidence::pack::{key_as_pem, sums};
use model::Digest;
use model::id::CaseId;
use model::leaving::{Leaving, LeavingKind};
use store::log::SigningKey;

use super::evidence::write_new;
use crate::door::Door;
use crate::failure::{Done, Failure, Tried};

const LIST: &str = "SHA256SUMS";
/// An Ed25519 signature in a note: four octets of the key's id stand before its 64.
const ID_OCTETS: usize = 4;

/// A folder in the making.
pub(crate) struct Folder {
    to: PathBuf,
    part: PathBuf,
}

/// Whose folder it is, and what stands in the ledger about it.
pub(crate) struct Leave<'a> {
    pub(crate) case: &'a CaseId,
    pub(crate) what: LeavingKind,
    /// Of the checkpoint that goes with it.
    pub(crate) facts: Option<u64>,
    pub(crate) token: Option<&'a str>,
}

impl Folder {
    pub(crate) fn begin(to: &Path) -> Result<Self, Failure> {
        let shown = to.display();
        let name = to.file_name().ok_or_else(|| Failure::new(format!("{shown} names no folder")))?;
        if to.symlink_metadata().is_ok() {
            return Err(Failure::new(format!("{shown} is there already")).hint("name a new folder"));
        }
        let part = to.with_file_name(format!(".{}.part", name.to_string_lossy()));
        let hint = format!("if nobody else writes it, remove {} first", part.display());
        let made = fs::create_dir(&part).tried(format_args!("making {}", part.display()));
        made.map_err(|failure| failure.hint(hint))?;
        Ok(Self { to: to.to_owned(), part })
    }

    /// Where a part lies while the folder is made.
    pub(crate) fn within(&self, path: &str) -> PathBuf {
        self.part.join(path)
    }

    pub(crate) fn put(&self, path: &str, octets: &[u8]) -> Done {
        let file = self.within(path);
        let above = file.parent().unwrap_or(&self.part);
        fs::create_dir_all(above).tried(format_args!("making {}", above.display()))?;
        write_new(&file, octets)
    }

    /// Lists and signs what was put, records that it leaves, and puts it in its place.
    pub(crate) fn leave(self, door: &Door, key: &SigningKey, leave: &Leave<'_>) -> Result<Leaving, Failure> {
        let (mut listed, mut octets) = (Vec::new(), 0);
        for path in files(&self.part)? {
            let read = fs::read(self.within(&path)).tried(format_args!("reading {path}"))?;
            octets += read.len() as u64;
            listed.push((path, Digest::of_bytes(&read)));
        }
        let text = sums(listed.iter().map(|(path, digest)| (path.as_str(), *digest)));
        let (signature, public) = signed(key, &text)?;
        self.put(LIST, text.as_bytes())?;
        self.put("SHA256SUMS.sig", &signature)?;
        self.put("key.pem", key_as_pem(&public).as_bytes())?;
        let (manifest, files) = (Digest::of_bytes(text.as_bytes()), listed.len() as u64);
        let folder = Leaving { what: leave.what, manifest, files, octets, facts: leave.facts };
        let _: Said = door.post(&format!("/cases/{}/folders", leave.case), &folder, leave.token)?;
        let shown = self.to.display();
        fs::rename(&self.part, &self.to).tried(format_args!("putting the folder in its place, {shown}"))?;
        Ok(folder)
    }
}

/// What did not become a folder goes away.
impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing is there once it is in its place.
        let _ = fs::remove_dir_all(&self.part);
    }
}

/// Every file below a folder, by its path within, in order. A link leads nowhere.
pub(crate) fn files(folder: &Path) -> Result<Vec<String>, Failure> {
    let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(within) = folders.pop() {
        let place = folder.join(&within);
        let tried = || format!("listing {}", place.display());
        for entry in fs::read_dir(&place).tried(tried())? {
            let entry = entry.tried(tried())?;
            let name = entry.file_name().into_string().ok().filter(|name| !name.contains(['\n', '\r', '\\']));
            let odd = || Failure::new(format!("{} has a name that no list can hold", entry.path().display()));
            let path = format!("{within}{}", name.ok_or_else(odd)?);
            let kind = entry.file_type().tried(tried())?;
            match (kind.is_dir(), kind.is_file()) {
                (true, _) => folders.push(path + "/"),
                (_, true) => found.push(path),
                _ => return Err(Failure::new(format!("{} is neither a file nor a folder", entry.path().display()))),
            }
        }
    }
    found.sort();
    Ok(found)
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
