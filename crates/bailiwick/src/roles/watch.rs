//! `bailiwick case due`, `confirm`, `date`, `post-mortem`, and `bailiwick alarm`: what is due, what gives alarm.

use desk::api::{
    AcknowledgeRequest, AlarmTold, ConfirmRequest, DateConfirmRequest, DateRequest, DuesTold, PostMortem,
    PostMortemQuery, Said,
};
use model::alarm::AlarmState;
use model::name::defang;

use crate::cli::{AlarmCommand, AskerArgs, CaseWatchCommand, DateCommand, Place, WhoArgs};
use crate::door::{Door, token};
use crate::failure::{Done, Failure};
use crate::terminal::{self, count, table};

pub(super) fn of_case(place: &Place, command: CaseWatchCommand) -> Done {
    match command {
        CaseWatchCommand::Due { case, asker, out } => {
            let path = case.map_or("/dues".to_owned(), |case| format!("/dues?case={case}"));
            let told: DuesTold = Door::open(place, "case due")?.get_as(&path, shown(&asker)?.as_deref())?;
            if out.json { terminal::json(&told) } else { dues(&told) }
        }
        CaseWatchCommand::Confirm { case, narrowing, note, who, out } => {
            let wish = ConfirmRequest { narrowing: narrowing.map(|number| number.to_string()), note };
            said(place, "case confirm", &format!("/cases/{case}/confirm"), &wish, Some(&who), out.json)
        }
        CaseWatchCommand::Date(command) => date(place, command),
        CaseWatchCommand::PostMortem { case, days, hold, asker, out } => {
            let (door, token) = (Door::open(place, "case post-mortem")?, shown(&asker)?);
            let path = format!("/cases/{case}/post-mortem");
            let report: PostMortem = door.get_as(&format!("{path}?days={days}"), token.as_deref())?;
            if out.json {
                terminal::json(&report)?;
            } else {
                terminal::line(&looked_back(&report))?;
            }
            if hold {
                let held: Said = door.post(&path, &PostMortemQuery { days }, token.as_deref())?;
                terminal::say(&held.said);
            }
            Ok(())
        }
    }
}

/// The token of whoever asks, if a person does.
pub(super) fn shown(asker: &AskerArgs) -> Result<Option<String>, Failure> {
    asker.who().map(|who| token(&who)).transpose()
}

fn said(
    place: &Place,
    role: &str,
    path: &str,
    wish: &impl serde::Serialize,
    who: Option<&WhoArgs>,
    json: bool,
) -> Done {
    let token = who.map(token).transpose()?;
    let done: Said = Door::open(place, role)?.post(path, wish, token.as_deref())?;
    if json { terminal::json(&done) } else { terminal::line(&done.said) }
}

fn date(place: &Place, command: DateCommand) -> Done {
    match command {
        DateCommand::Propose { case, order, what, from, days, business, asker, out } => {
            let wish = DateRequest { order, what, from, days, business };
            let path = format!("/cases/{case}/dates");
            said(place, "case date propose", &path, &wish, asker.who().as_ref(), out.json)
        }
        DateCommand::Confirm { case, order, what, date, note, who, out } => {
            let wish = DateConfirmRequest { order, what, date, note };
            let path = format!("/cases/{case}/dates/confirmation");
            said(place, "case date confirm", &path, &wish, Some(&who), out.json)
        }
    }
}

fn dues(told: &DuesTold) -> Done {
    if told.dues.is_empty() {
        terminal::say("nothing is due");
        return Ok(());
    }
    let mut rows = vec![["by", "", "case", "what", "from"].map(str::to_owned).to_vec()];
    for due in &told.dues {
        let when = due.when.map_or("-".to_owned(), |when| when.to_string());
        let from = match &due.basis {
            desk::api::Basis::Paper { source } => format!("the paper: {source}"),
            desk::api::Basis::Rule { confirmed_by: Some(by), .. } => format!("confirmed by {by}"),
            desk::api::Basis::Rule { name, .. } => format!("a rule, a PROPOSAL: `case date confirm --what {name}`"),
            desk::api::Basis::House { rule } => rule.clone(),
        };
        rows.push(vec![when, due.standing.as_str().to_owned(), due.case.to_string(), due.what.clone(), from]);
    }
    terminal::line(&table(&rows))
}

//----------- Alarms -----------------------------------------------------------------------------------------------

pub(crate) fn alarm(place: &Place, command: AlarmCommand) -> Done {
    match command {
        AlarmCommand::List { case, all, asker, out } => {
            let case = case.map(|case| format!("&case={case}")).unwrap_or_default();
            let path = format!("/alarms?all={all}{case}");
            let alarms: Vec<AlarmTold> = Door::open(place, "alarm list")?.get_as(&path, shown(&asker)?.as_deref())?;
            if out.json { terminal::json(&alarms) } else { alarms_told(&alarms) }
        }
        AlarmCommand::Ack { number, note, who, out } => {
            let path = format!("/alarms/{number}/acknowledgement");
            said(place, "alarm ack", &path, &AcknowledgeRequest { note }, Some(&who), out.json)
        }
    }
}

fn alarms_told(alarms: &[AlarmTold]) -> Done {
    if alarms.is_empty() {
        terminal::say("no alarm stands");
        return Ok(());
    }
    let mut rows = vec![["alarm", "state", "since", "case", "kind", "of", "why"].map(str::to_owned).to_vec()];
    for alarm in alarms {
        let state = match (&alarm.acknowledged_by, alarm.state) {
            (Some(by), AlarmState::Acknowledged) => format!("known to {by}"),
            (_, state) => state.as_str().to_owned(),
        };
        let note = alarm.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        let of = defang(&alarm.subject).to_string();
        let kind =
            if alarm.mark.is_empty() { alarm.kind.to_string() } else { format!("{} {}", alarm.kind, alarm.mark) };
        let since = alarm.first_seen.to_string();
        let why = format!("{}{note}", alarm.reason);
        rows.push(vec![alarm.number.clone(), state, since, alarm.case.to_string(), kind, of, why]);
    }
    terminal::line(&table(&rows))
}

//----------- Looking back -----------------------------------------------------------------------------------------

fn looked_back(report: &PostMortem) -> String {
    let PostMortem { case, days, from, until, is_early, calls, alarms, learned, missed, returned } = report;
    let early = if *is_early { "; the window has not ended yet" } else { "" };
    let mut text = format!("case {case}, {days} days: {from} to {until}{early}\n\n");
    let mut rows = vec![["label", "contacts", "addresses", "still: contacts", "addresses"].map(str::to_owned).to_vec()];
    rows.extend(calls.iter().map(|(label, of)| {
        let numbers = [of.contacts, of.addresses, of.contacts_still, of.addresses_still].map(count);
        [vec![label.clone()], numbers.to_vec()].concat()
    }));
    match calls.is_empty() {
        true => text.push_str("nobody called\n"),
        false => text.push_str(&format!(
            "{}\n`still` is the last seven days; addresses are an upper bound, never machines\n",
            table(&rows)
        )),
    }
    text.push_str(&format!("\nalarms that stood: {}\n", alarms.len()));
    for alarm in alarms {
        let of = defang(&alarm.subject);
        text.push_str(&format!("  {} {of}, {}: {}\n", alarm.kind, alarm.state, alarm.reason));
    }
    text.push_str(&format!(
        "\nlearned since: {} indicators, {} suspects\n",
        learned.indicators_in_all, learned.suspects_in_all
    ));
    learned.suspects.iter().for_each(|name| text.push_str(&format!("  {}\n", name.defanged())));
    if returned.names > 0 {
        text.push_str(&format!(
            "\ngiven back: {} names; {} of them not yet seen to be free of a delegation to us, {} without letter and plan\n",
            count(returned.names),
            count(returned.still_ours),
            count(returned.without_papers)
        ));
    }
    text.push_str("\nmissed:\n");
    for (state, names) in &missed.unproven {
        text.push_str(&format!("  {} names are {state}: nobody has proven their seizure\n", count(*names)));
    }
    missed.overdue.iter().for_each(|what| text.push_str(&format!("  overdue: {what}\n")));
    text.push_str(&format!("  {} alarms that nobody acknowledged\n", count(missed.unacknowledged)));
    text.push_str(&format!("  {} suspects that no case lists", count(missed.suspects_unlisted)));
    text
}
