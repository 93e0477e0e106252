//! `bailiwick person token`: tokens for programs.

use desk::api::{Said, TokenRequest, TokenTold};
use model::Digest;

use super::{fresh_token, role, write_token};
use crate::cli::{Place, TokenCommand};
use crate::door::{Door, token};
use crate::failure::Done;
use crate::terminal::{self, table};

pub(super) fn run(place: &Place, command: TokenCommand) -> Done {
    match command {
        TokenCommand::Add { name, roles, days, into, who, out } => {
            let roles = roles.iter().map(|text| role(text)).collect::<Result<_, _>>()?;
            let (by, fresh) = (token(&who)?, fresh_token()?);
            let door = Door::open(place, "person token add")?;
            write_token(&into, &fresh)?;
            let wish = TokenRequest { name, roles, days, token_sha256: Digest::of_bytes(fresh.as_bytes()) };
            let made = door.post::<TokenTold>(&format!("/people/{}/tokens", who.person), &wish, Some(&by));
            let made = made.inspect_err(|_| drop(std::fs::remove_file(&into)))?;
            if out.json {
                return terminal::json(&made);
            }
            terminal::line(&format!("the token {} of {} acts until {}", made.name, made.person, made.expires))?;
            terminal::say(&format!("it is in {} and nowhere else", into.display()));
            Ok(())
        }
        TokenCommand::List { person, out } => {
            let all: Vec<TokenTold> =
                Door::open(place, "person token list")?.get(&format!("/people/{person}/tokens"))?;
            if out.json { terminal::json(&all) } else { terminal::line(&shown(&all)) }
        }
        TokenCommand::Revoke { holder, name, who } => {
            let (by, door) = (token(&who)?, Door::open(place, "person token revoke")?);
            let path = format!("/people/{holder}/tokens/{name}/revoke");
            let said: Said = door.post(&path, &serde_json::json!({}), Some(&by))?;
            terminal::line(&said.said)
        }
    }
}

fn shown(all: &[TokenTold]) -> String {
    let mut rows = vec![["token", "roles", "issued", "expires", "stands"].map(str::to_owned).to_vec()];
    for one in all {
        let roles: Vec<&str> = one.roles.iter().map(|role| role.as_str()).collect();
        let stands = match (one.revoked, one.ended) {
            (Some(at), _) => format!("revoked {at}"),
            (None, true) => "expired".to_owned(),
            (None, false) => "acts".to_owned(),
        };
        rows.push(vec![
            one.name.to_string(),
            roles.join(", "),
            one.issued.to_string(),
            one.expires.to_string(),
            stands,
        ]);
    }
    table(&rows)
}
