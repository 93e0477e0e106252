//! Somebody else's HTTP/2 client talks with the machine: `h2`, over a pipe in memory.

use h2::client;
use http::{HeaderMap, HeaderValue, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

type Sender = client::SendRequest<std::io::Cursor<Vec<u8>>>;

/// Drives the machine at one end of a pipe; what it told comes back at the end.
async fn serve(mut pipe: DuplexStream, page: Vec<u8>) -> Vec<String> {
    let mut http = Http2::new(Limits { body_octets_max: 8 << 20, ..Limits::default() });
    let (mut told, mut buffer) = (Vec::new(), vec![0; 4096]);
    loop {
        let count = pipe.read(&mut buffer).await.unwrap_or(0);
        match count {
            0 => http.on_end(Duration::ZERO),
            _ => http.on_bytes(Duration::ZERO, &buffer[..count]),
        }
        while let Some(output) = http.poll(Duration::ZERO) {
            match output {
                Output::Send(bytes) => drop(pipe.write_all(&bytes).await),
                Output::Observe(Seen::Head { stream, head }) => {
                    told.push(format!("{} {}", told_head(stream, &head), String::from_utf8_lossy(&head.h2)));
                    told.push(String::from_utf8_lossy(&head.kept.redacted.bytes).into_owned());
                }
                Output::Observe(Seen::End { stream, exchange }) => {
                    told.push(told_end(stream, &exchange));
                    http.respond(stream, 200, &[("content-type", "text/html"), ("x-own", "yes")], &page);
                }
                Output::Wait(_) => {}
                Output::Close => return told,
            }
        }
    }
}

/// A client and what the machine will have told once it is gone.
async fn connect(page: Vec<u8>) -> (Sender, tokio::task::JoinHandle<Vec<String>>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let served = tokio::spawn(serve(ours, page));
    let (sender, connection) = client::Builder::new().handshake(theirs).await.unwrap();
    tokio::spawn(async move { connection.await.unwrap() });
    (sender, served)
}

fn request(method: &str, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("https://a.example{path}"))
        .header("user-agent", "judge")
        .body(())
        .unwrap()
}

async fn body_of(response: client::ResponseFuture) -> (u16, Vec<u8>) {
    let response = response.await.unwrap();
    assert_eq!(response.headers()["x-own"], "yes");
    let status = response.status().as_u16();
    let (mut body, mut all) = (response.into_body(), Vec::new());
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    (status, all)
}

#[tokio::test]
async fn a_get_and_a_post() {
    let (mut sender, served) = connect(b"page".to_vec()).await;
    let (answer, _) = sender.send_request(request("GET", "/a?b=hunter2"), true).unwrap();
    assert_eq!(body_of(answer).await, (200, b"page".to_vec()));
    let mut post = request("POST", "/login");
    post.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    let (answer, mut body) = sender.send_request(post, false).unwrap();
    body.send_data(std::io::Cursor::new(b"{\"user\":\"bob\",\"password\":\"hunter2\"}".to_vec()), true).unwrap();
    assert_eq!(body_of(answer).await.1, b"page");
    drop((sender, body));
    let told = served.await.unwrap();
    assert!(told[0].starts_with("1: GET /a?b={redacted:query-value} host=a.example "), "{told:?}");
    assert!(told[1].contains("\r\nuser-agent: judge\r\n"), "{told:?}");
    assert_eq!(told[5], "3. 35 octets [\"user\", \"password\"], goes on");
    assert!(!told.concat().contains("hunter2"));
}

#[tokio::test]
async fn a_hundred_at_once_through_a_narrow_window() {
    let page: Vec<u8> = (0..30_000u32).map(|n| (n % 251) as u8).collect();
    let (sender, served) = connect(page.clone()).await;
    let answers = (0..STREAMS_MAX).map(|n| {
        let mut sender = sender.clone();
        sender.send_request(request("GET", &format!("/{n}")), true).unwrap().0
    });
    for answer in answers.collect::<Vec<_>>() {
        // Three megabytes, while the connection has a window of 64 KiB.
        assert_eq!(body_of(answer).await, (200, page.clone()));
    }
    drop(sender);
    let told = served.await.unwrap();
    assert_eq!(told.iter().filter(|line| line.contains("goes on")).count(), STREAMS_MAX);
    assert!(!told.concat().contains('!'), "{told:?}");
}

#[tokio::test]
async fn a_long_body_with_trailers_and_long_headers() {
    let (sender, served) = connect(b"page".to_vec()).await;
    let mut post = request("POST", "/");
    let every: Vec<u8> = (0x21..=0x7e).chain(0x80..=0xff).collect();
    post.headers_mut().insert("x-every", HeaderValue::from_bytes(&every).unwrap());
    post.headers_mut().insert("x-long", HeaderValue::from_bytes(&b"long".repeat(7500)).unwrap());
    let (answer, mut body) = sender.clone().send_request(post, false).unwrap();
    for _ in 0..10 {
        body.send_data(std::io::Cursor::new(vec![b'x'; 100_000]), false).unwrap();
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("hunter2"));
    body.send_trailers(trailers).unwrap();
    assert_eq!(body_of(answer).await.1, b"page");
    drop((sender, body));
    let told = served.await.unwrap();
    assert_eq!(told[2], "1. 1000000 octets [], goes on");
    assert!(told[1].contains("x-long:"), "{told:?}");
    assert!(!told.concat().contains("hunter2"));
}
