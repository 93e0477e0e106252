//! Account names: sealed where the order covers what callers send, and nowhere else.

use super::*;
use crate::sealed::{OpeningKey, SEALED_OCTETS};

const BODY: &str = "login=mallory.victim%40mail.test&password=hunter2-x";
/// `basic.victim:hunter2-y`
const BASIC: &str = "Authorization: Basic YmFzaWMudmljdGltOmh1bnRlcjIteQ==";

fn content(apex: &str) -> Zone {
    zone(apex, ServiceMode::Collect, Acts::default().with(Act::RecordContent), None)
}

fn trap(key: Option<&OpeningKey>) -> Trap {
    let account_key = key.map(|key| key.sealing().clone());
    let without_metadata = [Act::Delegate, Act::Answer, Act::RecordContent].into_iter().collect();
    let zones = vec![
        content(APEX),
        collected("metadata.test"),
        zone("uncovered.test", ServiceMode::Collect, without_metadata, None),
        zone("held.test", ServiceMode::Hold, Acts::default().with(Act::RecordContent), None),
    ];
    Trap::on(Stage::new(zones, Settings { account_key, ..settings() }))
}

fn login(host: &str) -> String {
    format!(
        "POST /owa HTTP/1.1\r\nHost: {host}\r\n{BASIC}\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

/// Stops the trap; the accounts on disk, and whether any of them stands there in clear.
async fn on_disk(trap: Trap) -> (Vec<Vec<u8>>, bool) {
    let Trap { stage, running, .. } = trap;
    running.stop().await;
    let files = std::fs::read_dir(stage.journal_folder()).unwrap().map(|file| std::fs::read(file.unwrap().path()));
    let bytes = files.map(Result::unwrap).collect::<Vec<_>>().concat();
    let accounts = stage.read(|frame| match frame {
        Frame::Outcome(outcome) => Some(outcome.accounts.iter().map(|sealed| sealed.to_vec()).collect::<Vec<_>>()),
        _ => None,
    });
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    (accounts.concat(), has(b"victim") || has(b"hunter2") || has(b"dmljdGlt"))
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_back_from_the_journal_by_the_private_half_alone() {
    let key = OpeningKey::generate();
    let trap = trap(Some(&key));
    say(trap.http, login(APEX)).await;
    let mut client = tls_client(Some(APEX), &[&rustls::version::TLS13]);
    exchange(trap.https, &mut client, &login(APEX));
    say(trap.http, format!("GET / HTTP/1.1\r\nHost: {APEX}\r\n{BASIC}\r\n\r\n")).await;
    let (sealed, is_in_clear) = on_disk(trap).await;
    assert!(!is_in_clear && sealed.iter().all(|sealed| sealed.len() == SEALED_OCTETS));
    let opened: Vec<String> =
        sealed.iter().map(|sealed| String::from_utf8(key.open(sealed).unwrap().to_vec()).unwrap()).collect();
    let both = ["basic.victim", "mallory.victim@mail.test"];
    assert_eq!(opened, [&both[..], &both[..1], &both].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_is_kept_where_no_order_covers_it_or_no_key_is_there() {
    let key = OpeningKey::generate();
    for (host, key) in [
        ("metadata.test", Some(&key)),
        ("uncovered.test", Some(&key)),
        ("held.test", Some(&key)),
        ("elsewhere.example", Some(&key)),
        (APEX, None),
    ] {
        let trap = trap(key);
        say(trap.http, login(host)).await;
        assert_eq!(on_disk(trap).await, (vec![], false), "{host}");
    }
}

/// Requests of two names on one connection: what one order covers, another need not.
#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_judged_by_its_own_name() {
    let key = OpeningKey::generate();
    let trap = trap(Some(&key));
    let (other, ours) = (login("metadata.test"), login(APEX));
    let sent = [other.replace("Connection: close\r\n", ""), ours].concat();
    say(trap.http, sent).await;
    let (sealed, is_in_clear) = on_disk(trap).await;
    assert_eq!((sealed.len(), is_in_clear), (2, false));
}
