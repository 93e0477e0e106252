//! HTTP/2 as a pure machine on the server's side (RFC 9113, RFC 7541): what a client says, read and never believed.
//!
//! [`Http2`] takes octets from the client's preface on, by prior knowledge or after ALPN, and yields the same heads and
//! ends of requests as [`crate::http`] does, each with its stream. What a client shows of itself beside its requests
//! is kept in [`crate::http::Head::h2`]. Whoever drives the machine answers a request after its end with
//! [`Http2::respond`]. A breach of the protocol is answered as the RFC says, and is an oddity of the request that it
//! befell, of the next one, or of a head that says nothing else.
//!
//! What is deliberately absent: bodies, as in HTTP/1; compression of what we say; pushes, priorities and tunnels; and
//! every way of waiting for a client without a limit. A crate that we could take for this wants a runtime, gives no
//! settings in the order sent, and refuses what we want to record.

mod answers;
mod control;
mod ending;
mod floods;
mod frames;
mod hpack;
mod request;
mod requests;
mod session;
mod shown;
mod streams;

pub use answers::HELD_OCTETS_MAX;
pub use frames::FRAME_OCTETS_MAX;
pub use requests::CONTINUATIONS_MAX;
pub use session::{Http2, PREFACE, Seen, is_preface};
pub use shown::{PRIORITIES_KEPT_MAX, PSEUDO_KEPT_MAX, SETTINGS_KEPT_MAX};
pub use streams::{OPEN_HEADS_OCTETS_MAX, STREAMS_MAX};

#[cfg(test)]
mod tests;
