use model::contact::*;

use super::*;
use crate::fixtures::*;

//----------- A desk of their own ----------------------------------------------------------------------------------

/// Everything a table row needs to be judged.
struct Desk {
    tables: Tables,
    withheld: BTreeMap<CaseId, Withheld>,
    own: BTreeSet<IpAddr>,
    memory: Memory,
}

impl Desk {
    fn new() -> Self {
        let withheld = Withheld { countries: ["IR".parse().unwrap()].into(), ..Withheld::default() };
        Self {
            tables: Tables::demo(),
            withheld: [(CaseId::parse("phosphorus-2019").unwrap(), withheld)].into(),
            own: ["127.0.0.9".parse().unwrap()].into(),
            memory: Memory::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context { tables: &self.tables, withheld: &self.withheld, own: &self.own, memory: &self.memory }
    }

    /// Learns of all, then judges all, as a batch.
    fn judge(&mut self, batch: &[Seen]) -> Vec<Verdict> {
        batch.iter().for_each(|seen| self.memory.learn(seen));
        judge_all(&mut batch.to_vec(), &mut Carried::default(), &self.context())
    }

    fn one(&mut self, contact: &Contact<'_>, outcome: Option<&Outcome<'_>>) -> Verdict {
        let mut seen = Seen::of(contact);
        outcome.into_iter().for_each(|outcome| seen.follow(outcome));
        self.judge(&[seen]).remove(0)
    }
}

//----------- One contact ------------------------------------------------------------------------------------------

#[test]
fn one_request_is_labelled_by_what_it_says() {
    let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    for (line, agent, referer, label, because) in [
        ("GET /", EDGE, "", Label::Unknown, "perhaps a link in a mail"),
        ("GET /owa/", EDGE, "https://news.example/a", Label::ReferredVisitor, "a link on news[.]example"),
        ("GET /owa/", EDGE, "http://mail.outlook-verify.net/", Label::Unknown, "a browser"),
        ("GET /", google, "", Label::Crawler, "says that it is a crawler"),
        ("GET /robots.txt", EDGE, "", Label::Crawler, "robots.txt"),
        ("GET /", "facebookexternalhit/1.1", "", Label::LinkPreview, "previews of links"),
        ("GET /.env", EDGE, "", Label::Scanner, "looks for holes"),
        ("GET /x/../../etc/passwd", EDGE, "", Label::Scanner, "looks for holes"),
        ("POST /wp-login.php", google, "", Label::Scanner, "looks for holes"),
        ("GET /", "Mozilla/5.0 zgrab/0.x", "", Label::Scanner, "scanner or a survey"),
        ("CONNECT example.com:443", EDGE, "", Label::Scanner, "as a proxy"),
        ("POST /gate.php", OLD_IE, "", Label::Victim, "a program, no browser, posts"),
        ("POST /gate.php", "", "", Label::Victim, "a program, no browser, posts"),
        ("POST /gate.php", EDGE, "", Label::Unknown, "a browser"),
        ("GET /login?user=x&passwd={redacted:query-value}", EDGE, "", Label::Victim, "a field for a password"),
        ("GET /login?user=x&passwd=", EDGE, "", Label::Unknown, "a browser"),
        ("POST /", "curl/8.5.0", "", Label::Unknown, "a tool that people call by hand"),
    ] {
        let verdict = Desk::new().one(&request(1, 0, "127.10.0.7", line, agent, referer), None);
        assert_eq!(verdict.label, label, "{line} {agent}: {:?}", verdict.reasons);
        assert!(verdict.reasons[0].contains(because), "{:?}", verdict.reasons);
    }
}

#[test]
fn a_password_makes_a_victim_of_a_referred_visitor_but_not_of_a_scanner() {
    let typed = outcome(1, &["login", "passwd"], None, 80);
    let person = request(1, 0, "127.10.0.7", "POST /owa/auth", EDGE, "https://news.example/");
    let verdict = Desk::new().one(&person, Some(&typed));
    assert_eq!((verdict.label, verdict.score), (Label::Victim, 95));
    let though = "though, as of a referred-visitor: it comes from a link on news[.]example";
    assert_eq!(verdict.reasons, ["it sent a form with a field for a password", though]);

    let guesser = request(1, 0, "127.80.0.7", "POST /wp-login.php", EDGE, "");
    assert_eq!(Desk::new().one(&guesser, Some(&typed)).label, Label::Scanner);
}

#[test]
fn a_dns_query_is_a_resolvers_unless_the_client_subnet_is_its_sender() {
    for (from, qtype, qclass, subnet, label) in [
        ("127.53.0.1", 1, 1, &[][..], Label::Resolver),
        ("127.10.0.7", 1, 1, &[], Label::Resolver),
        ("127.53.0.1", 1, 1, &[0, 1, 24, 0, 192, 0, 2], Label::Resolver),
        ("127.10.0.7", 1, 1, &[0, 1, 32, 0, 127, 10, 0, 7], Label::Unknown),
        ("127.80.0.7", 16, 3, &[], Label::Scanner),
        ("127.80.0.7", 252, 1, &[], Label::Scanner),
    ] {
        let verdict = Desk::new().one(&query(from, qtype, qclass, subnet), None);
        assert_eq!(verdict.label, label, "{from} {qtype} {qclass} {:?}", verdict.reasons);
    }
}

#[test]
fn a_query_without_a_question_is_a_scanners_and_one_with_an_underscore_is_not() {
    for (name, label) in [(&b""[..], Label::Scanner), (b"\x06_dmarc\x07example\0", Label::Resolver)] {
        let mut odd = query("127.81.0.1", 16, 1, &[]);
        odd.oddities = vec!["dns.trailing".into()];
        let What::Query(query) = &mut odd.what else { unreachable!() };
        query.name = name.into();
        assert_eq!(Desk::new().one(&odd, None).label, label);
    }
}

#[test]
fn whoever_asks_for_himself_is_taken_for_what_he_did_elsewhere() {
    let mut desk = Desk::new();
    desk.one(&query("127.10.0.7", 1, 1, &[]), None);
    desk.memory.conclude("127.10.0.7".parse().unwrap(), Label::Victim, 90);
    let verdict = desk.one(&query("127.10.0.7", 1, 1, &[0, 1, 32, 0, 127, 10, 0, 7]), None);
    assert_eq!((verdict.label, verdict.score), (Label::Victim, 70));
    assert_eq!(desk.one(&query("127.10.0.7", 1, 1, &[]), None).label, Label::Resolver, "a resolver all the same");
}

#[test]
fn our_own_verifier_is_never_a_victim() {
    let typed = outcome(1, &["password"], None, 80);
    let verdict = Desk::new().one(&request(1, 0, "127.0.0.9", "POST /", "", ""), Some(&typed));
    assert_eq!((verdict.label, verdict.score), (Label::Own, 100));
}

#[test]
fn a_fresh_sign_of_our_verifier_makes_a_visit_ours_and_a_forged_one_does_not() {
    let label = |code: &'static str| {
        let mut visit = request(1, 0, "127.81.0.1", "GET /", EDGE, "");
        visit.oddities = vec![code.into()];
        Desk::new().one(&visit, None)
    };
    let own = label("trap.own-visit");
    assert_eq!((own.label, own.score), (Label::Own, 100));
    assert_eq!(own.reasons[0], "it showed a fresh sign of our own verifier");
    for code in ["trap.visit-forged", "trap.visit-stale", "trap.visit-replayed"] {
        assert_ne!(label(code).label, Label::Own, "{code}");
    }
}

#[test]
fn whoever_comes_by_address_or_is_odd_is_a_scanner() {
    let mut nameless = request(1, 0, "127.81.0.1", "GET /", EDGE, "");
    nameless.subject = None;
    assert_eq!(Desk::new().one(&nameless, None).label, Label::Scanner);
    let mut odd = request(1, 0, "127.81.0.1", "POST /", "", "");
    odd.oddities = vec!["http.bare-lf".into(), "http.obs-fold".into(), "http.length-repeated".into()];
    assert_eq!(Desk::new().one(&odd, None).reasons[0], "it is odd in 3 ways at once");
    odd.oddities = vec!["http.bare-lf".into()];
    assert_eq!(Desk::new().one(&odd, None).label, Label::Scanner, "one POST that is odd makes no victim");
    odd.oddities = vec!["tls.no-sni".into(), "http.upgrade".into(), "tls.fragmented".into()];
    assert_eq!(Desk::new().one(&odd, None).label, Label::Victim, "decent software does these");
}

//----------- Several contacts -------------------------------------------------------------------------------------

fn beats(agent: &'static str, line: &'static str, times: &[i64]) -> Vec<Seen> {
    let seen = |(seq, secs): (usize, &i64)| Seen::of(&request(seq as u64, *secs, "127.10.0.7", line, agent, ""));
    times.iter().enumerate().map(seen).collect()
}

#[test]
fn a_beacon_is_a_call_that_repeats() {
    for (agent, line, times, label, because) in [
        (OLD_IE, "GET /img/a.gif?id=1", &[0, 7, 9][..], Label::Victim, "the same call 3 times"),
        (OLD_IE, "GET /img/a.gif?id=1", &[0, 7], Label::Unknown, "nothing tells it apart"),
        (EDGE, "GET /owa/", &[0, 7, 9, 300, 310], Label::Unknown, "a browser"),
        (EDGE, "GET /owa/", &[0, 60, 120, 181, 240], Label::Victim, "evenly, every 60.0 s"),
        (EDGE, "POST /owa/", &[0, 60], Label::Victim, "posted 2 times"),
    ] {
        let verdicts = Desk::new().judge(&beats(agent, line, times));
        for verdict in verdicts {
            assert_eq!(verdict.label, label, "{agent} {times:?} {:?}", verdict.reasons);
            assert!(verdict.reasons[0].contains(because), "{:?}", verdict.reasons);
        }
    }
}

#[test]
fn the_same_call_of_the_same_program_from_four_addresses_is_a_familys() {
    const CALLS: [&str; 4] =
        ["GET /check/0a1b2c3d?t=1", "GET /check/1a1b2c3d", "GET /check/2a1b2c3d", "GET /check/3a1b2c3d"];
    let family = |agent| -> Vec<Seen> {
        let call = |n: usize| request(n as u64, 0, &format!("127.10.0.{n}"), CALLS[n], agent, "");
        (0..4).map(|n| Seen::of(&call(n))).collect()
    };
    for verdict in Desk::new().judge(&family("WinHttpClient/1.0")) {
        assert_eq!(verdict.reasons, ["4 addresses make this call with the same program: a family's beacon"]);
    }
    for (agent, count) in [("WinHttpClient/1.0", 3), (EDGE, 4), ("", 4)] {
        let verdicts = Desk::new().judge(&family(agent)[..count]);
        assert!(verdicts.iter().all(|verdict| verdict.label == Label::Unknown), "{agent} {count}");
    }
}

#[test]
fn the_calls_that_are_watched_for_families_are_bounded() {
    let limits = MemoryLimits { fleets_max: 1, fleet_addresses_max: 2, ..MemoryLimits::default() };
    let mut memory = Memory::new(limits);
    let call = |n: u64, line| Seen::of(&request(n, 0, &format!("127.10.0.{n}"), line, "WinHttpClient/1.0", ""));
    for n in 1..=3 {
        memory.learn(&call(n, "GET /a1"));
        memory.learn(&call(n, "GET /b1"));
    }
    assert_eq!((memory.fleet_of(&call(1, "GET /a1")), memory.fleet_of(&call(1, "GET /b1"))), (2, 0));
}

#[test]
fn a_source_that_has_looked_for_holes_is_a_scanner_in_all_it_does() {
    let mut desk = Desk::new();
    desk.one(&request(1, 0, "127.80.0.7", "GET /.git/config", EDGE, ""), None);
    let verdict = desk.one(&request(2, 1, "127.80.0.7", "GET /", EDGE, "https://news.example/"), None);
    assert_eq!(verdict.label, Label::Scanner);
    let other = desk.one(&request(3, 2, "127.80.0.8", "GET /", EDGE, "https://news.example/"), None);
    assert_eq!(other.label, Label::ReferredVisitor, "its neighbour is not");
}

#[test]
fn a_source_that_goes_through_a_list_of_names_is_a_scanner() {
    const NAMES: [&str; 8] =
        ["a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example"];
    let mut desk = Desk::new();
    let labels = NAMES.map(|name| {
        let mut visit = request(1, 0, "127.80.0.7", "GET /", EDGE, "");
        visit.subject = Some(Subject { case: "phosphorus-2019".into(), apex: name.into(), named_by: NamedBy::Host });
        desk.one(&visit, None).label
    });
    assert_eq!(labels[..7], [Label::Unknown; 7]);
    assert_eq!(labels[7], Label::Scanner, "{} names", rules::NAMES_OF_A_SCANNER);
}

#[test]
fn three_silent_connections_or_five_oddities_are_a_scanners() {
    let mut desk = Desk::new();
    let silent = |seq| contact(seq, 0, "127.80.0.7", None, What::Connection(Connection::default()));
    let labels: Vec<_> = (0..3).map(|seq| desk.one(&silent(seq), Some(&outcome(seq, &[], None, 0))).label).collect();
    assert_eq!(labels, [Label::Unknown, Label::Unknown, Label::Scanner]);

    let odd = ["http.bare-lf", "http.bare-cr", "http.no-colon", "http.length", "http.chunk"];
    let last = odd.map(|code| {
        let mut request = request(1, 0, "127.81.0.7", "POST /", "", "");
        request.oddities = vec![code.into()];
        desk.one(&request, None).reasons[0].clone()
    });
    assert_eq!(last[4], "its address is odd in 5 ways: it tries what we do");
}

#[test]
fn an_old_program_that_fails_the_handshake_thrice_is_a_victim() {
    let hello = |seq| {
        let what = Hello { sni: b"outlook-verify.net".into(), ja4: "t10d030100_x".into(), ..Hello::default() };
        let mut seen = Seen::of(&contact(seq, 0, "127.10.0.7", Some("outlook-verify.net"), What::Hello(what)));
        seen.follow(&outcome(seq, &[], Some(false), 60));
        seen
    };
    let mut desk = Desk::new();
    assert_eq!(desk.judge(&[hello(1), hello(2)])[0].label, Label::Unknown);
    let verdict = desk.judge(&[hello(3)]).remove(0);
    assert_eq!(verdict.label, Label::Victim, "{:?}", verdict.reasons);
}

#[test]
fn a_connection_and_a_hello_are_what_came_over_them() {
    let apex = Some("outlook-verify.net");
    let connection = contact(1, 0, "127.10.0.7", None, What::Connection(Connection::default()));
    let mut hello = contact(2, 0, "127.10.0.7", apex, What::Hello(Hello::default()));
    hello.over = Some(connection.id);
    let mut form = request(3, 0, "127.10.0.7", "POST /owa/", EDGE, "");
    form.over = Some(hello.id);
    let mut posted = Seen::of(&form);
    posted.follow(&outcome(3, &["pass"], None, 80));
    let verdicts = Desk::new().judge(&[Seen::of(&connection), Seen::of(&hello), posted]);
    let told: Vec<_> = verdicts.iter().map(|v| (v.label, v.score, v.reasons[0].as_str())).collect();
    assert_eq!(
        told,
        [
            (Label::Victim, 95, "a hello came over it: it sent a form with a field for a password"),
            (Label::Victim, 95, "a request came over it: it sent a form with a field for a password"),
            (Label::Victim, 95, "it sent a form with a field for a password"),
        ]
    );
}

#[test]
fn a_connection_over_which_a_resolver_asked_is_the_resolvers() {
    let connection = contact(5, 0, "127.53.0.1", None, What::Connection(Connection::default()));
    let mut asked = query("127.53.0.1", 1, 1, &[]);
    asked.over = Some(connection.id);
    let verdicts = Desk::new().judge(&[Seen::of(&connection), Seen::of(&asked)]);
    assert_eq!(verdicts[0].label, Label::Resolver);
}

//----------- Where, and withheld ----------------------------------------------------------------------------------

#[test]
fn a_verdict_says_where_and_whether_it_may_be_told() {
    let origin = |verdict: Verdict| (verdict.asn.unwrap().0, verdict.country.unwrap().to_string(), verdict.withheld);
    let mut desk = Desk::new();
    let from = |from| request(1, 0, from, "GET /", EDGE, "");
    assert_eq!(origin(desk.one(&from("127.66.0.1"), None)), (64508, "IR".into(), true));
    assert_eq!(origin(desk.one(&from("127.10.0.1"), None)), (64497, "US".into(), false));

    let mut elsewhere = from("127.66.0.1");
    elsewhere.subject = None;
    assert!(desk.one(&elsewhere, None).withheld, "what concerns no case is withheld if any case would");
    elsewhere.subject = Some(Subject { case: "another".into(), apex: "b.example".into(), named_by: NamedBy::Host });
    assert!(desk.one(&elsewhere, None).withheld, "and so is what concerns a case that we do not know");
    desk.withheld.insert(CaseId::parse("another").unwrap(), Withheld::default());
    assert!(!desk.one(&elsewhere, None).withheld, "another case has its own terms");
}

#[test]
fn what_names_a_withheld_client_is_withheld_too() {
    let subnet = query("127.53.0.1", 1, 1, &[0, 1, 24, 0, 127, 66, 3]);
    assert!(Desk::new().one(&subnet, None).withheld, "by client subnet");
    let mut proxied = request(1, 0, "127.10.0.1", "GET /", EDGE, "");
    let What::Request(request) = &mut proxied.what else { unreachable!() };
    request.forwarded = b"10.0.0.1, 127.66.3.4".into();
    assert!(Desk::new().one(&proxied, None).withheld, "by X-Forwarded-For");
}

//----------- Memory -----------------------------------------------------------------------------------------------

#[test]
fn the_memory_forgets_who_was_silent_longest_and_who_was_silent_long() {
    let mut memory = Memory::new(MemoryLimits { sources_max: 2, silence_secs: 100, ..MemoryLimits::default() });
    let probe = |secs, from: &str| Seen::of(&request(1, secs, from, "GET /.env", EDGE, ""));
    let probes = |memory: &Memory, from: &str| memory.of(from.parse().unwrap()).probes;
    for (secs, from) in [(0, "127.80.0.1"), (1, "127.80.0.2"), (2, "127.80.0.1"), (3, "127.80.0.3")] {
        memory.learn(&probe(secs, from));
    }
    assert_eq!(memory.len(), 2);
    assert_eq!((probes(&memory, "127.80.0.1"), probes(&memory, "127.80.0.2")), (2, 0));
    memory.learn(&probe(200, "127.80.0.1"));
    assert_eq!(probes(&memory, "127.80.0.1"), 1, "it starts anew");
}

#[test]
fn the_memory_of_one_source_is_bounded() {
    let limits = MemoryLimits { distinct_max: 3, times_max: 2, ..MemoryLimits::default() };
    let mut memory = Memory::new(limits);
    for (seq, line) in ["GET /1", "GET /2", "GET /3", "GET /4", "GET /1", "GET /1"].into_iter().enumerate() {
        memory.learn(&Seen::of(&request(seq as u64, seq as i64, "127.80.0.1", line, EDGE, "")));
    }
    let source = memory.of("127.80.0.1".parse().unwrap());
    assert_eq!(source.beats.len(), 3);
    let first = &source.beats["GET outlook-verify.net /1"];
    assert_eq!((first.count, first.times.len()), (3, 2));
}

#[test]
fn another_table_is_another_generation() {
    assert_ne!(generation(&Tables::empty()), generation(&Tables::demo()));
    assert_eq!(generation(&Tables::demo()), generation(&Tables::demo()));
}
