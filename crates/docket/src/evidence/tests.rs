//! Evidence from keeping to a letter, over a ledger in memory.

use model::evidence::{ExhibitKind, Tool};
use model::notification::{Recipient, ReportState, Sending};
use model::person::Role;
use model::{Digest, DomainName, Timestamp};

use super::letter::{Letter, Reporter, reference};
use super::page::Form;
use super::*;
use crate::Done;
use crate::command::Command;
use crate::decide::book::{Book, as_person, case, import, now, person, someone, text};

fn book() -> Book {
    let mut book = Book::default();
    for (id, role) in [("alice", Role::Investigator), ("paul", Role::Partner)] {
        book.execute(&Command::EnrolPerson { person: person(id, &[role], false) }, &someone()).unwrap();
    }
    book.execute(&import(&text("c-1", "civil-tro")), &someone()).unwrap();
    book
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn draft() -> ExhibitDraft {
    ExhibitDraft {
        kind: ExhibitKind::Page,
        name: Some(name("www.login-harbour.example")),
        file_name: "page.html".into(),
        media_type: "text/html".into(),
        captured: "2026-03-20T11:59:00Z".parse().unwrap(),
        mark: Some("Harbour".into()),
        note: Some("<script>alert(1)</script> at https://login-harbour.example/".into()),
        source: Some("https://www.login-harbour.example/in".into()),
        tool: Some(Tool { name: "bailiwick".into(), version: "0.1.0".into() }),
        failed: false,
    }
}

const PAGE: &[u8] = b"<script src=https://evil.example/x.js></script>\x1b[2J";

fn keep(draft: ExhibitDraft, octets: &[u8]) -> Command {
    Command::KeepExhibit { case: case("c-1"), exhibit: Box::new(draft), octets: octets.to_vec() }
}

fn with_page() -> Book {
    let mut book = book();
    assert_eq!(
        book.execute(&keep(draft(), PAGE), &as_person("alice")).unwrap(),
        Done::ExhibitKept { number: 1, new: true }
    );
    book
}

//----------- Keeping ----------------------------------------------------------------------------------------------

#[test]
fn an_exhibit_has_a_number_and_the_same_one_twice_is_one() {
    let mut book = with_page();
    let again = book.execute(&keep(draft(), PAGE), &as_person("alice")).unwrap();
    assert_eq!(again, Done::ExhibitKept { number: 1, new: false });
    let later = ExhibitDraft { captured: now(), ..draft() };
    assert_eq!(
        book.execute(&keep(later, PAGE), &as_person("alice")).unwrap(),
        Done::ExhibitKept { number: 2, new: true }
    );
    let kept = &book.view.cases[&case("c-1")].evidence.exhibits;
    assert_eq!((kept.len(), kept[0].exhibit.file, kept[0].added), (2, Digest::of_bytes(PAGE), now()));
}

#[test]
fn what_is_no_evidence_of_the_case_is_refused() {
    let mut book = book();
    let late: Timestamp = "2026-03-20T12:06:00Z".parse().unwrap();
    for (draft, octets, why) in [
        (draft(), &b""[..], "0 octets"),
        (ExhibitDraft { name: Some(name("harbour.example")), ..draft() }, PAGE, "lists neither"),
        (ExhibitDraft { file_name: "../page".into(), ..draft() }, PAGE, "no file name"),
        (ExhibitDraft { captured: late, ..draft() }, PAGE, "yet to come"),
        (ExhibitDraft { note: Some("n".repeat(1001)), ..draft() }, PAGE, "the note has more"),
    ] {
        let refusal = book.execute(&keep(draft, octets), &as_person("alice")).unwrap_err();
        assert!(refusal.what.contains(why), "{refusal}");
    }
    for actor in [someone(), as_person("paul")] {
        assert!(book.execute(&keep(draft(), PAGE), &actor).is_err());
    }
    assert_eq!(file_name_of("../../etc/pass wd"), "-..-etc-pass-wd");
}

//----------- Time-stamps ------------------------------------------------------------------------------------------

#[test]
fn a_request_is_the_der_that_openssl_reads() {
    let asked = tsp::request(&Digest([0xab; 32]), 0x80);
    let head =
        [0x30, 0x3d, 2, 1, 1, 0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    assert_eq!(asked[..head.len()], head);
    assert_eq!(asked[head.len() + 32..], [2, 2, 0, 0x80, 1, 1, 0xff]);
}

#[test]
fn a_token_is_kept_for_the_exhibit_that_it_is_over() {
    let mut book = with_page();
    let stamp =
        |octets: Vec<u8>| Command::StampExhibit { case: case("c-1"), exhibit: 1, authority: "a test".into(), octets };
    let good = tsp::answer(0, &Digest::of_bytes(PAGE), "20260320115930.5Z");
    for (octets, why) in [
        (tsp::answer(2, &Digest::of_bytes(PAGE), "20260320115930Z"), "status 2"),
        (tsp::answer(0, &Digest([1; 32]), "20260320115930Z"), "the token is for"),
        (tsp::answer(0, &Digest::of_bytes(PAGE), "soon"), "time"),
        (vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "no DER"),
        (vec![0; crate::decide::TOKEN_OCTETS_MAX + 1], "at most"),
    ] {
        let refusal = book.execute(&stamp(octets), &as_person("alice")).unwrap_err();
        assert!(refusal.what.contains(why), "{refusal}");
    }
    for end in 0..good.len() {
        assert_eq!(tsp::read(&good[..end]), Err(tsp::TspError::Shape), "cut at {end}");
    }
    let at = "2026-03-20T11:59:30.5Z".parse().unwrap();
    assert_eq!(
        book.execute(&stamp(good.clone()), &as_person("alice")).unwrap(),
        Done::ExhibitStamped { number: 1, at }
    );
    assert_eq!(tsp::read(&good).unwrap().nonce, Some(u64::MAX));
    assert!(book.execute(&stamp(good), &as_person("alice")).is_ok(), "the same one twice is one");
    let later = tsp::answer(0, &Digest::of_bytes(PAGE), "20260320120000Z");
    let refusal = book.execute(&stamp(later), &as_person("alice")).unwrap_err();
    assert!(refusal.what.contains("states 2026-03-20T11:59:30.5Z"), "{refusal}");
    let kept = book.view.cases[&case("c-1")].evidence.exhibits[0].stamp.clone().unwrap();
    assert_eq!((kept.at, kept.authority.as_str()), (at, "a test, as stated by alice"));
}

//----------- Paper ------------------------------------------------------------------------------------------------

#[test]
fn a_page_of_exhibits_runs_loads_and_links_nothing() {
    let book = with_page();
    let manifest = pack::Manifest::of(&book.view.cases[&case("c-1")], now(), "bailiwick 0.1.0");
    let page = page::exhibits(&manifest, |number| (number == 1).then(|| PAGE.to_vec()));
    for inert in ["<script", "https://", "login-harbour.example", "evil.example", "\u{1b}", "<a ", "href="] {
        assert!(!page.contains(inert), "{inert} in {page}");
    }
    for shown in [
        "login-harbour[.]example",
        "&lt;script&gt;",
        "hxxps://",
        "unchanged since it was kept",
        &Digest::of_bytes(PAGE).to_string(),
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let lost = page::exhibits(&manifest, |_| None);
    assert!(lost.contains("The file is not here."));
    insta::assert_snapshot!("manifest", String::from_utf8(manifest.canonical()).unwrap());
}

#[test]
fn a_certificate_is_a_draft_for_a_named_person() {
    let book = with_page();
    let manifest = pack::Manifest::of(&book.view.cases[&case("c-1")], now(), "bailiwick 0.1.0");
    let fre = page::certificate(&manifest, "Ada <Lovelace>", Form::Fre902);
    let neutral = page::certificate(&manifest, "Ada", Form::Statement);
    for law in ["902(13)", "902(14)", "1746"] {
        assert!(fre.contains(law) && !neutral.contains(law), "{law}");
    }
    assert!(fre.contains("Ada &lt;Lovelace&gt;") && fre.contains("DRAFT") && neutral.contains("DRAFT"));
    assert!(fre.contains(&Digest::of_bytes(PAGE).to_string()));
}

#[test]
fn sums_are_as_sha256sum_reads_them() {
    let told = pack::sums([("b", Digest([1; 32])), ("a", Digest([2; 32]))]);
    assert_eq!(told, format!("{}  a\n{}  b\n", "02".repeat(32), "01".repeat(32)));
    assert!(pack::key_as_pem(&[0; 32]).contains("MCowBQYDK2VwAyEA"));
}

//----------- Reports ----------------------------------------------------------------------------------------------

fn report(escalates: Option<u32>) -> ReportDraft {
    let to = if escalates.is_some() { Recipient::Registry } else { Recipient::Registrar };
    ReportDraft {
        reference: reference(&case("c-1"), &name("login-harbour.example"), to, now()),
        name: name("login-harbour.example"),
        to,
        address: "abuse@registrar.example".into(),
        address_source: "rdap".into(),
        urls: vec!["https://www.login-harbour.example/in".into()],
        mark: Some("Harbour".into()),
        exhibits: vec![1],
        due: "2026-03-23T12:00:00Z".parse().unwrap(),
        escalates,
    }
}

fn make(draft: ReportDraft) -> Command {
    Command::MakeReport { case: case("c-1"), report: Box::new(draft), letter: "l".into(), xarf: "{}".into() }
}

fn answer(report: u32, to: ReportState) -> Command {
    Command::NoteAnswer { case: case("c-1"), report, to, note: "ticket 7".into(), exhibit: None }
}

fn sent(report: u32) -> Command {
    let sending = Sending { at: now(), channel: "mail".into(), proof: "250 ok".into(), message: None };
    Command::NoteSending { case: case("c-1"), report, sending, message: Some(b"From: desk".to_vec()) }
}

#[test]
fn somebody_else_is_asked_only_with_proof_that_the_first_was() {
    let mut book = with_page();
    let alice = as_person("alice");
    for (draft, why) in [
        (ReportDraft { exhibits: vec![], ..report(None) }, "not actionable"),
        (ReportDraft { exhibits: vec![9], ..report(None) }, "no exhibit 9"),
        (ReportDraft { urls: vec![], ..report(None) }, "URLs"),
        (report(Some(1)), "no report 1"),
    ] {
        let refusal = book.execute(&make(draft), &alice).unwrap_err();
        assert!(refusal.what.contains(why), "{refusal}");
    }
    assert_eq!(book.execute(&make(report(None)), &alice).unwrap(), Done::ReportMade { number: 1 });
    assert!(book.execute(&make(report(Some(1))), &alice).unwrap_err().what.contains("queued"));
    book.execute(&sent(1), &alice).unwrap();
    assert!(book.execute(&make(report(Some(1))), &alice).unwrap_err().what.contains("has time to answer until"));
    let other = ReportDraft { name: name("mail-harbour.example"), ..report(Some(1)) };
    assert!(book.execute(&make(other), &alice).unwrap_err().what.contains("is about login-harbour[.]example"));
    book.execute(&answer(1, ReportState::Refused), &alice).unwrap();
    assert_eq!(book.execute(&make(report(Some(1))), &alice).unwrap(), Done::ReportMade { number: 2 });
    let reports = &book.view.cases[&case("c-1")].evidence.reports;
    assert_eq!((reports[0].state, reports[0].escalated), (ReportState::Escalated, Some(2)));
    assert!(book.execute(&answer(1, ReportState::Acted), &alice).is_err());
}

#[test]
fn while_a_case_is_sealed_only_what_anybody_sees_goes_out() {
    let mut book = Book::default();
    book.execute(&Command::EnrolPerson { person: person("alice", &[Role::Investigator], false) }, &someone()).unwrap();
    let seal = "issued = { value = 2026-03-15, source = \"the paper\" }\nsealed_until = { value = 2026-04-15, source = \"the paper\" }";
    let sealed = text("c-1", "civil-tro").replacen("issued = { value = 2026-03-15, source = \"the paper\" }", seal, 1);
    let alice = as_person("alice");
    book.execute(&import(&sealed), &alice).unwrap();
    book.execute(&keep(draft(), PAGE), &alice).unwrap();
    let paper = ExhibitDraft { kind: ExhibitKind::Declaration, ..draft() };
    book.execute(&keep(paper, b"I saw it."), &alice).unwrap();
    let both = ReportDraft { exhibits: vec![1, 2], ..report(None) };
    let refusal = book.execute(&make(both), &alice).unwrap_err();
    assert!(refusal.what.contains("exhibit 2 is a declaration"), "{refusal}");
    assert_eq!(book.execute(&make(report(None)), &alice).unwrap(), Done::ReportMade { number: 1 });
}

#[test]
fn a_letter_says_what_where_when_and_who_was_asked_first_and_nothing_of_the_case() {
    let mut book = with_page();
    for command in [make(report(None)), sent(1), answer(1, ReportState::Refused)] {
        book.execute(&command, &as_person("alice")).unwrap();
    }
    let evidence = &book.view.cases[&case("c-1")].evidence;
    let reporter = Reporter { organisation: "Harbour Desk".into(), contact: "desk@harbour.example".into() };
    let (draft, exhibits) = (report(Some(1)), vec![&evidence.exhibits[0].exhibit]);
    let letter = Letter {
        reporter: &reporter,
        draft: &draft,
        exhibits: &exhibits,
        first: evidence.report(1),
        exercise: false,
        now: now(),
    };
    let told = letter.to_text();
    insta::assert_snapshot!("letter", told);
    for secret in ["c-1", "A court", "Harbour Crew"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert!(letter.to_html().contains("Content-Security-Policy"));
    let alone = Letter { first: None, ..letter };
    assert!(told.contains("has been asked") && !alone.to_text().contains("has been asked"));
    let xarf = xarf::report(&letter, xarf::Abuse::Phishing, |_| Some(PAGE.to_vec()));
    insta::assert_json_snapshot!("xarf", xarf);
}

#[test]
fn an_abuse_contact_is_found_within_the_registrar_and_never_carries_a_header() {
    let answer = |address: &str| {
        serde_json::json!({ "entities": [
            { "roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "other@host.example"]]] },
            { "roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", "Registrar Ltd"]]],
              "entities": [{ "roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", address]]] }] },
        ]})
        .to_string()
    };
    let found = rdap::abuse_contact(answer("abuse@registrar.example").as_bytes(), Recipient::Registrar).unwrap();
    assert_eq!(
        (found.address.as_str(), found.organisation.as_deref()),
        ("abuse@registrar.example", Some("Registrar Ltd"))
    );
    let found =
        rdap::abuse_contact(answer("a@b.example\r\nBcc: c@d.example").as_bytes(), Recipient::Registrar).unwrap();
    assert_eq!(found.address, "other@host.example");
    assert_eq!(rdap::abuse_contact(b"{}", Recipient::Registrar), Err(rdap::RdapError::NoContact));
    let deep = "{\"entities\":[".repeat(50) + &"]}".repeat(50);
    assert_eq!(rdap::abuse_contact(deep.as_bytes(), Recipient::Registrar), Err(rdap::RdapError::NoContact));
    let long = vec![b' '; crate::rdap::ANSWER_OCTETS_MAX + 1];
    let too_large = rdap::RdapError::Unread(crate::rdap::Unread::TooLarge);
    assert_eq!(rdap::abuse_contact(&long, Recipient::Registrar), Err(too_large));
    let found = rdap::abuse_contact(answer("abuse@registrar.example").as_bytes(), Recipient::Host).unwrap();
    assert_eq!(found.address, "other@host.example");
    let only = serde_json::json!({ "entities": [
        { "roles": ["registrar", "abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@registrar.example"]]] },
    ]});
    let refused = rdap::abuse_contact(only.to_string().as_bytes(), Recipient::Cdn);
    assert_eq!(refused, Err(rdap::RdapError::OfRegistrar));
}

//----------- Privacy ----------------------------------------------------------------------------------------------

#[test]
fn what_a_case_leaves_out_of_its_record_is_not_stated() {
    let mut book = with_page();
    let record = privacy::Record::of(&book.view.cases[&case("c-1")], Default::default());
    assert_eq!(record.not_stated, ["controller", "officer", "legal_basis", "recipients", "transfers", "security"]);
    assert!(record.to_text().contains("controller     not stated"), "{}", record.to_text());
    let said = text("c-2", "civil-tro").replace("o-c-2", "o-2").replace("[group]", "[case.privacy]\ncontroller = \"Harbour Ltd\"\nlegal_basis = \"Art. 6(1)(f) GDPR\"\nrecipients = [\"CERT\"]\n[group]");
    let said = said.replace("-harbour.example", "-haven.example");
    book.execute(&import(&said), &someone()).unwrap();
    let record = privacy::Record::of(&book.view.cases[&case("c-2")], Default::default());
    insta::assert_snapshot!("record_of_processing", record.to_text());
}

//----------- DNS --------------------------------------------------------------------------------------------------

#[test]
fn an_answer_of_dns_is_told_as_text_with_its_octets() {
    use domain::base::iana::Rtype;
    let name = name("login-harbour.example");
    let asked = dns::question(&name, Rtype::A);
    assert_eq!((&asked[..6], asked.len()), (&[0, 0, 1, 0, 0, 1][..], 12 + 23 + 4));
    let mut answer = asked.clone();
    (answer[2], answer[3], answer[7]) = (0x81, 0x80, 1);
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    let told = dns::told(&name, Rtype::A, &answer);
    assert!(told.contains("NOERROR") && told.contains("192.0.2.1") && told.contains("; octets 0000"), "{told}");
    assert!(dns::told(&name, Rtype::A, b"no").contains("no DNS message"));
}

#[test]
fn a_provider_that_refuses_gives_alarm_until_somebody_goes_on_from_there() {
    let mut book = with_page();
    for command in [make(report(None)), sent(1)] {
        book.execute(&command, &as_person("alice")).unwrap();
    }
    assert_eq!(crate::watch::tests::turn(&mut book, now()), [""; 0]);
    book.execute(&answer(1, ReportState::Refused), &as_person("alice")).unwrap();
    assert_eq!(crate::watch::tests::turn(&mut book, now()), ["raised refused report-1"]);
    assert_eq!(crate::watch::tests::turn(&mut book, now()), [""; 0]);
    book.execute(&make(report(Some(1))), &as_person("alice")).unwrap();
    assert_eq!(crate::watch::tests::turn(&mut book, now()), ["cleared refused report-1"]);
}
