//! The rules, in the order in which they are asked. The first that speaks gives the label.
//!
//! The order is the argument: what says of itself what it is comes first, then what a caller did against itself
//! (typed a password, beaconed), then what was merely odd.

use model::contact::Kind;
use model::name::defang;
use model::verdict::Label;

use super::agents::{Agent, is_probe};
use super::{Context, Seen, Source};

/// The same call so often is a program's, if the caller is not a browser of today.
pub(super) const BEACON_REPEATS: u32 = 3;
/// So many even intervals make a beacon of any caller.
pub(super) const BEACON_INTERVALS: usize = 4;
/// So many addresses that make the same call with the same program are a family.
pub(super) const ADDRESSES_OF_A_FLEET: usize = 4;
/// POSTs to one path of a seized name.
pub(super) const POSTS: u32 = 2;
/// A source that asks this many seized names goes through a list.
pub(super) const NAMES_OF_A_SCANNER: usize = 8;
/// Distinct oddities of one contact, and of one source.
pub(super) const ODDITIES_OF_A_CONTACT: usize = 3;
pub(super) const ODDITIES_OF_A_SOURCE: usize = 5;
/// Connections on which nothing was said.
pub(super) const SILENCES_OF_A_SCANNER: u32 = 3;
/// Hellos whose handshake failed, the same each time.
pub(super) const FAILED_HELLOS: u32 = 3;

/// DNS: zone transfers (RFC 5936, RFC 1995), and the class in which servers are asked for their version.
const TRANSFERS: [u16; 2] = [251, 252];
const CHAOS: u16 = 3;

/// Odd by the letter and sent by decent software: no sign of anything.
const HARMLESS: [&str; 9] = [
    "http.h2-preface",
    "http.upgrade",
    "tls.ech",
    "tls.fragmented",
    "tls.no-sni",
    "tls.old-version",
    "looks.form",
    "looks.tls",
    OWN_VISIT,
];

/// The trap believed the sign of our own verifier; nobody else can make one.
const OWN_VISIT: &str = "trap.own-visit";

/// What one rule says.
pub(super) struct Finding {
    pub(super) label: Label,
    pub(super) score: u8,
    pub(super) reason: String,
}

type Rule = fn(&Seen, &Source, &Context<'_>) -> Option<Finding>;

pub(super) const RULES: [Rule; 15] = [
    own,
    dns_scanner,
    resolver,
    probe,
    tool,
    open_proxy,
    preview_or_crawler,
    password,
    many_oddities,
    beacon,
    fleet,
    posts,
    failed_hellos,
    referred,
    left_over,
];

fn says(label: Label, score: u8, reason: impl Into<String>) -> Option<Finding> {
    Some(Finding { label, score, reason: reason.into() })
}

/// What is said where no rule speaks.
pub(super) fn nothing_known(seen: &Seen) -> String {
    match (seen.kind, seen.agent()) {
        (Kind::Request, Agent::Browser) => "a browser without a Referer: perhaps a link in a mail".into(),
        (Kind::Request, Agent::ByHand) => "a tool that people call by hand, once".into(),
        (Kind::Query, _) => "asks for itself, and did nothing else that we saw".into(),
        _ => "nothing tells it apart".into(),
    }
}

//----------- Who says so himself ----------------------------------------------------------------------------------

fn own(seen: &Seen, _: &Source, context: &Context<'_>) -> Option<Finding> {
    if seen.oddities.iter().any(|code| code == OWN_VISIT) {
        return says(Label::Own, 100, "it showed a fresh sign of our own verifier");
    }
    context.own.contains(&seen.address).then_some(())?;
    says(Label::Own, 100, "the address is one of our own")
}

fn preview_or_crawler(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    if seen.kind != Kind::Request {
        return None;
    }
    match seen.agent() {
        Agent::Preview => says(Label::LinkPreview, 90, "its User-Agent says that it fetches previews of links"),
        Agent::Crawler => says(Label::Crawler, 90, "its User-Agent says that it is a crawler"),
        _ if seen.path() == "/robots.txt" => says(Label::Crawler, 60, "it asks for robots.txt, as crawlers do first"),
        _ => None,
    }
}

//----------- DNS --------------------------------------------------------------------------------------------------

fn dns_scanner(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    match seen.kind {
        Kind::Query if seen.qclass == CHAOS => says(Label::Scanner, 85, "it asks the server about itself (class CH)"),
        Kind::Query if TRANSFERS.contains(&seen.qtype) => {
            says(Label::Scanner, 85, "it asks for a transfer of the zone")
        }
        Kind::Query if seen.asked.is_empty() && !seen.oddities.is_empty() => {
            says(Label::Scanner, 60, "the query cannot be read")
        }
        _ => None,
    }
}

fn resolver(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    match (seen.kind, seen.subnet_len) {
        (Kind::Query, _) if seen.asks_for_itself() => None,
        (Kind::Query, Some(len)) => says(
            Label::Resolver,
            95,
            format!("a DNS query that names its client's network (/{len}): it asks for others"),
        ),
        (Kind::Query, None) => says(Label::Resolver, 80, "a DNS query: its sender asks for others, as a rule"),
        _ => None,
    }
}

//----------- Who looks for holes ----------------------------------------------------------------------------------

fn probe(seen: &Seen, source: &Source, _: &Context<'_>) -> Option<Finding> {
    if seen.kind == Kind::Request && is_probe(seen.path()) {
        return says(Label::Scanner, 95, "the path belongs to other software: it looks for holes");
    }
    (source.probes > 0 && seen.kind != Kind::Query).then_some(())?;
    says(Label::Scanner, 75, "its address has looked for holes")
}

fn tool(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    (seen.agent() == Agent::Tool).then_some(())?;
    says(Label::Scanner, 95, "its User-Agent is that of a scanner or a survey")
}

fn open_proxy(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    let elsewhere = seen.kind == Kind::Request && seen.apex.is_none() && seen.target.contains("://");
    let is_connect = seen.method.eq_ignore_ascii_case("CONNECT");
    (elsewhere || is_connect).then_some(())?;
    says(Label::Scanner, 85, "it tries us as a proxy to another site")
}

fn many_oddities(seen: &Seen, source: &Source, _: &Context<'_>) -> Option<Finding> {
    let (here, of_source) = (odd(&seen.oddities), odd(&source.oddities));
    match seen.kind {
        Kind::Query => None,
        _ if here >= ODDITIES_OF_A_CONTACT => says(Label::Scanner, 70, format!("it is odd in {here} ways at once")),
        _ if of_source >= ODDITIES_OF_A_SOURCE => {
            says(Label::Scanner, 65, format!("its address is odd in {of_source} ways: it tries what we do"))
        }
        _ => None,
    }
}

fn odd<'a>(oddities: impl IntoIterator<Item = &'a String>) -> usize {
    oddities.into_iter().filter(|code| !HARMLESS.contains(&code.as_str())).count()
}

//----------- Who was caught ---------------------------------------------------------------------------------------

fn password(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    (seen.kind == Kind::Request && seen.apex.is_some()).then_some(())?;
    if seen.typed_password() {
        return says(Label::Victim, 95, "it sent a form with a field for a password");
    }
    seen.has_credentials.then_some(())?;
    says(Label::Victim, 70, "it sent credentials (Authorization)")
}

fn beacon(seen: &Seen, source: &Source, _: &Context<'_>) -> Option<Finding> {
    (seen.kind == Kind::Request).then_some(())?;
    let beats = source.beats.get(&seen.beat()?)?;
    let count = beats.count;
    if let Some(interval) = beats.even_interval(BEACON_INTERVALS) {
        return says(Label::Victim, 92, format!("it repeats this call evenly, every {interval:.1} s: a beacon"));
    }
    (count >= BEACON_REPEATS && seen.agent() != Agent::Browser).then_some(())?;
    says(Label::Victim, 85, format!("it made the same call {count} times, and is no browser: a beacon"))
}

fn fleet(seen: &Seen, _: &Source, context: &Context<'_>) -> Option<Finding> {
    let addresses = context.memory.fleet_of(seen);
    (addresses >= ADDRESSES_OF_A_FLEET).then_some(())?;
    says(Label::Victim, 70, format!("{addresses} addresses make this call with the same program: a family's beacon"))
}

fn posts(seen: &Seen, source: &Source, _: &Context<'_>) -> Option<Finding> {
    (seen.kind == Kind::Request && seen.method == "POST").then_some(())?;
    let count = source.beats.get(&seen.beat()?)?.count;
    if count >= POSTS {
        return says(Label::Victim, 75, format!("it posted {count} times to the same path of a seized name"));
    }
    (seen.agent().is_like_malware() && odd(&seen.oddities) == 0).then_some(())?;
    says(Label::Victim, 60, "a program, no browser, posts to a seized name")
}

fn failed_hellos(seen: &Seen, source: &Source, _: &Context<'_>) -> Option<Finding> {
    seen.failed_handshake().then_some(())?;
    let count = source.beats.get(&seen.beat()?)?.count;
    (count >= FAILED_HELLOS).then_some(())?;
    says(
        Label::Victim,
        65,
        format!("{count} times the same TLS hello for a seized name, and no handshake: an old program"),
    )
}

//----------- Who was sent, and who is odd -------------------------------------------------------------------------

fn referred(seen: &Seen, _: &Source, _: &Context<'_>) -> Option<Finding> {
    (seen.kind == Kind::Request).then_some(())?;
    let site = seen.other_site()?;
    says(Label::ReferredVisitor, 80, format!("it comes from a link on {}", defang(site)))
}

fn left_over(seen: &Seen, source: &Source, _: &Context<'_>) -> Option<Finding> {
    let names = source.names.len();
    let silences = source.silences;
    match seen.kind {
        Kind::Query => None,
        _ if names >= NAMES_OF_A_SCANNER => says(
            Label::Scanner,
            70,
            format!("its address asked for {names} seized names or more: it goes through a list"),
        ),
        Kind::Request if seen.apex.is_none() => {
            says(Label::Scanner, 55, "it asks for no seized name: it came by address, not by name")
        }
        Kind::Request if odd(&seen.oddities) > 0 => says(Label::Scanner, 45, "it does not speak HTTP as browsers do"),
        _ if silences >= SILENCES_OF_A_SCANNER => {
            says(Label::Scanner, 55, format!("its address connected {silences} times and said nothing"))
        }
        _ => None,
    }
}
