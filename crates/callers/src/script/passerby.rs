//! Those who come by without being anybody's victim: search engines, and programs that preview a link for people.

use model::DomainName;

use super::{get, tls};
use crate::act::{Act, Door};
use crate::dice::Dice;
use crate::request::Draft;

const CRAWLERS: [&str; 3] = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
];

const PREVIEWS: [&str; 5] = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "TelegramBot (like TwitterBot)",
    "Twitterbot/1.0",
    "WhatsApp/2.19.34 A",
];

/// Names that one crawler visits in a run.
const NAMES_PER_CRAWLER: usize = 4;

/// robots.txt first, then the page and the site map, over one connection per name.
pub(super) fn crawler(names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let user_agent = *dice.pick(&CRAWLERS);
    let mut visit_one = || {
        let name = dice.pick(names);
        let door = if dice.one_in(3) { tls(name, dice) } else { Door::Plain };
        let requests = ["/robots.txt", "/", "/sitemap.xml"];
        let ask = |target: &&str| get(name, target, user_agent).header("From", "crawler@example.com").done();
        Act::Visit { door, requests: requests.iter().map(ask).collect() }
    };
    (0..NAMES_PER_CRAWLER).map(|_| visit_one()).collect()
}

/// One look at a link that somebody pasted.
pub(super) fn preview(names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let user_agent = *dice.pick(&PREVIEWS);
    let name = dice.pick_popular(names);
    let method = if dice.one_in(4) { "HEAD" } else { "GET" };
    let look = Draft::new(method, "/owa/?ref=mail")
        .header("Host", name.as_str())
        .header("User-Agent", user_agent)
        .header("Range", "bytes=0-524287")
        .header("Connection", "close")
        .done();
    vec![Act::Visit { door: tls(name, dice), requests: vec![look] }]
}
