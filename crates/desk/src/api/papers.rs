//! Papers and authorities on the API.

use docket::authority::{AuthorityRule, state_word};
use model::Digest;
use model::case::CaseState;
use model::id::CaseId;
use model::order::{Act, NameOutcome};
use model::paper::{Paper, PaperKind};
use serde::{Deserialize, Serialize};

/// `POST /cases/{id}/state`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvanceRequest {
    pub to: CaseState,
    /// Papers on file that came with the step, by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Digest>,
}

/// Answer to `POST /cases/{id}/papers`: body = the paper; `?kind=` is what it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PaperFiled {
    pub case: CaseId,
    pub paper: Paper,
    /// False where the same paper was on file before: then nothing changed.
    pub new: bool,
}

/// One row of `GET /authorities`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AuthorityTold {
    pub instrument: String,
    pub title: String,
    pub issuer: String,
    /// `binding`, `request`, `consent` or `rehearsal`
    pub force: String,
    pub outcomes: Vec<String>,
    /// At most; a paper may give fewer.
    pub acts: Vec<String>,
    /// The states that a case under it can be in.
    pub states: Vec<String>,
    /// By state, the papers that have to be on file before it.
    pub papers: Vec<(String, Vec<PaperKind>)>,
    pub expiry: String,
    pub appeal: String,
    /// Who may object to names that come in by a supplemental list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    pub sources: Vec<String>,
}

impl AuthorityTold {
    pub(crate) fn of(rule: &AuthorityRule) -> Self {
        let papers = rule.papers.iter().map(|(state, kinds)| (state_word(*state), kinds.to_vec()));
        Self {
            instrument: rule.instrument.as_str().into(),
            title: rule.title.into(),
            issuer: rule.issuer.into(),
            force: rule.force.as_str().into(),
            outcomes: rule.outcomes.iter().copied().map(NameOutcome::as_str).map(str::to_owned).collect(),
            acts: rule.acts.iter().copied().map(Act::as_str).map(str::to_owned).collect(),
            states: rule.states.iter().copied().map(state_word).collect(),
            papers: papers.collect(),
            expiry: rule.expiry.into(),
            appeal: rule.appeal.into(),
            monitor: rule.monitor.map(str::to_owned),
            sources: rule.sources.iter().map(|source| (*source).to_owned()).collect(),
        }
    }
}
