//! What the machine saw: one record for each message, each attempt to log in, or each conversation without either.
//!
//! Nothing in it holds a password or a letter's text; addresses and accounts print nothing.

use std::time::Duration;

use super::address::Address;
use super::auth::Attempt;
use super::fingerprint::Helo;
use super::letter::Letter;
use crate::oddity::Oddity;

/// Recipients kept of one message, as many as each server must take (RFC 5321, 4.5.3.1.8); more are counted.
pub const RECIPIENTS_MAX: usize = 100;

/// What is to be recorded, or done.
#[derive(Debug)]
pub enum Seen {
    Transaction(Box<Transaction>),
    /// What stands before this is sent in clear; whatever the peer sends from now on is TLS. When the handshake is
    /// done the machine is told by [`Smtp::secured`](super::Smtp::secured) and gets what the TLS layer decrypts.
    StartTls,
}

#[derive(Debug)]
pub struct Transaction {
    /// When the first line came that is told of here.
    pub began: Duration,
    pub end: End,
    /// The last HELO or EHLO.
    pub helo: Option<Helo>,
    /// Whether the client switched to TLS by STARTTLS.
    pub starttls: bool,
    pub auth: Option<Attempt>,
    pub sender: Option<Address>,
    /// At most [`RECIPIENTS_MAX`], taken or refused.
    pub recipients: Vec<Address>,
    /// All of them.
    pub recipients_count: u32,
    pub letter: Option<Letter>,
    /// Of the conversation up to here.
    pub fingerprint: String,
    /// What was odd since the last record.
    pub oddities: Vec<Oddity>,
}

/// Why the record was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The letter is over, whole or not.
    Letter,
    /// There was to be a letter, and no recipient for it.
    Refused,
    /// An attempt to log in is over.
    Auth,
    /// RSET, or another greeting.
    Reset,
    StartTls,
    Quit,
    /// The connection ended, or time did.
    Cut,
    /// We end it: too much, or another protocol.
    Closed,
}

impl End {
    /// The word for it in contacts and rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Refused => "refused",
            Self::Auth => "auth",
            Self::Reset => "reset",
            Self::StartTls => "starttls",
            Self::Quit => "quit",
            Self::Cut => "cut",
            Self::Closed => "closed",
        }
    }
}

/// What has been seen since the last record.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) began: Option<Duration>,
    /// Whether there is anything that no record has.
    pub(super) has_news: bool,
    pub(super) auth: Option<Attempt>,
    pub(super) sender: Option<Address>,
    pub(super) recipients: Vec<Address>,
    pub(super) recipients_count: u32,
    /// Under which the letter's attachments are hashed.
    pub(super) key: Option<[u8; 32]>,
    /// Recipients that were taken.
    pub(super) accepted: u32,
    pub(super) is_utf8: bool,
    pub(super) oddities: Vec<Oddity>,
}

impl Draft {
    pub(super) fn add_recipient(&mut self, address: Address) {
        self.recipients_count = self.recipients_count.saturating_add(1);
        if self.recipients.len() < RECIPIENTS_MAX {
            self.recipients.push(address);
        }
    }
}
