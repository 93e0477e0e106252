//! The population against a tiny server that counts what it hears with code of its own.

use std::net::SocketAddr;

use model::DomainName;

use super::*;
use crate::cast::Role;

mod server;

use server::Server;

fn plan(server: &Server, folder: &tempfile::TempDir, scale: u32) -> Plan {
    let names = ["outlook-verify.net", "verify-user-session.info", "session-manager.info"];
    Plan {
        seed: 7,
        names: names.map(|name| DomainName::parse(name).unwrap()).to_vec(),
        dns: server.dns,
        http: server.http,
        https: server.https,
        scale,
        duration_max_secs: 60,
        report_answered: true,
        tally: folder.path().join("tally.json"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_callers_say_they_sent_is_what_a_server_hears() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let plan = plan(&server, &folder, 10);
    let tally = call(plan.clone()).await.unwrap();

    server.has_heard(tally.sent).await;
    assert_eq!(tally.sent, server.heard(), "by kind");
    for kind in [Kind::Query, Kind::Connection, Kind::Hello, Kind::Request] {
        assert!(tally.sent.of(kind) > 10, "{kind:?}: {:?}", tally.sent);
        assert!(tally.answered.of(kind) <= tally.sent.of(kind), "{kind:?}: {:?}", tally.answered);
        assert!(tally.answered.of(kind) * 10 > tally.sent.of(kind) * 7, "{kind:?}: {:?}", tally.answered);
    }
    assert!(tally.finished);
    assert_eq!((tally.given_up, tally.strange_answers, tally.callers_not_started), (0, 0, 0));
    assert_eq!(tally.callers.keys().copied().collect::<Vec<_>>(), Role::ALL);
    assert!(!tally.secrets_typed.is_empty());
    assert_eq!(Tally::read(&plan.tally).unwrap(), tally, "the file says the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_others_in_every_run_and_nothing_else_is() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let first = call(plan(&server, &folder, 5)).await.unwrap();
    let second = call(plan(&server, &folder, 5)).await.unwrap();
    assert_eq!(first.secrets_typed.len(), second.secrets_typed.len());
    assert!(first.secrets_typed.iter().all(|password| !second.secrets_typed.contains(password)));
    assert_eq!(first.callers, second.callers);
}

#[tokio::test]
async fn a_dead_server_is_tried_again_and_given_up() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let plan = Plan { dns: nobody, http: nobody, https: nobody, ..plan(&server, &folder, 1) };
    let tally = call(plan).await.unwrap();
    assert_eq!(tally.answered.total(), 0);
    assert_eq!((tally.sent.connection, tally.sent.hello, tally.sent.request), (0, 0, 0));
    assert!(tally.given_up > 0 && tally.retries > 0);
    assert!(tally.secrets_typed.is_empty(), "nothing is typed where nothing opens");
}

#[tokio::test]
async fn nobody_starts_after_the_end() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let tally = call(Plan { duration_max_secs: 0, ..plan(&server, &folder, 1) }).await.unwrap();
    assert_eq!((tally.sent.total(), tally.callers_not_started), (0, cast(7, 1).len() as u64));
    assert!(tally.finished);
}

#[tokio::test]
async fn a_tally_that_cannot_be_written_stops_the_run_before_it_starts() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let plan = Plan { tally: folder.path().join("missing/tally.json"), ..plan(&server, &folder, 1) };
    assert!(call(plan).await.unwrap_err().to_string().contains("missing/tally.draft"));
    assert_eq!(server.heard().total(), 0);
}

#[test]
fn the_population_runs_without_a_runtime_around_it() {
    let outside = tokio::runtime::Runtime::new().unwrap();
    let (server, folder) = (outside.block_on(Server::start()), tempfile::tempdir().unwrap());
    let tally = run(&plan(&server, &folder, 1)).unwrap();
    outside.block_on(server.has_heard(tally.sent));
    assert_eq!(tally.sent, server.heard());
}
