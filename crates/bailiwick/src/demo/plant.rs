//! The positive control: a scan that finds nothing proves something only if it would have found it.
//!
//! Into a *copy* of the demo's folder one secret is planted in each kind of store and each coding, through the
//! stores' own doors; then the same scan must find them all. The demo's own folder stays as it is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::contact::{Contact, HttpVersion, Limits, Request, Transport, Via, What};
use model::fact::{Actor, Body, Draft};
use store::archive::{ArchiveBatch, ContactRow};
use store::journal::{Frame, JournalLimits};
use store::{Archive, DataFolder, Journal, Ledger, Vault};

use super::needle::{Coding, Search};
use super::scan;
use crate::failure::{Failure, Tried};
use crate::supervise::now;

/// The kinds of store that a secret might reach.
const STORES: [&str; 7] = ["journal", "archive", "ledger", "vault", "feed", "log", "stderr"];

/// What the control found.
pub(crate) struct Control {
    pub(crate) planted: u64,
    pub(crate) found: u64,
}

/// Copies, plants, scans.
pub(crate) fn control(root: &Path, apart_from: &Path) -> Result<Control, Failure> {
    let folder = tempfile::Builder::new().prefix("bailiwick-control-").tempdir().tried("making a folder")?;
    let copy = folder.path();
    copy_tree(root, apart_from, copy)?;
    let secrets = secrets()?;
    let texts: Vec<Vec<u8>> =
        secrets.iter().zip(codings()).map(|(secret, coding)| first_form(coding, secret)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
    runtime.block_on(plant(copy, &texts))?;
    let mut search = Search::new(&secrets);
    scan::scan(copy, &copy.join("callers"), &mut search)?;
    Ok(Control { planted: secrets.len() as u64, found: search.found().len() as u64 })
}

/// One secret for each store and coding.
fn secrets() -> Result<Vec<String>, Failure> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).tried("drawing random octets")?;
    let seed = model::Digest::of_bytes(&octets);
    let secret = |n: usize| {
        let digest = model::Digest::of_parts([seed.0.as_slice(), &n.to_be_bytes()]).to_string();
        format!("{}&{}", &digest[..8], &digest[8..16])
    };
    Ok((0..STORES.len() * Coding::ALL.len()).map(secret).collect())
}

fn codings() -> impl Iterator<Item = Coding> {
    Coding::ALL.into_iter().cycle()
}

fn first_form(coding: Coding, secret: &str) -> Vec<u8> {
    coding.forms(secret).swap_remove(0)
}

/// One chunk of texts per store.
async fn plant(copy: &Path, texts: &[Vec<u8>]) -> Result<(), Failure> {
    let mut chunks = texts.chunks(Coding::ALL.len());
    let mut next = || chunks.next().expect("there is a chunk for each store");
    let data = copy.join("data");
    let folder = DataFolder::open(&data, "demo control", now()).tried("opening the copy")?;
    let ledger = Ledger::open(&folder).await.tried("opening the copy's ledger")?;
    let archive = Archive::open(&folder, &ledger).await.tried("opening the copy's archive")?;
    in_journal(&folder, next())?;
    in_archive(&archive, next()).await?;
    in_ledger(&ledger, next()).await?;
    in_vault(&folder, next())?;
    for place in ["feeds/planted.csv", "serve.log", "callers.log"] {
        append(&copy.join(place), next())?;
    }
    Ok(())
}

fn request<'a>(id: model::id::ContactId, text: &'a [u8]) -> Contact<'a> {
    let here = SocketAddr::from(([127, 0, 0, 1], 80));
    Contact {
        id,
        received: now(),
        source: here,
        local: here,
        transport: Transport::Tcp,
        via: Via::Direct,
        over: None,
        subject: None,
        oddities: Vec::new(),
        limits: Limits::default(),
        what: What::Request(Request { target: text.into(), version: HttpVersion::Http11, ..Request::default() }),
    }
}

/// The same for a test, which has no other store.
#[cfg(test)]
pub(super) fn in_journal_at(data: &Path, texts: &[Vec<u8>]) -> Result<(), Failure> {
    in_journal(&DataFolder::open(data, "control", now()).tried("opening the folder")?, texts)
}

fn in_journal(folder: &DataFolder, texts: &[Vec<u8>]) -> Result<(), Failure> {
    let journal = Journal::open(folder, JournalLimits::default()).tried("opening the copy's journal")?;
    let mut lane = journal.lane(now()).tried("opening a lane of the copy's journal")?;
    for text in texts {
        lane.stage(&Frame::Contact(request(lane.next_id(), text)));
    }
    lane.commit(now()).tried("writing to the copy's journal")
}

/// Text columns hold text: what is no text is planted as the bytes of a raw column.
async fn in_archive(archive: &Archive, texts: &[Vec<u8>]) -> Result<(), Failure> {
    use model::id::{Boot, ContactId, Lane, SensorId};
    let id = |seq: usize| ContactId::new(SensorId(u32::MAX), Boot(0), Lane(0), seq as u64);
    let contacts = texts.iter().enumerate().map(|(seq, text)| {
        let mut contact = request(id(seq), b"/");
        if let What::Request(request) = &mut contact.what {
            request.head = text.as_slice().into();
        }
        ContactRow::from(&contact)
    });
    let batch = ArchiveBatch { contacts: contacts.collect(), ..ArchiveBatch::default() };
    archive.commit("demo-control", batch, now()).await.tried("writing to the copy's archive")?;
    Ok(())
}

async fn in_ledger(ledger: &Ledger, texts: &[Vec<u8>]) -> Result<(), Failure> {
    // JSON holds text: bytes that are none are planted as the characters of the same numbers.
    let refused = |text: &Vec<u8>| Body::Refused { tried: lossless(text), why: "planted".into() };
    let actor = || Actor::Room { name: "demo".into() };
    let drafts = texts.iter().map(|text| Draft::new(actor(), refused(text))).collect();
    ledger.append(None, drafts, Vec::new(), now()).await.tried("writing to the copy's ledger")?;
    Ok(())
}

fn lossless(text: &[u8]) -> String {
    String::from_utf8(text.to_vec()).unwrap_or_else(|_| text.iter().map(|byte| char::from(*byte)).collect())
}

fn in_vault(folder: &DataFolder, texts: &[Vec<u8>]) -> Result<(), Failure> {
    let vault = Vault::open(folder).tried("opening the copy's vault")?;
    for text in texts {
        vault.put(text).tried("writing to the copy's vault")?;
    }
    Ok(())
}

fn append(file: &Path, texts: &[Vec<u8>]) -> Result<(), Failure> {
    use std::io::Write;
    let open = std::fs::OpenOptions::new().append(true).create(true).open(file);
    let mut file = open.tried(format_args!("opening {}", file.display()))?;
    for text in texts {
        file.write_all(text).and_then(|()| file.write_all(b"\n")).tried("writing a planted secret")?;
    }
    Ok(())
}

fn copy_tree(from: &Path, apart_from: &Path, to: &Path) -> Result<(), Failure> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = from.join(&folder);
        for entry in std::fs::read_dir(&here).tried(format_args!("reading {}", here.display()))? {
            let entry = entry.tried(format_args!("reading {}", here.display()))?;
            let name = folder.join(entry.file_name());
            let kind = entry.file_type().tried("asking for a file's type")?;
            if kind.is_dir() && !entry.path().starts_with(apart_from) {
                std::fs::create_dir(to.join(&name)).tried("making a folder of the copy")?;
                folders.push(name);
            } else if kind.is_file() {
                std::fs::copy(entry.path(), to.join(&name)).tried(format_args!("copying {}", name.display()))?;
            }
        }
    }
    Ok(())
}
