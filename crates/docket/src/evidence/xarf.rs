//! The report for machines: X-ARF 4 (xarf.org), content class, with the evidence in it.

use base64::Engine as _;
use model::evidence::{Exhibit, ExhibitKind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::letter::Letter;

const VERSION: &str = "4.2.0";
/// Of ids made here: the same report has the same id.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c0c_1f5e_6a2b_4a0f_9d3e_51d2_b6a1_0c44);
/// The schema takes fifty pieces; a mail takes some megabytes.
const PIECES_MAX: usize = 50;
/// The largest piece of evidence within a report: larger ones are named by their digest.
pub const PIECE_OCTETS_MAX: usize = 5 << 20;
/// The most of all pieces together.
const PIECES_OCTETS_MAX: usize = 15 << 20;

/// What is reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Abuse {
    Phishing,
    Malware,
}

impl Abuse {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phishing => "phishing",
            Self::Malware => "malware",
        }
    }
}

/// `files` gives an exhibit's octets by its number.
pub fn report(letter: &Letter<'_>, abuse: Abuse, files: impl Fn(u32) -> Option<Vec<u8>>) -> Value {
    let seen = letter.exhibits.iter().filter(|exhibit| !exhibit.failed).map(|exhibit| exhibit.captured).max();
    let who = json!({
        "org": cut(&letter.reporter.organisation, 200),
        "contact": letter.reporter.contact,
        "domain": letter.reporter.domain(),
    });
    let draft = letter.draft;
    let mut report = json!({
        "xarf_version": VERSION,
        "report_id": Uuid::new_v5(&NAMESPACE, letter.draft.reference.as_bytes()),
        "timestamp": letter.now.to_string(),
        "reporter": who,
        "sender": who,
        "source_identifier": draft.name.as_str(),
        "category": "content",
        "type": abuse.as_str(),
        "url": draft.urls.first(),
        "domain": draft.name.as_str(),
        "evidence_source": "researcher_analysis",
        "verification_method": "manual",
        "description": cut(&format!("{}; all URLs: {}", letter.subject(), draft.urls.join(" ")), 1000),
        "evidence": pieces(letter.exhibits, files),
    });
    if let Some(mark) = &draft.mark {
        report["target_brand"] = json!(mark);
    }
    if let Some(seen) = seen {
        report["verified_at"] = json!(seen.to_string());
    }
    report
}

fn pieces(exhibits: &[&Exhibit], files: impl Fn(u32) -> Option<Vec<u8>>) -> Vec<Value> {
    let mut room = PIECES_OCTETS_MAX;
    let mut pieces = Vec::new();
    for exhibit in exhibits.iter().take(PIECES_MAX) {
        let Some(octets) = files(exhibit.number).filter(|octets| octets.len() <= PIECE_OCTETS_MAX.min(room)) else {
            continue;
        };
        room -= octets.len();
        pieces.push(json!({
            "content_type": content_type(exhibit),
            "description": cut(&format!("exhibit {}: {}, captured {}", exhibit.number, exhibit.kind.as_str(), exhibit.captured), 500),
            "payload": base64::engine::general_purpose::STANDARD.encode(&octets),
            "hash": format!("sha256:{}", exhibit.file),
            "size": octets.len(),
        }));
    }
    pieces
}

/// A page goes as text, so that nothing renders it.
fn content_type(exhibit: &Exhibit) -> &str {
    match exhibit.kind {
        ExhibitKind::Page | ExhibitKind::Headers => "text/plain",
        _ => &exhibit.media_type,
    }
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
