//! People on the API: what an outsider gets before and after a sealed case is there.

use axum::body::Body;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::SHIPPED;
use super::house::{House, enrolment, request, settled, token};

/// The shipped case under a seal, by another id, with other orders and another group.
fn sealed() -> String {
    SHIPPED
        .replacen("issuer =", "sealed_until = { value = \"9999-01-01\", source = \"the suite\" }\nissuer =", 1)
        .replace("phosphorus-2019", "quarrystone")
        .replace("dcd-1-19-cv-00716", "wdx-7-31")
        .replacen("id = \"apt35\"\nname = \"PHOSPHORUS\"", "id = \"velvet-heron\"\nname = \"Velvet Heron\"", 1)
}

/// Everything that can be asked about cases, of a case by that id and a request by that number.
fn asked(case: &str, number: u64) -> Vec<(&'static str, String, Value)> {
    let narrow = json!({ "names": ["outlook-verify.net"], "mode": "hold", "reason": "x" });
    let yes = json!({ "role": "legal", "shown": "0".repeat(64) });
    let of_case = json!({ "case": case });
    let hold = json!({ "case": case, "reason": "x" });
    let mut asked = vec![
        ("GET", "/cases".to_owned(), Value::Null),
        ("GET", "/approvals".to_owned(), Value::Null),
        ("GET", "/retention".to_owned(), Value::Null),
        ("GET", "/groups/velvet-heron".to_owned(), Value::Null),
        ("GET", "/status".to_owned(), Value::Null),
        ("GET", format!("/feeds/rpz?case={case}&audience=partners"), Value::Null),
        ("GET", format!("/approvals/{number}"), Value::Null),
        ("POST", format!("/approvals/{number}"), yes),
        ("POST", "/reports/timeline".to_owned(), of_case),
        ("POST", "/retention/holds".to_owned(), hold),
        ("POST", "/retention/releases".to_owned(), json!({ "case": case, "hold": "1" })),
        ("POST", "/dns/challenges".to_owned(), json!({ "name": "outlook-verify.net", "tokens": [] })),
    ];
    for (method, below, body) in [
        ("GET", "", Value::Null),
        ("GET", "/people", Value::Null),
        ("GET", "/counts?window=day", Value::Null),
        ("GET", "/names/outlook-verify.net/records", Value::Null),
        ("POST", "/names/outlook-verify.net/records?source=x", json!("www A 192.0.2.1")),
        ("POST", "/people", json!({ "add": "eve" })),
        ("POST", "/people", json!({ "neither": "eve" })),
        ("POST", "/state", json!({ "to": "evidence" })),
        ("POST", "/narrow", narrow),
        ("POST", "/requests", Value::Null),
        ("POST", "/unsealing", Value::Null),
    ] {
        asked.push((method, format!("/cases/{case}{below}"), body));
    }
    asked
}

async fn answers(house: &House, who: &str) -> Vec<(String, StatusCode, String)> {
    let mut answers = Vec::new();
    for (method, path, body) in asked("quarrystone", 11) {
        let answer = house.call(request(method, &path, Some(&token(who)), Body::from(body.to_string()))).await;
        let media = answer.head.get(header::CONTENT_TYPE).map(|media| media.to_str().unwrap().to_owned());
        let is_json = media.is_some_and(|media| media.ends_with("json"));
        let text = if is_json { settled(answer.json()).to_string() } else { format!("{:?}", answer.body) };
        answers.push((format!("{method} {path}"), answer.status, text));
    }
    answers
}

#[tokio::test]
async fn an_outsider_gets_the_same_before_and_after_a_sealed_case_is_there() {
    let house = House::new().await;
    for (id, role) in [("ada", "investigator"), ("bea", "legal"), ("eve", "analyst")] {
        assert_eq!(house.post("/people", None, &enrolment(id, &[role], true)).await.status, StatusCode::CREATED);
    }
    let before = answers(&house, "eve").await;
    let recorded = house.refusals().await;
    assert_eq!(house.post_text("/cases", &sealed()).await.status, StatusCode::CREATED);
    for id in ["ada", "bea"] {
        let added = house.post("/cases/quarrystone/people", None, &json!({ "add": id })).await;
        assert_eq!((added.status, &added.json()["is_sealed"]), (StatusCode::OK, &json!(true)));
    }
    assert_eq!(house.post("/cases/quarrystone/requests", None, &Value::Null).await.status, StatusCode::CREATED);
    let requests = house.open_requests().await;
    for id in &requests {
        for (who, role) in [("ada", "investigator"), ("bea", "legal")] {
            assert_eq!(house.say_yes(id, who, role).await.status, StatusCode::OK);
        }
    }
    let served_before = house.refusals().await;
    let after = answers(&house, "eve").await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    assert_eq!(house.refusals().await - served_before, recorded, "each is recorded, there or not");
    assert!(before.iter().filter(|(_, status, _)| *status == StatusCode::NOT_FOUND).count() > 12, "{before:?}");
    // Whoever is on it gets something else, or nothing was compared.
    let insider = answers(&house, "ada").await;
    let differ = insider.iter().zip(&after).filter(|(one, other)| one != other).count();
    assert!(differ > 12, "{differ} of {}", insider.len());
}

#[tokio::test]
async fn the_request_of_a_sealed_case_is_not_there_for_an_outsider() {
    let house = House::new().await;
    for (id, role) in [("ada", "investigator"), ("eve", "legal")] {
        assert_eq!(house.post("/people", None, &enrolment(id, &[role], true)).await.status, StatusCode::CREATED);
    }
    assert_eq!(house.post_text("/cases", &sealed()).await.status, StatusCode::CREATED);
    assert_eq!(house.post("/cases/quarrystone/requests", None, &Value::Null).await.status, StatusCode::CREATED);
    let id = house.open_requests().await.remove(0);
    let refused = house.say_yes(&id, "eve", "legal").await;
    assert_eq!(
        (refused.status, &refused.json()["detail"]),
        (StatusCode::NOT_FOUND, &json!(format!("there is no request {id}")))
    );
    let added = house.post("/cases/quarrystone/people", Some(&token("eve")), &json!({ "add": "eve" })).await;
    assert_eq!(added.status, StatusCode::NOT_FOUND);
    assert_eq!(house.refusals().await, 2);
    house.post("/cases/quarrystone/people", None, &json!({ "add": "eve" })).await;
    assert_eq!(house.say_yes(&id, "eve", "legal").await.status, StatusCode::OK);
    let removed = house.post("/cases/quarrystone/people", None, &json!({ "remove": "eve" })).await;
    assert_eq!(removed.status, StatusCode::UNAUTHORIZED, "taking somebody off takes a person");
}

#[tokio::test]
async fn a_token_of_a_program_acts_in_its_roles_until_it_ends() {
    let house = House::new().await;
    assert_eq!(
        house.post("/people", None, &enrolment("ada", &["legal", "analyst"], false)).await.status,
        StatusCode::CREATED
    );
    let digest = model::Digest::of_bytes(b"a program's");
    let wish = json!({ "name": "ci", "roles": ["analyst"], "days": 30, "token_sha256": digest });
    assert_eq!(house.post("/people/ada/tokens", None, &wish).await.status, StatusCode::UNAUTHORIZED);
    let made = house.post("/people/ada/tokens", Some(&token("ada")), &wish).await;
    assert_eq!((made.status, &made.json()["roles"]), (StatusCode::CREATED, &json!(["analyst"])));
    let read = async |path: &str, token: &str| house.call(request("GET", path, Some(token), Body::empty())).await;
    assert_eq!(read("/cases", "a program's").await.status, StatusCode::OK);
    for (who, refused) in [("a program's", true), (token("ada").as_str(), false)] {
        let more = json!({ "name": "more", "roles": ["analyst"], "days": 1, "token_sha256": model::Digest::of_bytes(b"more") });
        let answer = house.post("/people/ada/tokens", Some(who), &more).await;
        assert_eq!(answer.status == StatusCode::FORBIDDEN, refused, "{}", answer.json());
    }
    let status = read("/status", "a program's").await;
    assert_eq!(status.status, StatusCode::FORBIDDEN, "an analyst does not run the machine");
    let before = house.refusals().await;
    let revoked = house.post("/people/ada/tokens/ci/revoke", Some(&token("ada")), &Value::Null).await;
    assert_eq!(revoked.status, StatusCode::OK);
    let answer = read("/cases", "a program's").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("the token ci of ada was revoked at "));
    assert_eq!(house.refusals().await, before + 1);
    let list = house.get("/people/ada/tokens").await.json();
    assert_eq!((&list[0]["name"], &list[0]["ended"], &list[1]["ended"]), (&json!("ci"), &json!(true), &json!(false)));
    assert!(!list.to_string().contains(&digest.to_string()), "not even the digest is told");
}
