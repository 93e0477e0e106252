//! `bailiwick custody`: what was seen of names from outside, and the alarms that come of it.

use std::path::Path;

use desk::api::{CaseTaken, CustodyRequest, CustodyTaken};
use model::observation::Observation;

use super::watch::shown;
use crate::cli::{CustodyCommand, Place, TakeArgs};
use crate::door::Door;
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal::{self, count, table};

/// The longest line of a file of observations.
const LINE_OCTETS_MAX: usize = 1 << 20;
/// The largest file that is read.
const FILE_OCTETS_MAX: u64 = 128 << 20;

pub(crate) fn run(place: &Place, command: CustodyCommand) -> Done {
    match command {
        CustodyCommand::Take(args) => take(place, &args),
        CustodyCommand::Certificates { file, asker, out } => {
            let (octets, token) = (read(&file)?, shown(&asker)?);
            let door = Door::open(place, "custody certificates")?;
            let path = "/custody/certificates";
            let taken: CustodyTaken = match token {
                Some(token) => door.post_file_as(path, octets, "application/json", &token)?,
                None => door.post_file(path, octets, "application/json")?,
            };
            if out.json { terminal::json(&taken) } else { told(&taken, "certificates") }
        }
    }
}

fn take(place: &Place, args: &TakeArgs) -> Done {
    let observations = observations(&args.file)?;
    let text = |file: &std::path::PathBuf| {
        String::from_utf8(read(file)?).tried(format_args!("reading {} as text", file.display()))
    };
    let sinkholes = args.sinkholes.as_ref().map(text).transpose()?;
    let token = shown(&args.asker)?;
    let wish = CustodyRequest { observations, sinkholes };
    let taken: CustodyTaken = Door::open(place, "custody take")?.post("/custody", &wish, token.as_deref())?;
    if args.out.json { terminal::json(&taken) } else { told(&taken, "names") }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let shown = file.display();
    let size = std::fs::metadata(file).tried(format_args!("reading {shown}"))?.len();
    if size > FILE_OCTETS_MAX {
        return Err(Failure::new(format!("{shown} has {size} octets, and {FILE_OCTETS_MAX} are read at most")));
    }
    std::fs::read(file).tried(format_args!("reading {shown}"))
}

fn observations(file: &Path) -> Result<Vec<Observation>, Failure> {
    let octets = read(file)?;
    let mut all = Vec::new();
    for (at, line) in octets.split(|octet| *octet == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!("{}, line {}", file.display(), at + 1);
        let bad = |why: String| {
            Failure::new(format!("{}: {why}", place())).hint("docs/guide/custody.md shows a line").code(code::USAGE)
        };
        if line.len() > LINE_OCTETS_MAX {
            return Err(bad(format!("a line has at most {LINE_OCTETS_MAX} octets")));
        }
        all.push(serde_json::from_slice(line).map_err(|error| bad(error.to_string()))?);
    }
    Ok(all)
}

fn told(taken: &CustodyTaken, what: &str) -> Done {
    let mut rows = vec![["case", what, "raised", "cleared"].map(str::to_owned).to_vec()];
    let row = |one: &CaseTaken| {
        let numbers = [one.seen, one.raised, one.cleared].map(count);
        [vec![one.case.to_string()], numbers.to_vec()].concat()
    };
    rows.extend(taken.cases.iter().map(row));
    if taken.cases.is_empty() {
        terminal::say(&format!("no case watches any of these {what}"));
    } else {
        terminal::line(&table(&rows))?;
    }
    for one in &taken.cases {
        if let Some(old) = one.of_old_owner.filter(|old| *old > 0) {
            terminal::say(&format!(
                "case {}: {} certificates of before are valid still; ask their issuers to revoke them",
                one.case,
                count(old)
            ));
        }
        if one.left > 0 {
            terminal::say(&format!("case {}: {} more alarms wait; take the file again", one.case, count(one.left)));
        }
    }
    if taken.strangers > 0 {
        terminal::say(&format!("{} {what} are watched by no case", count(taken.strangers)));
    }
    if taken.cases.iter().any(|one| one.raised > 0) {
        terminal::say("next: `bailiwick alarm list`");
    }
    Ok(())
}
