//! A zone's answers, written once in wire form and copied ever after.
//!
//! Every RRset's owner is a pointer to the question, so the same octets serve every name below every apex; only the SOA
//! of a negative answer needs its owner moved to where the apex starts in the question. That is why a million zones
//! with the same servers and addresses share one [`Answers`].
//!
//! By default a seized name sends no mail and gets no certificate: null MX (RFC 7505), `v=spf1 -all` (RFC 7208),
//! DMARC reject (RFC 7489), empty DKIM keys (RFC 6376, 3.6.1), CAA `issue ";"` (RFC 8659), so that the group cannot
//! use the name either.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::captured::CapturedZone;
use super::listing::Sets;
use super::{class, rtype};

/// SOA timers. Zonemaster asks for refresh >= 4 h and retry >= 1 h; expire is two weeks, so that a secondary outlives a
/// long outage.
pub const SOA_REFRESH_SECS: u32 = 14_400;
pub const SOA_RETRY_SECS: u32 = 3_600;
pub const SOA_EXPIRE_SECS: u32 = 1_209_600;

/// A pointer to the question's name, which starts right behind the header.
const QUESTION_NAME: [u8; 2] = [0xc0, 12];

const NULL_MX: [u8; 3] = [0, 0, 0];
const NO_SENDER: &[u8] = b"v=spf1 -all";
const REJECT: &[u8] = b"v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s";
const NO_KEY: &[u8] = b"v=DKIM1; p=";
/// Flags 0 and the property's tag; the value follows.
const ISSUE: &[u8] = b"\x00\x05issue";
const NOT_EVERYTHING: &[u8] = b"\x07RFC8482\x00";

//----------- Records ----------------------------------------------------------------------------------------------

/// What a zone says, apart from its name. Equal records make equal answers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Records {
    /// Exactly as ordered, in wire form. Glue is the parent's business.
    pub name_servers: Vec<Vec<u8>>,
    /// The SOA's RNAME, in wire form.
    pub hostmaster: Vec<u8>,
    pub serial: u32,
    pub ttl_secs: u32,
    /// The SOA's MINIMUM: how long "there is nothing" is believed (RFC 2308).
    pub negative_ttl_secs: u32,
    pub v4: Vec<Ipv4Addr>,
    pub v6: Vec<Ipv6Addr>,
    /// Whether the name publishes that it neither takes nor sends mail.
    pub refuses_mail: bool,
    pub certifiers: Certifiers,
}

/// Who may certify the name, as its CAA records say (RFC 8659). An empty set would let everybody.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Certifiers {
    /// The zone says nothing: it is no longer ours to say.
    Unsaid,
    /// `issue ";"`.
    Nobody,
    /// One `issue` for each domain by which a CA is known. Wildcards follow `issue` where there is no `issuewild`
    /// (RFC 8659, 4.3). An empty list is nobody.
    Only(Vec<String>),
}

impl Certifiers {
    fn rdatas(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Unsaid => Vec::new(),
            Self::Only(issuers) if !issuers.is_empty() => issuers.iter().map(|issuer| issue(issuer)).collect(),
            Self::Nobody | Self::Only(_) => vec![issue(";")],
        }
    }
}

fn issue(value: &str) -> Vec<u8> {
    [ISSUE, value.as_bytes()].concat()
}

impl Records {
    pub(super) fn soa_rdata(&self) -> Vec<u8> {
        let root = vec![0];
        let mut rdata = self.name_servers.first().unwrap_or(&root).clone();
        rdata.extend_from_slice(&self.hostmaster);
        for number in [self.serial, SOA_REFRESH_SECS, SOA_RETRY_SECS, SOA_EXPIRE_SECS, self.negative_ttl_secs] {
            rdata.extend_from_slice(&number.to_be_bytes());
        }
        rdata
    }
}

//----------- RrSet ------------------------------------------------------------------------------------------------

/// Records of one type at one owner, in wire form. The empty set is NODATA.
#[derive(Debug, Default)]
pub(super) struct RrSet {
    pub(super) count: u16,
    pub(super) wire: Box<[u8]>,
}

impl RrSet {
    fn new<R: AsRef<[u8]>>(rtype: u16, ttl_secs: u32, rdatas: impl IntoIterator<Item = R>) -> Self {
        let (mut count, mut wire) = (0, Vec::new());
        for rdata in rdatas {
            let rdata = rdata.as_ref();
            wire.extend_from_slice(&QUESTION_NAME);
            wire.extend_from_slice(&rtype.to_be_bytes());
            wire.extend_from_slice(&class::IN.to_be_bytes());
            wire.extend_from_slice(&ttl_secs.to_be_bytes());
            wire.extend_from_slice(&u16::try_from(rdata.len()).expect("no RDATA of ours is long").to_be_bytes());
            wire.extend_from_slice(rdata);
            count += 1;
        }
        Self { count, wire: wire.into() }
    }

    fn text(ttl_secs: u32, text: &[u8]) -> Self {
        let len = u8::try_from(text.len()).expect("our texts fit one character-string");
        Self::new(rtype::TXT, ttl_secs, [[&[len], text].concat()])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

//----------- Answers ----------------------------------------------------------------------------------------------

/// A zone's RRsets, ready to be copied.
#[derive(Debug)]
pub struct Answers {
    soa: RrSet,
    /// The SOA as negative answers carry it: its TTL is min(SOA TTL, MINIMUM) (RFC 2308, 3).
    negative_soa: RrSet,
    ns: RrSet,
    a: RrSet,
    aaaa: RrSet,
    mx: RrSet,
    spf: RrSet,
    dmarc: RrSet,
    dkim: RrSet,
    caa: RrSet,
    any: RrSet,
    nothing: RrSet,
    /// A name on its way back answers from its owner's zone, and from nothing above.
    captured: Option<CapturedZone>,
}

impl Answers {
    pub fn new(records: &Records) -> Self {
        let ttl = records.ttl_secs;
        let when = |said: bool, set: RrSet| if said { set } else { RrSet::default() };
        let no_mail = |set| when(records.refuses_mail, set);
        let soa = records.soa_rdata();
        Self {
            soa: RrSet::new(rtype::SOA, ttl, [&soa]),
            negative_soa: RrSet::new(rtype::SOA, ttl.min(records.negative_ttl_secs), [&soa]),
            ns: RrSet::new(rtype::NS, ttl, &records.name_servers),
            a: RrSet::new(rtype::A, ttl, records.v4.iter().map(Ipv4Addr::octets)),
            aaaa: RrSet::new(rtype::AAAA, ttl, records.v6.iter().map(Ipv6Addr::octets)),
            mx: no_mail(RrSet::new(rtype::MX, ttl, [NULL_MX])),
            spf: no_mail(RrSet::text(ttl, NO_SENDER)),
            dmarc: no_mail(RrSet::text(ttl, REJECT)),
            dkim: no_mail(RrSet::text(ttl, NO_KEY)),
            caa: RrSet::new(rtype::CAA, ttl, records.certifiers.rdatas()),
            any: RrSet::new(rtype::HINFO, ttl, [NOT_EVERYTHING]),
            nothing: RrSet::default(),
            captured: None,
        }
    }

    /// Those of a name on its way back.
    pub fn handing_back(records: &Records, captured: CapturedZone) -> Self {
        Self { captured: Some(captured), ..Self::new(records) }
    }

    pub(super) fn sets(&self) -> Sets<'_> {
        let Self { soa, ns, a, aaaa, mx, spf, dmarc, dkim, caa, .. } = self;
        Sets { soa, ns, a, aaaa, mx, spf, dmarc, dkim, caa }
    }

    pub(super) fn captured(&self) -> Option<&CapturedZone> {
        self.captured.as_ref()
    }

    /// The set that answers `qtype` at a name whose first `depth` octets lie below the apex.
    pub(super) fn find(&self, name: &[u8], depth: usize, qtype: u16) -> &RrSet {
        match qtype {
            rtype::A => &self.a,
            rtype::AAAA => &self.aaaa,
            rtype::MX => &self.mx,
            rtype::TXT => self.text(&name[..depth]),
            rtype::ANY => self.some(),
            rtype::SOA if depth == 0 => &self.soa,
            rtype::NS if depth == 0 => &self.ns,
            rtype::CAA if depth == 0 => &self.caa,
            _ => &self.nothing,
        }
    }

    pub(super) fn negative_soa(&self) -> &RrSet {
        &self.negative_soa
    }

    /// A sender policy stands at host names; labels with an underscore belong to their own protocols (RFC 8552), and
    /// saying nothing there is the safest thing to say.
    fn text(&self, below_apex: &[u8]) -> &RrSet {
        let mut labels = Labels(below_apex);
        match (labels.next(), labels.next()) {
            (Some(first), _) if first.eq_ignore_ascii_case(b"_dmarc") => &self.dmarc,
            (_, Some(second)) if second.eq_ignore_ascii_case(b"_domainkey") => &self.dkim,
            (Some(first), _) if first.starts_with(b"_") => &self.nothing,
            _ => &self.spf,
        }
    }

    /// Whoever asks for everything gets one thing (RFC 8482, 4.1): an address if there is one.
    fn some(&self) -> &RrSet {
        [&self.a, &self.aaaa].into_iter().find(|set| !set.is_empty()).unwrap_or(&self.any)
    }
}

/// The labels of a name in wire form.
struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(*len))?;
        self.0 = rest;
        Some(label)
    }
}
