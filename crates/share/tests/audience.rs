//! Stories of who sees what: withheld networks, seals, lights, exercises, acts. Every format, every audience.

mod golden;

use std::net::{IpAddr, Ipv4Addr};

use bailiwick_share::{Document, Format, Snapshot, render};
use golden::{Terms, case_id, indicator, name, request, sightings};
use model::address::Asn;
use model::fact::IndicatorKind;
use model::marking::{Audience, Tlp};
use model::order::{Act, Instrument};
use model::verdict::Label;
use proptest::prelude::*;
use store::archive::Sighting;

const AUDIENCES: [Audience; 5] =
    [Audience::Public, Audience::Partners, Audience::NetworkOwners, Audience::Court, Audience::Internal];

fn snapshot(terms: &Terms, sightings: &[Sighting]) -> Snapshot {
    Snapshot::gather(&terms.view(), sightings, &case_id()).unwrap()
}

/// Everything that anybody gets of the snapshot.
fn documents(snapshot: &Snapshot) -> Vec<(Format, Audience, Document)> {
    let pairs = Format::ALL.into_iter().flat_map(|format| AUDIENCES.map(|audience| (format, audience)));
    pairs.filter_map(|(format, audience)| Some((format, audience, render(format, snapshot, audience).ok()?))).collect()
}

fn text(document: &Document) -> String {
    format!("{}\n{}", document.file_name, String::from_utf8(document.bytes.clone()).unwrap())
}

//----------- Withheld ---------------------------------------------------------------------------------------------

/// The ways in which an address is written, as a reader of a feed would search for it.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    vec![
        address.to_string(),
        format!("{a}-{b}-{c}-{d}"),
        format!("{d}.{c}.{b}.{a}"),
        format!("{a}%2e{b}%2e{c}%2e{d}"),
        format!("{a}[.]{b}[.]{c}[.]{d}"),
        format!("{:08x}", address.to_bits()),
        address.to_bits().to_string(),
        format!("::ffff:{:x}:{:x}", address.to_bits() >> 16, address.to_bits() & 0xffff),
    ]
}

/// Whether the text holds the spelling, and not as a part of a longer number.
fn holds(text: &str, spelling: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(spelling).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let after = text[at + spelling.len()..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        !before && !after
    })
}

fn assert_absent(snapshot: &Snapshot, address: Ipv4Addr) {
    for (format, audience, document) in documents(snapshot) {
        for spelling in spellings(address) {
            assert!(!holds(&text(&document), &spelling), "{spelling} in {format} for {audience:?}");
        }
    }
}

/// A victim at `hidden` called; somebody else's request echoes that address in every field, and so do indicators.
fn echoes(hidden: Ipv4Addr, spelling: &str) -> Vec<Sighting> {
    let echo = |text: String| Some(text);
    let other = Sighting {
        target: echo(format!("/seen?ip={spelling}&x=1")),
        host: echo(format!("{spelling}.outlook-verify.net")),
        user_agent: echo(format!("agent/1.0 ({spelling})")),
        referer: echo(format!("https://lure.example/{spelling}/")),
        sni: echo(format!("{spelling}.outlook-verify.net")),
        method: echo("GET".into()),
        ..request(90, "198.51.100.90", "outlook-verify.net")
    };
    vec![request(91, &hidden.to_string(), "outlook-verify.net"), other]
}

fn with_indicators(terms: &Terms, spelling: &str) -> store::view::View {
    let mut view = terms.view();
    let group = view.cases[&case_id()].terms.group.id.clone();
    let kinds = [IndicatorKind::UrlPath, IndicatorKind::UserAgent, IndicatorKind::HostName, IndicatorKind::Ja4];
    for kind in kinds {
        let value = match kind {
            IndicatorKind::HostName => format!("{}.outlook-verify.net", spelling.replace(['%', '[', ']', ':'], "-")),
            _ => format!("/{spelling}/x"),
        };
        view.indicators.push((case_id(), group.clone(), indicator(kind, &value, "outlook-verify.net")));
    }
    view
}

#[test]
fn a_victim_in_a_withheld_network_is_in_the_bytes_of_no_output() {
    let hidden = Ipv4Addr::new(127, 66, 0, 9);
    for terms in [Terms::default(), Terms::exercise(), Terms { tlp: Tlp::Clear, ..Terms::default() }] {
        for spelling in spellings(hidden) {
            let snapshot =
                Snapshot::gather(&with_indicators(&terms, &spelling), &echoes(hidden, &spelling), &case_id()).unwrap();
            assert_absent(&snapshot, hidden);
            let report = render(Format::Shadowserver, &snapshot, Audience::Internal).unwrap();
            assert!(text(&report).contains("198.51.100.90"), "the other victim is told all the same");
        }
    }
}

#[test]
fn each_reason_for_withholding_holds_for_all_that_the_caller_sent() {
    let victim = |seq, source| request(seq, source, "outlook-verify.net");
    let withheld = [
        ("127.66.0.9", victim(50, "127.66.0.9")),
        ("203.0.113.1", Sighting { country: "IR".parse().ok(), ..victim(51, "203.0.113.1") }),
        ("203.0.113.2", Sighting { asn: Some(Asn(64511)), ..victim(52, "203.0.113.2") }),
        ("203.0.113.3", Sighting { as_name: Some("Withheld Telecom".into()), ..victim(53, "203.0.113.3") }),
        ("::ffff:127.66.0.10", victim(55, "::ffff:127.66.0.10")),
    ];
    for (source, sighting) in withheld {
        // The same caller was seen once more, by a contact that nothing is known of.
        let again = Sighting { asn: None, as_name: None, country: None, withheld: false, ..victim(60, source) };
        let with = snapshot(&Terms::default(), &[sighting, again, victim(61, "198.51.100.61")]);
        let without = snapshot(&Terms::default(), &[victim(61, "198.51.100.61")]);
        assert_eq!(documents(&with), documents(&without), "{source}");
    }
}

/// The owner of a network has nobody to warn of a name that was the group's no more; the court sees what was recorded.
#[test]
fn who_called_a_name_that_went_back_is_told_to_the_court_and_to_no_network() {
    let caller = request(56, "198.51.100.56", "support-servics.net");
    let told = documents(&snapshot(&Terms::default(), &[caller, request(57, "198.51.100.57", "outlook-verify.net")]));
    let is_in = |audience: Audience, address: &str| {
        told.iter().any(|(_, of, document)| *of == audience && holds(&text(document), address))
    };
    assert!(is_in(Audience::NetworkOwners, "198.51.100.57") && !is_in(Audience::NetworkOwners, "198.51.100.56"));
    assert!(is_in(Audience::Court, "198.51.100.56"));
}

#[test]
fn a_contact_that_its_verdict_withholds_is_not_told_and_does_not_silence_its_source() {
    let victim = |seq| request(seq, "198.51.100.53", "outlook-verify.net");
    let named_a_withheld_client = Sighting { withheld: true, ..victim(54) };
    let with = snapshot(&Terms::default(), &[named_a_withheld_client, victim(55)]);
    assert_eq!(documents(&with), documents(&snapshot(&Terms::default(), &[victim(55)])));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_address_of_a_withheld_network_gets_out(low: u16, spelling in 0..8_usize, terms in 0..2_usize) {
        let [c, d] = low.to_be_bytes();
        let hidden = Ipv4Addr::new(127, 66, c, d);
        let terms = [Terms::default(), Terms::exercise()][terms].clone();
        let spelling = &spellings(hidden)[spelling];
        let view = with_indicators(&terms, spelling);
        let snapshot = Snapshot::gather(&view, &echoes(hidden, spelling), &case_id()).unwrap();
        assert_absent(&snapshot, hidden);
    }

    #[test]
    fn the_order_of_what_came_in_changes_no_byte(order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let all = sightings();
        let shuffled: Vec<Sighting> = order.iter().map(|at| all[*at].clone()).collect();
        let mut view = Terms::default().view();
        view.indicators.reverse();
        let one = Snapshot::gather(&Terms::default().view(), &all, &case_id()).unwrap();
        let other = Snapshot::gather(&view, &shuffled, &case_id()).unwrap();
        prop_assert_eq!(documents(&one), documents(&other));
    }
}

//----------- Victims ----------------------------------------------------------------------------------------------

#[test]
fn the_public_and_partners_get_no_victim_data() {
    for (format, audience, document) in
        documents(&snapshot(&Terms { tlp: Tlp::Clear, ..Terms::default() }, &sightings()))
    {
        let open = matches!(audience, Audience::Public | Audience::Partners);
        assert!(format != Format::Shadowserver || !open, "a victim report for {audience:?}");
        if format != Format::Shadowserver {
            for caller in sightings() {
                assert!(!text(&document).contains(&caller.source.to_string()), "{} in {format}", caller.source);
            }
        }
    }
}

#[test]
fn the_owner_of_a_network_gets_what_is_about_it() {
    let whole = snapshot(&Terms::default(), &sightings());
    assert_eq!(whole.networks().into_iter().collect::<Vec<_>>(), [Asn(64496), Asn(64497)]);
    let report = render(Format::Shadowserver, &whole.about(Asn(64497)), Audience::NetworkOwners).unwrap();
    assert_eq!(report.file_name, "2019-03-28-event4_sinkhole_http-AS64497-asn.csv");
    assert!(text(&report).contains("203.0.113.9") && !text(&report).contains("198.51.100."));
}

#[test]
fn only_requests_of_victims_over_ipv4_are_reported() {
    let report = render(Format::Shadowserver, &snapshot(&Terms::default(), &sightings()), Audience::Internal).unwrap();
    let report = text(&report);
    for told in ["198.51.100.23", "198.51.100.24", "203.0.113.9"] {
        assert!(report.contains(told), "{told}");
    }
    for untold in ["192.0.2.53", "192.0.2.99", "192.0.2.77", "2001:db8::17"] {
        assert!(!report.contains(untold), "{untold}");
    }
    assert!(!report.contains("redacted"), "a marker in a column reads like a value");
}

#[test]
fn a_text_without_end_is_told_up_to_its_limit() {
    let long = "é".repeat(4_000);
    let one = Sighting { user_agent: Some(long), ..request(80, "198.51.100.80", "outlook-verify.net") };
    let report = render(Format::Shadowserver, &snapshot(&Terms::default(), &[one]), Audience::Internal).unwrap();
    assert_eq!(text(&report).matches('é').count(), 1_024, "2,048 octets");

    let mut view = Terms::default().view();
    let group = view.cases[&case_id()].terms.group.id.clone();
    let told = |view: &store::view::View| {
        let snapshot = Snapshot::gather(view, &[], &case_id()).unwrap();
        text(&render(Format::Json, &snapshot, Audience::Internal).unwrap()).matches("\"kind\"").count()
    };
    let before = told(&view);
    for len in [2_048, 2_049] {
        let path = indicator(IndicatorKind::UrlPath, &"/".repeat(len), "outlook-verify.net");
        view.indicators.push((case_id(), group.clone(), path));
    }
    assert_eq!(told(&view), before + 1);
}

//----------- Law --------------------------------------------------------------------------------------------------

#[test]
fn without_the_act_share_names_are_told_and_what_was_learned_is_not() {
    let terms = Terms { acts: vec![Act::Delegate, Act::Answer, Act::RecordMetadata], ..Terms::default() };
    let snapshot = snapshot(&terms, &sightings());
    for (format, audience, document) in documents(&snapshot) {
        let inside = matches!(audience, Audience::Court | Audience::Internal);
        let learned = text(&document).contains("logon.aspx") || text(&document).contains("\"sighting\"");
        assert!(inside || !learned, "{format} for {audience:?}");
    }
    let report = render(Format::Shadowserver, &snapshot, Audience::Internal).unwrap();
    assert!(text(&report).contains("198.51.100.23"), "those on the case see what it holds");
}

#[test]
fn a_sealed_case_is_named_nowhere_until_its_day_or_until_two_people_lift_the_seal() {
    let secrets = ["phosphorus-2019", "Microsoft v.", "District Court", "00716", "civil-tro", "sinkhole@bailiwick"];
    let told = |sealed_until| {
        let terms = Terms { sealed_until: Some(sealed_until), ..Terms::default() };
        let all: String =
            documents(&snapshot(&terms, &sightings())).iter().map(|(_, _, document)| text(document)).collect();
        secrets.iter().filter(|secret| all.contains(**secret)).count()
    };
    assert_eq!(told("2019-04-01"), 0, "the last contact was in March");
    assert_eq!(told("2019-03-28"), secrets.len(), "the day has come");
}

#[test]
fn nothing_is_told_of_an_order_that_is_not_in_force() {
    let draft = snapshot(&Terms { in_force: false, ..Terms::default() }, &sightings());
    for format in Format::ALL {
        let refusal = render(format, &draft, Audience::Internal).unwrap_err();
        assert!(refusal.to_string().contains("no order of this case is in force"), "{refusal}");
    }
}

#[test]
fn the_light_decides_how_wide_it_goes() {
    use Audience::{Court, Internal, NetworkOwners, Partners, Public};
    for (tlp, get_it) in [
        (Tlp::Clear, vec![Public, Partners, NetworkOwners, Court, Internal]),
        (Tlp::Green, vec![Partners, NetworkOwners, Court, Internal]),
        (Tlp::Amber, vec![Partners, NetworkOwners, Court, Internal]),
        (Tlp::AmberStrict, vec![NetworkOwners, Court, Internal]),
        (Tlp::Red, vec![Court, Internal]),
    ] {
        let snapshot = snapshot(&Terms { tlp, ..Terms::default() }, &[]);
        let got = AUDIENCES.into_iter().filter(|audience| render(Format::Stix, &snapshot, *audience).is_ok());
        assert_eq!(got.collect::<Vec<_>>(), get_it, "{}", tlp.label());
    }
}

#[test]
fn an_exercise_says_so_on_everything_and_an_order_on_nothing() {
    let of = |instrument| documents(&snapshot(&Terms { instrument, ..Terms::default() }, &sightings()));
    for (format, audience, document) in of(Instrument::Exercise) {
        assert!(text(&document).contains("EXERCISE"), "{format} for {audience:?}");
    }
    for (format, audience, document) in of(Instrument::CivilTro) {
        assert!(!text(&document).contains("EXERCISE"), "{format} for {audience:?}");
    }
}

#[test]
fn what_the_group_itself_does_is_shared_with_nobody() {
    let own = Sighting { label: Some(Label::OperatorSuspected), ..request(70, "198.51.100.70", "outlook-verify.net") };
    assert_eq!(documents(&snapshot(&Terms::default(), &[own])), documents(&snapshot(&Terms::default(), &[])));
}

#[test]
fn an_order_lapses_on_its_own_day() {
    let zone = |expires| {
        let terms = Terms { expires: Some(expires), ..Terms::default() };
        text(&render(Format::Rpz, &snapshot(&terms, &sightings()), Audience::Internal).unwrap())
    };
    assert!(zone("2019-04-10T00:00:00Z").contains("\noutlook-verify.net CNAME rpz-passthru."));
    assert!(zone("2019-03-28T00:00:00Z").contains("\noutlook-verify.net CNAME ."), "held, not collected: blocked");
}

#[test]
fn an_unknown_case_is_refused_with_a_hint() {
    let case = model::id::CaseId::parse("nobody-1").unwrap();
    let refusal = Snapshot::gather(&Terms::default().view(), &[], &case).unwrap_err();
    assert_eq!(refusal.to_string(), "there is no case nobody-1");
    assert!(refusal.hint.is_some());
}

#[test]
fn the_fixture_is_what_the_stories_say_of_it() {
    let hidden: Vec<IpAddr> = sightings().iter().map(|sighting| sighting.source).collect();
    assert!(hidden.contains(&IpAddr::from([127, 66, 0, 9])));
    assert!(Terms::default().view().cases[&case_id()].names.get(&name("outlook-verify.net")).is_some());
}

#[test]
fn no_cell_of_a_table_starts_a_formula() {
    let mut view = Terms::default().view();
    let group = view.cases[&case_id()].terms.group.id.clone();
    let agent = indicator(IndicatorKind::UserAgent, "=cmd|' /C calc'!A0", "outlook-verify.net");
    view.indicators.push((case_id(), group, agent));
    let text = |text: &str| Some(text.to_owned());
    let (user_agent, referer, method) = (text("=1+1"), text("@SUM(A1)"), text("+1"));
    let victim = Sighting { user_agent, referer, method, ..request(70, "198.51.100.70", "outlook-verify.net") };
    let snapshot = Snapshot::gather(&view, &[victim], &case_id()).unwrap();
    for format in [Format::Csv, Format::Shadowserver] {
        let bytes = render(format, &snapshot, Audience::Internal).unwrap().bytes;
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let cells: Vec<String> =
            reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect();
        assert!(cells.iter().any(|cell| cell.starts_with("'=")), "{cells:?}");
        assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@'])), "{cells:?}");
    }
}
