//! What others know of a group: files that somebody imported, read into claims, each with its source.
//!
//! Two dialects: STIX 2.0 and 2.1 bundles (ATT&CK's among them) and MISP galaxy clusters. The files are other
//! people's and may be hostile: they are bounded in size, depth and number of objects, and what will be shown in a
//! terminal is stripped of control characters as it is read. Nothing is merged here; [`GroupPicture`] lays claims
//! beside each other and names where they contradict.

use model::fact::KnowledgeFormat;
use serde::Serialize;

mod bounds;
mod conflicts;
mod misp;
mod picture;
mod render;
mod stix;
#[cfg(test)]
mod tests;
mod text;

pub use conflicts::Conflict;
pub use picture::{AliasClaim, AliasPicture, CountryClaim, GroupPicture, KnownGroup, Near};
pub use render::{COLUMNS, render_text};

/// What ATT&CK's terms of use ask to be shown with it.
pub const ATTACK_NOTICE: &str = "(c) The MITRE Corporation. This work is reproduced and distributed with the permission \
                                 of The MITRE Corporation.";

//----------- read -------------------------------------------------------------------------------------------------

/// How large a file of knowledge may be: all of ATT&CK Enterprise is 34 MB with 25,000 objects, five levels deep.
#[derive(Clone, Copy, Debug)]
pub struct KnowledgeLimits {
    pub octets_max: usize,
    pub depth_max: usize,
    pub objects_max: usize,
}

impl Default for KnowledgeLimits {
    fn default() -> Self {
        Self { octets_max: 128 << 20, depth_max: 32, objects_max: 200_000 }
    }
}

/// Reads a file of the form that the operator says it has. `source` is what its claims are shown under.
pub fn read(
    format: KnowledgeFormat,
    source: &str,
    bytes: &[u8],
    limits: KnowledgeLimits,
) -> Result<Claims, KnowledgeError> {
    bounds::check(bytes, limits)?;
    let source = text::clean(source);
    match format {
        KnowledgeFormat::Stix => stix::read(source, bytes, limits.objects_max),
        KnowledgeFormat::MispGalaxy => misp::read(source, bytes, limits.objects_max),
    }
}

/// Which of the forms a file has, by its first level: for whoever imports without saying.
pub fn detect(bytes: &[u8], limits: KnowledgeLimits) -> Result<KnowledgeFormat, KnowledgeError> {
    bounds::check(bytes, limits)?;
    if stix::is_bundle(bytes) {
        Ok(KnowledgeFormat::Stix)
    } else if misp::is_galaxy(bytes) {
        Ok(KnowledgeFormat::MispGalaxy)
    } else {
        Err(KnowledgeError::Form { what: "neither a STIX bundle nor MISP galaxy clusters".into(), hint: FORM_HINT })
    }
}

pub(crate) const FORM_HINT: &str =
    "give a STIX 2.0 or 2.1 bundle (`{\"type\": \"bundle\", …}`) or a file of MISP galaxy clusters";

/// A file of knowledge that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error("the file has {octets} octets, and at most {octets_max} are read")]
    TooLarge { octets: usize, octets_max: usize },
    #[error("the file is nested deeper than {depth_max} levels")]
    TooDeep { depth_max: usize },
    #[error("the file has {objects} objects, and at most {objects_max} are read")]
    TooMany { objects: usize, objects_max: usize },
    #[error("{what}\nhint: {hint}")]
    Form { what: String, hint: &'static str },
    #[error("{place}")]
    Json { place: String, source: serde_json::Error },
}

//----------- Claims -----------------------------------------------------------------------------------------------

/// What one file says.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Claims {
    pub source: String,
    /// Objects of any kind in the file.
    pub objects: u64,
    pub groups: Vec<ClaimedGroup>,
    /// What must be shown with it.
    pub notices: Vec<String>,
}

/// A group as one source sees it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ClaimedGroup {
    /// The file's source, with the galaxy where a file holds several: what keeps groups apart is a galaxy.
    pub source: String,
    /// The UUID that sources use to refer to each other's groups.
    pub uuid: String,
    /// The source's own number, such as G0059.
    pub number: Option<String>,
    pub name: String,
    pub aliases: Vec<ClaimedAlias>,
    pub country: Option<String>,
    /// How sure the source is of the country, in its own words.
    pub confidence: Option<String>,
    pub techniques: Vec<Technique>,
    pub software: Vec<Software>,
    /// UUIDs of groups that the source calls similar, and so keeps apart.
    pub similar: Vec<String>,
    /// The source withdrew this group, and into which it went.
    pub revoked_into: Option<String>,
}

/// A name that a source gives its group, with the works that the source cites for it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ClaimedAlias {
    pub name: String,
    pub cites: Vec<String>,
}

/// A technique that a group is said to use.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Technique {
    /// `T1566.002`
    pub number: String,
    pub name: String,
    pub tactics: Vec<String>,
}

/// A program that a group is said to use.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Software {
    pub number: String,
    pub name: String,
    /// `malware` or `tool`.
    pub kind: String,
}
