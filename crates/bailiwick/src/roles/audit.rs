//! `bailiwick audit`: whether the ledger is what it was, and what others need to see that for themselves.
//!
//! It reads the database beside a running daemon, or in a copy, and writes nothing into it. A stranger runs the same
//! command over a folder with a key alone.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use store::Database;
use store::audit::{Anchor, Audit, AuditError, Report, verify_folder, write_tiles};
use store::log::{Tiles, VerifyingKey, inclusion, to_proof_text};
use tokio::runtime::Runtime;

use crate::cli::{AuditCommand, Place, VerifyArgs};
use crate::config::Config;
use crate::failure::{Done, Failure, Tried, code};
use crate::supervise::signing;
use crate::terminal;

pub(crate) fn run(place: &Place, command: AuditCommand) -> Done {
    match command {
        AuditCommand::Verify(args) => verify(place, &args),
        AuditCommand::Anchor { to } => anchor(&Config::load(place)?, to.as_deref()),
        AuditCommand::Prove { position } => prove(&Config::load(place)?, position),
        AuditCommand::Tiles { folder } => tiles(&Config::load(place)?, &folder),
        AuditCommand::Purge(out) => super::traces::run(place, &out),
        AuditCommand::Key => {
            let key = signing::key(&Config::load(place)?)?;
            terminal::line(&key.verifying().to_string())
        }
    }
}

//----------- audit verify -----------------------------------------------------------------------------------------

fn verify(place: &Place, args: &VerifyArgs) -> Done {
    let key = match &args.key {
        Some(text) => {
            text.parse::<VerifyingKey>().tried("reading --key").map_err(|failure| failure.code(code::USAGE))?
        }
        None => signing::key(&Config::load(place)?)?.verifying().clone(),
    };
    let anchors = args.anchors.iter().map(|file| Anchor::read(file, &key)).collect::<Result<Vec<_>, _>>();
    let anchors = anchors.map_err(|error| of_audit("reading an anchor", &error))?;
    let report = match &args.export {
        Some(folder) => {
            verify_folder(folder, &key, &anchors).map_err(|error| of_audit("verifying the folder", &error))?
        }
        None => verify_own(&Config::load(place)?, &key, &anchors)?,
    };
    match args.out.json {
        true => terminal::json(&Told::of(&report))?,
        false => terminal::line(&text(&report))?,
    }
    if report.is_whole() { Ok(()) } else { Err(not_whole(&report)) }
}

fn verify_own(config: &Config, key: &VerifyingKey, anchors: &[Anchor]) -> Result<Report, Failure> {
    on_ledger(config, async |audit| audit.verify(key, anchors).await)
}

pub(super) fn not_whole(report: &Report) -> Failure {
    let count = report.faults.len() as u64 + report.more_faults;
    let what = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
    Failure::new(format!("the ledger does not verify: {what}"))
        .hint("keep this copy as it is, and compare it with exports, anchors and backups: they tell when it changed")
        .code(code::NOT_VERIFIED)
}

/// The report as a script reads it.
#[derive(Serialize)]
struct Told<'a> {
    whole: bool,
    origin: &'a str,
    size: u64,
    root: Option<String>,
    with_body: u64,
    anchors: usize,
    faults: Vec<ToldFault<'a>>,
    more_faults: u64,
}

#[derive(Serialize)]
struct ToldFault<'a> {
    position: Option<u64>,
    what: &'a str,
}

impl<'a> Told<'a> {
    fn of(report: &'a Report) -> Self {
        let fault =
            |fault: &'a store::audit::Fault| ToldFault { position: fault.position.map(|at| at.0), what: &fault.what };
        Self {
            whole: report.is_whole(),
            origin: &report.origin,
            size: report.size,
            root: report.root.map(|root| root.to_string()),
            with_body: report.with_body,
            anchors: report.anchors,
            faults: report.faults.iter().map(fault).collect(),
            more_faults: report.more_faults,
        }
    }
}

fn text(report: &Report) -> String {
    let root = report.root.map(|root| root.to_string()).unwrap_or_default();
    let head = format!(
        "log {}: {} facts, {} of them compared with their commitments, {} anchors\nroot {root}",
        report.origin,
        terminal::count(report.size),
        terminal::count(report.with_body),
        report.anchors
    );
    let faults = report.faults.iter().map(|fault| format!("WRONG  {fault}"));
    let more = (report.more_faults > 0).then(|| format!("… and {} more", report.more_faults));
    let whole = report.is_whole().then(|| "whole: every fact, the tree and its signature hold".to_owned());
    [head].into_iter().chain(faults).chain(more).chain(whole).collect::<Vec<_>>().join("\n")
}

//----------- The others -------------------------------------------------------------------------------------------

fn anchor(config: &Config, to: Option<&Path>) -> Done {
    let note = on_ledger(config, async |audit| audit.checkpoint().await)?.ok_or_else(unsigned)?;
    let Some(file) = to else { return terminal::line(note.trim_end_matches('\n')) };
    let shown = file.display();
    let open = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    let mut file = open.tried(format_args!("making {shown}"))?;
    file.write_all(note.as_bytes()).and_then(|()| file.sync_all()).tried(format_args!("writing {shown}"))?;
    terminal::say(&format!("{shown} holds the checkpoint: give it to somebody who keeps it outside this machine"));
    Ok(())
}

fn prove(config: &Config, position: u64) -> Done {
    let (note, commitments) =
        on_ledger(config, signed_tree).and_then(|(note, tree)| Ok((note.ok_or_else(unsigned)?, tree)))?;
    let size = commitments.len();
    let tiles = Tiles::new(commitments);
    let none = || Failure::new(format!("there is no fact {position}: the ledger has {size}")).code(code::USAGE);
    let proof = inclusion(tiles.leaves(), position).ok_or_else(none)?;
    terminal::line(to_proof_text(position, &proof, &note).trim_end_matches('\n'))
}

fn tiles(config: &Config, folder: &Path) -> Done {
    let (note, commitments) = on_ledger(config, signed_tree)?;
    let size = commitments.len();
    write_tiles(folder, &note.ok_or_else(unsigned)?, commitments)
        .map_err(|error| of_audit("writing the tree", &error))?;
    terminal::say(&format!("{} holds the tree of {size} facts; any web server can serve it", folder.display()));
    Ok(())
}

/// Checkpoint and commitments of one moment.
async fn signed_tree(audit: &mut Audit) -> Result<(Option<String>, Vec<model::Digest>), AuditError> {
    Ok((audit.checkpoint().await?, audit.commitments().await?))
}

fn unsigned() -> Failure {
    Failure::new("the ledger has no checkpoint")
        .hint("start this release once on the data folder: it makes key and tree")
}

//----------- Reading ----------------------------------------------------------------------------------------------

/// Does something with the ledger as it stands at this moment.
pub(super) fn on_ledger<T>(
    config: &Config,
    work: impl AsyncFnOnce(&mut Audit) -> Result<T, AuditError>,
) -> Result<T, Failure> {
    let runtime: Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
    let database = config.ledger.database()?;
    let done = runtime.block_on(async { work(&mut Audit::open_in(&config.data, &database).await?).await });
    let place = match database {
        Database::Folder => config.data.display().to_string(),
        Database::Postgres(server) => server.to_string(),
    };
    done.map_err(|error| of_audit(format_args!("reading the ledger in {place}"), &error))
}

pub(super) fn of_audit(tried: impl std::fmt::Display, error: &AuditError) -> Failure {
    let failure = Failure::of(tried, error);
    match error {
        AuditError::Checkpoint { .. } | AuditError::Manifest { .. } => failure
            .hint("is it the key of this log? `bailiwick audit key` prints it where the log is kept")
            .code(code::NOT_VERIFIED),
        AuditError::Store(error) if error.is_passing() => failure.hint(error.hint().unwrap_or_default()),
        AuditError::Store(_) => failure.hint("a ledger of an older release gets its tree when this one starts on it"),
        AuditError::Io { .. } => failure,
    }
}
