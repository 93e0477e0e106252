//! Ports that nobody named, and balancers in front of us.

use super::*;
use crate::NamesByAddress;

fn connections(stage: &Stage) -> Vec<String> {
    stage.read(|frame| match frame {
        Frame::Contact(contact) => match &contact.what {
            What::Connection(connection) => Some(format!(
                "{} {:?} {:?} {} {}",
                connection.looks_like,
                String::from_utf8_lossy(&connection.first_bytes),
                contact.via,
                contact.oddities.join(","),
                contact.subject.as_ref().map_or("-", |subject| &subject.apex),
            )),
            _ => None,
        },
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_here_speaks_is_described_and_kept_only_under_an_order() {
    let content = Acts::default().with(Act::RecordContent);
    for (acts, kept) in [(Acts::default(), "\"\""), (content, "\"SSH-2.0-x\\r\\n\"")] {
        let named = NamesByAddress::new([([127, 0, 0, 1].into(), model::DomainName::parse(APEX).unwrap())]);
        let zone = zone(APEX, ServiceMode::Collect, acts, None);
        let trap = Trap::on(Stage::new(vec![zone], Settings { names_by_address: named, ..settings() }));
        assert_eq!(say(trap.any, "SSH-2.0-x\r\n").await, "");
        assert_eq!(say(trap.any, "").await, "");
        assert!(say(trap.any, get("/", APEX)).await.starts_with("HTTP/1.1 200"));
        assert!(say(trap.any, "EHLO a.example\r\nQUIT\r\n").await.starts_with("220 "));
        let Trap { stage, running, .. } = trap;
        running.stop().await;
        let mut told = connections(&stage);
        told.sort();
        assert!(told.contains(&format!("ssh {kept} Direct  {APEX}")), "{told:?}");
        assert!(told.contains(&format!("silent \"\" Direct  {APEX}")), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_balancer_is_believed_and_nobody_else() {
    let said = format!("PROXY TCP4 203.0.113.7 192.0.2.80 4711 80\r\n{}", get("/", APEX));
    for (prefix, via, status) in
        [("127.0.0.0/8", "Proxy { version: 1, balancer: 127.0.0.1 }", "HTTP/1.1 200"), ("192.0.2.0/24", "Direct", "")]
    {
        let balancers = vec![prefix.parse().unwrap()];
        let trap = Trap::on(Stage::new(vec![collected(APEX)], Settings { balancers, ..settings() }));
        assert_eq!(say(trap.http, said.clone()).await.get(..12).unwrap_or_default(), status, "{prefix}");
        if prefix.starts_with("127") {
            assert_eq!(say(trap.http, get("/", APEX)).await, "", "a balancer must say who calls");
        }
        let Trap { stage, running, .. } = trap;
        running.stop().await;
        let told = connections(&stage);
        assert!(told[0].contains(via), "{told:?}");
        let sources = stage.read(|frame| match frame {
            Frame::Contact(contact) => Some(contact.source.to_string()),
            _ => None,
        });
        assert_eq!(sources.contains(&"203.0.113.7:4711".to_owned()), prefix.starts_with("127"), "{sources:?}");
        if prefix.starts_with("127") {
            assert!(told.iter().any(|line| line.contains("proxy.missing")), "{told:?}");
        }
    }
}
