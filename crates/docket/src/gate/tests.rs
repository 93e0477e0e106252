use std::collections::BTreeMap;

use model::gate::{Severity, WarningKind};
use proptest::prelude::*;

use super::*;
use crate::casefile;
use crate::decide::book::{Book, case, import, now, someone};

const CASE: &str = r#"
[case]
id = "c-1"
title = "Harbour"
contact = "desk@harbour.example"
purpose = { value = "warn victims", source = "unverified" }
[group]
id = "harbour-crew"
name = "Harbour Crew"
attributed_to = { country = "IR", source = "unverified" }
[[order]]
id = "o-1"
name_servers = ["ns1.sinkhole.example"]
[order.authority]
instrument = "INSTRUMENT"
issuer = { value = "A court", source = "unverified" }
issued = { value = 2026-03-15, source = "the paper" }
[[list]]
order = "o-1"
source = "the paper"
names = NAMES
[[list]]
order = "o-1"
source = "the paper"
threat = "credentials"
names = ["harbour-login.info"]
[[claim]]
name = "harbour-login.info"
group = "Pier Gang"
source = "A vendor"
"#;

/// By kind and severity, the names that were found.
type Found = BTreeMap<(WarningKind, Severity), Vec<String>>;

fn report(instrument: &str, names: &[&str], files: &[(&str, &str)]) -> Report {
    let text = CASE.replace("INSTRUMENT", instrument).replace("NAMES", &format!("{names:?}"));
    let mut book = Book::default();
    book.execute(&import(&text), &someone()).unwrap();
    let file = casefile::parse(&text).unwrap();
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let tables = Tables::read(Bundle(files)).unwrap();
    run(&book.view.cases[&case("c-1")], Some(&file), &tables, now())
}

fn found(report: &Report) -> Found {
    let mut all = Found::new();
    for one in &report.findings {
        let names = all.entry((one.kind, one.severity)).or_default();
        names.extend(one.names.iter().map(|name| name.as_str().to_owned()));
    }
    all.into_iter().filter(|((kind, _), _)| *kind != WarningKind::NotLooked).collect()
}

fn evidence(report: &Report, kind: WarningKind) -> &str {
    &report.findings.iter().find(|one| one.kind == kind).expect("it was found").evidence
}

const MANIFEST: &str = r#"
[[table]]
is = "sinkholes"
file = "sinkholes.csv"
date = "2026-01-02"
column = "indicator"
note = "operator"
[[table]]
is = "shared"
file = "lists.csv"
column = "value"
note = "list"
only = { column = "list", is = ["dyn"] }
[[table]]
is = "popular"
file = "lists.csv"
column = "value"
only = { column = "list", is = ["top"] }
[[table]]
is = "brand-owned"
file = "brands.txt"
[[table]]
is = "passive-dns"
file = "seen.cof"
[[table]]
is = "rdap"
file = "rdap.json"
"#;

const SINKHOLES: &str = "indicator,type,operator\n192.0.2.66,ip,\"Sink, Inc.\"\nns.sink.info,host,Sink\n";
const LISTS: &str = "value,list\ninfo,dyn\nir,dyn\ndyn-home.info,dyn\nwww.much-read.info,top\n";
const SEEN: &str = r#"{"rrname":"taken.info","rrtype":"A","rdata":"192.0.2.66","time_first":1767225600,"time_last":1769904000}
{"rrname":"taken-too.info","rrtype":"NS","rdata":"a.ns.sink.info"}
{"rrname":"old-baker.info","rrtype":"A","rdata":"198.51.100.1","time_first":1420070400,"time_last":1769904000}
{"rrname":"stranger.info","rrtype":"MX","rdata":"10 mx.mail-host.info","time_first":1767225600,"time_last":1769904000}
{"rrname":"www.mail-host.info","rrtype":"CNAME","rdata":"mail-host.info"}
"#;
const RDAP: &str = r#"{"query":"never.info","answer":{"errorCode":404}}
{"objectClassName":"domain","ldhName":"fresh.info","events":[{"eventAction":"registration","eventDate":"2026-02-01T00:00:00Z"}]}"#;

#[test]
fn an_issuer_reaches_the_registry_of_its_own_country() {
    for (country, out_of_reach, says) in [
        ("", "pier.ir pier.us", "a court elsewhere can ask"),
        ("\"\ncountry = \"US", "pier.ir", "the issuer is of US and can ask"),
        ("\"\ncountry = \"IR", "pier.us", "the issuer is of IR and can ask"),
    ] {
        let report = report(&format!("injunction{country}"), &["pier.ir", "pier.us", "pier.info"], &[]);
        let found = found(&report)[&(WarningKind::RegistryOutOfReach, Severity::Warning)].join(" ");
        assert_eq!(found, out_of_reach);
        assert!(evidence(&report, WarningKind::RegistryOutOfReach).contains(says), "{country}");
    }
}

#[test]
fn each_harm_is_found_with_its_place_and_nothing_else() {
    let names = [
        "taken.info",
        "taken-too.info",
        "mine.dyn-home.info",
        "dyn-home.info",
        "much-read.info",
        "shop.brand.info",
        "old-baker.info",
        "mail-host.info",
        "never.info",
        "fresh.info",
        "pier.ir",
        "pier.test",
        "pier.notatld",
    ];
    let files = [
        ("gate.toml", MANIFEST),
        ("sinkholes.csv", SINKHOLES),
        ("lists.csv", LISTS),
        ("brands.txt", "# ours\nbrand.info\n"),
        ("seen.cof", SEEN),
        ("rdap.json", RDAP),
    ];
    let report = report("civil-tro", &names, &files);
    let all = found(&report);
    let of = |kind, severity| all.get(&(kind, severity)).map(|names| names.join(" ")).unwrap_or_default();
    use Severity::{Stop, Warning};
    use WarningKind as K;
    assert_eq!(of(K::AlreadySinkholed, Warning), "taken.info taken-too.info");
    assert_eq!(of(K::SharedSuffix, Stop), "mine.dyn-home.info dyn-home.info");
    assert_eq!(of(K::Popular, Warning), "much-read.info");
    assert_eq!(of(K::BrandOwned, Stop), "shop.brand.info");
    assert_eq!(of(K::CompromisedLegitimate, Warning), "old-baker.info");
    assert_eq!(of(K::OthersDepend, Warning), "mail-host.info");
    assert_eq!(of(K::RegistryOutOfReach, Warning), "pier.ir");
    assert_eq!(of(K::ReservedOrUnregistered, Stop), "pier.notatld pier.test");
    assert_eq!(of(K::ReservedOrUnregistered, Warning), "never.info");
    assert_eq!(of(K::ConflictingAttribution, Warning), "harbour-login.info");
    assert_eq!(all[&(K::AnswerEffectUnknown, Warning)].len(), names.len(), "a credential page is exempt");
    let not_looked = report.findings.iter().filter(|one| one.kind == K::NotLooked);
    let silent: Vec<(&str, usize)> = not_looked.map(|one| (one.evidence.as_str(), one.names.len())).collect();
    let told =
        ["passive DNS that was given says nothing about 10 names", "RDAP that was given says nothing about 12 names"];
    assert_eq!(silent, [(told[1], 12), (told[0], 10)]);
    let why = report.findings.iter().find(|one| one.evidence.contains("192[.]0[.]2[.]66")).unwrap();
    assert!(
        why.evidence.contains("(Sink, Inc.), line 2") && why.evidence.contains("2026-01-01 to 2026-02-01"),
        "{}",
        why.evidence
    );
    assert_eq!(why.source.as_ref().unwrap().date.unwrap().to_string(), "2026-01-02");
    assert!(evidence(&report, K::RegistryOutOfReach).contains("attributed to that same state"));
    assert!(evidence(&report, K::OthersDepend).starts_with("MX of 1 name, stranger[.]info among them"));
}

#[test]
fn without_tables_it_says_what_it_could_not_look_at() {
    let report = report("own-registration", &["fresh.info"], &[]);
    let not_looked =
        report.warned(Severity::Warning).into_iter().find(|one| one.kind == WarningKind::NotLooked).unwrap();
    assert_eq!((not_looked.count, not_looked.names.len()), (7, 0));
    assert!(report.to_text(false).contains("already-sinkholed: nothing to look at; give a table of known sinkholes"));
    let run = report.to_run(model::Digest([3; 32]));
    assert_eq!((run.stops.len(), run.names, run.tables.len()), (0, 2, 1));
}

#[test]
fn a_table_in_which_nothing_can_be_read_is_none() {
    let manifest = "[[table]]\nis = \"popular\"\nfile = \"a\"\n[[table]]\nis = \"rdap\"\nfile = \"b\"";
    let files = [("gate.toml", manifest), ("a", "# nothing\n!!\n"), ("b", "{}")];
    let report = report("own-registration", &["fresh.info"], &files);
    let looked = |kind| report.checks.iter().find(|check| check.kind == kind).unwrap().looked;
    assert!(!looked(WarningKind::Popular) && !looked(WarningKind::ReservedOrUnregistered));
}

#[test]
fn in_a_rehearsal_a_reserved_name_is_a_warning() {
    let all = found(&report("exercise", &["pier.test"], &[]));
    assert!(all.contains_key(&(WarningKind::ReservedOrUnregistered, Severity::Warning)), "{all:?}");
}

#[test]
fn a_faulty_table_is_told_with_file_and_line() {
    for (manifest, file, told) in [
        ("[[table]]\nis = \"popular\"\nfile = \"a\"\ncolumn = \"x\"", "value\nb.info", "a:1: no column `x`"),
        ("[[table]]\nis = \"popular\"\nfile = \"a\"", "ok.info\n\"open", "a:2: a quote does not end"),
        ("[[table]]\nis = \"popular\"\nfile = \"b\"", "", "b: is not among the files"),
        ("[[table]]\nis = \"weird\"\nfile = \"a\"", "", "gate.toml:2: unknown variant"),
        ("[[table]]\nis = \"passive-dns\"\nfile = \"a\"", "{}\n", "a:1: no passive DNS record"),
    ] {
        let bundle = Bundle(vec![("gate.toml".into(), manifest.into()), ("a".into(), file.into())]);
        let fault = Tables::read(bundle).err().expect(told).to_string();
        assert!(fault.starts_with(told), "{fault}");
    }
}

#[test]
fn a_bundle_comes_back_as_it_went_and_one_that_was_cut_does_not() {
    let bundle = Bundle(vec![("gate.toml".into(), b"x\ny".to_vec()), ("a b".into(), Vec::new())]);
    let bytes = bundle.to_bytes();
    assert_eq!(Bundle::parse(&bytes), Ok(bundle));
    assert!(Bundle::parse(&bytes[..bytes.len() - 1]).is_err());
    assert_eq!(Bundle::parse(b""), Ok(Bundle::default()));
}

proptest! {
    #[test]
    fn no_octets_make_a_table_panic(octets in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..7usize) {
        let manifest = format!("[[table]]\nis = \"{}\"\nfile = \"a\"", TableKind::ALL[kind].as_str());
        let _ = Tables::read(Bundle(vec![("gate.toml".into(), manifest.into()), ("a".into(), octets.clone())]));
        let _ = Bundle::parse(&octets);
    }
}
