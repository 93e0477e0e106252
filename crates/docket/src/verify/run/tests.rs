//! Servers of the worst kind, on loopback: whatever they do, a look ends, and says what it saw.

use std::net::{Ipv4Addr, UdpSocket};

use domain::base::Message;
use domain::base::message_builder::MessageBuilder;
use domain::rdata::Ns;
use model::check::Verdict;
use model::order::NameOutcome;

use super::*;
use crate::verify::walk::hints;

type Answer = fn(&[u8]) -> Vec<Vec<u8>>;

/// A server of the root at 127.0.0.1; it ends with the test.
fn world(answer: Answer) -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut octets = [0; 4_096];
        while let Ok((length, asker)) = socket.recv_from(&mut octets) {
            for reply in answer(&octets[..length]) {
                let _ = socket.send_to(&reply, asker);
            }
        }
    });
    port
}

fn verifier(port: u16) -> Arc<Verifier> {
    Arc::new(Verifier::new(Settings {
        hints: hints("a.root A 127.0.0.1").unwrap(),
        port,
        resolvers: Vec::new(),
        bootstrap: None,
        rdap_tls: None,
        rate_per_sec: 1_000,
        patience: Duration::from_millis(250),
        source_v4: None,
        source_v6: None,
        ours: Default::default(),
        http_port: 1,
        https_port: 1,
        key: model::visit::VisitKey::new([0; 32]),
    }))
}

fn target() -> Target {
    Target {
        name: DomainName::parse("seized.alfa").unwrap(),
        outcome: NameOutcome::Redirect,
        name_servers: vec![DomainName::parse("ns1.sink.alfa").unwrap()],
        registration: Default::default(),
        issued: None,
        returned: false,
        also_ours: BTreeSet::new(),
        answers: None,
    }
}

/// The evidence of the delegation check after one look.
async fn evidence(answer: Answer) -> String {
    let order = OrderId::parse("o-1").unwrap();
    let mut looking = verifier(world(answer)).look(vec![(target(), order)], &BTreeMap::new(), true);
    let report = looking.next().await.unwrap().report.unwrap();
    assert!(looking.next().await.is_none());
    let finding = &report.findings[0];
    assert_eq!(finding.verdict, Verdict::NotObservable, "{finding:?}");
    finding.evidence.clone()
}

/// A reply to the query with a referral of `cut` to `server`.
fn refers(query: &[u8], cut: &str, server: &str) -> Vec<u8> {
    let query = Message::from_slice(query).unwrap();
    let mut answer = MessageBuilder::new_vec().start_answer(query, domain::base::iana::Rcode::NOERROR).unwrap();
    answer.header_mut().set_aa(false);
    let mut authority = answer.authority();
    let (cut, server): (Host, Host) = (cut.parse().unwrap(), server.parse().unwrap());
    authority.push((cut, 60, Ns::new(server))).unwrap();
    authority.finish()
}

#[tokio::test]
async fn whoever_is_silent_or_lies_is_an_observation() {
    assert!(evidence(|_| Vec::new()).await.contains("no answer in 2 tries"));
    let other_id = |query: &[u8]| {
        let mut reply = refers(query, "alfa", "a.nic.alfa");
        reply[0] ^= 0xff;
        vec![reply; 3]
    };
    assert!(evidence(other_id).await.contains("the id of another question (6 times)"));
    assert!(evidence(|_| vec![b"nonsense".to_vec(); 40]).await.contains("no DNS message (16 times)"));
    assert!(evidence(|_| vec![vec![0xff; 60_000]]).await.contains("nothing that counts"));
    assert!(evidence(|query| vec![refers(query, ".", "a.root")]).await.contains("no referral further down"));
    assert!(evidence(|query| vec![refers(query, "bravo", "a.nic.bravo")]).await.contains("no referral further down"));
}

#[tokio::test]
async fn servers_that_hang_on_each_other_are_followed_only_so_far() {
    let circle = |query: &[u8]| {
        let asked = Message::from_slice(query).unwrap().sole_question().unwrap();
        let name = asked.qname().to_string();
        let tld = name.rsplit('.').next().unwrap_or_default().to_owned();
        // alfa's server is in bravo, and bravo's in alfa; neither has an address.
        let (cut, server) = if tld == "alfa" { ("alfa", "ns.bravo") } else { ("bravo", "ns.alfa") };
        vec![refers(query, cut, server)]
    };
    assert!(evidence(circle).await.contains("no server of alfa could say"));
}

#[tokio::test]
async fn a_look_that_takes_too_long_ends_and_has_heard_nobody() {
    let verifier = verifier(world(|_| Vec::new()));
    let (start, look) = (Instant::now(), Look::new(&verifier, true));
    let seen = look.at(&target(), start + Duration::from_millis(20)).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    let report = NameReport::of(&target(), &OrderId::parse("o-1").unwrap(), &seen, None);
    assert!(report.findings.iter().all(|finding| finding.verdict == Verdict::NotObservable), "{report:?}");
    assert!(report.findings[0].evidence.contains("not heard within"), "{report:?}");
    assert!(!report.undelegated);
}

#[tokio::test]
async fn one_server_is_asked_no_faster_than_it_may_be() {
    let pace = Pace::default();
    let (start, server) = (Instant::now(), IpAddr::from([127, 0, 0, 1]));
    for _ in 0..6 {
        pace.wait(server, 50).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(100), "six turns at fifty a second take five times 20 ms");
    assert!(start.elapsed() < Duration::from_secs(5));
}
