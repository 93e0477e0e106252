//! dnstap as a pure machine: the bytes of a Frame Streams connection in, messages of a name server out.
//!
//! [`FrameStreams`] is the receiver's side of the protocol that fstrm, NSD, Knot and BIND speak, in both its forms:
//! with a handshake (READY, ACCEPT, START, STOP, FINISH) and without (START, STOP). [`Payload`] reads the protobuf of
//! one frame. A sender that is behind drops what it cannot send and never says so: there is no sequence number, so a
//! message comes at most once.
//!
//! What is deliberately absent: DNS itself (module [`dns`](crate::dns) reads the packet), extraction policies, and
//! every field of the schema that says nothing of who asked.

mod frames;
mod payload;

pub use frames::{CONTROL_OCTETS_MAX, End, FRAME_OCTETS_MAX, Fault, FrameStreams, Seen};
pub use payload::{Kind, Message, Payload, Protocol, Unreadable};

/// What both sides have to name as the content of their frames.
pub const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

#[cfg(test)]
mod tests;
