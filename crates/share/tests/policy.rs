//! What a policy zone says to whom, over several cases.

mod golden;

use std::collections::BTreeMap;

use bailiwick_share::{Block, PolicyTerms, Snapshot, policy};
use golden::{Terms, at, case_id, name};
use model::marking::{Audience, Tlp};
use model::seizure::{AnswerEffect, ServiceMode};
use store::view::View;
use store::zones::Record;

const NOW: &str = "2019-03-28T00:00:00Z";

fn to(audience: Audience) -> PolicyTerms {
    PolicyTerms { audience, block: Block::Nxdomain, addresses: Vec::new(), exercises: false }
}

fn told(views: &[View], terms: &PolicyTerms) -> Vec<String> {
    let snapshots: Vec<Snapshot> =
        views.iter().map(|view| Snapshot::of_names_at(view, &case_id(), at(NOW)).unwrap()).collect();
    let mut lines: Vec<String> = policy(&snapshots, terms).records.iter().map(line).collect();
    lines.sort();
    lines
}

/// A record as a zone file has it, types by number.
fn line(record: &Record) -> String {
    let data = if matches!(record.kind, 1 | 28) { format!("{:?}", record.data) } else { labels(&record.data) };
    format!("{} {} {data}", labels(&record.owner), record.kind)
}

fn labels(mut wire: &[u8]) -> String {
    let mut text = Vec::new();
    while let Some((len, rest)) = wire.split_first() {
        text.push(String::from_utf8(rest[..usize::from(*len)].to_vec()).unwrap());
        wire = &rest[usize::from(*len)..];
    }
    text.join(".")
}

#[test]
fn the_zone_says_what_the_file_says_and_under_which_light() {
    let lines = told(&[Terms::default().view()], &to(Audience::Partners));
    let snapshot = Snapshot::of_names_at(&Terms::default().view(), &case_id(), at(NOW)).unwrap();
    let file = bailiwick_share::render(bailiwick_share::Format::Rpz, &snapshot, Audience::Partners).unwrap().bytes;
    let file = String::from_utf8(file).unwrap();
    let rules = file.lines().filter_map(|line| line.split_once(" CNAME "));
    let mut expected: Vec<String> = rules
        .map(|(owner, target)| format!("{owner} 5 {}", if target == "." { "" } else { "rpz-passthru." }))
        .collect();
    expected.extend([" 2 localhost.".to_owned(), "marking.bailiwick.example 16 TLP:AMBER".to_owned()]);
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn a_case_that_is_too_narrow_for_the_audience_leaves_no_trace() {
    let nothing = [" 2 localhost.".to_owned()];
    assert_eq!(told(&[Terms::default().view()], &to(Audience::Public)), nothing);
    let red = Terms { tlp: Tlp::Red, ..Terms::default() };
    assert_eq!(told(&[red.view()], &to(Audience::NetworkOwners)), nothing);
    let draft = Terms { in_force: false, ..Terms::default() };
    assert_eq!(told(&[draft.view()], &to(Audience::Internal)), nothing);
}

#[test]
fn a_rehearsal_is_told_only_where_rehearsals_are_and_says_so() {
    let exercise = [Terms::exercise().view()];
    assert_eq!(told(&exercise, &to(Audience::Partners)), [" 2 localhost."]);
    let lines = told(&exercise, &PolicyTerms { exercises: true, ..to(Audience::Partners) });
    assert!(lines.contains(&"marking.bailiwick.example 16 TLP:AMBER.EXERCISE".to_owned()), "{lines:?}");
}

#[test]
fn an_order_lapses_by_the_clock_without_any_fact() {
    let action = |now: &str| {
        let view = Terms { expires: Some("2019-04-01T00:00:00Z"), ..Terms::default() }.view();
        let snapshot = Snapshot::of_names_at(&view, &case_id(), at(now)).unwrap();
        let lines: Vec<String> = policy([&snapshot], &to(Audience::Partners)).records.iter().map(line).collect();
        lines.into_iter().find(|line| line.starts_with("outlook-verify.net ")).unwrap()
    };
    assert_eq!(action("2019-03-31T23:59:59Z"), "outlook-verify.net 5 rpz-passthru.");
    assert_eq!(action("2019-04-01T00:00:00Z"), "outlook-verify.net 5 ");
}

#[test]
fn no_resolver_is_asked_to_be_silent_about_a_kill_switch() {
    let switches = Terms { answer_effect: AnswerEffect::KillSwitch, ..Terms::default() };
    let lines = told(&[switches.view()], &to(Audience::Partners));
    let rules: Vec<&String> = lines.iter().filter(|line| line.contains(" 5 ")).collect();
    assert_eq!(rules.len(), 10, "five names stand twice, and what went back is gone");
    assert!(rules.iter().all(|line| line.ends_with("rpz-passthru.")), "{rules:?}");
}

#[test]
fn of_a_name_in_two_cases_what_we_hold_counts_first_and_what_went_back_last() {
    let with = |mode| {
        let mut view = Terms::default().view();
        let case = view.cases.get_mut(&case_id()).unwrap();
        case.names.change(&name("outlook-verify.net"), |view| view.mode = Some(mode));
        view
    };
    let says = |first, second| {
        let lines = told(&[with(first), with(second)], &to(Audience::Partners));
        let own: Vec<String> = lines.into_iter().filter(|line| line.starts_with("outlook-verify.net ")).collect();
        assert!(own.len() <= 1, "{own:?}");
        own.into_iter().next().map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    use ServiceMode::{Collect, Handback, Hold};
    let expected = BTreeMap::from([
        ((Collect, Hold), Some("rpz-passthru.")),
        ((Hold, Collect), Some("rpz-passthru.")),
        ((Handback, Hold), Some("")),
        ((Hold, Handback), Some("")),
        ((Handback, Handback), None),
    ]);
    for ((first, second), wanted) in expected {
        assert_eq!(says(first, second).as_deref(), wanted, "{first:?} {second:?}");
    }
}

#[test]
fn a_garden_is_addresses_and_networks_are_blocked_like_names() {
    let garden = vec!["192.0.2.80".parse().unwrap(), "2001:db8::80".parse().unwrap()];
    let addresses = vec!["203.0.113.0/24".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()];
    let terms = PolicyTerms { block: Block::WalledGarden(garden), addresses, ..to(Audience::Partners) };
    let lines = told(&[Terms::default().view()], &terms);
    for (owner, expected) in [
        ("yahoo-verify.net", &["1", "28"][..]),
        ("*.yahoo-verify.net", &["1", "28"]),
        ("24.0.113.0.203.rpz-ip", &["1"]),
        ("48.zz.1.db8.2001.rpz-ip", &["28"]),
    ] {
        assert_eq!(kinds(&lines, owner), expected, "{owner}");
    }
    assert!(lines.contains(&"outlook-verify.net 5 rpz-passthru.".to_owned()), "what we hold is let through");
}

#[test]
fn a_network_whose_family_the_garden_lacks_is_answered_without_records() {
    let garden = Block::WalledGarden(vec!["192.0.2.80".parse().unwrap()]);
    let addresses = vec!["2001:db8:1::/48".parse().unwrap()];
    let lines = told(&[], &PolicyTerms { block: garden, addresses, ..to(Audience::Partners) });
    assert_eq!(lines, [" 2 localhost.", "48.zz.1.db8.2001.rpz-ip 5 *."]);
}

fn kinds<'a>(lines: &'a [String], owner: &str) -> Vec<&'a str> {
    let own = lines.iter().filter(|line| line.starts_with(&format!("{owner} ")));
    own.map(|line| line.split(' ').nth(1).unwrap()).collect()
}

/// `cargo test --workspace --test policy -- --ignored --nocapture`
#[test]
#[ignore = "prints figures, promises nothing"]
#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
fn measure_a_million_names() {
    let mut view = Terms::default().view();
    let case = view.cases.get_mut(&case_id()).unwrap();
    let one = case.names.get(&name("yahoo-verify.net")).unwrap();
    case.names.extend((0..1_000_000).map(|n| (name(&format!("outlook-verify-{n}.example")), one.clone())));
    let start = std::time::Instant::now();
    let snapshot = Snapshot::of_names_at(&view, &case_id(), at(NOW)).unwrap();
    println!("gathering a million names: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let mut records = policy([&snapshot], &to(Audience::Partners)).records;
    println!("{} records: {:?}", records.len(), start.elapsed());
    let start = std::time::Instant::now();
    records.sort_unstable();
    println!("sorting them: {:?}", start.elapsed());
}
