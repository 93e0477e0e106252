//! Every limit, reached; and what is counted then.

use super::*;

/// The outcome of the connection, last of all frames.
async fn ended(limits: Limits, tls: bool, sent: &[u8]) -> Vec<String> {
    let trap = Trap::new(vec![collected(APEX)], limits);
    let (at, sent) = (if tls { trap.https } else { trap.http }, sent.to_vec());
    let client = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        let _ = stream.write_all(&sent);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    client.await.unwrap();
    trap.told().await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_is_reached() {
    // Long enough that what is sent at once comes in time on a busy machine.
    let short = Duration::from_millis(500);
    let usual = Limits::default();
    let half = b"GET / HTTP/1.1\r\nHost: outlook";
    let told = ended(Limits { idle: short, ..usual }, false, half).await;
    assert!(told[1].contains("!http.head-incomplete") && told[3] == "  timed-out", "{told:?}");
    let told = ended(Limits { lifetime: short, ..usual }, false, half).await;
    assert_eq!(told[3], "  limit");
    let told = ended(Limits { handshake: short, ..usual }, true, b"").await;
    assert_eq!(told, ["connection  for nobody", "  timed-out"]);
    let told = ended(Limits { handshake: short, ..usual }, true, b"\x16\x03\x01\x00\x2d\x01\x00").await;
    assert!(told[1].contains("!tls.hello-incomplete") && told.last().unwrap() == "  timed-out", "{told:?}");
    let told = ended(Limits { head_octets_max: 50, ..usual }, false, get(&"a/".repeat(50), APEX).as_bytes()).await;
    assert!(told[1].contains("!http.head-too-long") && told[2] == "  us 400", "{told:?}");
    let post = format!("POST / HTTP/1.1\r\nHost: {APEX}\r\nContent-Length: 100\r\n\r\n{}", "x".repeat(100));
    let told = ended(Limits { body_octets_max: 50, ..usual }, false, post.as_bytes()).await;
    assert!(told[1].contains("!http.body-too-long") && told[2].starts_with("  us 200 body"), "{told:?}");
}

/// Asks very often and reads nothing; returns the open connection.
async fn greedy(at: SocketAddr) -> TcpStream {
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        stream.set_nonblocking(true).unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {APEX}\r\n\r\n").repeat(900);
        let _ = stream.write(request.as_bytes());
        stream
    });
    asking.await.unwrap()
}

/// Until somebody has come, and nobody is there any more.
async fn all_have_ended(trap: &Trap) {
    for _ in 0..3_000 {
        let has_come = sum(&trap.running.tallies()).recorded > 0;
        if has_come && trap.running.open().iter().all(|(_, count)| *count == 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?} are still open", trap.running.open());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answer_is_given_up() {
    let short = Duration::from_millis(300);
    for (limits, end) in [
        (Limits { idle: short, ..Limits::default() }, "timed-out"),
        (Limits { lifetime: short, ..Limits::default() }, "limit"),
    ] {
        let trap = Trap::new(vec![collected(APEX)], Limits { requests_max: u32::MAX, ..limits });
        let mut stream = greedy(trap.http).await;
        all_have_ended(&trap).await;
        let (told, _) = trap.told().await;
        assert_eq!(told.last().unwrap().trim(), end);
        assert!(stream.read(&mut [0; 99]).is_ok(), "there were answers to read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answer_does_not_hold_up_a_stop() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let _stream = greedy(trap.http).await;
    // Within the drain, or the end would not be on record.
    let (told, tally) = trap.told().await;
    assert_eq!(told.last().unwrap().trim(), "stopped");
    assert_eq!(told.iter().filter(|line| line.starts_with("request ")).count() as u64 + 1, tally.recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_shed_and_counted() {
    for limits in [
        Limits { connections_max: 2, ..Limits::default() },
        Limits { connections_per_prefix_max: 2, ..Limits::default() },
    ] {
        let trap = Trap::new(vec![collected(APEX)], limits);
        let held = [connect(trap.http), connect(trap.https)];
        let at = trap.http;
        let answer = tokio::task::spawn_blocking(move || {
            let mut third = connect(at);
            let mut answer = Vec::new();
            let _ = third.read_to_end(&mut answer);
            answer
        });
        assert_eq!(answer.await.unwrap(), b"");
        drop(held);
        let (_, tally) = trap.told().await;
        assert_eq!((tally.recorded, tally.shed.connections), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_is_in_the_journal() {
    let trap = Trap::new(
        vec![collected(APEX), zone("held.test", ServiceMode::Hold, Acts::default(), None)],
        Limits::default(),
    );
    let (http, https) = (trap.http, trap.https);
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..40 {
        callers.spawn(async move {
            match number % 4 {
                0 => say(http, get("/", APEX)).await,
                1 => say(http, get("/", "held.test")).await,
                2 => say(https, b"\x16\x03\x01\x00\x04\x02\x00\x00\x00".to_vec()).await,
                _ => say(http, "nonsense").await,
            }
        });
    }
    while callers.join_next().await.is_some() {}
    let stage = trap.stage;
    let tally = sum(&trap.running.stop().await);
    let mut written = Tally::default();
    let contacts = stage.read(|frame| match frame {
        Frame::Contact(contact) => Some(contact.what.kind()),
        Frame::Counts(counts) => {
            written.add(&counts.tally);
            None
        }
        _ => None,
    });
    assert_eq!((tally.offered(), tally.recorded, tally.shed.not_covered), (80, 60, 20));
    assert_eq!(contacts.len(), 60);
    assert_eq!(contacts.iter().filter(|kind| **kind == Kind::Connection).count(), 30);
    assert_eq!(written, tally, "the counts in the journal add up to the totals");
}
