//! `bailiwick evidence`: keep files, look at names through a proxy, have them time-stamped, and pack them for a stranger.

use std::io::Write as _;
use std::path::Path;

use desk::api::{ExhibitDetail, ExhibitKept, Said};
use docket::decide::EXHIBIT_OCTETS_MAX;
use docket::evidence::{ExhibitDraft, file_name_of, inert::inert};
use model::evidence::{ExhibitKind, Stamp, Tool};
use model::id::CaseId;
use model::{DomainName, Timestamp};

use crate::cli::{AddArgs, EvidenceCommand, Place};
use crate::config::Config;
use crate::door::{Door, in_query, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal::{self, count, table};

mod capture;
mod look;
mod pack;
mod stamp;

pub(crate) fn run(place: &Place, command: EvidenceCommand) -> Done {
    match command {
        EvidenceCommand::Add(args) => add(&Door::open(place, "evidence add")?, &args),
        EvidenceCommand::Capture(args) => capture::run(place, &args),
        EvidenceCommand::Stamp(args) => stamp::run(place, &args),
        EvidenceCommand::List { case, out } => list(&Door::open(place, "evidence list")?, &case, out.json),
        EvidenceCommand::Show { case, exhibit, out_file, out } => {
            show(&Door::open(place, "evidence show")?, (&case, exhibit), out_file.as_deref(), out.json)
        }
        EvidenceCommand::Export(args) => pack::export(place, args),
        EvidenceCommand::Exhibits(args) => pack::exhibits_too(place, args),
    }
}

//----------- Add --------------------------------------------------------------------------------------------------

fn add(door: &Door, args: &AddArgs) -> Done {
    let shown = args.file.display();
    let found = std::fs::metadata(&args.file).tried(format_args!("reading {shown}"))?;
    if found.len() > EXHIBIT_OCTETS_MAX as u64 {
        return Err(Failure::new(format!(
            "{shown} has {} octets; an exhibit has at most {EXHIBIT_OCTETS_MAX}",
            found.len()
        )));
    }
    let octets = std::fs::read(&args.file).tried(format_args!("reading {shown}"))?;
    let modified = found.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
    let file_name = file_name_of(&args.file.file_name().unwrap_or_default().to_string_lossy());
    let tool = args.tool.clone().zip(args.tool_version.clone()).map(|(name, version)| Tool { name, version });
    let draft = ExhibitDraft {
        kind: args.kind,
        name: about(&args.name)?,
        media_type: media_type(&file_name).to_owned(),
        file_name,
        captured: args.captured.or(modified).unwrap_or_else(crate::supervise::now),
        mark: args.mark.clone(),
        note: args.note.clone(),
        source: args.source.clone(),
        tool,
        failed: false,
    };
    let kept = keep(door, &args.case, &draft, octets, &token(&args.who)?)?;
    if args.out.json { terminal::json(&kept) } else { terminal::line(&kept.said) }
}

/// `-`: about the case.
fn about(text: &str) -> Result<Option<DomainName>, Failure> {
    if text == "-" {
        return Ok(None);
    }
    let parsed = DomainName::parse(text).map(Some);
    parsed.map_err(|error| Failure::new(format!("`{text}`: {error}")).code(code::USAGE))
}

pub(super) fn keep(
    door: &Door,
    case: &CaseId,
    draft: &ExhibitDraft,
    octets: Vec<u8>,
    token: &str,
) -> Result<ExhibitKept, Failure> {
    let said = serde_json::to_string(draft).tried("writing what the exhibit is")?;
    let path = format!("/cases/{case}/exhibits?exhibit={}", in_query(&said));
    door.post_file_as(&path, octets, "application/octet-stream", token)
}

/// Refuses what would be refused once there is a file.
pub(super) fn may_keep(door: &Door, case: &CaseId, draft: &ExhibitDraft, token: &str) -> Done {
    let wish = serde_json::to_string(draft).tried("writing what the exhibit is")?;
    let path = format!("/cases/{case}/exhibits/check?exhibit={}", in_query(&wish));
    said(door, &path, Vec::new(), token).map(drop)
}

/// By the end of its name; what is not known is octets.
fn media_type(file_name: &str) -> &'static str {
    let end = file_name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    match end.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "html" | "htm" => "text/html",
        "txt" | "log" | "pem" => "text/plain",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "eml" => "message/rfc822",
        "pcap" | "pcapng" => "application/vnd.tcpdump.pcap",
        _ => "application/octet-stream",
    }
}

//----------- Reading ----------------------------------------------------------------------------------------------

fn list(door: &Door, case: &CaseId, json: bool) -> Done {
    let exhibits: Vec<ExhibitDetail> = door.get(&format!("/cases/{case}/exhibits"))?;
    if json {
        return terminal::json(&exhibits);
    }
    if exhibits.is_empty() {
        terminal::say(&format!("no exhibit yet; `bailiwick evidence add {case} NAME FILE --kind KIND …` keeps one"));
        return Ok(());
    }
    let mut rows =
        vec![["no", "kind", "about", "captured", "octets", "token states", "sha-256"].map(str::to_owned).to_vec()];
    for ExhibitDetail { exhibit, stamp, .. } in exhibits {
        let failed = if exhibit.failed { " (failed)" } else { "" };
        rows.push(vec![
            exhibit.number.to_string(),
            format!("{}{failed}", exhibit.kind.as_str()),
            exhibit.name.map(|name| name.defanged().to_string()).unwrap_or_default(),
            exhibit.captured.to_string(),
            count(exhibit.octets),
            stamp.map(|stamp| stamp.at.to_string()).unwrap_or_default(),
            exhibit.file.short(),
        ]);
    }
    terminal::line(&table(&rows))
}

fn show(door: &Door, (case, number): (&CaseId, u32), to: Option<&Path>, json: bool) -> Done {
    let exhibits: Vec<ExhibitDetail> = door.get(&format!("/cases/{case}/exhibits"))?;
    let missing =
        || Failure::new(format!("case {case} has no exhibit {number}")).hint("`bailiwick evidence list` numbers them");
    let found = exhibits.into_iter().find(|one| one.exhibit.number == number).ok_or_else(missing)?;
    if let Some(to) = to {
        let octets = file(door, case, number)?;
        write_new(to, &octets)?;
        terminal::say(&format!(
            "{} has it, unchanged since it was kept; it is hostile: open it with care",
            to.display()
        ));
    }
    if json { terminal::json(&found) } else { terminal::line(&told(&found)) }
}

fn told(detail: &ExhibitDetail) -> String {
    let ExhibitDetail { exhibit, added, by, fact, stamp } = detail;
    let by = serde_json::to_value(by).ok().and_then(|by| by["id"].as_str().map(str::to_owned)).unwrap_or_default();
    let tool = exhibit.tool.as_ref().map(|tool| format!("{} {}", tool.name, tool.version));
    let fields = [
        ("kind", Some(exhibit.kind.as_str().to_owned())),
        ("about", exhibit.name.as_ref().map(|name| name.defanged().to_string())),
        ("sha-256", Some(exhibit.file.to_string())),
        ("octets", Some(count(exhibit.octets))),
        ("captured", Some(format!("{}, as stated by whoever kept it", exhibit.captured))),
        ("kept", Some(format!("{added} by {by}, fact {fact}"))),
        ("tool", tool),
        ("looked at", exhibit.source.as_deref().map(inert)),
        ("mark", exhibit.mark.clone()),
        ("note", exhibit.note.as_deref().map(inert)),
        ("stamped", stamp.as_ref().map(stated)),
    ];
    let fields = fields.into_iter().filter_map(|(label, value)| Some(format!("{label:<10} {}", value?)));
    format!("exhibit {}\n{}", exhibit.number, fields.collect::<Vec<_>>().join("\n"))
}

fn stated(stamp: &Stamp) -> String {
    format!("the token states {}; its signature was not checked here; by {}", stamp.at, inert(&stamp.authority))
}

fn file(door: &Door, case: &CaseId, number: u32) -> Result<Vec<u8>, Failure> {
    door.get_document(&format!("/cases/{case}/exhibits/{number}/file")).map(|answer| answer.body)
}

/// A file that was not there before.
pub(crate) fn write_new(path: &Path, octets: &[u8]) -> Done {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.tried(format_args!("making {}", path.display()))?;
    file.write_all(octets).and_then(|()| file.sync_all()).tried(format_args!("writing {}", path.display()))
}

pub(super) fn said(door: &Door, path: &str, octets: Vec<u8>, token: &str) -> Result<Said, Failure> {
    door.post_file_as(path, octets, "application/octet-stream", token)
}

/// What `[evidence]` says, for whoever needs it.
fn settings(place: &Place) -> Result<(Config, crate::config::Evidence), Failure> {
    let config = Config::load(place)?;
    let evidence = config.evidence.clone();
    Ok((config, evidence))
}

/// A short name for the file of a kind.
fn usual_name(kind: ExhibitKind) -> (&'static str, &'static str) {
    match kind {
        ExhibitKind::Screenshot => ("screenshot.png", "image/png"),
        ExhibitKind::Headers => ("headers.txt", "text/plain"),
        ExhibitKind::Page => ("page.bin", "application/octet-stream"),
        ExhibitKind::Dns => ("dns.txt", "text/plain"),
        ExhibitKind::Rdap => ("rdap.json", "application/rdap+json"),
        ExhibitKind::Certificate => ("certificates.pem", "application/x-pem-file"),
        _ => ("file.bin", "application/octet-stream"),
    }
}
