//! The one set-up with which TLS is measured: a version, a group and a cipher, so that every server does the same work.
//!
//! A server that may choose chooses what it is fast at, and then two numbers say nothing of each other. What the
//! population of [`crate::run()`] offers is another matter: that is what clients of the world offer.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::ring::{default_provider, kx_group};
use rustls::version::TLS13;
use rustls::{ClientConfig, Error};

use crate::run::dangerous::AcceptAnything;

/// What is measured, for whoever prints a number.
pub const MEASURED: &str = "TLS 1.3, X25519, AES-128-GCM";

/// Tickets that a client keeps: each is used once, and the next handshake brings another.
const TICKETS_KEPT: usize = 4;

/// A client's set-up of its own, tickets included.
pub(crate) fn setup(resumes: bool) -> Result<Arc<ClientConfig>, Error> {
    let mut provider = default_provider();
    provider.kx_groups = vec![kx_group::X25519];
    provider.cipher_suites = vec![TLS13_AES_128_GCM_SHA256];
    let provider = Arc::new(provider);
    let verifier = Arc::new(AcceptAnything::offering(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = if resumes { Resumption::in_memory_sessions(TICKETS_KEPT) } else { Resumption::disabled() };
    Ok(Arc::new(config))
}
