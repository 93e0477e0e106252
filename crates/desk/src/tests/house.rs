//! A house for tests: a data folder that goes away, and the router over it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use docket::Command;
use http_body_util::BodyExt;
use model::fact::Actor;
use model::{Digest, DomainName, Refusal, Timestamp};
use serde_json::{Value, json};
use store::archive::Archive;
use store::folder::DataFolder;
use store::ledger::Ledger;
use store::vault::Vault;
use tower::ServiceExt;
use wire::dns::AcmeToken;

use super::SHIPPED;
use crate::api::{DnsLive, Live};
use crate::run::now;
use crate::{Desk, Peer, StatusSource, router};

struct Asleep;

impl StatusSource for Asleep {
    fn live(&self) -> Live {
        Live::default()
    }

    fn dns(&self) -> Option<DnsLive> {
        None
    }

    fn tell_challenge(&self, _: &DomainName, tokens: Vec<AcmeToken>) -> Result<(), Refusal> {
        if tokens.len() == 1 { Ok(()) } else { Err(Refusal::new("one is told here")) }
    }
}

/// A data folder that goes away, with the router over it.
pub(super) struct House {
    pub(super) desk: Desk,
    _folder: DataFolder,
    _home: tempfile::TempDir,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) head: axum::http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

impl House {
    pub(super) async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path(), "test", Timestamp::UNIX_EPOCH).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        let archive = Arc::new(Archive::open(&folder, &ledger).await.unwrap());
        let vault = Arc::new(Vault::open(&folder).unwrap());
        let (ledger, status) = (Arc::new(ledger), Arc::new(Asleep));
        let (data, program) = (home.path().to_owned(), "test".into());
        let place = Arc::new(store::backup::Source { data, sensor: 1, boot: 1, config: None, program });
        let retention = Default::default();
        let room = (Ledger::clone(&ledger), Arc::clone(&vault));
        let passes = Arc::new(docket::verify::Passes::new(place.data.clone(), room, None, Default::default()));
        let last_count = Arc::default();
        let (clickhouse, labels) = (None, None);
        let desk = Desk { ledger, archive, vault, clickhouse, status, labels, passes, place, retention, last_count };
        Self { desk, _folder: folder, _home: home }
    }

    pub(super) async fn call(&self, request: Request<Body>) -> Answer {
        let response: Response = router(self.desk.clone()).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: head.status, head: head.headers, body }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call(request("GET", path, None, Body::empty())).await
    }

    pub(super) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.call(request("POST", path, token, Body::from(body.to_string()))).await
    }

    pub(super) async fn post_text(&self, path: &str, text: &str) -> Answer {
        self.call(request("POST", path, None, Body::from(text.to_owned()))).await
    }

    /// By the one-time token, as after a first start.
    pub(super) async fn enrol_first_admin(&self, id: &str) {
        let made = Command::MakeFirstToken { token: Digest::of_bytes(b"shown once") };
        let room = Actor::Room { name: "bailiwick".into() };
        docket::execute(&self.desk.ledger, &self.desk.vault, made, room, now()).await.unwrap();
        let mut wish = enrolment(id, &["admin"], false);
        wish["first_token"] = json!("shown once");
        assert_eq!(self.post("/people", None, &wish).await.status, StatusCode::CREATED);
    }

    /// With the shipped case, two demo people and both requests.
    pub(super) async fn asked() -> Self {
        Self::asked_about(SHIPPED).await
    }

    async fn asked_about(case_file: &str) -> Self {
        let house = Self::new().await;
        assert_eq!(house.post_text("/cases?file=phosphorus-2019.toml", case_file).await.status, StatusCode::CREATED);
        for (id, role) in [("ada", "investigator"), ("bea", "legal")] {
            let answer = house.post("/people", None, &enrolment(id, &[role], true)).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
        }
        let on_it = if case_file.contains("sealed_until") { &["ada", "bea"][..] } else { &[] };
        for id in on_it {
            let answer = house.post("/cases/phosphorus-2019/people", None, &json!({ "add": id })).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        }
        let answer = house.post("/cases/phosphorus-2019/requests", None, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json());
        house
    }

    pub(super) async fn served() -> Self {
        Self::serving(SHIPPED).await
    }

    pub(super) async fn serving(case_file: &str) -> Self {
        let house = Self::asked_about(case_file).await;
        for id in house.open_requests().await {
            for (who, role) in [("ada", "investigator"), ("bea", "legal")] {
                let answer = house.say_yes(&id, who, role).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
            }
        }
        house
    }

    pub(super) async fn open_requests(&self) -> Vec<String> {
        let list = self.get("/approvals").await.json();
        list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Reads what is shown, and says yes to exactly that.
    pub(super) async fn say_yes(&self, request: &str, who: &str, role: &str) -> Answer {
        let shown = self.get(&format!("/approvals/{request}")).await.json()["shown"].clone();
        self.post(&format!("/approvals/{request}"), Some(&token(who)), &json!({ "role": role, "shown": shown })).await
    }

    pub(super) async fn refusals(&self) -> u64 {
        self.get("/status").await.json()["ledger"]["refusals"].as_u64().unwrap()
    }
}

pub(super) fn request(method: &str, path: &str, token: Option<&str>, body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).extension(Peer { uid: 1000 });
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(body).unwrap()
}

pub(super) fn token(who: &str) -> String {
    format!("the token of {who}")
}

pub(super) fn enrolment(id: &str, roles: &[&str], fixture: bool) -> Value {
    let digest = Digest::of_bytes(token(id).as_bytes());
    json!({ "id": id, "roles": roles, "token_sha256": digest, "fixture": fixture })
}

/// The desk asks the clock; a snapshot does not.
pub(super) fn settled(mut value: Value) -> Value {
    pub(super) fn settle(value: &mut Value) {
        match value {
            Value::String(text) if text.ends_with('Z') && text.parse::<Timestamp>().is_ok() => *text = "<time>".into(),
            Value::Array(values) => values.iter_mut().for_each(settle),
            Value::Object(fields) => fields.values_mut().for_each(settle),
            _ => {}
        }
    }
    settle(&mut value);
    value
}
