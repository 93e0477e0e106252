//! `bailiwick case`: import, make, show, ask for approval, narrow; [`records`] keeps what the owner had.

use desk::api::{
    CaseDetail, CaseImported, CaseSummary, ConflictDetail, NarrowRequest, OrderDetail, QuickMade, QuickRequest,
    RequestsFiled, Said, WindowCounts,
};
use docket::quick::Wish;
use model::DomainName;
use model::id::CaseId;
use model::order::{Authority, Sourced};
use model::seizure::ServiceMode;

use crate::cli::{ByArgs, CaseCommand, NarrowArgs, NarrowMode, Place, QuickArgs, QuickAuthority, WhoArgs};
use crate::door::{Door, in_query, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal::{self, count, table};

mod leaving;
mod machine;
mod providers;
mod records;
mod returning;

pub(crate) fn run(place: &Place, command: CaseCommand) -> Done {
    match command {
        CaseCommand::Amend(command) => super::amend::run(place, command),
        CaseCommand::Machine(command) => machine::run(place, command),
        CaseCommand::Import { file, by, out } => import(&Door::open(place, "case import")?, &file, by, out.json),
        CaseCommand::Quick(args) => quick(&Door::open(place, "case quick")?, args),
        CaseCommand::List(out) => list(&Door::open(place, "case list")?, out.json),
        CaseCommand::Show { case, out } => show(&Door::open(place, "case show")?, &case, out.json),
        CaseCommand::Counts { case, window, label, out } => {
            let label = label.map(|label| format!("&label={label}")).unwrap_or_default();
            let path = format!("/cases/{case}/counts?window={}{label}", word(&window));
            let counts: Vec<WindowCounts> = Door::open(place, "case counts")?.get(&path)?;
            if out.json { terminal::json(&counts) } else { terminal::line(&windows(&counts)) }
        }
        CaseCommand::Request { case, who, out } => {
            request(&Door::open(place, "case request")?, "requests", &case, &who, out.json)
        }
        CaseCommand::Unseal { case, who, out } => {
            request(&Door::open(place, "case unseal")?, "unsealing", &case, &who, out.json)
        }
        CaseCommand::Records(args) => records::run(&Door::open(place, "case records")?, &args),
        CaseCommand::Narrow(args) => narrow(&Door::open(place, "case narrow")?, &args),
        CaseCommand::Gate(command) => super::gate::run(place, command),
        CaseCommand::Watch(command) => super::watch::of_case(place, command),
        CaseCommand::Execution(command) => super::execution::run(place, command),
        CaseCommand::Provider(command) => providers::run(place, command),
        CaseCommand::Leaving(command) => leaving::run(place, command),
        CaseCommand::Return(args) => returning::run(&Door::open(place, "case return")?, args),
    }
}

fn import(door: &Door, file: &std::path::Path, by: ByArgs, json: bool) -> Done {
    let token = by.who().map(|who| token(&who)).transpose()?;
    let text = std::fs::read(file).tried(format_args!("reading the case file {}", file.display()))?;
    let name = in_query(&file.display().to_string());
    let path = format!("/cases?file={name}");
    let imported: CaseImported = match token {
        Some(token) => door.post_file_as(&path, text, "application/toml", &token)?,
        None => door.post_file(&path, text, "application/toml")?,
    };
    if json {
        return terminal::json(&imported);
    }
    terminal::line(&imported.said)?;
    for conflict in &imported.conflicts {
        terminal::line(&disagreement(conflict))?;
    }
    if imported.new {
        terminal::say(&format!(
            "next: two people put it in force; `bailiwick case request {} --as PERSON --token-file FILE`",
            imported.case
        ));
    }
    Ok(())
}

fn quick(door: &Door, args: QuickArgs) -> Done {
    let authority = match args.authority {
        QuickAuthority::OwnRegistration => "own-registration",
        QuickAuthority::VoluntaryTransfer => "voluntary-transfer",
    };
    let wish = Wish {
        names: args.names,
        authority: Some(authority.into()),
        id: args.id.map(|id| id.to_string()),
        title: None,
        contact: args.contact,
        purpose: args.purpose,
        issuer: args.issuer,
        name_servers: args.name_servers,
        group: None,
    };
    let made: QuickMade = door.post("/cases/quick", &QuickRequest { wish, dry_run: false }, None)?;
    if args.out.json {
        return terminal::json(&made);
    }
    terminal::line(&format!(
        "case {} is a draft, with the least acts\n\n{}",
        made.case,
        made.registrar_text.trim_end()
    ))?;
    terminal::say(&format!(
        "next: two people put it in force; `bailiwick case request {} --as PERSON --token-file FILE`",
        made.case
    ));
    Ok(())
}

fn list(door: &Door, json: bool) -> Done {
    let cases: Vec<CaseSummary> = door.get("/cases")?;
    if json {
        return terminal::json(&cases);
    }
    if cases.is_empty() {
        terminal::say("no case yet; `bailiwick case import FILE` or `bailiwick case quick NAME…` makes one");
        return Ok(());
    }
    let mut rows = vec![["case", "group", "state", "names", "served", "title"].map(str::to_owned).to_vec()];
    for case in cases {
        let served: u64 = case.served.iter().filter(|(mode, _)| *mode != "none").map(|(_, n)| n).sum();
        let title = if case.exercise { format!("EXERCISE · {}", case.title) } else { case.title };
        rows.push(vec![case.id.to_string(), case.group, word(&case.state), count(case.names), count(served), title]);
    }
    terminal::line(&table(&rows))
}

/// A closed enum's word, as files and the API write it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn show(door: &Door, case: &CaseId, json: bool) -> Done {
    let detail: CaseDetail = door.get(&format!("/cases/{case}"))?;
    if json { terminal::json(&detail) } else { terminal::line(&told(&detail)) }
}

fn told(detail: &CaseDetail) -> String {
    let CaseDetail { summary, lists, name_states, conflicts, waiting, .. } = detail;
    let banner = if summary.exercise { "EXERCISE, loopback only: " } else { "" };
    let fields = fields(detail).into_iter().filter(|(_, value)| !value.is_empty());
    let fields: String =
        fields.map(|(label, value)| format!("{label:<12} {}\n", value.replace('\n', "\n             "))).collect();
    let conflicts: String = conflicts.iter().map(|conflict| format!("\n{}", disagreement(conflict))).collect();
    let waiting = match waiting.first() {
        Some(first) => {
            let all = waiting.join(", ");
            format!("\n\nwaits for two people: request {all}; `bailiwick approval show {first}`")
        }
        None => String::new(),
    };
    let (registries, names) = (registries(lists), names(name_states));
    format!("{banner}{}\n\n{fields}\n{registries}\n{conflicts}\n\n{names}{waiting}", summary.title)
}

/// What the case and its orders say of themselves.
fn fields(detail: &CaseDetail) -> Vec<(&'static str, String)> {
    let CaseDetail { summary, terms, orders, .. } = detail;
    let aliases = terms.group.aliases.iter().map(|alias| format!("{} ({})", alias.name, alias.source));
    let mut fields = vec![
        ("case", format!("{}, {}", summary.id, word(&summary.state))),
        ("group", format!("{} ({})", terms.group.name, terms.group.id)),
        ("also called", aliases.collect::<Vec<_>>().join("\n")),
        ("contact", terms.contact.clone()),
        ("purpose", format!("{} ({})", terms.purpose.value, terms.purpose.source)),
    ];
    fields.extend(orders.iter().map(|order| ("authority", authority(order))));
    fields
}

fn authority(order: &OrderDetail) -> String {
    let Authority { instrument, issuer, docket_number, judge, .. } = &order.terms.authority;
    let said = |what: &str, value: &Option<Sourced<String>>| {
        value.as_ref().map(|sourced| format!("\n{what} {} ({})", sourced.value, sourced.source)).unwrap_or_default()
    };
    let issuer = format!("{} by {} ({})", instrument.as_str(), issuer.value, issuer.source);
    let papers = said("docket", docket_number) + &said("judge", judge);
    let (status, names, versions) = (word(&order.status), count(order.names), super::amend::versions(order));
    format!("{}: {issuer}{papers}\n{status}, {names} names, version {}{versions}", order.terms.id, order.version)
}

/// One name, two groups: shown, never merged away.
pub(crate) fn disagreement(conflict: &ConflictDetail) -> String {
    let ConflictDetail { name, ours, theirs, source, .. } = conflict;
    format!("conflict: {} is {ours} here and {theirs} by {source}", name.defanged())
}

fn windows(counts: &[WindowCounts]) -> String {
    let mut rows = vec![["from", "until", "contacts", "addresses", "with fingerprint"].map(str::to_owned).to_vec()];
    for window in counts {
        let numbers = [window.contacts, window.addresses, window.addresses_with_fingerprint].map(count);
        rows.push([vec![window.from.to_string(), window.until.to_string()], numbers.to_vec()].concat());
    }
    let note = counts.first().map_or("nobody has called yet", |window| &window.note);
    format!("{}\n\n{note}", table(&rows))
}

fn registries(lists: &[desk::api::ListDetail]) -> String {
    let mut rows = vec![["registry", "names", "outcome", "acts", "operator"].map(str::to_owned).to_vec()];
    for list in lists {
        let operator = match (&list.operator, &list.operator_source) {
            (Some(operator), Some(source)) => format!("{operator} ({source})"),
            (Some(operator), None) => operator.clone(),
            _ => String::new(),
        };
        let tld = list.tld.as_ref().map(|tld| format!(".{tld}")).unwrap_or_default();
        rows.push(vec![tld, count(list.names), list.outcome.as_str().into(), list.acts.join(", "), operator]);
    }
    table(&rows)
}

fn names(states: &[desk::api::NameDetail]) -> String {
    let mut rows =
        vec![["name", "outcome", "seizure", "service", "an answer", "owner's records"].map(str::to_owned).to_vec()];
    for state in states {
        let mode = state.mode.map_or("not served", ServiceMode::as_str);
        let name = state.name.defanged().to_string();
        let (outcome, seizure) = (state.outcome.as_str().into(), state.seizure.as_str().into());
        let kept = state.captured.map(count).unwrap_or_default();
        rows.push(vec![name, outcome, seizure, mode.into(), state.answer_effect.as_str().into(), kept]);
    }
    table(&rows)
}

fn request(door: &Door, what: &str, case: &CaseId, who: &WhoArgs, json: bool) -> Done {
    let filed: RequestsFiled =
        door.post(&format!("/cases/{case}/{what}"), &serde_json::json!({}), Some(&token(who)?))?;
    if json {
        return terminal::json(&filed);
    }
    terminal::line(&filed.said)?;
    if let Some(first) = filed.requests.first() {
        terminal::say(&format!(
            "next: read it with `bailiwick approval show {first}`, then `bailiwick approval give {case} --role ROLE --as PERSON --token-file FILE`, twice"
        ));
    }
    Ok(())
}

fn narrow(door: &Door, args: &NarrowArgs) -> Done {
    let names = parsed(&args.names)?;
    let mode = match args.mode {
        NarrowMode::Hold => ServiceMode::Hold,
        NarrowMode::Handback => ServiceMode::Handback,
        NarrowMode::Off => ServiceMode::Off,
    };
    let wish = NarrowRequest { names, mode, reason: args.reason.clone(), disarm_kill_switch: args.disarm_kill_switch };
    let done: Said = door.post(&format!("/cases/{}/narrow", args.case), &wish, Some(&token(&args.who)?))?;
    terminal::line(&done.said)?;
    returning::say_who_is_behind(&super::sensor::behind(door)?)
}

fn parsed(texts: &[String]) -> Result<Vec<DomainName>, Failure> {
    let parse = |text: &String| {
        DomainName::parse(text).map_err(|error| Failure::new(format!("`{text}`: {error}")).code(code::USAGE))
    };
    texts.iter().map(parse).collect()
}
