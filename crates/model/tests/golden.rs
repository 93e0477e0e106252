//! The shapes on disk, for ever: one golden file of each kind and version. A test that fails here means that old
//! journals or ledgers would no longer open, or that equal data would get other bytes. Never change a file; add one.

use std::borrow::Cow;
use std::path::Path;

use model::Digest;
use model::DomainName;
use model::answers::AnswerSet;
use model::approval::{self, Approval, Serve, Widening};
use model::contact::*;
use model::fact::{Actor, Body as FactBody, Draft, Fact, FileSet, PurgedPart, RecordPart};
use model::id::{Boot, CaseId, ContactId, Lane, OrderId, PersonId, Position, RequestId, SensorId, SensorName};
use model::order::{
    Act, Authority, Instrument, Listed, NameOutcome, Names, Order, OrderTerms, Source, Sourced, names_digest,
};
use model::outcome::{Body, End, Outcome, Tls};
use model::person::Role;
use model::segment::{Receipt, SegmentKey};
use model::seizure::AnswerEffect;
use model::tally::{Answers, Counts, CutShort, Shed, Stripped, Tally};

use bailiwick_model as model;

fn id(seq: u64) -> ContactId {
    ContactId::new(SensorId(1), Boot(3), Lane(2), seq)
}

fn contact(seq: u64, what: What<'static>) -> Contact<'static> {
    Contact {
        id: id(seq),
        received: "2019-03-27T12:34:56.789012345Z".parse().unwrap(),
        source: "192.0.2.7:40001".parse().unwrap(),
        local: "[2001:db8::1]:53".parse().unwrap(),
        transport: Transport::Tcp,
        via: Via::Proxy { version: 2, balancer: "198.51.100.1".parse().unwrap() },
        over: Some(id(1)),
        subject: Some(Subject {
            case: "phosphorus-2019".into(),
            apex: "outlook-verify.net".into(),
            named_by: NamedBy::Host,
        }),
        oddities: vec!["http.bare-lf".into()],
        limits: Limits::TRUNCATED.with(Limits::CUT),
        what,
    }
}

fn contacts() -> Vec<(&'static str, Contact<'static>)> {
    let bytes = |text: &'static [u8]| Cow::Borrowed(text);
    let hash = Some(Digest([7; 32]));
    vec![
        (
            "query",
            contact(
                2,
                What::Query(Query {
                    id: 0x1234,
                    flags: 0x0100,
                    name: bytes(b"\x0eOutlook-verify\x03net\x00"),
                    qtype: 28,
                    qclass: 1,
                    edns: Some(Edns {
                        udp_size: 1232,
                        version: 0,
                        dnssec_ok: true,
                        cookie: Cookie::ClientOnly,
                        client_subnet: bytes(b"\x00\x01\x18\x00\xc0\x00\x02"),
                    }),
                    size: 72,
                    rcode: Some(0),
                    raw: Cow::default(),
                    repeats: 0,
                }),
            ),
        ),
        (
            "query-collapsed",
            contact(2, What::Query(Query { id: 7, qtype: 1, qclass: 1, repeats: 249_999, ..Query::default() })),
        ),
        (
            "connection",
            contact(
                3,
                What::Connection(Connection {
                    looks_like: "http".into(),
                    first_bytes: bytes(b"GET /"),
                    keyed_hash: hash,
                }),
            ),
        ),
        (
            "hello",
            contact(
                4,
                What::Hello(Hello {
                    sni: bytes(b"outlook-verify.net"),
                    legacy_version: 0x0303,
                    versions: vec![0x0304, 0x0303],
                    ciphers: vec![0x1301, 0x1302],
                    extensions: vec![0, 43, 16],
                    alpn: vec![bytes(b"h2"), bytes(b"http/1.1")],
                    ja3: "0123456789abcdef0123456789abcdef".into(),
                    ja4: "t13d0203h2_0123456789ab_0123456789ab".into(),
                    raw: bytes(b"\x16\x03\x01"),
                }),
            ),
        ),
        (
            "request",
            contact(
                5,
                What::Request(Request {
                    method: bytes(b"POST"),
                    target: bytes(b"/owa/?u={redacted:query-value}"),
                    version: HttpVersion::Http11,
                    host: bytes(b"outlook-verify.net"),
                    user_agent: bytes(b"Mozilla/5.0"),
                    referer: bytes(b"http://news.example/"),
                    content_type: bytes(b"application/x-www-form-urlencoded"),
                    forwarded: bytes(b"10.0.0.1"),
                    head: bytes(b"POST /owa/?u={redacted:query-value} HTTP/1.1\nHost: x\r\n\r\n"),
                    redactions: vec![Redaction { offset: 13, kind: Secret::QueryValue }],
                    h2: Cow::default(),
                }),
            ),
        ),
        (
            "message",
            contact(
                6,
                What::Message(Message {
                    helo: bytes(b"mail.example"),
                    starttls: true,
                    auth_mechanism: "PLAIN".into(),
                    mail_from: hash,
                    recipients: vec![Digest([8; 32]), Digest([9; 32])],
                    ..Message::default()
                }),
            ),
        ),
        (
            "letter",
            contact(
                8,
                What::Message(Message {
                    helo: bytes(b"[192.0.2.1]"),
                    recipients: vec![Digest([8; 32])],
                    recipients_count: 101,
                    end: "letter".into(),
                    fingerprint: "EHLO=literal,MAIL+SIZE,RCPT*,DATA|crlf|pipelined".into(),
                    letter: Some(Letter {
                        octets: 5000,
                        complete: true,
                        header_names: vec!["From".into(), "Subject".into()],
                        parts: 2,
                        attachments: vec![Attachment {
                            keyed_hash: Digest([3; 32]),
                            octets: 1234,
                            media_type: "application/zip".into(),
                            extension: "zip".into(),
                        }],
                    }),
                    ..Message::default()
                }),
            ),
        ),
        (
            "message-accounts",
            contact(
                6,
                What::Message(Message {
                    auth_mechanism: "LOGIN".into(),
                    accounts: vec![bytes(b"sealed")],
                    ..Message::default()
                }),
            ),
        ),
        (
            "datagram",
            contact(
                7,
                What::Datagram(Datagram {
                    looks_like: "unknown".into(),
                    first_bytes: bytes(b"\x00\x01"),
                    keyed_hash: hash,
                    len: 1400,
                }),
            ),
        ),
    ]
}

fn outcome() -> Outcome<'static> {
    Outcome {
        id: id(8),
        of: id(5),
        at: "2019-03-27T12:34:57Z".parse().unwrap(),
        octets_in: 300,
        octets_out: 1200,
        duration_nanos: 210_987_655,
        end: End::Peer,
        status: Some(200),
        tls: Some(Tls {
            completed: true,
            resumed: false,
            version: 0x0304,
            cipher: 0x1301,
            alert_in: Some(0),
            alert_out: None,
        }),
        body: Some(Body {
            len: 42,
            complete: true,
            fields: vec!["user".into(), "password".into()],
            redactions: vec![Redaction { offset: 5, kind: Secret::BodyValue }],
        }),
        accounts: vec![],
    }
}

fn counts() -> Counts<'static> {
    Counts {
        at: "2019-03-27T12:35:00Z".parse().unwrap(),
        listener: "dns-udp 127.0.0.1:53".into(),
        tally: Tally {
            recorded: 1000,
            collapsed: 5,
            shed: Shed { connections: 1, journal: 2, not_covered: 3, ..Shed::default() },
            lost_in_kernel: 4,
            loss_unknown: 1,
            ..Tally::default()
        },
    }
}

/// Compares with the committed file, or writes it where there is none yet.
fn compare(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if !path.exists() {
        std::fs::write(&path, found).unwrap();
        panic!("{name} was not there; it is now: read it, then commit it");
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(golden.trim_end(), found.trim_end(), "{name} has changed");
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.chunks(32).map(<[String]>::concat).collect::<Vec<_>>().join("\n") + "\n"
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn golden_bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    unhex(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn contacts_of_version_1_are_written_and_read_as_ever() {
    for (name, contact) in contacts() {
        let mut bytes = Vec::new();
        contact.encode(&mut bytes);
        compare(&format!("contact-{name}.v1.hex"), &hex(&bytes));
        let golden = golden_bytes(&format!("contact-{name}.v1.hex"));
        assert_eq!(Contact::decode(contact.id, &golden).unwrap(), contact);
    }
}

#[test]
fn outcomes_and_counts_of_version_1_are_written_and_read_as_ever() {
    let mut bytes = Vec::new();
    outcome().encode(&mut bytes);
    compare("outcome.v1.hex", &hex(&bytes));
    assert_eq!(Outcome::decode(id(8), &golden_bytes("outcome.v1.hex")).unwrap(), outcome());
    bytes.clear();
    counts().encode(&mut bytes);
    compare("counts.v1.hex", &hex(&bytes));
    assert_eq!(Counts::decode(&golden_bytes("counts.v1.hex")).unwrap(), counts());
}

#[test]
fn a_resumed_handshake_says_so_beside_what_it_always_said() {
    let tls = outcome().tls.map(|tls| Tls { resumed: true, ..tls });
    let outcome = Outcome { tls, ..outcome() };
    let mut bytes = Vec::new();
    outcome.encode(&mut bytes);
    compare("outcome-resumed.v1.hex", &hex(&bytes));
    assert_eq!(Outcome::decode(id(8), &golden_bytes("outcome-resumed.v1.hex")).unwrap(), outcome);
}

#[test]
fn sealed_accounts_stand_beside_what_an_outcome_was_before() {
    let accounts = [b"sealed".as_slice(), b"another"].map(Cow::Borrowed).to_vec();
    let outcome = Outcome { accounts, tls: None, body: None, ..outcome() };
    let mut bytes = Vec::new();
    outcome.encode(&mut bytes);
    compare("outcome-accounts.v1.hex", &hex(&bytes));
    assert_eq!(Outcome::decode(id(8), &golden_bytes("outcome-accounts.v1.hex")).unwrap(), outcome);
}

#[test]
fn what_became_of_answers_stands_beside_the_equation() {
    let answers = Answers { sent: 990, rate_slipped: 6, rate_dropped: 7 };
    let counts = Counts { tally: Tally { answers, ..counts().tally }, ..counts() };
    let mut bytes = Vec::new();
    counts.encode(&mut bytes);
    compare("counts-answers.v1.hex", &hex(&bytes));
    assert_eq!(Counts::decode(&golden_bytes("counts-answers.v1.hex")).unwrap(), counts);
    assert_eq!(counts.tally.offered(), 1_015);
}

#[test]
fn what_a_limit_cut_short_stands_beside_the_equation() {
    let cut_short = CutShort { evicted: 8, handshakes: 9, buffered: 10 };
    let counts = Counts { tally: Tally { cut_short, ..counts().tally }, ..counts() };
    let mut bytes = Vec::new();
    counts.encode(&mut bytes);
    compare("counts-cut-short.v1.hex", &hex(&bytes));
    assert_eq!(Counts::decode(&golden_bytes("counts-cut-short.v1.hex")).unwrap(), counts);
    assert_eq!(counts.tally.offered(), 1_015);
}

#[test]
fn what_there_was_no_room_for_is_told_by_reason() {
    let shed = Shed { repeats: 8, limited: 9, room: 10, ..counts().tally.shed };
    let stripped = Stripped { bodies: 11, raw: 12 };
    let counts = Counts { tally: Tally { shed, stripped, ..counts().tally }, ..counts() };
    let mut bytes = Vec::new();
    counts.encode(&mut bytes);
    compare("counts-room.v1.hex", &hex(&bytes));
    assert_eq!(Counts::decode(&golden_bytes("counts-room.v1.hex")).unwrap(), counts);
    assert_eq!(counts.tally.offered(), 1_042);
}

#[test]
fn facts_of_version_1_are_written_committed_to_and_read_as_ever() {
    let fact = Draft::new(
        Actor::Person { id: PersonId::parse("alice").unwrap() },
        FactBody::ApprovalVoided { request: RequestId(7), reason: "the list has changed".into() },
    )
    .under(&OrderId::parse("dcd-1-19-cv-00716").unwrap())
    .at(Position(9), "2019-03-27T12:34:56Z".parse().unwrap());
    let canonical = String::from_utf8(model::digest::canonical_json(&fact)).unwrap();
    compare("fact.v1.json", &canonical);
    compare("fact.v1.commitment", &fact.commitment(&[5; 32]).to_string());
    let golden = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact.v1.json"));
    assert_eq!(serde_json::from_str::<Fact>(&golden.unwrap()).unwrap(), fact);
}

fn order() -> (OrderTerms, Names) {
    let sourced = |value: &str| Sourced { value: value.to_owned(), source: Source::From("the signed paper".into()) };
    let authority = Authority {
        instrument: Instrument::CivilTro,
        country: None,
        issuer: sourced("United States District Court for the District of Columbia"),
        docket_number: Some(Sourced { value: "1:19-cv-00716".into(), source: Source::Unverified }),
        judge: None,
        issued: Some(Sourced { value: "2019-03-15".parse().unwrap(), source: Source::Unverified }),
        hearing: None,
        expires: Some(Sourced { value: "2019-03-29T21:00:00Z".parse().unwrap(), source: Source::Unverified }),
        sealed_until: None,
    };
    let id = OrderId::parse("dcd-1-19-cv-00716").unwrap();
    let terms = OrderTerms {
        id,
        authority,
        name_servers: vec![DomainName::parse("ns1.sinkhole.example").unwrap()],
        answers: None,
        registration: None,
    };
    let all = Listed { outcome: NameOutcome::Hold, acts: Act::ALL.into_iter().collect(), ..Listed::default() };
    let names = [("outlook-verify.net", Listed::default()), ("verify-linkedin.net", all)];
    (terms, names.map(|(name, listed)| (DomainName::parse(name).unwrap(), listed)).into())
}

/// An approval is bound to these bytes: if they changed, every approval that people gave would be void.
#[test]
fn what_two_people_approve_has_the_same_digest_as_ever() {
    let (terms, names) = order();
    compare("order.v1.json", &String::from_utf8(model::digest::canonical_json(&terms)).unwrap());
    compare("names.v1.digest", &names_digest(&names).to_string());
    let order = Order::draft(CaseId::parse("phosphorus-2019").unwrap(), terms.clone(), names);
    compare("order.v1.digest", &order.digest().to_string());
    let golden = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/order.v1.json"));
    assert_eq!(serde_json::from_str::<OrderTerms>(&golden.unwrap()).unwrap(), terms);
}

/// What an answer may set off, and a case's own answers, are in the digests only where they are said.
#[test]
fn effects_and_answers_have_lines_of_their_own_and_change_no_older_digest() {
    let (terms, mut names) = order();
    let name = DomainName::parse("kill-switch.example").unwrap();
    names.insert(name, Listed { answer_effect: AnswerEffect::KillSwitch, ..Listed::default() });
    compare("names-effect.v1.digest", &names_digest(&names).to_string());
    let (v4, v6) = (vec!["192.0.2.1".parse().unwrap()], vec!["2001:db8::1".parse().unwrap()]);
    let terms = OrderTerms { answers: Some(AnswerSet { v4, v6, ttl_secs: Some(60) }), ..terms };
    compare("order-answers.v1.json", &String::from_utf8(model::digest::canonical_json(&terms)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/order-answers.v1.json");
    assert_eq!(serde_json::from_str::<OrderTerms>(&std::fs::read_to_string(path).unwrap()).unwrap(), terms);
}

#[test]
fn a_lifted_seal_of_version_1_is_written_committed_to_and_read_as_ever() {
    let fact = Draft::new(
        Actor::Person { id: PersonId::parse("bob").unwrap() },
        FactBody::OrderUnsealed {
            case: CaseId::parse("phosphorus-2019").unwrap(),
            order: OrderId::parse("dcd-1-19-cv-00716").unwrap(),
            request: RequestId(7),
        },
    )
    .at(Position(11), "2019-03-27T12:34:56Z".parse().unwrap());
    compare("fact-unsealed.v1.json", &String::from_utf8(model::digest::canonical_json(&fact)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-unsealed.v1.json");
    assert_eq!(serde_json::from_str::<Fact>(&std::fs::read_to_string(path).unwrap()).unwrap(), fact);
}

#[test]
fn a_retirement_of_verdicts_of_version_1_is_written_and_read_as_ever() {
    let files = |of: u8| FileSet { files: 1, octets: 200, digest: Digest([of; 32]) };
    let day = "2019-03-27".parse().unwrap();
    let body = FactBody::VerdictsRetired { day, verdicts: 7, before: files(1), after: files(2) };
    let fact =
        Draft::new(Actor::LocalUser { uid: 1000 }, body).at(Position(12), "2019-04-27T12:34:56Z".parse().unwrap());
    compare("fact-retired.v1.json", &String::from_utf8(model::digest::canonical_json(&fact)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-retired.v1.json");
    assert_eq!(serde_json::from_str::<Fact>(&std::fs::read_to_string(path).unwrap()).unwrap(), fact);
}

#[test]
fn a_replay_of_version_1_is_written_committed_to_and_read_as_ever() {
    let fact = Draft::new(
        Actor::LocalUser { uid: 1000 },
        FactBody::HistoryReplayed {
            generation: Digest([5; 32]).to_string(),
            since: "2019-03-27T00:00:00Z".parse().unwrap(),
            until: "2019-04-27T12:33:56Z".parse().unwrap(),
            verdicts: 12_345,
        },
    )
    .at(Position(12), "2019-04-27T12:34:56Z".parse().unwrap());
    compare("fact-replayed.v1.json", &String::from_utf8(model::digest::canonical_json(&fact)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-replayed.v1.json");
    assert_eq!(serde_json::from_str::<Fact>(&std::fs::read_to_string(path).unwrap()).unwrap(), fact);
}

#[test]
fn captured_records_of_version_1_are_written_committed_to_and_read_as_ever() {
    let fact = Draft::new(
        Actor::Person { id: PersonId::parse("alice").unwrap() },
        FactBody::RecordsCaptured {
            case: CaseId::parse("phosphorus-2019").unwrap(),
            name: DomainName::parse("outlook-verify.net").unwrap(),
            source: "the owner's export".into(),
            file: Digest([4; 32]),
            count: 12,
        },
    )
    .at(Position(10), "2019-03-27T12:34:56Z".parse().unwrap());
    compare("fact-captured.v1.json", &String::from_utf8(model::digest::canonical_json(&fact)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-captured.v1.json");
    assert_eq!(serde_json::from_str::<Fact>(&std::fs::read_to_string(path).unwrap()).unwrap(), fact);
}

#[test]
fn what_sensors_do_is_written_committed_to_and_read_as_ever() {
    let name = SensorName::parse("fra-1").unwrap();
    let expires = "2019-03-28T12:34:56Z".parse().unwrap();
    let bodies = [
        FactBody::EnrolmentOffered { name: name.clone(), token: Digest([1; 32]), expires },
        FactBody::SensorEnrolled { sensor: 2, name, token: Digest([1; 32]), certificate: Digest([2; 32]) },
        FactBody::SensorRevoked { sensor: 2, reason: "sold".into() },
        FactBody::SensorContradicted {
            sensor: 2,
            segment: "00000002/00000003/0001/0000000a".into(),
            kept: Some(Digest([3; 32])),
            sent: Digest([4; 32]),
        },
        FactBody::SegmentsLost { sensor: 2, boot: 3, lane: 1, from: 4, until: 7 },
    ];
    let fact = |(at, body)| {
        Draft::new(Actor::Room { name: "sensors".into() }, body)
            .at(Position(at), "2019-03-27T12:34:56Z".parse().unwrap())
    };
    let facts: Vec<Fact> = (20..).zip(bodies).map(fact).collect();
    let lines: Vec<String> =
        facts.iter().map(|fact| String::from_utf8(model::digest::canonical_json(fact)).unwrap()).collect();
    compare("fact-sensors.v1.jsonl", &lines.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-sensors.v1.jsonl");
    let golden = std::fs::read_to_string(path).unwrap();
    let read: Vec<Fact> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, facts);
}

#[test]
fn a_receipt_of_version_1_is_written_and_read_as_ever() {
    let segment = SegmentKey { sensor: SensorId(2), boot: Boot(3), lane: Lane(1), number: 10 };
    let received = "2019-03-27T12:34:56.5Z".parse().unwrap();
    let receipt = Receipt { segment, digest: Digest([5; 32]), octets: 64, received };
    compare("receipt.v1.json", &String::from_utf8(model::digest::canonical_json(&receipt)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/receipt.v1.json");
    assert_eq!(serde_json::from_str::<Receipt>(&std::fs::read_to_string(path).unwrap()).unwrap(), receipt);
}

#[test]
fn facts_about_retention_and_backups_of_version_1_are_written_and_read_as_ever() {
    let case = || CaseId::parse("phosphorus-2019").unwrap();
    let files = |of: u8| FileSet { files: 1, octets: 200, digest: Digest([of; 32]) };
    let parts = vec![
        PurgedPart { part: RecordPart::Raw, apex: None, rows: 7 },
        PurgedPart { part: RecordPart::Contacts, apex: DomainName::parse("outlook-verify.net").ok(), rows: 3 },
    ];
    let day = "2019-03-27".parse().unwrap();
    let bodies = [
        FactBody::Purged { case: Some(case()), day, parts, before: files(1), after: files(2) },
        FactBody::Purged { case: None, day, parts: Vec::new(), before: files(1), after: files(2) },
        FactBody::JournalPurged { before: day, segments: files(3) },
        FactBody::HoldPlaced { case: case(), reason: "a letter of counsel".into() },
        FactBody::HoldReleased { case: case(), hold: Position(12), request: RequestId(13) },
        FactBody::BackupTaken { backup: Digest([4; 32]), facts: Position(9), files: 12, octets: 3_400 },
        FactBody::Restored { backup: Digest([4; 32]), facts: Position(9) },
    ];
    let at = "2019-06-27T12:34:56Z".parse().unwrap();
    let room = || Actor::Room { name: "retention".into() };
    let facts: Vec<Fact> =
        (9..).zip(bodies).map(|(place, body)| Draft::new(room(), body).at(Position(place), at)).collect();
    compare("fact-retention.v1.json", &String::from_utf8(model::digest::canonical_json(&facts)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-retention.v1.json");
    assert_eq!(serde_json::from_str::<Vec<Fact>>(&std::fs::read_to_string(path).unwrap()).unwrap(), facts);
}

#[test]
fn requests_and_approvals_of_version_1_are_written_and_read_as_ever() {
    let (terms, names) = order();
    let what = Widening::Serve(Serve { order: terms.id, names: names_digest(&names), count: 2 });
    let (id, shown) = (RequestId(5), Digest([9; 32]));
    let request =
        approval::Request { id, case: CaseId::parse("phosphorus-2019").unwrap(), what, shown, exercise: true };
    let person = PersonId::parse("alice").unwrap();
    let approval = Approval { request: id, person, role: Role::Investigator, shown };
    let both = serde_json::json!({ "approval": approval, "request": request });
    compare("approval.v1.json", &String::from_utf8(model::digest::canonical_json(&both)).unwrap());
    let golden = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/approval.v1.json"));
    let golden: serde_json::Value = serde_json::from_str(&golden.unwrap()).unwrap();
    assert_eq!(serde_json::from_value::<approval::Request>(golden["request"].clone()).unwrap(), request);
    assert_eq!(serde_json::from_value::<Approval>(golden["approval"].clone()).unwrap(), approval);
}

#[test]
fn a_reader_skips_fields_that_it_does_not_know_and_names_those_that_are_missing() {
    let (_, contact) = contacts().remove(0);
    let mut bytes = Vec::new();
    contact.encode(&mut bytes);
    model::frame::put_bytes(&mut bytes, 999, b"from a newer program");
    assert_eq!(Contact::decode(contact.id, &bytes).unwrap(), contact);
    assert_eq!(Contact::decode(contact.id, b"").unwrap_err().to_string(), "field 1 is missing");
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_panic_a_decoder(bytes: Vec<u8>) {
            let _ = Contact::decode(id(0), &bytes);
            let _ = Outcome::decode(id(0), &bytes);
            let _ = Counts::decode(&bytes);
        }

        #[test]
        fn never_panic_it_either_when_a_frame_is_bent(at in 0usize..400, to: u8, which in 0usize..6) {
            let (_, contact) = contacts().remove(which);
            let mut bytes = Vec::new();
            contact.encode(&mut bytes);
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = Contact::decode(contact.id, &bytes);
        }
    }
}
