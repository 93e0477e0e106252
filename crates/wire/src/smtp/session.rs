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

use super::auth::Exchange;
use super::command::{Command, Verb};
use super::data::DataReader;
use super::fingerprint::{Fingerprint, Helo};
use super::letter::LetterReader;
use super::lines::{Line, LineEnd, Lines};
use super::replies;
use super::seen::{Draft, End, Seen};
use super::terms::{Standing, Terms, Tls};
use crate::banner::{Carrier, look};
use crate::oddity::{Oddity, note};
use crate::session::{Output, Session};

/// Commands of one conversation: nine messages of 100 recipients each, at 102 commands a message. It bounds what waits
/// to be polled, too: 1,000 answers of some 200 octets, and 1,000 addresses of at most 512.
pub const COMMANDS_MAX: u32 = 1000;
/// Commands that we cannot do, logins among them: programs that guess passwords show how in fewer.
pub const ERRORS_MAX: u32 = 20;
/// The longest opening that tells another protocol: PROXY version 2's signature.
const OPENING_OCTETS_MAX: usize = 12;
/// The lines that PROXY version 2's signature looks like.
const OPENING_LINES_MAX: u32 = 4;

//----------- Smtp -------------------------------------------------------------------------------------------------

/// One conversation. It is polled before it gets any octets, since the greeting comes first.
///
/// `judge` says whose a recipient's domain is, of `postmaster` alone too, whose domain is empty; it gets it in lower case, as [`Address::domain`](super::Address::domain)
/// has it, and an address of ours in brackets as well.
pub struct Smtp<J> {
    pub(super) terms: Terms,
    pub(super) judge: J,
    pub(super) state: State,
    pub(super) lines: Lines,
    /// A letter that comes by BDAT, between its chunks.
    pub(super) chunked: Option<Box<LetterReader>>,
    pub(super) draft: Draft,
    pub(super) fingerprint: Fingerprint,
    pub(super) helo: Option<Helo>,
    pub(super) has_starttls: bool,
    pub(super) is_secure: bool,
    /// The first octets that came.
    opening: Vec<u8>,
    pub(super) lines_read: u32,
    pub(super) commands: u32,
    pub(super) errors: u32,
    /// Whether what came last may be followed before it is answered.
    pub(super) may_pipeline: bool,
    /// Answers that nobody has polled.
    pub(super) unsent: usize,
    is_greeted: bool,
    pub(super) has_record: bool,
    pub(super) with_accounts: bool,
    pub(super) now: Duration,
    pub(super) queue: VecDeque<Output<Seen>>,
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
            with_accounts: false,
            now: Duration::ZERO,
            queue: VecDeque::new(),
        };
        smtp.answer(&replies::greeting(&smtp.terms));
        smtp
    }

    /// Account names are handed out with attempts to log in.
    #[must_use]
    pub fn with_accounts(self) -> Self {
        Self { with_accounts: true, ..self }
    }

    /// Octets of lines that are held: the opening, and what has no end yet.
    pub fn octets_held(&self) -> usize {
        self.opening.len() + self.lines.octets_held()
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
        let looks = look(if self.lines_read == 1 { line } else { &self.opening }, Carrier::Stream).oddity();
        let is_signature = self.lines_read <= OPENING_LINES_MAX && looks == Oddity::LooksProxy;
        let is_known = !matches!(
            looks,
            Oddity::LooksSmtp | Oddity::LooksText | Oddity::LooksForm | Oddity::LooksBinary | Oddity::LooksSilent
        );
        let is_other = is_signature || self.lines_read == 1 && command.verb == Verb::Unknown && is_known;
        if is_other {
            self.note(looks);
        }
        is_other
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
