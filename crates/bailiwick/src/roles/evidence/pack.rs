//! `evidence export` and `evidence exhibits`: a folder for a stranger, signed with the ledger's key.

use std::collections::BTreeMap;

use docket::evidence::pack::{Manifest, readme};
use docket::evidence::page::{Form, certificate, exhibits};
use model::Digest;
use model::id::CaseId;
use model::leaving::LeavingKind;
use store::log::SigningKey;

use crate::cli::{ExhibitsArgs, ExportEvidenceArgs, FormWord, Place};
use crate::config::Config;
use crate::door::{Door, token};
use crate::failure::{Done, Failure};
use crate::roles::browser::Printer;
use crate::roles::folder::{Folder, Leave};
use crate::supervise::signing;
use crate::terminal;

/// What pages come with the files.
struct Pages<'a> {
    /// Whose certificate is drafted; without a person there is none.
    person: Option<&'a str>,
    form: FormWord,
    pdf: bool,
}

pub(super) fn export(place: &Place, args: ExportEvidenceArgs) -> Done {
    run(place, args, LeavingKind::Evidence, None)
}

pub(super) fn exhibits_too(place: &Place, args: ExhibitsArgs) -> Done {
    let ExhibitsArgs { export, qualified_person, form, pdf } = args;
    let pages = Pages { person: qualified_person.as_deref(), form, pdf };
    run(place, export, LeavingKind::Exhibits, Some(&pages))
}

fn run(place: &Place, args: ExportEvidenceArgs, what: LeavingKind, pages: Option<&Pages<'_>>) -> Done {
    let ExportEvidenceArgs { case, folder: to, by, out } = args;
    let token = by.who().map(|who| token(&who)).transpose()?;
    let config = Config::load(place)?;
    let printer = pages.filter(|pages| pages.pdf).map(|_| Printer::of(&config)).transpose()?;
    let door = Door::open(place, "evidence export")?;
    let manifest: Manifest = door.get_as(&format!("/cases/{case}/evidence"), token.as_deref())?;
    if manifest.exhibits.is_empty() {
        return Err(Failure::new(format!("case {case} has no exhibit")).hint("`bailiwick evidence add` keeps one"));
    }
    let key = signing::key(&config)?;
    let folder = Folder::begin(&to)?;
    let mut files = gather(&door, &case, &manifest, &key)?;
    if let Some(pages) = pages {
        add_pages(&mut files, &manifest, pages, printer.as_ref())?;
    }
    for (path, octets) in &files {
        folder.put(path, octets)?;
    }
    let left = folder.leave(&door, &key, &Leave { case: &case, what, facts: None, token: token.as_deref() })?;
    if let Some(until) = manifest.sealed_until {
        terminal::say(&format!("the case is under seal until {until}: this folder names it, and goes to nobody else"));
    }
    let count = manifest.exhibits.len();
    let key = key.verifying().to_string();
    if out.json {
        return terminal::json(&serde_json::json!({
            "folder": to, "exhibits": count, "files": left.files, "manifest": left.manifest, "key": key,
        }));
    }
    terminal::line(&format!("{} has {count} exhibits; README.txt says how to check it", to.display()))?;
    terminal::say(&format!("tell whoever gets it the key by another way: {key}"));
    Ok(())
}

fn gather(
    door: &Door,
    case: &CaseId,
    manifest: &Manifest,
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
    files.insert("README.txt".into(), readme(manifest, &key.verifying().to_string()).into_bytes());
    files.insert("manifest.json".into(), manifest.canonical());
    Ok(files)
}

fn add_pages(
    files: &mut BTreeMap<String, Vec<u8>>,
    manifest: &Manifest,
    pages: &Pages<'_>,
    printer: Option<&Printer>,
) -> Done {
    let of = |number: u32| manifest.exhibits.iter().find(|entry| entry.exhibit.number == number);
    let index = exhibits(manifest, |number| files.get(&of(number)?.path).cloned());
    let paper = pages.person.map(|person| ("certificate", certificate(manifest, person, words(pages.form))));
    for (name, page) in [("index", index)].into_iter().chain(paper) {
        if let Some(printer) = printer {
            files.insert(format!("{name}.pdf"), printer.print(&page)?);
        }
        files.insert(format!("{name}.html"), page.into_bytes());
    }
    Ok(())
}

fn words(form: FormWord) -> Form {
    match form {
        FormWord::Fre902 => Form::Fre902,
        FormWord::Statement => Form::Statement,
    }
}
