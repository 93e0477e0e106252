//! A whole internet on loopback, and whatever may go wrong with a seizure in it.
//!
//! A root and the registry `alfa` are NSD, `bravo` is Knot, which signs, `charlie` is BIND; Unbound validates and Knot
//! Resolver does not; RDAP is a static server, and four registries lie. The program verifies one case against all of it:
//! every check that fails has to be the one that is wrong, and to name the server. Resolvers speak to port 53 only, so
//! this suite needs the right to bind it. The program refuses by itself to ask anybody beyond loopback.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;

use super::name_servers::{NameServer, Recipe, write_file};
use crate::clock::{Watch, now, pause, wait_for};
use crate::program::{Program, binary};
use crate::shell::{Kept, Said, command, run_for};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble, root};

mod liars;
mod returning;
mod watching;

/// The addresses of the world. The last four are ours: two name servers, the trap, and where we ask from.
const WORLD: [(&str, &str); 16] = [
    ("ROOT", "127.18.0.10"),
    ("ALFA1", "127.18.0.20"),
    ("ALFA2", "127.18.0.21"),
    ("BRAVO1", "127.18.0.30"),
    ("BRAVO2", "127.18.0.31"),
    ("CHARLIE", "127.0.0.1"),
    ("HOST", "127.18.0.60"),
    ("MUTE", "127.18.0.70"),
    ("MIXED", "127.18.0.71"),
    ("CIRCLE", "127.18.0.72"),
    ("FLOOD", "127.18.0.73"),
    ("NOWHERE", "127.18.0.99"),
    ("NS1", "127.18.0.50"),
    ("NS2", "127.18.0.51"),
    ("TRAP", "127.18.0.80"),
    ("SOURCE", "127.18.0.100"),
];
const UNBOUND_AT: &str = "127.18.0.91:53";
const KRESD_AT: &str = "127.18.0.92:53";
const RDAP_AT: &str = "127.18.0.90:8080";
/// How long Knot may take to sign.
const SIGNED: Duration = Duration::from_secs(60);
/// All names are looked at in one pass, liars and silence included.
const PASS_MAX: Duration = Duration::from_secs(60);
/// The registries' TTL is two seconds.
const TTL: Duration = Duration::from_secs(3);

const fn nsd(name: &'static str, arguments: &'static [&'static str], files: &'static [&'static str]) -> Recipe {
    Recipe { name, program: "nsd", arguments, files }
}

const ROOT: Recipe = nsd("the root", &["-d", "-c", "@FOLDER@/root.conf"], &["root.conf", "root.zone"]);
const HOST: Recipe = nsd(
    "the host of our servers' names",
    &["-d", "-c", "@FOLDER@/host.conf"],
    &["host.conf", "sink.zone", "glue.zone", "host.zone", "astray.zone"],
);
const ALFA1: Recipe = nsd("alfa's first server", &["-d", "-c", "@FOLDER@/alfa1.conf"], &["alfa1.conf", "alfa1.zone"]);
const ALFA2: Recipe = nsd("alfa's second server", &["-d", "-c", "@FOLDER@/alfa2.conf"], &["alfa2.conf", "alfa2.zone"]);
const CAUGHT_UP: Recipe = nsd(
    "alfa's second server, with the zone of the first",
    &["-d", "-c", "@FOLDER@/alfa2-caught-up.conf"],
    &["alfa2-caught-up.conf", "alfa1.zone"],
);
const BRAVO: Recipe = Recipe {
    name: "bravo (Knot)",
    program: "knotd",
    arguments: &["-c", "@FOLDER@/bravo.conf"],
    files: &["bravo.conf", "bravo.zone"],
};
const CHARLIE: Recipe = Recipe {
    name: "charlie (BIND)",
    program: "named",
    arguments: &["-g", "-c", "@FOLDER@/charlie.conf"],
    files: &["charlie.conf", "charlie.zone"],
};
const UNBOUND: Recipe = Recipe {
    name: "Unbound",
    program: "unbound",
    arguments: &["-d", "-p", "-c", "@FOLDER@/unbound.conf"],
    files: &["unbound.conf", "hints", "anchor"],
};
const KRESD: Recipe = Recipe {
    name: "Knot Resolver",
    program: "kresd",
    arguments: &["-n", "-c", "@FOLDER@/kresd.conf", "@FOLDER@"],
    files: &["kresd.conf"],
};

pub fn run(tally: &mut Tally) -> Done {
    for (liar, udp, tcp) in liars::LIARS {
        liars::start(at(liar)?.ip(), udp, tcp)
            .map_err(|trouble| format!("{trouble}\nhint: this suite needs the right to bind port 53"))?;
    }
    liars::rdap(RDAP_AT.parse()?, registration)?;
    let mut servers = Vec::new();
    for (recipe, place) in [(&ROOT, "ROOT"), (&HOST, "HOST"), (&BRAVO, "BRAVO1"), (&CHARLIE, "CHARLIE")] {
        servers.push(NameServer::start(recipe, "internet", at(place)?, &WORLD)?);
    }
    let alfa = NameServer::start(&ALFA1, "internet", at("ALFA1")?, &WORLD)?;
    let lagging = NameServer::start(&ALFA2, "internet", at("ALFA2")?, &WORLD)?;
    let anchor = anchor()?;
    let words: Vec<(&str, &str)> = WORLD.iter().copied().chain([("ANCHOR", anchor.as_str())]).collect();
    for (recipe, place) in [(&UNBOUND, UNBOUND_AT), (&KRESD, KRESD_AT)] {
        servers.push(NameServer::start(recipe, "internet", place.parse()?, &words)?);
    }
    let mut program = install()?;
    program.start()?;

    let watch = Watch::start();
    let first = Grid::of(&program.ask(&["verify", "internet", "--json"])?)?;
    println!("  the first pass over {} names took {:.1} s", first.names.len(), watch.secs());
    let took = watch.elapsed();
    tally.check("one pass ends, whoever lies or is silent", holds(took < PASS_MAX, || format!("{took:?}")));
    faults(tally, &first);
    tally.check("what cannot be seen is attested, and only that", attested(&program));
    let caught_up = replace(lagging, &CAUGHT_UP, "ALFA2")?;
    pause(TTL);
    let second = Grid::of(&program.ask(&["verify", "internet", "--json"])?)?;
    tally.check("a name is verified once the old delegation has run out", second.is("complete.alfa", "verified"));
    tally.check("a server that caught up is seen, and when it changed", caught_up_is_seen(&first, &second));
    tally.check("the grid says name by name what holds", drawn(&program));
    tally.check("a pass that is broken off goes on", goes_on(&program));
    tally.check("what is different from an earlier pass is said", against(&program, &first));
    tally.check("our own visits are labelled self", own_visits(&program));
    tally.check("our own visits are known by their sign", watching::known_by_sign(&program));
    tally.check("a sign that our key did not make is odd, and makes nobody ours", watching::forged(&program));
    let caught_up = watching::by_the_clock(tally, &mut program, caught_up)?;
    // What was lost for a while is let through once it is verified again.
    program.ask(&["verify", "internet", "--json"])?;
    returning::given_back(tally, &program, alfa, caught_up)?;
    tally.check("the ledger is whole with it", program.ask(&["audit", "verify"])?.good().map(drop));
    program.stop()
}

fn at(place: &str) -> Result<SocketAddr, Trouble> {
    let known = WORLD.iter().find(|(name, _)| *name == place).ok_or_else(|| format!("there is no {place}"))?;
    Ok(SocketAddr::new(known.1.parse::<IpAddr>()?, 53))
}

/// Another server in the place of one that ends.
fn replace(server: NameServer, recipe: &Recipe, place: &str) -> Result<NameServer, Trouble> {
    drop(server);
    NameServer::start(recipe, "internet", at(place)?, &WORLD)
}

/// Bravo's key, as Unbound takes it.
fn anchor() -> Result<String, Trouble> {
    let bravo = at("BRAVO1")?.ip().to_string();
    let server = format!("@{bravo}");
    let keys = || {
        let mut asked = command("kdig", ["+short", "+retry=2", "bravo", "DNSKEY", &server]);
        let said = run_for(&mut asked, SIGNED).and_then(Said::good).ok()?;
        let lines = said.lines().filter(|line| !line.trim().is_empty());
        let keys: Vec<String> = lines.map(|line| format!("bravo. IN DNSKEY {line}")).collect();
        (!keys.is_empty()).then(|| keys.join("\n"))
    };
    wait_for("bravo's key, with which Knot signs", SIGNED, keys)
}

/// The program at its own places of this world.
fn install() -> Result<Program, Trouble> {
    let host = at("HOST")?.ip();
    let verify = format!(
        "[verify]\nroot_hints = \"hints\"\nresolvers = [\"{UNBOUND_AT}\", \"{KRESD_AT}\"]\nrdap_bootstrap = \"rdap.json\"\n\
         rate_per_sec = 500\npatience_millis = 1000\nsource_v4 = \"{}\"\n[verify.name_servers]\n\"ns.lame.alfa\" = [\"{host}\"]\n\"ns.else.alfa\" = [\"{host}\"]\n\"ns3.sink.alfa\" = [\"{}\"]\n",
        at("SOURCE")?.ip(),
        at("NS1")?.ip(),
    );
    let program = Program::install_with(&root().join("xtask/peers/internet/case.toml"), "")?;
    let folder = program.config();
    let folder = folder.parent().ok_or("the configuration lies nowhere")?;
    write_file("internet", "hints", folder, &WORLD)?;
    let bootstrap = format!(
        "{{\"version\": \"1.0\", \"services\": [[[\"alfa\", \"bravo\", \"charlie\"], [\"http://{RDAP_AT}/\"]]]}}"
    );
    fs::write(folder.join("rdap.json"), bootstrap)?;
    let (ports, trap) = (program.ports, at("TRAP")?.ip());
    let mut text = fs::read_to_string(program.config())?;
    for (usual, ours) in [
        (
            format!("listen = [\"127.0.0.1:{}\"]", ports.dns),
            format!("listen = [\"{}\", \"{}\", \"[::1]:53\"]", at("NS1")?, at("NS2")?),
        ),
        (format!("http = [\"127.0.0.1:{}\"]", ports.http), format!("http = [\"{trap}:80\"]")),
        (format!("https = [\"127.0.0.1:{}\"]", ports.https), format!("https = [\"{trap}:443\"]")),
        ("v4 = [\"127.0.0.1\"]".to_owned(), format!("v4 = [\"{trap}\"]")),
    ] {
        holds(text.contains(&usual), || format!("the configuration has no {usual}"))?;
        text = text.replacen(&usual, &ours, 1);
    }
    fs::write(program.config(), format!("{text}\n{verify}"))?;
    Ok(program)
}

//----------- What RDAP says ---------------------------------------------------------------------------------------

const DAY_SECS: i64 = 86_400;

fn registration(name: &str) -> Option<String> {
    let locks = "\"server transfer prohibited\", \"server update prohibited\"";
    let in_five_days = model::Timestamp::from_second(now().as_second() + 5 * DAY_SECS).ok()?.to_string();
    let (status, registrar, registered, expires) = match name {
        "blocked.charlie" => return None,
        "unlocked.alfa" => ("\"active\"".to_owned(), "9999", "2018-01-01T00:00:00Z", None),
        "lapsing.alfa" => (locks.to_owned(), "9999", "2018-01-01T00:00:00Z", Some(in_five_days)),
        "lost.alfa" => (locks.to_owned(), "1234", "2018-01-01T00:00:00Z", None),
        "redacted.alfa" => (locks.to_owned(), "", "2018-01-01T00:00:00Z", None),
        "taken.charlie" => (locks.to_owned(), "9999", "2026-04-01T00:00:00Z", None),
        "onhold.alfa" => (format!("{locks}, \"client hold\""), "9999", "2018-01-01T00:00:00Z", None),
        "held.alfa" => ("\"server hold\"".to_owned(), "9999", "2018-01-01T00:00:00Z", None),
        _ => (locks.to_owned(), "9999", "2018-01-01T00:00:00Z", None),
    };
    let expires = expires.unwrap_or_else(|| "2099-01-01T00:00:00Z".to_owned());
    let entities = match registrar {
        "" => String::new(),
        number => format!(
            "{{\"roles\": [\"registrar\"], \"publicIds\": [{{\"type\": \"IANA Registrar ID\", \"identifier\": \"{number}\"}}]}}"
        ),
    };
    let redacted = if registrar.is_empty() { "{\"name\": {\"type\": \"Registrar Name\"}}" } else { "" };
    Some(format!(
        "{{\"objectClassName\": \"domain\", \"ldhName\": \"{name}\", \"status\": [{status}], \"entities\": [{entities}], \
         \"events\": [{{\"eventAction\": \"registration\", \"eventDate\": \"{registered}\"}}, \
         {{\"eventAction\": \"expiration\", \"eventDate\": \"{expires}\"}}], \"redacted\": [{redacted}]}}"
    ))
}

//----------- What the program says --------------------------------------------------------------------------------

/// `verify --json`
#[derive(Deserialize)]
struct Grid {
    names: Vec<NameSeen>,
    #[serde(skip)]
    text: String,
}

#[derive(Deserialize)]
struct NameSeen {
    name: String,
    standing: String,
    findings: Vec<FindingSeen>,
}

#[derive(Deserialize)]
struct FindingSeen {
    check: String,
    verdict: String,
    evidence: String,
    since: String,
    #[serde(default)]
    in_part: bool,
}

impl Grid {
    /// Names that are not verified end the command with 3.
    fn of(said: &Said) -> Result<Self, Trouble> {
        let grid: Self = serde_json::from_str(&said.out)
            .map_err(|error| format!("reading the report: {error}; exit {:?}\n{}", said.code, said.all()))?;
        let open = grid.names.iter().any(|name| name.standing != "verified");
        holds(said.code == Some(if open { 3 } else { 0 }), || format!("exit {:?}", said.code))?;
        Ok(Self { text: said.out.clone(), ..grid })
    }

    fn name(&self, name: &str) -> Result<&NameSeen, Trouble> {
        self.names.iter().find(|seen| seen.name == name).ok_or_else(|| format!("{name} is not in the report").into())
    }

    fn finding(&self, name: &str, check: &str) -> Result<&FindingSeen, Trouble> {
        let seen = self.name(name)?;
        let found = seen.findings.iter().find(|finding| finding.check == check);
        found.ok_or_else(|| format!("{name} has no {check}").into())
    }

    fn is(&self, name: &str, standing: &str) -> Done {
        let seen = self.name(name)?;
        holds(seen.standing == standing, || format!("{name} is {}\n{}", seen.standing, seen.open()))
    }

    /// These checks do not hold, with that verdict and evidence, and no others.
    fn only(&self, name: &str, wrong: &[(&str, &str, &str)]) -> Done {
        let seen = self.name(name)?;
        let mut open: BTreeMap<&str, &FindingSeen> = BTreeMap::new();
        for finding in seen.findings.iter().filter(|finding| finding.verdict != "holds") {
            open.insert(&finding.check, finding);
        }
        for (check, verdict, evidence) in wrong {
            let found = open.remove(check).ok_or_else(|| format!("{name}: {check} holds\n{}", seen.open()))?;
            holds(found.verdict == *verdict, || format!("{name}: {check} {}: {}", found.verdict, found.evidence))?;
            contains(&found.evidence, evidence)?;
        }
        // The old delegation runs out in its own time.
        open.remove("old-ttl");
        holds(open.is_empty(), || format!("{name}: also open\n{}", seen.open()))
    }
}

impl NameSeen {
    fn open(&self) -> String {
        let open = self.findings.iter().filter(|finding| finding.verdict != "holds");
        open.map(|finding| format!("{} {}: {}", finding.check, finding.verdict, finding.evidence))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Each thing that went wrong, and nothing else of that name.
fn faults(tally: &mut Tally, grid: &Grid) {
    const F: &str = "fails";
    const O: &str = "not-observable";
    for (promise, name, wrong) in [
        ("a complete seizure has no fault", "complete.alfa", &[][..]),
        ("one in a signed registry has none", "signed.bravo", &[]),
        ("one whose only name server has IPv6 alone has none", "sixonly.charlie", &[]),
        (
            "a DS that was left fails, and a validating resolver shows what it does",
            "leftover.bravo",
            &[("no-ds", F, "DS 12345 13 2 left"), ("resolvers", F, "SERVFAIL")],
        ),
        (
            "a status that is missing is named",
            "unlocked.alfa",
            &[("rdap-status", F, "missing: server transfer prohibited")],
        ),
        ("a registration that ends in days fails", "lapsing.alfa", &[("rdap-status", F, "lapsing")]),
        ("another registrar than ordered fails", "lost.alfa", &[("rdap-registrar", F, "IANA 1234")]),
        ("a redacted registrar is not observable", "redacted.alfa", &[("rdap-registrar", O, "redacted")]),
    ] {
        tally.check(promise, grid.only(name, wrong));
    }
    let some = |name: &'static str, check: &'static str, verdict: &'static str, evidence: &'static str| {
        let found = grid.finding(name, check)?;
        holds(found.verdict == verdict, || format!("{check} {}: {}", found.verdict, found.evidence))?;
        contains(&found.evidence, evidence)
    };
    for (promise, name, check, verdict, evidence) in [
        (
            "a server of the registry that lags is named",
            "lagging.alfa",
            "parent-delegation",
            F,
            "b.nic.alfa at 127.18.0.21",
        ),
        (
            "wrong glue is said, with both addresses",
            "wrongglue.alfa",
            "glue",
            F,
            "glue of ns1.glue.alfa is 127.18.0.99, not 127.18.0.50",
        ),
        ("a lame server of ours is named", "lame.alfa", "our-answer", F, "REFUSED to SOA: ns.lame.alfa at 127.18.0.60"),
        (
            "a server of ours that answers something else is named, with what it answers",
            "astray.alfa",
            "our-answer",
            F,
            "answers 127.18.0.99, not 127.18.0.80 ::1: ns.else.alfa at 127.18.0.60 over",
        ),
        (
            "resolvers that are led astray by it are named, with what they answer",
            "astray.alfa",
            "resolvers",
            F,
            "answers 127.18.0.99, not 127.18.0.80 ::1: 127.18.0.91:53, 127.18.0.92:53",
        ),
        (
            "another host of ours than ordered is ours, and not as ordered",
            "other.alfa",
            "parent-delegation",
            F,
            "delegated to our ns3.sink.alfa, but the order says ns1.sink.alfa ns2.sink.alfa: a.nic.alfa at",
        ),
        (
            "a delegation that was never changed is said",
            "untouched.alfa",
            "parent-delegation",
            F,
            "delegated to ns.host.alfa",
        ),
        ("a hold is no redirect: nobody delegates", "onhold.alfa", "parent-delegation", F, "not delegated (NXDOMAIN)"),
        ("a hold is no redirect: the status says why", "onhold.alfa", "rdap-status", F, "client hold"),
        (
            "registered anew by another: the registration is younger than the order",
            "taken.charlie",
            "rdap-registrar",
            F,
            "registered anew on 2026-04-01",
        ),
        (
            "registered anew by another: the delegation is theirs",
            "taken.charlie",
            "parent-delegation",
            F,
            "delegated to ns.host.alfa",
        ),
        (
            "a blocked name without a registration takes a person's word",
            "blocked.charlie",
            "not-registrable",
            O,
            "RDAP knows no such registration",
        ),
        ("a server that says nothing is an observation", "caught.mute", "parent-delegation", O, "no answer in 2 tries"),
        (
            "a server that answers other questions is an observation",
            "caught.mixed",
            "parent-delegation",
            O,
            "the id of another question",
        ),
        (
            "a server that refers to itself is an observation",
            "caught.circle",
            "parent-delegation",
            O,
            "no referral further down",
        ),
        (
            "a server that sends 64 KB is an observation",
            "caught.flood",
            "parent-delegation",
            O,
            "more than 512 records",
        ),
        (
            "registries that hang on each other are an observation",
            "caught.hither",
            "parent-delegation",
            O,
            "no server of hither could say",
        ),
    ] {
        tally.check(promise, some(name, check, verdict, evidence));
    }
    tally.check("a hold that was ordered is verified", grid.is("held.alfa", "verified"));
    let in_part = |name| {
        let found = grid.finding(name, "parent-delegation")?;
        holds(found.in_part, || format!("{name} is not in part: {}", found.evidence))
    };
    tally.check("one server that lags makes it partial", in_part("lagging.alfa"));
    tally.check("and so does another host of ours", in_part("other.alfa"));
    let ours = ["our-answer", "http", "https"].map(|check| {
        let found = grid.finding("caught.mute", check)?;
        holds(found.verdict == "holds", || format!("{check} {}: {}", found.verdict, found.evidence))
    });
    tally.check("a liar above keeps nobody from looking at our own servers", all(ours));
}

//----------- After the first pass ---------------------------------------------------------------------------------

fn attested(program: &Program) -> Done {
    let document = program.path("letter.txt");
    fs::write(&document, "The registrar confirms that it sponsors redacted.alfa.")?;
    let (document, token) = (document.to_string_lossy().into_owned(), program.token("lars"));
    let attest = |name: &str, check: &str| {
        let words = [
            "verify",
            "attest",
            "internet",
            name,
            check,
            "--document",
            &document,
            "--as",
            "lars",
            "--token-file",
            &token,
        ];
        program.ask(&words)
    };
    contains(&attest("redacted.alfa", "rdap-registrar")?.good()?, "is attested")?;
    let refused = attest("leftover.bravo", "no-ds")?;
    all([
        holds(!refused.ok, || refused.all()),
        contains(&refused.err, "was observed and fails"),
        contains(&program.ask(&["verify", "internet", "--last", "--name", "redacted.alfa"])?.out, "attested by lars"),
    ])
}

fn caught_up_is_seen(first: &Grid, second: &Grid) -> Done {
    let (before, after) =
        (first.finding("lagging.alfa", "parent-delegation")?, second.finding("lagging.alfa", "parent-delegation")?);
    let (was, is) = (first.finding("leftover.bravo", "no-ds")?, second.finding("leftover.bravo", "no-ds")?);
    all([
        holds(after.verdict == "holds" && after.since > before.since, || {
            format!("{}: {}", after.verdict, after.evidence)
        }),
        holds(was.since == is.since, || format!("the DS was left since {}, not {}", was.since, is.since)),
    ])
}

fn drawn(program: &Program) -> Done {
    let said = program.ask(&["verify", "internet", "--last"])?;
    println!("{}", said.out.lines().take(24).map(|line| format!("    {line}\n")).collect::<String>());
    all([
        contains(&said.out, "parent-delegation"),
        contains(&said.out, "leftover[.]bravo  no-ds fails since"),
        holds(said.code == Some(3), || format!("exit {:?}", said.code)),
        contains(&program.ask(&["case", "show", "internet", "--json"])?.good()?, "\"seizure\": \"verified\""),
    ])
}

/// A look that was never ended is not lost.
fn goes_on(program: &Program) -> Done {
    let said = program.path("broken-off");
    let mut verify = command(&binary().to_string_lossy(), ["verify", "internet", "--at-once", "1", "--config"]);
    verify.arg(program.config()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&said)?);
    let mut running = Kept(verify.spawn()?);
    let has_begun = || fs::read_to_string(&said).is_ok_and(|said| said.contains("of 23 names")).then_some(());
    wait_for("a name that was looked at", PASS_MAX, has_begun)?;
    let ended = running.0.try_wait()?;
    drop(running);
    holds(ended.is_none(), || format!("it was not broken off: {ended:?}"))?;
    let again = program.ask(&["verify", "internet", "--json"])?;
    contains(&again.err, "going on with a pass that has looked at")
}

fn against(program: &Program, first: &Grid) -> Done {
    let file = program.path("first.json");
    fs::write(&file, &first.text)?;
    let said = program.ask(&["verify", "internet", "--last", "--against", &file.to_string_lossy()])?;
    contains(&said.out, "lagging[.]alfa  parent-delegation in part → holds")
}

fn own_visits(program: &Program) -> Done {
    let sql = "SELECT count(*) FROM sightings WHERE kind = 'request' AND label <> 'self'";
    program.count_reaches(
        "SELECT CASE WHEN count(*) > 0 THEN 1 ELSE 0 END FROM sightings WHERE kind = 'request' AND label = 'self'",
        1,
    )?;
    program.count_reaches(sql, 0)
}
