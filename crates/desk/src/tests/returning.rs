//! A name that goes back through the API, and one that somebody moved, as feeds tell of them.

use axum::http::StatusCode;
use model::DomainName;
use serde_json::{Value, json};

use super::house::{House, token};

const NAME: &str = "outlook-verify.net";
const CASE: &str = "/cases/phosphorus-2019";

async fn feed(house: &House, format: &str) -> String {
    let answer = house.get(&format!("/feeds/{format}?case=phosphorus-2019&audience=partners")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
    String::from_utf8(answer.body).unwrap()
}

fn stage<'a>(told: &'a Value, stage: &str) -> &'a Value {
    let stages = told["names"][0]["stages"].as_array().unwrap();
    stages.iter().find(|one| one["stage"] == stage).unwrap_or_else(|| panic!("{stage} is not in {told}"))
}

#[tokio::test]
async fn one_request_gives_a_name_back_and_the_second_changes_nothing() {
    let house = House::served().await;
    assert!(feed(&house, "rpz").await.contains(&format!("\n{NAME} CNAME rpz-passthru.")));
    let records = json!({ "zone_file": "@ 300 A 192.0.2.80\nwww 300 CNAME @\n", "source": "the owner's mail" });
    let wish = json!({ "names": [NAME], "reason": "its owner called", "records": records });
    assert_eq!(house.post(&format!("{CASE}/returns"), None, &wish).await.status, StatusCode::UNAUTHORIZED);
    let stray = json!({ "names": [NAME, "stranger.example"], "reason": "its owner called" });
    let refused = house.post(&format!("{CASE}/returns"), Some(&token("ada")), &stray).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.json());
    assert!(feed(&house, "rpz").await.contains(NAME), "all names or none");
    let answer = house.post(&format!("{CASE}/returns"), Some(&token("ada")), &wish).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    let told = answer.json();
    assert_eq!(told["said"], "1 name of case phosphorus-2019 in handback now");
    assert_eq!(told["feeds"], json!([{ "format": "rpz", "audience": "partners" }]));
    let done = |told: &Value, of: &str| stage(told, of)["done"] == json!(true);
    for (of, is_done) in
        [("handback", true), ("papers", true), ("feeds", true), ("confirmed", false), ("delegation", false)]
    {
        assert_eq!(done(&told, of), is_done, "{of}");
    }
    assert!(stage(&told, "handback")["what"].as_str().unwrap().contains("the owner's 2 records"));
    let papers = told["papers"].as_array().unwrap();
    let paths: Vec<&str> = papers.iter().map(|paper| paper["path"].as_str().unwrap()).collect();
    assert_eq!(paths[0], "letters/outlook-verify.net.txt");
    assert!(paths[1].ends_with("/plan.txt") && paths[2].ends_with("/plan.json"), "{paths:?}");
    assert!(papers[0]["text"].as_str().unwrap().starts_with("EXERCISE"));
    assert!(!feed(&house, "rpz").await.contains(NAME));
    assert!(feed(&house, "stix").await.contains("\"revoked\": true"));

    let position = house.desk.ledger.view().await.unwrap().next;
    let wish = json!({ "names": [NAME], "reason": "again" });
    let again = house.post(&format!("{CASE}/returns"), Some(&token("bea")), &wish).await.json();
    assert_eq!(again["said"], "1 name of case phosphorus-2019 already returned; nothing changed");
    assert_eq!(again["names"][0]["reason"], "its owner called");
    assert_eq!(house.desk.ledger.view().await.unwrap().next, position, "nothing was written");

    let step = json!({ "name": NAME });
    let sent = house.post(&format!("{CASE}/returns/plans"), Some(&token("bea")), &step).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.json());
    let left = house.get(&format!("{CASE}/returns?name={NAME}")).await.json();
    assert!(done(&left, "plan-sent") && !done(&left, "plan-answered"));
    let all = house.get(&format!("{CASE}/returns")).await.json();
    assert_eq!(
        (&all["said"], all["names"].as_array().unwrap().len()),
        (&json!("1 name of case phosphorus-2019 went back"), 1)
    );
    let stray = house.get(&format!("{CASE}/returns?name=stranger.example")).await;
    assert_eq!(stray.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/status").await.json()["ledger"]["without_effect"], 0);
}

#[tokio::test]
async fn a_return_that_was_broken_off_after_the_handback_is_finished_by_the_same_request() {
    let house = House::served().await;
    let narrow = json!({ "names": [NAME], "mode": "handback", "reason": "its owner called" });
    assert_eq!(house.post(&format!("{CASE}/narrow"), Some(&token("ada")), &narrow).await.status, StatusCode::OK);
    let left = house.get(&format!("{CASE}/returns?name={NAME}")).await.json();
    assert_eq!(stage(&left, "papers")["done"], json!(false));
    let wish = json!({ "names": [NAME], "reason": "its owner called" });
    let told = house.post(&format!("{CASE}/returns"), Some(&token("ada")), &wish).await.json();
    assert_eq!(stage(&told, "papers")["done"], json!(true));
    assert!(stage(&told, "handback")["left"].as_str().unwrap().contains("ask the owner for a zone file"), "{told}");
}

/// A victim who is let through to somebody else's server is never told.
#[tokio::test]
async fn a_name_that_somebody_moved_is_blocked_until_it_is_ours_again() {
    let house = House::served().await;
    let file = docket::casefile::parse(super::SHIPPED).unwrap();
    let ours: Vec<&str> = file.orders[0].terms.name_servers.iter().map(DomainName::as_str).collect();
    let look = async |servers: &[&str]| {
        let parent = json!({ "server": "a.nic.example", "heard": "delegated", "ns": servers });
        let seen = json!({ "name": NAME, "at": "2026-11-28T09:00:00Z", "parents": [parent] });
        let answer = house.post("/custody", None, &json!({ "observations": [seen] })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        feed(&house, "rpz").await
    };
    let serial = |rpz: &str| -> u32 {
        rpz.split("hostmaster.localhost. ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let (is_let_through, is_blocked) = (format!("\n{NAME} CNAME rpz-passthru."), format!("\n{NAME} CNAME .\n"));
    let well = look(&ours).await;
    assert!(well.contains(&is_let_through));
    let moved = look(&["ns1.evil.example"]).await;
    assert!(moved.contains(&is_blocked), "{moved}");
    assert!(serial(&moved) > serial(&well), "whoever polls the serial hears of it");
    let ours_again = look(&ours).await;
    assert!(ours_again.contains(&is_let_through) && serial(&ours_again) > serial(&moved));
}
