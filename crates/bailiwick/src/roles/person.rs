//! `bailiwick person`: enrol people, and hand each a token once.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use desk::api::{EnrolRequest, PersonSummary};
use model::Digest;
use model::person::Role;

use crate::cli::{PersonCommand, Place, WhoArgs};
use crate::door::{Door, token, token_in};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal::{self, table};

mod tokens;

pub(crate) fn run(place: &Place, command: PersonCommand) -> Done {
    match command {
        PersonCommand::List(out) => list(&Door::open(place, "person list")?, out.json),
        PersonCommand::Token(command) => tokens::run(place, command),
        PersonCommand::Add { person, roles, token_file, fixture, first, admin, admin_token_file, out } => {
            let first_token = first.map(|file| token_in(&file, "the first start")).transpose()?;
            let admin = admin.zip(admin_token_file).map(|(person, token_file)| WhoArgs { person, token_file });
            let admin = admin.map(|who| token(&who)).transpose()?;
            let roles = roles.iter().map(|text| role(text)).collect::<Result<_, _>>()?;
            let door = Door::open(place, "person add")?;
            let wish = |token_sha256| EnrolRequest { id: person, roles, token_sha256, fixture, first_token };
            add(&door, wish, &token_file, admin.as_deref(), out.json)
        }
    }
}

/// A role by its word.
pub(crate) fn role(text: &str) -> Result<Role, Failure> {
    let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
    found.ok_or_else(|| {
        let all: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        Failure::new(format!("`{text}` is no role")).hint(format!("there are {}", all.join(", "))).code(code::USAGE)
    })
}

fn add(door: &Door, wish: impl FnOnce(Digest) -> EnrolRequest, file: &Path, admin: Option<&str>, json: bool) -> Done {
    let token = fresh_token()?;
    // The file first: a person in the ledger whose token nobody has could never act.
    write_token(file, &token)?;
    let enrolled = door.post::<PersonSummary>("/people", &wish(Digest::of_bytes(token.as_bytes())), admin);
    let person = match enrolled {
        Ok(person) => person,
        Err(failure) => {
            let _ = std::fs::remove_file(file);
            return Err(failure);
        }
    };
    if json {
        return terminal::json(&person);
    }
    terminal::line(&format!("{} is enrolled as {}", person.id, words(&person)))?;
    terminal::say(&format!("the token is in {} and nowhere else; hand it over and delete the file", file.display()));
    Ok(())
}

/// 256 random bits: no one guesses it, so its plain digest may be stored.
pub(crate) fn fresh_token() -> Result<String, Failure> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).tried("drawing a random token")?;
    Ok(format!("bw_{}", octets.map(|octet| format!("{octet:02x}")).concat()))
}

fn write_token(file: &Path, token: &str) -> Done {
    let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut file = open.tried(format_args!("making the token file {}", file.display()))?;
    writeln!(file, "{token}").and_then(|()| file.sync_all()).tried("writing the token file")
}

fn words(person: &PersonSummary) -> String {
    let roles: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
    roles.join(", ")
}

fn list(door: &Door, json: bool) -> Done {
    let people: Vec<PersonSummary> = door.get("/people")?;
    if json {
        return terminal::json(&people);
    }
    let mut rows = vec![["person", "roles", "counts for"].map(str::to_owned).to_vec()];
    for person in people {
        let counts = if person.fixture { "exercises only" } else { "every case" };
        rows.push(vec![person.id.to_string(), words(&person), counts.to_owned()]);
    }
    terminal::line(&table(&rows))
}
