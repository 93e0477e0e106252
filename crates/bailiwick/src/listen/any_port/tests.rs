//! Ranges on loopback; and, in a network of its own, the rules that the guide gives to operators.

use std::io::Read;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use model::contact::What;
use sinkhole::{Keys, Listeners, Settings, ZoneTable};
use store::folder::DataFolder;
use store::journal::{Frame, Journal, JournalLimits, read_all};

use super::*;

/// A few ports that nobody has, on an address of this test's own.
fn trap(text: &str, way: Way) -> Trap {
    let ranges = vec![text.parse().unwrap()];
    Trap { any_tcp: ranges.clone(), any_udp: ranges, transparent: way == Way::Transparent, ..Trap::default() }
}

#[test]
fn every_port_of_a_range_is_opened_for_both_transports() {
    let opened = open(&trap("127.14.0.2:20100-20103", Way::Own)).unwrap();
    let tcp: Vec<u16> = opened.tcp.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
    let udp: Vec<u16> = opened.udp.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
    assert_eq!((&tcp, &udp), (&vec![20100, 20101, 20102, 20103], &tcp));
}

#[test]
fn a_port_of_the_range_that_is_taken_is_named() {
    let _taken = TcpListener::bind("127.14.0.3:20102").unwrap();
    let failure = format!("{:?}", open(&trap("127.14.0.3:20100-20103", Way::Own)).unwrap_err());
    assert!(failure.contains("opening TCP 127.14.0.3:20102"), "{failure}");
}

/// Both families, with the right to do so or the hint where it is missing.
#[test]
fn transparent_sockets_open_or_say_what_they_need() {
    for range in ["127.14.0.4:20100-20101", "[::1]:20110-20111"] {
        match open(&trap(range, Way::Transparent)) {
            Ok(opened) => assert_eq!((opened.tcp.len(), opened.udp.len()), (2, 2)),
            Err(failure) => assert!(format!("{failure:?}").contains("CAP_NET_ADMIN"), "{failure:?}"),
        }
    }
}

//----------- The guide --------------------------------------------------------------------------------------------

const GUIDE: &str = include_str!("../../../../../docs/guide/any-port.md");

/// A network behind ours, with an address of each family, that sends whatever is for the guide's addresses to us.
const CLIENT: &str = "
    mount -t tmpfs none /run
    mkdir /run/netns
    ip link set lo up
    ip netns add client
    ip link add out type veth peer name in netns client
    ip address add 192.0.2.1/24 dev out
    ip address add 2001:db8:1::1/64 dev out nodad
    ip link set out up
    ip -n client address add 192.0.2.9/24 dev in
    ip -n client address add 2001:db8:1::9/64 dev in nodad
    ip -n client link set in up
    ip -n client route add default via 192.0.2.1
    ip -n client route add default via 2001:db8:1::1
";

/// What the client calls: addresses and ports that nobody has.
const CALLS: &str = "
    echo hello > /dev/udp/198.51.100.77/1234
    echo hello > /dev/udp/2001:db8:80::77/65535
    echo hello > /dev/tcp/198.51.100.78/1
    echo hello > /dev/tcp/2001:db8:80::78/65534
";

/// `unshare --net --mount cargo test -p bailiwick --bin bailiwick the_rules_of_the_guide -- --ignored`, as root.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a network of its own, nft and ip"]
async fn the_rules_of_the_guide_lead_every_port_here() {
    let links = std::fs::read_to_string("/proc/net/dev").unwrap().lines().skip(2).count();
    assert_eq!(links, 1, "a network of its own has `lo` and nothing else");
    bash(CLIENT);
    bash(&format!("nft -f - <<'rules'\n{}\nrules", block("nft")));
    bash(&block("sh"));

    let ranges: Vec<Ports> = ["0.0.0.0:50000", "[::]:50000"].map(|text| text.parse().unwrap()).into();
    let trap = Trap { any_tcp: ranges.clone(), any_udp: ranges, transparent: true, ..Trap::default() };
    let AnyPort { tcp, udp } = open(&trap).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(&folder.path().join("data"), "test", "2026-01-31T12:00:00Z".parse().unwrap()).unwrap();
    let journal = Journal::open(&data, JournalLimits::default()).unwrap();
    let keys = Keys { dir: folder.path().join("keys") };
    let listeners = Listeners { silent_udp: udp, ..Listeners::default() };
    let running =
        sinkhole::start(listeners, Arc::new(ZoneTable::default()), &journal, &Settings::default(), &keys).unwrap();

    bash(&format!("ip netns exec client bash -ec '{CALLS}'"));
    let mut called: Vec<String> = tcp.iter().map(accepted).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.stop().await;
    read_all(&folder.path().join("data/journal"), &mut |frame| {
        if let Frame::Contact(contact) = frame
            && let What::Datagram(datagram) = &contact.what
        {
            called.push(format!("{} {} {}", contact.local, datagram.looks_like, datagram.len));
        }
    })
    .unwrap();
    called.sort();
    assert_eq!(
        called,
        [
            "198.51.100.77:1234 text 6",
            "198.51.100.78:1 hello\n",
            "[2001:db8:80::77]:65535 text 6",
            "[2001:db8:80::78]:65534 hello\n",
        ]
    );
}

/// Where a connection that waits was made to, and what it said.
fn accepted(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(false).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    format!("{} {said}", stream.local_addr().unwrap())
}

/// The guide's block of that language.
fn block(language: &str) -> String {
    let (_, rest) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn bash(script: &str) {
    let ran = Command::new("bash").args(["-ec", script]).status().unwrap();
    assert!(ran.success(), "{script}");
}
