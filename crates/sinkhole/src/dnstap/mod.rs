//! dnstap in: what other name servers were asked about our names, as they tell it over Frame Streams.
//!
//! A listener belongs to one sensor, by the name that the operator gave it, and every connection is read by
//! [`wire::dnstap`]. A query that a fleet server received becomes the same Contact as one of our own, with its time,
//! addresses and transport, and `Via::Dnstap` says whose word it is. Of each query one contact is made, from the record
//! of the *query*; a record of the response would be a second one of the same question, so it is passed over.
//!
//! **At most once.** A sender that is behind drops records and never says so: dnstap has no sequence number. What can be
//! seen is counted as [`Gaps`]: every connection that ends without a STOP, every frame that cannot be read, every return
//! of a sender. Each of them adds one to `loss_unknown` in the listener's tally.
//!
//! What is read is written before more is read: a slow disk slows the sender, and nothing queues here.

mod connection;
mod deed;
mod listener;

use std::net::{IpAddr, TcpListener};
use std::os::unix::net::UnixListener;

pub use connection::Gaps;
pub(crate) use listener::Dnstap;

/// One sensor's socket, opened by the roof.
#[derive(Debug)]
pub struct Sensor {
    pub name: String,
    pub door: Door,
}

/// Where a sensor's senders come in.
#[derive(Debug)]
pub enum Door {
    /// Whoever may open the socket's file.
    Unix(UnixListener),
    /// Only these addresses: the protocol has no other way to know a sender.
    Tcp { listener: TcpListener, allow: Vec<IpAddr> },
}

#[cfg(test)]
mod tests;
