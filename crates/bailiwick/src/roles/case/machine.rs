//! `bailiwick case people`, `case file` and `case advance`: who is on a case, its papers, and how far it has come.

use std::path::PathBuf;

use desk::api::{AdvanceRequest, MembersRequest, MembersTold, PaperFiled, Said};

use model::id::CaseId;
use model::paper::{Paper, PaperKind};

use crate::cli::{AdvanceArgs, FileArgs, MachineCommand, MembersArgs, Place};
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried};
use crate::terminal;

pub(super) fn run(place: &Place, command: MachineCommand) -> Done {
    match command {
        MachineCommand::People(args) => people(&Door::open(place, "case people")?, args),
        MachineCommand::Advance(args) => advance(&Door::open(place, "case advance")?, &args),
        MachineCommand::File(FileArgs { case, documents, who, out }) => {
            let door = Door::open(place, "case file")?;
            let filed = file(&door, &case, &documents, &token(&who)?)?;
            if out.json { terminal::json(&filed) } else { tell_filed(&filed) }
        }
    }
}

fn people(door: &Door, MembersArgs { case, add, remove, by, out }: MembersArgs) -> Done {
    let token = by.who().map(|who| token(&who)).transpose()?;
    let path = format!("/cases/{case}/people");
    let told: MembersTold = match (&add, &remove) {
        (None, None) => door.get_as(&path, token.as_deref())?,
        _ => door.post(&path, &MembersRequest { add, remove }, token.as_deref())?,
    };
    if out.json {
        return terminal::json(&told);
    }
    for person in &told.people {
        terminal::line(person.as_str())?;
    }
    terminal::say(&match (told.people.is_empty(), told.is_sealed) {
        (true, true) => format!("nobody is on case {case}, and it is sealed: `--add PERSON` puts somebody on it"),
        (true, false) => format!("nobody is on case {case}"),
        (false, true) => format!("case {case} is sealed: it is there for these people and this machine's user alone"),
        (false, false) => format!("case {case} is not sealed: it is there for everybody who is enrolled"),
    });
    Ok(())
}

/// Each paper is on file before the step that names it; a step that is refused leaves them there.
fn advance(door: &Door, AdvanceArgs { case, state, documents, who, out }: &AdvanceArgs) -> Done {
    let token = token(who)?;
    let filed = file(door, case, documents, &token)?;
    let wish = AdvanceRequest { to: *state, documents: filed.iter().map(|paper| paper.file).collect() };
    let said: Said = door.post(&format!("/cases/{case}/state"), &wish, Some(&token))?;
    if out.json {
        return terminal::json(&serde_json::json!({ "said": said.said, "filed": filed }));
    }
    tell_filed(&filed)?;
    terminal::line(&said.said)
}

fn file(door: &Door, case: &CaseId, documents: &[(PaperKind, PathBuf)], token: &str) -> Result<Vec<Paper>, Failure> {
    let mut filed = Vec::new();
    for (kind, file) in documents {
        let octets = std::fs::read(file).tried(format_args!("reading the {kind} {}", file.display()))?;
        let path = format!("/cases/{case}/papers?kind={kind}");
        let told: PaperFiled = door.post_file_as(&path, octets, "application/octet-stream", token)?;
        filed.push(told.paper);
    }
    Ok(filed)
}

fn tell_filed(filed: &[Paper]) -> Done {
    let line = |paper: &Paper| format!("on file: {} {}, {} octets", paper.kind, paper.file, paper.octets);
    filed.iter().try_for_each(|paper| terminal::line(&line(paper)))
}
