//! Sensors and core, over HTTPS: what each does on its side of the wire.
//!
//! ```text
//! core                                                            sensor
//! authority  our own CA; certificates for sensors that join       identity  key, certificate, core, in `keys`
//! hall       the listener: mutual TLS, one certificate, one sensor caller    requests, one connection each
//! notice     the signed set of zones                              leased    what may be served now
//!                                                                 uplink    closed segments, in order
//! ```
//!
//! Who a sensor is the ledger says, by the digest of its certificate; the certificate's own text says nothing that anybody
//! believes. So one that is revoked is nobody at once, and no list of revoked ones travels. Certificates never expire: a
//! sensor whose clock is wrong has to reach its core all the more.

pub(super) mod authority;
mod caller;
pub(super) mod hall;
pub(crate) mod identity;
pub(crate) mod joining;
pub(super) mod leased;
mod notice;
pub(super) mod uplink;

pub(crate) use authority::{Authority, CORE_NAME};
pub(crate) use caller::Caller;
pub(crate) use notice::Notice;

/// The field in which each side says which protocol it speaks.
const PROTOCOL_FIELD: &str = "bailiwick-protocol";
const DIGEST_FIELD: &str = "bailiwick-digest";
const END_FIELD: &str = "bailiwick-end";
const LOST_FIELD: &str = "bailiwick-lost-before";
const CLOCK_FIELD: &str = "bailiwick-clock";
/// The largest answer or request that is no segment and no set of zones.
const SMALL_OCTETS_MAX: usize = 64 << 10;

/// `POST /v1/enrol`: the token's secret, and a request for a certificate (PKCS #10, PEM).
#[derive(Debug, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolAsked {
    secret: String,
    request: String,
}

/// What becomes of it.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct Enrolled {
    sensor: model::id::SensorId,
    name: model::id::SensorName,
    /// PEM.
    certificate: String,
}

/// `GET /v1/zones`: the grant as a signed note.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
struct Told {
    grant: String,
}
