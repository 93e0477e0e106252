use model::fact::{Actor, Draft};
use model::id::{CaseId, PersonId};
use model::paper::{Paper, PaperKind};

use super::*;

fn fact(body: Body) -> (Fact, Value) {
    let actor = Actor::Person { id: PersonId::parse("ada").unwrap() };
    let fact = Draft::new(actor, body).at(Position(31), "2019-03-27T12:34:56.7Z".parse().unwrap());
    let value = serde_json::to_value(&fact).unwrap();
    (fact, value)
}

fn case() -> CaseId {
    CaseId::parse("harbour").unwrap()
}

fn paper() -> Body {
    Body::PaperFiled { case: case(), paper: Paper { kind: PaperKind::Complaint, file: Digest([1; 32]), octets: 9 } }
}

#[test]
fn a_paper_lies_where_papers_lie_and_is_called_after_its_kind() {
    let (fact, value) = fact(paper());
    let found = named(&value);
    assert_eq!(found, [Named { word: "complaint".into(), digest: Digest([1; 32]) }]);
    assert_eq!(path_of(&fact, &found[0].word, b"%PDF-1.7"), "authority/papers/000031-complaint.pdf");
    assert_eq!(path_of(&fact, &found[0].word, b"{\"a\":1}"), "authority/papers/000031-complaint.json");
    assert_eq!(path_of(&fact, &found[0].word, b"<script>"), "authority/papers/000031-complaint.txt");
    assert_eq!(path_of(&fact, &found[0].word, &[0xff, 0xd8]), "authority/papers/000031-complaint.bin");
}

#[test]
fn the_script_knows_the_same_format_and_fields() {
    assert!(VERIFIER.contains(&format!("FORMAT = {FORMAT:?}\n")));
    assert!(VERIFIER.contains(&format!("FILE_FIELDS = {FILE_FIELDS:?}\n")));
}

#[test]
fn a_digest_that_a_person_writes_into_a_text_names_no_file() {
    let digest = Digest([7; 32]).to_string();
    let body = Body::PostMortemHeld { case: case(), days: 7, file: Digest([2; 32]) };
    assert_eq!(named(&fact(body).1), [Named { word: "file".into(), digest: Digest([2; 32]) }]);
    for body in [
        Body::HoldPlaced { case: case(), reason: digest.clone() },
        Body::AlarmAcknowledged { case: case(), alarm: Position(3), note: digest },
    ] {
        assert!(named(&fact(body).1).is_empty());
    }
}

#[test]
fn another_case_is_found_as_a_word_and_not_as_a_part_of_one() {
    let others = BTreeSet::from(["quay", "thallium-2019"]);
    for text in
        ["see quay", "quay.", "(thallium-2019)", "a: quay, b", "quay", "Quay", "_quay_", "--QUAY--.", "Thallium-2019_"]
    {
        assert!(other_in(text, &others).is_some(), "{text}");
    }
    assert!(other_in("_Quay-._", &BTreeSet::from(["quay-."])).is_some(), "a name may end with marks");
    for text in ["quays", "login-quay", "quay.test", "o-quay", "thallium", ""] {
        assert_eq!(other_in(text, &others), None, "{text}");
    }
    let (_, value) = fact(Body::HoldPlaced { case: case(), reason: "together with quay".into() });
    assert!(other_in_fact(&value, &others));
    assert!(!other_in_fact(&value, &BTreeSet::from(["reason"])), "names of fields are ours");
}

#[test]
fn an_act_is_one_line_and_nothing_in_it_is_live() {
    let (fact, value) =
        fact(Body::HoldPlaced { case: case(), reason: "https://evil.example/\u{202e}x\nand\u{2028}more".into() });
    let line = act_line(&fact, &value);
    assert_eq!(
        line,
        "    31  2019-03-27T12:34:56Z  ada                       hold placed; reason hxxps://evil[.]example/\\u{202e}x\\nand\\u{2028}more\n"
    );
    let long = Body::HoldPlaced { case: case(), reason: "x".repeat(900) };
    let (fact, value) = self::fact(long);
    assert_eq!(act_line(&fact, &value).chars().count(), LINE_CHARS_MAX + 2);
}

#[test]
fn the_page_names_case_and_key_and_fits_one_sheet() {
    let contents = Contents {
        format: FORMAT,
        case: "harbour".into(),
        exercise: true,
        sealed_until: None,
        made: "2019-03-27T12:00:00Z".parse().unwrap(),
        program: "bailiwick".into(),
        key: "log+00000000+AW".into(),
        ledger: 9,
        shown: vec![Position(1)],
        withheld: Vec::new(),
        files: Vec::new(),
        missing: Vec::new(),
    };
    let page = verify_page(&contents);
    assert!(page.contains("`harbour`") && page.contains("log+00000000+AW") && !page.contains('{'), "{page}");
    assert!(page.lines().count() <= 60, "one page");
}
