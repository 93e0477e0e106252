//! What the generated contacts are: who called what, when, and what became of it.
//!
//! Shaped like what a sinkhole sees, on purpose with the corners at which engines differ: sources and names as
//! popular as Zipf has them, a seventh of the sources by IPv6, contacts of no case, networks and countries that nobody
//! knows, contacts that nobody judged, records that stand for many, the first and the last nanosecond of a day, an hour
//! in which nobody calls, out-of-order receipt, and a twentieth that is judged twice. Addresses lie in 127.0.0.0/8 and
//! 2001:db8::/32, names below `example`, networks between AS64496 and AS64511.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use model::Timestamp;
use model::address::Asn;
use model::contact::{Connection, Contact, Datagram, Edns, Hello, Limits, NamedBy, Query, Request, Subject, Transport};
use model::contact::{Via, What};
use model::id::{Boot, ContactId, Lane, SensorId};
use model::outcome::{Body, End, Outcome, Tls};
use model::time::{from_nanos, to_nanos};
use model::verdict::{Label, Verdict};
use store::archive::{ContactRow, OutcomeRow, VerdictRow};

/// 2026-01-01T00:00:00Z
pub const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

const DAY: u64 = 86_400_000_000_000;
const HOUR: u64 = 3_600_000_000_000;
/// The hour of each day in which nobody calls.
const SILENT_HOUR: u64 = 3;
const NAMES: u64 = 99;
const GENERATIONS: [&str; 2] = ["gen-1", "gen-2"];
/// One country of them is withheld.
const COUNTRIES: [Option<&str>; 6] = [Some("DE"), Some("US"), None, Some("FR"), Some("ZZ"), Some("JP")];
const WITHHELD: &str = "ZZ";

//----------- Rows -------------------------------------------------------------------------------------------------

/// All rows, none of them made yet.
#[derive(Clone, Debug)]
pub struct Rows {
    len: u64,
    days: u64,
    seed: u64,
}

/// One contact with what followed and what was made of it first.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighted {
    pub contact: ContactRow,
    pub outcomes: Vec<OutcomeRow>,
    pub verdict: Option<VerdictRow>,
}

impl Rows {
    pub fn new(len: u64, days: u32, seed: u64) -> Self {
        Self { len, days: u64::from(days), seed }
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When a batch is judged: after everything was received, one second after the batch before it.
    pub fn judged(&self, batch: u64) -> Timestamp {
        from_nanos(to_nanos(START) + (self.days * DAY + batch * 1_000_000_000).cast_signed())
    }

    /// The contact of that row, as a sensor would have heard it.
    pub fn contact(&self, number: u64) -> Contact<'static> {
        let mut dice = Dice::new(self.seed, number);
        let at = self.received(number, &mut dice);
        let caller = self.caller(&mut dice);
        let apex = dice.popular(NAMES);
        contact(number, at, &caller, apex, &mut dice)
    }

    /// The row of a number below [`Self::len`].
    pub fn row(&self, number: u64) -> Sighted {
        let mut dice = Dice::new(self.seed, number);
        let at = self.received(number, &mut dice);
        let caller = self.caller(&mut dice);
        let apex = dice.popular(NAMES);
        let contact = contact(number, at, &caller, apex, &mut dice);
        let outcomes = outcomes(&contact, number, &mut dice);
        let label = caller.label(&contact.what);
        let is_judged = !dice.one_in(37);
        let verdict = is_judged.then(|| caller.verdict(contact.id, at, label, 0));
        Sighted { contact: ContactRow::from(&contact), outcomes, verdict }
    }

    /// The second verdict on a contact, where there is one: then the first does not count.
    pub fn judged_anew(&self, number: u64) -> Option<VerdictRow> {
        if number % 20 != 7 {
            return None;
        }
        let mut dice = Dice::new(self.seed, number);
        let at = self.received(number, &mut dice);
        let caller = self.caller(&mut dice);
        Some(caller.verdict(id(number, 0), at, Label::Scanner, 1))
    }

    /// Spread evenly, with a little disorder; a few sit on the very first or last nanosecond of their day.
    fn received(&self, number: u64, dice: &mut Dice) -> Timestamp {
        let calling = u128::from(self.days * (DAY - HOUR));
        let even = u128::from(number) * calling / u128::from(self.len.max(1));
        let even = u64::try_from(even).expect("a share of the days is no longer than they are");
        let (day, within) = (even / (DAY - HOUR), even % (DAY - HOUR));
        let within = (within + dice.below(HOUR / 60)).min(DAY - HOUR - 1);
        let within = if within < SILENT_HOUR * HOUR { within } else { within + HOUR };
        let within = match number % 997 {
            0 => 0,
            1 => DAY - 1,
            _ => within,
        };
        from_nanos(to_nanos(START) + (day * DAY + within).cast_signed())
    }

    fn caller(&self, dice: &mut Dice) -> Caller {
        Caller(dice.popular((self.len / 20).max(10)))
    }
}

fn id(number: u64, after: u64) -> ContactId {
    ContactId::new(SensorId(1), Boot(1), Lane((number % 2) as u16), number * 3 + after)
}

//----------- Contacts ---------------------------------------------------------------------------------------------

fn contact(number: u64, received: Timestamp, caller: &Caller, apex: u64, dice: &mut Dice) -> Contact<'static> {
    let what = what(caller, apex, dice);
    let is_udp = matches!(what, What::Query(_) | What::Datagram(_));
    let port = match what {
        What::Query(_) => 53,
        What::Hello(_) => 443,
        _ => 80,
    };
    Contact {
        id: id(number, 0),
        received,
        source: SocketAddr::new(caller.address(), 1024 + dice.below(60_000) as u16),
        local: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 53).into(), port),
        transport: if is_udp { Transport::Udp } else { Transport::Tcp },
        via: Via::Direct,
        over: None,
        subject: (!dice.one_in(23)).then(|| subject(apex, &what)),
        oddities: if dice.one_in(50) { vec!["http.bare-lf".into()] } else { Vec::new() },
        limits: Limits::default(),
        what,
    }
}

fn subject(apex: u64, what: &What<'_>) -> Subject<'static> {
    let named_by = match what {
        What::Query(_) => NamedBy::Question,
        What::Hello(_) => NamedBy::Sni,
        What::Request(_) => NamedBy::Host,
        _ => NamedBy::Address,
    };
    let case = ["gen-1", "gen-1", "gen-2"][(apex % 3) as usize];
    Subject { case: case.into(), apex: name(apex).into(), named_by }
}

fn name(apex: u64) -> String {
    format!("seized-{apex:02}.example")
}

fn what(caller: &Caller, apex: u64, dice: &mut Dice) -> What<'static> {
    match dice.below(100) {
        0..70 => What::Query(query(apex, dice)),
        70..85 => What::Request(request(caller, apex, dice)),
        85..95 => What::Hello(hello(caller, apex)),
        95..99 => What::Connection(Connection { looks_like: "silent".into(), ..Connection::default() }),
        _ => What::Datagram(Datagram { looks_like: "text".into(), len: 64, ..Datagram::default() }),
    }
}

fn query(apex: u64, dice: &mut Dice) -> Query<'static> {
    let mut wire = Vec::with_capacity(32);
    let first = ["www", "mail", "WwW"][dice.below(3) as usize];
    for label in [first, &format!("seized-{apex:02}"), "example"] {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    let edns = Edns { udp_size: 1232, ..Edns::default() };
    Query {
        id: dice.below(1 << 16) as u16,
        name: if dice.one_in(200) { Cow::default() } else { wire.into() },
        qtype: [1, 1, 1, 28, 28, 15, 16][dice.below(7) as usize],
        qclass: 1,
        edns: (!dice.one_in(4)).then_some(edns),
        size: 40 + dice.below(40) as u16,
        rcode: (!dice.one_in(90)).then_some(0),
        repeats: if dice.one_in(500) { 1 + dice.below(1_000) as u32 } else { 0 },
        ..Query::default()
    }
}

fn request(caller: &Caller, apex: u64, dice: &mut Dice) -> Request<'static> {
    let agent = format!("Example/{}.{}", caller.0 % 7, dice.below(2));
    Request {
        method: [b"GET".as_slice(), b"GET", b"POST"][dice.below(3) as usize].into(),
        target: [b"/".as_slice(), b"/owa/", b"/login?next=/"][dice.below(3) as usize].into(),
        version: model::contact::HttpVersion::Http11,
        host: name(apex).into_bytes().into(),
        user_agent: if dice.one_in(12) { Cow::default() } else { agent.into_bytes().into() },
        ..Request::default()
    }
}

fn hello(caller: &Caller, apex: u64) -> Hello<'static> {
    Hello {
        sni: name(apex).into_bytes().into(),
        legacy_version: 0x0303,
        ja4: format!("t13d1516h2_8daaf6152771_{:012x}", caller.0 % 5).into(),
        ..Hello::default()
    }
}

fn outcomes(contact: &Contact<'_>, number: u64, dice: &mut Dice) -> Vec<OutcomeRow> {
    let outcome = |after: u64, later: i64, status: u16| Outcome {
        id: id(number, after),
        of: contact.id,
        at: from_nanos(to_nanos(contact.received) + later),
        octets_in: 400,
        octets_out: 1200,
        duration_nanos: 1_000_000,
        end: End::Answered,
        status: matches!(contact.what, What::Request(_)).then_some(status),
        tls: matches!(contact.what, What::Hello(_)).then_some(Tls { completed: true, ..Tls::default() }),
        body: (status == 200).then(|| Body { len: 31, complete: true, ..Body::default() }),
        accounts: Vec::new(),
    };
    match contact.what {
        What::Query(_) | What::Datagram(_) => Vec::new(),
        _ if dice.one_in(100) => {
            [outcome(1, 1_000, 200), outcome(2, 2_000_000_000, 404)].iter().map(Into::into).collect()
        }
        _ => vec![OutcomeRow::from(&outcome(1, 5_000_000, 200))],
    }
}

//----------- Callers ----------------------------------------------------------------------------------------------

/// Who calls, by rank: the first call far more often.
struct Caller(u64);

impl Caller {
    fn address(&self) -> IpAddr {
        if self.0 % 7 == 3 {
            return Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(self.0) << 64 | 1).into();
        }
        Ipv4Addr::from_bits(0x7f00_0000 | (1 + self.0 as u32) & 0x00ff_ffff).into()
    }

    fn label(&self, what: &What<'_>) -> Label {
        match (what, self.0 % 5) {
            (What::Query(_), _) => Label::Resolver,
            (_, 0 | 1) => Label::Victim,
            (_, 2) => Label::Scanner,
            (_, 3) => Label::Crawler,
            _ => Label::Unknown,
        }
    }

    fn verdict(&self, of: ContactId, received: Timestamp, label: Label, generation: usize) -> VerdictRow {
        let country = COUNTRIES[(self.0 % 6) as usize];
        let network = (self.0 % 17 != 16).then_some(self.0 % 16);
        let verdict = Verdict {
            of,
            label,
            score: 60 + (self.0 % 40) as u8,
            reasons: vec![format!("it looks like a {label}")],
            asn: network.map(|network| Asn(64_496 + network as u32)),
            // Two networks share a name, and some have none.
            as_name: network.filter(|network| network % 5 != 4).map(|network| format!("EXAMPLE-{}", network / 2)),
            country: country.map(|country| country.parse().expect("two capitals")),
            withheld: country == Some(WITHHELD),
        };
        VerdictRow::new(verdict, received, GENERATIONS[generation])
    }
}

//----------- Dice -------------------------------------------------------------------------------------------------

/// The callers' dice, with numbers as wide as an archive's; a stream of its own for each row.
pub(crate) struct Dice(callers::Dice);

impl Dice {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(callers::Dice::new(seed, stream))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0.roll()
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A rank below `end`, the first ones far more often: end^u for an even u, which is Zipf's law with exponent 1.
    fn popular(&mut self, end: u64) -> u64 {
        let even = (self.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = (end as f64).powf(even) as u64;
        rank.saturating_sub(1).min(end - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_row_is_the_same_whenever_it_is_made_and_another_seed_makes_others() {
        let (rows, other) = (Rows::new(1_000, 3, 7), Rows::new(1_000, 3, 8));
        assert_eq!(rows.row(500), Rows::new(1_000, 3, 7).row(500));
        assert_ne!(rows.row(500), other.row(500));
    }

    #[test]
    fn the_corners_are_there() {
        let rows = Rows::new(20_000, 3, 1);
        let all: Vec<Sighted> = (0..rows.len()).map(|number| rows.row(number)).collect();
        let some = |corner: fn(&Sighted) -> bool| assert!(all.iter().any(corner));
        some(|row| row.contact.source.is_ipv6());
        some(|row| row.contact.case_id.is_none());
        some(|row| row.contact.kind == model::contact::Kind::Query && row.contact.qname.is_none());
        some(|row| row.contact.repeats.is_some());
        some(|row| row.verdict.is_none());
        some(|row| row.outcomes.len() == 2);
        some(|row| row.verdict.as_ref().is_some_and(|verdict| verdict.withheld && verdict.label == Label::Victim));
        some(|row| row.verdict.as_ref().is_some_and(|verdict| verdict.asn.is_none() && verdict.country.is_none()));
        let of_day = |at: Timestamp| (to_nanos(at) - to_nanos(START)).cast_unsigned() % DAY;
        let times: BTreeSet<u64> = all.iter().map(|row| of_day(row.contact.received)).collect();
        assert!(times.contains(&0) && times.contains(&(DAY - 1)), "the first and the last nanosecond of a day");
        let silent = SILENT_HOUR * HOUR..(SILENT_HOUR + 1) * HOUR;
        assert_eq!(times.range(silent).count(), 0);
        assert_eq!((0..rows.len()).filter_map(|number| rows.judged_anew(number)).count(), 1_000);
        let sources: BTreeSet<IpAddr> = all.iter().map(|row| row.contact.source).collect();
        assert!((300..1_000).contains(&sources.len()), "{} sources", sources.len());
    }
}
