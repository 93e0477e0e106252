//! Sensors and their core: segments that travel, and what each side does about one, whatever breaks in between.
//!
//! ```text
//! sensor                                         core
//! journal ─ closed segment ─ Uplink ─── PUT ───► Reception ─ temp file ─ synced ─ renamed ─ folder synced ─ row ─┐
//!    ▲                          │                                                                               │
//!    └──────── let go ◄─────────┴──◄──────────────────── acknowledged ◄─────────────────────────────────────────┘
//! ```
//!
//! Both sides are machines without a disk, a socket or a clock ([`Uplink`], [`Reception`]); [`Received`] carries one out
//! on this machine's disk and ledger, and [`sim`](crate::sim) carries both out on a made-up world that breaks. A segment is
//! named by sensor, boot, lane and number, and proven by its SHA-256. The same again is acknowledged again; another under
//! the same name is refused, and is a fact. A lane's segments come in order, so that the archive reads them once.
//!
//! What is deliberately absent: HTTP and TLS, which are the roof's.

mod answer;
mod read;
mod received;
mod reception;
mod rows;
#[cfg(test)]
mod tests;
mod uplink;

pub use answer::{Answer, PROTOCOL, accepts};
pub use read::{LANES_PER_READ_MAX, LanePlace, Plan, Stretch};
pub use received::{LaneKey, Received, Taking};
pub use reception::{Event, Known, LANES_PER_SENSOR_MAX, Offer, Reception, SEGMENT_OCTETS_MAX, Step};
pub(crate) use rows::save_place;
pub use rows::{LaneStatus, LeaseStatus};
pub use uplink::{Found, Todo, Uplink, UplinkLimits, UplinkTally};
