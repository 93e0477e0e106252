use proptest::prelude::*;

use super::*;
use crate::casefile;
use crate::decide::book::{Book, case, import, now, someone, text};

fn files(all: &[(Kind, &str)]) -> Files {
    let bundle = all.iter().map(|(kind, text)| (format!("{}:f", kind.as_str()), text.as_bytes().to_vec())).collect();
    Files::read(Bundle(bundle)).unwrap()
}

fn book() -> Book {
    let mut book = Book::default();
    book.execute(&import(&text("c-1", "exercise")), &someone()).unwrap();
    book
}

fn found(book: &Book, files: &Files) -> Related {
    related(&book.view, &book.view.cases[&case("c-1")], files, &|_| true)
}

fn row(name: &str, kind: &str, data: &str) -> String {
    format!("{{\"rrname\":\"{name}\",\"rrtype\":\"{kind}\",\"rdata\":\"{data}\"}}\n")
}

fn names(related: &Related) -> Vec<&str> {
    related.names.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn what_shares_a_server_a_certificate_or_a_registrant_is_found_and_what_is_listed_is_not() {
    let pdns = [
        row("login-harbour.example", "NS", "ns1.crew.example"),
        row("www.verify-harbour.example", "NS", "ns1.crew.example"),
        row("mail-harbour.example", "NS", "ns1.crew.example"),
        row("stranger.example", "NS", "ns9.other.example"),
    ]
    .concat();
    let ct = r#"[{"id":1,"serial_number":"0a","issuer_ca_id":1,"name_value":"mail-harbour.example\npier.example"}]"#;
    let registered = |name: &str, mail: &str| {
        format!(
            r#"{{"objectClassName":"domain","ldhName":"{name}","events":[{{"eventAction":"registration","eventDate":"2026-01-01T10:20:00Z"}}],
            "entities":[{{"roles":["registrar"],"handle":"R-1"}},{{"roles":["registrant"],"vcardArray":["vcard",[["email",{{}},"text","{mail}"]]]}}]}}"#
        )
    };
    let rdap =
        registered("login-harbour.example", "crew@post.example") + &registered("quay.example", "crew@post.example");
    let book = book();
    let related = found(&book, &files(&[(Kind::PassiveDns, &pdns), (Kind::Certificates, ct), (Kind::Rdap, &rdap)]));
    assert_eq!(names(&related), ["quay.example", "pier.example", "verify-harbour.example"]);
    assert_eq!(related.names[0].score, 87, "{:?}", related.names[0].reasons);
    let reason = &related.names[2].reasons[0];
    assert_eq!((reason.kind, reason.points), (ReasonKind::NameServer, 60));
    assert_eq!(reason.what, "ns1[.]crew[.]example with login-harbour[.]example, mail-harbour[.]example");
}

#[test]
fn what_is_related_is_so_to_the_orders_as_they_are_amended() {
    use crate::casefile::amend;
    use crate::command::Command;
    use crate::decide::book::as_person;
    let mut book = crate::custody::tests::served();
    let bring = |book: &mut Book, text: &str| {
        let head = "[amendment]\norder = \"o-c-1\"\nkind = \"amended\"\nsource = \"the paper\"\nissued = { value = 2026-03-18, source = \"x\" }\n";
        let text = format!("{head}{text}");
        let file = Box::new(amend::parse(&text).unwrap());
        book.execute(&Command::AmendOrder { case: case("c-1"), file, text }, &as_person("ada")).unwrap();
    };
    let shares = |name: &str, server: &str| row(name, "NS", server);
    let pdns = [
        shares("login-harbour.example", "ns1.owner.example"),
        shares("shop.example", "ns1.owner.example"),
        shares("quay.example", "ns1.crew.example"),
        shares("pier.example", "ns1.crew.example"),
    ]
    .concat();
    let related = |book: &Book| {
        let found = found(book, &files(&[(Kind::PassiveDns, &pdns)]));
        names(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(related(&book), ["shop.example"]);
    bring(&mut book, "[[remove]]\nsource = \"x\"\nnames = [\"login-harbour.example\"]\n");
    assert_eq!(related(&book), [""; 0], "what left the order is no reason, and is not found anew");
    bring(&mut book, "[[add]]\nsource = \"x\"\nnames = [\"quay.example\"]\n");
    assert_eq!(related(&book), ["pier.example"], "what is proposed to come in is listed");
}

#[test]
fn an_address_of_thousands_is_no_reason_and_that_is_said() {
    let strangers: String = (0..3_000).map(|at| row(&format!("s{at}.example"), "A", "192.0.2.9")).collect();
    let pdns = row("login-harbour.example", "A", "192.0.2.9") + &strangers;
    let related = found(&book(), &files(&[(Kind::PassiveDns, &pdns)]));
    assert_eq!(names(&related), Vec::<&str>::new());
    assert_eq!((related.hubs[0].what.as_str(), related.hubs[0].listed), ("192.0.2.9", 1));
    assert!(related.to_text().contains("192[.]0[.]2[.]9"), "{}", related.to_text());
}

#[test]
fn suspects_and_indicators_of_the_house_come_in() {
    let mut book = book();
    let suspect = store::view::SuspectView { score: 90, reasons: vec!["a lure".into()], found: now() };
    book.view.suspects.insert(DomainName::parse("harbour-verify.example").unwrap(), suspect);
    let indicator = model::fact::Indicator {
        kind: model::fact::IndicatorKind::HostName,
        value: "c2.anchor.example".into(),
        apex: DomainName::parse("login-harbour.example").unwrap(),
        first_seen: now(),
        last_seen: now(),
        contacts: 3,
        addresses: 2,
    };
    book.view.indicators.push((case("c-1"), GroupId::parse("harbour-crew").unwrap(), indicator));
    assert_eq!(names(&found(&book, &Files::default())), ["harbour-verify.example", "anchor.example"]);
    let of_seen = related(&book.view, &book.view.cases[&case("c-1")], &Files::default(), &|_| false);
    assert_eq!(names(&of_seen), ["harbour-verify.example"], "the indicator is of a case that is not seen");
}

#[test]
fn the_draft_is_a_case_file_that_reads_and_names_what_was_strong() {
    let pdns = [
        row("login-harbour.example", "A", "192.0.2.1"),
        row("verify-harbour.example", "A", "192.0.2.1"),
        row("harbour.duckdns.org", "A", "192.0.2.1"),
    ]
    .concat();
    let book = book();
    let related = found(&book, &files(&[(Kind::PassiveDns, &pdns)]));
    let text = draft(&book.view.cases[&case("c-1")], &related).unwrap();
    let file = casefile::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    assert_eq!((file.terms.id.as_str(), file.name_count()), ("c-1-supplement", 2));
    assert!(file.orders[0].terms.authority.is_exercise());
    assert_eq!(
        file.lists.iter().map(|list| list.outcome.as_str()).collect::<Vec<_>>(),
        ["redirect", "provider-removal"]
    );
    assert_eq!(draft(&book.view.cases[&case("c-1")], &Related::default()), None);
}

proptest! {
    #[test]
    fn whatever_others_saw_scores_stay_in_bounds_and_the_draft_reads(
        rows in proptest::collection::vec((0..6usize, 0..4u8, any::<bool>()), 0..40)
    ) {
        let all = ["login-harbour.example", "a\u{e9}.example", "b.duckdns.org", "co.uk", "mail-harbour.example", "c-harbour.example"];
        let pdns: String = rows.iter().map(|(name, at, ns)| {
            if *ns { row(all[*name], "NS", &format!("ns{at}.host.example")) } else { row(all[*name], "A", &format!("192.0.2.{at}")) }
        }).collect();
        let book = book();
        let related = found(&book, &files(&[(Kind::PassiveDns, &pdns)]));
        prop_assert!(related.names.iter().all(|one| (1..=100).contains(&one.score) && !one.reasons.is_empty()));
        if let Some(text) = draft(&book.view.cases[&case("c-1")], &related) {
            prop_assert!(casefile::parse(&text).is_ok(), "{}", text);
        }
    }
}
