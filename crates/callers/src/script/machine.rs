//! Infected machines: they resolve a name, then beacon to it at a few fixed paths, the same way every time.

use model::DomainName;

use super::{get, look_up, tls};
use crate::act::{Act, Door, Request};
use crate::cast::Caller;
use crate::dice::Dice;
use crate::request::Draft;

/// Each family beacons in its own way; a home network mostly has one of them.
const FAMILIES: usize = 3;
const BEACONS_MAX: usize = 4;

pub(super) fn script(caller: &Caller, names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let family = if dice.one_in(8) { dice.below(FAMILIES) } else { usize::from(caller.address.octets()[1]) % FAMILIES };
    let name = dice.pick_popular(names).clone();
    let bot = format!("{:08x}", dice.roll() >> 32);
    let mut acts = vec![look_up(caller, &name, dice)];
    for beacon in 0..=dice.below(BEACONS_MAX) {
        // A cache that ran out, or a bot that never caches.
        if beacon > 0 && dice.one_in(3) {
            acts.push(look_up(caller, &name, dice));
        }
        let door = if family == 2 { tls(&name, dice) } else { Door::Plain };
        acts.push(Act::Visit { door, requests: vec![call_home(family, &name, &bot, beacon)] });
    }
    acts
}

fn call_home(family: usize, name: &DomainName, bot: &str, beacon: usize) -> Request {
    match family {
        0 => Draft::new("POST", "/gate.php")
            .header("Host", name.as_str())
            .header("User-Agent", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/4.0)")
            .body("application/x-www-form-urlencoded", format!("bot={bot}&os=6.1.7601&ver=2.3&n={beacon}"))
            .header("Cache-Control", "no-cache")
            .done(),
        1 => Draft::new("GET", &format!("/check/{bot}?v=14&t={beacon}"))
            .header("User-Agent", "WinHttpClient/1.0")
            .header("Host", name.as_str())
            .header("Connection", "close")
            .done(),
        _ => get(name, &format!("/api/tasks/{bot}"), "python-requests/2.18.4")
            .header("Accept-Encoding", "gzip, deflate")
            .header("Connection", "keep-alive")
            .done(),
    }
}
