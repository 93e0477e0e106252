//! The rows. Each says its sources; what was not read at the source says `unverified`.

use model::case::CaseState::{self, *};
use model::order::{Act, Instrument, NameOutcome};
use model::paper::PaperKind;

use super::{AuthorityRule, Force, Stated};

const ALL_OUTCOMES: &[NameOutcome] = &NameOutcome::ALL;
const ALL_ACTS: &[Act] = &Act::ALL;
/// What needs no reading of what callers send: the default, and to tell others of it.
const PLAIN_ACTS: &[Act] = &[Act::Delegate, Act::Answer, Act::RecordMetadata, Act::Share];
/// The same for a name that is ours, or its owner's to give.
const OWNERS_ACTS: &[Act] =
    &[Act::Delegate, Act::Answer, Act::RecordMetadata, Act::PublicCertificate, Act::Share, Act::Retain];

/// Every state of a civil case before a court of the United States.
const COURT_STATES: &[CaseState] = &[
    Evidence,
    Review,
    Filed,
    Granted,
    Executing,
    Executed,
    Unsealed,
    Served,
    Injunction,
    Supplemental,
    Judgment,
    Permanent,
    Monitoring,
    Closed,
    Denied,
    Expired,
    Amended,
    Contested,
    Vacated,
];
/// Somebody orders, and no suit follows.
const OFFICE_STATES: &[CaseState] = &[
    Evidence,
    Review,
    Filed,
    Granted,
    Executing,
    Executed,
    Unsealed,
    Served,
    Supplemental,
    Monitoring,
    Closed,
    Denied,
    Expired,
    Amended,
    Contested,
    Vacated,
];
/// Somebody is asked: there is no seal, no service, no judgment.
const ASKED_STATES: &[CaseState] = &[
    Evidence,
    Review,
    Filed,
    Granted,
    Executing,
    Executed,
    Supplemental,
    Monitoring,
    Closed,
    Denied,
    Amended,
    Contested,
    Vacated,
];
/// Nobody needs to be asked but the owner.
const OWNED_STATES: &[CaseState] = &[
    Evidence, Review, Granted, Executing, Executed, Permanent, Monitoring, Closed, Expired, Amended, Contested, Vacated,
];

const COURT_PAPERS: &[(CaseState, &[PaperKind])] = &[
    (Filed, &[PaperKind::Complaint, PaperKind::Motion, PaperKind::Appendix, PaperKind::ProposedOrder]),
    (Granted, &[PaperKind::Order]),
    (Served, &[PaperKind::ProofOfService]),
    (Injunction, &[PaperKind::Order]),
    (Supplemental, &[PaperKind::Order, PaperKind::Appendix]),
    (Judgment, &[PaperKind::Judgment]),
    (Permanent, &[PaperKind::Judgment]),
    (Denied, &[PaperKind::Order]),
    (Amended, &[PaperKind::Order]),
    (Contested, &[PaperKind::Motion]),
    (Vacated, &[PaperKind::Order]),
];
const OFFICE_PAPERS: &[(CaseState, &[PaperKind])] = &[
    (Filed, &[PaperKind::Request, PaperKind::Appendix]),
    (Granted, &[PaperKind::Order]),
    (Served, &[PaperKind::ProofOfService]),
    (Supplemental, &[PaperKind::Order, PaperKind::Appendix]),
    (Denied, &[PaperKind::Answer]),
    (Amended, &[PaperKind::Order]),
    (Contested, &[PaperKind::Motion]),
    (Vacated, &[PaperKind::Order]),
];
const ASKED_PAPERS: &[(CaseState, &[PaperKind])] = &[
    (Filed, &[PaperKind::Request, PaperKind::EvidencePack]),
    (Granted, &[PaperKind::Answer]),
    (Supplemental, &[PaperKind::Request, PaperKind::EvidencePack]),
    (Denied, &[PaperKind::Answer]),
    (Amended, &[PaperKind::Answer]),
    (Vacated, &[PaperKind::Answer]),
];

pub const TABLE: [AuthorityRule; 9] = [
    AuthorityRule {
        instrument: Instrument::CivilTro,
        title: "US civil temporary restraining order, ex parte and under seal",
        issuer: "a United States District Court",
        force: Force::Binding,
        outcomes: ALL_OUTCOMES,
        acts: ALL_ACTS,
        states: COURT_STATES,
        papers: COURT_PAPERS,
        stated: &[Stated::Issued, Stated::Expires],
        expiry: "at the time after entry that the court sets, not to exceed 14 days, unless for good cause extended for a like period or by consent: FRCP 65(b)(2)",
        expiry_days: Some(14),
        appeal: "the adverse party may move to dissolve or modify on 2 days' notice: FRCP 65(b)(4)",
        sources: &[
            "Federal Rules of Civil Procedure 65(b)(1)-(4), 65(d)(2) (unverified: from memory)",
            "D.D.C. 1:19-cv-00716 as reported by TechCrunch and SecurityWeek, 2019-03-27",
        ],
    },
    AuthorityRule {
        instrument: Instrument::Injunction,
        title: "preliminary or permanent injunction, with a court monitor for supplemental lists",
        issuer: "a United States District Court",
        force: Force::Binding,
        outcomes: ALL_OUTCOMES,
        acts: ALL_ACTS,
        states: COURT_STATES,
        papers: COURT_PAPERS,
        stated: &[Stated::Issued],
        expiry: "as the order says; a permanent injunction until it is modified",
        expiry_days: None,
        appeal: "an interlocutory order about an injunction may be appealed at once: 28 U.S.C. 1292(a)(1)",
        sources: &[
            "Federal Rules of Civil Procedure 65(a), 65(d), 53 (unverified: from memory)",
            "28 U.S.C. 1292(a)(1) (unverified: from memory)",
        ],
    },
    AuthorityRule {
        instrument: Instrument::RegistrarAction,
        title: "a registrar or registry acts on actionable evidence",
        issuer: "the sponsoring registrar, or the registry of a gTLD",
        force: Force::Request,
        outcomes: &[
            NameOutcome::Redirect,
            NameOutcome::Hold,
            NameOutcome::LockOnly,
            NameOutcome::Delete,
            NameOutcome::ProviderRemoval,
        ],
        acts: PLAIN_ACTS,
        states: ASKED_STATES,
        papers: ASKED_PAPERS,
        stated: &[],
        expiry: "none: whoever acted may undo it",
        expiry_days: None,
        appeal: "the registrant complains to the registrar; ICANN Contractual Compliance hears complaints about either",
        sources: &[
            "ICANN 2013 Registrar Accreditation Agreement, section 3.18, as amended for DNS abuse in force 2024-04-05 (unverified: from memory)",
            "ICANN base gTLD Registry Agreement, Specification 6, section 4 (unverified: from memory)",
        ],
    },
    AuthorityRule {
        instrument: Instrument::ProsecutorOrder,
        title: "a prosecutor's or investigating judge's order",
        issuer: "a public prosecutor's office or an investigating judge",
        force: Force::Binding,
        outcomes: ALL_OUTCOMES,
        acts: ALL_ACTS,
        states: OFFICE_STATES,
        papers: OFFICE_PAPERS,
        stated: &[Stated::Issued],
        expiry: "as the order says; Avalanche's were renewed by the year",
        expiry_days: None,
        appeal: "by the issuing state's code of criminal procedure",
        sources: &[
            "Avalanche, 2016: Staatsanwaltschaft Verden as reported by Europol, 2016-12-01 (unverified: from memory)",
        ],
    },
    AuthorityRule {
        instrument: Instrument::PoliceRequest,
        title: "a request by a police force",
        issuer: "a law enforcement agency",
        force: Force::Request,
        outcomes: &[
            NameOutcome::Redirect,
            NameOutcome::Hold,
            NameOutcome::LockOnly,
            NameOutcome::Delete,
            NameOutcome::ProviderRemoval,
        ],
        acts: PLAIN_ACTS,
        states: ASKED_STATES,
        papers: ASKED_PAPERS,
        stated: &[],
        expiry: "none: whoever acted may undo it",
        expiry_days: None,
        appeal: "with the agency that asked, and by the policy of whoever acted",
        sources: &[
            "ICANN 2013 Registrar Accreditation Agreement, section 3.18.2 (24-hour contact for law enforcement) (unverified: from memory)",
        ],
    },
    AuthorityRule {
        instrument: Instrument::CctldPolicy,
        title: "a country-code registry acts by its own policy",
        issuer: "the registry of a ccTLD",
        force: Force::Request,
        outcomes: &[
            NameOutcome::Redirect,
            NameOutcome::Hold,
            NameOutcome::LockOnly,
            NameOutcome::Delete,
            NameOutcome::BlockRegistration,
        ],
        acts: PLAIN_ACTS,
        states: ASKED_STATES,
        papers: ASKED_PAPERS,
        stated: &[],
        expiry: "as the registry's policy says",
        expiry_days: None,
        appeal: "by the registry's own complaint procedure",
        sources: &[
            "RFC 1591, section 3 (a manager's duty to its community); the registry's published policy has to be named as the order's source",
        ],
    },
    AuthorityRule {
        instrument: Instrument::VoluntaryTransfer,
        title: "the registrant hands the name over",
        issuer: "the registrant",
        force: Force::Consent,
        outcomes: &[NameOutcome::Redirect, NameOutcome::Hold, NameOutcome::LockOnly, NameOutcome::Transfer],
        acts: OWNERS_ACTS,
        states: OWNED_STATES,
        papers: &[(Granted, &[PaperKind::Consent])],
        stated: &[],
        expiry: "as agreed; consent may be taken back",
        expiry_days: None,
        appeal: "ICANN Transfer Dispute Resolution Policy",
        sources: &["ICANN Transfer Policy, section I.A (unverified: from memory)"],
    },
    AuthorityRule {
        instrument: Instrument::OwnRegistration,
        title: "we registered the name: expired, never registered, or generated",
        issuer: "ourselves, by a registrar",
        force: Force::Consent,
        outcomes: &[NameOutcome::Redirect, NameOutcome::Hold, NameOutcome::LockOnly],
        acts: OWNERS_ACTS,
        states: OWNED_STATES,
        papers: &[(Granted, &[PaperKind::RegistrationRecord])],
        stated: &[],
        expiry: "with the registration: renew it in time",
        expiry_days: None,
        appeal: "UDRP or URS, if the name is somebody's mark",
        sources: &["ICANN 2013 Registrar Accreditation Agreement, section 3.7 (unverified: from memory)"],
    },
    AuthorityRule {
        instrument: Instrument::Exercise,
        title: "a rehearsal: loopback only, marked everywhere, never promoted",
        issuer: "nobody: it binds nobody",
        force: Force::Rehearsal,
        outcomes: ALL_OUTCOMES,
        acts: ALL_ACTS,
        states: COURT_STATES,
        papers: &[],
        stated: &[],
        expiry: "as its case file says",
        expiry_days: None,
        appeal: "none",
        sources: &["this program: see `Instrument::Exercise`"],
    },
];
