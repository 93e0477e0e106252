use std::fmt::Write as _;

use model::order::{Act, Instrument};

use super::*;

const SHIPPED: &str = include_str!("../../../../cases/phosphorus-2019.toml");

/// A case file without a fault, to be spoiled.
pub(super) const GOOD: &str = r#"[case]
id = "harbour"
title = "Harbour"
contact = "desk@harbour.example"
purpose = { value = "warn victims", source = "unverified" }

[group]
id = "harbour-crew"
name = "Harbour Crew"

[[order]]
id = "o-1"
name_servers = ["ns1.harbour.example"]

[order.authority]
instrument = "exercise"
issuer = { value = "A court", source = "unverified" }
issued = { value = 2026-03-15, source = "the paper" }

[[list]]
order = "o-1"
source = "the paper"
names = [
  "login-harbour.example",
  "mail-harbour.example",
]
"#;

fn spoiled(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

fn told(text: &str) -> String {
    render_faults(text, "harbour.toml", &parse(text).expect_err("the file is bad"))
}

#[test]
fn a_good_file_is_read_whole() {
    let file = parse(GOOD).unwrap();
    assert_eq!(file.terms.title, "Harbour");
    assert_eq!(file.orders[0].terms.authority.instrument, Instrument::Exercise);
    assert_eq!(file.name_count(), 2);
    assert_eq!(file.lists[0].acts, Acts::default());
    assert_eq!(file.digest, Digest::of_bytes(GOOD.as_bytes()));
}

#[test]
fn the_shipped_case_lists_the_98_names_that_microsoft_published() {
    let file = parse(SHIPPED).unwrap_or_else(|faults| panic!("{}", render_faults(SHIPPED, "phosphorus", &faults)));
    assert_eq!((file.name_count(), file.lists.len(), file.orders.len()), (98, 11, 1));
    let order = &file.orders[0];
    assert_eq!(order.terms.authority.docket_number.as_ref().unwrap().value, "1:19-cv-00716");
    assert!(order.terms.authority.is_exercise());
    assert!(order.names().values().all(|listed| listed.outcome == NameOutcome::Redirect));
    assert!(order.names().values().all(|listed| listed.acts == Acts::default().with(Act::Share)));
    for alias in ["apt35", "Charming Kitten", "TA453", "mint-sandstorm", "Magic Hound", "newscaster", "G0059"] {
        assert!(file.terms.group.is_called(alias), "{alias}");
    }
    let withheld = &file.terms.withheld;
    assert!(withheld.covers("127.66.1.2".parse().unwrap(), None, None));
    assert!(withheld.covers("192.0.2.1".parse().unwrap(), None, "IR".parse().ok()));
}

#[test]
fn seven_names_are_claimed_for_another_group_and_shown_as_conflicts() {
    let file = parse(SHIPPED).unwrap();
    let conflicts: Vec<&Claim> = file.conflicts().collect();
    assert_eq!(conflicts.len(), 7);
    assert!(conflicts.iter().all(|claim| claim.group == "STRONTIUM" && claim.source != Source::Unverified));
}

#[test]
fn every_fault_says_place_reason_and_what_to_do() {
    let mut read = String::new();
    for (fault, text) in [
        ("unknown field", spoiled("contact =", "contcat =")),
        ("unknown table", spoiled("[group]", "[groups]")),
        ("no domain name", spoiled("login-harbour.example", "login_harbour.example")),
        ("a defanged name", spoiled("login-harbour.example", "login-harbour[.]example")),
        ("an address", spoiled("login-harbour.example", "192.0.2.7")),
        ("an IDNA error", spoiled("login-harbour.example", "xn--zzzzzz99999.example")),
        ("a public suffix", spoiled("login-harbour.example", "co.uk")),
        ("a shared suffix", spoiled("login-harbour.example", "harbour.duckdns.org")),
        ("a double", spoiled("mail-harbour.example", "LOGIN-harbour.example.")),
        ("outside every authority", spoiled("order = \"o-1\"\n", "")),
        ("an order that is not there", spoiled("order = \"o-1\"", "order = \"o-2\"")),
        ("dates in the wrong order", spoiled("issued =", "hearing = { value = 2026-03-01, source = \"x\" }\nissued =")),
        (
            "expired before issued",
            spoiled("issued =", "expires = { value = 2026-03-13T09:00:00Z, source = \"x\" }\nissued ="),
        ),
        ("a date that is none", spoiled("2026-03-15", "\"15 March\"")),
        ("no source", spoiled("{ value = \"warn victims\", source = \"unverified\" }", "\"warn victims\"")),
        ("a bad id", spoiled("id = \"harbour\"", "id = \"Harbour Case\"")),
        ("an unknown instrument", spoiled("\"exercise\"", "\"exercize\"")),
        (
            "a bad network",
            spoiled("\n[group]", "withheld = { networks = [\"192.0.2.1/24\"], countries = [\"Iran\"] }\n\n[group]"),
        ),
        (
            "another registry's name",
            spoiled("source = \"the paper\"\nnames", "registry = { tld = \"net\" }\nsource = \"the paper\"\nnames"),
        ),
        ("no TOML", spoiled("title = \"Harbour\"", "title = Harbour\"")),
    ] {
        let _ = writeln!(read, "== {fault}\n{}\n", told(&text));
    }
    insta::assert_snapshot!(read);
}

#[test]
fn all_faults_come_in_one_go_in_order_of_place() {
    let text = spoiled("id = \"harbour\"", "id = \"HARBOUR\"")
        .replace("contact =", "contcat =")
        .replace("login-harbour.example", "co.uk")
        .replace("mail-harbour.example", "mail harbour.example");
    let faults = parse(&text).unwrap_err();
    assert_eq!(faults.len(), 5, "{faults:?}");
    assert!(faults.is_sorted_by_key(|fault| fault.span.start));
}

#[test]
fn an_exercise_and_a_real_order_do_not_share_a_case() {
    let real = GOOD.split("[[order]]").nth(1).unwrap().replace("o-1", "o-2").replace("\"exercise\"", "\"civil-tro\"");
    let both = format!("{GOOD}\n[[order]]{}", real.replace("-harbour.example", "-quay.example"));
    let faults = parse(&both).unwrap_err();
    assert_eq!(faults[0].what, "an exercise and a real authority stand in one case");
}

#[test]
fn a_name_under_a_shared_suffix_is_its_providers_to_remove() {
    let text = spoiled("login-harbour.example", "harbour.duckdns.org")
        .replace("source = \"the paper\"\nnames", "source = \"the paper\"\noutcome = \"provider-removal\"\nnames");
    assert!(parse(&text).is_ok());
}

#[test]
fn more_faults_than_are_kept_are_counted() {
    let names: String = (0..FAULTS_MAX + 5).map(|n| format!("  \"bad_{n}\",\n")).collect();
    let faults = parse(&spoiled("  \"mail-harbour.example\",\n", &names)).unwrap_err();
    assert_eq!(faults.len(), FAULTS_MAX + 1);
    assert_eq!(faults[FAULTS_MAX].what, "5 more faults are not shown");
}

#[test]
fn what_is_said_of_a_fault_is_short_however_long_the_file() {
    let long = "x".repeat(100_000);
    for text in [
        spoiled("contact =", &format!("{long} = 1\ncontact =")),
        spoiled("id = \"harbour\"", &format!("id = \"{long}\"")),
        spoiled("mail-harbour.example", &long),
        format!("{GOOD}\n{}", "[[list]]\n".repeat(1_000)),
        format!("{GOOD}\n{}", "[[order]]\nid = \"one\"\n".repeat(1_000)),
        format!("#{long}{long}{long}{long}{long}{long}{long}{long}{long}{long}{long}\n{}", "=\n".repeat(1_000)),
    ] {
        let faults = parse(&text).unwrap_err();
        assert!(faults.len() <= FAULTS_MAX + 1);
        let is_short = |text: &str| text.chars().count() <= WHAT_CHARS_MAX + 1;
        assert!(faults.iter().all(|fault| is_short(&fault.what) && fault.hint.as_deref().is_none_or(is_short)));
    }
}

#[test]
fn faults_on_the_api_have_line_and_column() {
    let text = spoiled("login-harbour.example", "co.uk");
    let report = &faults_rendered(&text, "harbour.toml", &parse(&text).unwrap_err())[0];
    assert_eq!((report.line, report.column), (24, 3));
    assert!(report.rendered.contains("harbour.toml:24:3"), "{}", report.rendered);
}

/// A claim about cost is measured in the bench; here it only has to end, with all names in.
#[test]
fn a_long_list_is_read() {
    let names: String = (0..20_000).map(|n| format!("  \"n{n}.harbour-{n}.example\",\n")).collect();
    let file = parse(&spoiled("  \"mail-harbour.example\",\n", &names)).unwrap();
    assert_eq!(file.name_count(), 20_001);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_or_its_drawing_panic(at in 0..GOOD.len(), len in 0..40usize, put in "\\PC{0,12}") {
        let (from, to) = (at, (at + len).min(GOOD.len()));
        let text = format!("{}{put}{}", &GOOD[..from], &GOOD[to..]);
        if let Err(faults) = parse(&text) {
            let _ = faults_rendered(&text, "x.toml", &faults);
        }
    }
}

/// For a person to run: `cargo test -p bailiwick-docket a_million_names -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement: seconds, and its ratio needs a quiet machine"]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn a_million_names_cost_at_most_three_bare_parses() {
    let names: String = (0..1_000_000).map(|n| format!("  \"n{n}-harbour.example\",\n")).collect();
    let text = spoiled("  \"mail-harbour.example\",\n", &names);
    let started = std::time::Instant::now();
    let tree = toml::de::DeTable::parse(&text).unwrap();
    let bare = started.elapsed();
    drop(tree);
    let started = std::time::Instant::now();
    let file = parse(&text).unwrap();
    let whole = started.elapsed();
    println!("{} names: bare {bare:?}, whole {whole:?}", file.name_count());
    assert!(whole <= bare * 3);
}

//----------- Answers ----------------------------------------------------------------------------------------------

#[test]
fn a_case_and_an_order_may_say_what_their_names_are_answered_with() {
    let text = spoiled("[group]", "[case.answers]\nv4 = [\"127.0.0.9\"]\nttl_secs = 60\n\n[group]");
    let text = text.replacen("[order.authority]", "[order.answers]\nv6 = [\"::1\"]\n\n[order.authority]", 1);
    let file = parse(&text).unwrap();
    let of_case = file.terms.answers.unwrap();
    assert_eq!((of_case.v4, of_case.ttl_secs), (vec![[127, 0, 0, 9].into()], Some(60)));
    assert_eq!(file.orders[0].terms.answers.as_ref().unwrap().v6, [std::net::Ipv6Addr::LOCALHOST]);
    assert_eq!(parse(GOOD).unwrap().terms.answers, None);
}

#[test]
fn answers_that_cannot_be_served_are_faults() {
    let seventeen = ["\"127.0.0.1\""; 17].join(", ");
    for (answers, what) in [
        ("ttl_secs = 60", "it names no address"),
        ("v4 = [\"192.0.2.1\"]", "order `o-1` is an exercise and would answer with 192.0.2.1"),
        ("v6 = [\"::ffff:192.0.2.1\"]", "an exercise"),
        ("v4 = [\"::1\"]", "`::1` is not an IPv4 address"),
        (&format!("v4 = [{seventeen}]"), "17 addresses of one family are more than 16"),
        ("v4 = [\"127.0.0.1\"]\nttl_secs = 0", "a ttl of 0"),
        ("v4 = [\"127.0.0.1\"]\nttl = 60", "unknown field `ttl`"),
    ] {
        let told = told(&spoiled("[group]", &format!("[case.answers]\n{answers}\n\n[group]")));
        assert!(told.contains(what), "{answers}: {told}");
    }
    let real = GOOD.replace("\"exercise\"", "\"civil-tro\"");
    parse(&real.replacen("[group]", "[case.answers]\nv4 = [\"192.0.2.1\"]\n\n[group]", 1)).unwrap();
}

#[test]
fn a_case_may_say_how_its_notice_is_sent_and_in_whose_name() {
    let with = |notice: &str| spoiled("[group]", &format!("[case.notice]\n{notice}\n\n[group]"));
    let file = parse(&with("status = 410\nholder = \"Harbour Desk\"\nsealed_contact = \"desk@post.example\"")).unwrap();
    assert_eq!(file.terms.notice.status.code(), 410);
    assert_eq!(file.terms.notice.holder.as_deref(), Some("Harbour Desk"));
    assert_eq!(file.terms.notice.sealed_contact.as_deref(), Some("desk@post.example"));
    assert!(parse(GOOD).unwrap().terms.notice.is_default());
    for (notice, what) in [
        ("status = 301", "`301` is not a status of a notice: a notice is answered with 200, 404 or 410"),
        ("status = \"gone\"", "`gone` is not a status of a notice"),
        ("holder = \"\"", "the text is empty"),
        ("color = \"red\"", "unknown field `color`"),
    ] {
        let told = told(&with(notice));
        assert!(told.contains(what), "{notice}: {told}");
    }
}

#[test]
fn what_an_answer_may_set_off_stands_with_the_names() {
    let armed = |more: &str| spoiled("[[list]]", &format!("[[list]]\nanswer_effect = \"kill-switch\"\n{more}"));
    let file = parse(&armed("")).unwrap();
    assert!(file.orders[0].names().values().all(|listed| listed.answer_effect.is_kill_switch()));
    for (more, what) in [
        ("outcome = \"hold\"\n", "a kill switch that nobody answers for"),
        ("acts = [\"delegate\"]\n", "a kill switch that nobody answers for"),
    ] {
        assert!(told(&armed(more)).contains(what), "{more}");
    }
    assert!(told(&spoiled("[[list]]", "[[list]]\nanswer_effect = \"boom\"")).contains("`kill-switch`"));
}
