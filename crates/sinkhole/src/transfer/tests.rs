//! Stories over real sockets: who takes what, whole and by steps, signed and not; and who is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Opcode, Rcode, Rtype, TsigRcode};
use domain::base::message_builder::MessageBuilder;
use domain::base::name::{ToLabelIter, ToName};
use domain::base::{Message, Name, Serial, Ttl};
use domain::rdata::tsig::Time48;
use domain::rdata::{AllRecordData, Soa, Tsig};
use domain::tsig::{ClientSequence, Key};
use store::zones::{Difference, NamedZone, Published, Record};
use tokio::sync::watch;
use wire::dns::ask::name_to_wire;
use wire::dns::{Transport, rtype};

use super::answer::{Desk, Reply};
use super::{Access, Allowed, Counts, Peer, Primary, Sockets, Transfer, TransferKey};
use crate::ZoneTable;
use crate::rehearsal::{collected, settings};
use crate::run::now;

const PATIENCE: Duration = Duration::from_secs(10);
const SECRET: &[u8] = &[7; 32];

//----------- Us ---------------------------------------------------------------------------------------------------

/// A primary at an address of its own.
struct House {
    at: SocketAddr,
    published: watch::Sender<Arc<Published>>,
    transfer: Transfer,
    stop: watch::Sender<bool>,
}

fn key() -> TransferKey {
    TransferKey::new("k1.test", "hmac-sha256", SECRET).unwrap()
}

fn record(owner: &str, ttl_secs: u32) -> Record {
    let owner = name_to_wire(owner).unwrap();
    let owner = owner[..owner.len() - 1].into();
    Record { owner, kind: rtype::CNAME, data: b"\x00"[..].into(), ttl_secs }
}

/// `rpz.test` at serial 5: names `n0` to `n<count>`, and three steps that led there.
fn zone(count: usize) -> NamedZone {
    let mut records: Vec<Record> = (0..count).map(|n| record(&format!("n{n}"), 300)).collect();
    records.sort();
    let step = |from: u32, removed: &[&str], added: &[&str]| {
        let records = |names: &[&str]| names.iter().map(|name| record(name, 300)).collect();
        Arc::new(Difference { from, to: from + 1, removed: records(removed), added: records(added) })
    };
    let differences = vec![step(2, &["old"], &[]), step(3, &[], &["n0"]), step(4, &["older"], &["n1"])];
    NamedZone { origin: name_to_wire("rpz.test").unwrap().into(), serial: 5, records: records.into(), differences }
}

fn published(zone: NamedZone) -> Arc<Published> {
    Arc::new(Published { zones: [(zone.origin.clone(), Arc::new(zone))].into() })
}

/// A port for both transports, unless somebody has it for the one.
fn both() -> Option<(TcpListener, UdpSocket)> {
    let tcp = TcpListener::bind("127.52.0.1:0").unwrap();
    let udp = UdpSocket::bind(tcp.local_addr().unwrap()).ok()?;
    Some((tcp, udp))
}

impl House {
    /// Peers: whoever signs with the key, and without it only who calls from 127.52.0.2.
    fn start(zone: NamedZone, notify: Vec<SocketAddr>) -> Self {
        let allowed = vec![Allowed::Named(zone.origin.clone()), Allowed::Seized];
        let signed =
            Peer { network: "127.52.0.0/24".parse().unwrap(), key: Some(key()), zones: allowed.clone(), notify };
        let unsigned = Peer { network: "127.52.0.2/32".parse().unwrap(), key: None, zones: allowed, notify: vec![] };
        let table = Arc::new(ZoneTable::default());
        let set = zones_of("evil.test");
        table.replace(set, &settings());
        let (tcp, udp) = std::iter::repeat_with(both).take(100).flatten().next().unwrap();
        let at = tcp.local_addr().unwrap();
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        let (published, told) = watch::channel(published(zone));
        let (_, seized) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let primary = Primary { access: Access::new(vec![signed, unsigned]), published: told, seized };
        let transfer = Transfer::start(vec![Sockets { udp, tcp }], primary, table, &stopped).unwrap();
        Self { at, published, transfer, stop }
    }

    fn counts(&self) -> Counts {
        (self.transfer.counter())()
    }

    async fn close(self) {
        self.stop.send_replace(true);
        self.transfer.join().await;
    }
}

fn zones_of(apex: &str) -> store::ZoneSet {
    store::ZoneSet { serial: 9, zones: vec![collected(apex)] }
}

//----------- Them -------------------------------------------------------------------------------------------------

/// A request, and the signature's other end.
fn request(name: &str, qtype: Rtype, since: Option<u32>, key: Option<&TransferKey>) -> (Vec<u8>, Option<Sequence>) {
    request_at(name, qtype, since, key, unix_now())
}

type Sequence = ClientSequence<Arc<Key>>;

fn unix_now() -> Time48 {
    Time48::from_u64(now().as_second().cast_unsigned())
}

fn request_at(
    name: &str,
    qtype: Rtype,
    since: Option<u32>,
    key: Option<&TransferKey>,
    at: Time48,
) -> (Vec<u8>, Option<Sequence>) {
    let name = Name::<Vec<u8>>::from_str(name).unwrap();
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(77);
    let mut builder = builder.question();
    builder.push((&name, qtype)).unwrap();
    let mut builder = builder.authority();
    if let Some(since) = since {
        let root = Name::<Vec<u8>>::root();
        let ttl = Ttl::from_secs(0);
        builder.push((&name, 0, Soa::new(root.clone(), root, Serial(since), ttl, ttl, ttl, ttl))).unwrap();
    }
    let mut builder = builder.additional();
    let sequence = key.map(|key| ClientSequence::request(Arc::clone(key.key()), &mut builder, at).unwrap());
    (builder.finish(), sequence)
}

/// What came back: the code, and each record in order: `SOA 5`, `n1`.
#[derive(Debug, Eq, PartialEq)]
struct Taken {
    rcode: Rcode,
    records: Vec<String>,
    messages: usize,
}

fn shown(message: &Message<Vec<u8>>, into: &mut Vec<String>) {
    for record in message.answer().unwrap().limit_to::<AllRecordData<_, _>>() {
        let record = record.unwrap();
        into.push(match record.data() {
            AllRecordData::Soa(soa) => format!("SOA {}", soa.serial()),
            _ => record.owner().iter_labels().next().unwrap().to_string(),
        });
    }
}

/// Takes a zone over TCP from that address, until its end.
fn take(house: &House, from: &str, (packet, sequence): (Vec<u8>, Option<Sequence>)) -> Taken {
    let mut stream = connect(house.at, from);
    send(&mut stream, &packet);
    let (mut taken, mut sequence) = (Taken { rcode: Rcode::NOERROR, records: vec![], messages: 0 }, sequence);
    loop {
        let mut message = Message::from_octets(receive(&mut stream).expect("the zone goes on")).unwrap();
        taken.messages += 1;
        taken.rcode = message.header().rcode();
        if taken.rcode == Rcode::NOERROR
            && let Some(sequence) = &mut sequence
        {
            sequence.answer(&mut message, unix_now()).expect("each message is signed");
        }
        shown(&message, &mut taken.records);
        if taken.records.len() < 2 || taken.records.last() == taken.records.first() {
            break;
        }
    }
    end(stream);
    taken
}

/// Once the primary has closed too, it has counted.
fn end(mut stream: TcpStream) {
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "nothing follows");
}

fn connect(to: SocketAddr, from: &str) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(from.parse().unwrap(), 0).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn send(stream: &mut TcpStream, packet: &[u8]) {
    let len = u16::try_from(packet.len()).unwrap().to_be_bytes();
    stream.write_all(&[&len, packet].concat()).unwrap();
}

fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut len = [0; 2];
    stream.read_exact(&mut len).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

fn over_udp(house: &House, from: &str, packet: &[u8]) -> Message<Vec<u8>> {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(packet, house.at).unwrap();
    let mut octets = [0; 2_000];
    let len = socket.recv(&mut octets).unwrap();
    Message::from_octets(octets[..len].to_vec()).unwrap()
}

//----------- Whole zones and steps --------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_gets_what_is_new_since_its_serial() {
    let house = House::start(zone(2), vec![]);
    let whole: &[&str] = &["SOA 5", "n0", "n1", "SOA 5"];
    let from_3: &[&str] = &["SOA 5", "SOA 3", "SOA 4", "n0", "SOA 4", "older", "SOA 5", "n1", "SOA 5"];
    for (qtype, since, records) in [
        (Rtype::SOA, None, &["SOA 5"][..]),
        (Rtype::AXFR, None, whole),
        (Rtype::IXFR, Some(4), &["SOA 5", "SOA 4", "older", "SOA 5", "n1", "SOA 5"]),
        (Rtype::IXFR, Some(3), from_3),
        (Rtype::IXFR, Some(5), &["SOA 5"]),
        // Ahead of us: our data folder was lost, and there is nothing to say.
        (Rtype::IXFR, Some(6), &["SOA 5"]),
        // Older than our history, or from another life.
        (Rtype::IXFR, Some(1), whole),
        (Rtype::IXFR, Some(0xffff_fff0), whole),
    ] {
        let (packet, _) = request("RPZ.test", qtype, since, None);
        let mut stream = connect(house.at, "127.52.0.2");
        send(&mut stream, &packet);
        let mut records_seen = Vec::new();
        shown(&Message::from_octets(receive(&mut stream).unwrap()).unwrap(), &mut records_seen);
        assert_eq!(records_seen, records, "{qtype} {since:?}");
        end(stream);
    }
    assert_eq!((house.counts().axfr, house.counts().ixfr, house.counts().looks), (1, 6, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_zone_comes_in_many_messages_each_signed() {
    const NAMES: usize = 20_000;
    let house = House::start(zone(NAMES), vec![]);
    let taken = take(&house, "127.52.0.9", request("rpz.test", Rtype::AXFR, None, Some(&key())));
    assert_eq!((taken.rcode, taken.records.len()), (Rcode::NOERROR, NAMES + 2));
    assert!(taken.messages > 5, "{}", taken.messages);
    let mut names = taken.records[1..=NAMES].to_vec();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), NAMES);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seized_zone_is_taken_as_it_is_answered() {
    let house = House::start(zone(1), vec![]);
    let taken = take(&house, "127.52.0.2", request("evil.test", Rtype::AXFR, None, None));
    assert_eq!(taken.records.first(), Some(&"SOA 9".to_owned()));
    assert!(["evil", "*", "_dmarc", "_domainkey"].iter().all(|owner| taken.records.iter().any(|one| one == owner)));
    let below = take(&house, "127.52.0.2", request("www.evil.test", Rtype::AXFR, None, None));
    assert_eq!((below.rcode, below.records.len()), (Rcode::REFUSED, 0), "a name below an apex is no zone");
    house.close().await;
}

//----------- Who may ----------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_have_a_zone_is_refused_and_counted() {
    let house = House::start(zone(1), vec![]);
    let other = TransferKey::new("k1.test", "hmac-sha256", &[8; 32]).unwrap();
    let unknown = TransferKey::new("k2.test", "hmac-sha256", SECRET).unwrap();
    let axfr = |key| request("rpz.test", Rtype::AXFR, None, key);
    let late = request_at("rpz.test", Rtype::AXFR, None, Some(&key()), Time48::from_u64(1_000_000_000));
    for (from, request, rcode) in [
        ("127.52.0.9", axfr(Some(&key())), Rcode::NOERROR),
        ("127.52.0.9", axfr(None), Rcode::REFUSED),
        ("127.52.1.9", axfr(Some(&key())), Rcode::REFUSED),
        ("127.52.0.9", axfr(Some(&other)), Rcode::NOTAUTH),
        ("127.52.0.9", axfr(Some(&unknown)), Rcode::NOTAUTH),
        ("127.52.0.9", late, Rcode::NOTAUTH),
        ("127.52.0.9", request("other.test", Rtype::AXFR, None, Some(&key())), Rcode::REFUSED),
    ] {
        assert_eq!(take(&house, from, request).rcode, rcode);
    }
    assert_eq!((house.counts().refused, house.counts().badly_signed, house.counts().axfr), (3, 3, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_signature_is_told_what_is_wrong_with_it() {
    let house = House::start(zone(1), vec![]);
    let wrong = |name, secret: &[u8]| Some(TransferKey::new(name, "hmac-sha256", secret).unwrap());
    for (key, at, error) in [
        (wrong("k1.test", &[8; 32]), unix_now(), TsigRcode::BADSIG),
        (wrong("k2.test", SECRET), unix_now(), TsigRcode::BADKEY),
        (Some(key()), Time48::from_u64(1_000_000_000), TsigRcode::BADTIME),
    ] {
        let (packet, _) = request_at("rpz.test", Rtype::SOA, None, key.as_ref(), at);
        let answer = over_udp(&house, "127.52.0.9", &packet);
        assert_eq!(answer.header().rcode(), Rcode::NOTAUTH);
        let last = answer.additional().unwrap().limit_to::<Tsig<_, _>>().next().unwrap().unwrap();
        assert_eq!(last.data().error(), error);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_gets_its_code_and_a_length_that_lies_ends_the_connection() {
    let house = House::start(zone(1), vec![]);
    let with = |change: fn(&mut Vec<u8>)| {
        let (mut packet, _) = request("rpz.test", Rtype::SOA, None, None);
        change(&mut packet);
        packet
    };
    for (packet, rcode) in [
        (with(|packet| packet[2] |= Opcode::UPDATE.to_int() << 3), Rcode::NOTIMP),
        (with(|packet| packet[2] |= Opcode::NOTIFY.to_int() << 3), Rcode::NOTAUTH),
        (with(|packet| packet[5] = 2), Rcode::FORMERR),
        (with(|packet| packet[5] = 0), Rcode::FORMERR),
        (with(|packet| *packet.last_mut().unwrap() = 3), Rcode::REFUSED),
        (request("rpz.test", Rtype::A, None, None).0, Rcode::REFUSED),
        (request("rpz.test", Rtype::IXFR, None, None).0, Rcode::FORMERR),
        (request("rpz.test", Rtype::AXFR, None, None).0, Rcode::FORMERR),
    ] {
        assert_eq!(over_udp(&house, "127.52.0.2", &packet).header().rcode(), rcode, "{packet:?}");
    }
    let mut stream = connect(house.at, "127.52.0.2");
    stream.write_all(&[0xff, 0xff, 0]).unwrap();
    assert_eq!(receive(&mut stream), None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_udp_a_step_that_fits_comes_at_once_and_one_that_does_not_sends_the_peer_to_tcp() {
    let (house, key) = (House::start(zone(1_000), vec![]), key());
    let told = |since, key| {
        let mut records = Vec::new();
        let (packet, _) = request("rpz.test", Rtype::IXFR, Some(since), key);
        shown(&over_udp(&house, "127.52.0.2", &packet), &mut records);
        records
    };
    assert_eq!(told(4, Some(&key)), ["SOA 5", "SOA 4", "older", "SOA 5", "n1", "SOA 5"]);
    assert_eq!(told(1, Some(&key)), ["SOA 5"], "the whole zone is too much for a datagram");
    assert_eq!(told(4, None), ["SOA 5"], "an address can be forged");
    house.close().await;
}

/// Whatever is changed in a request: the answer is a response to it, or there is none.
#[test]
fn a_mangled_request_is_answered_in_form_or_not_at_all() {
    const TRIES: u32 = 20_000;
    let (content, counting, table) = (published(zone(3)), super::counts::Counting::default(), ZoneTable::default());
    let origin = content.zones.keys().next().unwrap().clone();
    let peer = Peer {
        network: "127.0.0.0/8".parse().unwrap(),
        key: None,
        zones: vec![Allowed::Named(origin)],
        notify: vec![],
    };
    let access = Access::new(vec![
        peer,
        Peer { network: "10.0.0.0/8".parse().unwrap(), key: Some(key()), zones: vec![], notify: vec![] },
    ]);
    let desk = Desk { access: &access, published: &content, seized: &table, counting: &counting };
    let kinds = [Rtype::SOA, Rtype::AXFR, Rtype::IXFR];
    let mut dice = TRIES;
    let mut roll = |sides: usize| {
        // xorshift: the same packets in every run.
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        dice as usize % sides
    };
    for _ in 0..TRIES {
        let signed = (roll(2) == 0).then(key);
        let (mut packet, _) = request("rpz.test", kinds[roll(3)], Some(4), signed.as_ref());
        for _ in 0..1 + roll(4) {
            let at = roll(packet.len());
            packet[at] = roll(256) as u8;
        }
        packet.truncate(packet.len() - roll(packet.len() / 2) * roll(2));
        let (over, id) =
            (if roll(2) == 0 { Transport::Udp } else { Transport::Tcp }, packet.get(..2).map(<[u8]>::to_vec));
        let message = match desk.answer(packet, "127.0.0.1".parse().unwrap(), over, unix_now()) {
            Reply::Nothing => continue,
            Reply::Message(message) => message,
            Reply::Transfer(mut transfer) => transfer.next(unix_now()).unwrap(),
        };
        let message = Message::from_octets(message).unwrap();
        assert!(message.header().qr());
        assert_eq!(Some(message.header().id().to_be_bytes().to_vec()), id);
    }
}

//----------- Telling ----------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_is_told_of_each_new_serial_and_its_answer_ends_it() {
    let peer = UdpSocket::bind("127.52.0.5:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let house = House::start(zone(1), vec![peer.local_addr().unwrap()]);
    let hear = || {
        let mut octets = [0; 2_000];
        let (len, from) = peer.recv_from(&mut octets).unwrap();
        let mut message = Message::from_octets(octets[..len].to_vec()).unwrap();
        let name: Name<Vec<u8>> = message.sole_question().unwrap().qname().to_vec();
        let keys: super::access::Keys =
            [((key().key().name().clone(), key().key().algorithm()), Arc::clone(key().key()))].into();
        let signed = domain::tsig::ServerTransaction::request(&keys, &mut message, unix_now()).unwrap().unwrap();
        let mut answer = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR).unwrap().additional();
        signed.answer(&mut answer, unix_now()).unwrap();
        peer.send_to(&answer.finish(), from).unwrap();
        (name.to_string(), message.header().opcode(), from)
    };
    let heard: std::collections::BTreeSet<String> = [hear().0, hear().0].into();
    assert_eq!(heard, ["evil.test".to_owned(), "rpz.test".to_owned()].into());
    let newer = NamedZone { serial: 6, ..zone(1) };
    house.published.send_replace(published(newer));
    assert_eq!(hear(), ("rpz.test".to_owned(), Opcode::NOTIFY, house.at), "from where it takes the zone");
    // Whoever looks sees the new serial; by then all answers have been heard or will be, and none is asked for twice.
    let mut records = Vec::new();
    shown(&over_udp(&house, "127.52.0.2", &request("rpz.test", Rtype::SOA, None, None).0), &mut records);
    assert_eq!(records, ["SOA 6"]);
    assert_eq!(house.counts().notifies_sent, 3);
    house.close().await;
}
