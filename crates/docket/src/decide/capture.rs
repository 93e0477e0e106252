//! The owner's records of a name, kept to answer with while the name is handed back.
//!
//! One person keeps them, because they only ever serve in `handback`, where nothing is recorded; who did, and from which
//! source, stands in the fact. A later file takes the place of the one before, which stays in the vault.

use model::fact::{Actor, Body};
use model::id::CaseId;
use model::name::DomainName;
use model::{Digest, Refusal};
use store::view::View;

use super::{Decision, Done, check_text, working_on};
use crate::zonefile::ZONE_FILE_OCTETS_MAX;

pub(super) fn records(
    view: &View,
    (id, name): (&CaseId, &DomainName),
    source: &str,
    (octets, count): (&[u8], u64),
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("source", source)?;
    let Some(known) = case.names.get(name) else {
        return Err(Refusal::new(format!("case {id} does not list {}", name.defanged()))
            .hint("records are kept under the listed name, with everything below it"));
    };
    if octets.len() > ZONE_FILE_OCTETS_MAX || count == 0 {
        let what = format!("a file of {} octets with {count} records is not kept", octets.len());
        return Err(Refusal::new(what).hint(format!("at most {ZONE_FILE_OCTETS_MAX} octets, at least one record")));
    }
    let file = Digest::of_bytes(octets);
    if case.captured.get(name).is_some_and(|captured| captured.file == file) {
        return Ok(Decision { drafts: Vec::new(), named_sets: Vec::new(), done: Done::RecordsCaptured { new: false } });
    }
    let source = source.trim().to_owned();
    let body = Body::RecordsCaptured { case: id.clone(), name: name.clone(), source, file, count };
    let mut decision = Decision::of(actor, body, Done::RecordsCaptured { new: true });
    decision.drafts[0].authority = Some(known.order.clone());
    Ok(decision)
}
