//! A certificate as the TLS library wants it: set up once, shown to everybody who asks.
//!
//! It is set up twice over. rustls ends a handshake whose client offers protocols of which we know none (RFC 7301, 3.2),
//! and we want to hear that client all the same; so there is a set-up that agrees on no protocol, and a client is shown
//! the one or the other. Both are made with the certificate: a set-up made for each client costs more than its hello.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Tickets after a handshake of TLS 1.3: a client that comes back uses one (RFC 8446, C.4), and most come back alone.
/// Each costs us a record of some 240 octets.
const TICKETS: usize = 1;
/// What we speak within TLS, the first that a client offers too is taken.
const PROTOCOLS: [&[u8]; 3] = [b"h2", b"http/1.1", b"http/1.0"];

#[derive(Clone)]
pub(crate) struct Setup {
    agreeing: Arc<ServerConfig>,
    silent: Arc<ServerConfig>,
}

impl Setup {
    /// The trap's way to speak TLS, whoever issued the certificate. Refuses a key that is not the certificate's.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        tickets: &Arc<dyn ProducesTickets>,
    ) -> Result<Self, rustls::Error> {
        let mut silent = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // A caller who comes back says hello all the same, so that nothing of it is lost; what is saved is the signature.
        silent.ticketer = Arc::clone(tickets);
        silent.session_storage = Arc::new(NoServerSessionStorage {});
        silent.send_tls13_tickets = TICKETS;
        let mut agreeing = silent.clone();
        agreeing.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { agreeing: Arc::new(agreeing), silent: Arc::new(silent) })
    }

    /// For a client of the web that offers these protocols.
    pub(crate) fn for_offer(&self, offered: &[Vec<u8>]) -> Arc<ServerConfig> {
        let is_known = |protocol: &Vec<u8>| PROTOCOLS.contains(&protocol.as_slice());
        Arc::clone(if offered.iter().any(is_known) { &self.agreeing } else { &self.silent })
    }

    /// For whoever has nothing to agree on: mail.
    pub(crate) fn silent(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.silent)
    }

    /// Whether it is the very same, not one like it.
    #[cfg(test)]
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.silent, &other.silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_up_is_shared_by_all_who_are_shown_it() {
        let leaf = rcgen::generate_simple_self_signed(vec!["outlook-verify.test".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(leaf.signing_key.serialize_der().into());
        let tickets = rustls::crypto::ring::Ticketer::new().unwrap();
        let setup = Setup::new(vec![leaf.cert.der().clone()], key, &tickets).unwrap();
        for (offered, agrees) in [
            (vec![], false),
            (vec![b"h2".to_vec()], true),
            (vec![b"acme-tls/1".to_vec()], false),
            (vec![b"spdy/3".to_vec(), b"http/1.1".to_vec()], true),
        ] {
            let shown = setup.for_offer(&offered);
            assert_eq!(!shown.alpn_protocols.is_empty(), agrees, "{offered:?}");
            assert!(Arc::ptr_eq(&shown, &setup.for_offer(&offered)));
            assert_eq!(Arc::ptr_eq(&shown, &setup.silent()), !agrees);
        }
    }
}
