//! Which machine reads what a caller says in plain, and what all of them have in common.

use std::time::Duration;

use wire::http::{self, Exchange, Head, Http1};
use wire::http2::{self, Http2};
use wire::session::{Output, Session};
use wire::smtp::{self, Smtp, Standing, Transaction};

/// Says whose a recipient's domain is.
pub(super) type Judge = Box<dyn Fn(&[u8]) -> Standing + Send>;

/// The stream of a version that has none.
pub(super) const ONLY_STREAM: u32 = 0;

pub(super) enum Speech {
    /// Nobody reads yet.
    Unknown,
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    Smtp(Box<Smtp<Judge>>),
}

/// What a machine saw.
pub(super) enum Heard {
    Head {
        stream: u32,
        head: Box<Head>,
    },
    /// The client of an HTTP/1 request waits for leave to send its body: these octets give it.
    Leave(Vec<u8>),
    End {
        stream: u32,
        exchange: Exchange,
    },
    Mail(Box<Transaction>),
    StartTls,
}

impl Speech {
    pub(super) fn on_bytes(&mut self, now: Duration, bytes: &[u8]) {
        match self {
            Self::Unknown => {}
            Self::Http1(machine) => machine.on_bytes(now, bytes),
            Self::Http2(machine) => machine.on_bytes(now, bytes),
            Self::Smtp(machine) => machine.on_bytes(now, bytes),
        }
    }

    /// What was held of a request's account names may not be.
    pub(super) fn forget_accounts(&mut self, stream: u32) {
        match self {
            Self::Http1(machine) => machine.forget_accounts(),
            Self::Http2(machine) => machine.forget_accounts(stream),
            Self::Unknown | Self::Smtp(_) => {}
        }
    }

    pub(super) fn on_end(&mut self, now: Duration) {
        match self {
            Self::Unknown => {}
            Self::Http1(machine) => machine.on_end(now),
            Self::Http2(machine) => machine.on_end(now),
            Self::Smtp(machine) => machine.on_end(now),
        }
    }

    /// Whether the caller may be saying something still although his last word is answered.
    pub(super) fn may_still_be_sending(&self) -> bool {
        match self {
            Self::Http1(machine) => machine.may_still_be_sending(),
            Self::Unknown | Self::Http2(_) | Self::Smtp(_) => true,
        }
    }

    /// Octets that it holds until more come, or until the caller takes them.
    pub(super) fn octets_held(&self) -> usize {
        match self {
            Self::Unknown => 0,
            Self::Http1(machine) => machine.octets_held(),
            Self::Http2(machine) => machine.octets_held(),
            Self::Smtp(machine) => machine.octets_held(),
        }
    }

    pub(super) fn poll(&mut self, now: Duration) -> Option<Output<Heard>> {
        match self {
            Self::Unknown => None,
            Self::Http1(machine) => machine.poll(now).map(of_http1),
            Self::Http2(machine) => machine.poll(now).map(|output| output.map(of_http2)),
            Self::Smtp(machine) => machine.poll(now).map(|output| output.map(of_smtp)),
        }
    }
}

/// The machine itself sends nothing but leave to go on.
fn of_http1(output: Output<http::Seen>) -> Output<Heard> {
    match output {
        Output::Send(leave) => Output::Observe(Heard::Leave(leave)),
        other => other.map(|seen| match seen {
            http::Seen::Head(head) => Heard::Head { stream: ONLY_STREAM, head },
            http::Seen::End(exchange) => Heard::End { stream: ONLY_STREAM, exchange },
        }),
    }
}

fn of_http2(seen: http2::Seen) -> Heard {
    match seen {
        http2::Seen::Head { stream, head } => Heard::Head { stream, head },
        http2::Seen::End { stream, exchange } => Heard::End { stream, exchange },
    }
}

fn of_smtp(seen: smtp::Seen) -> Heard {
    match seen {
        smtp::Seen::Transaction(transaction) => Heard::Mail(transaction),
        smtp::Seen::StartTls => Heard::StartTls,
    }
}
