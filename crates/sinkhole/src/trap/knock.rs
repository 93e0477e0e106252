//! What a conversation wants recorded, and in which order.

use std::sync::Arc;
use std::time::Duration;

use model::Digest;
use model::tally::CutShort;
use wire::banner::Looks;
use wire::http::{Exchange, Head};
use wire::oddity::Oddity;
use wire::proxy::Header;
use wire::smtp::Transaction;
use wire::tls::ClientHello;

use crate::witness::Concern;

/// Something to record.
#[derive(Debug)]
pub(super) enum Knock {
    /// We are about to say something before anything is known: the connection itself is put on record.
    Arrived {
        concern: Concern,
    },
    /// A balancer said for whom it calls.
    Proxied(Box<Header>),
    /// A connection that no machine of ours reads.
    First {
        first: First,
        concern: Concern,
    },
    Hello {
        at: Duration,
        hello: Box<ClientHello>,
        raw: Vec<u8>,
        concern: Concern,
    },
    /// A head whose client waits for leave to send its body.
    Asked {
        head: Arc<Head>,
        concern: Concern,
    },
    /// A request, with what it is about to be answered.
    Answered {
        head: Arc<Head>,
        concern: Concern,
        exchange: Exchange,
        /// Account names that the order lets us keep, sealed.
        accounts: Vec<Vec<u8>>,
        reply: Reply,
    },
    Mail {
        mailed: Box<Mailed>,
        concern: Concern,
    },
    /// A limit on all connections ends this one: counted.
    CutShort(CutShort),
}

/// The first octets of a connection.
#[derive(Debug, Default)]
pub(crate) struct First {
    pub(crate) looks: Option<Looks>,
    /// Only where the order covers what callers send.
    pub(crate) bytes: Vec<u8>,
    pub(crate) keyed_hash: Option<Digest>,
    pub(crate) oddities: Vec<Oddity>,
    /// More came than was looked at.
    pub(crate) is_cut: bool,
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    pub(super) at: Duration,
    pub(super) status: Option<u16>,
    pub(super) octets: u64,
    pub(super) ends: bool,
    /// Whether the head is on record already.
    pub(super) was_asked: bool,
}

/// A mail transaction, its addresses hashed.
#[derive(Debug)]
pub(crate) struct Mailed {
    pub(crate) transaction: Transaction,
    pub(crate) sender: Option<Digest>,
    pub(crate) recipients: Vec<Digest>,
    /// The account name that the order lets us keep, sealed.
    pub(crate) accounts: Vec<Vec<u8>>,
}

impl Knock {
    pub(super) fn concern(&self) -> Option<&Concern> {
        match self {
            Self::Proxied(_) | Self::CutShort(_) => None,
            Self::Arrived { concern }
            | Self::First { concern, .. }
            | Self::Hello { concern, .. }
            | Self::Asked { concern, .. }
            | Self::Answered { concern, .. }
            | Self::Mail { concern, .. } => Some(concern),
        }
    }
}
