//! What a case keeps as evidence, and whom it was reported to: the view's side.

use model::evidence::{Exhibit, Stamp};
use model::fact::{Actor, Fact};
use model::id::Position;
use model::notification::{ReportState, ReportTerms, Sending};
use model::{Refusal, Timestamp};

use super::CaseView;

/// All exhibits and reports of a case, by number: number 1 is the first.
#[derive(Clone, Debug, Default)]
pub struct EvidenceView {
    pub exhibits: Vec<ExhibitView>,
    pub reports: Vec<ReportView>,
}

/// One exhibit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExhibitView {
    pub exhibit: Exhibit,
    /// Who kept it.
    pub by: Actor,
    pub added: Timestamp,
    /// The fact that says so.
    pub at: Position,
    /// The first token counts; a later one does not take its place.
    pub stamp: Option<Stamp>,
}

/// One report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportView {
    pub terms: ReportTerms,
    pub state: ReportState,
    pub by: Actor,
    pub made: Timestamp,
    /// How it went out last.
    pub sending: Option<Sending>,
    pub answers: Vec<AnswerView>,
    /// The report that goes on from it.
    pub escalated: Option<u32>,
}

/// What came back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AnswerView {
    pub to: ReportState,
    pub note: String,
    pub exhibit: Option<u32>,
    pub noted: Timestamp,
}

impl EvidenceView {
    pub fn exhibit(&self, number: u32) -> Option<&ExhibitView> {
        self.exhibits.get(number.checked_sub(1)? as usize)
    }

    pub fn report(&self, number: u32) -> Option<&ReportView> {
        self.reports.get(number.checked_sub(1)? as usize)
    }
}

/// The number that the next of so many gets.
pub fn next_number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1)
}

//----------- By fact ----------------------------------------------------------------------------------------------

impl CaseView {
    pub(super) fn keep_exhibit(&mut self, exhibit: &Exhibit, fact: &Fact) -> Result<(), Refusal> {
        self.check_number("exhibit", exhibit.number, self.evidence.exhibits.len())?;
        let (exhibit, by, added, at) = (exhibit.clone(), fact.actor.clone(), fact.time, fact.position);
        self.evidence.exhibits.push(ExhibitView { exhibit, by, added, at, stamp: None });
        Ok(())
    }

    pub(super) fn stamp_exhibit(&mut self, number: u32, stamp: &Stamp) -> Result<(), Refusal> {
        let missing = || Refusal::new(format!("case {} has no exhibit {number}", self.terms.id));
        let place = number.checked_sub(1).ok_or_else(missing)? as usize;
        let exhibit = self.evidence.exhibits.get_mut(place).ok_or_else(missing)?;
        exhibit.stamp.get_or_insert_with(|| stamp.clone());
        Ok(())
    }

    pub(super) fn make_report(&mut self, terms: &ReportTerms, fact: &Fact) -> Result<(), Refusal> {
        self.check_number("report", terms.number, self.evidence.reports.len())?;
        let (terms, state, by, made) = (terms.clone(), ReportState::Queued, fact.actor.clone(), fact.time);
        let (sending, answers, escalated) = (None, Vec::new(), None);
        self.evidence.reports.push(ReportView { terms, state, by, made, sending, answers, escalated });
        Ok(())
    }

    pub(super) fn send_report(&mut self, number: u32, sending: &Sending) -> Result<(), Refusal> {
        let report = self.report_mut(number)?;
        report.state = report.state.apply(ReportState::Sent)?;
        report.sending = Some(sending.clone());
        Ok(())
    }

    pub(super) fn answer_report(&mut self, number: u32, answer: AnswerView) -> Result<(), Refusal> {
        let report = self.report_mut(number)?;
        report.state = report.state.apply(answer.to)?;
        report.answers.push(answer);
        Ok(())
    }

    pub(super) fn escalate_report(&mut self, number: u32, by: u32) -> Result<(), Refusal> {
        let report = self.report_mut(number)?;
        report.state = report.state.apply(ReportState::Escalated)?;
        report.escalated = Some(by);
        Ok(())
    }

    fn report_mut(&mut self, number: u32) -> Result<&mut ReportView, Refusal> {
        let missing = Refusal::new(format!("case {} has no report {number}", self.terms.id));
        let place = number.checked_sub(1).map(|place| place as usize);
        place.and_then(|place| self.evidence.reports.get_mut(place)).ok_or(missing)
    }

    /// Numbers are dense, and none is given twice.
    fn check_number(&self, what: &str, number: u32, count: usize) -> Result<(), Refusal> {
        let next = next_number(count);
        if number == next {
            return Ok(());
        }
        Err(Refusal::new(format!("the next {what} of case {} is {next}, and not {number}", self.terms.id)))
    }
}
