//! The small way in: a team already holds a few names and wants to know who still calls.
//!
//! [`case_file`] writes the smallest case file that the law accepts, with the least acts, and reads it through the same
//! door as every other; what is missing comes back as questions, all at once. [`registrar_steps`] says what to set at
//! the registrar, for people. Nothing here asks the world or changes anything.

use std::fmt::Write as _;

use model::name::DomainName;
use model::order::{Act, Acts, Instrument};
use serde::{Deserialize, Serialize};

use crate::casefile::{self, CaseFile, Fault};
use crate::shown::counted;

/// Who stated it, where the person at the command line is the only source.
const STATED: &str = "stated by whoever made the case";
/// The most names in a quick case; more belong into a file that somebody has reviewed.
pub const QUICK_NAMES_MAX: usize = 50;

//----------- Wish -------------------------------------------------------------------------------------------------

/// What is known so far. Everything is text as a person gave it; the case file's door reads it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    pub names: Vec<String>,
    /// `own-registration` or `voluntary-transfer`.
    pub authority: Option<String>,
    /// The case's id; the first name stands in.
    pub id: Option<String>,
    pub title: Option<String>,
    pub contact: Option<String>,
    pub purpose: Option<String>,
    /// The registrar where we registered, or the registrant who hands over.
    pub issuer: Option<String>,
    pub name_servers: Vec<String>,
    pub group: Option<String>,
}

/// Something that only a person knows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The field of [`Wish`] that the answer goes to; the CLI's flag is its name with hyphens.
    pub field: String,
    pub question: String,
}

/// A case that can be imported as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct QuickCase {
    pub text: String,
    pub file: CaseFile,
}

/// Why there is no case yet.
#[derive(Clone, Debug, PartialEq)]
pub enum NotYet {
    /// Answer these.
    Missing(Vec<Question>),
    /// The answers make this case file, which has faults.
    Faulty { text: String, faults: Vec<Fault> },
}

//----------- case_file --------------------------------------------------------------------------------------------

/// The smallest case file for these names, or what is missing.
pub fn case_file(wish: &Wish) -> Result<QuickCase, NotYet> {
    let missing = questions(wish);
    if !missing.is_empty() {
        return Err(NotYet::Missing(missing));
    }
    let text = write(wish);
    match casefile::parse(&text) {
        Ok(file) => Ok(QuickCase { text, file }),
        Err(faults) => Err(NotYet::Faulty { text, faults }),
    }
}

fn instrument(wish: &Wish) -> Option<Instrument> {
    [Instrument::OwnRegistration, Instrument::VoluntaryTransfer]
        .into_iter()
        .find(|instrument| Some(instrument.as_str()) == wish.authority.as_deref())
}

fn questions(wish: &Wish) -> Vec<Question> {
    let said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    let issuer = match instrument(wish) {
        Some(Instrument::VoluntaryTransfer) => "Who hands the names over, by which paper and when?",
        _ => "At which registrar are the names registered, and in whose name?",
    };
    let few = !wish.names.is_empty() && wish.names.len() <= QUICK_NAMES_MAX;
    let asked = [
        (few, "names", "Which names, 1 to 50? More belong into a case file (`bailiwick case import`)."),
        (instrument(wish).is_some(), "authority", "By which right: own-registration or voluntary-transfer?"),
        (said(&wish.issuer), "issuer", issuer),
        (said(&wish.contact), "contact", "Whom can an owner or a visitor write to? It stands on the notice page."),
        (said(&wish.purpose), "purpose", "Why is the data processed, and on which legal basis?"),
        (
            !wish.name_servers.is_empty(),
            "name_servers",
            "Which name servers of yours answer? Two, on two networks, are usual.",
        ),
    ];
    let unanswered = asked.into_iter().filter(|(answered, ..)| !answered);
    unanswered.map(|(_, field, question)| Question { field: field.into(), question: question.into() }).collect()
}

fn write(wish: &Wish) -> String {
    let said = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let id = wish.id.clone().unwrap_or_else(|| slug(&wish.names[0]));
    let title = wish.title.clone().unwrap_or_else(|| format!("{} held by us", counted(wish.names.len())));
    let group = wish.group.clone().unwrap_or_else(|| "unattributed".into());
    let least: Vec<String> = Acts::default().iter().map(Act::as_str).map(str::to_owned).collect();
    let stated = |value: String| format!("{{ value = {}, source = {} }}", quoted(&value), quoted(STATED));
    let mut text = String::from("# The smallest case: names that we hold, with the least acts.\n\n[case]\n");
    let fields = [
        ("id", quoted(&id)),
        ("title", quoted(&title)),
        ("contact", quoted(&said(&wish.contact))),
        ("purpose", stated(said(&wish.purpose))),
        ("\n[group]\nid", quoted(&slug(&group))),
        ("name", quoted(&group)),
        ("\n[[order]]\nid", quoted(&id)),
        ("name_servers", list(&wish.name_servers)),
        ("\n[order.authority]\ninstrument", quoted(&said(&wish.authority))),
        ("issuer", stated(said(&wish.issuer))),
        ("\n[[list]]\norder", quoted(&id)),
        ("source", quoted(STATED)),
        ("outcome", quoted("redirect")),
        ("acts", list(&least)),
        ("names", list(&wish.names)),
    ];
    for (key, value) in fields {
        let _ = writeln!(text, "{key} = {value}");
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| format!("  {},\n", quoted(text.trim()))).collect();
    format!("[\n{}]", items.concat())
}

/// An id out of a name: what an id cannot hold becomes `-`.
fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let slug: String = text.trim().chars().map(plain).take(model::id::SLUG_LEN_MAX).collect();
    slug.trim_start_matches(['-', '.']).to_owned()
}

//----------- At the registrar -------------------------------------------------------------------------------------

/// What to set at the registrar, for one name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RegistrarSteps {
    /// For people: `evil-login[.]example`.
    pub name: String,
    pub steps: Vec<String>,
}

/// The steps for every name of a case, in order of name.
pub fn registrar_steps(file: &CaseFile) -> Vec<RegistrarSteps> {
    let orders = file.orders.iter();
    orders.flat_map(|order| order.names().keys().map(|name| steps(name, &order.terms.name_servers))).collect()
}

fn steps(name: &DomainName, servers: &[DomainName]) -> RegistrarSteps {
    let listed: Vec<&str> = servers.iter().map(DomainName::as_str).collect();
    let mut steps = vec![
        "Status: if clientUpdateProhibited is set, remove it first, in a request of its own.".to_owned(),
        format!("Name servers: exactly {}; remove all others.", listed.join(" and ")),
        "DS: remove every DS record. One that is left makes validating resolvers answer SERVFAIL, and nobody arrives."
            .to_owned(),
        "Locks: set clientTransferProhibited, clientDeleteProhibited and clientUpdateProhibited.".to_owned(),
        "Renewal: switch automatic renewal on, and note the day of expiry.".to_owned(),
    ];
    let inside: Vec<&str> = servers.iter().filter(|ns| ns.is_at_or_below(name)).map(DomainName::as_str).collect();
    if !inside.is_empty() {
        let glue =
            format!("Glue: {} lies below the name itself; register its addresses as host objects.", inside.join(", "));
        steps.insert(1, glue);
    }
    RegistrarSteps { name: name.defanged().to_string(), steps }
}

/// The same as text.
pub fn steps_text(all: &[RegistrarSteps]) -> String {
    let mut text = String::new();
    for RegistrarSteps { name, steps } in all {
        let _ = writeln!(text, "{name}");
        for (number, step) in steps.iter().enumerate() {
            let _ = writeln!(text, "  {}. {step}", number + 1);
        }
    }
    text
}

#[cfg(test)]
mod tests;
