//! `bailiwick case return`: names go back to their owners by one command, at once, and a short list says what is done and what
//! remains for whom; who may not know of it yet is listed.

use std::path::Path;

use desk::api::{
    FeedServed, PlanStepRequest, Progress, RecordsGiven, ReturnRequest, ReturnsTold, Said, SensorDetail, Stage,
};
use model::{DomainName, Timestamp};
use serde::Serialize;

use super::{parsed, word};
use crate::cli::{ReturnArgs, WhoArgs};
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::roles::sensor;
use crate::terminal::{self, table};

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    told: &'a ReturnsTold,
    /// Sensors that may not know of it yet.
    not_confirmed: &'a [SensorDetail],
    withdrawn: &'a [Withdrawn],
}

/// A feed that was rendered anew.
#[derive(Serialize)]
struct Withdrawn {
    format: String,
    audience: String,
    /// No name that went back is in it, or only as revoked.
    withdrawn: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    #[serde(skip)]
    file: Option<(String, Vec<u8>)>,
}

pub(super) fn run(door: &Door, args: ReturnArgs) -> Done {
    let names = parsed(&args.names)?;
    let token = who(&args).map(|who| token(&who)).transpose()?;
    if args.status {
        return status(door, &args, &names, token.as_deref());
    }
    if args.plan_sent || args.plan_answered.is_some() {
        return stepped(door, &args, &names, token.as_deref());
    }
    let wish = ReturnRequest {
        records: args.records.as_deref().map(|file| records(file, &args.source)).transpose()?,
        names: names.clone(),
        reason: args.reason.clone().unwrap_or_default(),
        disarm_kill_switch: args.disarm_kill_switch,
    };
    let told: ReturnsTold = door.post(&format!("/cases/{}/returns", args.case), &wish, token.as_deref())?;
    let behind = sensor::behind(door)?;
    let withdrawn = rendered_anew(door, &args, (&told.feeds, &names), token.as_deref());
    print(&args, &told, &behind, &withdrawn)?;
    write_out(&args, &told, &withdrawn)
}

fn who(args: &ReturnArgs) -> Option<WhoArgs> {
    let (person, token_file) = (args.person.clone()?, args.token_file.clone()?);
    Some(WhoArgs { person, token_file })
}

fn records(file: &Path, source: &str) -> Result<RecordsGiven, Failure> {
    let zone_file = std::fs::read_to_string(file).tried(format_args!("reading the zone file {}", file.display()))?;
    Ok(RecordsGiven { zone_file, source: source.to_owned() })
}

//----------- Status and plans -------------------------------------------------------------------------------------

fn status(door: &Door, args: &ReturnArgs, names: &[DomainName], token: Option<&str>) -> Done {
    let path = format!("/cases/{}/returns?papers={}", args.case, args.out.is_some());
    let mut told: Vec<ReturnsTold> = Vec::new();
    match names {
        [] => told.push(door.get_as(&path, token)?),
        names => {
            for name in names {
                told.push(door.get_as(&format!("{path}&name={}", name.as_str()), token)?);
            }
        }
    }
    for told in &told {
        print(args, told, &[], &[])?;
        write_out(args, told, &[])?;
    }
    Ok(())
}

fn stepped(door: &Door, args: &ReturnArgs, names: &[DomainName], token: Option<&str>) -> Done {
    let [name] = names else {
        let failure = Failure::new("a plan is said by one of its names").code(code::USAGE);
        return Err(failure.hint("the plan's other names go with it"));
    };
    let wish = PlanStepRequest { name: name.clone(), at: args.at, said: args.plan_answered.clone() };
    let said: Said = door.post(&format!("/cases/{}/returns/plans", args.case), &wish, token)?;
    if args.json.json { terminal::json(&said) } else { terminal::line(&said.said) }
}

//----------- Feeds ------------------------------------------------------------------------------------------------

/// Each feed that had left the house before, as it is told now; one that cannot be rendered is said, and stops nothing.
fn rendered_anew(
    door: &Door,
    args: &ReturnArgs,
    (feeds, names): (&[FeedServed], &[DomainName]),
    token: Option<&str>,
) -> Vec<Withdrawn> {
    let one = |FeedServed { format, audience }: &FeedServed| {
        let audience = word(audience);
        let path = format!("/feeds/{format}?case={}&audience={audience}", args.case);
        let (withdrawn, why_not, file) = match door.get_document_as(&path, token) {
            Ok(answer) => {
                let is_out = names.iter().all(|name| share::is_withdrawn(&answer.body, name));
                let file = answer.file_name.unwrap_or_else(|| format!("feed.{format}"));
                (is_out, None, Some((format!("feeds/{audience}/{file}"), answer.body)))
            }
            Err(failure) => (false, Some(failure.message().to_owned()), None),
        };
        Withdrawn { format: format.clone(), audience, withdrawn, why_not, file }
    };
    feeds.iter().map(one).collect()
}

//----------- As people read it ------------------------------------------------------------------------------------

fn print(args: &ReturnArgs, told: &ReturnsTold, behind: &[SensorDetail], withdrawn: &[Withdrawn]) -> Done {
    if args.json.json {
        return terminal::json(&Printed { told, not_confirmed: behind, withdrawn });
    }
    terminal::line(&told.said)?;
    told.notes.iter().try_for_each(|note| terminal::line(&format!("  not served: {note}")))?;
    told.names.iter().try_for_each(|one| terminal::line(&listed(one)))?;
    for feed in withdrawn {
        let (mark, what) = match (&feed.why_not, feed.withdrawn) {
            (Some(why), _) => ("·", format!("could not be rendered anew: {why}")),
            (None, true) => ("✓", "rendered anew: withdrawn".to_owned()),
            (None, false) => ("·", "rendered anew, and still speaks of a name that went back".to_owned()),
        };
        terminal::line(&format!("  {mark} feed {} for {}: {what}", feed.format, feed.audience))?;
    }
    say_who_is_behind(behind)
}

/// One name with its stages: a tick for what is done, a dot for what is not, and below it what remains for whom.
fn listed(progress: &Progress) -> String {
    let name = progress.name.defanged();
    let Some(returned) = progress.returned else { return format!("{name}  is not on its way back") };
    let by = progress.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = progress.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let stages = progress.stages.iter().map(stage);
    let returned = seconds(returned);
    let is_held = progress.stages.iter().any(|stage| stage.stage == "handback" && !stage.done);
    let stands = if is_held { "out of its order since" } else { "back since" };
    format!("{name}  {stands} {returned}{by}{reason}{}", stages.collect::<String>())
}

fn stage(stage: &Stage) -> String {
    let mark = if stage.done { "✓" } else { "·" };
    let at = stage.at.filter(|_| stage.stage != "handback").map(|at| format!(", {}", seconds(at))).unwrap_or_default();
    let left = stage.left.as_ref().map(|left| format!("\n      → {left}")).unwrap_or_default();
    format!("\n  {mark} {}{at}{left}", stage.what)
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Sensors that have not confirmed, each with the moment at which it stops whatever happens.
pub(super) fn say_who_is_behind(behind: &[SensorDetail]) -> Done {
    if behind.is_empty() {
        return Ok(());
    }
    let mut rows = vec![["not confirmed by", "last heard of", "stops at the latest"].map(str::to_owned).to_vec()];
    for sensor in behind {
        let Some(lease) = sensor.lease else { continue };
        rows.push(vec![sensor.name.to_string(), lease.seen.to_string(), lease.until.to_string()]);
    }
    terminal::line(&table(&rows))?;
    terminal::say("a sensor that is connected confirms within seconds: `bailiwick sensor list` shows when it has");
    Ok(())
}

//----------- The folder -------------------------------------------------------------------------------------------

/// Whatever goes wrong here, the names are back, and the papers are in the vault.
fn write_out(args: &ReturnArgs, told: &ReturnsTold, withdrawn: &[Withdrawn]) -> Done {
    let Some(out) = &args.out else { return Ok(()) };
    let papers = told.papers.iter().map(|paper| (&paper.path, paper.text.as_bytes()));
    let feeds = withdrawn.iter().filter_map(|feed| feed.file.as_ref()).map(|(path, body)| (path, &body[..]));
    let mut written = 0;
    for (path, octets) in papers.chain(feeds) {
        put(out, path, octets).map_err(|failure| {
            failure.hint("the names are back and the papers are kept: `--status --out NEWDIR` writes them again")
        })?;
        written += 1;
    }
    if written == 0 {
        return Ok(());
    }
    terminal::say(&format!("{written} files are in {}; nothing was sent by us", out.display()));
    Ok(())
}

fn put(out: &Path, path: &str, octets: &[u8]) -> Done {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
    if !path.split('/').all(is_plain) {
        return Err(Failure::new(format!("`{path}` is no path within a folder")));
    }
    let place = out.join(path);
    let shown = place.display();
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder).tried(format_args!("making {}", folder.display()))?;
    }
    let mut file = std::fs::File::create_new(&place).tried(format_args!("writing {shown}, which must not be there"))?;
    std::io::Write::write_all(&mut file, octets).tried(format_args!("writing {shown}"))
}
