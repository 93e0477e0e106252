//! `bailiwick restore`: a data folder, or keys, from a backup that verifies.
//!
//! The folder is put together beside its place, opened there as any start opens it, and its ledger is verified; only
//! then does it get its name. So what is restored is known to open before anything could serve it.

use std::path::Path;
use std::time::Duration;

use desk::retention::carry_out;
use docket::retention::carried_out;
use model::fact::{Actor, Body, Draft};
use model::id::Position;
use serde::Serialize;
use store::View;
use store::audit::Audit;
use store::backup::{self, BackupError, Found, Kind, Restoring};

use super::audit::{not_whole, of_audit};
use crate::cli::{Place, RestoreArgs};
use crate::config::Config;
use crate::failure::{Done, Failure, Tried, code};
use crate::supervise::{House, now, signing};
use crate::terminal::{self, count};

/// What was done, for a script.
#[derive(Debug, Serialize)]
struct Told {
    backup: model::Digest,
    #[serde(flatten)]
    head: backup::Head,
    restored: bool,
}

pub(crate) fn run(place: &Place, args: &RestoreArgs) -> Done {
    let config = Config::load(place)?;
    let shown = args.folder.display();
    // Without keys a backup of data verifies by its digests alone.
    let key = signing::key(&config).ok();
    let found = backup::check(&args.folder).map_err(|error| of_backup(format_args!("checking {shown}"), &error))?;
    if let (Kind::Data, Some(key)) = (found.head.kind, &key) {
        backup::check_signature(&args.folder, key.verifying())
            .map_err(|error| of_backup(format_args!("checking who signed {shown}"), &error))?;
    }
    if !args.check {
        match found.head.kind {
            Kind::Keys => {
                let restored = backup::restore_keys(&found, &config.keys);
                restored
                    .map_err(|error| of_backup(format_args!("restoring into {}", config.keys.display()), &error))?;
            }
            Kind::Data if key.is_none() => return Err(without_keys(&config)),
            Kind::Data if args.purges_from.is_none() && !args.no_later_ledger => return Err(without_ledger()),
            Kind::Data => restore_data(&config, &found, args.purges_from.as_deref())?,
        }
    }
    tell(args, &config, found)
}

fn without_keys(config: &Config) -> Failure {
    Failure::new(format!("there is no key in {}: the ledger of the backup could not go on", config.keys.display()))
        .hint("put the keys back first: `bailiwick restore` with the folder that `bailiwick backup --keys` wrote")
}

fn without_ledger() -> Failure {
    Failure::new("what was purged after this backup is still in it, and this backup does not know what that was")
        .hint(
            "name the data folder that was lost, or a later backup's `data`, with `--purges-from`; or say \
             `--no-later-ledger`, where there is none",
        )
        .code(code::USAGE)
}

fn restore_data(config: &Config, found: &Found, later: Option<&Path>) -> Done {
    let into = config.data.display();
    let failed = |error: BackupError| of_backup(format_args!("restoring into {into}"), &error);
    let restoring = Restoring::begin(found, &config.data).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
    runtime.block_on(try_out(config, &restoring, found, later))?;
    restoring.finish().map_err(failed)
}

/// Opens what was copied as a start would, notes the restoring, purges what is to be gone by now, and verifies the ledger.
async fn try_out(config: &Config, restoring: &Restoring, found: &Found, later: Option<&Path>) -> Done {
    let beside = Config { data: restoring.path().to_owned(), ..config.clone() };
    let house = House::open(&beside, "restore").await?;
    if let Some(orphan) = house.archive.orphans().first() {
        return Err(Failure::new(format!("{} of the backup is in no manifest", orphan.display())));
    }
    let room = Actor::Room { name: "bailiwick".into() };
    let body = Body::Restored { backup: found.digest, facts: found.head.facts };
    let noted = house.ledger.append(None, vec![Draft::new(room, body)], Vec::new(), now()).await;
    noted.tried("noting the restoring in the ledger")?;
    if let Some(later) = later {
        follow_later(&house, later, found.head.facts).await?;
    }
    let defaults = config.retention.defaults();
    let pass = carry_out(&house.ledger, &house.archive, &defaults, || std::future::ready(true)).await;
    pass.tried("purging what is due by today's rules")?;
    house.ledger.close().await;
    let key = signing::key(&beside)?;
    let mut audit = Audit::open(&beside.data).await.map_err(|error| of_audit("verifying the ledger", &error))?;
    let report = audit.verify(key.verifying(), &[]).await.map_err(|error| of_audit("verifying the ledger", &error))?;
    if report.is_whole() { Ok(()) } else { Err(not_whole(&report)) }
}

/// What another ledger says happened after the backup: its holds hold here, and what it purged is purged here. A hold that
/// was placed since does not undo a purge.
async fn follow_later(house: &House, later: &Path, since: Position) -> Done {
    let shown = later.display();
    let read = async {
        let mut audit = Audit::open(later).await?;
        let entries = audit.entries().await?;
        audit.view(&entries).await
    };
    let mut view = read.await.map_err(|error| of_audit(format_args!("reading the ledger in {shown}"), &error))?;
    if view.next < since {
        return Err(Failure::new(format!("the ledger in {shown} ends before the backup's")).code(code::USAGE));
    }
    carry_over_holds(house, &view).await?;
    view.purges.retain(|purge| purge.at >= since);
    let due = carried_out(&view);
    settle_all(house).await.tried("compacting before what was purged is purged again")?;
    while let Some(mut purging) =
        house.archive.next_purge(house.archive.still().await, &due).await.tried("purging again")?
    {
        while purging.step().await.tried("purging again")? {}
        purging.commit(now()).await.tried("purging again")?;
    }
    if let Some(before) = view.journal_purged {
        house
            .archive
            .purge_journal(house.archive.still().await, insight::run::FOLLOWER, before, now())
            .await
            .tried("purging the journal again")?;
    }
    Ok(())
}

/// Else the rules of today would destroy what a hold of after the backup keeps.
async fn carry_over_holds(house: &House, later: &View) -> Done {
    let ours = house.ledger.view().await.tried("reading the restored ledger")?;
    let mut drafts = Vec::new();
    for (id, case) in later.cases.iter().filter(|(id, _)| ours.cases.contains_key(id)) {
        for (place, hold) in case.holds.iter().filter(|(place, _)| !ours.cases[id].holds.contains_key(place)) {
            let reason = format!("hold {place} of the later ledger: {}", hold.reason);
            let room = Actor::Room { name: "bailiwick".into() };
            drafts.push(Draft::new(room, Body::HoldPlaced { case: id.clone(), reason }));
        }
    }
    if drafts.is_empty() {
        return Ok(());
    }
    let noted = house.ledger.append(None, drafts, Vec::new(), now()).await;
    noted.map(|_| ()).tried("carrying holds over from the later ledger")
}

async fn settle_all(house: &House) -> Result<(), store::Error> {
    while let Some(mut work) = house.archive.next_compaction(now(), Duration::ZERO).await? {
        while work.step().await? {}
        work.commit(now()).await?;
    }
    Ok(())
}

fn tell(args: &RestoreArgs, config: &Config, found: Found) -> Done {
    let Found { head, digest: backup, .. } = found;
    let restored = !args.check;
    if args.out.json {
        return terminal::json(&Told { backup, head, restored });
    }
    let what = format!("{} files, {} octets, made {}", count(head.files), count(head.octets), head.made);
    terminal::line(&format!("every file of {} is what it was: {what}\nmanifest {backup}", args.folder.display()))?;
    match (restored, head.kind) {
        (false, _) => {}
        (true, Kind::Keys) => terminal::say(&format!("the keys lie in {} now", config.keys.display())),
        (true, Kind::Data) => terminal::say(&format!(
            "{} holds {} facts and what came with them; anchors from after {} show what is missing",
            config.data.display(),
            head.facts,
            head.made
        )),
    }
    Ok(())
}

pub(super) fn of_backup(tried: impl std::fmt::Display, error: &BackupError) -> Failure {
    let failure = match error {
        BackupError::Damaged { faults, more, .. } => {
            let more = if *more > 0 { format!("\n… and {more} more") } else { String::new() };
            Failure::new(format!("{tried}: {error}\n{}{more}", faults.join("\n"))).code(code::NOT_VERIFIED)
        }
        BackupError::Note { .. } | BackupError::NoBackup { .. } => Failure::of(tried, error).code(code::NOT_VERIFIED),
        _ => Failure::of(tried, error),
    };
    failure.hint(error.hint())
}
