//! `bailiwick case amend`, `objection` and `withdraw-amendment`: what a later paper changes in an order.

use std::path::Path;

use desk::api::{AmendTold, AmendmentWithdrawal, ObjectionRequest, OrderDetail, Said, VersionDetail};
use model::id::CaseId;

use crate::cli::{AmendCommand, MonitorSaid, Place, WhoArgs};
use crate::door::{Door, in_query, token};
use crate::failure::{Done, Tried};
use crate::terminal;

pub(crate) fn run(place: &Place, command: AmendCommand) -> Done {
    match command {
        AmendCommand::Amend { case, file, who, out } => {
            amend(&Door::open(place, "case amend")?, (&case, &file), &who, out.json)
        }
        AmendCommand::Objection { case, said, order, note, who, out } => {
            let wish = ObjectionRequest { order, objected: said == MonitorSaid::Raised, note };
            let path = format!("/cases/{case}/amendments/objection");
            let done: Said = Door::open(place, "case objection")?.post(&path, &wish, Some(&token(&who)?))?;
            if out.json { terminal::json(&done) } else { terminal::line(&done.said) }
        }
        AmendCommand::WithdrawAmendment { case, order, reason, who, out } => {
            let path = format!("/cases/{case}/amendments/withdrawal");
            let wish = AmendmentWithdrawal { order, reason };
            let done: Said = Door::open(place, "case withdraw-amendment")?.post(&path, &wish, Some(&token(&who)?))?;
            if out.json { terminal::json(&done) } else { terminal::line(&done.said) }
        }
    }
}

fn amend(door: &Door, (case, file): (&CaseId, &Path), who: &WhoArgs, json: bool) -> Done {
    let token = token(who)?;
    let text = std::fs::read(file).tried(format_args!("reading the amendment {}", file.display()))?;
    let path = format!("/cases/{case}/amendments?file={}", in_query(&file.display().to_string()));
    let told: AmendTold = door.post_file_as(&path, text, "application/toml", &token)?;
    if json {
        return terminal::json(&told);
    }
    terminal::line(&told.said)?;
    let next = match &told.request {
        Some(request) => format!(
            "next: `bailiwick case gate {case}` looks at the names that come in; `bailiwick approval show {request}` shows the \
             difference; `bailiwick approval give {case} --role ROLE --as PERSON --token-file FILE`, twice"
        ),
        None => format!("`bailiwick case show {case}` shows the order as it stands"),
    };
    terminal::say(&next);
    Ok(())
}

/// The versions of an order, a line each; nothing where it stands as it was listed.
pub(super) fn versions(order: &OrderDetail) -> String {
    order.versions.iter().map(|one| format!("\n{}", version(one))).collect()
}

fn version(one: &VersionDetail) -> String {
    let VersionDetail { stands, names_added, names_changed, names_removed, terms, .. } = one;
    let counts =
        [(names_added, '+'), (names_removed, '−'), (names_changed, '~')].into_iter().filter(|(count, _)| **count > 0);
    let counts: Vec<String> = counts.map(|(count, sign)| format!("{sign}{count}")).collect();
    let end = terms.expires.as_ref().map(|end| format!(", ends {}", end.value)).unwrap_or_default();
    let when = one.ended.unwrap_or(one.proposed);
    let why = one.withdrawn.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!(
        "version {}, {} by {}: {}{end}; {stands} since {when}{why}",
        terms.version,
        terms.kind.as_str(),
        terms.source,
        if counts.is_empty() { "no name".to_owned() } else { counts.join(" ") }
    )
}
