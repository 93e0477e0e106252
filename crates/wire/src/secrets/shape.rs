//! What is kept of bytes that are no request: how many about.

use super::{Redacted, SecretKind};

/// Appends a marker and the size to the next power of two, so that no length is told.
pub(super) fn redact_to_shape(out: &mut Redacted, bytes: &[u8]) {
    out.hide(SecretKind::BodyValue);
    out.keep(format!(" at most {} octets", bytes.len().max(16).next_power_of_two()).as_bytes());
}
