//! Hellos of ever new server names: connect, say hello, hear the alert, again.
//!
//! Whoever makes a certificate, a counter or a line of log for each name that is asked for is brought down by names that
//! cost nothing to invent. So no two hellos here name the same: some are below the names that are given, as deep as
//! names go, the others a stranger's. Most hellos are of TLS 1.0, so a server has everything to decide and no key to
//! exchange, and a million of them are a matter of minutes. The others are hellos of TLS 1.2, which shows its certificate in
//! clear (RFC 5246, 7.4.2): how many different ones came is what a server made. No handshake is ended.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::DomainName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{Error, hello};

/// A server that says nothing for so long has failed.
const TIMEOUT: Duration = Duration::from_secs(10);
/// One name in so many is a stranger's.
const STRANGERS: u64 = 4;
/// One hello in so many wants to see the certificate.
const CURIOUS: u64 = 5;
/// The content types of an alert and a handshake (RFC 8446, 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// The type of the handshake's message that shows certificates.
const CERTIFICATE: u8 = 11;
/// Type and length before a handshake's message, and before a record's content.
const MESSAGE_HEAD: usize = 4;
const RECORD_HEAD: usize = 5;
/// A server that says more before its certificate has come is not one of ours.
const FLIGHT_OCTETS_MAX: usize = 16 * 1024;
/// Different certificates that are told apart.
const CERTIFICATES_MAX: usize = 100_000;

/// What to do.
#[derive(Clone, Debug)]
pub struct Knocks {
    pub target: SocketAddr,
    /// The first client's address; the others follow.
    pub from: Ipv4Addr,
    pub clients: u8,
    /// Below these most names are invented.
    pub apexes: Vec<DomainName>,
    /// The first name's number, and how many there are.
    pub first: u64,
    pub count: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct KnocksReport {
    /// Hellos answered as they should be: an old one by an alert, a new one by a certificate.
    pub answered: u64,
    pub failed: u64,
    /// The different certificates that were shown, up to 100,000 of them.
    pub certificates: HashSet<Vec<u8>>,
}

impl KnocksReport {
    fn take(&mut self, answer: Option<Answer>) {
        match answer {
            None => return self.failed += 1,
            Some(Answer::Certificate(shown)) if self.certificates.len() < CERTIFICATES_MAX => {
                self.certificates.insert(shown);
            }
            Some(_) => {}
        }
        self.answered += 1;
    }

    /// What another client or an earlier load heard.
    pub fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.certificates.extend(other.certificates);
    }
}

enum Answer {
    Alert,
    /// The message that shows the chain.
    Certificate(Vec<u8>),
}

/// Says all hellos, within a tokio runtime.
pub async fn knocks(knocks: &Knocks) -> Result<KnocksReport, Error> {
    if !knocks.target.ip().is_loopback() || !knocks.from.is_loopback() || knocks.apexes.is_empty() {
        let (from, to) = (knocks.from, knocks.target);
        return Err(Error::Plan(format!("hellos from {from} to {to}: not within 127.0.0.0/8, or below no name")));
    }
    let (all, taken) = (Arc::new(knocks.clone()), Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    for client in 0..knocks.clients {
        let from = Ipv4Addr::from(u32::from(knocks.from) + u32::from(client));
        clients.spawn(knock_on(Arc::clone(&all), from, Arc::clone(&taken)));
    }
    let mut total = KnocksReport::default();
    while let Some(report) = clients.join_next().await {
        total.add(report.expect("a client does not panic"));
    }
    Ok(total)
}

async fn knock_on(all: Arc<Knocks>, from: Ipv4Addr, taken: Arc<AtomicU64>) -> KnocksReport {
    let mut report = KnocksReport::default();
    loop {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        if number >= all.count {
            return report;
        }
        let number = all.first + number;
        let name = invented(&all.apexes, number);
        let (hello, heard) = if number.is_multiple_of(CURIOUS) {
            (hello::acceptable(Some(&name), [7; 32]), certificate as fn(&[u8]) -> Option<Answer>)
        } else {
            (hello::too_old(Some(&name), [7; 32]), alert as fn(&[u8]) -> Option<Answer>)
        };
        let answer = timeout(TIMEOUT, knock(all.target, from, &hello, heard)).await;
        report.take(answer.ok().and_then(Result::ok).flatten());
    }
}

/// What `heard` makes of the octets that came, as soon as it makes something of them.
async fn knock(
    target: SocketAddr,
    from: Ipv4Addr,
    hello: &[u8],
    heard: fn(&[u8]) -> Option<Answer>,
) -> io::Result<Option<Answer>> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let mut stream = socket.connect(target).await?;
    stream.write_all(hello).await?;
    let mut said = Vec::with_capacity(2_048);
    while said.len() < FLIGHT_OCTETS_MAX {
        if stream.read_buf(&mut said).await? == 0 {
            return Ok(None);
        }
        if let Some(answer) = heard(&said) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

//----------- What a server says -----------------------------------------------------------------------------------

fn alert(said: &[u8]) -> Option<Answer> {
    (said.first() == Some(&ALERT)).then_some(Answer::Alert)
}

fn certificate(said: &[u8]) -> Option<Answer> {
    let messages = handshake(said);
    let mut rest = messages.as_slice();
    loop {
        let (&[kind, high, mid, low], _) = rest.split_first_chunk::<MESSAGE_HEAD>()?;
        let len = u32::from_be_bytes([0, high, mid, low]) as usize;
        let (message, after) = rest.split_at_checked(MESSAGE_HEAD + len)?;
        if kind == CERTIFICATE {
            return Some(Answer::Certificate(message.to_vec()));
        }
        rest = after;
    }
}

/// What the whole records of a handshake hold, without their heads.
fn handshake(mut said: &[u8]) -> Vec<u8> {
    let mut messages = Vec::new();
    while let [HANDSHAKE, _, _, high, low, ..] = *said {
        let end = RECORD_HEAD + usize::from(u16::from_be_bytes([high, low]));
        let Some((record, after)) = said.split_at_checked(end) else { break };
        messages.extend_from_slice(&record[RECORD_HEAD..]);
        said = after;
    }
    messages
}

//----------- Names ------------------------------------------------------------------------------------------------

/// No two numbers have the same name.
fn invented(apexes: &[DomainName], number: u64) -> String {
    if number.is_multiple_of(STRANGERS) {
        return format!("x{number:x}.example");
    }
    let apex = &apexes[usize::try_from(number).unwrap_or_default() % apexes.len()];
    let depth = usize::try_from(number % 50).unwrap_or_default();
    format!("{}x{number:x}.{}", "a.".repeat(depth), apex.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::net::TcpListener;

    use super::*;

    fn apexes() -> Vec<DomainName> {
        ["one.example", "two.example"].map(|name| DomainName::parse(name).unwrap()).to_vec()
    }

    #[test]
    fn no_two_names_are_the_same_and_each_is_one() {
        let names: HashSet<String> = (0..5_000).map(|number| invented(&apexes(), number)).collect();
        assert_eq!(names.len(), 5_000);
        assert!(names.iter().all(|name| DomainName::parse(name).is_ok()));
        let strangers = names.iter().filter(|name| name.split('.').count() == 2).count();
        assert_eq!(strangers, 1_250);
    }

    #[tokio::test]
    async fn each_answer_is_counted_and_a_server_without_one_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 1_024]).await;
                let _ = stream.write_all(&[ALERT, 3, 1, 0, 2, 2, 70]).await;
            }
        });
        let from = Ipv4Addr::new(127, 80, 202, 1);
        let load = Knocks { target, from, clients: 2, apexes: apexes(), first: 0, count: 20 };
        let report = knocks(&load).await.unwrap();
        assert_eq!((report.answered, report.failed), (16, 4), "the curious have seen no certificate");
        assert!(report.certificates.is_empty());
        assert!(knocks(&Knocks { target: "192.0.2.1:443".parse().unwrap(), ..load.clone() }).await.is_err());
        assert!(knocks(&Knocks { apexes: vec![], ..load }).await.is_err());
    }

    #[test]
    fn a_certificate_is_found_in_whatever_records_it_comes() {
        let messages = [&[2, 0, 0, 1, 9][..], &[CERTIFICATE, 0, 0, 3, 1, 2, 3], &[14, 0, 0, 0]].concat();
        let record = |part: &[u8]| [&[HANDSHAKE, 3, 3, 0, u8::try_from(part.len()).unwrap()][..], part].concat();
        for cut in 0..messages.len() {
            let said = [record(&messages[..cut]), record(&messages[cut..])].concat();
            let shown = certificate(&said);
            assert!(matches!(shown, Some(Answer::Certificate(shown)) if shown == messages[5..12]), "cut at {cut}");
        }
        assert!(certificate(&record(&messages[..11])).is_none());
        assert!(certificate(&[ALERT, 3, 1, 0, 2, 2, 70]).is_none());
    }
}
