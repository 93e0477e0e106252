//! One case as a test needs it: names of the public court list, addresses of RFC 5737 and of 127.0.0.0/8.
//!
//! Shared by the stories of this room and by `examples/golden.rs`, which writes what the judges read.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::address::Asn;
use model::approval::{Approval, Approvals, PutInForce, Request, Widening};
use model::case::{AnswerPolicy, CaseState, CaseTerms, Marking};
use model::contact::Kind;
use model::fact::{Indicator, IndicatorKind};
use model::group::{Alias, Group};
use model::id::{Boot, CaseId, ContactId, GroupId, Lane, OrderId, PersonId, Position, RequestId, SensorId};
use model::marking::{Retention, Tlp, Withheld};
use model::order::{Act, Acts, Authority, Instrument, Listed, NameOutcome, Names, Order, OrderTerms, Source, Sourced};
use model::person::{Person, Role};
use model::seizure::{AnswerEffect, Seizure, ServiceMode};
use model::verdict::Label;
use model::{Digest, DomainName, Timestamp};
use store::archive::Sighting;
use store::view::{CaseView, NameView, View};

pub const CASE: &str = "phosphorus-2019";
const ORDER: &str = "dcd-1-19-cv-00716";

/// The names, with what becomes of each.
pub const NAMES: [(&str, NameOutcome, Seizure, Option<ServiceMode>); 7] = [
    ("outlook-verify.net", NameOutcome::Redirect, Seizure::Steady, Some(ServiceMode::Collect)),
    ("verify-linkedin.net", NameOutcome::Redirect, Seizure::Sinkholed, Some(ServiceMode::Collect)),
    ("yahoo-verify.net", NameOutcome::Redirect, Seizure::Steady, Some(ServiceMode::Hold)),
    ("myaccount-services.net", NameOutcome::Hold, Seizure::Acknowledged, None),
    ("com-mailbox.com", NameOutcome::LockOnly, Seizure::Ordered, None),
    ("verify-user-session.info", NameOutcome::Redirect, Seizure::Returned, Some(ServiceMode::Off)),
    ("support-servics.net", NameOutcome::Redirect, Seizure::Steady, Some(ServiceMode::Handback)),
];

pub fn name(text: &str) -> DomainName {
    DomainName::parse(text).expect("a fixture's name")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a fixture's instant")
}

pub fn case_id() -> CaseId {
    CaseId::parse(CASE).expect("a slug")
}

//----------- Terms ------------------------------------------------------------------------------------------------

/// What a story may vary.
#[derive(Clone, Debug)]
pub struct Terms {
    pub instrument: Instrument,
    pub sealed_until: Option<&'static str>,
    pub expires: Option<&'static str>,
    pub tlp: Tlp,
    pub acts: Vec<Act>,
    pub withheld: Withheld,
    pub in_force: bool,
    pub answer_effect: AnswerEffect,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            instrument: Instrument::CivilTro,
            sealed_until: None,
            expires: None,
            tlp: Tlp::Amber,
            acts: vec![Act::Delegate, Act::Answer, Act::RecordMetadata, Act::Share],
            withheld: Withheld {
                countries: ["IR".parse().expect("a country")].into(),
                networks: ["127.66.0.0/16".parse().expect("a prefix")].into(),
                asns: [Asn(64511)].into(),
                recipients: ["Withheld Telecom".to_owned()].into(),
            },
            in_force: true,
            answer_effect: AnswerEffect::Unknown,
        }
    }
}

impl Terms {
    pub fn exercise() -> Self {
        Self { instrument: Instrument::Exercise, ..Self::default() }
    }

    pub fn view(&self) -> View {
        let case = CaseView {
            terms: self.case_terms(),
            file: Digest::of_bytes(b"the case file"),
            state: CaseState::Executed,
            opened: at("2019-03-14T12:00:00Z"),
            changed: Position(41),
            changed_at: at("2019-03-27T18:30:00Z"),
            captured: Default::default(),
            returned: Default::default(),
            returning: Default::default(),
            verification: Default::default(),
            holds: Default::default(),
            members: Default::default(),
            papers: Default::default(),
            named_papers: Default::default(),
            watch: Default::default(),
            execution: Default::default(),
            evidence: Default::default(),
            left: Default::default(),
            amendments: Default::default(),
            gate: None,
            unsealed: Default::default(),
            orders: [(OrderId::parse(ORDER).expect("a slug"), self.order())].into(),
            names: NAMES.map(named).into_iter().collect(),
        };
        View {
            next: Position(57),
            cases: BTreeMap::from([(case_id(), case)]),
            indicators: learned().into_iter().map(|learned| (case_id(), group().id, learned)).collect(),
            ..View::default()
        }
    }

    fn case_terms(&self) -> CaseTerms {
        CaseTerms {
            privacy: Default::default(),
            id: case_id(),
            title: "Microsoft v. John Does; names of PHOSPHORUS".into(),
            group: group(),
            contact: "sinkhole@bailiwick.example".into(),
            purpose: Sourced {
                value: "protect those who are called to these names".into(),
                source: Source::Unverified,
            },
            tlp: Marking(self.tlp),
            withheld: self.withheld.clone(),
            retention: Retention::default(),
            answer: AnswerPolicy::Notice,
            notice: Default::default(),
            answers: None,
        }
    }

    fn order(&self) -> Order {
        let source = || Source::From("court list".into());
        let authority = Authority {
            instrument: self.instrument,
            country: None,
            issuer: Sourced {
                value: "United States District Court for the District of Columbia".into(),
                source: source(),
            },
            docket_number: Some(Sourced { value: "1:19-cv-00716".into(), source: source() }),
            judge: None,
            issued: None,
            hearing: None,
            expires: self.expires.map(|instant| Sourced { value: at(instant).into(), source: source() }),
            sealed_until: self
                .sealed_until
                .map(|day| Sourced { value: day.parse().expect("a date"), source: source() }),
        };
        let id = OrderId::parse(ORDER).expect("a slug");
        let terms = OrderTerms {
            id,
            authority,
            name_servers: vec![name("ns1.bailiwick.example")],
            answers: None,
            registration: None,
        };
        let acts: Acts = self.acts.iter().copied().collect();
        let names = NAMES.iter().map(|(text, outcome, ..)| {
            (name(text), Listed { outcome: *outcome, acts, answer_effect: self.answer_effect })
        });
        let mut order = Order::draft(case_id(), terms, names.collect::<Names>());
        if self.in_force {
            put_in_force(&mut order);
        }
        order
    }
}

fn named((text, outcome, seizure, mode): (&str, NameOutcome, Seizure, Option<ServiceMode>)) -> (DomainName, NameView) {
    (name(text), NameView { order: OrderId::parse(ORDER).expect("a slug"), outcome, seizure, mode })
}

fn group() -> Group {
    let alias = |name: &str, source: &str| Alias { name: name.into(), source: Source::From(source.into()) };
    Group {
        id: GroupId::parse("apt35").expect("a slug"),
        name: "PHOSPHORUS".into(),
        aliases: vec![
            alias("Mint Sandstorm", "Microsoft"),
            alias("Charming Kitten", "CrowdStrike"),
            alias("Charming Kitten", "ClearSky"),
            alias("APT35", "Mandiant"),
        ],
        attributed_to: None,
    }
}

/// Two people in two roles, the normal path: there is no other.
fn put_in_force(order: &mut Order) {
    let what = PutInForce { order: order.terms().id.clone(), terms: order.digest() };
    let shown = Digest::of_value(&what);
    let mut approvals = Approvals::default();
    let id = RequestId(7);
    let what = Widening::PutInForce(what);
    approvals.ask(Request { id, case: case_id(), what, shown, exercise: true }, None, Timestamp::UNIX_EPOCH);
    for (person, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
        let person = PersonId::parse(person).expect("a slug");
        let token = Digest::of_bytes(b"token");
        let known = Person { id: person.clone(), roles: [role].into(), token, fixture: true };
        approvals.give(Approval { request: id, person, role, shown }, &known).expect("two people, two roles");
    }
    let approved = approvals.approved(id).expect("approved by two");
    order.put_in_force(&approved).expect("approved as it stands");
}

//----------- Learned ----------------------------------------------------------------------------------------------

pub fn indicator(kind: IndicatorKind, value: &str, apex: &str) -> Indicator {
    Indicator {
        kind,
        value: value.into(),
        apex: name(apex),
        first_seen: at("2019-03-28T06:00:00Z"),
        last_seen: at("2019-03-29T07:00:00Z"),
        contacts: 12,
        addresses: 3,
    }
}

fn learned() -> Vec<Indicator> {
    vec![
        indicator(IndicatorKind::UrlPath, "/owa/auth/logon.aspx", "outlook-verify.net"),
        indicator(IndicatorKind::HostName, "mail.outlook-verify.net", "outlook-verify.net"),
        indicator(IndicatorKind::HostName, "login.myaccount-services.net", "myaccount-services.net"),
        indicator(IndicatorKind::UserAgent, "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; 'x') \\u", "outlook-verify.net"),
        indicator(
            IndicatorKind::UserAgent,
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; 'x') \\u",
            "verify-linkedin.net",
        ),
        indicator(IndicatorKind::HostName, "outlook-verify.net", "outlook-verify.net"),
        indicator(IndicatorKind::Ja4, "t12d1909h1_d83cc789557e_7af1ed941c26", "verify-linkedin.net"),
    ]
}

//----------- Sightings --------------------------------------------------------------------------------------------

/// A request of a victim; stories change what they are about.
pub fn request(seq: u64, source: &str, apex: &str) -> Sighting {
    let received = at("2019-03-28T06:00:00Z") + std::time::Duration::from_millis(1_000 * seq + 125);
    Sighting {
        id: ContactId::new(SensorId(1), Boot(1), Lane(0), seq),
        received,
        source: source.parse::<IpAddr>().expect("a fixture's address"),
        source_port: 40_000 + u16::try_from(seq).expect("few sightings"),
        local: IpAddr::from([127, 0, 0, 1]),
        local_port: 8080,
        transport: "tcp".into(),
        kind: Kind::Request,
        case: Some(case_id()),
        apex: Some(name(apex)),
        qname: None,
        qtype: None,
        rcode: None,
        method: Some("POST".into()),
        target: Some("/owa/auth/logon.aspx?user={redacted:query-value}".into()),
        host: Some(format!("mail.{apex}:8080")),
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; \"odd, quoted\")".into()),
        referer: Some("https://lure.example/a,b".into()),
        content_type: None,
        http_version: Some("HTTP/1.1".into()),
        sni: None,
        ja3: None,
        ja4: None,
        oddities: Vec::new(),
        status: Some(200),
        body_len: Some(31),
        body_fields: vec!["user".into(), "password".into()],
        label: Some(Label::Victim),
        score: Some(90),
        reasons: vec!["posted a form with a password field".into()],
        asn: Some(Asn(64496)),
        as_name: Some("Example Access".into()),
        country: "US".parse().ok(),
        withheld: false,
    }
}

/// A look-up by a resolver: a sighting of the name, never a victim.
pub fn query(seq: u64, source: &str, apex: &str) -> Sighting {
    Sighting {
        kind: Kind::Query,
        transport: "udp".into(),
        qname: Some(apex.into()),
        label: Some(Label::Resolver),
        method: None,
        target: None,
        host: None,
        user_agent: None,
        referer: None,
        ..request(seq, source, apex)
    }
}

/// What called in the golden case: victims at home and abroad, over IPv6 and TLS, a crawler, resolvers, and three
/// whom the case withholds, each for another reason.
pub fn sightings() -> Vec<Sighting> {
    let victim = |seq, source| request(seq, source, "outlook-verify.net");
    vec![
        query(1, "192.0.2.53", "outlook-verify.net"),
        query(2, "192.0.2.53", "myaccount-services.net"),
        victim(3, "198.51.100.23"),
        Sighting { source_port: 40_012, local_port: 8443, ..victim(4, "198.51.100.24") },
        Sighting {
            kind: Kind::Hello,
            sni: Some("mail.outlook-verify.net".into()),
            local_port: 8443,
            ..victim(12, "198.51.100.24")
        },
        Sighting {
            asn: Some(Asn(64497)),
            country: "FR".parse().ok(),
            ..request(5, "203.0.113.9", "verify-linkedin.net")
        },
        victim(6, "2001:db8::17"),
        Sighting { label: Some(Label::Crawler), ..victim(7, "192.0.2.99") },
        Sighting { label: None, withheld: true, ..victim(8, "192.0.2.77") },
        victim(9, "127.66.0.9"),
        Sighting { country: "IR".parse().ok(), withheld: true, ..victim(10, "203.0.113.201") },
        Sighting { as_name: Some("Withheld Telecom".into()), ..victim(11, "203.0.113.202") },
    ]
}
