//! The Merkle log over the ledger's commitments, in other people's formats, so that other people's tools verify it.
//!
//! The tree is RFC 6962's (RFC 9162, section 2.1): leaf `SHA-256(0x00 ‖ entry)`, node `SHA-256(0x01 ‖ left ‖ right)`. An
//! entry is the 32 octets of a fact's commitment. What is signed and how the tree is laid out in files follows C2SP:
//! [signed-note](https://c2sp.org/signed-note), [tlog-checkpoint](https://c2sp.org/tlog-checkpoint),
//! [tlog-tiles](https://c2sp.org/tlog-tiles) and [tlog-proof](https://c2sp.org/tlog-proof).
//!
//! All of it is functions of values. What is deliberately absent: disks and databases (they are the callers'), and
//! witnesses' cosignatures: lines of unknown keys are skipped, as the format wants it.

mod checkpoint;
mod note;
mod proof;
mod tile;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use note::{NoteError, ORIGIN_OCTETS_MAX, SigningKey, VerifyingKey, is_origin};
pub use proof::{consistency, inclusion, is_consistent, is_included, to_proof_text};
pub use tile::{Tiles, place_of};
pub use tree::{Frontier, leaf, node, root_of};
