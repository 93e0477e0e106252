//! The TLS ClientHello (RFC 8446, 4.1.2, and older forms) before any handshake, and its fingerprints.
//!
//! Many programs that call a sinkhole never finish a handshake: their hello is all the evidence there is. So it is
//! read here, by our own bounded reader, before a TLS library sees a byte; afterwards the same bytes feed the library.
//! What cannot be read of a hello is an [`Oddity`](crate::oddity::Oddity); what can be read of it is kept.
//!
//! What is deliberately absent: everything after the hello, and JA4's sisters (JA4H, JA4S, JA4T), which are under
//! another licence.

mod fingerprint;
mod hello;
mod reader;
mod records;

pub use fingerprint::{is_grease, ja3, ja4};
pub use hello::ClientHello;
pub use records::{HELLO_OCTETS_MAX, HelloReader, Step, looks_like_record, looks_like_ssl2, looks_like_tls};

#[cfg(test)]
mod tests;
