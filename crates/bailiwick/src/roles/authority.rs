//! `bailiwick authority`: what each kind of instrument gives, which papers it takes, when it ends, and by which source.

use desk::api::AuthorityTold;

use crate::cli::{AuthorityCommand, Place};
use crate::door::Door;
use crate::failure::{Done, Failure, code};
use crate::terminal::{self, table};

pub(crate) fn run(place: &Place, command: AuthorityCommand) -> Done {
    match command {
        AuthorityCommand::List(out) => list(&all(place, "authority list")?, out.json),
        AuthorityCommand::Show { instrument, out } => {
            let all = all(place, "authority show")?;
            let Some(found) = all.iter().find(|one| one.instrument == instrument) else {
                let words: Vec<&str> = all.iter().map(|one| one.instrument.as_str()).collect();
                let what = format!("there is no instrument `{instrument}`");
                return Err(Failure::new(what).hint(format!("there are {}", words.join(", "))).code(code::USAGE));
            };
            if out.json { terminal::json(found) } else { terminal::line(&shown(found)) }
        }
    }
}

fn all(place: &Place, role: &str) -> Result<Vec<AuthorityTold>, Failure> {
    Door::open(place, role)?.get("/authorities")
}

fn list(all: &[AuthorityTold], json: bool) -> Done {
    if json {
        return terminal::json(&all);
    }
    let mut rows = vec![["instrument", "force", "issuer", "title"].map(str::to_owned).to_vec()];
    let row =
        |one: &AuthorityTold| vec![one.instrument.clone(), one.force.clone(), one.issuer.clone(), one.title.clone()];
    rows.extend(all.iter().map(row));
    terminal::line(&table(&rows))
}

fn shown(one: &AuthorityTold) -> String {
    let fields = [
        ("instrument", one.instrument.clone()),
        ("title", one.title.clone()),
        ("issuer", one.issuer.clone()),
        ("force", one.force.clone()),
        ("outcomes", one.outcomes.join(", ")),
        ("acts at most", one.acts.join(", ")),
        ("states", one.states.join(", ")),
        ("expiry", one.expiry.clone()),
        ("appeal", one.appeal.clone()),
        ("monitor", one.monitor.clone().unwrap_or_else(|| "none".to_owned())),
        ("sources", one.sources.join("\n             ")),
    ];
    let fields: String = fields.iter().map(|(label, value)| format!("{label:<12} {value}\n")).collect();
    let papers = one.papers.iter().map(|(state, kinds)| {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        format!("{state:<12} {}\n", kinds.join(", "))
    });
    let papers: String = papers.collect();
    let papers =
        if papers.is_empty() { "no step needs a paper".to_owned() } else { format!("papers by step\n\n{papers}") };
    format!("{fields}\n{}", papers.trim_end())
}
