//! What we render, as a person has read it; and the promises of each form that a picture does not show.

mod golden;

use bailiwick_share::{Format, Snapshot, render};
use golden::{NAMES, Terms, case_id, name, sightings};
use model::id::Position;
use model::marking::Audience;
use model::order::NameOutcome;
use model::seizure::Seizure;
use serde_json::Value;
use store::view::NameView;

fn text(format: Format, terms: &Terms) -> String {
    let snapshot = Snapshot::gather(&terms.view(), &sightings(), &case_id()).unwrap();
    let document = render(format, &snapshot, Audience::NetworkOwners).unwrap();
    String::from_utf8(document.bytes).unwrap()
}

fn bundle(terms: &Terms) -> Vec<Value> {
    let bundle: Value = serde_json::from_str(&text(Format::Stix, terms)).unwrap();
    bundle["objects"].as_array().unwrap().clone()
}

#[test]
fn every_format_reads_as_it_did() {
    for format in Format::ALL {
        insta::assert_snapshot!(format.as_str(), text(format, &Terms::default()));
    }
}

#[test]
fn an_exercise_reads_as_it_did() {
    for format in [Format::Rpz, Format::Suricata, Format::Shadowserver] {
        insta::assert_snapshot!(format!("exercise-{format}"), text(format, &Terms::exercise()));
    }
}

//----------- STIX -------------------------------------------------------------------------------------------------

#[test]
fn what_is_referred_to_stands_before_what_refers_to_it() {
    // The committee's own identity made the extension; it is not ours to ship.
    let mut known = vec!["identity--b3bca3c2-1f3d-4b54-b44f-dac42c3a8f01".to_owned()];
    for object in bundle(&Terms::exercise()) {
        let refers = |field: &str| field.ends_with("_ref") || field.ends_with("_refs");
        let fields = object.as_object().unwrap().iter().filter(|(field, _)| refers(field));
        for (field, value) in fields {
            let ids = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for id in ids {
                assert!(known.iter().any(|known| id == known.as_str()), "{field} {id} comes too early");
            }
        }
        known.push(object["id"].as_str().unwrap().to_owned());
    }
}

#[test]
fn ids_are_unique_and_a_name_keeps_its_own_when_its_custody_changes() {
    let id_of = |objects: &[Value], pattern: &str| {
        let found = objects.iter().find(|object| object["pattern"] == pattern);
        found.map(|object| (object["id"].clone(), object["revoked"] == true)).unwrap()
    };
    let before = bundle(&Terms::default());
    let ids: std::collections::BTreeSet<&str> = before.iter().map(|object| object["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), before.len());

    let mut view = Terms::default().view();
    let case = view.cases.get_mut(&case_id()).unwrap();
    case.names.change(&name("outlook-verify.net"), |view| view.seizure = Seizure::Returned);
    let snapshot = Snapshot::gather(&view, &sightings(), &case_id()).unwrap();
    let bytes = render(Format::Stix, &snapshot, Audience::Internal).unwrap().bytes;
    let after: Value = serde_json::from_slice(&bytes).unwrap();
    let pattern = "[domain-name:value = 'outlook-verify.net']";
    let (id, revoked) = id_of(after["objects"].as_array().unwrap(), pattern);
    assert_eq!((id, false), id_of(&before, pattern));
    assert!(revoked, "a name that went back is withdrawn by name, not by silence");
}

#[test]
fn no_pattern_has_more_than_one_comparison() {
    for object in bundle(&Terms::default()) {
        let pattern = object["pattern"].as_str().unwrap_or_default();
        assert!(!pattern.contains(" AND ") && !pattern.contains(" OR "), "{pattern}");
    }
}

//----------- Custody ----------------------------------------------------------------------------------------------

#[test]
fn what_is_ours_is_let_through_what_is_not_is_blocked_and_what_went_back_is_gone() {
    let read = |format| text(format, &Terms::default());
    let [rpz, rules, hosts, csv] = [Format::Rpz, Format::Suricata, Format::Hosts, Format::Csv].map(read);
    for (name, rpz_says, rule_says) in [
        ("outlook-verify.net", Some("rpz-passthru."), Some("alert")),
        ("verify-linkedin.net", Some("rpz-passthru."), Some("alert")),
        ("yahoo-verify.net", Some("."), Some("drop")),
        ("myaccount-services.net", Some("."), Some("drop")),
        ("com-mailbox.com", Some("."), Some("drop")),
        ("verify-user-session.info", None, None),
        ("support-servics.net", None, None),
    ] {
        for owner in [name.to_owned(), format!("*.{name}")] {
            let line = rpz_says.map(|target| format!("{owner} CNAME {target}"));
            assert_eq!(rpz.lines().find(|line| line.starts_with(&format!("{owner} "))), line.as_deref());
        }
        let rule = rules.lines().find(|line| line.contains(&format!("\".{name}\"")));
        assert_eq!(rule.and_then(|rule| rule.split(' ').next()), rule_says, "{name}");
        assert_eq!(csv.contains(name), rpz_says.is_some(), "{name}");
        assert_eq!(hosts.contains(&format!("\n0.0.0.0 {name}\n")), rpz_says == Some("."), "{name}");
    }
    assert!(!rpz.contains("CNAME ns") && !rules.contains("http.host; nocase"));
}

#[test]
fn the_serial_moves_with_the_data_and_with_nothing_else() {
    let serial = |position| {
        let mut view = Terms::default().view();
        view.cases.get_mut(&case_id()).unwrap().changed = Position(position);
        view.next = Position(position + 100);
        let snapshot = Snapshot::gather(&view, &[], &case_id()).unwrap();
        let zone = String::from_utf8(render(Format::Rpz, &snapshot, Audience::Partners).unwrap().bytes).unwrap();
        zone.lines().find(|line| line.contains("SOA")).unwrap().split(' ').nth(4).unwrap().to_owned()
    };
    assert_eq!(serial(41), "42");
    assert_eq!(serial(43), "44");
}

#[test]
fn more_names_than_rules_are_written_for_is_refused_with_another_way() {
    let mut view = Terms::default().view();
    let case = view.cases.get_mut(&case_id()).unwrap();
    let order = case.names.get(&name(NAMES[0].0)).unwrap().order;
    let blocked = NameView { order, outcome: NameOutcome::Redirect, seizure: Seizure::Ordered, mode: None };
    let more = (0..5_000).map(|n| (name(&format!("n{n}.example")), blocked.clone()));
    case.names.extend(more);
    let snapshot = Snapshot::gather(&view, &[], &case_id()).unwrap();
    let refusal = render(Format::Suricata, &snapshot, Audience::Partners).unwrap_err();
    assert!(refusal.hint.unwrap().contains("rpz"));
    assert!(render(Format::Rpz, &snapshot, Audience::Partners).is_ok());
}
