//! Scanners: they know addresses, not names, and try every door.

use model::DomainName;

use super::{get, random_octets, visit};
use crate::act::{Act, Door, TlsVersions};
use crate::dice::Dice;
use crate::hello;
use crate::request::Draft;

const USER_AGENTS: [&str; 4] = ["zgrab/0.x", "masscan/1.0", "Mozilla/5.0 Nuclei", "curl/7.61.1"];

const PATHS: [&str; 8] = [
    "/.env",
    "/wp-login.php",
    "/.git/config",
    "/phpmyadmin/index.php",
    "/cgi-bin/test.cgi?x=%27;id",
    "/../../etc/passwd",
    "/actuator/health",
    "/boaform/admin/formLogin",
];

/// Methods that a web site never sees from its visitors, with a target that fits each.
const ODD_METHODS: [(&str, &str); 6] = [
    ("OPTIONS", "*"),
    ("PROPFIND", "/"),
    ("TRACE", "/"),
    ("CONNECT", "example.com:443"),
    ("GET", "http://example.com/"),
    ("FOOBAR", "/"),
];

pub(super) fn script(names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let user_agent = *dice.pick(&USER_AGENTS);
    let mut acts: Vec<Act> = PATHS.iter().map(|path| probe(path, user_agent, names, dice)).collect();
    for (method, target) in ODD_METHODS {
        let draft = Draft::new(method, target).header("Host", "127.0.0.1").header("User-Agent", user_agent);
        acts.push(visit(Door::Plain, draft.done()));
    }
    acts.push(visit(Door::Plain, Draft::new("GET", "/").version("HTTP/1.0").done()));
    acts.extend(knock_on_tls(names, dice));
    acts.push(Act::StaySilent(Door::Plain));
    acts
}

/// With the address as Host, with a name, or with none at all.
fn probe(path: &str, user_agent: &str, names: &[DomainName], dice: &mut Dice) -> Act {
    let request = match dice.below(3) {
        0 => get(dice.pick(names), path, user_agent).header("Connection", "close").done(),
        1 => Draft::new("GET", path).header("Host", "127.0.0.1").header("User-Agent", user_agent).done(),
        _ => Draft::new("GET", path).version("HTTP/1.0").header("User-Agent", user_agent).done(),
    };
    visit(Door::Plain, request)
}

/// Without SNI, with a foreign SNI, too old, and gone after the hello.
fn knock_on_tls(names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let nameless = Door::Tls { sni: None, versions: TlsVersions::Both };
    let foreign = DomainName::parse("scanned.example").expect("an RFC 2606 name parses");
    let stranger = Door::Tls { sni: Some(foreign.clone()), versions: TlsVersions::Only12 };
    let target = dice.pick(names).as_str().to_owned();
    vec![
        visit(nameless.clone(), Draft::new("GET", "/").header("Host", "127.0.0.1").done()),
        visit(stranger, Draft::new("GET", "/").header("Host", foreign.as_str()).done()),
        Act::StaySilent(nameless),
        Act::Greet { hello: hello::too_old(Some(&target), random_octets(dice)) },
        Act::Greet { hello: hello::too_old(None, random_octets(dice)) },
        Act::Greet { hello: hello::acceptable(Some(&target), random_octets(dice)) },
    ]
}
