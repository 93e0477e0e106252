//! `bailiwick case export`: all of a case in one folder, for a stranger; and `case exports`, which of them left.
//!
//! The ledger and the vault are read beside a running daemon, as `bailiwick export` reads them; whether the folder may leave
//! is the docket's to say, which records it. What goes in is decided in `share` and `docket::dossier`; here it is put together.

use std::path::Path;

use desk::api::LeavingDetail;
use docket::appendix::run::listed;
use docket::dossier::{Contents, VERIFIER, verify_page};
use docket::evidence::pack::{Manifest, who};
use docket::evidence::page::exhibits;
use model::Digest;
use model::id::CaseId;
use model::leaving::LeavingKind;
use store::audit::write_export;
use store::log::VerifyingKey;
use store::vault::Vault;

use super::super::audit::{not_whole, of_audit, on_ledger};
use crate::cli::{CaseExportArgs, LeavingCommand, Place};
use crate::config::Config;
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::roles::browser::Printer;
use crate::roles::folder::{self, Folder, Leave};
use crate::supervise::signing;
use crate::terminal::{self, count, table};

mod books;

use books::Books;

pub(super) fn run(place: &Place, command: LeavingCommand) -> Done {
    match command {
        LeavingCommand::Export(args) => export(place, *args),
        LeavingCommand::Exports { case, out } => list(&Door::open(place, "case exports")?, &case, out.json),
    }
}

//----------- Export -----------------------------------------------------------------------------------------------

fn export(place: &Place, args: CaseExportArgs) -> Done {
    let CaseExportArgs { case, to, anchors, appendices, pdf, by, out } = args;
    let token = by.who().map(|who| token(&who)).transpose()?;
    let config = Config::load(place)?;
    let printer = pdf.then(|| Printer::of(&config)).transpose()?;
    let door = Door::open(place, "case export")?;
    // Whoever may not see the case is told so by the same words as everywhere.
    let _: Vec<LeavingDetail> = door.get_as(&format!("/cases/{case}/folders"), token.as_deref())?;
    let key = signing::key(&config)?;
    let mut books = read(&config, &case, key.verifying())?;
    let folder = Folder::begin(&to)?;
    let vault = Vault::to_read(&config.data);
    put_evidence(&folder, &mut books, &vault, printer.as_ref())?;
    for (path, octets) in std::mem::take(&mut books.made) {
        folder.put(&path, &octets)?;
    }
    put_kept(&folder, &mut books, &vault)?;
    for file in &anchors {
        books.anchors.push(anchor(file, key.verifying())?);
    }
    for appendix in &appendices {
        put_appendix(&folder, &mut books, appendix)?;
    }
    let ledger = books.export(key.verifying());
    write_export(&folder.within("ledger"), ledger, &key).map_err(|error| of_audit("writing the acts", &error))?;
    folder.put("contents.json", &books.contents.canonical())?;
    folder.put("VERIFY.md", verify_page(&books.contents).as_bytes())?;
    folder.put("verify.py", VERIFIER.as_bytes())?;
    let facts = Some(books.contents.ledger);
    let leave = Leave { case: &case, what: LeavingKind::Case, facts, token: token.as_deref() };
    let left = folder.leave(&door, &key, &leave)?;
    if out.json {
        let Contents { shown, withheld, missing, key, .. } = &books.contents;
        return terminal::json(&serde_json::json!({
            "folder": to, "manifest": left.manifest, "files": left.files, "octets": left.octets, "acts": shown.len(),
            "withheld": withheld, "missing": missing, "key": key,
        }));
    }
    told(&to, &books.contents, left.manifest)
}

fn told(to: &Path, contents: &Contents, manifest: Digest) -> Done {
    let Contents { case, shown, withheld, files, missing, key, sealed_until, .. } = contents;
    terminal::line(&format!(
        "{} holds case {case}: {} acts, {} files that they name; VERIFY.md says how a stranger checks it\nSHA256SUMS {manifest}, which stands in the ledger",
        to.display(),
        count(shown.len() as u64),
        count(files.len() as u64),
    ))?;
    for one in withheld {
        terminal::say(&format!("act {} is withheld: {}", one.fact, one.why));
    }
    for one in missing {
        terminal::say(&format!("not in it: {} of act {}: {}", one.what, one.fact, one.why));
    }
    if let Some(until) = sealed_until {
        terminal::say(&format!("the case is under seal until {until}: this folder names it, and goes to nobody else"));
    }
    terminal::say(&format!("tell whoever gets it the key by another way: {key}"));
    Ok(())
}

fn read(config: &Config, case: &CaseId, key: &VerifyingKey) -> Result<Books, Failure> {
    let report = on_ledger(config, async |audit| audit.verify(key, &[]).await)?;
    if !report.is_whole() {
        return Err(not_whole(&report));
    }
    let read = on_ledger(config, async |audit| Books::read(audit, case, key).await)?;
    read.ok_or_else(|| Failure::new(format!("the ledger has no case {case}")).hint("`bailiwick case list`"))
}

//----------- What goes in -----------------------------------------------------------------------------------------

/// Exhibits lie as `evidence export` lays them; what an act names that is withheld does not lie there.
fn put_evidence(folder: &Folder, books: &mut Books, vault: &Vault, printer: Option<&Printer>) -> Done {
    let manifest: Manifest = books.evidence.clone();
    for entry in &manifest.exhibits {
        let stamp = entry.stamp.as_ref().map(|stamp| (stamp.path.as_str(), stamp.sha256));
        for (path, digest) in [(entry.path.as_str(), entry.exhibit.file)].into_iter().chain(stamp) {
            let octets = kept(vault, &digest)?;
            let path = format!("evidence/{path}");
            if let Some(octets) = octets {
                folder.put(&path, &octets)?;
                books.laid(digest, path);
            }
        }
    }
    let octets = |number: u32| {
        let entry = manifest.exhibits.iter().find(|entry| entry.exhibit.number == number)?;
        std::fs::read(folder.within(&format!("evidence/{}", entry.path))).ok()
    };
    let page = exhibits(&manifest, octets);
    if let Some(printer) = printer {
        folder.put("evidence/index.pdf", &printer.print(&page)?)?;
    }
    folder.put("evidence/index.html", page.as_bytes())?;
    folder.put("evidence/manifest.json", &manifest.canonical())
}

/// Every other file that an act names, each once.
fn put_kept(folder: &Folder, books: &mut Books, vault: &Vault) -> Done {
    for wish in std::mem::take(&mut books.wishes) {
        if books.is_laid(&wish) {
            continue;
        }
        match kept(vault, &wish.digest)? {
            None => books.miss(&wish, "the house does not keep it"),
            Some(octets) if books.names_another(&octets) && !wish.is_ours() => {
                books.miss(&wish, "it names another case");
            }
            Some(octets) => {
                let path = wish.path(&octets);
                folder.put(&path, &octets)?;
                books.lay(&wish, path);
            }
        }
    }
    Ok(())
}

fn kept(vault: &Vault, digest: &Digest) -> Result<Option<Vec<u8>>, Failure> {
    vault.get(digest).tried(format_args!("reading {} in the vault", digest.short()))
}

/// A checkpoint that this key signed, and its place beside the acts.
fn anchor(file: &Path, key: &VerifyingKey) -> Result<(String, Vec<u8>), Failure> {
    let shown = file.display();
    store::audit::Anchor::read(file, key).map_err(|error| of_audit("reading an anchor", &error))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let octets = std::fs::read(file).tried(format_args!("reading {shown}"))?;
    Ok((format!("anchors/{}", docket::evidence::file_name_of(&name)), octets))
}

/// An appendix whose manifest is the one that an act names, with the files that it lists and no others.
fn put_appendix(folder: &Folder, books: &mut Books, from: &Path) -> Done {
    let shown = from.display();
    let manifest = std::fs::read(from.join("manifest")).tried(format_args!("reading the manifest of {shown}"))?;
    let digest = Digest::of_bytes(&manifest);
    let unknown = || {
        let what = format!("{shown} is no appendix that was compiled for this case, or its manifest was changed");
        Failure::new(what).hint("`bailiwick case appendix` writes one, and records its digest").code(code::USAGE)
    };
    let place = books.appendix_of(&digest).ok_or_else(unknown)?;
    let text = String::from_utf8_lossy(&manifest);
    let listed = listed(&text);
    let odd = |path: &str, what: &str| {
        let hint = "give the folder as `bailiwick case appendix` wrote it";
        Failure::new(format!("{shown}/{path} {what}")).hint(hint).code(code::USAGE)
    };
    let there = folder::files(from)?;
    if let Some(path) = there.iter().find(|path| path.as_str() != "manifest" && !listed.contains_key(path.as_str())) {
        return Err(odd(path, "is not in the appendix's manifest"));
    }
    folder.put(&format!("{place}/manifest"), &manifest)?;
    for (path, digest) in &listed {
        let octets = std::fs::read(from.join(path)).tried(format_args!("reading {shown}/{path}"))?;
        if Digest::of_bytes(&octets) != *digest {
            return Err(odd(path, "is not the file that the appendix's manifest lists"));
        }
        folder.put(&format!("{place}/{path}"), &octets)?;
    }
    Ok(())
}

//----------- List -------------------------------------------------------------------------------------------------

fn list(door: &Door, case: &CaseId, json: bool) -> Done {
    let left: Vec<LeavingDetail> = door.get(&format!("/cases/{case}/folders"))?;
    if json {
        return terminal::json(&left);
    }
    if left.is_empty() {
        terminal::say(&format!("no folder of case {case} has left; `bailiwick case export {case} --to DIR` makes one"));
        return Ok(());
    }
    let mut rows = vec![["fact", "left", "by", "what", "files", "SHA256SUMS"].map(str::to_owned).to_vec()];
    for LeavingDetail { folder, by, left, fact } in left {
        rows.push(vec![
            fact.to_string(),
            left.to_string(),
            who(&by),
            folder.what.as_str().to_owned(),
            count(folder.files),
            folder.manifest.to_string(),
        ]);
    }
    terminal::line(&table(&rows))
}
