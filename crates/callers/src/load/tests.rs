use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

/// A server that answers every request, and closes where it was asked to.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(BufReader::new(stream)));
        }
    });
    address
}

async fn serve(mut stream: BufReader<tokio::net::TcpStream>) {
    let (mut line, mut closes) = (String::new(), false);
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        closes |= line == "Connection: close\r\n";
        if line == "\r\n" {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            if closes {
                return;
            }
        }
        line.clear();
    }
}

fn small_load(target: SocketAddr, keep_alive: bool, stop: Stop) -> Load {
    let name = DomainName::parse("verify.example").unwrap();
    Load { target, from: Ipv4Addr::new(127, 80, 200, 1), name, path: "/".into(), connections: 4, keep_alive, stop }
}

#[tokio::test]
async fn one_request_per_connection_or_one_after_the_other() {
    let target = server().await;
    let single = load(&small_load(target, false, Stop::Count(200))).await.unwrap();
    assert_eq!((single.answered, single.failed, single.connections), (200, 0, 200));
    let kept = load(&small_load(target, true, Stop::Count(200))).await.unwrap();
    assert_eq!((kept.answered, kept.failed), (200, 0));
    assert!(kept.connections <= 4, "{} connections", kept.connections);
}

#[tokio::test]
async fn a_timed_load_ends_in_time_and_a_dead_server_is_failure() {
    let timed = load(&small_load(server().await, true, Stop::After(Duration::from_millis(500)))).await.unwrap();
    assert!(timed.answered > 0 && timed.elapsed_secs < 5.0);
    let nobody = "127.0.0.1:1".parse().unwrap();
    let dead = load(&small_load(nobody, false, Stop::Count(10))).await.unwrap();
    assert_eq!((dead.answered, dead.failed), (0, 10));
}

#[tokio::test]
async fn a_load_stays_at_home_and_within_its_limits() {
    let good = small_load("127.0.0.1:80".parse().unwrap(), true, Stop::Count(0));
    for bad in [
        Load { target: "192.0.2.1:80".parse().unwrap(), ..good.clone() },
        Load { connections: CONNECTIONS_MAX + 1, ..good.clone() },
        Load { connections: 0, ..good.clone() },
    ] {
        assert!(load(&bad).await.is_err());
    }
    assert!(Load { connections: CONNECTIONS_MAX, ..good }.check().is_ok());
}
