//! Protocols as pure machines: bytes and now in, outputs out.
