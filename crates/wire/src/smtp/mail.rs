//! MAIL, RCPT, DATA and BDAT: the envelope, and a letter if one is taken (RFC 5321, 3.3; RFC 3030).
//!
//! A recipient at a name of ours is refused as one at a name that takes no mail (RFC 7505), or taken; any other is
//! refused as relaying, and so is one of ours that holds a route to somebody else. Nothing here sends mail on.

use super::address::Address;
use super::command::{Command, Envelope};
use super::data::DataReader;
use super::fingerprint::with_parameters;
use super::letter::LetterReader;
use super::replies;
use super::seen::{End, RECIPIENTS_MAX};
use super::session::{Smtp, State};
use super::terms::{Mail, Standing};
use crate::oddity::{Oddity, note};

/// A chunk that nobody wants is read to its end, or its octets would be commands (RFC 3030, 2); unless it is larger.
const CHUNK_UNWANTED_MAX: u64 = 1024 * 1024;

impl<J: Fn(&[u8]) -> Standing> Smtp<J> {
    //----- Envelope

    pub(super) fn on_mail(&mut self, command: &Command<'_>) {
        let Some(envelope) = self.read_envelope(b"FROM", command) else { return self.fail(replies::ARGUMENT) };
        if self.draft.sender.is_some() {
            self.note(Oddity::CommandOrder);
            return self.fail(replies::ORDER);
        }
        if self.helo.is_none() {
            self.note(Oddity::NoHelo);
        }
        self.draft.is_utf8 = envelope.parameters.has(b"SMTPUTF8");
        let Some(sender) = envelope.address else { return self.fail(replies::SENDER_FORM) };
        self.note_utf8(&sender);
        self.draft.sender = Some(sender);
        if envelope.parameters.size().is_some_and(|size| size > self.terms.mail.octets_max()) {
            self.note(Oddity::LetterTooLong);
            self.record(End::Refused, None);
            return self.fail(replies::TOO_BIG);
        }
        self.answer(replies::SENDER_OK);
    }

    pub(super) fn on_rcpt(&mut self, command: &Command<'_>) {
        let Some(envelope) = self.read_envelope(b"TO", command) else { return self.fail(replies::ARGUMENT) };
        if self.draft.sender.is_none() {
            self.note(Oddity::CommandOrder);
            return self.fail(replies::ORDER);
        }
        let Some(recipient) = envelope.address.filter(|address| !address.is_null()) else {
            return self.fail(replies::RECIPIENT_FORM);
        };
        self.note_utf8(&recipient);
        let answer = self.judge_recipient(&recipient);
        self.draft.add_recipient(recipient);
        self.answer(answer);
    }

    fn read_envelope<'a>(&mut self, keyword: &[u8], command: &Command<'a>) -> Option<Envelope<'a>> {
        self.draft.has_news = true;
        let verb = String::from_utf8_lossy(command.name);
        let Some(envelope) = Envelope::read(keyword, command.rest, &mut self.draft.oddities) else {
            self.fingerprint.add(&verb);
            return None;
        };
        if envelope.parameters.has_stranger() {
            self.note(Oddity::MailParameter);
        }
        self.fingerprint.add(&with_parameters(&verb, envelope.parameters.names()));
        Some(envelope)
    }

    fn note_utf8(&mut self, address: &Address) {
        if !address.normalized().is_ascii() && !self.draft.is_utf8 {
            self.note(Oddity::Utf8Undeclared);
        }
    }

    fn judge_recipient(&mut self, recipient: &Address) -> &'static str {
        if recipient.has_route() {
            self.note(Oddity::RelayRoute);
            return replies::RELAY;
        }
        match (self.judge)(recipient.domain()) {
            // A letter has the key of the first that it is for.
            Standing::Ours { key } => _ = self.draft.key.get_or_insert(key),
            // Each server has this mailbox (RFC 5321, 4.5.1), and none of ours takes mail.
            Standing::Stranger if !recipient.is_postmaster() => return replies::RELAY,
            Standing::Mailless | Standing::Stranger => return replies::NULL_MX,
        }
        match self.terms.mail {
            Mail::Refuse => replies::NULL_MX,
            Mail::Accept { .. } if self.draft.recipients.len() == RECIPIENTS_MAX => {
                self.note(Oddity::TooManyRecipients);
                replies::TOO_MANY_RECIPIENTS
            }
            Mail::Accept { .. } => {
                self.draft.accepted += 1;
                replies::RECIPIENT_OK
            }
        }
    }

    //----- DATA

    pub(super) fn on_data(&mut self, command: &Command<'_>) {
        self.draft.has_news = true;
        if !command.rest.is_empty() {
            self.note(Oddity::CommandArgument);
            return self.fail(replies::ARGUMENT);
        }
        // BDAT has begun this letter already (RFC 3030, 3), or there is none to begin.
        if self.draft.sender.is_none() || self.chunked.is_some() {
            self.note(Oddity::CommandOrder);
            return self.fail(replies::ORDER);
        }
        if self.draft.accepted == 0 {
            self.record(End::Refused, None);
            return self.fail(replies::NO_RECIPIENTS);
        }
        self.answer(replies::GO_AHEAD);
        self.state = State::Data { frame: DataReader::new(), letter: Box::new(self.letter_reader()) };
    }

    pub(super) fn end_data(&mut self) {
        if let State::Data { letter, .. } = std::mem::replace(&mut self.state, State::Command) {
            // The end of a letter may be the first of a group (RFC 2920, 3.1).
            self.may_pipeline = true;
            self.end_letter(*letter);
        }
    }

    fn letter_reader(&self) -> LetterReader {
        LetterReader::new(self.terms.mail.octets_max(), self.draft.key.unwrap_or(self.terms.nonce_key))
    }

    /// The letter is over. One that was too long leaves us within it, so then the conversation is, too.
    fn end_letter(&mut self, reader: LetterReader) {
        let is_full = reader.is_full();
        let letter = self.close_letter(reader, !is_full);
        if is_full {
            self.note(Oddity::LetterTooLong);
        }
        self.record(End::Letter, Some(letter));
        match is_full {
            true => self.close(Some(replies::TOO_BIG), End::Closed),
            false => self.answer(replies::OK),
        }
    }

    //----- BDAT

    pub(super) fn on_bdat(&mut self, command: &Command<'_>) {
        self.draft.has_news = true;
        let Some((left, is_last)) = chunk(command.rest) else {
            // How much follows is unknown, so nothing that follows can be read.
            self.note(Oddity::CommandArgument);
            return self.close(Some(replies::ARGUMENT), End::Closed);
        };
        let is_wanted = self.draft.sender.is_some() && self.draft.accepted > 0;
        if !is_wanted && left > CHUNK_UNWANTED_MAX {
            self.note(Oddity::LetterTooLong);
            return self.close(Some(replies::TOO_BIG), End::Closed);
        }
        if is_wanted && self.chunked.is_none() {
            self.chunked = Some(Box::new(self.letter_reader()));
        }
        self.state = State::Chunk { left, is_last, is_wanted };
        if left == 0 {
            self.end_chunk();
        }
    }

    pub(super) fn on_chunk_octets(&mut self, bytes: &[u8]) -> usize {
        let State::Chunk { left, is_wanted, .. } = &mut self.state else { return bytes.len() };
        let run = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
        *left -= run as u64;
        let is_over = *left == 0;
        if let Some(letter) = self.chunked.as_mut().filter(|_| *is_wanted) {
            letter.on_bytes(&bytes[..run]);
        }
        if is_over || self.chunked.as_ref().is_some_and(|letter| letter.is_full()) {
            self.end_chunk();
        }
        run
    }

    fn end_chunk(&mut self) {
        let State::Chunk { is_last, is_wanted, .. } = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        match self.chunked.take() {
            Some(letter) if is_wanted && (is_last || letter.is_full()) => self.end_letter(*letter),
            Some(letter) if is_wanted => {
                self.chunked = Some(letter);
                self.answer(replies::OK);
            }
            _ => self.refuse_chunk(),
        }
    }

    fn refuse_chunk(&mut self) {
        if self.draft.sender.is_none() {
            note(&mut self.draft.oddities, Oddity::CommandOrder);
            return self.fail(replies::ORDER);
        }
        self.record(End::Refused, None);
        self.fail(replies::NO_RECIPIENTS);
    }
}

/// The octets of a chunk, and whether it is the last.
fn chunk(argument: &[u8]) -> Option<(u64, bool)> {
    let mut words = std::str::from_utf8(argument).ok()?.split_ascii_whitespace();
    let octets = words.next()?.parse().ok()?;
    let is_last = words.next().map(|word| word.eq_ignore_ascii_case("LAST"));
    (is_last != Some(false) && words.next().is_none()).then_some((octets, is_last.is_some()))
}
