//! TLS on one connection, without a socket: octets from the peer in, plain octets and octets for the peer out.

use std::io::Read;
use std::sync::Arc;

use model::outcome::Tls;
use rustls::{Error, HandshakeKind, ServerConfig, ServerConnection};

/// The content type of an alert record, and the length of its two octets (RFC 8446, 6).
const ALERT: u8 = 21;
const ALERT_OCTETS: [u8; 2] = [0, 2];

pub(super) struct TlsLayer {
    connection: ServerConnection,
    outcome: Tls,
    failed: bool,
    peer_has_closed: bool,
}

impl TlsLayer {
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        let connection = ServerConnection::new(config)?;
        Ok(Self { connection, outcome: Tls::default(), failed: false, peer_has_closed: false })
    }

    /// Takes what came; what it says in plain is appended to `plain`, what is to be sent to `out`.
    pub(super) fn on_bytes(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) {
        while !bytes.is_empty() && !self.failed {
            // Reading from a slice fails only when the library's own buffer is full, and we empty it each time.
            if self.connection.read_tls(&mut bytes).is_err() {
                self.failed = true;
            }
            match self.connection.process_new_packets() {
                Ok(state) => {
                    self.peer_has_closed |= state.peer_has_closed();
                    self.take_plain(state.plaintext_bytes_to_read(), plain);
                }
                Err(error) => self.fail(&error),
            }
        }
        self.note_handshake();
        self.flush(out);
    }

    /// Encrypts an answer.
    pub(super) fn seal(&mut self, answer: &[u8], out: &mut Vec<u8>) {
        use std::io::Write;
        // The library buffers at most 64 KiB; what it has is taken before more is given.
        for part in answer.chunks(16 * 1024) {
            self.failed |= self.connection.writer().write_all(part).is_err();
            self.flush(out);
        }
    }

    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        if !self.failed {
            self.connection.send_close_notify();
        }
        self.flush(out);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether the peer has said that it says no more (close_notify).
    pub(super) fn peer_has_closed(&self) -> bool {
        self.peer_has_closed
    }

    /// The protocol agreed on within TLS (RFC 7301).
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    pub(super) fn outcome(&self) -> Tls {
        self.outcome
    }

    fn take_plain(&mut self, count: usize, plain: &mut Vec<u8>) {
        let start = plain.len();
        plain.resize(start + count, 0);
        if self.connection.reader().read_exact(&mut plain[start..]).is_err() {
            plain.truncate(start);
        }
    }

    fn fail(&mut self, error: &Error) {
        self.failed = true;
        if let Error::AlertReceived(alert) = error {
            self.outcome.alert_in = Some(u8::from(*alert));
        }
    }

    fn note_handshake(&mut self) {
        if !self.connection.is_handshaking() && !self.failed {
            self.outcome.completed = true;
            self.outcome.resumed = self.connection.handshake_kind() == Some(HandshakeKind::Resumed);
        }
        self.outcome.version = self.connection.protocol_version().map_or(0, u16::from);
        self.outcome.cipher = self.connection.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into());
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        while self.connection.wants_write() {
            if self.connection.write_tls(out).is_err() {
                break;
            }
        }
        // An alert before encryption can be read; one after it is the library's secret.
        if let [.., ALERT, _, _, high, low, _level, alert] = out[start..]
            && [high, low] == ALERT_OCTETS
            && !self.outcome.completed
        {
            self.outcome.alert_out = Some(alert);
        }
    }
}
