//! `bailiwick report`: the questions that are asked again and again, answered as a table, JSON or CSV.

use desk::api::ReportTold;
use store::report::{Interval, ReportName, Wish};

use crate::cli::{By, Place, ReportArgs, ReportFormat};
use crate::door::{self, Door};
use crate::failure::{Done, Failure, code};
use crate::supervise;
use crate::terminal::{self, table};

mod csv;
mod drawn;
pub(super) mod when;

pub(crate) fn run(place: &Place, args: &ReportArgs) -> Done {
    let Some(name) = &args.report else { return terminal::line(&list()) };
    let name: ReportName = name.parse().map_err(|error: store::report::NoSuchReport| unknown(&error.to_string()))?;
    let wish = wish(args)?;
    let token = args.asker.who().map(|who| door::token(&who)).transpose()?;
    let path = door::with_engine(&format!("/reports/{name}"), args.engine);
    let told: ReportTold = Door::open(place, "report")?.post(&path, &wish, token.as_deref())?;
    match args.format {
        ReportFormat::Json => terminal::json(&told),
        ReportFormat::Csv => csv::print(&told.answer),
        ReportFormat::Table => terminal::line(&drawn::text(&told)),
    }?;
    if told.answer.cut {
        terminal::say("there are more rows than are shown; raise --limit, or ask for less");
    }
    Ok(())
}

fn list() -> String {
    let rows: Vec<Vec<String>> =
        ReportName::ALL.iter().map(|name| vec![name.to_string(), name.about().to_owned()]).collect();
    table(&rows)
}

fn unknown(what: &str) -> Failure {
    Failure::new(format!("{what}; there are\n{}", list()))
        .hint("`bailiwick report --help` has examples")
        .code(code::USAGE)
}

fn wish(args: &ReportArgs) -> Result<Wish, Failure> {
    let now = supervise::now();
    let read = |flag: &str, text: &Option<String>| {
        let read = text.as_deref().map(|text| when::instant(text, now)).transpose();
        read.map_err(|why| Failure::new(format!("reading --{flag}: {why}")).hint(when::HINT).code(code::USAGE))
    };
    let (since, until) = (read("since", &args.since)?, read("until", &args.until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        let what = format!("from {since} to before {until} there is no time");
        return Err(Failure::new(what).hint("--since comes before --until").code(code::USAGE));
    }
    let by = match args.by {
        By::Hour => Interval::Hour,
        By::Day => Interval::Day,
    };
    let (case, name, limit) = (args.case.clone(), args.name.clone(), Some(args.limit));
    Ok(Wish { since, until, case, name, source: args.source, limit, by })
}
