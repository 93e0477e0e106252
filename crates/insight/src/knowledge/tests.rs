use model::fact::KnowledgeFormat::{self, MispGalaxy, Stix};
use model::group::{Alias, AttributedTo, Group};
use model::order::Source;
use proptest::prelude::*;

use super::*;

const BUNDLE: &str = r#"{"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": [
  {"type": "intrusion-set", "id": "intrusion-set--aaaa", "name": "Paper Kitten", "aliases": ["Paper Kitten", "EX35", "TAX453"],
   "external_references": [
     {"source_name": "mitre-attack", "external_id": "G9059"},
     {"source_name": "EX35", "description": "(Citation: Example Labs 2018)(Citation: Report on paper.example)(Citation: Third)"}]},
  {"type": "intrusion-set", "id": "intrusion-set--bbbb", "name": "Old Kitten", "revoked": true, "aliases": ["Old Kitten", "Paper Kitten"],
   "external_references": [{"source_name": "mitre-attack", "external_id": "G9058"}]},
  {"type": "relationship", "id": "relationship--1", "relationship_type": "revoked-by",
   "source_ref": "intrusion-set--bbbb", "target_ref": "intrusion-set--aaaa"},
  {"type": "attack-pattern", "id": "attack-pattern--1", "name": "Spearphishing Link",
   "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "initial-access"}],
   "external_references": [{"source_name": "mitre-attack", "external_id": "T1566.002"}]},
  {"type": "malware", "id": "malware--1", "name": "PaperShell",
   "external_references": [{"source_name": "mitre-attack", "external_id": "S9012"}]},
  {"type": "tool", "id": "tool--1", "name": "net.exe", "revoked": true},
  {"type": "relationship", "id": "relationship--2", "relationship_type": "uses",
   "source_ref": "intrusion-set--aaaa", "target_ref": "attack-pattern--1"},
  {"type": "relationship", "id": "relationship--3", "relationship_type": "uses",
   "source_ref": "intrusion-set--aaaa", "target_ref": "malware--1"},
  {"type": "relationship", "id": "relationship--4", "relationship_type": "uses",
   "source_ref": "intrusion-set--aaaa", "target_ref": "tool--1"},
  {"type": "marking-definition", "id": "marking-definition--1", "definition": {"statement": "Copyright Example."}}
]}"#;

const GALAXY: &str = r#"{"name": "Threat Actor", "type": "threat-actor", "values": [
  {"value": "EX35", "uuid": "cccc", "meta": {"synonyms": ["Paper Sandstorm", "G9059"], "country": "IR", "attribution-confidence": "50"},
   "related": [{"dest-uuid": "eeee", "type": "similar"}]},
  {"value": "Paper Kitten", "uuid": "dddd", "meta": {"synonyms": ["Paper Sandstorm", "G9058"], "country": "SY", "attribution-confidence": 50,
   "origin:Paper Sandstorm": "Example Vendor"}},
  {"value": "EX42", "uuid": "eeee"},
  {"value": "TAX453", "uuid": "ffff"},
  {"value": "Unrelated Bear", "uuid": "0000"}
]}"#;

fn claims(format: KnowledgeFormat, source: &str, text: &str) -> Claims {
    read(format, source, text.as_bytes(), KnowledgeLimits::default()).unwrap()
}

fn picture() -> GroupPicture {
    let alias = |name: &str| Alias { name: name.into(), source: Source::From("the order".into()) };
    let group = Group {
        id: "ex35".parse().unwrap(),
        name: "PAPYRUS".into(),
        aliases: vec![alias("EX 35"), alias("Paper Kitten")],
        attributed_to: Some(AttributedTo { country: "IR".parse().unwrap(), source: Source::Unverified }),
    };
    GroupPicture::merge(&group, &[claims(Stix, "ATT&CK", BUNDLE), claims(MispGalaxy, "MISP", GALAXY)])
}

//----------- The picture ------------------------------------------------------------------------------------------

#[test]
fn the_picture_as_a_person_reads_it() {
    let text = render_text(&picture());
    assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn every_alias_of_every_source_finds_the_group_and_neighbours_do_not() {
    let picture = picture();
    for name in ["ex35", "EX-35", "papyrus", "paper kitten", "Old Kitten", "TAX453", "Paper Sandstorm", "G9059"] {
        assert!(picture.is_called(name), "{name}");
    }
    for name in ["EX42", "Unrelated Bear"] {
        assert!(!picture.is_called(name), "{name}");
    }
}

#[test]
fn contradictions_are_named_one_by_one() {
    let (kittens, misp) = (vec!["EX35".to_owned(), "Paper Kitten".to_owned()], "MISP, threat-actor".to_owned());
    assert_eq!(
        picture().conflicts,
        [
            Conflict::KeptApart { source: misp.clone(), groups: kittens.clone() },
            Conflict::Revoked {
                source: "ATT&CK".into(),
                group: "G9058 Old Kitten".into(),
                into: "G9059 Paper Kitten".into(),
                still_used_by: vec!["MISP, threat-actor (Paper Kitten)".into()],
            },
            Conflict::AliasTwice { source: misp.clone(), alias: "Paper Sandstorm".into(), groups: kittens },
            Conflict::AnotherGroup { source: misp, alias: "TAX453".into(), group: "TAX453".into() },
            Conflict::Countries {
                claims: vec![
                    "IR (MISP, threat-actor)".into(),
                    "IR (unverified)".into(),
                    "SY (MISP, threat-actor)".into()
                ],
            },
        ]
    );
}

#[test]
fn the_json_has_what_the_page_has() {
    let json: serde_json::Value = serde_json::to_value(picture()).unwrap();
    assert_eq!(json["techniques"][0]["number"], "T1566.002");
    assert_eq!(json["software"][0]["name"], "PaperShell");
    assert_eq!(json["notices"][0], ATTACK_NOTICE);
    assert_eq!(json["aliases"][0]["claims"][0]["cites"].as_array().unwrap().len(), 3, "all works, not only two");
}

//----------- The files --------------------------------------------------------------------------------------------

#[test]
fn both_versions_of_stix_and_both_forms_of_a_galaxy_are_read() {
    let later = BUNDLE.replace(r#""spec_version": "2.0", "#, "");
    assert_eq!(claims(Stix, "ATT&CK", &later), claims(Stix, "ATT&CK", BUNDLE), "2.1 says its version per object");
    let list = r#"[{"galaxy": "threat-actor", "value": "EX35", "uuid": "cccc"}]"#;
    assert_eq!(claims(MispGalaxy, "MISP", list).groups[0].source, "MISP, threat-actor");
    let limits = KnowledgeLimits::default();
    assert_eq!(detect(BUNDLE.as_bytes(), limits).unwrap(), Stix);
    assert_eq!(detect(GALAXY.as_bytes(), limits).unwrap(), MispGalaxy);
    assert_eq!(detect(list.as_bytes(), limits).unwrap(), MispGalaxy);
    assert!(detect(b"{}", limits).unwrap_err().to_string().starts_with("neither a STIX bundle nor MISP"));
}

#[test]
fn a_bad_file_says_what_is_wrong_and_where() {
    for (format, text, expected) in [
        (Stix, "no json", "the file is no STIX bundle"),
        (Stix, r#"{"type": "report"}"#, "its type is `report`, not `bundle`"),
        (Stix, r#"{"type": "bundle", "spec_version": "1.2"}"#, "STIX 1.2 is not read"),
        (
            Stix,
            r#"{"type": "bundle", "objects": [{"type": "tool", "id": "tool--1"}, 7]}"#,
            "object 1 of the bundle cannot be read: 7…",
        ),
        (
            Stix,
            r#"{"type": "bundle", "objects": [{"type": "tool", "id": "malware--1"}]}"#,
            "object 0 of the bundle has type `tool` and id `malware--1`",
        ),
        (MispGalaxy, r#"{"values": [{"uuid": "x"}]}"#, "the file holds no MISP galaxy clusters"),
        (MispGalaxy, "[]", "the file has no cluster"),
    ] {
        let error = read(format, "x", text.as_bytes(), KnowledgeLimits::default()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn size_depth_and_number_of_objects_have_limits() {
    let fits = KnowledgeLimits { octets_max: BUNDLE.len(), depth_max: 5, objects_max: 10 };
    let refused = |limits| read(Stix, "x", BUNDLE.as_bytes(), limits).unwrap_err().to_string();
    assert!(read(Stix, "x", BUNDLE.as_bytes(), fits).is_ok());
    assert!(refused(KnowledgeLimits { octets_max: BUNDLE.len() - 1, ..fits }).contains("at most"));
    assert_eq!(refused(KnowledgeLimits { depth_max: 4, ..fits }), "the file is nested deeper than 4 levels");
    assert_eq!(refused(KnowledgeLimits { objects_max: 9, ..fits }), "the file has 10 objects, and at most 9 are read");
    let deep = "[".repeat(100_000);
    assert!(read(MispGalaxy, "x", deep.as_bytes(), KnowledgeLimits::default()).is_err());
    assert!(read(MispGalaxy, "x", GALAXY.as_bytes(), KnowledgeLimits { objects_max: 4, ..fits }).is_err());
}

#[test]
fn a_file_cannot_write_to_the_terminal_or_link_from_it() {
    let evil = r#"[{"value": "EX35 \u001b[2J\u202egnp.exe", "meta": {"synonyms": ["see http://paper.example/x", "login.paper.example", "cmd.exe T1566.002"]}}]"#;
    let group = Group {
        id: "ex35".parse().unwrap(),
        name: "see http paper example x".into(),
        aliases: vec![],
        attributed_to: None,
    };
    let text = render_text(&GroupPicture::merge(&group, &[claims(MispGalaxy, "MISP", evil)]));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(text.contains("hxxp://paper[.]example/x") && text.contains("login[.]paper[.]example"), "{text}");
    assert!(text.contains("cmd.exe T1566.002"), "programs and techniques are no names: {text}");
    assert_eq!(text::clean(&"x".repeat(1000)).len(), text::TEXT_MAX);
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}", cut in 0..2000_usize) {
        for format in [Stix, MispGalaxy] {
            let _ = read(format, &text, text.as_bytes(), KnowledgeLimits::default());
            let _ = read(format, &text, &BUNDLE.as_bytes()[..cut.min(BUNDLE.len())], KnowledgeLimits::default());
        }
    }

    #[test]
    fn no_line_is_too_wide_whatever_the_names(name in "\\PC{1,60}( \\PC{1,60}){0,5}", alias in "[a-z ]{1,300}") {
        let text = serde_json::json!([{"value": name, "meta": {"synonyms": [alias, "EX35"]}}]).to_string();
        let group = Group { id: "ex35".parse().unwrap(), name: "EX35".into(), aliases: vec![], attributed_to: None };
        let page = render_text(&GroupPicture::merge(&group, &[claims(MispGalaxy, "MISP", &text)]));
        prop_assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
    }
}
