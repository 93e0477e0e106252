//! A case goes on: each step with the papers that its authority asks for, in the vault before the fact that names them.

use model::case::CaseState;
use model::fact::{Actor, Body};
use model::id::CaseId;
use model::paper::{Paper, PaperKind};
use model::{Digest, Refusal, Timestamp};
use store::view::View;

use super::{Decision, Done, gate, working_on};
use crate::authority;

/// The largest paper: a scanned appendix of a thousand pages.
pub const PAPER_OCTETS_MAX: usize = 64 << 20;
/// The most papers of one case.
const PAPERS_MAX: usize = 10_000;

/// Puts a paper on file.
pub(super) fn file(
    view: &View,
    (id, kind): (&CaseId, PaperKind),
    octets: &[u8],
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    if octets.is_empty() || octets.len() > PAPER_OCTETS_MAX {
        return Err(Refusal::new(format!("a {kind} of {} octets is not filed", octets.len()))
            .hint(format!("a paper has 1 to {PAPER_OCTETS_MAX} octets")));
    }
    let paper = Paper { kind, file: Digest::of_bytes(octets), octets: octets.len() as u64 };
    let done = Done::PaperFiled { paper: paper.clone() };
    if case.papers.contains(&paper) {
        return Ok(Decision { drafts: Vec::new(), named_sets: Vec::new(), done });
    }
    if case.papers.len() >= PAPERS_MAX {
        return Err(Refusal::new(format!("case {id} has {PAPERS_MAX} papers, and takes no more")));
    }
    Ok(Decision::of(actor, Body::PaperFiled { case: id.clone(), paper }, done))
}

pub(super) fn advance(
    view: &View,
    (id, to): (&CaseId, CaseState),
    documents: &[Digest],
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    case.state.advance(to)?;
    let mut named = Vec::new();
    for digest in documents {
        let paper = case.papers.iter().find(|paper| paper.file == *digest);
        let missing = || Refusal::new(format!("the paper {} is not on file in case {id}", digest.short()));
        named.push(paper.ok_or_else(missing)?.clone());
    }
    gate::admits(case, to)?;
    authority::check_step(case, to, now)?;
    let body = Body::CaseAdvanced { case: id.clone(), to, documents: named };
    Ok(Decision::of(actor, body, Done::CaseAdvanced { case: id.clone() }))
}
