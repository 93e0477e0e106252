//! Every report against a fold over the same rows, written without the engine: nulls, both families, day borders,
//! repeats, second verdicts, withheld callers and empty windows among them.

use std::collections::{BTreeMap, BTreeSet};

use model::contact::{Contact, Hello, Limits, NamedBy, Query, Request, Subject, Transport, Via, What};
use model::id::{Boot, ContactId, Lane, SensorId};
use model::time::{from_nanos, to_nanos, utc_day};
use model::verdict::{Label, Verdict};
use model::{DomainName, Timestamp};

use super::super::super::tests::house;
use super::super::super::{Archive, ArchiveBatch, ContactRow, VerdictRow};
use super::*;
use crate::report::{Cell, Interval, REPORT_ROWS_MAX, ReportName, Wish};

//----------- Rows -------------------------------------------------------------------------------------------------

struct Known {
    contact: ContactRow,
    /// The last one.
    verdict: Option<VerdictRow>,
}

const ROWS: u64 = 2_000;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Numbers that look random and are not (SplitMix64).
fn scattered(number: u64, salt: u64) -> u64 {
    let mixed = (number ^ salt << 32).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn contact(number: u64) -> Contact<'static> {
    let roll = |salt, end| scattered(number, salt) % end;
    let day = to_nanos(at("2019-03-27T00:00:00Z")) + roll(1, 3).cast_signed() * 86_400_000_000_000;
    let within = [0, 86_399_999_999_999, roll(2, 86_400_000_000_000).cast_signed()][roll(3, 3) as usize];
    let name = roll(4, 6);
    let caller = roll(5, 23);
    let source = if caller % 4 == 0 { format!("[2001:db8::{caller:x}]:7") } else { format!("203.0.113.{caller}:7") };
    let named_by = NamedBy::Host;
    let case = if name < 3 { "c-1" } else { "c-2" };
    Contact {
        id: ContactId::new(SensorId(1), Boot(1), Lane(0), number),
        received: from_nanos(day + within),
        source: source.parse().unwrap(),
        local: "192.0.2.53:80".parse().unwrap(),
        transport: Transport::Tcp,
        via: Via::Direct,
        over: None,
        subject: (name < 5).then(|| Subject { case: case.into(), apex: format!("s{name}.test").into(), named_by }),
        oddities: Vec::new(),
        limits: Limits::default(),
        what: match roll(6, 3) {
            0 => What::Query(Query { repeats: (roll(7, 9) * (roll(8, 2))) as u32, ..Query::default() }),
            1 => What::Request(Request {
                user_agent: ["", "one", "two"][roll(7, 3) as usize].as_bytes().into(),
                forwarded: ["", "192.0.2.9"][(roll(8, 8) == 0) as usize].as_bytes().into(),
                ..Request::default()
            }),
            _ => What::Hello(Hello { ja4: ["", "t13", "t12"][roll(7, 3) as usize].into(), ..Hello::default() }),
        },
    }
}

/// A generation's verdict. One caller is withheld itself, others only where they speak for somebody.
fn verdict(contact: &ContactRow, generation: &str) -> Option<VerdictRow> {
    let roll = |salt, end| scattered(contact.id.seq(), salt) % end;
    let own = scattered(contact.source.to_string().bytes().map(u64::from).sum(), 9);
    let label = if generation == "g2" { Label::Scanner } else { [Label::Victim, Label::Unknown][roll(10, 2) as usize] };
    let verdict = Verdict {
        of: contact.id,
        label,
        score: 50,
        reasons: Vec::new(),
        asn: (!own.is_multiple_of(5)).then_some(model::address::Asn(64_496 + (own % 3) as u32)),
        as_name: (!own.is_multiple_of(3)).then(|| format!("EXAMPLE {}", own % 2)),
        country: (!own.is_multiple_of(2)).then(|| "DE".parse().unwrap()),
        withheld: contact.source.to_string().ends_with("113.7") || contact.forwarded.is_some(),
    };
    let judges = if generation == "g2" { roll(11, 9) == 0 } else { roll(11, 9) != 1 };
    judges.then(|| VerdictRow::new(verdict, contact.received, generation))
}

async fn filled() -> (super::super::super::tests::House, Vec<Known>) {
    let house = house().await;
    let rows: Vec<ContactRow> = (0..ROWS).map(|number| ContactRow::from(&contact(number))).collect();
    for (number, generation) in ["g1", "g2"].into_iter().enumerate() {
        let contacts = if number == 0 { rows.clone() } else { Vec::new() };
        let verdicts = rows.iter().filter_map(|row| verdict(row, generation)).collect();
        let batch = ArchiveBatch { contacts, verdicts, ..ArchiveBatch::default() };
        let when = from_nanos(to_nanos(at("2019-04-01T00:00:00Z")) + number as i64);
        house.archive.commit("insight", batch, when).await.unwrap();
    }
    let known = |contact: ContactRow| Known { verdict: verdict(&contact, "g2").or(verdict(&contact, "g1")), contact };
    (house, rows.into_iter().map(known).collect())
}

//----------- The fold ---------------------------------------------------------------------------------------------

/// A cell as text that sorts as its value does; a null is `None`.
type Told = Option<String>;
/// One column of the answer: what is made of the contacts of a group.
type Column = fn(&[&Known]) -> Told;

fn number(of: u64) -> Told {
    Some(format!("{of:020}"))
}

fn contacts(all: &[&Known]) -> Told {
    number(all.iter().map(|known| 1 + u64::from(known.contact.repeats.unwrap_or(0))).sum())
}

fn addresses(all: &[&Known]) -> Told {
    number(all.iter().map(|known| known.contact.source).collect::<BTreeSet<_>>().len() as u64)
}

/// Written as `insight::count` writes it: per address the larger of two, one at least.
fn with_fingerprint(all: &[&Known]) -> Told {
    let mut by_source = BTreeMap::<_, [BTreeSet<Option<&str>>; 2]>::new();
    for Known { contact, .. } in all {
        let [agents, hellos] = by_source.entry(contact.source).or_default();
        match contact.kind {
            model::contact::Kind::Request => agents.insert(contact.user_agent.as_deref()),
            model::contact::Kind::Hello => hellos.insert(contact.ja4.as_deref()),
            _ => false,
        };
    }
    number(by_source.values().map(|[agents, hellos]| agents.len().max(hellos.len()).max(1) as u64).sum())
}

fn names(all: &[&Known]) -> Told {
    number(all.iter().filter_map(|known| known.contact.apex.as_deref()).collect::<BTreeSet<_>>().len() as u64)
}

fn first(all: &[&Known]) -> Told {
    all.iter().map(|known| known.contact.received).min().and_then(time)
}

fn last(all: &[&Known]) -> Told {
    all.iter().map(|known| known.contact.received).max().and_then(time)
}

fn time(at: Timestamp) -> Told {
    number(to_nanos(at).cast_unsigned())
}

fn fold(
    rows: &[Known],
    admits: impl Fn(&Known) -> bool,
    key: fn(&Known) -> Vec<Told>,
    columns: &[Column],
    falling: &[usize],
) -> Vec<Vec<Told>> {
    let mut groups = BTreeMap::<Vec<Told>, Vec<&Known>>::new();
    for known in rows.iter().filter(|known| admits(known)) {
        groups.entry(key(known)).or_default().push(known);
    }
    let row = |(key, all): (Vec<Told>, Vec<&Known>)| {
        key.into_iter().chain(columns.iter().map(|column| column(&all))).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<Told>> = groups.into_iter().map(row).collect();
    rows.sort_by(|a, b| {
        let last = |cell: &Told| (cell.is_none(), cell.clone());
        let fall = falling.iter().map(|at| b[*at].cmp(&a[*at]));
        let rise = a.iter().zip(b).map(|(a, b)| last(a).cmp(&last(b)));
        fall.chain(rise).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    rows
}

fn told(cell: &Cell) -> Told {
    match cell {
        Cell::Null => None,
        Cell::Count(of) => number(*of),
        Cell::Time(at) => time(*at),
        Cell::Day(day) => Some(day.to_string()),
        Cell::Address(address) => Some(address.to_string()),
        Cell::Text(text) => Some(text.clone()),
    }
}

async fn answered(archive: &Archive, name: ReportName, wish: &Wish) -> Vec<Vec<Told>> {
    let report = name.of(wish).unwrap();
    let answer = archive.report(&report, &Sight::default()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    answer.rows.iter().map(|row| row.iter().map(told).collect()).collect()
}

//----------- Every report -----------------------------------------------------------------------------------------

fn day(known: &Known) -> Told {
    Some(utc_day(known.contact.received).to_string())
}

fn apex(known: &Known) -> Told {
    known.contact.apex.clone()
}

fn network(known: &Known) -> Vec<Told> {
    let verdict = known.verdict.as_ref();
    let asn = verdict.and_then(|verdict| verdict.asn).and_then(|asn| number(asn.into()));
    vec![asn, verdict.and_then(|v| v.as_name.clone()), verdict.and_then(|v| v.country.clone())]
}

fn is_of(known: &Known, label: Label) -> bool {
    known.verdict.as_ref().is_some_and(|verdict| verdict.label == label)
}

fn is_told(known: &Known) -> bool {
    known.verdict.as_ref().is_some_and(|verdict| !verdict.withheld)
        && !known.contact.source.to_string().ends_with("113.7")
}

fn expected(rows: &[Known], name: ReportName, wish: &Wish) -> Vec<Vec<Told>> {
    let within = |known: &Known| {
        let contact = &known.contact;
        wish.since.is_none_or(|since| contact.received >= since)
            && wish.until.is_none_or(|until| contact.received < until)
            && wish.case.as_ref().is_none_or(|case| contact.case_id.as_deref() == Some(case.as_str()))
            && wish.name.as_ref().is_none_or(|name| contact.apex.as_deref() == Some(name.as_str()))
            && wish.source.is_none_or(|source| contact.source == source)
    };
    let named = |known: &Known| within(known) && known.contact.apex.is_some();
    match name {
        ReportName::TopNames => fold(rows, named, |known| vec![apex(known)], &[contacts, addresses, first, last], &[1]),
        ReportName::UniqueSources => {
            let columns: [Column; 3] = [contacts, addresses, with_fingerprint];
            fold(rows, named, |known| vec![day(known), apex(known)], &columns, &[0, 3])
        }
        ReportName::Timeline if wish.by == Interval::Hour => {
            let hour = |known: &Known| {
                let nanos = to_nanos(known.contact.received);
                vec![time(from_nanos(nanos - nanos.rem_euclid(3_600_000_000_000)))]
            };
            fold(rows, within, hour, &[contacts, addresses], &[])
        }
        ReportName::Timeline => fold(rows, within, |known| vec![day(known)], &[contacts, addresses], &[]),
        ReportName::ByNetwork => {
            fold(rows, |known| within(known) && is_told(known), network, &[contacts, addresses, names], &[3])
        }
        ReportName::SourceHistory => {
            let key = |known: &Known| {
                let label = known.verdict.as_ref().map(|verdict| verdict.label.to_string());
                vec![day(known), apex(known), Some(known.contact.kind.as_str().into()), label]
            };
            fold(rows, within, key, &[contacts, first, last], &[])
        }
        ReportName::Victims => {
            let key = |known: &Known| {
                let who = vec![known.contact.case_id.clone(), apex(known), Some(known.contact.source.to_string())];
                [who, network(known)].concat()
            };
            let admits = |known: &Known| within(known) && is_told(known) && is_of(known, Label::Victim);
            fold(rows, admits, key, &[contacts, first, last], &[8])
        }
    }
}

#[tokio::test]
async fn every_report_is_what_a_fold_over_the_rows_says() {
    let (house, rows) = filled().await;
    let all = Wish { limit: Some(REPORT_ROWS_MAX), ..Wish::default() };
    let (since, until) = (Some(at("2019-03-27T23:59:59.999999999Z")), Some(at("2019-03-29T00:00:00Z")));
    // An unoptimised engine takes half a second to plan: so each wish holds several corners.
    let wishes = [
        all.clone(),
        Wish { since, until, by: Interval::Hour, case: CaseId::parse("c-2").ok(), ..all.clone() },
        Wish { since, until: since, name: DomainName::parse("s1.test").ok(), ..all.clone() },
    ];
    for wish in &wishes {
        for source in ["2001:db8::4", "203.0.113.7"] {
            let history = Wish { source: Some(source.parse().unwrap()), ..wish.clone() };
            let name = ReportName::SourceHistory;
            assert_eq!(answered(&house.archive, name, &history).await, expected(&rows, name, &history), "{history:?}");
        }
        for name in ReportName::ALL.into_iter().filter(|name| *name != ReportName::SourceHistory) {
            assert_eq!(answered(&house.archive, name, wish).await, expected(&rows, name, wish), "{name} {wish:?}");
        }
    }
    assert!(expected(&rows, ReportName::Victims, &all).len() > 20, "the rows hold what is compared");
}

#[tokio::test]
async fn a_limit_keeps_the_first_rows_or_the_last_and_says_that_there_are_more() {
    let (house, rows) = filled().await;
    for (name, keeps_last) in [(ReportName::TopNames, false), (ReportName::Timeline, true)] {
        let all = expected(&rows, name, &Wish::default());
        let wish = Wish { limit: Some(2), ..Wish::default() };
        let kept = if keeps_last { all[all.len() - 2..].to_vec() } else { all[..2].to_vec() };
        assert_eq!(answered(&house.archive, name, &wish).await, kept, "{name}");
        let cut = async |limit: usize| {
            let wish = Wish { limit: Some(u32::try_from(limit).unwrap()), ..Wish::default() };
            house.archive.report(&name.of(&wish).unwrap(), &Sight::default()).await.unwrap().cut
        };
        assert_eq!((cut(2).await, cut(all.len()).await), (true, false), "{name}");
    }
}

#[tokio::test]
async fn who_is_withheld_is_counted_and_not_shown() {
    let (house, _) = filled().await;
    let report = ReportName::Victims.withheld(&Wish::default()).unwrap();
    let answer = house.archive.report(&report, &Sight::default()).await.unwrap();
    let Cell::Count(absent) = answer.rows[0][0] else { panic!("{answer:?}") };
    assert!(absent > 1, "the withheld one, and those who spoke for somebody");
    let shown = answered(&house.archive, ReportName::Victims, &Wish::default()).await;
    assert!(!shown.iter().any(|row| row[2].as_deref() == Some("203.0.113.7")));
    assert_eq!(ReportName::TopNames.withheld(&Wish::default()), None);
}

#[tokio::test]
async fn a_hidden_case_is_in_no_report() {
    let (house, _) = filled().await;
    let sight = Sight { hidden: [CaseId::parse("c-1").unwrap()].into() };
    let report = ReportName::TopNames.of(&Wish::default()).unwrap();
    let answer = house.archive.report(&report, &sight).await.unwrap();
    let names: Vec<Told> = answer.rows.iter().map(|row| told(&row[0])).collect();
    assert_eq!(names.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), ["s3.test", "s4.test"]);
}

/// A text of any kind is itself again after the engine has read it as a literal.
#[tokio::test]
async fn the_engine_reads_a_literal_as_the_text_that_it_was() {
    let house = house().await;
    for text in ["", "'", "''", "\\", "\\'", "a'; DROP VIEW contacts --", "\u{0}", "\n\t", "日本 '$1' {} %", "x\\"] {
        let sql = format!("SELECT {}", crate::report::text_literal(text));
        assert_eq!(house.archive.query(&sql).await.unwrap().rows, [[json!(text)]], "{sql:?}");
    }
}
