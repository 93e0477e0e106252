//! A case's evidence in a folder that a stranger can check without this program: files, a manifest, their sums.
//!
//! ```text
//! manifest.json        what each file is, canonical JSON (RFC 8785)
//! exhibits/0001-….png  the files, octet by octet
//! stamps/0001.tsr      RFC 3161 answers, where an authority was asked
//! index.html           the exhibits for people; certificate.html, where a qualified person is named
//! SHA256SUMS           every file above: `sha256sum -c SHA256SUMS`
//! SHA256SUMS.sig       Ed25519 over SHA256SUMS, by key.pem: `openssl pkeyutl -verify …` (README.txt has the line)
//! ```

use model::case::CaseTerms;
use model::digest::canonical_json;
use model::evidence::Exhibit;
use model::fact::Actor;
use model::id::Position;
use model::time::Date;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::{CaseView, ExhibitView};

/// What a manifest calls itself.
pub const FORMAT: &str = "bailiwick evidence v1";
/// How a stranger checks it.
const README: &str = include_str!("pack/README.txt");

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: String,
    pub case: String,
    pub title: String,
    pub exercise: bool,
    /// Until then nothing of this leaves the people on the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_until: Option<Date>,
    pub made: Timestamp,
    pub program: String,
    pub exhibits: Vec<Entry>,
}

/// One exhibit of a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub path: String,
    /// As the ledger has it.
    pub exhibit: Exhibit,
    /// When it was kept, by whom, and the fact that says so.
    pub added: Timestamp,
    pub by: Actor,
    pub fact: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<StampEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StampEntry {
    pub path: String,
    pub sha256: Digest,
    pub authority: String,
    pub at: Timestamp,
}

impl Manifest {
    pub fn of(case: &CaseView, made: Timestamp, program: &str) -> Self {
        let CaseTerms { id, title, .. } = &case.terms;
        Self {
            format: FORMAT.to_owned(),
            case: id.to_string(),
            title: title.clone(),
            exercise: case.orders.values().any(|order| order.terms().authority.is_exercise()),
            sealed_until: case.orders.values().filter_map(|order| case.sealed_until(order)).max(),
            made,
            program: program.to_owned(),
            exhibits: case.evidence.exhibits.iter().map(Entry::of).collect(),
        }
    }

    pub fn canonical(&self) -> Vec<u8> {
        canonical_json(self)
    }
}

impl Entry {
    fn of(kept: &ExhibitView) -> Self {
        let Exhibit { number, file_name, .. } = &kept.exhibit;
        let stamp = kept.stamp.as_ref().map(|stamp| StampEntry {
            path: format!("stamps/{number:04}.tsr"),
            sha256: stamp.token,
            authority: stamp.authority.clone(),
            at: stamp.at,
        });
        Self {
            path: format!("exhibits/{number:04}-{file_name}"),
            exhibit: kept.exhibit.clone(),
            added: kept.added,
            by: kept.by.clone(),
            fact: kept.at,
            stamp,
        }
    }

    pub fn kept_by(&self) -> String {
        who(&self.by)
    }
}

pub fn who(actor: &Actor) -> String {
    match actor {
        Actor::Person { id } => id.to_string(),
        Actor::LocalUser { uid } => format!("user {uid} of the machine"),
        Actor::Room { name } => format!("the program ({name})"),
    }
}

/// `SHA256SUMS`: a line a file, in order of path, as `sha256sum -c` reads it.
pub fn sums<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    files.into_iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
}

/// `README.txt`.
pub fn readme(manifest: &Manifest, key: &str) -> String {
    README.replace("{case}", &manifest.case).replace("{key}", key).replace("{format}", FORMAT)
}

/// An Ed25519 key as `openssl` takes it (RFC 8410): twelve octets say which kind, then the key.
pub fn key_as_pem(public: &[u8; 32]) -> String {
    use base64::Engine as _;
    const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let text = base64::engine::general_purpose::STANDARD.encode([&ED25519[..], public].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}
