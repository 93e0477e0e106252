//! The zones that a sinkhole answers for, each made from the proof that an order covers answering.
//!
//! There is no way to a [`Zone`] but [`Zone::new`], which takes a [`Coverage`] for [`Act::Answer`], and no way to
//! that but an order in force, here or at the core that signed a sensor's [lease](crate::lease). A name that is merely listed, or whose order was vacated, has no zone: the sinkhole
//! refuses it like any other name of the world.

use std::sync::Arc;

use model::answers::AnswerSet;
use model::case::{AnswerPolicy, CaseTerms, NoticeTerms};
use model::order::{Act, Coverage, OrderTerms};
use model::seizure::{AnswerEffect, ServiceMode};
use model::time::Date;
use model::{Digest, DomainName, Refusal};

mod catalog;
pub(crate) mod history;
mod named;
pub(crate) mod packed;

pub use catalog::catalog;
pub use history::{DIFFERENCE_RECORDS_MAX, DIFFERENCES_MAX};
pub use named::{Difference, NamedZone, Published, Record};

//----------- Zone -------------------------------------------------------------------------------------------------

/// One seized name, as it is to be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    coverage: Coverage,
    mode: ServiceMode,
    terms: Arc<ZoneTerms>,
    /// Few zones have one at a time: a pointer each is what it may cost the others.
    captured: Option<Box<Digest>>,
}

/// What the zones of one order have in common.
#[derive(Debug, PartialEq)]
pub(crate) struct ZoneTerms {
    pub(crate) case_title: String,
    pub(crate) contact: String,
    pub(crate) issuer: String,
    pub(crate) docket_number: Option<String>,
    pub(crate) answer_policy: AnswerPolicy,
    pub(crate) notice: NoticeTerms,
    pub(crate) name_servers: Vec<DomainName>,
    pub(crate) answers: Option<AnswerSet>,
    pub(crate) sealed_until: Option<Date>,
}

impl ZoneTerms {
    pub(crate) fn new(terms: &CaseTerms, order: &OrderTerms, sealed_until: Option<Date>) -> Arc<Self> {
        Arc::new(Self {
            case_title: terms.title.clone(),
            contact: terms.contact.clone(),
            issuer: order.authority.issuer.value.clone(),
            docket_number: order.authority.docket_number.as_ref().map(|number| number.value.clone()),
            answer_policy: terms.answer,
            notice: terms.notice.clone(),
            name_servers: order.name_servers.clone(),
            answers: order.answers.as_ref().or(terms.answers.as_ref()).cloned(),
            sealed_until,
        })
    }
}

impl Zone {
    /// Sealed until the day that the order itself names.
    ///
    /// # Errors
    /// If the coverage is not for [`Act::Answer`], or is another order's or another case's.
    pub fn new(coverage: Coverage, mode: ServiceMode, terms: &CaseTerms, order: &OrderTerms) -> Result<Self, Refusal> {
        if *coverage.case() != terms.id || *coverage.order() != order.id {
            return Err(Refusal::new(format!("{} is covered by another order", coverage.apex().defanged())));
        }
        let sealed_until = order.authority.sealed_until.as_ref().map(|until| until.value);
        Self::sharing(coverage, mode, &ZoneTerms::new(terms, order, sealed_until))
    }

    pub(crate) fn sharing(coverage: Coverage, mode: ServiceMode, terms: &Arc<ZoneTerms>) -> Result<Self, Refusal> {
        if coverage.act() != Act::Answer {
            let name = coverage.apex().defanged();
            return Err(Refusal::new(format!("to {} is not to answer for {name}", coverage.act().as_str())));
        }
        Ok(Self { coverage, mode, terms: Arc::clone(terms), captured: None })
    }

    /// The zone with the owner's records, by the digest of the file that holds them. They are served in `handback`.
    pub fn with_captured(mut self, file: Option<Digest>) -> Self {
        self.captured = file.map(Box::new);
        self
    }

    pub fn captured(&self) -> Option<&Digest> {
        self.captured.as_deref()
    }

    /// What an answer may set off at the caller.
    pub fn answer_effect(&self) -> AnswerEffect {
        self.coverage.answer_effect()
    }

    /// What its order, or else its case, answers with; without either the operator's configuration speaks.
    pub fn answers(&self) -> Option<&AnswerSet> {
        self.terms.answers.as_ref()
    }

    pub fn apex(&self) -> &DomainName {
        self.coverage.apex()
    }

    pub(crate) fn terms(&self) -> &ZoneTerms {
        &self.terms
    }

    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    pub fn mode(&self) -> ServiceMode {
        self.mode
    }

    /// Whether both have their terms from one place: then they say the same of everything but the name.
    pub fn shares_terms(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.terms, &other.terms)
    }

    /// Whether both say the same of everything but the name, wherever their terms stand.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.shares_terms(other) || self.terms == other.terms
    }

    /// The name servers that the order names.
    pub fn name_servers(&self) -> &[DomainName] {
        &self.terms.name_servers
    }

    pub fn case_title(&self) -> &str {
        &self.terms.case_title
    }

    pub fn contact(&self) -> &str {
        &self.terms.contact
    }

    /// The court or office that allowed it. While the order is sealed nobody outside learns of it.
    pub fn issuer(&self) -> &str {
        &self.terms.issuer
    }

    /// The court's number of the case, under the same seal.
    pub fn docket_number(&self) -> Option<&str> {
        self.terms.docket_number.as_deref()
    }

    pub fn answer_policy(&self) -> AnswerPolicy {
        self.terms.answer_policy
    }

    /// What the case says of its notice page.
    pub fn notice(&self) -> &NoticeTerms {
        &self.terms.notice
    }

    /// Whether on that day nothing that is shown may name the court or the case.
    pub fn is_sealed(&self, on: Date) -> bool {
        self.terms.sealed_until.is_some_and(|until| on < until)
    }
}

//----------- ZoneSet ----------------------------------------------------------------------------------------------

/// Every zone at one position of the ledger, in order of name within case and order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZoneSet {
    /// The SOA serial: the ledger's next position, so a set with more facts behind it has the larger serial.
    pub serial: u32,
    pub zones: Vec<Zone>,
}
