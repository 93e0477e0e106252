//! People who follow a link, look at the page, and type a password into it.

use model::DomainName;

use super::{Stage, look_up, tls, visit};
use crate::act::{Act, Door};
use crate::cast::Caller;
use crate::dice::Dice;
use crate::request::{Draft, Form};

const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/72.0.3626.121 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_3) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:65.0) Gecko/20100101 Firefox/65.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 12_1_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
];

/// Where the link stood: a mail reader, a chat, a site that was broken into.
const REFERERS: [&str; 4] = [
    "https://webmail.example.org/message/4711",
    "https://chat.example.com/c/room-7",
    "http://news.example.net/2019/03/interview.html",
    "https://conference.example.edu/speakers?year=2019",
];

const ACCOUNTS: [&str; 4] = ["ann@example.org", "b.taylor@example.com", "c_moreno@example.net", "desk@example.edu"];

pub(super) fn script(caller: &Caller, stage: &Stage<'_>, dice: &mut Dice) -> Vec<Act> {
    let name = dice.pick_popular(stage.names).clone();
    let browser = *dice.pick(&BROWSERS);
    let door = if dice.one_in(2) { tls(&name, dice) } else { Door::Plain };
    let referer = *dice.pick(&REFERERS);
    let page = browse(&name, "/", browser).header("Referer", referer).done();
    let icon = browse(&name, "/favicon.ico", browser).done();

    let mut acts = vec![look_up(caller, &name, dice)];
    acts.push(Act::Visit { door: door.clone(), requests: vec![page, icon] });
    // One in five looks and leaves; one in eight tries a second time.
    let attempts = if dice.one_in(5) { 0 } else { 1 + u64::from(dice.one_in(8)) };
    let account = *dice.pick(&ACCOUNTS);
    for attempt in 0..attempts {
        let form = Form::ALL[(caller.number + attempt) as usize % Form::ALL.len()];
        let password = stage.passwords.password(caller.number, attempt);
        acts.push(visit(door.clone(), form.submit(account, &password, |draft| dress(draft, &name, browser))));
    }
    acts
}

fn browse(name: &DomainName, target: &str, browser: &str) -> Draft {
    dress(Draft::new("GET", target), name, browser)
}

/// The headers of a browser, in a browser's order.
fn dress(draft: Draft, name: &DomainName, browser: &str) -> Draft {
    draft
        .header("Host", name.as_str())
        .header("Connection", "keep-alive")
        .header("User-Agent", browser)
        .header("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        .header("Accept-Encoding", "gzip, deflate")
        .header("Accept-Language", "en-GB,en;q=0.9")
}
