//! The conversation: greeting, command, answer, and now and then a letter.
//!
//! ```text
//! greeting ─► command ◄──────── answer ◄─────────────┐
//!              │ │ │ └─AUTH──► login ──over──────────┤
//!              │ │ └─DATA──► letter ──CRLF.CRLF──────┤
//!              │ └─BDAT──► chunk ──counted out───────┘
//!              └─STARTTLS──► TLS ──secured()──► command, all forgotten (RFC 3207, 4.2)
//! QUIT, too much, another protocol, end of input ──► over
//! ```
//!
//! Octets are read as they come and not held, but for one line that is not whole.

use std::collections::VecDeque;
use std::time::Duration;

use super::auth::{Exchange, Turn};
use super::command::{Command, Verb};
use super::data::DataReader;
use super::fingerprint::{Fingerprint, Helo, HeloForm};
use super::letter::{Letter, LetterReader};
use super::lines::{Line, LineEnd, Lines};
use super::replies;
use super::seen::{Draft, End, Seen, Transaction};
use super::terms::{Login, Standing, Terms, Tls};
use crate::oddity::{Oddity, note};
use crate::secrets::looks_like;
use crate::session::{Output, Session};

/// Commands of one conversation: a message to each of the 100 recipients that one transaction may have, nine times
/// over. It bounds what waits to be polled: 1,000 answers of at most 200 octets.
pub const COMMANDS_MAX: u32 = 1000;
/// Commands that we cannot do; logins that fail are among them.
pub const ERRORS_MAX: u32 = 20;
/// The longest opening that tells another protocol: PROXY version 2's signature.
const OPENING_OCTETS_MAX: usize = 12;
/// The lines that PROXY version 2's signature looks like.
const OPENING_LINES_MAX: u32 = 4;

//----------- Smtp -------------------------------------------------------------------------------------------------

/// One conversation. `judge` says whose a recipient's domain is; it gets it in lower case, as
/// [`Address::domain`](super::Address::domain) has it.
pub struct Smtp<J> {
    pub(super) terms: Terms,
    pub(super) judge: J,
    pub(super) state: State,
    lines: Lines,
    /// A letter that comes by BDAT, between its chunks.
    pub(super) chunked: Option<Box<LetterReader>>,
    pub(super) draft: Draft,
    pub(super) fingerprint: Fingerprint,
    pub(super) helo: Option<Helo>,
    has_starttls: bool,
    is_secure: bool,
    /// The first octets that came.
    opening: Vec<u8>,
    lines_read: u32,
    commands: u32,
    errors: u32,
    /// Whether what came last may be followed before it is answered.
    pub(super) may_pipeline: bool,
    /// Answers that nobody has polled.
    unsent: usize,
    is_greeted: bool,
    has_record: bool,
    now: Duration,
    queue: VecDeque<Output<Seen>>,
}

pub(super) enum State {
    Command,
    Login(Exchange),
    Data {
        frame: DataReader,
        letter: Box<LetterReader>,
    },
    /// So many octets are left of a chunk; those that nobody wants are only counted.
    Chunk {
        left: u64,
        is_last: bool,
        is_wanted: bool,
    },
    Tls,
    Over,
}

impl<J: Fn(&[u8]) -> Standing> Smtp<J> {
    pub fn new(terms: Terms, judge: J) -> Self {
        let mut smtp = Self {
            is_secure: terms.tls == Tls::Running,
            terms,
            judge,
            state: State::Command,
            lines: Lines::default(),
            chunked: None,
            draft: Draft::default(),
            fingerprint: Fingerprint::default(),
            helo: None,
            has_starttls: false,
            opening: Vec::new(),
            lines_read: 0,
            commands: 0,
            errors: 0,
            may_pipeline: false,
            unsent: 0,
            is_greeted: false,
            has_record: false,
            now: Duration::ZERO,
            queue: VecDeque::new(),
        };
        smtp.answer(&replies::greeting(&smtp.terms));
        smtp
    }

    /// The handshake that [`Seen::StartTls`] asked for is done: what comes now was encrypted.
    pub fn secured(&mut self) {
        if matches!(self.state, State::Tls) {
            self.state = State::Command;
            self.is_secure = true;
            self.has_starttls = true;
            // What was said in clear may have been said by anybody (RFC 3207, 4.2).
            self.helo = None;
            self.may_pipeline = false;
        }
    }

    /// Takes what it can use now; says how much.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.unsent > 0 && matches!(self.state, State::Login(_) | State::Data { .. }) {
            note(&mut self.draft.oddities, Oddity::PipelinedEarly);
        }
        match &mut self.state {
            State::Command => self.on_command_octets(bytes),
            State::Login(_) => self.on_login_octets(bytes),
            State::Data { frame, letter } => {
                let taken = frame.on_bytes(bytes, letter, &mut self.draft.oddities);
                let is_over = frame.is_done() || letter.is_full();
                if is_over {
                    self.end_data();
                }
                taken
            }
            State::Chunk { .. } => self.on_chunk_octets(bytes),
            State::Tls => {
                self.note(Oddity::PlaintextAfterStartTls);
                bytes.len()
            }
            State::Over => bytes.len(),
        }
    }

    //----- Lines

    fn on_command_octets(&mut self, bytes: &[u8]) -> usize {
        if self.opening.is_empty() && bytes[0] == 0x16 {
            // A handshake record (RFC 8446, 5.1) may hold no line's end at all.
            self.note(Oddity::LooksTls);
            self.close(None, End::Closed);
            return bytes.len();
        }
        let (taken, line) = self.lines.take(bytes, false);
        let room = OPENING_OCTETS_MAX - self.opening.len();
        self.opening.extend_from_slice(&bytes[..taken.min(room)]);
        match line {
            Some(Line::Whole(line, end)) => self.on_command_line(&line, end),
            Some(Line::TooLong) => {
                self.note(Oddity::CommandTooLong);
                self.fail(replies::LINE_TOO_LONG);
            }
            Some(Line::Endless) => {
                self.note(Oddity::CommandTooLong);
                self.close(Some(replies::CLOSING), End::Closed);
            }
            None => {}
        }
        taken
    }

    fn on_login_octets(&mut self, bytes: &[u8]) -> usize {
        let (taken, line) = self.lines.take(bytes, true);
        let turn = match (&mut self.state, line) {
            (State::Login(exchange), Some(Line::Whole(response, end))) => {
                self.fingerprint.note_end(end);
                exchange.on_response(&response)
            }
            (_, Some(_)) => {
                self.note(Oddity::CommandTooLong);
                self.cut_login();
                self.fail(replies::LINE_TOO_LONG);
                return taken;
            }
            (_, None) => return taken,
        };
        self.on_turn(turn);
        taken
    }

    fn on_command_line(&mut self, line: &[u8], end: LineEnd) {
        self.lines_read += 1;
        self.draft.began.get_or_insert(self.now);
        self.note_line(line, end);
        let command = Command::read(line);
        if self.is_another_protocol(line, &command) {
            return self.close(Some(replies::CLOSING), End::Closed);
        }
        self.note_pace();
        self.commands += 1;
        if self.commands > COMMANDS_MAX {
            self.note(Oddity::TooManyCommands);
            return self.close(Some(replies::CLOSING), End::Closed);
        }
        self.on_command(&command);
        self.may_pipeline = matches!(command.verb, Verb::Mail | Verb::Rcpt | Verb::Rset | Verb::Bdat);
    }

    fn note_line(&mut self, line: &[u8], end: LineEnd) {
        self.fingerprint.note_end(end);
        if end == LineEnd::Lf {
            self.note(Oddity::CommandBareLf);
        }
        if line.contains(&b'\r') {
            self.note(Oddity::CommandBareCr);
        }
        if line.contains(&0) {
            self.note(Oddity::CommandNul);
        }
    }

    /// Whether the client waits for answers, where it must (RFC 2920, 3.1).
    fn note_pace(&mut self) {
        if self.commands == 0 || self.unsent == 0 {
            return;
        }
        self.fingerprint.note_pipelined();
        let is_extended = self.helo.as_ref().is_some_and(|helo| helo.is_extended);
        if !is_extended || !self.may_pipeline {
            // Alone it is no reason for a record: the fingerprint says most of it.
            note(&mut self.draft.oddities, Oddity::PipelinedEarly);
        }
    }

    fn is_another_protocol(&mut self, line: &[u8], command: &Command<'_>) -> bool {
        if command.is_http() {
            self.note(Oddity::LooksHttp);
            return true;
        }
        // What a balancer of somebody else's says first; the line alone shows version 1, the signature version 2.
        let looks = if self.lines_read == 1 { looks_like(line) } else { looks_like(&self.opening) };
        let is_signature = self.lines_read <= OPENING_LINES_MAX && looks == Oddity::LooksProxy;
        let is_known =
            !matches!(looks, Oddity::LooksSmtp | Oddity::LooksText | Oddity::LooksForm | Oddity::LooksBinary);
        let is_other = is_signature || self.lines_read == 1 && command.verb == Verb::Unknown && is_known;
        if is_other {
            self.note(looks);
        }
        is_other
    }

    //----- Commands

    fn on_command(&mut self, command: &Command<'_>) {
        let is_address = matches!(command.verb, Verb::Mail | Verb::Rcpt | Verb::Vrfy);
        let has_eight_bit = !(command.name.is_ascii() && command.rest.is_ascii());
        if has_eight_bit && !(is_address && std::str::from_utf8(command.rest).is_ok()) {
            self.note(Oddity::CommandEightBit);
        }
        // Each of these says so itself, with what belongs to it.
        if !matches!(command.verb, Verb::Helo | Verb::Ehlo | Verb::Mail | Verb::Rcpt | Verb::Auth) {
            let name = if command.verb == Verb::Unknown { "?".into() } else { String::from_utf8_lossy(command.name) };
            self.fingerprint.add(&name);
        }
        match command.verb {
            Verb::Helo | Verb::Ehlo => self.on_helo(command),
            Verb::Mail => self.on_mail(command),
            Verb::Rcpt => self.on_rcpt(command),
            Verb::Data => self.on_data(command),
            Verb::Bdat => self.on_bdat(command),
            Verb::StartTls => self.on_starttls(command),
            Verb::Auth => self.on_auth(command),
            Verb::Quit => self.close(Some(replies::BYE), End::Quit),
            Verb::Rset => {
                self.reset(End::Reset);
                self.answer(replies::OK);
            }
            Verb::Noop => self.answer(replies::OK),
            Verb::Help => self.answer(replies::HELP),
            Verb::Vrfy => {
                self.draft.has_news = true;
                self.answer(replies::CANNOT_VERIFY);
            }
            Verb::Declined => {
                self.draft.has_news = true;
                self.fail(replies::DECLINED);
            }
            Verb::Unknown => {
                self.note(Oddity::CommandUnknown);
                self.fail(replies::UNKNOWN);
            }
        }
    }

    fn on_helo(&mut self, command: &Command<'_>) {
        let is_extended = command.verb == Verb::Ehlo;
        let helo = Helo::read(is_extended, command.rest);
        self.fingerprint.add(&format!("{}={}", String::from_utf8_lossy(command.name), helo.form.word()));
        match helo.form {
            HeloForm::Missing => self.note(Oddity::CommandArgument),
            HeloForm::Other | HeloForm::Bare => self.note(Oddity::HeloForm),
            HeloForm::Name | HeloForm::Label | HeloForm::Literal => {}
        }
        self.reset(End::Reset);
        let is_missing = helo.form == HeloForm::Missing;
        self.helo = Some(helo);
        if is_missing {
            return self.fail(replies::ARGUMENT);
        }
        let offers_tls = self.terms.tls == Tls::Offered && !self.is_secure;
        self.answer(&match is_extended {
            true => replies::ehlo(&self.terms, offers_tls, self.is_secure),
            false => replies::helo(&self.terms),
        });
    }

    fn on_starttls(&mut self, command: &Command<'_>) {
        if !command.rest.is_empty() {
            self.note(Oddity::CommandArgument);
            return self.fail(replies::ARGUMENT);
        }
        match self.terms.tls {
            Tls::Absent => return self.fail(replies::DECLINED),
            _ if self.is_secure => {
                self.note(Oddity::CommandOrder);
                return self.fail(replies::ORDER);
            }
            _ => {}
        }
        self.reset(End::StartTls);
        self.answer(replies::READY_FOR_TLS);
        self.queue.push_back(Output::Observe(Seen::StartTls));
        self.state = State::Tls;
    }

    //----- Logins

    fn on_auth(&mut self, command: &Command<'_>) {
        let (exchange, turn) = Exchange::begin(command.rest);
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

    fn on_turn(&mut self, turn: Turn) {
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
    fn cut_login(&mut self) {
        if let State::Login(exchange) = std::mem::replace(&mut self.state, State::Command) {
            self.draft.auth = Some(exchange.cut());
            self.record(End::Auth, None);
        }
    }

    /// Of the time within the conversation and our key, so that nobody guesses it and no dice are needed.
    fn nonce(&self) -> [u8; 8] {
        use hmac::{Hmac, KeyInit, Mac};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.terms.key).expect("HMAC takes a key of any length");
        mac.update(b"challenge");
        mac.update(&self.now.as_nanos().to_be_bytes());
        let mut nonce = [0; 8];
        nonce.copy_from_slice(&mac.finalize().into_bytes()[..8]);
        nonce
    }

    /// What one conversation holds of what its peer sent.
    #[cfg(test)]
    pub(super) fn octets_held(&self) -> usize {
        let letter = match &self.state {
            State::Data { letter, .. } => letter.octets_held(),
            _ => 0,
        };
        self.lines.held().len() + self.opening.len() + letter
    }

    //----- Records and answers

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
    fn cut_letter(&mut self) -> Option<Letter> {
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

    fn note_cut(&mut self) {
        if matches!(self.state, State::Command) && !self.lines.is_empty() {
            self.note(Oddity::CommandIncomplete);
            if self.lines_read == 0 && !self.lines.held().is_empty() {
                self.note(looks_like(self.lines.held()));
            }
        }
        if matches!(self.state, State::Data { .. } | State::Chunk { .. }) || self.chunked.is_some() {
            self.note(Oddity::LetterIncomplete);
        }
    }
}

impl<J: Fn(&[u8]) -> Standing> Session for Smtp<J> {
    type Seen = Seen;

    fn on_bytes(&mut self, now: Duration, bytes: &[u8]) {
        self.now = now;
        if bytes.is_empty() || matches!(self.state, State::Over) {
            return;
        }
        if !self.is_greeted {
            self.note(Oddity::EarlyTalker);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.step(rest)..];
        }
    }

    fn on_end(&mut self, now: Duration) {
        self.now = now;
        if !matches!(self.state, State::Over) {
            self.note_cut();
            self.close(None, End::Cut);
        }
    }

    fn poll(&mut self, _now: Duration) -> Option<Output<Seen>> {
        let output = self.queue.pop_front();
        if matches!(output, Some(Output::Send(_))) {
            self.is_greeted = true;
            self.unsent -= 1;
        }
        output
    }
}
