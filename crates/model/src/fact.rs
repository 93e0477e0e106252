//! What somebody did, or what became known: the law's memory.
//!
//! A fact is appended, never changed. State is a fold of facts. It holds no personal data of callers, only ids,
//! counts and digests, and it speaks of a set where it can: a million names are one fact and one table load.
//!
//! The Merkle leaf of a fact is a *salted commitment*: SHA-256 over a prefix, 32 random bytes and the fact's canonical
//! JSON (RFC 8785). Whoever holds the body and the salt can check the leaf; whoever holds only the leaf can neither
//! read nor guess the body, so a body may be withheld or erased with the proof intact.

use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;
use crate::amendment::AmendmentTerms;
use crate::approval::{Approval, Request};
use crate::case::{CaseState, CaseTerms};
use crate::check::{CheckAttested, Verification};
use crate::digest::{Digest, canonical_json};
use crate::due::{DateConfirmation, DateProposal};
use crate::evidence::{Exhibit, Stamp};
use crate::execution::{Acknowledgement, Compilation, Dispatch};
use crate::gate::{GateDecided, GateRun};
use crate::id::{CaseId, GroupId, OrderId, PersonId, Position, RequestId, SensorName, TokenName};
use crate::leaving::Leaving;
use crate::marking::Audience;
use crate::name::DomainName;
use crate::notification::{ReportState, ReportTerms, Sending};
use crate::order::OrderTerms;
use crate::paper::Paper;
use crate::person::Person;
use crate::returning::{PlanStep, Return};
use crate::seizure::{Seizure, ServiceMode};
use crate::time::{Date, Timestamp};
use crate::token::ApiToken;

mod about;
mod parts;

pub use parts::{FileSet, Indicator, IndicatorKind, KnowledgeFormat, PurgedPart, RecordPart};

/// The version that this program writes. Older ones are read for ever; `tests/golden` holds one of each.
pub const FACT_VERSION: u16 = 1;

//----------- Fact -------------------------------------------------------------------------------------------------

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub version: u16,
    pub position: Position,
    pub actor: Actor,
    /// The order under which it was done, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<OrderId>,
    pub time: Timestamp,
    pub body: Body,
}

impl Fact {
    /// The leaf: what the Merkle log commits to.
    pub fn commitment(&self, salt: &[u8; 32]) -> Digest {
        Self::commitment_over(salt, &canonical_json(self))
    }

    /// The leaf of a fact whose canonical JSON is there already.
    pub fn commitment_over(salt: &[u8; 32], canonical: &[u8]) -> Digest {
        Digest::of_parts([b"bailiwick fact v1\0".as_slice(), salt, canonical])
    }
}

/// Who did it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Actor {
    /// A person, by token.
    Person { id: PersonId },
    /// Whoever sat at the machine, by the kernel's word: enough for what needs no person.
    LocalUser { uid: u32 },
    /// A room of the program itself.
    Room { name: String },
}

/// A fact that is yet to be appended: the ledger gives it its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub actor: Actor,
    pub authority: Option<OrderId>,
    pub body: Body,
}

impl Draft {
    pub fn new(actor: Actor, body: Body) -> Self {
        Self { actor, authority: None, body }
    }

    pub fn under(mut self, order: &OrderId) -> Self {
        self.authority = Some(order.clone());
        self
    }

    pub fn at(self, position: Position, time: Timestamp) -> Fact {
        let Self { actor, authority, body } = self;
        Fact { version: FACT_VERSION, position, actor, authority, time, body }
    }
}

//----------- Body -------------------------------------------------------------------------------------------------

/// Everything that may enter the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Body {
    /// The program started on this data folder.
    Started {
        sensor: u32,
        boot: u32,
        program: String,
    },
    /// A configuration was checked whole and taken.
    ConfigApplied {
        digest: Digest,
    },
    PersonEnrolled {
        person: Person,
    },
    CaseOpened {
        case: Box<CaseTerms>,
        file: Digest,
    },
    CaseAdvanced {
        case: CaseId,
        to: CaseState,
        /// The papers that came with the step.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        documents: Vec<Paper>,
    },
    /// An order with the digest and number of its names; the names are in the table `listed`.
    OrderListed {
        case: CaseId,
        order: Box<OrderTerms>,
        names: Digest,
        count: u64,
    },
    ApprovalRequested {
        request: Request,
    },
    ApprovalGiven {
        approval: Approval,
    },
    ApprovalVoided {
        request: RequestId,
        reason: String,
    },
    OrderPutInForce {
        case: CaseId,
        order: OrderId,
        request: RequestId,
    },
    OrderVacated {
        case: CaseId,
        order: OrderId,
        reason: String,
    },
    OrderLapsed {
        case: CaseId,
        order: OrderId,
    },
    /// What is shown may name court and case from now on, before the paper's own day.
    OrderUnsealed {
        case: CaseId,
        order: OrderId,
        request: RequestId,
    },
    /// The sinkhole answers for all names of the order whose outcome is `redirect`.
    NamesServed {
        case: CaseId,
        order: OrderId,
        names: Digest,
        count: u64,
        request: RequestId,
    },
    /// Fewer of other people's contacts: one person, at once.
    ServiceNarrowed {
        case: CaseId,
        names: Vec<DomainName>,
        mode: ServiceMode,
        reason: String,
    },
    /// The owner's records of a name, as they were before the seizure: the zone file lies in the vault, verbatim. The
    /// last such fact of a name counts.
    RecordsCaptured {
        case: CaseId,
        name: DomainName,
        /// Who captured them, from where.
        source: String,
        file: Digest,
        count: u64,
    },
    /// Names whose seizure state moved.
    SeizureMoved {
        case: CaseId,
        names: Vec<DomainName>,
        to: Seizure,
    },
    /// Somebody else's knowledge was taken in; the file lies in the vault, verbatim.
    KnowledgeImported {
        group: GroupId,
        format: KnowledgeFormat,
        source: String,
        file: Digest,
        objects: u64,
    },
    IndicatorLearned {
        case: CaseId,
        group: GroupId,
        indicator: Indicator,
    },
    SuspectFound {
        name: DomainName,
        score: u8,
        reasons: Vec<String>,
    },
    /// What was received in that window has verdicts of this generation beside those of before: they count from here on.
    HistoryReplayed {
        generation: String,
        since: Timestamp,
        until: Timestamp,
        verdicts: u64,
    },
    FeedExported {
        format: String,
        audience: Audience,
        digest: Digest,
        octets: u64,
    },
    /// Whoever shows the token of this digest before that instant becomes the sensor of this name.
    EnrolmentOffered {
        name: SensorName,
        token: Digest,
        expires: Timestamp,
    },
    /// A sensor has spent its token, and is known by its certificate from now on.
    SensorEnrolled {
        sensor: u32,
        name: SensorName,
        token: Digest,
        certificate: Digest,
    },
    /// Nothing more is taken from it, and nothing told to it.
    SensorRevoked {
        sensor: u32,
        reason: String,
    },
    /// A sensor sent what contradicts what it had sent before: the first stays. Two folders may have one identity.
    SensorContradicted {
        sensor: u32,
        /// `SENSOR/BOOT/LANE/SEGMENT`
        segment: String,
        /// What is kept; `None` where the boot, not the segment, is another folder's.
        kept: Option<Digest>,
        sent: Digest,
    },
    /// Segments of a lane that a sensor says it has lost: `from` to `until`, which is there again.
    SegmentsLost {
        sensor: u32,
        boot: u32,
        lane: u16,
        from: u32,
        until: u32,
    },
    /// A copy of the memory left this folder; what is purged from now on is still in it.
    BackupTaken {
        /// Of its manifest.
        backup: Digest,
        /// Facts from this position on are not in it.
        facts: Position,
        files: u64,
        octets: u64,
    },
    /// Records of one case and one day were destroyed, or cut; who they were about stands nowhere.
    Purged {
        /// `None`: of no case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        /// The UTC day on which they were received.
        day: Date,
        parts: Vec<PurgedPart>,
        /// The files that held them, and those that took their place.
        before: FileSet,
        after: FileSet,
    },
    /// Segments of the journal were destroyed, after all that they hold was archived.
    JournalPurged {
        /// Whatever was received before this UTC day.
        before: Date,
        segments: FileSet,
    },
    /// Nothing of the case is purged from now on.
    HoldPlaced {
        case: CaseId,
        reason: String,
    },
    /// The hold that was placed at that position has ended.
    HoldReleased {
        case: CaseId,
        hold: Position,
        request: RequestId,
    },
    /// This folder was put together from a backup, and goes on from here.
    Restored {
        backup: Digest,
        facts: Position,
    },
    // People and the case machine.
    /// Somebody is on the case from now on: it is there for them while it is sealed.
    MemberAdded {
        case: CaseId,
        person: PersonId,
    },
    MemberRemoved {
        case: CaseId,
        person: PersonId,
    },
    /// A person made a token for a program.
    TokenIssued {
        token: Box<ApiToken>,
    },
    /// It acts for nobody any more.
    TokenRevoked {
        person: PersonId,
        token: TokenName,
    },
    /// Whoever shows the token of this digest enrols the first admin; one that was made before is void.
    FirstTokenMade {
        token: Digest,
    },
    /// The first admin was enrolled by it.
    FirstTokenSpent {
        person: PersonId,
    },
    /// A paper of the case is on file; it lies in the vault.
    PaperFiled {
        case: CaseId,
        paper: Paper,
    },
    // The harm gate.
    /// Every name of the case was held against the gate's list.
    GateRun {
        run: Box<GateRun>,
    },
    /// Counsel has decided warnings of one kind.
    GateDecided {
        decided: Box<GateDecided>,
    },
    // Verification.
    /// The world was asked whether a seizure took effect.
    VerificationMade(Verification),
    /// A person answers for a check that nobody can see.
    CheckAttested(CheckAttested),
    // Watch: what is due, what gives alarm, what was seen.
    /// A second person has looked at what one person narrowed.
    NarrowingConfirmed {
        case: CaseId,
        /// The place of the [`Self::ServiceNarrowed`].
        narrowing: Position,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    DateProposed {
        case: CaseId,
        proposal: DateProposal,
    },
    DateConfirmed {
        case: CaseId,
        confirmation: DateConfirmation,
    },
    AlarmRaised {
        case: CaseId,
        alarm: Box<Alarm>,
    },
    AlarmAcknowledged {
        case: CaseId,
        /// The place of the [`Self::AlarmRaised`].
        alarm: Position,
        note: String,
    },
    AlarmCleared {
        case: CaseId,
        alarm: Position,
        reason: String,
    },
    /// What was seen of so many names of the case; the file in the vault says it, and what custody compares with.
    ObservationsTaken {
        case: CaseId,
        file: Digest,
        names: u64,
    },
    /// Certificates for names of the case, as certificate transparency told them; the file lies in the vault.
    CertificatesTaken {
        case: CaseId,
        file: Digest,
        certificates: u64,
    },
    /// Somebody looked back, so many days after the names were served first; the report lies in the vault.
    PostMortemHeld {
        case: CaseId,
        days: u16,
        file: Digest,
    },
    // The appendix and execution day.
    /// The case's appendix was written into a folder.
    AppendixCompiled {
        case: CaseId,
        appendix: Compilation,
    },
    /// An actor was sent their share, by a person.
    Dispatched {
        case: CaseId,
        dispatch: Dispatch,
    },
    /// An actor answered, and a person says so.
    Acknowledged {
        case: CaseId,
        answer: Acknowledgement,
    },
    //-- Evidence, and reports to providers.
    /// A file is an exhibit of the case; it lies in the vault.
    EvidenceKept {
        case: CaseId,
        exhibit: Box<Exhibit>,
    },
    /// A time-stamping authority vouches for an exhibit's digest.
    EvidenceStamped {
        case: CaseId,
        exhibit: u32,
        stamp: Stamp,
    },
    /// A report to a provider was written.
    ReportMade {
        case: CaseId,
        report: Box<ReportTerms>,
    },
    ReportSent {
        case: CaseId,
        report: u32,
        sending: Sending,
    },
    /// What came back, or did not: delivered, bounced, acknowledged, acted, refused, reopened.
    ReportAcknowledged {
        case: CaseId,
        report: u32,
        to: ReportState,
        note: String,
        /// The answer itself, where it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exhibit: Option<u32>,
    },
    /// Somebody else is asked now, with proof that this one was first.
    ReportEscalated {
        case: CaseId,
        report: u32,
        by: u32,
    },
    // Folders for strangers.
    /// Somebody took a folder of the case out of the house.
    FolderLeft {
        case: CaseId,
        folder: Leaving,
    },
    // Names that go back, and who holds the others.
    /// Names are their owners' again, with the letters and plans that were written about it.
    NamesReturned {
        case: CaseId,
        returned: Box<Return>,
    },
    /// Somebody who has to undo a seizure was sent the plan for it.
    ReversePlanSent {
        case: CaseId,
        step: PlanStep,
    },
    ReversePlanAnswered {
        case: CaseId,
        step: PlanStep,
    },
    /// Names that had been verified, and that a look saw delegated elsewhere; or, not `lost`, verified again.
    CustodySeen {
        case: CaseId,
        names: Vec<DomainName>,
        lost: bool,
    },
    //-- Amended and supplemental orders.
    /// A later paper changes an order, as a difference to how it stands. By itself it has no effect.
    AmendmentProposed {
        case: CaseId,
        amendment: Box<AmendmentTerms>,
    },
    /// What was proposed has its effect: the order is at that version.
    OrderAmended {
        case: CaseId,
        order: OrderId,
        version: u32,
        /// The two people who approved it, where it widens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<RequestId>,
    },
    AmendmentWithdrawn {
        case: CaseId,
        order: OrderId,
        version: u32,
        reason: String,
    },
    /// Counsel says what the court's monitor said of the names that shall come in.
    ObjectionNoted {
        case: CaseId,
        order: OrderId,
        version: u32,
        objected: bool,
        note: String,
    },
    // History labelled anew.
    /// Verdicts of a day on whose contacts a later one counts were let go.
    VerdictsRetired {
        day: Date,
        verdicts: u64,
        before: FileSet,
        after: FileSet,
    },
    /// The law said no.
    Refused {
        tried: String,
        why: String,
    },
}
