//! How much of the ledger an export shows, and to whom: decided here, once, fact by fact.
//!
//! | profile | whole, with its salt                                                     | its kind alone            |
//! |---------|--------------------------------------------------------------------------|---------------------------|
//! | public  | nothing                                                                  | all but of sealed cases   |
//! | partner | facts of unsealed cases up to AMBER; of indicators those that may be shared | all but of sealed cases |
//! | court   | all facts of one case, sealed or not                                     | nothing                   |
//!
//! A fact is shown whole or not at all, because its commitment is over the whole. Whatever is not shown keeps its place
//! and its proof. Facts that belong to no case (people, configurations, refusals, suspects) are never shown whole: they
//! speak of whom they please.

use model::Timestamp;
use model::approval::Approvals;
use model::fact::{Body, Fact};
use model::id::{CaseId, RequestId};
use model::marking::Tlp;
use model::order::Act;
use store::View;
use store::view::CaseView;

use crate::gather::is_sealed;

/// For whom an export is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Profile {
    Public,
    Partner,
    Court(CaseId),
}

impl Profile {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Partner => "partner",
            Self::Court(_) => "court",
        }
    }
}

/// How much is shown of a fact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Showing {
    Whole,
    Kind,
    /// Nothing but its commitment in the tree.
    Nothing,
}

/// How much of a fact the profile shows. The view is that of all facts: what is sealed now, was sealed then.
pub fn showing(view: &View, fact: &Fact, profile: &Profile, now: Timestamp) -> Showing {
    let case = case_of(&fact.body, &view.approvals);
    if let Profile::Court(of) = profile {
        return if case == Some(of) { Showing::Whole } else { Showing::Nothing };
    }
    let Some(id) = case else { return Showing::Kind };
    match view.cases.get(id) {
        // A case that the law never took in: nobody can say whether it is sealed.
        None => Showing::Nothing,
        Some(case) if is_sealed(case, now) => Showing::Nothing,
        Some(case) if *profile == Profile::Partner && is_for_partners(case, &fact.body) => Showing::Whole,
        Some(_) => Showing::Kind,
    }
}

fn is_for_partners(case: &CaseView, body: &Body) -> bool {
    let may_share = |apex| case.orders.values().any(|order| order.covers(apex, Act::Share).is_some());
    let is_shareable = match body {
        Body::IndicatorLearned { indicator, .. } => may_share(&indicator.apex),
        _ => true,
    };
    case.terms.tlp.0 <= Tlp::Amber && is_shareable
}

/// The case that a fact is about: an approval is about its request's.
fn case_of<'a>(body: &'a Body, approvals: &'a Approvals) -> Option<&'a CaseId> {
    let asked = |id: &RequestId| {
        let standing = approvals.iter().find(|standing| standing.request.id == *id);
        standing.map(|standing| &standing.request.case)
    };
    match body {
        Body::ApprovalRequested { request } => Some(&request.case),
        Body::ApprovalGiven { approval } => asked(&approval.request),
        Body::ApprovalVoided { request, .. } => asked(request),
        other => other.case(),
    }
}
