//! The action sheet: what one registrar or registry is asked to do, on paper.
//!
//! One page without a script, a picture or a link to anywhere, so that it opens in a closed network and prints as it is. All
//! text is escaped by its type. The names beyond [`NAMES_MAX`] stand in the list beside it, whose SHA-256 the sheet names:
//! sheet and list are one source.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::case::CaseTerms;
use model::order::{NameOutcome, OrderTerms};
use model::time::Date;
use model::{Digest, DomainName};

use super::actors::Actor;
use super::checklist::Checklist;
use super::plan::{Plan, Step};
use super::{News, Outcomes};

/// The most names that are printed.
pub(super) const NAMES_MAX: usize = 2_000;
/// The most different plans that are printed.
pub(super) const PLANS_MAX: usize = 50;

const STYLE: &str = "body{font:11pt/1.45 Georgia,serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #999}\
table{border-collapse:collapse;width:100%;font-size:.93em}th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
thead{display:table-header-group}tr{break-inside:avoid}code{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}\
.banner{border:3px double #900;padding:.5rem 1rem;font-weight:bold}.open{font-weight:bold;color:#900}.sign td{height:2.6rem}\
@page{size:A4;margin:18mm}@media print{body{margin:0;max-width:none;font-size:10pt}h2{break-after:avoid}}";

/// All that stands on a sheet.
pub(super) struct Sheet<'a> {
    pub(super) case: &'a CaseTerms,
    pub(super) order: &'a OrderTerms,
    pub(super) sealed: Option<Date>,
    pub(super) actor: &'a Actor,
    /// `None`: the whole.
    pub(super) news: Option<News>,
    pub(super) outcomes: &'a Outcomes,
    pub(super) checklist: &'a Checklist,
    /// Each plan that is printed, with how many names it has.
    pub(super) plans: &'a [(u32, Plan, u64)],
    pub(super) plans_all: u32,
    /// The first names, with the number of the plan.
    pub(super) names: &'a [(DomainName, NameOutcome, u32)],
    pub(super) names_all: u64,
    /// Of `names.csv`.
    pub(super) list: Digest,
    /// How many EPP commands stand beside it.
    pub(super) frames: u64,
}

impl Sheet<'_> {
    pub(super) fn to_html(&self) -> String {
        let title = self.title();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.banners())
                    h1 { (title) }
                    (self.who())
                    (self.asked())
                    (self.plans_shown())
                    (self.names_shown())
                    (self.open_items())
                    (self.answer())
                }
            }
        };
        page.into_string()
    }

    fn title(&self) -> String {
        let (order, actor) = (&self.order.id, self.actor.called());
        match self.news {
            None => format!("Action sheet: {order} for {actor}"),
            Some(News::Came { since }) => {
                format!("Action sheet: what came into {order} since version {since}, for {actor}")
            }
            Some(News::Left { since }) => format!("Action sheet: what left {order} since version {since}, for {actor}"),
        }
    }

    fn is_back(&self) -> bool {
        matches!(self.news, Some(News::Left { .. }))
    }

    /// What the sheet is about beside the whole.
    fn difference(&self) -> Markup {
        html! {
            @match self.news {
                None => {},
                Some(News::Came { since }) => p {
                    "You were sent version " (since) " of the order. This sheet has the names that came in since, or for which something else is asked now; what left stands on a sheet of its own. For all others nothing changes."
                },
                Some(News::Left { since }) => p class="banner" {
                    "These names LEFT the order since its version " (since) ", which you were sent. Nothing is asked for them any more: what was done for them is undone."
                },
            }
        }
    }

    fn banners(&self) -> Markup {
        html! {
            @if self.order.authority.is_exercise() {
                p class="banner" { "EXERCISE. This sheet binds nobody and asks nobody for anything. Do not send it." }
            }
            @if let Some(until) = self.sealed {
                p class="banner" {
                    "UNDER SEAL until " (until) ". Whoever gets this sheet tells nobody that it exists, and the registrant last."
                }
            }
        }
    }

    fn who(&self) -> Markup {
        let Actor { registry, registrar, iana_id, contact, channel, .. } = self.actor;
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
        html! {
            h2 { "To" }
            table { tbody {
                tr { th { "Registrar" } td { (said(registrar)) @if let Some(id) = iana_id { " (IANA " (id) ")" } } }
                tr { th { "Registry" } td { (said(registry)) } }
                tr { th { "Reached at" } td { (said(contact)) @if let Some(channel) = channel { ", by " (channel) } } }
            } }
        }
    }

    fn asked(&self) -> Markup {
        let servers = self.order.name_servers.iter();
        html! {
            h2 { @if self.is_back() { "Undone" } @else { "Asked for" } }
            (self.difference())
            p {
                "Case " (self.case.title) ", order " code { (self.order.id) } ". An actor whom the issuer of the paper cannot bind is asked, not ordered."
            }
            table {
                thead { tr { th { "Outcome" } th { "Names" } } }
                tbody { @for (outcome, count) in &self.outcomes.0 { tr { td { (outcome.as_str()) } td { (count) } } } }
            }
            @if self.outcomes.0.contains_key(&NameOutcome::Redirect) && !self.is_back() {
                p { "Redirected names are delegated to exactly: " @for (at, server) in servers.enumerate() { @if at > 0 { ", " } code { (server.as_str()) } } "." }
            }
            @if self.frames > 0 {
                p {
                    (self.frames) " EPP commands for the sponsoring registrar's login stand beside this sheet, in the order in which they are sent"
                    @if !self.is_back() { "; those that undo them, too" }
                    "."
                }
            }
        }
    }

    fn plans_shown(&self) -> Markup {
        html! {
            h2 { "What is done" }
            @for (number, plan, count) in self.plans {
                h3 { "Plan " (number) ": " (plan.outcome.as_str()) ", " (crate::shown::counted(*count as usize)) }
                (steps(&plan.steps))
                @if !plan.reverse.is_empty() {
                    p { b { "To undo it" } }
                    (steps(&plan.reverse))
                }
            }
            @if self.plans_all as usize > self.plans.len() {
                p { (self.plans_all) " plans in all; the others stand in " code { "plans.json" } "." }
            }
        }
    }

    fn names_shown(&self) -> Markup {
        html! {
            h2 { "The names" }
            @if self.names_all > self.names.len() as u64 {
                p { "The first " (self.names.len()) " of " (self.names_all) "; all stand in the list." }
            }
            p { "The list is " code { "names.csv" } ", SHA-256 " code { (self.list) } "." }
            table {
                thead { tr { th { "Name" } th { "Outcome" } th { "Plan" } } }
                tbody {
                    @for (name, outcome, plan) in self.names {
                        tr { td { code { (name.as_str()) } } td { (outcome.as_str()) } td { (plan) } }
                    }
                }
            }
        }
    }

    fn open_items(&self) -> Markup {
        html! {
            h2 { "What the paper says" }
            p { "Item by item of ICANN's Guidance for Preparing Domain Name Orders, Seizures & Takedowns (2012)." }
            table { tbody {
                @for item in &self.checklist.0 {
                    tr {
                        th { (item.asks) }
                        @match &item.says {
                            Some(says) => td { (says) },
                            None => td class="open" { "not stated" },
                        }
                    }
                }
            } }
        }
    }

    fn answer(&self) -> Markup {
        html! {
            h2 { "Answer" }
            p { "To " (self.case.contact) ", with the order's number." }
            table class="sign" { tbody {
                @for line in ["Received, by whom and when (UTC)", "Done for all names, when (UTC)", "Not done for these names, and why"] {
                    tr { th { (line) } td {} }
                }
            } }
        }
    }
}

fn steps(all: &[Step]) -> Markup {
    html! {
        ol {
            @for step in all {
                li { b { (step.who) } " " (step.does) @if let Some(only_if) = &step.only_if { " (only if " (only_if) ")" } "." }
            }
        }
    }
}
