//! What a fact is about: the case that it belongs to, the sets of names that it speaks of, and whether it is of the watch alone.

use super::Body;
use crate::check::{CheckAttested, Verification};
use crate::digest::Digest;
use crate::id::CaseId;

impl Body {
    /// The sets of names that it speaks of by digest.
    pub fn name_sets(&self) -> Vec<&Digest> {
        match self {
            Self::OrderListed { names, .. } => vec![names],
            Self::VerificationMade(made) => made.undelegated.iter().map(|set| &set.names).collect(),
            Self::AmendmentProposed { amendment, .. } => amendment.name_sets().collect(),
            _ => Vec::new(),
        }
    }

    /// The case of which it changes what may be told. Whoever adds a fact decides here whether it has one: what is not
    /// a sealed case's may be shown to the public.
    pub fn case(&self) -> Option<&CaseId> {
        match self {
            Self::CaseOpened { case, .. } => Some(&case.id),
            Self::CaseAdvanced { case, .. }
            | Self::OrderListed { case, .. }
            | Self::OrderPutInForce { case, .. }
            | Self::OrderUnsealed { case, .. }
            | Self::OrderVacated { case, .. }
            | Self::OrderLapsed { case, .. }
            | Self::NamesServed { case, .. }
            | Self::ServiceNarrowed { case, .. }
            | Self::RecordsCaptured { case, .. }
            | Self::SeizureMoved { case, .. }
            | Self::HoldPlaced { case, .. }
            | Self::HoldReleased { case, .. }
            | Self::MemberAdded { case, .. }
            | Self::MemberRemoved { case, .. }
            | Self::PaperFiled { case, .. }
            | Self::NarrowingConfirmed { case, .. }
            | Self::DateProposed { case, .. }
            | Self::DateConfirmed { case, .. }
            | Self::AlarmRaised { case, .. }
            | Self::AlarmAcknowledged { case, .. }
            | Self::AlarmCleared { case, .. }
            | Self::ObservationsTaken { case, .. }
            | Self::CertificatesTaken { case, .. }
            | Self::PostMortemHeld { case, .. }
            | Self::AppendixCompiled { case, .. }
            | Self::Dispatched { case, .. }
            | Self::Acknowledged { case, .. }
            | Self::EvidenceKept { case, .. }
            | Self::EvidenceStamped { case, .. }
            | Self::ReportMade { case, .. }
            | Self::ReportSent { case, .. }
            | Self::ReportAcknowledged { case, .. }
            | Self::ReportEscalated { case, .. }
            | Self::FolderLeft { case, .. }
            | Self::NamesReturned { case, .. }
            | Self::ReversePlanSent { case, .. }
            | Self::ReversePlanAnswered { case, .. }
            | Self::CustodySeen { case, .. }
            | Self::AmendmentProposed { case, .. }
            | Self::OrderAmended { case, .. }
            | Self::AmendmentWithdrawn { case, .. }
            | Self::ObjectionNoted { case, .. }
            | Self::IndicatorLearned { case, .. } => Some(case),
            Self::GateRun { run } => Some(&run.case),
            Self::GateDecided { decided } => Some(&decided.case),
            Self::VerificationMade(Verification { case, .. }) | Self::CheckAttested(CheckAttested { case, .. }) => {
                Some(case)
            }
            Self::Purged { case, .. } => case.as_ref(),
            Self::ApprovalRequested { .. }
            | Self::ApprovalGiven { .. }
            | Self::ApprovalVoided { .. }
            | Self::Started { .. }
            | Self::ConfigApplied { .. }
            | Self::PersonEnrolled { .. }
            | Self::TokenIssued { .. }
            | Self::TokenRevoked { .. }
            | Self::FirstTokenMade { .. }
            | Self::FirstTokenSpent { .. }
            | Self::KnowledgeImported { .. }
            | Self::SuspectFound { .. }
            | Self::HistoryReplayed { .. }
            | Self::VerdictsRetired { .. }
            | Self::FeedExported { .. }
            | Self::EnrolmentOffered { .. }
            | Self::SensorEnrolled { .. }
            | Self::SensorRevoked { .. }
            | Self::SensorContradicted { .. }
            | Self::SegmentsLost { .. }
            | Self::BackupTaken { .. }
            | Self::Restored { .. }
            | Self::JournalPurged { .. }
            | Self::Refused { .. } => None,
        }
    }

    /// Whether it is about the watch over a case, or a folder of it, alone: it is the case's, and changes nothing of what
    /// feeds tell, unless it is an alarm about who holds a name.
    pub fn is_watch(&self) -> bool {
        matches!(
            self,
            Self::NarrowingConfirmed { .. }
                | Self::DateProposed { .. }
                | Self::DateConfirmed { .. }
                | Self::AlarmRaised { .. }
                | Self::AlarmAcknowledged { .. }
                | Self::AlarmCleared { .. }
                | Self::ObservationsTaken { .. }
                | Self::CertificatesTaken { .. }
                | Self::PostMortemHeld { .. }
                | Self::FolderLeft { .. }
                | Self::ReversePlanSent { .. }
                | Self::ReversePlanAnswered { .. }
        )
    }
}
