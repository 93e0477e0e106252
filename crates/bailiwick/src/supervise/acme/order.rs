//! One order from its beginning to its certificate: the account, the two tokens, the wait, the key.
//!
//! The tokens stand in our own DNS only while the order runs. Before the authority is told to issue, the name is looked at
//! once more: a certificate stands in public logs for ever, and a case may have been sealed in the meantime.

use std::fs;
use std::path::Path;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use model::{Digest, DomainName};
use sinkhole::certificates::keep_file;
use sinkhole::dns::Challenges;
use wire::dns::AcmeToken;

use super::authority::{Authority, other};
use crate::config::Acme;
use crate::supervise::now;

/// From the order to its certificate. Authorities look from several places and within minutes.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// How often the authority is asked whether it has looked: after one second, then half as long again each time.
const LOOKS: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_secs(1)).backoff(1.5).timeout(Duration::from_secs(240));
/// The largest file of an account: an id, a key and a URL.
const ACCOUNT_OCTETS_MAX: u64 = 16 * 1024;

//----------- The account ------------------------------------------------------------------------------------------

/// The account that stands in the folder, or a new one. An authority has its own: its directory is in the file's name.
pub(super) async fn account(acme: &Acme, authority: Authority, folder: &Path) -> Result<Account, Error> {
    let name = format!("account-{}.json", Digest::of_bytes(acme.directory.as_bytes()).short());
    let builder = Account::builder_with_http(Box::new(authority));
    if let Some(credentials) = kept(&folder.join(&name))? {
        return builder.from_credentials(credentials).await;
    }
    let contact: Vec<&str> = acme.contact.iter().map(String::as_str).collect();
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder.create(&wanted, acme.directory.clone(), None).await?;
    let text = serde_json::to_vec(&credentials)?;
    keep_file(folder, &name, &text).map_err(|error| other(format!("keeping the account's key: {error}")))?;
    tracing::info!(directory = acme.directory, account = account.id(), "an account was made at the authority");
    Ok(account)
}

fn kept(file: &Path) -> Result<Option<AccountCredentials>, Error> {
    let failed = |what: &str| other(format!("{what} the account's key in {}", file.display()));
    let size = match fs::metadata(file) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&format!("{error}: finding"))),
    };
    if size > ACCOUNT_OCTETS_MAX {
        return Err(failed("too large, not reading"));
    }
    let text = fs::read(file).map_err(|error| failed(&format!("{error}: reading")))?;
    // What stands in the file is no part of a message.
    serde_json::from_slice(&text).map(Some).map_err(|_| failed("not understanding"))
}

//----------- The order --------------------------------------------------------------------------------------------

/// Asks for a certificate of the apex and of all names one label below it; the key and the chain come back as PEM.
pub(super) async fn obtain(
    account: &Account,
    apex: &DomainName,
    challenges: &Challenges,
    may_go_on: impl Fn() -> bool,
) -> Result<String, Error> {
    let ran = tokio::time::timeout(PATIENCE, run(account, apex, challenges, may_go_on)).await;
    // What the authority has read is of no use to anybody else.
    let _ = challenges.set(apex, Vec::new(), now());
    ran.map_err(|_| other(format!("no certificate within {} minutes", PATIENCE.as_secs() / 60)))?
}

async fn run(
    account: &Account,
    apex: &DomainName,
    challenges: &Challenges,
    may_go_on: impl Fn() -> bool,
) -> Result<String, Error> {
    let wanted = [apex.as_str().to_owned(), format!("*.{}", apex.as_str())].map(Identifier::Dns);
    let mut order = account.new_order(&NewOrder::new(&wanted)).await?;
    if order.state().status == OrderStatus::Pending {
        prove(&mut order, apex, challenges).await?;
    }
    if !may_go_on() {
        return Err(other("the name may have no public certificate any more; the order is left to lapse"));
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&LOOKS).await?;
    Ok(format!("{}\n{chain}", key.trim_end()))
}

/// Apex and wildcard have a token each at the same place (RFC 8555, 8.4), so both are told before either is looked at.
async fn prove(order: &mut Order, apex: &DomainName, challenges: &Challenges) -> Result<(), Error> {
    let tokens = tokens(order).await?;
    if !challenges.set(apex, tokens, now()) {
        return Err(other("too many other names have challenges"));
    }
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Pending {
            let challenge = authorization.challenge(ChallengeType::Dns01);
            challenge.ok_or_else(|| other("the authority does not offer dns-01"))?.set_ready().await?;
        }
    }
    match order.poll_ready(&LOOKS).await? {
        OrderStatus::Ready => Ok(()),
        status => Err(refusal(order, status).await),
    }
}

async fn tokens(order: &mut Order) -> Result<Vec<AcmeToken>, Error> {
    let (mut tokens, mut authorizations) = (Vec::new(), order.authorizations());
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            // Proven by an earlier order, and still believed.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            status => return Err(other(format!("an authorization is {status:?} from the start"))),
        }
        let challenge = authorization.challenge(ChallengeType::Dns01);
        let said =
            challenge.ok_or_else(|| other("the authority does not offer dns-01"))?.key_authorization().dns_value();
        tokens.push(AcmeToken::parse(&said).ok_or_else(|| other("a token of the authority is no digest"))?);
    }
    Ok(tokens)
}

/// What the authority said of the challenge that failed.
async fn refusal(order: &mut Order, status: OrderStatus) -> Error {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let mut problems = state.challenges.iter().filter_map(|challenge| challenge.error.clone());
        if let Some(problem) = problems.next() {
            return Error::Api(problem);
        }
    }
    other(format!("the order is {status:?}"))
}
