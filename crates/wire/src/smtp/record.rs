//! Records and answers: what is told to whoever drives the machine, and in which order.
//!
//! A record of what ends with an answer stands before that answer, so that nothing is answered that is not recorded.

use super::letter::{Letter, LetterReader};
use super::replies;
use super::seen::{End, Seen, Transaction};
use super::session::{ERRORS_MAX, Smtp, State};
use super::terms::Standing;
use crate::banner::{Carrier, look};
use crate::oddity::{Oddity, note};
use crate::session::Output;

impl<J: Fn(&[u8]) -> Standing> Smtp<J> {
    pub(super) fn note(&mut self, oddity: Oddity) {
        self.draft.has_news = true;
        note(&mut self.draft.oddities, oddity);
    }

    pub(super) fn answer(&mut self, line: &str) {
        self.unsent += 1;
        self.queue.push_back(Output::Send(format!("{line}\r\n").into_bytes()));
    }

    /// An answer that a client gets only so often.
    pub(super) fn fail(&mut self, line: &str) {
        self.errors += 1;
        if self.errors > ERRORS_MAX {
            self.note(Oddity::TooManyErrors);
            return self.close(Some(replies::CLOSING), End::Closed);
        }
        self.answer(line);
    }

    /// Forgets the mail transaction, recorded if there is one.
    pub(super) fn reset(&mut self, end: End) {
        let cut = self.chunked.take().map(|letter| {
            self.note(Oddity::LetterIncomplete);
            self.close_letter(*letter, false)
        });
        if self.draft.sender.is_some() {
            self.record(end, cut);
        }
    }

    pub(super) fn close_letter(&mut self, reader: LetterReader, complete: bool) -> Letter {
        let (letter, oddities) = reader.finish(complete);
        oddities.into_iter().for_each(|oddity| self.note(oddity));
        letter
    }

    pub(super) fn record(&mut self, end: End, letter: Option<Letter>) {
        let draft = std::mem::take(&mut self.draft);
        self.has_record = true;
        self.queue.push_back(Output::Observe(Seen::Transaction(Box::new(Transaction {
            began: draft.began.unwrap_or(self.now),
            end,
            helo: self.helo.clone(),
            starttls: self.has_starttls,
            auth: draft.auth,
            sender: draft.sender,
            recipients: draft.recipients,
            recipients_count: draft.recipients_count,
            letter,
            fingerprint: self.fingerprint.text(),
            oddities: draft.oddities,
        }))));
    }

    /// Records what no record has yet, says the last word, and is over.
    pub(super) fn close(&mut self, last_word: Option<&str>, end: End) {
        let letter = self.cut_letter();
        if self.draft.has_news || self.draft.sender.is_some() || letter.is_some() || !self.has_record {
            self.record(end, letter);
        }
        if let Some(line) = last_word {
            self.answer(line);
        }
        self.queue.push_back(Output::Close);
        self.state = State::Over;
    }

    /// What was under way.
    pub(super) fn cut_letter(&mut self) -> Option<Letter> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let letter = match state {
            State::Login(exchange) => {
                self.draft.auth = Some(exchange.cut());
                self.note(Oddity::AuthIncomplete);
                return None;
            }
            State::Data { letter, .. } => Some(letter),
            _ => self.chunked.take(),
        };
        letter.map(|letter| self.close_letter(*letter, false))
    }

    pub(super) fn note_cut(&mut self) {
        if matches!(self.state, State::Command) && !self.lines.is_empty() {
            self.note(Oddity::CommandIncomplete);
            if self.lines_read == 0 && !self.lines.held().is_empty() {
                self.note(look(self.lines.held(), Carrier::Stream).oddity());
            }
        }
        if matches!(self.state, State::Data { .. } | State::Chunk { .. }) || self.chunked.is_some() {
            self.note(Oddity::LetterIncomplete);
        }
    }
}
