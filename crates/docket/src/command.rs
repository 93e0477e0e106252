//! What somebody may ask the docket to do.
//!
//! A command says what is wanted; whether the law allows it is [`crate::decide`]'s to say. Commands carry values that
//! have been parsed at the door, never text to be understood later.

use std::collections::BTreeSet;

use model::case::CaseState;
use model::check::{Check, Verdict};
use model::due::Rule;
use model::execution::{Acknowledgement, Compilation, Dispatch};
use model::fact::KnowledgeFormat;
use model::gate::{GateRun, WarningChoice, WarningKind};
use model::id::{CaseId, GroupId, OrderId, PersonId, Position, RequestId, SensorId, SensorName, TokenName};
use model::leaving::Leaving;
use model::marking::Audience;
use model::moment::PaperTime;
use model::name::{DomainName, defang};
use model::notification::{ReportState, Sending};
use model::paper::PaperKind;
use model::person::{Person, Role};
use model::returning::{PlanStep, Return};
use model::seizure::ServiceMode;
use model::token::ApiToken;
use model::{Digest, Timestamp};

use crate::casefile::CaseFile;
use crate::casefile::amend::AmendmentFile;
use crate::custody::Taking;
use crate::custody::certificates::Certificate;
use crate::evidence::{ExhibitDraft, ReportDraft};
use crate::shown::counted;
use crate::verify::NameReport;

/// One wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Opens a case from its file. `text` goes to the vault as it is.
    ImportCase {
        file: Box<CaseFile>,
        text: String,
    },
    EnrolPerson {
        person: Person,
    },
    /// Asks two people: once to put each order of the case in force, once to serve its names.
    RequestApproval {
        case: CaseId,
    },
    /// Asks two people to lift the seal of each order of the case that is sealed still.
    RequestUnsealing {
        case: CaseId,
    },
    /// One person's yes to what was shown, in one role.
    GiveApproval {
        request: RequestId,
        role: Role,
        shown: Digest,
    },
    AdvanceCase {
        case: CaseId,
        to: CaseState,
        /// Papers on file that the step rests on.
        documents: Vec<Digest>,
    },
    /// Changes an order as a later paper says. `text` goes to the vault as it is.
    AmendOrder {
        case: CaseId,
        file: Box<AmendmentFile>,
        text: String,
    },
    /// Counsel says what the court's monitor said of the names that shall come into an order.
    NoteObjection {
        case: CaseId,
        order: OrderId,
        objected: bool,
        note: String,
    },
    /// Takes back an amendment that has no effect yet.
    WithdrawAmendment {
        case: CaseId,
        order: OrderId,
        reason: String,
    },
    /// Puts a paper of the case on file. `octets` go to the vault as they are.
    FilePaper {
        case: CaseId,
        kind: PaperKind,
        octets: Vec<u8>,
    },
    /// Does less with the traffic of some names; no names means all that are served.
    NarrowService {
        case: CaseId,
        names: Vec<DomainName>,
        mode: ServiceMode,
        reason: String,
        /// Kill switches among them may fall silent.
        disarm: bool,
    },
    /// Keeps the owner's records of a name, to answer with while it is handed back. `octets` go to the vault as they
    /// are; `count` of the records in them are served.
    CaptureRecords {
        case: CaseId,
        name: DomainName,
        source: String,
        octets: Vec<u8>,
        count: u64,
    },
    /// Takes in somebody else's knowledge of a group. `octets` go to the vault as they are.
    ImportKnowledge {
        group: GroupId,
        format: KnowledgeFormat,
        source: String,
        octets: Vec<u8>,
        objects: u64,
    },
    /// Offers to whoever shows the token of this digest in time to become a sensor.
    OfferEnrolment {
        name: SensorName,
        token: Digest,
        expires: Timestamp,
    },
    /// Ends the token that waits for the sensor of that name.
    WithdrawOffer {
        name: SensorName,
    },
    /// Takes whoever has shown the token, with the certificate that was made for it.
    EnrolSensor {
        token: Digest,
        certificate: Digest,
    },
    /// Takes nothing more from a sensor, and tells it nothing.
    RevokeSensor {
        sensor: SensorId,
        reason: String,
    },
    /// Remembers what left the house.
    RecordExport {
        case: CaseId,
        order: Option<OrderId>,
        format: String,
        audience: Audience,
        digest: Digest,
        octets: u64,
    },
    /// Has nothing of the case purged from now on: one person, at once.
    PlaceHold {
        case: CaseId,
        reason: String,
    },
    /// Asks two people to end the hold that was placed at that position.
    RequestRelease {
        case: CaseId,
        hold: Position,
    },
    /// Remembers that a copy of the memory was taken.
    RecordBackup {
        backup: Digest,
        facts: Position,
        files: u64,
        octets: u64,
    },
    /// Makes a token for a program, for whoever asks.
    IssueToken {
        token: ApiToken,
    },
    RevokeToken {
        person: PersonId,
        token: TokenName,
    },
    /// The program's own: a one-time token for the first admin.
    MakeFirstToken {
        token: Digest,
    },
    /// Enrols the first admin, by the one-time token of that digest.
    EnrolFirst {
        person: Person,
        first: Digest,
    },
    /// Puts somebody on a case.
    AddMember {
        case: CaseId,
        person: PersonId,
    },
    RemoveMember {
        case: CaseId,
        person: PersonId,
    },
    /// Remembers what the harm gate found over a case. `report` goes to the vault as it is.
    RecordGate {
        run: Box<GateRun>,
        report: Vec<u8>,
    },
    /// Counsel decides warnings of one kind; no names means all that are not decided.
    DecideWarnings {
        case: CaseId,
        /// The run that was read: what a later one found is not decided with it.
        run: Position,
        kind: WarningKind,
        names: BTreeSet<DomainName>,
        choice: WarningChoice,
        reason: String,
    },
    /// Records a pass of verification over an order's names. `octets` go to the vault as they are.
    RecordVerification {
        case: CaseId,
        order: OrderId,
        /// All that is known of the order's names.
        reports: Vec<NameReport>,
        /// The names of this pass; none where a person attests, and nobody looked.
        looked: BTreeSet<DomainName>,
        /// The name that a person answers for.
        attested: Option<DomainName>,
        octets: Vec<u8>,
    },
    /// Answers for a check that nobody can see, by a document, which goes to the vault.
    AttestCheck {
        case: CaseId,
        name: DomainName,
        check: Check,
        /// What the last look came to.
        last: Option<Verdict>,
        octets: Vec<u8>,
    },
    /// What the clock brings about: lapses, and alarms.
    KeepWatch,
    /// A second person has looked at what one narrowed; no narrowing means all of the case that wait.
    ConfirmNarrowing {
        case: CaseId,
        narrowing: Option<Position>,
        note: Option<String>,
    },
    /// Counts a date by a rule, for counsel to confirm.
    ProposeDate {
        case: CaseId,
        order: OrderId,
        what: String,
        by: Rule,
    },
    /// Counsel's word on a date that was counted; without a date, the rule's.
    ConfirmDate {
        case: CaseId,
        order: OrderId,
        what: String,
        date: Option<PaperTime>,
        note: Option<String>,
    },
    AcknowledgeAlarm {
        alarm: Position,
        note: String,
    },
    /// Takes what was seen of names of a case. `octets` go to the vault as they are.
    TakeObservations {
        taking: Box<Taking>,
        octets: Vec<u8>,
    },
    /// Takes an answer of certificate transparency, read already. `octets` go to the vault as they are.
    TakeCertificates {
        case: CaseId,
        certificates: Vec<Certificate>,
        octets: Vec<u8>,
    },
    /// Somebody has looked back. `octets` is the report, which goes to the vault.
    HoldPostMortem {
        case: CaseId,
        days: u16,
        octets: Vec<u8>,
    },
    /// Remembers an appendix that was written.
    RecordAppendix {
        case: CaseId,
        appendix: Compilation,
    },
    /// Says that an actor was sent their share: `names` are all of it.
    Dispatch {
        case: CaseId,
        dispatch: Dispatch,
        names: Vec<DomainName>,
    },
    /// Says that an actor answered.
    Acknowledge {
        case: CaseId,
        answer: Acknowledgement,
        names: Vec<DomainName>,
    },
    /// Keeps a file as evidence; `octets` go to the vault as they are.
    KeepExhibit {
        case: CaseId,
        exhibit: Box<ExhibitDraft>,
        octets: Vec<u8>,
    },
    /// Keeps a time-stamping authority's answer beside an exhibit.
    StampExhibit {
        case: CaseId,
        exhibit: u32,
        authority: String,
        octets: Vec<u8>,
    },
    /// Writes a report to a provider; nothing is sent by it.
    MakeReport {
        case: CaseId,
        report: Box<ReportDraft>,
        letter: String,
        xarf: String,
    },
    /// Remembers that a report went out.
    NoteSending {
        case: CaseId,
        report: u32,
        sending: Sending,
        message: Option<Vec<u8>>,
    },
    /// Remembers what came back.
    NoteAnswer {
        case: CaseId,
        report: u32,
        to: ReportState,
        note: String,
        exhibit: Option<u32>,
    },
    /// Remembers a folder that leaves the house.
    RecordLeaving {
        case: CaseId,
        folder: Leaving,
    },
    /// Puts on file what was written about names that went back; `files` go to the vault as they are.
    RecordReturn {
        case: CaseId,
        returned: Box<Return>,
        files: Vec<Vec<u8>>,
    },
    /// Says that a reverse plan was sent, or, with what they said, answered.
    StepReversePlan {
        case: CaseId,
        step: PlanStep,
    },
    /// Remembers a refusal that was made before the docket was asked: no token, no such thing.
    Refuse {
        tried: String,
        why: String,
    },
}

impl Command {
    /// Whether only a person can do it, by token: the user of the machine cannot, root or not.
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::GiveApproval { .. }
                | Self::AdvanceCase { .. }
                | Self::AmendOrder { .. }
                | Self::NoteObjection { .. }
                | Self::WithdrawAmendment { .. }
                | Self::FilePaper { .. }
                | Self::NarrowService { .. }
                | Self::CaptureRecords { .. }
                | Self::PlaceHold { .. }
                | Self::RemoveMember { .. }
                | Self::DecideWarnings { .. }
                | Self::AttestCheck { .. }
                | Self::ConfirmNarrowing { .. }
                | Self::ConfirmDate { .. }
                | Self::AcknowledgeAlarm { .. }
                | Self::HoldPostMortem { .. }
                | Self::Dispatch { .. }
                | Self::Acknowledge { .. }
                | Self::KeepExhibit { .. }
                | Self::StampExhibit { .. }
                | Self::MakeReport { .. }
                | Self::NoteSending { .. }
                | Self::NoteAnswer { .. }
                | Self::RecordReturn { .. }
                | Self::StepReversePlan { .. }
                | Self::IssueToken { .. }
                | Self::RevokeToken { .. }
        )
    }

    /// The case that has to be there for whoever asks. Whoever adds a command says it here: a sealed case is not there
    /// for a person who is not on it.
    pub fn case(&self) -> Option<&CaseId> {
        match self {
            Self::RequestApproval { case }
            | Self::RequestUnsealing { case }
            | Self::AdvanceCase { case, .. }
            | Self::AmendOrder { case, .. }
            | Self::NoteObjection { case, .. }
            | Self::WithdrawAmendment { case, .. }
            | Self::FilePaper { case, .. }
            | Self::NarrowService { case, .. }
            | Self::CaptureRecords { case, .. }
            | Self::RecordExport { case, .. }
            | Self::PlaceHold { case, .. }
            | Self::RequestRelease { case, .. }
            | Self::AddMember { case, .. }
            | Self::RemoveMember { case, .. }
            | Self::DecideWarnings { case, .. }
            | Self::RecordVerification { case, .. }
            | Self::AttestCheck { case, .. }
            | Self::ConfirmNarrowing { case, .. }
            | Self::ProposeDate { case, .. }
            | Self::ConfirmDate { case, .. }
            | Self::TakeCertificates { case, .. }
            | Self::HoldPostMortem { case, .. }
            | Self::RecordAppendix { case, .. }
            | Self::Dispatch { case, .. }
            | Self::Acknowledge { case, .. }
            | Self::KeepExhibit { case, .. }
            | Self::StampExhibit { case, .. }
            | Self::MakeReport { case, .. }
            | Self::NoteSending { case, .. }
            | Self::RecordReturn { case, .. }
            | Self::StepReversePlan { case, .. }
            | Self::RecordLeaving { case, .. }
            | Self::NoteAnswer { case, .. } => Some(case),
            Self::RecordGate { run, .. } => Some(&run.case),
            Self::TakeObservations { taking, .. } => Some(&taking.case),
            Self::ImportCase { .. }
            | Self::EnrolPerson { .. }
            | Self::IssueToken { .. }
            | Self::RevokeToken { .. }
            | Self::MakeFirstToken { .. }
            | Self::EnrolFirst { .. }
            | Self::GiveApproval { .. }
            | Self::ImportKnowledge { .. }
            | Self::OfferEnrolment { .. }
            | Self::WithdrawOffer { .. }
            | Self::EnrolSensor { .. }
            | Self::RevokeSensor { .. }
            | Self::RecordBackup { .. }
            | Self::KeepWatch
            | Self::AcknowledgeAlarm { .. }
            | Self::Refuse { .. } => None,
        }
    }

    /// What was tried, in a few words: refusals are recorded under it.
    pub fn tried(&self) -> String {
        match self {
            Self::ImportCase { file, .. } => format!("import case {}", file.terms.id),
            Self::EnrolPerson { person } => format!("enrol {}", person.id),
            Self::RequestApproval { case } => format!("ask for approval of case {case}"),
            Self::RequestUnsealing { case } => format!("ask for the unsealing of case {case}"),
            Self::GiveApproval { request, role, .. } => format!("approve request {request} as {role}"),
            Self::AmendOrder { case, file, .. } => format!("amend order {} of case {case}", file.order),
            Self::NoteObjection { case, order, .. } => {
                format!("note what the monitor said of order {order} of case {case}")
            }
            Self::WithdrawAmendment { case, order, .. } => {
                format!("withdraw the amendment of order {order} of case {case}")
            }
            Self::FilePaper { case, kind, .. } => format!("file a {kind} in case {case}"),
            Self::AdvanceCase { case, to, .. } => format!("advance case {case} to {to:?}").to_lowercase(),
            Self::NarrowService { case, names, mode, .. } => narrowing(case, names, *mode),
            Self::CaptureRecords { case, name, .. } => {
                format!("capture the records of {} of case {case}", name.defanged())
            }
            Self::ImportKnowledge { group, source, .. } => format!("import knowledge of {group} from {source}"),
            Self::OfferEnrolment { name, .. } => format!("offer {name} to become a sensor"),
            Self::WithdrawOffer { name } => format!("withdraw the token for sensor {name}"),
            Self::EnrolSensor { token, .. } => format!("enrol a sensor by the token {}", token.short()),
            Self::RevokeSensor { sensor, .. } => format!("revoke sensor {sensor}"),
            Self::RecordLeaving { case, folder } => {
                format!("take a {} folder of case {case} out", folder.what.as_str())
            }
            Self::RecordExport { case, format, .. } => format!("record an export of case {case} as {format}"),
            Self::PlaceHold { case, .. } => format!("place a legal hold on case {case}"),
            Self::RequestRelease { case, hold } => format!("ask for the release of hold {hold} on case {case}"),
            Self::RecordBackup { backup, .. } => format!("record the backup {}", backup.short()),
            Self::IssueToken { token } => format!("make the token {} of {}", token.name, token.person),
            Self::RevokeToken { person, token } => format!("revoke the token {token} of {person}"),
            Self::MakeFirstToken { .. } => "make a one-time token".to_owned(),
            Self::EnrolFirst { person, .. } => format!("enrol {} as the first admin", person.id),
            Self::AddMember { case, person } => format!("put {person} on case {case}"),
            Self::RemoveMember { case, person } => format!("take {person} off case {case}"),
            Self::RecordGate { .. } | Self::DecideWarnings { .. } => {
                crate::decide::gate::tried(self).unwrap_or_default()
            }
            Self::RecordVerification { case, order, .. } => {
                format!("record a verification of order {order} of case {case}")
            }
            Self::AttestCheck { case, name, check, .. } => {
                format!("attest {check} of {} of case {case}", name.defanged())
            }
            Self::KeepWatch => "keep the watch".into(),
            Self::ConfirmNarrowing { case, .. } => format!("confirm what was narrowed in case {case}"),
            Self::ProposeDate { case, order, what, .. } => {
                format!("propose the date {what} of order {order}, case {case}")
            }
            Self::ConfirmDate { case, order, what, .. } => {
                format!("confirm the date {what} of order {order}, case {case}")
            }
            Self::AcknowledgeAlarm { alarm, .. } => format!("acknowledge alarm {alarm}"),
            Self::TakeObservations { taking, .. } => format!("take observations of case {}", taking.case),
            Self::TakeCertificates { case, .. } => format!("take certificates of case {case}"),
            Self::HoldPostMortem { case, days, .. } => format!("look back on case {case} after {days} days"),
            Self::RecordAppendix { case, .. } => format!("record the appendix of case {case}"),
            Self::Dispatch { case, dispatch, .. } => format!("say what {} of case {case} was sent", dispatch.actor),
            Self::Acknowledge { case, answer, .. } => format!("say what {} of case {case} answered", answer.actor),
            Self::KeepExhibit { case, exhibit, .. } => {
                format!("keep a {} as evidence of case {case}", exhibit.kind.as_str())
            }
            Self::StampExhibit { case, exhibit, .. } => format!("time-stamp exhibit {exhibit} of case {case}"),
            Self::MakeReport { case, report, .. } => {
                format!("report {} of case {case} to its {}", report.name.defanged(), report.to.as_str())
            }
            Self::NoteSending { case, report, .. } => format!("note that report {report} of case {case} was sent"),
            Self::NoteAnswer { case, report, to, .. } => {
                format!("note that report {report} of case {case} is {}", to.as_str())
            }
            Self::RecordReturn { case, returned, .. } => {
                format!("put the return of {} of case {case} on file", counted(returned.names.len()))
            }
            Self::StepReversePlan { case, step } => format!("say how far {} of case {case} has undone it", step.actor),
            Self::Refuse { tried, .. } => tried.clone(),
        }
    }
}

fn narrowing(case: &CaseId, names: &[DomainName], mode: ServiceMode) -> String {
    match names {
        [] => format!("{} all names of case {case}", mode.as_str()),
        [one] => format!("{} {} of case {case}", mode.as_str(), defang(one.as_str())),
        many => format!("{} {} of case {case}", mode.as_str(), counted(many.len())),
    }
}
