//! `bailiwick case records`: keep the owner's records of a name, or show them.

use desk::api::{CapturedRecords, RecordsKept};
use model::DomainName;

use crate::cli::{RecordsArgs, WhoArgs};
use crate::door::{Door, in_query, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal;

pub(super) fn run(door: &Door, args: &RecordsArgs) -> Done {
    let RecordsArgs { case, name, zone_file, source, person, token_file, .. } = args;
    let parsed = DomainName::parse(name);
    let name = parsed.map_err(|error| Failure::new(format!("`{name}`: {error}")).code(code::USAGE))?;
    let path = format!("/cases/{case}/names/{}/records", name.as_str());
    match (zone_file, source, person, token_file) {
        (Some(file), Some(source), Some(person), Some(token_file)) => {
            let who = WhoArgs { person: person.clone(), token_file: token_file.clone() };
            keep(door, &format!("{path}?source={}", in_query(source)), file, &who, args.out.json)
        }
        _ => show(door, &path, args.out.json),
    }
}

fn keep(door: &Door, path: &str, file: &std::path::Path, who: &WhoArgs, json: bool) -> Done {
    let octets = std::fs::read(file).tried(format_args!("reading the zone file {}", file.display()))?;
    let kept: RecordsKept = door.post_file_as(path, octets, "text/dns", &token(who)?)?;
    if json {
        return terminal::json(&kept);
    }
    terminal::line(&kept.said)?;
    kept.notes.iter().try_for_each(|note| terminal::line(note))
}

fn show(door: &Door, path: &str, json: bool) -> Done {
    let captured: CapturedRecords = door.get(path)?;
    if json {
        return terminal::json(&captured);
    }
    let CapturedRecords { file, source, count, recorded, zone_file, .. } = &captured;
    terminal::say(&format!("{count} records, kept {recorded}, from: {source}; file {file}"));
    terminal::line(zone_file.trim_end())
}
