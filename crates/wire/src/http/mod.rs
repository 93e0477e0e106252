//! HTTP/1 as a pure machine.
