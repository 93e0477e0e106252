//! `POST /reports/{name}`: one of the named reports, with what the asker may see and what is withheld from everybody.
//!
//! Callers about whom nothing may be told stand in no row: by their verdict in the question itself, and by the terms
//! of their case as they are today here. How many they are is said.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use model::address::{Asn, Country};
use model::marking::Withheld;
use store::report::{Cell, REPORT_ROWS_MAX, ReportAnswer, ReportName, Wish};
use store::view::View;

use crate::api::{EngineQuery, ReportTold};
use crate::asker::Asker;
use crate::intake::{Asked, Named, Sent};
use crate::problem::{self, Told, bad_request, not_found};
use crate::run::{Desk, now};
use crate::{query, sight};

/// What stands beside every count of addresses.
const NOTE: &str = "addresses: an upper bound, never a number of machines; one that stands in two rows is one address";

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    Asked(EngineQuery { engine }): Asked<EngineQuery>,
    asker: Asker,
    Sent(wish): Sent<Wish>,
) -> Result<Json<ReportTold>, Told> {
    let name: ReportName = name.parse().map_err(|error: store::report::NoSuchReport| unknown(&error.to_string()))?;
    let view = desk.view().await?;
    let sight = sight::of(&view, &asker.actor, now());
    if let Some(case) = &wish.case {
        sight::known(&view, case, &asker.actor, now())?;
    }
    if name.tells_of_callers()
        && let Err(refusal) = sight::check_callers(&view, &asker)
    {
        desk.remember_refusal(&format!("report {name}"), &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    let ask = async |report| desk.report(engine, &report, &sight).await;
    let mut answer = ask(wished(name, &wish)?).await?;
    let mut withheld = None;
    if let Some(absent) = name.withheld(&wish) {
        let by_verdict = match ask(absent).await?.rows.first().and_then(|row| row.first()) {
            Some(Cell::Count(count)) => *count,
            _ => 0,
        };
        withheld = Some(by_verdict + leave_out(&mut answer, &view));
    }
    Ok(Json(ReportTold { report: name, wish, answer, withheld, note: NOTE.into() }))
}

fn wished(name: ReportName, wish: &Wish) -> Result<store::report::Report, Told> {
    if !(1..=REPORT_ROWS_MAX).contains(&wish.limit.unwrap_or(1)) {
        let hint = "ask for a shorter window, or for one case or name";
        return Err(bad_request(format!("a report has 1 to {REPORT_ROWS_MAX} rows"), hint));
    }
    let no_source = || bad_request("the history of a source needs its address", "name it with `--source`");
    name.of(wish).ok_or_else(no_source)
}

/// What the engine could not do within its limits it can do for less.
pub(crate) fn unanswered(error: store::Error) -> Told {
    let is_refused = matches!(error, store::Error::Query(_));
    let told = query::told(error);
    if is_refused { told.hint("a shorter window (--since, --until), one case or one name takes less") } else { told }
}

fn unknown(what: &str) -> Told {
    let names = ReportName::ALL.map(ReportName::as_str).join(", ");
    not_found(what, &format!("there are {names}"))
}

//----------- What today's terms withhold --------------------------------------------------------------------------

/// Takes rows about single callers out whom their case withholds by its terms, and says how many addresses they were.
fn leave_out(answer: &mut ReportAnswer, view: &View) -> u64 {
    let at = |name: &str| answer.columns.iter().position(|column| column.name == name);
    let (Some(case), Some(source)) = (at("case_id"), at("source")) else { return 0 };
    let [asn, as_name, country] = ["asn", "as_name", "country"].map(at);
    let mut left_out = BTreeSet::<IpAddr>::new();
    answer.rows.retain(|row| {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or(&Cell::Null);
        let terms = text(&row[case]).and_then(|case| view.cases.values().find(|known| known.terms.id.as_str() == case));
        let (Some(terms), Cell::Address(source)) = (terms, &row[source]) else { return true };
        let is_withheld = covers(&terms.terms.withheld, *source, cell(asn), cell(as_name), cell(country));
        if is_withheld {
            left_out.insert(*source);
        }
        !is_withheld
    });
    left_out.len() as u64
}

fn covers(terms: &Withheld, source: IpAddr, asn: &Cell, as_name: &Cell, country: &Cell) -> bool {
    let asn = match asn {
        Cell::Count(number) => u32::try_from(*number).ok().map(Asn),
        _ => None,
    };
    let country: Option<Country> = text(country).and_then(|country| country.parse().ok());
    let recipient = text(as_name).is_some_and(|name| terms.recipients.contains(name));
    recipient || terms.covers(source, asn, country)
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todays_terms_withhold_by_network_country_and_recipient() {
        let terms: Withheld = serde_json::from_value(serde_json::json!({
            "countries": ["ZZ"], "networks": ["198.51.100.0/24"], "asns": [64500], "recipients": ["Example Homeland"]
        }))
        .unwrap();
        let source = "192.0.2.1".parse().unwrap();
        let text = |text: &str| Cell::Text(text.into());
        for (source, asn, as_name, country, withheld) in [
            (source, Cell::Count(64_501), text("Example"), text("DE"), false),
            (source, Cell::Null, Cell::Null, Cell::Null, false),
            (source, Cell::Count(64_500), text("Example"), text("DE"), true),
            (source, Cell::Null, text("Example Homeland"), text("DE"), true),
            (source, Cell::Null, Cell::Null, text("ZZ"), true),
            ("198.51.100.9".parse().unwrap(), Cell::Null, Cell::Null, Cell::Null, true),
        ] {
            assert_eq!(covers(&terms, source, &asn, &as_name, &country), withheld, "{source} {asn:?} {as_name:?}");
        }
    }
}
