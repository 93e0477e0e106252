//! Which certificates our traps show: one TLS handshake for each redirected name, at the addresses that the operator names.
//!
//! Who signed it does not count: nobody trusts the trap's own authority, and nobody shall. What counts is that one is shown,
//! that it is for the name, and that it is valid now and for the days that follow. One handshake comes after the other,
//! nothing is said after it, and the trap records it like any other.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::api::ReadyCheck;
use docket::shown::counted;
use docket::unbelief;
use model::{DomainName, Timestamp};
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::{CertificateDer, ServerName};
use sinkhole::certificates::validity;

use super::check;

/// The most traps of one command.
pub(super) const TRAPS_MAX: usize = 16;
/// The most names that one trap is asked for; of more, these are spread over the list.
const NAMES_MAX: usize = 1_000;
/// From the connection to the end of the handshake.
const PATIENCE: Duration = Duration::from_secs(5);
/// For all names at one trap.
const TOTAL: Duration = Duration::from_secs(10 * 60);
/// A trap with which so many handshakes in a row failed is down: the rest need not be waited for.
const FAILED_MAX: usize = 5;
/// How long a certificate has to be valid yet. The trap renews its own with 30 days left.
const DAYS: u64 = 7;

pub(super) fn asked(trap: SocketAddr, zones: &[DomainName], now: Timestamp) -> ReadyCheck {
    let names = sample(zones);
    let of_all = if names.len() < zones.len() {
        format!("{} of {} redirected names", names.len(), zones.len())
    } else {
        "every redirected name".to_owned()
    };
    let what = format!("{trap} shows a certificate for {of_all}");
    match unbelief::client() {
        Ok(tls) => {
            let good = format!("{}: one for each, valid for {DAYS} days and more", counted(names.len()));
            check(what, &look_all(trap, &names, &tls, now), good)
        }
        Err(error) => check(what, &[format!("setting up TLS: {error}")], String::new()),
    }
}

/// All of them, or every so many-th.
fn sample(zones: &[DomainName]) -> Vec<&DomainName> {
    zones.iter().step_by(zones.len().div_ceil(NAMES_MAX).max(1)).collect()
}

/// What is wrong, by name.
fn look_all(trap: SocketAddr, names: &[&DomainName], tls: &Arc<ClientConfig>, now: Timestamp) -> Vec<String> {
    let (mut bad, mut failed, until) = (Vec::new(), 0, clock() + TOTAL);
    for (number, name) in names.iter().enumerate() {
        if failed == FAILED_MAX || clock() > until {
            bad.insert(0, format!("{} of {} names were not asked for", names.len() - number, names.len()));
            break;
        }
        let seen = look(trap, name, tls);
        failed = if seen.is_ok() { 0 } else { failed + 1 };
        let wrong = match seen {
            Ok(chain) => judged(&chain, name, now).err(),
            Err(error) => Some(format!("has no handshake: {}", in_words(&error))),
        };
        bad.extend(wrong.map(|wrong| format!("{} {wrong}", name.defanged())));
    }
    bad
}

/// What is wrong with what was shown.
fn judged(chain: &[CertificateDer<'_>], name: &DomainName, now: Timestamp) -> Result<(), String> {
    let leaf = chain.first().ok_or("is shown no certificate")?;
    let parsed = ParsedCertificate::try_from(leaf).map_err(|_| "is shown what is no certificate")?;
    let server_name = ServerName::try_from(name.as_str()).map_err(|_| "is no name that TLS takes")?;
    verify_server_name(&parsed, &server_name).map_err(|_| "is shown a certificate for other names")?;
    let (from, until) = validity(leaf).ok_or("is shown a certificate whose dates cannot be read")?;
    let then = now.checked_add(Duration::from_secs(DAYS * 24 * 60 * 60)).unwrap_or(now);
    if now < from {
        return Err(format!("is shown a certificate that is not valid before {from}"));
    }
    if until <= now {
        return Err(format!("is shown a certificate that ended at {until}"));
    }
    if until <= then {
        return Err(format!("is shown a certificate that ends within {DAYS} days, at {until}"));
    }
    Ok(())
}

//----------- Looking ----------------------------------------------------------------------------------------------

/// The chain that is shown for a name.
fn look(trap: SocketAddr, name: &DomainName, tls: &Arc<ClientConfig>) -> io::Result<Vec<CertificateDer<'static>>> {
    let until = clock() + PATIENCE;
    let server_name = ServerName::try_from(name.as_str().to_owned()).map_err(io::Error::other)?;
    let mut client = ClientConnection::new(Arc::clone(tls), server_name).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&trap, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    while client.is_handshaking() {
        if clock() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        step(&mut client, &mut stream)?;
    }
    client.send_close_notify();
    // Whoever hangs up now has shown it all the same.
    while client.wants_write() && client.write_tls(&mut stream).is_ok() {}
    let chain = client.peer_certificates().unwrap_or_default();
    Ok(chain.iter().map(|one| one.clone().into_owned()).collect())
}

/// Says what there is to say, and hears what comes next.
fn step(client: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    while client.wants_write() {
        client.write_tls(stream)?;
    }
    if client.read_tls(stream)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    client.process_new_packets().map_err(io::Error::other)?;
    Ok(())
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!("no answer in {} seconds", PATIENCE.as_secs()),
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => "the connection broke off".to_owned(),
        _ => error.to_string(),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door to our traps: it waits for them")]
fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use rustls::{ServerConfig, ServerConnection};
    use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Valid over the first quarter of 2026.
    fn issued(names: &[&str]) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 4, 1));
        (params.self_signed(&key).unwrap().der().clone(), key)
    }

    #[test]
    fn a_certificate_is_for_the_name_and_valid_for_days_to_come() {
        let (leaf, _) = issued(&["seized.example", "*.seized.example"]);
        let chain = [leaf];
        for (asked, now, told) in [
            ("seized.example", "2026-02-01T00:00:00Z", None),
            ("other.example", "2026-02-01T00:00:00Z", Some("for other names")),
            ("seized.example", "2025-12-31T23:59:59Z", Some("not valid before 2026-01-01")),
            ("seized.example", "2026-03-25T00:00:00Z", Some("ends within 7 days")),
            ("seized.example", "2026-03-24T00:00:00Z", None),
            ("seized.example", "2026-04-01T00:00:00Z", Some("ended at 2026-04-01")),
        ] {
            let wrong = judged(&chain, &name(asked), at(now)).err();
            assert_eq!(wrong.is_some(), told.is_some(), "{asked} {now}: {wrong:?}");
            assert!(told.is_none_or(|told| wrong.unwrap().contains(told)), "{asked} {now}");
        }
        assert!(judged(&[], &name("seized.example"), at("2026-02-01T00:00:00Z")).is_err());
        let none = [CertificateDer::from(vec![0u8; 9])];
        assert!(judged(&none, &name("seized.example"), at("2026-02-01T00:00:00Z")).is_err());
    }

    #[test]
    fn each_name_is_told_by_its_own_handshake() {
        let (leaf, key) = issued(&["seized.example"]);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![leaf], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let trap = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let _ = tls.complete_io(&mut stream.unwrap());
            }
        });
        let (ours, other) = (name("seized.example"), name("other.example"));
        let tls = unbelief::client().unwrap();
        let bad = look_all(trap, &[&ours, &other, &ours], &tls, at("2026-02-01T00:00:00Z"));
        assert_eq!(bad, [format!("{} is shown a certificate for other names", other.defanged())]);
    }

    #[test]
    fn a_trap_that_is_down_is_not_asked_for_every_name() {
        let trap = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let name = name("seized.example");
        let bad = look_all(trap, &[&name; 9], &unbelief::client().unwrap(), at("2026-02-01T00:00:00Z"));
        assert_eq!((bad.len(), bad[0].as_str()), (FAILED_MAX + 1, "4 of 9 names were not asked for"));
        assert!(bad[1].ends_with("has no handshake: connection refused"), "{bad:?}");
    }

    #[test]
    fn of_a_long_list_names_from_all_over_it_stand_for_all() {
        let zones: Vec<DomainName> = (0..2_500).map(|number| name(&format!("n{number}.example"))).collect();
        let seen = sample(&zones);
        assert!(seen.len() <= NAMES_MAX && seen.len() > NAMES_MAX / 2);
        assert_eq!(seen.last().unwrap().as_str(), "n2499.example");
        assert_eq!((sample(&zones[..3]).len(), sample(&[]).len()), (3, 0));
    }
}
