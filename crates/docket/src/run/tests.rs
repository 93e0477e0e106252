use std::sync::Arc;

use model::Digest;
use model::id::PersonId;
use model::person::{Person, Role};
use store::folder::DataFolder;
use tokio::task::JoinSet;

use super::*;

struct House {
    ledger: Arc<Ledger>,
    vault: Arc<Vault>,
    _folder: DataFolder,
    _home: tempfile::TempDir,
}

async fn house() -> House {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", now()).unwrap();
    let ledger = Arc::new(Ledger::open(&folder).await.unwrap());
    House { ledger, vault: Arc::new(Vault::open(&folder).unwrap()), _folder: folder, _home: home }
}

fn now() -> Timestamp {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

fn someone() -> Actor {
    Actor::LocalUser { uid: 1000 }
}

fn enrol(id: &str) -> Command {
    let token = Digest::of_bytes(id.as_bytes());
    let person = Person { id: PersonId::parse(id).unwrap(), roles: [Role::Legal].into(), token, fixture: false };
    Command::EnrolPerson { person }
}

#[tokio::test]
async fn a_case_file_is_in_the_vault_before_the_fact_that_names_it() {
    let house = house().await;
    let text = include_str!("../../../../cases/phosphorus-2019.toml");
    let file = Box::new(crate::casefile::parse(text).unwrap());
    let digest = file.digest;
    let command = Command::ImportCase { file, text: text.into() };
    let first = execute(&house.ledger, &house.vault, command.clone(), someone(), now()).await.unwrap();
    assert_eq!(first.facts.len(), 2);
    assert_eq!(house.vault.get(&digest).unwrap().unwrap(), text.as_bytes());
    let again = execute(&house.ledger, &house.vault, command, someone(), now()).await.unwrap();
    assert!(again.facts.is_empty(), "the same file again changes nothing");
}

#[tokio::test]
async fn a_refusal_is_a_fact() {
    let house = house().await;
    execute(&house.ledger, &house.vault, enrol("ann"), someone(), now()).await.unwrap();
    let error = execute(&house.ledger, &house.vault, enrol("ann"), someone(), now()).await.unwrap_err();
    assert!(matches!(error, ExecuteError::Refused(refusal) if refusal.what == "ann is enrolled already"));
    let facts = house.ledger.facts(model::id::Position(0)).await.unwrap();
    let refused = Body::Refused { tried: "enrol ann".into(), why: "ann is enrolled already".into() };
    assert_eq!(facts.last().unwrap().body, refused);
}

/// Everybody loads the same view, and one append wins. Whoever loses decides again; nothing is half done.
#[tokio::test]
async fn whoever_loses_a_race_decides_again() {
    let house = house().await;
    let mut racing = JoinSet::new();
    for n in 0..4 {
        let (ledger, vault) = (Arc::clone(&house.ledger), Arc::clone(&house.vault));
        racing.spawn(async move { execute(&ledger, &vault, enrol(&format!("p-{n}")), someone(), now()).await });
    }
    let outcomes = racing.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(house.ledger.view().await.unwrap().people.len(), 4);
}

#[tokio::test]
async fn whoever_loses_every_race_is_told_so() {
    let mut tried = 0;
    let outcome: Result<(), _> = until_appended(|| {
        tried += 1;
        std::future::ready(Ok(None))
    })
    .await;
    assert!(matches!(outcome, Err(ExecuteError::Contended)));
    assert_eq!(tried, TRIES_MAX);
}
