use super::*;
use crate::casefile::faults_rendered;

const GOOD: &str = r#"
[amendment]
order = "o-1"
kind = "supplemental"
source = "the supplemental order"
issued = { value = 2026-11-28, source = "the paper" }
expires = { value = 2026-12-25T17:00:00-05:00, source = "the paper" }
objection = { from = 2026-11-28, business_days = 10 }
[[add]]
source = "its Appendix A"
criteria = ["imitates the mark HARBOUR"]
threat = "credentials"
names = ["new-harbour.example", "next-harbour.example"]
[[remove]]
source = "the paper"
names = ["old-harbour.example"]
[[change]]
source = "the paper"
outcome = "hold"
names = ["held-harbour.example"]
[[claim]]
name = "new-harbour.example"
group = "Somebody Else"
source = "a list"
"#;

#[test]
fn a_file_says_what_comes_in_what_leaves_and_what_changes() {
    let file = parse(GOOD).unwrap();
    assert_eq!((file.kind, file.added_count(), file.removed.len()), (AmendmentKind::Supplemental, 2, 1));
    assert_eq!(file.changed.values().next().unwrap().outcome, Some(NameOutcome::Hold));
    let from = "2026-11-28".parse().unwrap();
    assert_eq!(file.objection, Some(Rule::BusinessDays { from, days: 10 }));
    assert_eq!(file.expires.unwrap().value.to_string(), "2026-12-25T17:00:00-05:00");
    assert_eq!((file.claims.len(), file.digest), (1, Digest::of_bytes(GOOD.as_bytes())));
}

#[test]
fn every_fault_has_its_place_and_what_to_do() {
    for (from, to, line, what) in [
        ("kind = \"supplemental\"", "kind = \"extra\"", 4, "`extra` is not a kind of amendment"),
        ("source = \"the supplemental order\"\n", "", 2, "`amendment` says no `source`"),
        ("\"next-harbour.example\"", "\"new-harbour.example\"", 13, "stands here twice"),
        ("\"old-harbour.example\"", "\"new-harbour.example\"", 16, "stands here twice"),
        ("outcome = \"hold\"\n", "", 17, "nothing is said of these names"),
        ("business_days = 10", "days = 2, business_days = 1", 8, "counts either"),
        ("business_days = 10", "days = 400", 8, "more than 365"),
        ("2026-12-25T17:00:00-05:00", "2026-11-20T17:00:00-05:00", 7, "before the order was issued"),
        ("name = \"new-harbour", "name = \"other-harbour", 22, "which this case does not list"),
        ("[[remove]]", "[[removed]]", 14, "unknown field `removed`"),
        ("names = [\"old-harbour.example\"]", "names = []", 16, "holds at least one name"),
        ("\"next-harbour.example\"", "\"192.0.2.1\"", 13, "is not a domain name"),
        ("\"next-harbour.example\"", "\"co.uk\"", 13, "public suffix"),
        ("2026-12-25T17:00:00-05:00", "2026-12-25T17:00:00", 7, "is not an instant with its zone"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        let faults = parse(&text).expect_err(from);
        let told = faults_rendered(&text, "amendment.toml", &faults);
        let found = told.iter().find(|fault| fault.what.contains(what));
        let found = found.unwrap_or_else(|| panic!("{from} → {to}: {told:#?}"));
        assert_eq!(found.line, line, "{}", found.rendered);
        assert!(found.hint.is_some(), "{}", found.rendered);
    }
    let empty = "[amendment]\norder = \"o-1\"\nkind = \"amended\"\nsource = \"x\"\n";
    assert!(parse(empty).unwrap_err()[0].what.contains("changes nothing"));
    assert!(parse("").unwrap_err()[0].what.contains("says no `amendment`"));
    assert!(parse("[amendment\n").is_err());
}
