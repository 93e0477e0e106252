//! Evidence, reports to providers and the record of processing, over the API.

use axum::body::Body;
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::house::{House, request, token};

const CASE: &str = "/cases/phosphorus-2019";

/// A JSON value as a query parameter.
fn query(value: &Value) -> String {
    let one =
        |octet: u8| if octet.is_ascii_alphanumeric() { char::from(octet).to_string() } else { format!("%{octet:02X}") };
    value.to_string().bytes().map(one).collect()
}

fn exhibit(kind: &str, media_type: &str) -> Value {
    json!({
        "kind": kind, "name": "www.outlook-verify.net", "file_name": "file.bin", "media_type": media_type,
        "captured": "2019-03-27T12:00:00Z", "source": "https://www.outlook-verify.net/", "mark": "Outlook",
    })
}

async fn keep(house: &House, who: Option<&str>, exhibit: &Value, octets: &str) -> super::house::Answer {
    let path = format!("{CASE}/exhibits?exhibit={}", query(exhibit));
    house.call(request("POST", &path, who, Body::from(octets.to_owned()))).await
}

#[tokio::test]
async fn an_exhibit_is_kept_by_a_person_and_handed_out_as_a_file_that_nothing_renders() {
    let house = House::asked().await;
    let page = exhibit("page", "text/html");
    assert_eq!(keep(&house, None, &page, "<script>").await.status, StatusCode::UNAUTHORIZED);
    let kept = keep(&house, Some(&token("ada")), &page, "<script>").await;
    assert_eq!((kept.status, &kept.json()["exhibit"]["by"]["id"]), (StatusCode::CREATED, &json!("ada")));
    assert_eq!(keep(&house, Some(&token("ada")), &page, "<script>").await.status, StatusCode::OK);
    let file = house.get(&format!("{CASE}/exhibits/1/file")).await;
    assert_eq!(
        (file.body.as_slice(), file.head[header::CONTENT_TYPE].to_str().unwrap()),
        (&b"<script>"[..], "application/octet-stream")
    );
    assert!(file.head[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    for missing in ["exhibits/2/file", "exhibits/0/file", "exhibits/1/file?stamp=true"] {
        assert_eq!(house.get(&format!("{CASE}/{missing}")).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
    let manifest = house.get(&format!("{CASE}/evidence")).await.json();
    assert_eq!((manifest["exhibits"].as_array().unwrap().len(), &manifest["exercise"]), (1, &json!(true)));
    let unread = keep(&house, Some(&token("ada")), &json!({ "kind": "proof" }), "x").await;
    assert_eq!(unread.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn who_may_keep_is_asked_before_there_is_a_file() {
    let house = House::asked().await;
    let check = async |who: Option<&str>, exhibit: &Value| {
        let path = format!("{CASE}/exhibits/check?exhibit={}", query(exhibit));
        house.call(request("POST", &path, who, Body::empty())).await.status
    };
    let mut page = exhibit("page", "text/html");
    assert_eq!(check(Some(&token("ada")), &page).await, StatusCode::OK);
    assert_eq!(house.get(&format!("{CASE}/exhibits")).await.json(), json!([]));
    assert_eq!(check(None, &page).await, StatusCode::FORBIDDEN);
    page["name"] = json!("elsewhere.example");
    assert_eq!(check(Some(&token("ada")), &page).await, StatusCode::FORBIDDEN);
    assert_eq!(house.refusals().await, 2);
}

#[tokio::test]
async fn a_report_finds_its_address_places_and_exhibits_in_the_evidence() {
    let house = House::asked().await;
    let wish = json!({
        "name": "outlook-verify.net", "to": "registrar", "due": "2999-01-01T00:00:00Z", "abuse": "phishing",
        "reporter": { "organisation": "Desk", "contact": "desk@sinkhole.example" },
    });
    let reports = format!("{CASE}/reports");
    let nobody = house.post(&reports, Some(&token("ada")), &wish).await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST, "{}", nobody.json());
    let rdap = json!({ "entities": [{ "roles": ["registrar"], "entities": [
        { "roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@registrar.example"]]] },
    ]}]});
    keep(&house, Some(&token("ada")), &exhibit("page", "text/html"), "<form>").await;
    keep(&house, Some(&token("ada")), &exhibit("rdap", "application/rdap+json"), &rdap.to_string()).await;
    keep(&house, Some(&token("ada")), &exhibit("declaration", "text/plain"), "for the court alone").await;
    let made = house.post(&reports, Some(&token("ada")), &wish).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    let made = made.json();
    assert_eq!((&made["address"], &made["exhibits"]), (&json!("abuse@registrar.example"), &json!([1, 2])));
    assert_eq!((&made["urls"], &made["mark"]), (&json!(["https://www.outlook-verify.net/"]), &json!("Outlook")));
    assert!(made["letter_text"].as_str().unwrap().starts_with("EXERCISE"));
    let sending = format!("{reports}/1/sending?at=2019-03-28T00:00:00Z&channel=fax&proof=ok");
    assert_eq!(house.call(request("POST", &sending, Some(&token("ada")), Body::empty())).await.status, StatusCode::OK);
    let answer = json!({ "to": "acknowledged", "note": "ticket 7" });
    assert_eq!(house.post(&format!("{reports}/1/answer"), Some(&token("bea")), &answer).await.status, StatusCode::OK);
    let again = house.post(&format!("{reports}/1/answer"), Some(&token("bea")), &answer).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    let list = house.get(&reports).await.json();
    assert_eq!(
        (&list[0]["state"], &list[0]["overdue"], &list[0]["answers"][0]["note"]),
        (&json!("acknowledged"), &json!(false), &json!("ticket 7"))
    );
    let record = house.get(&format!("{CASE}/privacy")).await.json();
    assert_eq!((&record["controller"], record["reported_to"].as_array().unwrap().len()), (&Value::Null, 1));
}
