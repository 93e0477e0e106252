//! The page itself: two faces of one frame, with a gap for the name.
//!
//! A page is rendered once for an order and copied for every name, so the name stands in one place, in a line of its
//! own: no sentence has to bend around it in seven languages. Names, numbers and addresses are isolated (`bdi`), so that
//! they read right within right-to-left text; the style knows start and end, never left and right.

use std::sync::Arc;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::DomainName;
use store::zones::Zone;

use super::language::Language;
use super::words::Words;
use super::{Body, NOBODY};

/// All the style there is. Its hash stands in the policy, so no other style applies. Every pair of colours has a
/// contrast of at least 4.5 (WCAG 2.2, 1.4.3): a test computes it. What to do at once has a bar beside it, which says no
/// more than its heading. Print comes last, so that it wins over dark.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1b1b1b;--dim:#595959;--mark:#b00020}\
@media(prefers-color-scheme:dark){:root{--paper:#121212;--ink:#ececec;--dim:#b0b0b0;--mark:#ff8a80}}\
body{margin:0;padding-block:2rem;background:var(--paper);color:var(--ink);font:1rem/1.7 system-ui,sans-serif;\
overflow-wrap:anywhere}\
main,footer,.exercise{max-inline-size:40rem;margin-inline:auto;padding-inline:1rem}\
h1{font-size:1.75rem;line-height:1.35;margin-block:.25rem 1rem}\
h2{font-size:1.2rem;line-height:1.4;margin-block:2rem .5rem}\
p,dl{margin-block:0 1rem}dt{font-weight:700}dd{margin-block:0 .5rem;margin-inline:0}\
@media(min-width:36rem){dl{display:grid;grid-template-columns:max-content 1fr;gap:.5rem 1.5rem}dd{margin:0}}\
.now{border-inline-start:.25rem solid var(--ink);padding-inline-start:1rem;margin-block:1.5rem}\
.now h2{margin-block-start:0}.now p{margin-block-end:0}\
.name,footer{color:var(--dim)}.name{font-weight:700;margin-block:0}\
.exercise{box-sizing:border-box;border:3px solid var(--mark);color:var(--mark);padding-block:.5rem;font-weight:700}\
.others{border-block-start:1px solid var(--dim);margin-block-start:2.5rem;padding-block-start:1.5rem}\
@media print{:root{color-scheme:light;--paper:#ffffff;--ink:#000000;--dim:#333333;--mark:#000000}\
body{padding-block:0;font-size:11pt}main,footer,.exercise{max-inline-size:none}h2{break-after:avoid}}";

/// Stands where the name goes. Text is escaped, so nothing that a case says can look like it.
const GAP: &str = "<!--name-->";

//----------- Template ---------------------------------------------------------------------------------------------

/// A page without its name.
#[derive(Debug)]
pub(super) struct Template {
    before: Arc<str>,
    after: Arc<str>,
}

impl Template {
    fn new(page: Markup) -> Self {
        let page = page.into_string();
        let (before, after) = page.split_once(GAP).expect("every template is rendered with a gap");
        Self { before: before.into(), after: after.into() }
    }

    /// The page for that name, which has only letters, digits, hyphens, brackets and dots: nothing to escape.
    pub(super) fn fill(&self, name: &DomainName) -> Body {
        let (before, after) = (Arc::clone(&self.before), Arc::clone(&self.after));
        Body { before, name: name.defanged().to_string(), after }
    }
}

//----------- Faces ------------------------------------------------------------------------------------------------

/// The page that says all.
pub(super) fn open(zone: &Zone, language: Language) -> Template {
    let words = language.words();
    let holder = zone.notice().holder.as_deref();
    let main = html! {
        p { (words.deceived) }
        (password(words))
        (who_holds_it(zone, words))
        h2 { (words.question_heading) }
        p { (words.question) br; bdi { (zone.contact()) } }
        h2 { (words.recorded_heading) }
        p { (words.recorded) " " (words.purpose) }
    };
    let face = Face { language, heading: |words| words.taken, mark: Some(holder.unwrap_or(NOBODY)) };
    Template::new(face.whole(zone.coverage().is_exercise(), &main))
}

/// The page that says nothing of the case.
pub(super) fn sealed(zone: &Zone, language: Language) -> Template {
    let words = language.words();
    let main = html! {
        p { (words.nothing_here) }
        (password(words))
        h2 { (words.question_heading) }
        @match &zone.notice().sealed_contact {
            Some(contact) => p { (words.question) br; bdi { (contact) } },
            None => p { (words.registrar) },
        }
        h2 { (words.recorded_heading) }
        p { (words.recorded) }
    };
    let face = Face { language, heading: |words| words.unavailable, mark: None };
    Template::new(face.whole(zone.coverage().is_exercise(), &main))
}

/// The page for a host that is none of ours.
pub(super) fn stranger() -> String {
    let body = html! { main { h1 { "Not found" } p { "There is nothing here." } } };
    document(Language::En, "Not found", None, &body).into_string()
}

//----------- Parts ------------------------------------------------------------------------------------------------

fn password(words: &Words) -> Markup {
    html! { section.now { h2 { (words.password_heading) } p { (words.password) } } }
}

fn who_holds_it(zone: &Zone, words: &Words) -> Markup {
    html! {
        h2 { (words.holder_heading) }
        dl {
            @if let Some(holder) = &zone.notice().holder { dt { (words.held_by) } dd { bdi { (holder) } } }
            dt { (words.authority) }
            dd { bdi { (zone.issuer()) } }
            @if let Some(number) = zone.docket_number() { dt { (words.docket_number) } dd { bdi { (number) } } }
            dt { (words.case) }
            dd { bdi { (zone.case_title()) } }
        }
    }
}

/// What differs around the two faces.
struct Face<'a> {
    language: Language,
    /// The sentence that is the heading, also in the lines for readers of other languages.
    heading: fn(&Words) -> &'static str,
    /// By whom the name is sinkholed, if that is told.
    mark: Option<&'a str>,
}

impl Face<'_> {
    fn whole(&self, is_exercise: bool, main: &Markup) -> Markup {
        let words = self.language.words();
        let heading = (self.heading)(words);
        let body = html! {
            @if is_exercise { p.exercise { bdi lang="en" { "EXERCISE" } " · " (words.exercise) } }
            main {
                p.name { bdi dir="ltr" { (PreEscaped(GAP)) } }
                h1 { (heading) }
                (main)
                (self.others())
            }
            @if let Some(by) = self.mark { footer lang="en" dir="ltr" { "Sinkholed by " bdi { (by) } } }
        };
        document(self.language, heading, self.mark, &body)
    }

    /// One line for readers of each other language: what this is, and what to do at once.
    fn others(&self) -> Markup {
        let others = Language::ALL.into_iter().filter(|other| *other != self.language);
        html! {
            div.others {
                @for other in others {
                    @let words = other.words();
                    p lang=(other.tag()) dir=(other.direction()) {
                        strong { ((self.heading)(words)) "." } " " (words.in_short)
                    }
                }
            }
        }
    }
}

/// The mark stands early: who looks for sinkholes reads the first two thousand octets.
fn document(language: Language, title: &str, mark: Option<&str>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) dir=(language.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                @if let Some(by) = mark { meta name="description" content={ "Sinkholed by " (by) }; }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}
