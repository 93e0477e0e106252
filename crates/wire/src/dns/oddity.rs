//! What can be odd about a query, as stable codes and as a set that fits a register.

/// One thing that a sender did and should not have done, or that nobody does by accident.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Oddity {
    /// Shorter than a header.
    Short,
    /// A response where a query belongs (QR=1): never answered, or two servers would talk for ever.
    Response,
    /// An opcode other than QUERY.
    Opcode,
    /// Header bits that only responses set (AA, TC, RA, Z, or a response code).
    Flags,
    /// Not exactly one question (RFC 9619).
    QuestionCount,
    /// A compression pointer in the first name there is: it can only point into the header or at itself.
    QuestionPointer,
    /// A label type that nobody has assigned (RFC 6891, 5).
    QuestionLabel,
    /// A name of more than 255 octets.
    QuestionLong,
    /// The packet ends within its question.
    QuestionCut,
    /// A class other than IN.
    Class,
    /// Records in the answer section of a query.
    AnswerSection,
    /// Records in the authority section of a query that is no IXFR.
    AuthoritySection,
    /// The packet ends within a record that it announced, or the record's owner is no name.
    RecordCut,
    /// More records than any query has.
    RecordCount,
    /// Two OPT records (RFC 6891, 6.1.1).
    OptTwice,
    /// An OPT record with an owner other than the root.
    OptOwner,
    /// An OPT record outside the additional section.
    OptPlace,
    /// An EDNS option longer than its record.
    OptOption,
    /// An EDNS version that does not exist.
    EdnsVersion,
    /// A cookie of a length that RFC 7873 does not know.
    CookieLength,
    /// A client subnet that is none (RFC 7871, 6).
    Subnet,
    /// Octets after the last record.
    Trailing,
}

impl Oddity {
    pub const ALL: [Self; 22] = [
        Self::Short,
        Self::Response,
        Self::Opcode,
        Self::Flags,
        Self::QuestionCount,
        Self::QuestionPointer,
        Self::QuestionLabel,
        Self::QuestionLong,
        Self::QuestionCut,
        Self::Class,
        Self::AnswerSection,
        Self::AuthoritySection,
        Self::RecordCut,
        Self::RecordCount,
        Self::OptTwice,
        Self::OptOwner,
        Self::OptPlace,
        Self::OptOption,
        Self::EdnsVersion,
        Self::CookieLength,
        Self::Subnet,
        Self::Trailing,
    ];

    /// The code that journals and labels use; it never changes.
    pub fn code(self) -> &'static str {
        match self {
            Self::Short => "dns.short",
            Self::Response => "dns.response",
            Self::Opcode => "dns.opcode",
            Self::Flags => "dns.flags",
            Self::QuestionCount => "dns.qdcount",
            Self::QuestionPointer => "dns.question-pointer",
            Self::QuestionLabel => "dns.question-label",
            Self::QuestionLong => "dns.question-long",
            Self::QuestionCut => "dns.question-cut",
            Self::Class => "dns.class",
            Self::AnswerSection => "dns.answer-section",
            Self::AuthoritySection => "dns.authority-section",
            Self::RecordCut => "dns.record-cut",
            Self::RecordCount => "dns.record-count",
            Self::OptTwice => "dns.opt-twice",
            Self::OptOwner => "dns.opt-owner",
            Self::OptPlace => "dns.opt-place",
            Self::OptOption => "dns.opt-option",
            Self::EdnsVersion => "dns.edns-version",
            Self::CookieLength => "dns.cookie-length",
            Self::Subnet => "dns.subnet",
            Self::Trailing => "dns.trailing",
        }
    }
}

//----------- Oddities ---------------------------------------------------------------------------------------------

/// A set of oddities. Its bits are not stored anywhere; codes are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Oddities(u32);

impl Oddities {
    pub fn add(&mut self, oddity: Oddity) {
        self.0 |= 1 << oddity as u32;
    }

    pub fn contains(self, oddity: Oddity) -> bool {
        self.0 & (1 << oddity as u32) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL.into_iter().filter(move |oddity| self.contains(*oddity))
    }
}
