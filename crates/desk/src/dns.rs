//! `/dns`: the DNS plane, listener by listener, and what it tells certification authorities.

use axum::Json;
use axum::extract::State;
use model::fact::Actor;
use model::order::Act;
use model::seizure::ServiceMode;
use model::{DomainName, Refusal};
use store::view::View;
use wire::dns::{ACME_TOKENS_MAX, AcmeToken};

use crate::api::{ChallengeRequest, ChallengeTold, DnsStatus, ZoneCounts};
use crate::asker::Asker;
use crate::intake::Sent;
use crate::problem::{self, Told};
use crate::run::{Desk, now};
use crate::sight;

/// Where an authority looks, below an apex.
const CHALLENGE_PREFIX: &str = "_acme-challenge.";

pub(crate) async fn show(State(desk): State<Desk>) -> Result<Json<DnsStatus>, Told> {
    let view = desk.view().await?;
    Ok(Json(DnsStatus { zones: zones(&view), live: desk.status.dns() }))
}

fn zones(view: &View) -> ZoneCounts {
    let mut counts = ZoneCounts::default();
    for name in view.cases.values().flat_map(|case| case.names.values()) {
        match name.mode {
            Some(ServiceMode::Collect) => counts.collect += 1,
            Some(ServiceMode::Hold) => counts.hold += 1,
            Some(ServiceMode::Handback) => counts.handback += 1,
            Some(ServiceMode::Off) | None => {}
        }
    }
    counts
}

//----------- Challenges -------------------------------------------------------------------------------------------

/// A hook of an ACME client calls this, as a user of this machine: that a certificate may be had was decided by the two
/// people who put the order in force.
pub(crate) async fn challenge(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(ChallengeRequest { name, tokens }): Sent<ChallengeRequest>,
) -> Result<Json<ChallengeTold>, Told> {
    let apex = certified(&*desk.view().await?, &name, &asker.actor).map_err(problem::refused)?;
    let read = self::tokens(&tokens)?;
    desk.status.tell_challenge(&apex, read).map_err(problem::refused)?;
    let at = format!("_acme-challenge.{}", apex.defanged());
    let said = match tokens.len() {
        0 => format!("{at} says nothing any more"),
        1 => format!("{at} says the token, for an hour"),
        count => format!("{at} says {count} tokens, for an hour"),
    };
    Ok(Json(ChallengeTold { name: apex, tokens: tokens.len() as u64, said }))
}

/// The apex, if an order in force permits public certificates for it.
fn certified(view: &View, asked: &str, asker: &Actor) -> Result<DomainName, Refusal> {
    let text = asked.strip_prefix(CHALLENGE_PREFIX).unwrap_or(asked);
    let name = DomainName::parse(text).map_err(|error| Refusal::new(error.to_string()))?;
    let mut orders = sight::cases(view, asker, now()).flat_map(|case| case.orders.values());
    let coverage = orders.find_map(|order| order.covers(&name, Act::PublicCertificate));
    coverage.map(|coverage| coverage.apex().clone()).ok_or_else(|| {
        Refusal::new(format!("no order in force permits a public certificate for {}", name.defanged()))
            .hint("the act is `public-certificate`; `bailiwick case show CASE` lists an order's acts")
    })
}

fn tokens(texts: &[String]) -> Result<Vec<AcmeToken>, Told> {
    if texts.len() > ACME_TOKENS_MAX {
        let what = format!("{} tokens for one name", texts.len());
        return Err(problem::bad_request(what, format!("at most {ACME_TOKENS_MAX} are told at once")));
    }
    let token = |text: &String| {
        let bad = || problem::bad_request("a token is no digest", "43 characters of base64url: SHA-256, unpadded");
        AcmeToken::parse(text).ok_or_else(bad)
    };
    texts.iter().map(token).collect()
}
