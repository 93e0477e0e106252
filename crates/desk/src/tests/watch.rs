//! Dues, alarms and custody through the API.

use axum::http::StatusCode;
use docket::Command;
use model::fact::Actor;
use serde_json::{Value, json};

use super::house::{House, token};

/// A real case, served, whose authority ends in the far future, and sealed as long.
async fn served() -> House {
    let file = super::SHIPPED.to_owned();
    House::serving(&file).await
}

fn seen(name: &str, registrar: &str) -> Value {
    json!({ "name": name, "at": "2026-11-28T09:00:00Z",
        "registration": { "registered": true, "registrar": registrar, "created": "2019-01-01T00:00:00Z" } })
}

#[tokio::test]
async fn what_was_seen_raises_an_alarm_that_a_person_acknowledges_and_that_ends_by_itself() {
    let house = served().await;
    let take = async |registrar: &str| {
        let body = json!({ "observations": [seen("outlook-verify.net", registrar), seen("stranger.example", "1")] });
        let answer = house.post("/custody", None, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        let taken = answer.json();
        (taken["cases"][0]["raised"].clone(), taken["cases"][0]["cleared"].clone(), taken["strangers"].clone())
    };
    assert_eq!(take("292").await, (json!(0), json!(0), json!(1)));
    assert_eq!(take("666").await, (json!(1), json!(0), json!(1)));
    assert_eq!(take("666").await, (json!(0), json!(0), json!(1)));
    let alarms = house.get("/alarms").await.json();
    let alarm = &alarms[0];
    assert_eq!((&alarm["kind"], &alarm["reason"]), (&json!("drifted"), &json!("the registrar is 666, and was 292")));
    let evidence = alarm["evidence"].as_str().unwrap().parse().unwrap();
    assert!(house.desk.vault.get(&evidence).unwrap().is_some(), "what shows it is in the vault");
    assert_eq!(house.get("/status").await.json()["alarms"], json!({ "raised": { "drifted": 1 }, "acknowledged": {} }));
    let path = format!("/alarms/{}/acknowledgement", alarm["number"].as_str().unwrap());
    let note = json!({ "note": "the registrar is called" });
    assert_eq!(house.post(&path, None, &note).await.status, StatusCode::UNAUTHORIZED);
    let answer = house.post(&path, Some(&token("ada")), &note).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    assert_eq!(house.post("/alarms/1/acknowledgement", Some(&token("ada")), &note).await.status, StatusCode::NOT_FOUND);
    assert_eq!(take("292").await.1, json!(1));
    assert_eq!(house.get("/alarms").await.json(), json!([]));
    assert_eq!(house.get("/alarms?all=true").await.json()[0]["state"], json!("cleared"));
}

#[tokio::test]
async fn more_than_a_registry_says_is_refused_whole() {
    let house = served().await;
    let body = json!({ "observations": [seen("outlook-verify.net", &"x".repeat(2_000))] });
    let answer = house.post("/custody", None, &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.json());
    let answer = house.post("/custody", None, &json!({ "observations": [{ "name": "outlook-verify.net" }] })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = house.post("/custody", None, &json!({ "observations": [], "sinkholes": "-x" })).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.json());
}

#[tokio::test]
async fn dues_and_the_second_persons_word() {
    let house = served().await;
    let narrow = json!({ "names": ["outlook-verify.net"], "mode": "hold", "reason": "its owner called" });
    house.post("/cases/phosphorus-2019/narrow", Some(&token("ada")), &narrow).await;
    let kinds = async || -> Vec<String> {
        let dues = house.get("/dues?case=phosphorus-2019").await.json();
        dues["dues"].as_array().unwrap().iter().map(|due| due["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert!(kinds().await.contains(&"narrowing-confirmation".to_owned()), "{:?}", kinds().await);
    let path = "/cases/phosphorus-2019/confirm";
    assert_eq!(house.post(path, Some(&token("ada")), &json!({})).await.status, StatusCode::FORBIDDEN);
    let answer = house.post(path, Some(&token("bea")), &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    assert!(!kinds().await.contains(&"narrowing-confirmation".to_owned()));
    assert_eq!(house.get("/dues?case=nobody-knows").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_sealed_case_has_no_due_and_no_alarm_for_whoever_is_not_on_it() {
    let sealed =
        super::SHIPPED.replacen("\nissuer =", "\nsealed_until = { value = 9000-01-01, source = \"x\" }\nissuer =", 1);
    let house = House::serving(&sealed).await;
    house.post("/people", None, &super::enrolment("eve", &["investigator"], true)).await;
    let body = |registrar| json!({ "observations": [seen("outlook-verify.net", registrar)] });
    house.post("/custody", None, &body("292")).await;
    house.post("/custody", None, &body("666")).await;
    let asked = async |path: &str, who: &str| {
        let request = super::request("GET", path, Some(&token(who)), axum::body::Body::empty());
        house.call(request).await
    };
    assert_eq!(asked("/alarms", "ada").await.json().as_array().unwrap().len(), 1);
    assert_eq!(asked("/alarms", "eve").await.json(), json!([]));
    assert_eq!(asked("/dues", "eve").await.json()["dues"], json!([]));
    for path in
        ["/alarms?case=phosphorus-2019", "/dues?case=phosphorus-2019", "/cases/phosphorus-2019/post-mortem?days=7"]
    {
        assert_eq!(asked(path, "eve").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let number = asked("/alarms", "ada").await.json()[0]["number"].as_str().unwrap().to_owned();
    let note = json!({ "note": "seen" });
    let answer = house.post(&format!("/alarms/{number}/acknowledgement"), Some(&token("eve")), &note).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn looking_back_counts_who_called_and_is_kept_if_a_person_says_so() {
    let house = served().await;
    let report = house.get("/cases/phosphorus-2019/post-mortem?days=7").await;
    assert_eq!(report.status, StatusCode::OK, "{}", report.json());
    let report = report.json();
    assert_eq!((&report["is_early"], &report["calls"]), (&json!(true), &json!({})));
    let path = "/cases/phosphorus-2019/post-mortem";
    let body = json!({ "days": 7 });
    assert_eq!(house.post(path, None, &body).await.status, StatusCode::UNAUTHORIZED);
    let held = house.post(path, Some(&token("ada")), &body).await;
    assert_eq!(held.status, StatusCode::OK, "{}", held.json());
    let dues = house.get("/dues").await.json();
    let left: Vec<&Value> = dues["dues"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|due| due["kind"] == "post-mortem")
        .map(|due| &due["subject"])
        .collect();
    assert_eq!(left, [&json!("30"), &json!("90")]);
}

#[tokio::test]
async fn the_clocks_news_is_written_once() {
    let soon = "\nexpires = { value = 2026-01-01T00:00:00Z, source = \"x\" }\nissuer =";
    let house = House::new().await;
    let file = super::SHIPPED.replacen("\nissuer =", soon, 1);
    assert_eq!(house.post_text("/cases", &file).await.status, StatusCode::CREATED);
    let keep = async || {
        let actor = Actor::Room { name: "watch".into() };
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        docket::execute(&house.desk.ledger, &house.desk.vault, Command::KeepWatch, actor, now)
            .await
            .unwrap()
            .facts
            .len()
    };
    assert_eq!(keep().await, 0, "what was never in force does not lapse");
    assert_eq!(house.get("/alarms").await.json(), json!([]));
}
