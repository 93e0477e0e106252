//! The notice in each language, as a browser understands it: direction, title, whom to write to, nothing from elsewhere.

use super::{NOTICE, browser_for, curl};
use crate::peers::SEIZED;
use crate::program::Program;
use crate::shell::run_for;
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble};

/// A browser's language, the page's, and which way it runs.
const LANGUAGES: [(&str, &str, &str); 7] = [
    ("en-US", "en", "ltr"),
    ("ar-EG", "ar", "rtl"),
    ("fa-IR", "fa", "rtl"),
    ("fr-FR", "fr", "ltr"),
    ("de-AT", "de", "ltr"),
    ("es-MX", "es", "ltr"),
    ("he-IL", "he", "rtl"),
];

pub(super) fn run(tally: &mut Tally, program: &Program) {
    for (asked, lang, dir) in LANGUAGES {
        let read = dom(program, asked).and_then(|dom| is_whole(&dom, lang, dir));
        tally.check(&format!("chromium in {asked}: the page is {lang}, {dir}, whole, and from nowhere else"), read);
    }
    let long = vec!["xx-YY;q=0.1"; 900].join(",");
    for (what, asked, lang) in [
        ("a language that is not wanted", "de;q=0, fr;q=0.3", "fr"),
        ("any language", "*", "en"),
        ("none at all", "*;q=0", "en"),
        ("nonsense", ",;=q!; de;q=7", "en"),
        ("10 KB of languages", &long, "en"),
    ] {
        let field = format!("Accept-Language: {asked}");
        let page = curl(&["-H", &field], "http", program.ports.http, SEIZED, "/");
        let said = page.and_then(|page| contains(&page, &format!("Content-Language: {lang}")));
        tally.check(&format!("curl: {what} is answered in {lang}"), said);
    }
}

/// The document after the browser has read it.
fn dom(program: &Program, asked: &str) -> Result<String, Trouble> {
    let mut chromium = browser_for(program)?;
    chromium.args([format!("--accept-lang={asked}"), format!("--lang={asked}"), "--dump-dom".to_owned()]);
    let place = format!("http://{SEIZED}:{}/in/{asked}", program.ports.http);
    run_for(chromium.arg(place), super::BROWSER)?.good()
}

fn is_whole(dom: &str, lang: &str, dir: &str) -> Done {
    let between = |from: &str, to: &str| dom.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or("");
    let (title, heading) = (between("<title>", "</title>"), between("<h1>", "</h1>"));
    let root = format!("<html lang=\"{lang}\" dir=\"{dir}\">");
    let is_titled = holds(!title.is_empty() && title == heading, || format!("`{title}` and `{heading}`"));
    let from_nowhere = ["http:", "https:", "src=", "href=", "<script", "<link", "url("].map(|part| lacks(dom, part));
    all([contains(dom, &root), is_titled, contains(dom, NOTICE)].into_iter().chain(from_nowhere))
}
