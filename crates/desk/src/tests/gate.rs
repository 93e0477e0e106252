//! The gate through the API: a run over the shipped case, counsel's word, and the case that is held until then.

use axum::body::Body;
use axum::http::StatusCode;
use docket::gate::Bundle;
use serde_json::{Value, json};

use super::SHIPPED;
use super::house::{Answer, House, enrolment, request, token};

const CASE: &str = "/cases/phosphorus-2019";

async fn gate(house: &House, files: &[(&str, &str)]) -> Answer {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let body = Body::from(Bundle(files).to_bytes());
    house.call(request("POST", &format!("{CASE}/gate"), None, body)).await
}

fn warned(report: &Value, kind: &str) -> Vec<String> {
    let of = report["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == kind);
    of.flat_map(|one| one["names"].as_array().unwrap()).map(|name| name.as_str().unwrap().to_owned()).collect()
}

async fn file_it(house: &House) -> Answer {
    house.post(&format!("{CASE}/state"), Some(&token("ada")), &json!({ "to": "filed" })).await
}

async fn decide(house: &House, who: &str, kind: &str) -> Answer {
    let run: u64 = house.get(&format!("{CASE}/gate")).await.json()["run"].as_str().unwrap().parse().unwrap();
    let wish = json!({ "run": run, "kind": kind, "choice": "accept", "reason": "looked at one by one" });
    house.post(&format!("{CASE}/gate/decisions"), Some(&token(who)), &wish).await
}

#[tokio::test]
async fn a_rehearsal_that_runs_the_gate_is_held_until_counsel_has_decided() {
    let house = House::asked().await;
    assert_eq!(house.get(&format!("{CASE}/gate")).await.status, StatusCode::NOT_FOUND);
    let popular = "[[table]]\nis = \"popular\"\nfile = \"top.txt\"\ndate = \"2026-11-22\"\n";
    let ran = gate(&house, &[("gate.toml", popular), ("top.txt", "www.outlook-verify.net\n")]).await;
    assert_eq!(ran.status, StatusCode::OK, "{}", ran.json());
    let ran = ran.json();
    assert_eq!(warned(&ran["report"], "conflicting-attribution").len(), 7);
    assert_eq!(warned(&ran["report"], "popular"), ["outlook-verify.net"]);
    let held = file_it(&house).await;
    assert_eq!(held.status, StatusCode::FORBIDDEN);
    assert!(
        held.json()["detail"].as_str().unwrap().contains("7 undecided: conflicting-attribution"),
        "{}",
        held.json()
    );
    assert_eq!(decide(&house, "ada", "popular").await.status, StatusCode::FORBIDDEN, "she is no counsel");
    for kind in ["popular", "conflicting-attribution", "answer-effect-unknown", "not-looked"] {
        let decided = decide(&house, "bea", kind).await;
        assert_eq!(decided.status, StatusCode::OK, "{}", decided.json());
    }
    let shown = house.get(&format!("{CASE}/gate")).await.json();
    assert_eq!((&shown["in_the_way"], shown["decisions"].as_array().unwrap().len()), (&json!([]), 4));
    assert_eq!(file_it(&house).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_real_order_does_not_come_into_force_before_the_gate_has_run() {
    let house = House::new().await;
    let real = SHIPPED.replace("instrument = \"exercise\"", "instrument = \"registrar-action\"");
    assert_eq!(house.post_text("/cases", &real).await.status, StatusCode::CREATED);
    house.enrol_first_admin("root").await;
    for (id, role) in [("ada", "investigator"), ("bea", "legal")] {
        house.post("/people", Some("the token of root"), &enrolment(id, &[role], false)).await;
    }
    house.post(&format!("{CASE}/requests"), None, &Value::Null).await;
    let first = house.open_requests().await.remove(0);
    assert_eq!(house.say_yes(&first, "ada", "investigator").await.status, StatusCode::OK);
    let answer = request(
        "POST",
        &format!("{CASE}/papers?kind=answer"),
        Some(&token("ada")),
        Body::from("the registrar's answer"),
    );
    assert_eq!(house.call(answer).await.status, StatusCode::CREATED);
    let held = house.say_yes(&first, "bea", "legal").await;
    assert_eq!(held.json()["detail"], "the harm gate has not run over case phosphorus-2019");
    assert_eq!(gate(&house, &[]).await.status, StatusCode::OK);
    for kind in ["conflicting-attribution", "answer-effect-unknown", "not-looked"] {
        assert_eq!(decide(&house, "bea", kind).await.status, StatusCode::OK);
    }
    assert_eq!(house.say_yes(&first, "bea", "legal").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_faulty_table_is_refused_with_its_line_and_nothing_is_recorded() {
    let house = House::asked().await;
    let table = "[[table]]\nis = \"passive-dns\"\nfile = \"seen.cof\"\n";
    let refused = gate(&house, &[("gate.toml", table), ("seen.cof", "{\"rrname\":\n")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.json()["detail"].as_str().unwrap().starts_with("seen.cof:1: "), "{}", refused.json());
    assert_eq!(house.get(&format!("{CASE}/gate")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn related_names_come_with_a_draft_that_can_be_imported() {
    let house = House::asked().await;
    let row = |name: &str| format!("{{\"rrname\":\"{name}\",\"rrtype\":\"NS\",\"rdata\":\"ns1.crew.example\"}}\n");
    let pdns = row("outlook-verify.net") + &row("outlook-verify-too.net");
    let body = Bundle(vec![("passive-dns:seen.cof".into(), pdns.into_bytes())]).to_bytes();
    let told = house.call(request("POST", &format!("{CASE}/related"), None, Body::from(body))).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.json());
    let told = told.json();
    assert_eq!(told["related"]["names"][0]["name"], "outlook-verify-too.net");
    let imported = house.post_text("/cases?file=draft.toml", told["draft"].as_str().unwrap()).await;
    assert_eq!((imported.status, &imported.json()["names"]), (StatusCode::CREATED, &json!(1)));
}
