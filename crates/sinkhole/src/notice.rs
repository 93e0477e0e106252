//! What people see who come to a seized name: whose it was, why they are here, whom to ask.
//!
//! The page is the same for every path. It fetches nothing, runs nothing and asks for nothing; its policy forbids the
//! browser what the page does not do anyway. While the order is sealed it names neither case nor court.

use std::sync::OnceLock;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::time::Date;
use sha2::{Digest, Sha256};
use store::zones::Zone;

/// All the style there is. Its hash stands in the policy, so no other style applies.
const STYLE: &str = "body{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;\
color:#1b1b1b;background:#fff}h1{font-size:1.5rem;line-height:1.3}.exercise{border:3px solid #b00020;\
padding:.5rem 1rem;font-weight:700}dt{font-weight:700}dd{margin:0 0 .5rem}";

/// The page for one seized name, as of that day.
pub fn page(zone: &Zone, today: Date) -> String {
    let name = zone.apex().defanged().to_string();
    let exercise = zone.coverage().is_exercise();
    let body = html! {
        h1 { "This site, " (name) ", has been taken out of use" }
        p { "The name was used to deceive people. It no longer leads to whoever set it up." }
        @if zone.is_sealed(today) { (neutral_contact(zone.contact())) } @else { (case(zone)) }
        (what_to_do())
    };
    whole("This site has been taken out of use", exercise, &body)
}

/// The page for a host that is none of ours.
pub fn stranger() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| whole("Not found", false, &html! { h1 { "Not found" } p { "There is nothing here." } }))
}

/// The Content-Security-Policy of every page.
pub fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = base64(&Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    })
}

//----------- Parts ------------------------------------------------------------------------------------------------

fn whole(title: &str, exercise: bool, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if exercise {
                    p.exercise { "EXERCISE. This is a rehearsal on one machine. No court has seized anything." }
                }
                main { (body) }
            }
        }
    };
    page.into_string()
}

fn case(zone: &Zone) -> Markup {
    html! {
        dl {
            dt { "Case" }
            dd { (zone.case_title()) }
            dt { "Authority" }
            dd { (zone.issuer()) @if let Some(number) = zone.docket_number() { ", No. " (number) } }
            dt { "Contact, also for owners who hold this to be a mistake" }
            dd { (zone.contact()) }
        }
    }
}

fn neutral_contact(contact: &str) -> Markup {
    html! { p { "Questions, also from owners who hold this to be a mistake: " (contact) } }
}

fn what_to_do() -> Markup {
    html! {
        h2 { "Why you are here" }
        p { "You, or a program on your device, asked for this name. That visit was recorded: when, from which address, \
             and what your program said of itself. What you typed was not kept." }
        h2 { "If you entered a password here or on this site before" }
        p { "Change it at the real service, by typing that service's address yourself, and turn on two-step sign-in. \
             If this is a work account, tell the people who run it." }
    }
}

/// RFC 4648, for one hash.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let sign = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { sign.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_our_style_and_nothing_else() {
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
        assert!(policy().starts_with("default-src 'none'; style-src 'sha256-"));
    }

    #[test]
    fn no_page_fetches_or_runs_anything() {
        let page = stranger();
        for forbidden in ["<script", "src=", "href=", "url(", "http:", "https:", "on", "<form"] {
            let in_tag =
                page.split('<').any(|tag| tag.split('>').next().unwrap_or("").contains(&format!(" {forbidden}")));
            assert!(!in_tag && !page.contains("<script"), "{forbidden}");
        }
    }
}
