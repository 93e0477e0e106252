//! AUTH within a conversation (RFC 4954): when a question may be asked, and what is answered at the end.
//!
//! A password is asked for under TLS only, unless the terms say otherwise; one that comes unasked is read all the same,
//! since it has been said already. Nobody is let in.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::auth::{Exchange, Turn};
use super::command::Command;
use super::replies;
use super::seen::End;
use super::session::{Smtp, State};
use super::terms::{Login, Standing};
use crate::oddity::Oddity;

impl<J: Fn(&[u8]) -> Standing> Smtp<J> {
    pub(super) fn on_auth(&mut self, command: &Command<'_>) {
        let (exchange, turn) = Exchange::begin(command.rest, self.with_accounts);
        let initial = if exchange.has_initial_response() { "=" } else { "" };
        let verb = String::from_utf8_lossy(command.name);
        self.fingerprint.add(&format!("{verb}+{}{initial}", exchange.mechanism().name()));
        self.draft.has_news = true;
        if !self.is_secure {
            self.note(Oddity::AuthInClear);
        }
        if self.draft.sender.is_some() {
            // RFC 4954, 4: not within a mail transaction.
            self.note(Oddity::CommandOrder);
            return self.fail(replies::ORDER);
        }
        self.state = State::Login(exchange);
        self.on_turn(turn);
    }

    pub(super) fn on_turn(&mut self, turn: Turn) {
        match turn {
            Turn::Ask(_) if !self.is_secure && self.terms.login == Login::UnderTls => {
                self.cut_login();
                self.fail(replies::TLS_FIRST);
            }
            Turn::Ask(question) => {
                let challenge = replies::challenge(question, self.nonce(), &self.terms);
                self.answer(&challenge);
            }
            Turn::Over(attempt, oddity) => {
                self.state = State::Command;
                self.draft.auth = Some(attempt);
                if let Some(oddity) = oddity {
                    self.note(oddity);
                }
                self.record(End::Auth, None);
                self.fail(match oddity {
                    Some(Oddity::AuthMechanism) => replies::MECHANISM,
                    Some(Oddity::AuthCancelled) => replies::CANCELLED,
                    _ => replies::BAD_LOGIN,
                });
            }
        }
    }

    /// Ends an exchange that has not come to its end.
    pub(super) fn cut_login(&mut self) {
        if let State::Login(exchange) = std::mem::replace(&mut self.state, State::Command) {
            self.draft.auth = Some(exchange.cut());
            self.record(End::Auth, None);
        }
    }

    /// Of the time within the conversation and our key, so that nobody guesses it and no dice are needed.
    pub(super) fn nonce(&self) -> [u8; 8] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.terms.nonce_key).expect("HMAC takes a key of any length");
        mac.update(b"challenge");
        mac.update(&self.now.as_nanos().to_be_bytes());
        let mut nonce = [0; 8];
        nonce.copy_from_slice(&mac.finalize().into_bytes()[..8]);
        nonce
    }
}
