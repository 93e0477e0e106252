//! `bailiwick case people`: who is on a case.

use desk::api::{MembersRequest, MembersTold};

use crate::cli::{MachineCommand, MembersArgs, Place};
use crate::door::{Door, token};
use crate::failure::Done;
use crate::terminal;

pub(super) fn run(place: &Place, command: MachineCommand) -> Done {
    match command {
        MachineCommand::People(args) => people(&Door::open(place, "case people")?, args),
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
