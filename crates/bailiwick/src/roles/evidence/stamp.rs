//! `evidence stamp`: a time-stamping authority (RFC 3161) vouches for the time at which an exhibit's digest was there.
//!
//! The authority learns a digest and nothing else. Whether its signature holds, a stranger checks with `openssl ts`.

use desk::api::ExhibitDetail;
use docket::decide::TOKEN_OCTETS_MAX;
use docket::evidence::tsp;
use model::evidence::Exhibit;
use model::id::CaseId;

use super::look::{Ask, Way};
use super::{said, settings, write_new};
use crate::cli::{Place, StampArgs};
use crate::config::Evidence;
use crate::door::{Door, in_query, token};
use crate::failure::{Done, Failure, Tried};
use crate::terminal;

pub(super) fn run(place: &Place, args: &StampArgs) -> Done {
    let (config, evidence) = settings(place)?;
    let door = Door::into(&config, "evidence stamp")?;
    let exhibits: Vec<ExhibitDetail> = door.get(&format!("/cases/{}/exhibits", args.case))?;
    let missing = || Failure::new(format!("case {} has no exhibit {}", args.case, args.exhibit));
    let found = exhibits.into_iter().find(|one| one.exhibit.number == args.exhibit).ok_or_else(missing)?;
    if let Some(to) = &args.request_to {
        write_new(to, &tsp::request(&found.exhibit.file, nonce()?))?;
        terminal::say(
            "send it to an authority as application/timestamp-query, and keep the answer with `--response FILE`",
        );
        return Ok(());
    }
    let (authority, octets) = match &args.response {
        Some(file) => {
            ("fetched by hand".to_owned(), std::fs::read(file).tried(format_args!("reading {}", file.display()))?)
        }
        None => asked(&found.exhibit, &evidence)?,
    };
    let done = put(&door, &args.case, args.exhibit, &authority, octets, &token(&args.who)?)?;
    if args.out.json { terminal::json(&done) } else { terminal::line(&done.said) }
}

/// After a capture; an exhibit stays one where the authority is away.
pub(super) fn if_configured(door: &Door, case: &CaseId, exhibit: &Exhibit, evidence: &Evidence, token: &str) {
    if evidence.tsa.is_none() {
        return;
    }
    let number = exhibit.number;
    let put =
        asked(exhibit, evidence).and_then(|(authority, octets)| put(door, case, number, &authority, octets, token));
    if let Err(failure) = put {
        terminal::say(&format!(
            "exhibit {number} is kept and not time-stamped: {}; `bailiwick evidence stamp {case} {number}` tries again",
            failure.message()
        ));
    }
}

fn put(
    door: &Door,
    case: &CaseId,
    number: u32,
    authority: &str,
    octets: Vec<u8>,
    token: &str,
) -> Result<desk::api::Said, Failure> {
    let path = format!("/cases/{case}/exhibits/{number}/stamp?authority={}", in_query(authority));
    said(door, &path, octets, token)
}

fn asked(exhibit: &Exhibit, evidence: &Evidence) -> Result<(String, Vec<u8>), Failure> {
    let url = evidence.tsa.clone().ok_or_else(|| {
        Failure::new("no time-stamping authority is named")
            .hint("[evidence] tsa = \"http://…\", or fetch an answer by hand: --request-to FILE, then --response FILE")
    })?;
    let nonce = nonce()?;
    let headers = vec![("Content-Type", "application/timestamp-query".to_owned())];
    let ask = Ask { url: url.clone(), method: "POST", headers, body: tsp::request(&exhibit.file, nonce) };
    let failed = |why: String| Failure::new(format!("asking the authority at {url}: {why}"));
    let seen = Way::checked(evidence)?.look(&ask).map_err(failed)?;
    if seen.status != 200 || seen.body.len() > TOKEN_OCTETS_MAX {
        return Err(failed(format!("it answered {} with {} octets", seen.status, seen.body.len())));
    }
    let info = tsp::read(&seen.body).map_err(|error| failed(error.to_string()))?;
    if info.nonce != Some(nonce) {
        return Err(failed("its answer is to another question (the nonce differs)".to_owned()));
    }
    Ok((url, seen.body))
}

fn nonce() -> Result<u64, Failure> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).map_err(|error| Failure::new(format!("asking the system for randomness: {error}")))?;
    Ok(u64::from_be_bytes(octets))
}
