//! The whole API in one process, without a socket: import, people, requests, approvals, served; and every refusal.

use axum::body::Body;
use axum::http::{StatusCode, header};
use model::{Digest, Timestamp};
use serde_json::{Value, json};

mod evidence;
mod gate;
mod house;
mod people;
mod returning;
mod watch;

use house::{House, enrolment, request, settled, token};

const SHIPPED: &str = include_str!("../../../cases/phosphorus-2019.toml");

//----------- The DNS plane -----------------------------------------------------------------------------------------

#[tokio::test]
async fn the_dns_plane_is_told_by_mode_and_counts_are_told_to_prometheus() {
    let house = House::served().await;
    let dns = house.get("/dns").await.json();
    assert_eq!((&dns["zones"]["collect"], &dns["zones"]["hold"], &dns["live"]), (&json!(98), &json!(0), &Value::Null));
    let metrics = house.get("/metrics").await;
    assert_eq!(metrics.head[header::CONTENT_TYPE], crate::METRICS_MEDIA_TYPE);
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("bailiwick_zones 0\n") && text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn a_challenge_is_told_only_for_a_name_whose_order_permits_certificates() {
    let permits = SHIPPED.replace("\"share\"", "\"share\", \"public-certificate\"");
    let (token, at) = ("a".repeat(43), "_acme-challenge.outlook-verify.net");
    for (case_file, name, tokens, wanted) in [
        (SHIPPED, at, json!([token]), StatusCode::FORBIDDEN),
        (&*permits, at, json!([token]), StatusCode::OK),
        (&permits, "outlook-verify.net", json!([token]), StatusCode::OK),
        (&permits, "outlook-verify.example", json!([token]), StatusCode::FORBIDDEN),
        (&permits, "", json!([token]), StatusCode::FORBIDDEN),
        (&permits, at, json!(["short"]), StatusCode::BAD_REQUEST),
        (&permits, at, json!(vec![token.clone(); 9]), StatusCode::BAD_REQUEST),
        // What the running process refuses.
        (&permits, at, json!([]), StatusCode::FORBIDDEN),
    ] {
        let house = House::serving(case_file).await;
        let body = json!({ "name": name, "tokens": tokens });
        let answer = house.post("/dns/challenges", None, &body).await;
        assert_eq!(answer.status, wanted, "{body} {}", answer.json());
    }
}

//----------- The way through ----------------------------------------------------------------------------------------

#[tokio::test]
async fn from_a_case_file_to_names_that_are_served() {
    let house = House::new().await;
    let imported = house.post_text("/cases?file=phosphorus-2019.toml", SHIPPED).await.json();
    assert_eq!((&imported["names"], &imported["new"]), (&json!(98), &json!(true)));
    assert_eq!(imported["conflicts"].as_array().unwrap().len(), 7);
    let again = house.post_text("/cases?file=phosphorus-2019.toml", SHIPPED).await;
    assert_eq!((again.status, &again.json()["new"]), (StatusCode::OK, &json!(false)));
    for (id, role) in [("ada", "investigator"), ("bea", "legal")] {
        assert_eq!(house.post("/people", None, &enrolment(id, &[role], true)).await.status, StatusCode::CREATED);
    }
    let filed = house.post("/cases/phosphorus-2019/requests", None, &Value::Null).await;
    assert_eq!(filed.status, StatusCode::CREATED);
    let mut said = vec![filed.json()];
    for id in house.open_requests().await {
        said.push(house.say_yes(&id, "ada", "investigator").await.json());
        said.push(house.say_yes(&id, "bea", "legal").await.json());
    }
    insta::assert_json_snapshot!("what_is_said_on_the_way", said);
    insta::assert_json_snapshot!("approvals_afterwards", settled(house.get("/approvals").await.json()));
    insta::assert_json_snapshot!("cases_afterwards", settled(house.get("/cases").await.json()));
    let zones = house.desk.ledger.view().await.unwrap().zones(Timestamp::UNIX_EPOCH);
    assert_eq!(zones.zones.len(), 98);
    assert!(zones.zones.iter().all(|zone| zone.coverage().is_exercise()));
    let status = house.get("/status").await.json();
    assert_eq!((&status["names_served"], &status["approvals_open"]), (&json!(98), &json!(0)));
    assert_eq!(status["ledger"]["without_effect"], 0);
}

#[tokio::test]
async fn what_two_people_approve_is_shown_with_its_digest_and_its_conflicts() {
    let house = House::asked().await;
    let id = house.open_requests().await.remove(0);
    let shown = house.get(&format!("/approvals/{id}")).await.json();
    assert_eq!(shown["shown"], json!(Digest::of_value(&shown["value"])), "the digest is of the canonical JSON");
    assert_eq!((&shown["changed"], shown["conflicts"].as_array().unwrap().len()), (&json!(false), 7));
    let text = shown["value_text"].as_str().unwrap();
    assert!(text.contains("outlook-verify[.]net") && !text.contains("outlook-verify.net"), "{text}");
    assert!(text.contains("EXERCISE") && text.contains("1:19-cv-00716 [unverified]"), "{text}");
}

#[tokio::test]
async fn one_person_narrows_at_once() {
    let house = House::served().await;
    let wish = json!({ "names": ["outlook-verify.net"], "mode": "hold", "reason": "its owner called" });
    let answer = house.post("/cases/phosphorus-2019/narrow", Some(&token("bea")), &wish).await;
    assert_eq!(answer.json()["said"], "1 name of case phosphorus-2019 in hold now");
    let case = house.get("/cases/phosphorus-2019").await.json();
    assert_eq!(case["served"], json!({ "collect": 97, "hold": 1 }));
    assert_eq!((case["lists"].as_array().unwrap().len(), case["waiting"].as_array().unwrap().len()), (11, 0));
    assert_eq!(case["state"], "executing");
}

//----------- Refusals -----------------------------------------------------------------------------------------------

#[tokio::test]
async fn every_refusal_is_a_problem_that_says_what_to_do() {
    let house = House::asked().await;
    let mut told = Vec::new();
    let yes = json!({ "role": "legal", "shown": Digest::of_bytes(b"something else") });
    let narrow = json!({ "names": ["outlook-verify.net"], "mode": "hold", "reason": "x" });
    let id = house.open_requests().await.remove(0);
    let approval = format!("/approvals/{id}");
    house.say_yes(&id, "ada", "investigator").await;
    for (path, token, body) in [
        (approval.as_str(), None, &yes),
        (approval.as_str(), Some("nobody's"), &yes),
        (approval.as_str(), Some("the token of bea"), &yes),
        ("/approvals/9999", Some("the token of bea"), &yes),
        ("/approvals/first", Some("the token of bea"), &yes),
        (approval.as_str(), Some("the token of bea"), &json!({ "role": "king" })),
        ("/cases/phosphorus-2019/narrow", None, &narrow),
        ("/cases/phosphorus-2019/narrow", Some("the token of bea"), &narrow),
        ("/cases/elsewhere/requests", None, &Value::Null),
        ("/cases/phosphorus-2019/requests", None, &Value::Null),
        ("/cases/phosphorus-2019/state", Some("the token of bea"), &json!({ "to": "denied" })),
        ("/people", None, &enrolment("ada", &["legal"], false)),
        ("/people", None, &enrolment("Ada Lovelace", &["legal"], false)),
        ("/cases/quick", None, &json!({ "wish": { "names": ["quay.example"] } })),
        ("/nowhere", None, &Value::Null),
    ] {
        let answer = house.post(path, token, body).await;
        let media = answer.head[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        assert_eq!(media, "application/problem+json", "{path}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.json()["status"], answer.status.as_u16());
        told.push(json!({ "asked": path, "problem": answer.json() }));
    }
    insta::assert_json_snapshot!(told);
}

/// With the feature `query` it is no SELECT, without it nothing is answered.
#[tokio::test]
async fn a_query_that_is_refused_says_what_is_answered() {
    let house = House::new().await;
    for path in ["/query?engine=clickhouse", "/query?engine=oracle", "/query?engines=parquet"] {
        let answer = house.post(path, None, &json!({ "sql": "SELECT 1" })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let answer = house.post("/query", None, &json!({ "sql": "drop table contacts" })).await;
    assert_eq!((answer.status, &answer.json()["type"]), (StatusCode::BAD_REQUEST, &json!("/problems/query-refused")));
    assert!(answer.json()["hint"].as_str().unwrap().contains("SELECT"));
}

#[tokio::test]
async fn refusals_by_the_law_are_remembered() {
    let house = House::asked().await;
    let id = house.open_requests().await.remove(0);
    house.say_yes(&id, "ada", "investigator").await;
    for (who, role, status) in [
        ("ada", "investigator", StatusCode::FORBIDDEN),
        ("ada", "legal", StatusCode::FORBIDDEN),
        ("bea", "operator", StatusCode::FORBIDDEN),
        ("mallory", "legal", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(house.say_yes(&id, who, role).await.status, status, "{who} as {role}");
    }
    assert_eq!(house.refusals().await, 4);
}

#[tokio::test]
async fn a_bad_case_file_is_refused_whole_with_places() {
    let house = House::new().await;
    let text = SHIPPED.replace("\"outlook-verify.net\"", "\"outlook_verify.net\"").replace("tlp =", "tpl =");
    let answer = house.post_text("/cases?file=cases/p.toml", &text).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = answer.json();
    let faults = problem["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0]["what"], "unknown field `tpl` in `case`");
    assert!(faults[0]["rendered"].as_str().unwrap().contains("cases/p.toml:15:1"), "{}", faults[0]["rendered"]);
    assert!(problem["detail"].as_str().unwrap().contains("did you mean `tlp`?"));
    assert_eq!(house.get("/cases").await.json(), json!([]), "nothing half done");
}

#[tokio::test]
async fn bodies_have_an_end_and_a_peer_is_needed() {
    let house = House::new().await;
    let long = "x".repeat(crate::BODY_OCTETS_MAX + 1);
    assert_eq!(house.post("/query", None, &json!({ "sql": long })).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let text = SHIPPED.to_owned() + &"# a long comment\n".repeat(100_000);
    assert_eq!(house.post_text("/cases", &text).await.status, StatusCode::CREATED, "a case file may be longer");
    let mut from_nowhere = request("POST", "/cases", None, Body::from(SHIPPED));
    from_nowhere.extensions_mut().clear();
    let answer = house.call(from_nowhere).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.head[header::WWW_AUTHENTICATE], "Bearer");
    let wrong_method = house.call(request("DELETE", "/cases", None, Body::empty())).await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
}

//----------- Quick, groups, feeds -----------------------------------------------------------------------------------

#[tokio::test]
async fn a_quick_case_asks_for_what_is_missing_and_then_says_what_to_set() {
    let house = House::new().await;
    let mut wish = json!({ "names": ["login-harbour.example"], "authority": "own-registration" });
    let problem = house.post("/cases/quick", None, &json!({ "wish": wish })).await.json();
    let fields: Vec<&str> =
        problem["questions"].as_array().unwrap().iter().map(|q| q["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["issuer", "contact", "purpose", "name_servers"]);
    for (field, answer) in [
        ("issuer", json!("Example Registrar")),
        ("contact", json!("desk@harbour.example")),
        ("purpose", json!("find who still calls")),
        ("name_servers", json!(["ns1.harbour.example"])),
    ] {
        wish[field] = answer;
    }
    let tried = house.post("/cases/quick", None, &json!({ "wish": wish, "dry_run": true })).await;
    assert_eq!((tried.status, &tried.json()["recorded"]), (StatusCode::OK, &json!(false)));
    assert_eq!(house.get("/cases").await.json(), json!([]));
    let made = house.post("/cases/quick", None, &json!({ "wish": wish })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let text = made.json()["registrar_text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("login-harbour[.]example\n") && text.contains("SERVFAIL"), "{text}");
    let case = house.get("/cases/login-harbour.example").await.json();
    assert_eq!((&case["state"], &case["exercise"]), (&json!("draft"), &json!(false)));
}

#[tokio::test]
async fn every_alias_finds_the_group_with_all_claims_and_conflicts() {
    let house = House::served().await;
    let bundle = json!({
        "type": "bundle", "id": "bundle--1f0ea57a-6d5b-4a6e-9d5b-2a3c9a3d0c11", "spec_version": "2.0",
        "objects": [{
            "type": "intrusion-set", "id": "intrusion-set--1f0ea57a-6d5b-4a6e-9d5b-2a3c9a3d0c12",
            "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z",
            "name": "Magic Hound", "aliases": ["Magic Hound", "Harbour Kitten"]
        }]
    });
    let imported = house.post("/groups/Charming%20Kitten/knowledge?source=A%20vendor", None, &bundle).await;
    assert_eq!(imported.status, StatusCode::CREATED, "{}", imported.json());
    assert_eq!((&imported.json()["group"], &imported.json()["objects"]), (&json!("apt35"), &json!(1)));
    for alias in ["apt35", "PHOSPHORUS", "mint-sandstorm", "Harbour%20Kitten"] {
        let group = house.get(&format!("/groups/{alias}")).await;
        assert_eq!(group.status, StatusCode::OK, "{alias}: {}", group.json());
        let group = group.json();
        assert_eq!(group["groups"][0]["id"], "apt35", "{alias}");
        assert_eq!(group["conflicts"].as_array().unwrap().len(), 7);
        assert!(group["picture_text"].as_str().unwrap().contains("verify-linke[.]com"), "{}", group["picture_text"]);
    }
    assert_eq!(house.get("/groups/strontium").await.status, StatusCode::NOT_FOUND);
    let odd = house.post("/groups/apt35/knowledge?source=x", None, &json!({ "type": "letter" })).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST, "{}", odd.json());
}

#[tokio::test]
async fn an_export_is_a_file_and_is_remembered() {
    let house = House::served().await;
    let position = |status: Value| status["ledger"]["next"].as_str().unwrap().parse::<u64>().unwrap();
    let before = position(house.get("/status").await.json());
    let feed = house.get("/feeds/rpz?case=phosphorus-2019&audience=partners").await;
    assert_eq!(feed.status, StatusCode::OK, "{}", String::from_utf8_lossy(&feed.body));
    assert!(feed.head[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment; filename=\""));
    assert!(String::from_utf8(feed.body.clone()).unwrap().contains("outlook-verify.net"), "machines read plain names");
    assert_eq!(feed.head[header::ETAG].to_str().unwrap(), format!("\"{}\"", Digest::of_bytes(&feed.body)));
    assert_eq!(position(house.get("/status").await.json()), before + 1);
    let again = house.get("/feeds/rpz?case=phosphorus-2019&audience=partners").await;
    assert_eq!(again.body, feed.body, "an export does not change what is exported");
    for (path, status) in [
        ("/feeds/xml?case=phosphorus-2019&audience=partners", StatusCode::NOT_FOUND),
        ("/feeds/stix?case=elsewhere&audience=partners", StatusCode::NOT_FOUND),
        ("/feeds/stix?case=phosphorus-2019&audience=everyone", StatusCode::BAD_REQUEST),
        ("/feeds/shadowserver?case=phosphorus-2019&audience=public", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(house.get(path).await.status, status, "{path}");
    }
}

//----------- The owner's records ------------------------------------------------------------------------------------

#[tokio::test]
async fn a_person_keeps_the_owners_records_and_a_return_without_them_says_so() {
    let house = House::served().await;
    let path = "/cases/phosphorus-2019/names/outlook-verify.net/records";
    let source = "?source=the%20owner%27s%20export";
    let keep = async |who: Option<&str>, text: &str| {
        house.call(request("POST", &format!("{path}{source}"), who, Body::from(text.to_owned()))).await
    };
    let ada = token("ada");
    assert_eq!(house.get(path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(keep(None, "www A 192.0.2.80\n").await.status, StatusCode::UNAUTHORIZED);
    let faulty = keep(Some(&ada), "www A 192.0.2.80\nwww.other.test. A 192.0.2.1\n").await;
    assert_eq!(faulty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(faulty.json()["detail"].as_str().unwrap().starts_with("line 2: "), "{}", faulty.json());
    let text = "@ NS ns1.old-owner.example.\nwww A 192.0.2.80\n";
    let kept = keep(Some(&ada), text).await;
    assert_eq!((kept.status, &kept.json()["count"]), (StatusCode::CREATED, &json!(1)));
    assert_eq!(kept.json()["notes"].as_array().unwrap().len(), 1, "{}", kept.json());
    assert_eq!(keep(Some(&ada), text).await.json()["new"], json!(false));
    let shown = house.get(path).await.json();
    assert_eq!((&shown["zone_file"], &shown["source"]), (&json!(text), &json!("the owner's export")));
    assert_eq!(shown["file"], json!(Digest::of_bytes(text.as_bytes())));

    let names = ["outlook-verify.net", "verify-linkedin.net"];
    let wish = json!({ "names": names, "mode": "handback", "reason": "their owners called" });
    let said = house.post("/cases/phosphorus-2019/narrow", Some(&ada), &wish).await.json()["said"].clone();
    let said = said.as_str().unwrap();
    assert!(
        said.starts_with(
            "2 names of case phosphorus-2019 in handback now; no records of the owner are kept for 1 name"
        ),
        "{said}"
    );
    let detail = house.get("/cases/phosphorus-2019").await.json();
    let captured = detail["name_states"].as_array().unwrap().iter().filter(|name| name["captured"] == json!(1)).count();
    assert_eq!(captured, 1);
}

//----------- Reports and sight --------------------------------------------------------------------------------------

#[tokio::test]
async fn reports_say_what_they_are_and_refuse_what_is_none() {
    let house = House::served().await;
    for (path, wish, status) in [
        ("/reports/top-secrets", json!({}), StatusCode::NOT_FOUND),
        ("/reports/top-names", json!({ "case": "nobody-knows" }), StatusCode::NOT_FOUND),
        ("/reports/top-names", json!({ "limit": 0 }), StatusCode::BAD_REQUEST),
        ("/reports/top-names", json!({ "limit": 10_001 }), StatusCode::BAD_REQUEST),
        ("/reports/top-names", json!({ "order": "contacts" }), StatusCode::BAD_REQUEST),
        ("/reports/top-names", json!({ "name": "x'y" }), StatusCode::BAD_REQUEST),
        ("/reports/source-history", json!({}), StatusCode::BAD_REQUEST),
    ] {
        let answer = house.post(path, None, &wish).await;
        assert_eq!(answer.status, status, "{path} {wish} {}", answer.json());
        assert!(answer.json()["hint"].is_string(), "{path} {wish}");
    }
}

/// Whoever is not on a sealed case does not learn that it is there; whoever does not work on cases sees no caller.
#[tokio::test]
async fn a_sealed_case_is_not_there_for_whoever_is_not_on_it() {
    let sealed =
        SHIPPED.replacen("issuer =", "sealed_until = { value = \"9999-01-01\", source = \"the suite\" }\nissuer =", 1);
    assert_ne!(sealed, SHIPPED);
    let house = House::serving(&sealed).await;
    for (id, role) in [("cyd", "analyst"), ("dan", "partner")] {
        assert_eq!(house.post("/people", None, &enrolment(id, &[role], true)).await.status, StatusCode::CREATED);
    }
    let of_case = json!({ "case": "phosphorus-2019" });
    let hidden = house.post("/reports/timeline", Some(&token("cyd")), &of_case).await;
    assert_eq!(
        (hidden.status, &hidden.json()["detail"]),
        (StatusCode::NOT_FOUND, &json!("there is no case phosphorus-2019"))
    );
    for on_it in [None, Some(token("ada")), Some(token("bea"))] {
        let answer = house.post("/reports/timeline", on_it.as_deref(), &of_case).await;
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "{}", answer.json());
    }
    for (path, body) in [("/reports/victims", json!({})), ("/query", json!({ "sql": "SELECT 1" }))] {
        let refused = house.post(path, Some(&token("dan")), &body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {}", refused.json());
        assert_ne!(house.post(path, Some(&token("cyd")), &body).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(house.refusals().await, 2);
}
