//! Who goes when all places are taken, all octets are held, or all handshakes of a second are begun.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use model::tally::CutShort;
use socket2::{Domain, Protocol, Socket, Type};

use super::*;

const HALF: &[u8] = b"GET /half HTTP/1.1\r\nHost: outlook";
/// Long enough that nobody is idle by the slowness of the machine, and short enough to wait for.
const IDLE: Duration = Duration::from_millis(200);
const NEVER: Duration = Duration::from_secs(600);

/// From a network of its own.
fn from(network: u32, at: SocketAddr) -> TcpStream {
    let source = Ipv4Addr::from_bits(Ipv4Addr::new(127, 77, 0, 1).to_bits() + network * 256);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&at.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Asks on a connection that stays open. What came of it, up to the end of a head.
fn ask(mut stream: &TcpStream) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: {APEX}\r\n\r\n");
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    if stream.write_all(request.as_bytes()).is_ok() {
        while !holds(&answer, "</html>") {
            match stream.read(&mut part) {
                Ok(count) if count > 0 => answer.extend_from_slice(&part[..count]),
                _ => break,
            }
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_answered(stream: &TcpStream) -> bool {
    ask(stream).starts_with("HTTP/1.1 200")
}

/// Reads to the end, an answer to half a head included. Whoever is closed while octets of his were on their way is reset.
fn has_ended(mut stream: &TcpStream) -> bool {
    let read = stream.read_to_end(&mut Vec::new());
    read.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true)
}

/// Until what these said has been heard, and they are idle.
async fn all_are_idle() {
    tokio::time::sleep(IDLE * 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_has_the_place_of_whoever_was_idle_longest() {
    let trap = Trap::new(vec![collected(APEX)], Limits { connections_max: 2, evict_idle: IDLE, ..Limits::default() });
    let mut slow = from(0, trap.http);
    slow.write_all(HALF).unwrap();
    all_are_idle().await;
    tokio::task::block_in_place(|| {
        let busy = from(1, trap.http);
        assert!(is_answered(&busy));
        let newcomer = from(2, trap.http);
        assert!(is_answered(&newcomer) && has_ended(&slow) && is_answered(&busy));
    });
    let (told, tally) = trap.told().await;
    let half = told.iter().position(|line| line.starts_with("request GET /half ")).unwrap();
    assert!(told[half].ends_with("!http.head-incomplete"), "{told:?}");
    assert!(told[half..].contains(&"  limit".to_owned()), "its outcome is on record: {told:?}");
    assert_eq!((tally.cut_short, tally.shed.total()), (CutShort { evicted: 1, ..CutShort::default() }, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_busy_keeps_the_place() {
    let trap = Trap::new(vec![collected(APEX)], Limits { connections_max: 1, evict_idle: NEVER, ..Limits::default() });
    tokio::task::block_in_place(|| {
        let busy = from(0, trap.http);
        assert!(is_answered(&busy) && has_ended(&from(1, trap.http)) && is_answered(&busy));
        let open = trap.running.open().into_iter().find(|(name, _)| name.starts_with("http "));
        assert_eq!(open.map(|(_, count)| count), Some(1));
    });
    let (_, tally) = trap.told().await;
    assert_eq!((tally.cut_short.evicted, tally.shed.connections), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_goes_for_a_stranger_whose_prefix_is_full() {
    let trap = Trap::new(
        vec![collected(APEX)],
        Limits { connections_per_prefix_max: 2, evict_idle: IDLE, ..Limits::default() },
    );
    let stranger = from(1, trap.http);
    let (first, second) = (from(0, trap.http), from(0, trap.http));
    tokio::task::block_in_place(|| {
        assert!([&stranger, &first, &second].into_iter().all(is_answered));
    });
    all_are_idle().await;
    tokio::task::block_in_place(|| {
        let third = from(0, trap.http);
        assert!(is_answered(&third) && has_ended(&first) && is_answered(&second) && is_answered(&stranger));
    });
    let (_, tally) = trap.told().await;
    assert_eq!((tally.cut_short.evicted, tally.shed.total()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answer_goes_too() {
    let trap = Trap::new(
        vec![collected(APEX)],
        Limits { connections_max: 1, requests_max: u32::MAX, evict_idle: IDLE, ..Limits::default() },
    );
    let greedy = from(0, trap.http);
    greedy.set_nonblocking(true).unwrap();
    let _ = (&greedy).write(format!("GET / HTTP/1.1\r\nHost: {APEX}\r\n\r\n").repeat(900).as_bytes());
    all_are_idle().await;
    tokio::task::block_in_place(|| assert!(is_answered(&from(1, trap.http))));
    let (told, tally) = trap.told().await;
    assert!(told.contains(&"  limit".to_owned()) && tally.cut_short.evicted == 1, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_that_all_hold_have_a_limit() {
    for (evict_idle, counted) in [
        (IDLE, CutShort { evicted: 1, ..CutShort::default() }),
        (NEVER, CutShort { buffered: 1, ..CutShort::default() }),
    ] {
        let limits = Limits { buffered_octets_max: HALF.len() as u64 + 9, evict_idle, ..Limits::default() };
        let trap = Trap::new(vec![collected(APEX)], limits);
        let (first, second, silent) = (from(0, trap.http), from(1, trap.http), from(2, trap.http));
        (&first).write_all(HALF).unwrap();
        all_are_idle().await;
        tokio::task::block_in_place(|| {
            (&second).write_all(HALF).unwrap();
            let (gone, left) = if counted.evicted > 0 { (&first, &second) } else { (&second, &first) };
            assert!(has_ended(gone));
            (&*left).write_all(b"-verify.test\r\n\r\n").unwrap();
            assert!(is_answered(left) && is_answered(&silent));
        });
        let (told, tally) = trap.told().await;
        assert_eq!((tally.cut_short, tally.shed.total()), (counted, 0));
        assert!(told.contains(&"  limit".to_owned()), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_beyond_the_handshakes_of_a_second_is_recorded() {
    let trap = Trap::new(vec![collected(APEX)], Limits { handshakes_per_sec: 0, ..Limits::default() });
    let (https, http) = (trap.https, trap.http);
    tokio::task::block_in_place(|| {
        let mut client = tls_client(Some(APEX), rustls::ALL_VERSIONS);
        let mut stream = connect(https);
        client.write_tls(&mut stream).unwrap();
        assert!(has_ended(&stream), "nothing is answered");
        assert!(is_answered(&connect(http)), "who wants no TLS is not concerned");
    });
    let (told, tally) = trap.told().await;
    let hello = told.iter().position(|line| line.starts_with(&format!("hello sni={APEX}"))).unwrap();
    assert_eq!(told[hello + 1..hello + 3], ["  limit", "  limit"], "of the hello and of its connection");
    assert_eq!((tally.cut_short, tally.shed.total()), (CutShort { handshakes: 1, ..CutShort::default() }, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_equation_holds_after_ten_thousand_at_a_limit_of_a_hundred() {
    const CALLERS: u32 = 10_000;
    const OPEN: usize = 300;
    let limits = Limits { connections_max: 100, evict_idle: Duration::from_millis(2), ..Limits::default() };
    let trap = Trap::new(vec![collected(APEX)], limits);
    let at = trap.http;
    tokio::task::block_in_place(|| {
        let mut open = VecDeque::new();
        for number in 0..CALLERS {
            let mut caller = from(number % 200, at);
            // Who is closed at once may hear of it while he speaks.
            let _ = match number % 3 {
                0 => Ok(()),
                1 => caller.write_all(HALF),
                _ => caller.write_all(get("/", APEX).as_bytes()),
            };
            // No more at once than the kernel queues, which would make others wait for a second.
            if number % 60 == 59 {
                assert!(has_ended(&caller));
            }
            open.push_back(caller);
            if open.len() > OPEN {
                open.pop_front();
            }
        }
    });
    let stage = trap.stage;
    let tally = sum(&trap.running.stop().await);
    let mut written = Tally::default();
    let (mut contacts, mut connections, mut limited) = (0, std::collections::HashSet::new(), 0);
    stage.read(|frame| {
        match frame {
            Frame::Contact(contact) => {
                contacts += 1;
                if contact.what.kind() == Kind::Connection {
                    connections.insert(contact.id);
                }
            }
            Frame::Outcome(outcome) => {
                limited += u64::from(outcome.end == End::Limit && connections.contains(&outcome.of));
            }
            Frame::Counts(counts) => written.add(&counts.tally),
            Frame::Clock(_) => {}
        }
        None::<()>
    });
    assert_eq!(connections.len() as u64 + tally.shed.connections, u64::from(CALLERS), "nobody is forgotten");
    assert_eq!((tally.recorded, tally.offered()), (contacts, contacts + tally.shed.total()));
    assert_eq!(tally.cut_short, CutShort { evicted: limited, ..CutShort::default() }, "each has its outcome");
    assert!(limited > 0 && written == tally, "{tally:?}");
}
