//! `/cases/{id}/counts`: how many called, per window, each number with what it is and what it is not.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use insight::count::{Metric, Window, distinct};
use model::Timestamp;
use model::id::CaseId;
use store::archive::{Sighting, SightingFilter};

use crate::api::{CountsQuery, WindowCounts, WindowLength};
use crate::cases::known;
use crate::intake::{Asked, Named};
use crate::problem::{self, Told};
use crate::run::Desk;

/// The most windows of one answer, the last ones: a year of days, or two weeks of hours.
const WINDOWS_MAX: usize = 366;

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(case): Named<CaseId>,
    Asked(asked): Asked<CountsQuery>,
) -> Result<Json<Vec<WindowCounts>>, Told> {
    known(&*desk.view().await?, &case)?;
    let filter = SightingFilter { case: Some(case), label: asked.label, ..SightingFilter::default() };
    let sightings = desk.archive.sightings(&filter).await.map_err(|error| problem::ours(&error))?;
    Ok(Json(by_window(sightings, asked.window)))
}

fn by_window(sightings: Vec<Sighting>, length: WindowLength) -> Vec<WindowCounts> {
    let mut windows = BTreeMap::<i64, Vec<Sighting>>::new();
    for sighting in sightings {
        windows.entry(sighting.received.as_second().div_euclid(length.secs())).or_default().push(sighting);
    }
    let skip = windows.len().saturating_sub(WINDOWS_MAX);
    windows.into_iter().skip(skip).filter_map(|(number, inside)| counts(number, &inside, length)).collect()
}

/// `None` for a window beyond the years that a timestamp can name.
fn counts(number: i64, inside: &[Sighting], length: WindowLength) -> Option<WindowCounts> {
    let start = number.checked_mul(length.secs())?;
    let from = Timestamp::from_second(start).ok()?;
    let until = Timestamp::from_second(start.checked_add(length.secs())?).ok()?;
    let [addresses, with_fingerprint] = distinct(inside, Window { from, until }, None);
    Some(WindowCounts {
        from,
        until,
        contacts: inside.len() as u64,
        addresses: addresses.count,
        addresses_with_fingerprint: with_fingerprint.count,
        note: Metric::Addresses.label().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sighting(received: &str, source: &str) -> Sighting {
        let value = json!({
            "id": "00000001-00000001-0000-000000000001", "received": received, "source": source, "source_port": 1,
            "local": "127.0.0.1", "local_port": 53, "transport": "udp", "kind": "query", "oddities": [],
            "body_fields": [], "reasons": [], "withheld": false,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_window_counts_its_own_addresses() {
        let seen = [
            ("2019-03-27T23:59:59Z", "192.0.2.1"),
            ("2019-03-28T00:00:00Z", "192.0.2.1"),
            ("2019-03-28T00:30:00Z", "192.0.2.1"),
            ("2019-03-28T09:00:00Z", "192.0.2.2"),
        ];
        let sightings = || seen.map(|(received, source)| sighting(received, source)).to_vec();
        let count = |length| -> Vec<(String, u64, u64)> {
            let windows = by_window(sightings(), length);
            windows.iter().map(|window| (window.from.to_string(), window.contacts, window.addresses)).collect()
        };
        let day = |from: &str, contacts, addresses| (from.to_owned(), contacts, addresses);
        assert_eq!(count(WindowLength::Day), [day("2019-03-27T00:00:00Z", 1, 1), day("2019-03-28T00:00:00Z", 3, 2)]);
        assert_eq!(count(WindowLength::Hour).len(), 3);
    }

    #[test]
    fn only_the_last_windows_are_told() {
        let start: Timestamp = "2019-01-01T00:00:00Z".parse().unwrap();
        let at = |hour: i64| Timestamp::from_second(start.as_second() + hour * 3_600).unwrap().to_string();
        let hours = i64::try_from(WINDOWS_MAX).unwrap() + 1;
        let sightings = (0..hours).map(|hour| sighting(&at(hour), "192.0.2.1")).collect();
        let windows = by_window(sightings, WindowLength::Hour);
        assert_eq!(windows.len(), WINDOWS_MAX);
        assert_eq!(windows[0].from.to_string(), at(1));
    }
}
