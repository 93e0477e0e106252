//! Tell those who can act: what may be told of a case, to whom, in which form.
//!
//! [`Snapshot::gather`] takes from the store what may be told of one case; [`audience`] decides, alone, who sees what
//! of it; the renderers turn what is left into the bytes that somebody else's software reads. [`render()`] is the
//! three in a row. [`policy()`] does the same for a zone that name servers take over; [`showing`] says how much of a fact
//! an export of the ledger shows. All of it is functions of values: the same data gives the same bytes, in whatever order it came.
//!
//! What is deliberately absent: a clock (times come from facts and contacts), sockets (a later issue serves and
//! delivers), and any way to render what [`audience`] has not cleared.

pub mod audience;
mod custody;
mod disclosure;
mod format;
mod gather;
mod policy;
mod render;
mod snapshot;
mod withdrawn;

use model::Refusal;
use model::marking::Audience;

pub use custody::Action;
pub use disclosure::{Profile, Showing, showing};
pub use format::{Format, FormatError};
pub use gather::is_sealed;
pub use policy::{Block, ORIGIN_OCTETS_MAX, Policy, PolicyTerms, policy};
pub use snapshot::Snapshot;
pub use withdrawn::is_withdrawn;

/// A file to hand over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// A plain file name: no folder, no case while the case is sealed.
    pub file_name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// The document that `audience` gets of this snapshot, or why it gets none.
pub fn render(format: Format, snapshot: &Snapshot, audience: Audience) -> Result<Document, Refusal> {
    let cleared = audience::clear(snapshot, audience, format.content())?;
    render::document(format, &cleared)
}
