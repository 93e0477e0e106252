//! Logging in, as far as it goes: mechanisms are spoken to their end (RFC 4954), and nobody is let in.
//!
//! ```text
//! AUTH ──initial response──► over        AUTH ──► challenge ──response──► over
//!                             LOGIN: ──► user name? ──► password? ──► over
//! ```
//!
//! What is kept is the mechanism, whether the response had its form, and the account's name in a type that only hands
//! it out. Passwords, tokens, and digests made of them are never copied out of the line in which they came.

use std::fmt;

use super::transfer::base64;
use crate::oddity::Oddity;
use crate::secrets::Account;

//----------- Attempt ----------------------------------------------------------------------------------------------

/// One attempt to log in.
#[derive(Eq, PartialEq)]
pub struct Attempt {
    pub mechanism: Mechanism,
    /// Whether the response came with the command (RFC 4954, 4).
    pub has_initial_response: bool,
    /// Whether the responses had the mechanism's form.
    pub decoded: bool,
    /// If the machine was told to hand accounts out.
    pub account: Option<Account>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mechanism, has_initial_response, decoded, account: _ } = self;
        write!(f, "Attempt({}, initial {has_initial_response}, decoded {decoded})", mechanism.name())
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Never standardised, everywhere in use.
    Login,
    /// RFC 2195.
    CramMd5,
    /// Google's and Microsoft's, with an access token.
    Xoauth2,
    Other,
}

impl Mechanism {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::Xoauth2 => "XOAUTH2",
            Self::Other => "?",
        }
    }

    fn read(name: &[u8]) -> Self {
        let known = [Self::Plain, Self::Login, Self::CramMd5, Self::Xoauth2];
        let is_it = |mechanism: &Self| mechanism.name().as_bytes().eq_ignore_ascii_case(name);
        known.into_iter().find(is_it).unwrap_or(Self::Other)
    }
}

//----------- Exchange ---------------------------------------------------------------------------------------------

/// One exchange on its way.
pub(super) struct Exchange {
    mechanism: Mechanism,
    has_initial_response: bool,
    account: Option<Account>,
    /// Whether LOGIN has its user name and waits for the password.
    has_user: bool,
    with_accounts: bool,
}

/// What follows from a response.
pub(super) enum Turn {
    Ask(Question),
    Over(Attempt, Option<Oddity>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Question {
    /// The empty challenge.
    Respond,
    UserName,
    Password,
    Digest,
}

impl Exchange {
    /// Takes what stands behind AUTH.
    pub(super) fn begin(argument: &[u8], with_accounts: bool) -> (Self, Turn) {
        let mut words = argument.splitn(2, u8::is_ascii_whitespace);
        let mechanism = Mechanism::read(words.next().unwrap_or_default());
        let initial = words.next().map(<[u8]>::trim_ascii).filter(|response| !response.is_empty());
        let has_initial_response = initial.is_some();
        let mut exchange = Self { mechanism, has_initial_response, account: None, has_user: false, with_accounts };
        let turn = match (mechanism, initial) {
            (Mechanism::Other, _) => exchange.over(false, Some(Oddity::AuthMechanism)),
            // CRAM-MD5's challenge comes first, so nothing can answer it yet (RFC 4954, 4).
            (Mechanism::CramMd5, Some(_)) => exchange.over(false, Some(Oddity::AuthForm)),
            // `=` is how an empty response is written in a command.
            (_, Some(b"=")) => exchange.on_response(b""),
            (_, Some(response)) => exchange.on_response(response),
            (_, None) => Turn::Ask(exchange.question()),
        };
        (exchange, turn)
    }

    pub(super) fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    pub(super) fn has_initial_response(&self) -> bool {
        self.has_initial_response
    }

    /// Takes a response to a challenge.
    pub(super) fn on_response(&mut self, response: &[u8]) -> Turn {
        if response == b"*" {
            return self.over(false, Some(Oddity::AuthCancelled));
        }
        let Some(said) = base64(response) else { return self.over(false, Some(Oddity::AuthForm)) };
        if self.mechanism == Mechanism::Login && !self.has_user {
            self.has_user = true;
            self.hold(&said);
            return Turn::Ask(Question::Password);
        }
        let account = match self.mechanism {
            Mechanism::Plain => plain_account(&said),
            Mechanism::CramMd5 => cram_account(&said),
            Mechanism::Xoauth2 => xoauth2_account(&said),
            Mechanism::Login | Mechanism::Other => return self.over(true, None),
        };
        let decoded = account.is_some();
        account.into_iter().for_each(|account| self.hold(account));
        self.over(decoded, (!decoded).then_some(Oddity::AuthForm))
    }

    /// Ends it before its end.
    pub(super) fn cut(mut self) -> Attempt {
        self.attempt(false)
    }

    fn hold(&mut self, account: &[u8]) {
        if self.with_accounts {
            self.account = Account::read(account);
        }
    }

    fn question(&self) -> Question {
        match self.mechanism {
            Mechanism::Login => Question::UserName,
            Mechanism::CramMd5 => Question::Digest,
            Mechanism::Plain | Mechanism::Xoauth2 | Mechanism::Other => Question::Respond,
        }
    }

    fn over(&mut self, decoded: bool, oddity: Option<Oddity>) -> Turn {
        Turn::Over(self.attempt(decoded), oddity)
    }

    fn attempt(&mut self, decoded: bool) -> Attempt {
        let Self { mechanism, has_initial_response, .. } = *self;
        Attempt { mechanism, has_initial_response, decoded, account: self.account.take() }
    }
}

/// `authorize NUL authenticate NUL password`.
fn plain_account(said: &[u8]) -> Option<&[u8]> {
    let mut parts = said.split(|b| *b == 0);
    let (_authorize, account, _password) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(account)
}

/// `account SP digest`, of 32 hexadecimal digits.
fn cram_account(said: &[u8]) -> Option<&[u8]> {
    let at = said.iter().rposition(|b| *b == b' ')?;
    let digest = &said[at + 1..];
    (digest.len() == 32 && digest.iter().all(u8::is_ascii_hexdigit)).then_some(&said[..at])
}

/// `user=account ^A auth=Bearer token ^A ^A`.
fn xoauth2_account(said: &[u8]) -> Option<&[u8]> {
    let mut fields = said.split(|b| *b == 1);
    let account = fields.next()?.strip_prefix(b"user=")?;
    fields.next()?.starts_with(b"auth=").then_some(account)
}
