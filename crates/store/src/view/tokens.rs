//! The tokens of people, beside the one by which each was enrolled, and the one-time token of a first start.

use std::collections::BTreeMap;

use model::id::{PersonId, TokenName};
use model::person::Role;
use model::token::ApiToken;
use model::{Digest, Refusal, Timestamp};

use super::View;

/// Every token that was ever made, by person and name.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    pub issued: BTreeMap<(PersonId, TokenName), TokenView>,
    /// Whoever shows it in time enrols the first admin.
    pub first: Option<FirstToken>,
}

/// For how long a one-time token is good.
pub const FIRST_TOKEN_HOURS: u64 = 24;

/// The one-time token that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstToken {
    pub token: Digest,
    pub made: Timestamp,
}

impl FirstToken {
    /// From when on it enrols nobody.
    pub fn expires(&self) -> Timestamp {
        let hours = std::time::Duration::from_secs(3_600 * FIRST_TOKEN_HOURS);
        self.made.saturating_add(hours).unwrap_or(self.made)
    }
}

/// A token and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenView {
    pub token: ApiToken,
    pub issued: Timestamp,
    pub revoked: Option<Timestamp>,
}

impl TokenView {
    /// Why it acts for nobody at that instant; `None`: it does.
    pub fn ended(&self, now: Timestamp) -> Option<String> {
        let ApiToken { person, name, expires, .. } = &self.token;
        match self.revoked {
            Some(at) => Some(format!("the token {name} of {person} was revoked at {at}")),
            None if *expires <= now => Some(format!("the token {name} of {person} expired at {expires}")),
            None => None,
        }
    }
}

impl Tokens {
    /// The token of that digest, ended or not.
    pub fn by_digest(&self, digest: &Digest) -> Option<&TokenView> {
        self.issued.values().find(|one| one.token.token == *digest)
    }

    pub fn of<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a TokenView> + 'a {
        self.issued.values().filter(move |one| one.token.person == *person)
    }
}

impl View {
    /// Whether whomever this person enrols may approve what is real.
    pub fn vouches(&self, person: &PersonId) -> bool {
        let is_admin = |known: &model::person::Person| known.roles.contains(&Role::Admin) && !known.fixture;
        self.vouched.contains(person) && self.people.get(person).is_some_and(is_admin)
    }

    /// Whether anybody vouches for others: then no one-time token is made any more.
    pub fn has_voucher(&self) -> bool {
        self.vouched.iter().any(|person| self.vouches(person))
    }

    pub(super) fn issue_token(&mut self, token: &ApiToken, at: Timestamp) -> Result<(), Refusal> {
        let ApiToken { person, name, roles, .. } = token;
        let unknown = || Refusal::new(format!("{person} is not enrolled"));
        let holder = self.people.get(person).ok_or_else(unknown)?;
        if roles.is_empty() || !roles.is_subset(&holder.roles) {
            return Err(Refusal::new(format!("the token {name} has other roles than {person}")));
        }
        let key = (person.clone(), name.clone());
        let is_used = self.people.values().any(|known| known.token == token.token);
        if is_used || self.tokens.by_digest(&token.token).is_some() || self.tokens.issued.contains_key(&key) {
            return Err(Refusal::new(format!("the token {name} of {person} is there already")));
        }
        self.tokens.issued.insert(key, TokenView { token: token.clone(), issued: at, revoked: None });
        Ok(())
    }

    pub(super) fn revoke_token(&mut self, person: &PersonId, name: &TokenName, at: Timestamp) -> Result<(), Refusal> {
        let missing = || Refusal::new(format!("{person} has no token {name}"));
        let token = self.tokens.issued.get_mut(&(person.clone(), name.clone())).ok_or_else(missing)?;
        token.revoked.get_or_insert(at);
        Ok(())
    }

    pub(super) fn spend_first_token(&mut self) -> Result<(), Refusal> {
        self.tokens.first.take().map(drop).ok_or_else(|| Refusal::new("there is no one-time token to spend"))
    }
}
