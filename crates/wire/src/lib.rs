//! Protocols as pure machines: bytes and `now` in, outputs out.
//!
//! Every machine here can be driven by a test without a socket, a clock or a runtime. What a peer does wrong is never
//! an error: it is an oddity with a stable code, and evidence. Nothing is sized by what a peer claims.
//!
//! What is deliberately absent: cases, groups and zones of ours (room `model`), sockets and time (room `sinkhole`).

pub mod banner;
pub mod dns;
pub mod dnstap;
pub mod http;
pub mod http2;
pub mod oddity;
pub mod proxy;
pub mod secrets;
pub mod session;
pub mod smtp;
pub mod tls;
