//! The conversation: head, body, answer, next head.
//!
//! ```text
//! head ──whole──► body ──whole──► answer ──keep-alive──► head
//!   │               └─broken, cut, too long──► answer ──► over
//!   └─no body──► answer; bad ──► answer ──► over;  end of input ──► over
//! ```
//!
//! The octets of a head are held until it is whole; those of a body never are.

use std::collections::VecDeque;
use std::time::Duration;

use super::body::{BodyFacts, BodyReader, Progress};
use super::head::Head;
use crate::oddity::Oddity;
use crate::secrets::{Accounts, Opening, is_version};
use crate::session::{Output, Session};

/// How much is read of what a client sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    pub head_octets_max: usize,
    /// Octets of a body that are read and dropped before the connection is.
    pub body_octets_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_octets_max: 64 * 1024, body_octets_max: 1024 * 1024 }
    }
}

/// What the machine saw.
#[derive(Debug)]
pub enum Seen {
    Head(Box<Head>),
    /// The request is over: now it is answered.
    End(Exchange),
}

/// How a request ended.
#[derive(Debug, Default)]
pub struct Exchange {
    /// `None` where no body was announced.
    pub body: Option<BodyFacts>,
    /// What was odd about the body.
    pub oddities: Vec<Oddity>,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// The account names that stood in the body, if the machine was told to hand them out.
    pub accounts: Accounts,
}

//----------- Http1 ------------------------------------------------------------------------------------------------

pub struct Http1 {
    limits: Limits,
    with_accounts: bool,
    /// What came and is not read yet.
    pending: Vec<u8>,
    /// How much of `pending` holds no end of a head.
    searched: usize,
    began: Duration,
    /// When the last octets came.
    heard: Duration,
    opening: Opening,
    state: State,
    ended: bool,
    /// Whether the last request may have more behind it than its head says.
    may_spill: bool,
    queue: VecDeque<Output<Seen>>,
}

enum State {
    Head,
    Body { reader: Box<BodyReader>, keep_alive: bool },
    Over,
}

impl Http1 {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            with_accounts: false,
            pending: Vec::new(),
            searched: 0,
            began: Duration::ZERO,
            heard: Duration::ZERO,
            opening: Opening::Fresh,
            state: State::Head,
            ended: false,
            may_spill: false,
            queue: VecDeque::new(),
        }
    }

    /// Account names are handed out, beside each head and each end.
    #[must_use]
    pub fn with_accounts(self) -> Self {
        Self { with_accounts: true, ..self }
    }

    /// The accounts of the request whose head was just seen may not be known: none is held from here on.
    pub fn forget_accounts(&mut self) {
        if let State::Body { reader, .. } = &mut self.state {
            reader.forget_accounts();
        }
    }

    /// Whether a request has begun that is not over.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || matches!(self.state, State::Body { .. })
    }

    /// Octets that came and are held until more do.
    pub fn octets_held(&self) -> usize {
        self.pending.len()
    }

    /// Whether the client may be sending still, although its last request is over: what stood behind that was not read,
    /// or the request was one that may have a body, or was no good. A plain GET that was read whole has nothing left.
    pub fn may_still_be_sending(&self) -> bool {
        self.may_spill || !self.pending.is_empty()
    }

    fn poll_head(&mut self) {
        let is_blank = self.pending.iter().all(|b| matches!(b, b'\r' | b'\n'));
        if is_blank && self.ended {
            self.finish();
        }
        if is_blank {
            // Empty lines before a request are ignored (RFC 9112, 2.2), so they are not held either.
            return self.pending.truncate(BLANK_OCTETS_MAX);
        }
        match self.head_end() {
            Some(Boundary::Whole(end)) => self.take_head(end, None),
            Some(Boundary::TooLong) => self.take_head(self.pending.len(), Some(Oddity::HeadTooLong)),
            None if self.ended => self.take_head(self.pending.len(), Some(Oddity::HeadIncomplete)),
            None => {}
        }
    }

    /// Where the head in `pending` ends, if it does.
    fn head_end(&mut self) -> Option<Boundary> {
        let blank = self.pending.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if !may_be_http(&self.pending[blank..]) {
            return Some(Boundary::Whole(self.pending.len()));
        }
        let end = end_of_head(&self.pending, blank.max(self.searched));
        self.searched = self.pending.len().saturating_sub(3);
        match end {
            Some(end) if end <= self.limits.head_octets_max => Some(Boundary::Whole(end)),
            None if self.pending.len() <= self.limits.head_octets_max => None,
            _ => Some(Boundary::TooLong),
        }
    }

    fn take_head(&mut self, end: usize, fault: Option<Oddity>) {
        let behind = self.pending.split_off(end);
        let raw = std::mem::replace(&mut self.pending, behind);
        self.searched = 0;
        let mut head = Head::read(&raw, self.opening, self.began);
        if !self.with_accounts {
            head.take_accounts();
        }
        if let Some(fault) = fault
            && head.is_http()
        {
            head.spoil(fault);
        }
        // What stands behind this head came with it, however late we get to it.
        self.began = self.heard;
        self.after_head(head);
    }

    fn after_head(&mut self, head: Head) {
        let reader = BodyReader::for_head(&head, self.limits.body_octets_max, self.with_accounts);
        let keep_alive = head.keep_alive;
        // A client that should have announced a body and did not may send one all the same.
        let may_spill = reader.is_some() || !matches!(head.method(), b"GET" | b"HEAD" | b"OPTIONS");
        self.may_spill = may_spill || head.is_bad;
        self.opening = if may_spill { Opening::AfterBody } else { Opening::Fresh };
        let asks = head.expects_continue && self.pending.is_empty();
        self.queue.push_back(Output::Observe(Seen::Head(Box::new(head))));
        match reader {
            Some(reader) => {
                if asks {
                    self.queue.push_back(Output::Send(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()));
                }
                self.state = State::Body { reader: Box::new(reader), keep_alive };
            }
            None => self.end(Exchange { keep_alive, ..Exchange::default() }),
        }
    }

    fn poll_body(&mut self) {
        let State::Body { reader, keep_alive } = &mut self.state else { return };
        let keep_alive = *keep_alive;
        let (taken, progress) = reader.on_bytes(&self.pending);
        self.pending.drain(..taken);
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        let fault = match progress {
            Progress::Complete => None,
            Progress::Broken(oddity) => Some(oddity),
            Progress::More if self.ended => Some(Oddity::BodyIncomplete),
            Progress::More => return,
        };
        let State::Body { reader, .. } = std::mem::replace(&mut self.state, State::Head) else { return };
        let (body, accounts) = reader.finish(fault.is_none());
        let keep_alive = keep_alive && fault.is_none();
        let (body, oddities) = (Some(body), fault.into_iter().collect());
        self.end(Exchange { body, oddities, keep_alive, accounts });
    }

    fn end(&mut self, exchange: Exchange) {
        let goes_on = exchange.keep_alive;
        self.queue.push_back(Output::Observe(Seen::End(exchange)));
        self.state = State::Head;
        if !goes_on {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.state = State::Over;
        self.may_spill |= !self.pending.is_empty();
        self.pending = Vec::new();
        self.queue.push_back(Output::Close);
    }
}

impl Session for Http1 {
    type Seen = Seen;

    fn on_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.heard = now;
        if self.pending.is_empty() && matches!(self.state, State::Head) {
            self.began = now;
        }
        self.pending.extend_from_slice(bytes);
    }

    fn on_end(&mut self, _now: Duration) {
        self.ended = true;
    }

    fn poll(&mut self, _now: Duration) -> Option<Output<Seen>> {
        if self.queue.is_empty() {
            match self.state {
                State::Head => self.poll_head(),
                State::Body { .. } => self.poll_body(),
                State::Over => {}
            }
        }
        self.queue.pop_front()
    }
}

//----------- Where a head ends -------------------------------------------------------------------------------------

/// The most empty lines that are kept in front of a head.
const BLANK_OCTETS_MAX: usize = 16;
/// A first word longer than this is no method.
const METHOD_SEARCH_MAX: usize = 64;

enum Boundary {
    Whole(usize),
    TooLong,
}

/// Whether this can still become a request line: whatever speaks another protocol shows it within a few octets.
fn may_be_http(bytes: &[u8]) -> bool {
    let word = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_".contains(b)).count();
    let line_is_open = !bytes.contains(&b'\n');
    match bytes.get(word) {
        None => word <= METHOD_SEARCH_MAX && word > 0,
        Some(b' ' | b'\t') if word > 0 => line_is_open || first_line_has_version(bytes),
        Some(_) => false,
    }
}

/// Whether the first line, now whole, ends as request lines do. `GET /` alone is HTTP/0.9 and a whole request.
fn first_line_has_version(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    line.trim_ascii().rsplit(|b| matches!(b, b' ' | b'\t')).next().is_some_and(is_version)
}

/// The end of the first empty line behind `from`, where a line may end in LF or CRLF.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).filter(|at| bytes[*at] == b'\n').find_map(|at| match &bytes[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}
