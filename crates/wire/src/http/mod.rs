//! HTTP/0.9, 1.0 and 1.1 as a pure machine on the server's side: what a client says, read and never believed.
//!
//! [`Http1`] takes octets and yields heads without their secrets, then what the bodies were without their values. A
//! head's octets are kept in order and case; any method and any form of target is taken, and nothing is followed. What
//! is malformed is an oddity and still evidence. The answer is not made here: whoever drives the machine sends one
//! between [`Seen::End`] and the next head.
//!
//! What is deliberately absent: bodies. They stream through [`body`], which keeps lengths and the names of fields, and
//! are gone. HTTP/2 has its own machine in [`crate::http2`]; its heads and ends are the ones from here.

mod body;
mod chunked;
mod fields;
mod head;
mod second;
mod session;

pub use body::BodyFacts;
pub(crate) use body::{BodyReader, Progress};
pub use fields::{FIELD_NAMES_MAX, JSON_DEPTH_MAX};
pub use head::{Framing, HEADERS_MAX, Head, Version};
pub(crate) use second::Fields;
pub use session::{Exchange, Http1, Limits, Seen};

#[cfg(test)]
mod tests;
