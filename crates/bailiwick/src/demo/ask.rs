//! What the demo asks of the API: the same routes that the command line uses, nothing beside them.

use std::collections::BTreeMap;

use desk::api::{
    ApprovalDetail, CaseDetail, CaseImported, EnrolRequest, PersonSummary, QueryAnswer, QueryRequest, RequestsFiled,
    Status, YesRequest, YesTaken,
};
use model::id::PersonId;
use model::marking::Audience;
use model::person::Role;
use model::seizure::ServiceMode;
use model::{Digest, DomainName};
use share::Format;

use super::act::{CASE, CASE_FILE};
use crate::door::Door;
use crate::failure::Failure;

/// The demo's two people. Their tokens stand here for everybody to read, which is why they count for exercises only.
const PEOPLE: [(&str, Role, &str); 2] = [
    ("demo-investigator", Role::Investigator, "bailiwick-demo-investigator-fixture-token"),
    ("demo-counsel", Role::Legal, "bailiwick-demo-counsel-fixture-token"),
];

/// Imports the case and says how many names it lists.
pub(crate) fn import(door: &Door) -> Result<u64, Failure> {
    let text = CASE_FILE.as_bytes().to_vec();
    let imported: CaseImported = door.post_file("/cases?file=phosphorus-2019.toml", text, "application/toml")?;
    Ok(imported.names)
}

/// Two people, asked and answering: the normal path, there is no other.
pub(crate) fn approve(door: &Door) -> Result<(), Failure> {
    for (id, role, token) in PEOPLE {
        let id = PersonId::parse(id).expect("the demo's people have ids");
        let token_sha256 = Digest::of_bytes(token.as_bytes());
        let wish = EnrolRequest { id, roles: [role].into(), token_sha256, fixture: true, first_token: None };
        door.post::<PersonSummary>("/people", &wish, None)?;
    }
    let (_, _, asking) = PEOPLE[0];
    let filed: RequestsFiled = door.post(&format!("/cases/{CASE}/requests"), &serde_json::json!({}), Some(asking))?;
    for request in filed.requests {
        let path = format!("/approvals/{request}");
        let shown: ApprovalDetail = door.get(&path)?;
        for (_, role, token) in PEOPLE {
            let yes = YesRequest { role, shown: shown.summary.shown };
            door.post::<YesTaken>(&path, &yes, Some(token))?;
        }
    }
    Ok(())
}

pub(crate) fn status(door: &Door) -> Result<Status, Failure> {
    door.get("/status")
}

/// How many zones the sinkhole answers for by now.
pub(crate) fn zones_served(door: &Door) -> Result<u64, Failure> {
    Ok(status(door)?.live.zones)
}

pub(crate) fn served_names(door: &Door) -> Result<Vec<DomainName>, Failure> {
    let case: CaseDetail = door.get(&format!("/cases/{CASE}"))?;
    let served = case.name_states.into_iter().filter(|name| name.mode == Some(ServiceMode::Collect));
    Ok(served.map(|name| name.name).collect())
}

pub(crate) fn recorded(door: &Door) -> Result<u64, Failure> {
    Ok(status(door)?.live.tallies.iter().map(|listener| listener.tally.recorded).sum())
}

pub(crate) fn archived(door: &Door) -> Result<u64, Failure> {
    number(door, "select count(*) from sightings where label is not null")
}

/// A query's one number.
pub(crate) fn number(door: &Door, sql: &str) -> Result<u64, Failure> {
    Ok(query(door, sql)?.rows.first().and_then(|row| row.first()).and_then(serde_json::Value::as_u64).unwrap_or(0))
}

pub(crate) fn indicators(door: &Door) -> Result<u64, Failure> {
    Ok(status(door)?.indicators)
}

pub(crate) fn by_label(door: &Door) -> Result<BTreeMap<String, u64>, Failure> {
    let answer = query(door, "select label, count(*) from sightings group by label order by label")?;
    let row = |row: &Vec<serde_json::Value>| Some((row.first()?.as_str()?.to_owned(), row.get(1)?.as_u64()?));
    Ok(answer.rows.iter().filter_map(row).collect())
}

pub(crate) fn query(door: &Door, sql: &str) -> Result<QueryAnswer, Failure> {
    door.post("/query", &QueryRequest { sql: sql.to_owned() }, None)
}

/// A feed's file name and bytes.
pub(crate) fn feed(door: &Door, format: Format, audience: Audience) -> Result<(String, Vec<u8>), Failure> {
    let audience = serde_json::to_value(audience).expect("an audience is a word");
    let path = format!("/feeds/{format}?case={CASE}&audience={}", audience.as_str().expect("an audience is a word"));
    let answer = door.get_document(&path)?;
    let name = answer.file_name.unwrap_or_else(|| format!("{CASE}.{format}"));
    Ok((name, answer.body))
}
