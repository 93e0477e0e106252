//! `bailiwick retention`: what is kept for how long, what goes when, and what a hold keeps.

use desk::api::{
    HoldRequest, HoldTold, KeptTold, PurgePassTold, PurgeTold, ReleaseRequest, RequestsFiled, RetentionTold,
    WaitingTold,
};

use crate::cli::{Place, RetentionCommand};
use crate::door::{Door, token};
use crate::failure::Done;
use crate::terminal::{self, count, table};

pub(crate) fn run(place: &Place, command: RetentionCommand) -> Done {
    match command {
        RetentionCommand::Show(out) => {
            let told: RetentionTold = Door::open(place, "retention show")?.get("/retention")?;
            if out.json { terminal::json(&told) } else { terminal::line(&shown(&told)) }
        }
        RetentionCommand::Run(out) => {
            let told: PurgePassTold = Door::open(place, "retention run")?.post("/retention/run", &(), None)?;
            if out.json { terminal::json(&told) } else { terminal::line(&done(&told)) }
        }
        RetentionCommand::Hold { case, reason, who, out } => {
            let token = token(&who)?;
            let request = HoldRequest { case, reason };
            let told: HoldTold =
                Door::open(place, "retention hold")?.post("/retention/holds", &request, Some(&token))?;
            if out.json {
                return terminal::json(&told);
            }
            terminal::line(&format!("hold {} on case {}: nothing of it is purged", told.hold, told.case))
        }
        RetentionCommand::Release { case, hold, who, out } => {
            let token = token(&who)?;
            let request = ReleaseRequest { case, hold: hold.to_string() };
            let told: RequestsFiled =
                Door::open(place, "retention release")?.post("/retention/releases", &request, Some(&token))?;
            if out.json { terminal::json(&told) } else { terminal::line(&told.said) }
        }
    }
}

//----------- As people read it ------------------------------------------------------------------------------------

fn shown(told: &RetentionTold) -> String {
    let heads = ["case", "addresses", "raw", "verdicts", "contacts", "accounts", "returned", ""].map(str::to_owned);
    let rows: Vec<Vec<String>> = std::iter::once(heads.to_vec()).chain(told.rules.iter().map(rule)).collect();
    let last = told.last_pass.map_or("never".to_owned(), |last| last.to_string());
    let journal = match told.journal_before {
        Some(before) => format!("the journal's segments go that are older than {before} and archived"),
        None => "a hold keeps every segment of the journal".to_owned(),
    };
    let mut text =
        format!("{}\ndays are whole UTC days of receipt\n{journal}\nlast carried out: {last}\n", table(&rows));
    for hold in &told.holds {
        let by = hold.by.as_ref().map_or("nobody", |by| by.as_str());
        text.push_str(&format!("hold {} on {} by {by}, {}: {}\n", hold.hold, hold.case, hold.placed, hold.reason));
    }
    match told.waiting.len() {
        0 => text.push_str("nothing is due"),
        days => {
            text.push_str(&format!("due now, {days} days:\n"));
            told.waiting.iter().for_each(|one| text.push_str(&waiting(one)));
        }
    }
    text.trim_end().to_owned()
}

fn rule(told: &KeptTold) -> Vec<String> {
    let some = |days: Option<u32>, otherwise: &str| days.map_or(otherwise.to_owned(), |days| days.to_string());
    let kept = &told.kept;
    let note = match (told.is_held, told.is_shortened) {
        (true, _) => "held: nothing goes",
        (false, true) => "shortened: no order in force covers `retain`",
        (false, false) => "",
    };
    vec![
        told.case.as_ref().map_or("of no case".to_owned(), ToString::to_string),
        kept.addresses_days.to_string(),
        kept.raw_days.to_string(),
        some(kept.verdicts_days, "with contacts"),
        some(kept.contacts_days, "stay"),
        some(kept.accounts_days, "with the journal"),
        some(kept.returned_days, "as others"),
        note.to_owned(),
    ]
}

fn waiting(told: &WaitingTold) -> String {
    let part =
        |(case, part, apex): &(Option<model::id::CaseId>, model::fact::RecordPart, Option<model::DomainName>)| {
            let case = case.as_ref().map_or("no case".to_owned(), ToString::to_string);
            let apex = apex.as_ref().map(|apex| format!(" at {}", apex.defanged())).unwrap_or_default();
            format!("{} of {case}{apex}", part.as_str())
        };
    let parts: Vec<String> = told.parts.iter().map(part).collect();
    let note = if told.is_unsettled { " (compacted first)" } else { "" };
    format!("  {}  {}{note}\n", told.day, parts.join(", "))
}

fn done(told: &PurgePassTold) -> String {
    if told.days.is_empty() && told.segments == 0 {
        return "nothing was due".to_owned();
    }
    let heads = ["day", "rows", "files", "became"].map(str::to_owned).to_vec();
    let row = |one: &PurgeTold| {
        let numbers = [one.rows, one.files_before, one.files_after].map(count);
        [vec![one.day.to_string()], numbers.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(told.days.iter().map(row)).collect();
    let segments = format!("{} segments of the journal, {} octets", count(told.segments), count(told.segments_octets));
    format!("{}\n{segments}\nbackups from before still hold it: `bailiwick audit purge` names them", table(&rows))
}
