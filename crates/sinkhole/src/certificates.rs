//! The certificates.
