//! SMTP on the receiving side (RFC 5321) as a pure machine: it listens to whoever calls and never sends mail on.
//!
//! [`Smtp`] greets, reads commands in whatever form they come, and tells what it saw as one [`Transaction`] for each
//! message, each attempt to log in, or each conversation that had neither. By default every recipient is refused
//! ([`Mail::Refuse`]); under [`Mail::Accept`] letters for names of ours are read in bounded memory and dropped. STARTTLS
//! (RFC 3207), AUTH (RFC 4954), PIPELINING (RFC 2920), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), CHUNKING (RFC 3030) and
//! SIZE (RFC 1870) are spoken, because clients show more of themselves to a server that speaks them.
//!
//! What is deliberately absent: a queue, a client, a look-up, any accepted login. Passwords, tokens and digests made of
//! them are dropped where they are read; addresses and account names have types that print nothing.
//!
//! The parser is our own. `smtp-proto` was looked at: it answers a malformed line with an error, where we want the
//! oddity; it drops the case of verbs and how lines end, which tell one program from another; it collects a letter
//! whole; and its requests print an AUTH response with `Debug`. `mail-parser` wants the whole message in memory.

mod address;
mod attachment;
mod auth;
mod command;
mod data;
mod dispatch;
mod fingerprint;
mod letter;
mod lines;
mod login;
mod mail;
mod part;
mod record;
mod replies;
mod seen;
mod session;
mod terms;
mod transfer;

pub use address::Address;
pub use attachment::Attachment;
pub use auth::{Attempt, Mechanism};
pub use fingerprint::{Helo, HeloForm};
pub use letter::{ATTACHMENTS_MAX, FORWARDED_DEPTH_MAX, HEADER_NAMES_MAX, Letter};
pub use seen::{End, RECIPIENTS_MAX, Seen, Transaction};
pub use session::{COMMANDS_MAX, ERRORS_MAX, Smtp};
pub use terms::{LETTER_OCTETS_MAX, Login, Mail, Standing, Terms, Tls};
pub(crate) use transfer::base64;

#[cfg(test)]
mod tests;
