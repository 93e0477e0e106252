use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server that shakes hands, gives so many tickets, and waits for its callers to leave.
async fn server(tickets: usize) -> SocketAddr {
    let leaf = rcgen::generate_simple_self_signed(vec!["verify.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(leaf.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.cert.der().clone()], key)
        .unwrap();
    config.send_tls13_tickets = tickets;
    config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }
            });
        }
    });
    address
}

fn small_load(target: SocketAddr, resumes: bool) -> Handshakes {
    let name = DomainName::parse("verify.example").unwrap();
    Handshakes { target, from: Ipv4Addr::new(127, 80, 201, 1), name, clients: 2, resumes, stop: Stop::Count(20) }
}

#[tokio::test]
async fn every_handshake_is_full_or_all_but_the_first_are_resumed() {
    let target = server(2).await;
    let full = handshakes(&small_load(target, false)).await.unwrap();
    assert_eq!((full.completed, full.other_kind, full.failed), (20, 0, 0));
    let resumed = handshakes(&small_load(target, true)).await.unwrap();
    assert_eq!((resumed.completed, resumed.other_kind, resumed.failed), (18, 2, 0), "each client's first is full");
}

#[tokio::test]
async fn a_dead_server_is_failure_and_the_load_stays_at_home() {
    let dead = handshakes(&small_load("127.0.0.1:1".parse().unwrap(), false)).await.unwrap();
    assert_eq!((dead.completed, dead.failed), (0, 20));
    let good = small_load("127.0.0.1:443".parse().unwrap(), false);
    for bad in [
        Handshakes { target: "192.0.2.1:443".parse().unwrap(), ..good.clone() },
        Handshakes { clients: 0, ..good.clone() },
        Handshakes { clients: CLIENTS_MAX + 1, ..good.clone() },
        Handshakes { from: Ipv4Addr::new(127, 0, 0, 255), stop: Stop::After(Duration::ZERO), ..good },
    ] {
        assert!(handshakes(&bad).await.is_err());
    }
}
