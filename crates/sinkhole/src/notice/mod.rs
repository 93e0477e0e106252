//! What people see who come to a seized name: what has become of it, what to do now, whom to ask.
//!
//! The page is the same for every path, in the visitor's language. It fetches nothing, runs nothing, links nowhere and
//! asks for nothing; its policy forbids the browser what the page does not do anyway. It has two faces. **Overt**: who
//! holds the name and by which authority, and a mark (`X-Sinkhole`, "Sinkholed by") by which others know a sinkhole and
//! leave it alone. **Sealed**: nothing of case, court, holder or mark, only what keeps a visitor safe.
//!
//! The translations are our own ([`words`]). To add a language: a variant of [`Language`], which the compiler follows
//! to the sentences it lacks, then read the snapshots, best together with somebody who grew up with the language.
//!
//! What is deliberately absent: which requests get a page at all (that is [`crate::trap`]'s), and how a header field is
//! written on the wire.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use model::time::Date;
use sha2::{Digest, Sha256};
use store::zones::Zone;

mod language;
mod page;
mod words;

#[cfg(test)]
mod tests;

pub use language::Language;
use page::Template;

/// Orders whose pages are kept ready. 64 orders × 2 faces × 7 languages × 8 KiB are 7 MiB at the most; an installation
/// serves some dozens of orders.
const KEPT_MAX: usize = 64;
/// Who is named in `X-Sinkhole` where the case names no holder.
const NOBODY: &str = "bailiwick";
/// Octets of the value of `X-Sinkhole`.
const MARK_OCTETS_MAX: usize = 128;

/// A header field. HTTP/2 sends its name in lower case (RFC 9113, 8.2.1).
pub type Field<'a> = (&'static str, Cow<'a, str>);

//----------- Page -------------------------------------------------------------------------------------------------

/// One page, ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    pub status: u16,
    pub language: Language,
    pub body: Body,
    /// What `X-Sinkhole` says. `None`: the page does not tell that it is one.
    pub mark: Option<Arc<str>>,
}

impl Page {
    /// The fields that go with the body, for every version of HTTP.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let always = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Language", self.language.tag()),
            ("Vary", "Accept-Language"),
            ("Content-Security-Policy", policy()),
        ];
        let mark = self.mark.iter().map(|mark| ("X-Sinkhole", &**mark));
        always.into_iter().chain(mark).map(|(name, value)| (name, value.into()))
    }
}

/// A page's text. What the pages of all names have in common is copied once: to where it is sent from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Body {
    before: Arc<str>,
    name: String,
    after: Arc<str>,
}

impl Body {
    pub fn octets(&self) -> usize {
        self.before.len() + self.name.len() + self.after.len()
    }

    pub fn append_to(&self, text: &mut String) {
        text.extend([&*self.before, &self.name, &self.after]);
    }

    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.octets());
        self.append_to(&mut text);
        text
    }
}

/// The page for a host that is none of ours.
pub fn stranger() -> Page {
    static BODY: OnceLock<Body> = OnceLock::new();
    let whole = || Body { before: page::stranger().into(), name: String::new(), after: "".into() };
    let body = BODY.get_or_init(whole).clone();
    Page { status: 404, language: Language::En, body, mark: None }
}

/// The Content-Security-Policy of every page.
fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = base64(&Sha256::digest(page::STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    })
}

//----------- Notices ----------------------------------------------------------------------------------------------

/// The pages of all zones. They are rendered once for each order, face and language; a request costs a copy:
/// 0.45 µs where rendering takes 4.7 (release, shared cores, 4 KiB of page), the choice of the language included.
#[derive(Debug, Default)]
pub struct Notices {
    kept: ArcSwap<Vec<Arc<Kept>>>,
}

impl Notices {
    /// The page for one seized name, as of that day, in the language that the visitor's `Accept-Language` asks for.
    pub fn answer(&self, zone: &Zone, accept_language: &[u8], today: Date) -> Page {
        let language = Language::choose(accept_language);
        let kept = self.kept(zone);
        let is_sealed = zone.is_sealed(today);
        let body = kept.template(language, is_sealed).fill(zone.apex());
        let mark = (!is_sealed).then(|| Arc::clone(&kept.mark));
        Page { status: zone.notice().status.code(), language, body, mark }
    }

    fn kept(&self, zone: &Zone) -> Arc<Kept> {
        let found = self.kept.load().iter().find(|kept| kept.is_for(zone)).map(Arc::clone);
        found.unwrap_or_else(|| self.keep(zone))
    }

    /// Whoever comes at the same time may keep the same order twice: it costs room, not truth.
    fn keep(&self, zone: &Zone) -> Arc<Kept> {
        let new = Arc::new(Kept::new(zone));
        self.kept.rcu(|before| {
            // A full list begins anew: it takes more orders than anybody has, or a day of changes to the terms.
            let old = if before.len() < KEPT_MAX { before.as_slice() } else { &[] };
            old.iter().chain([&new]).map(Arc::clone).collect::<Vec<_>>()
        });
        new
    }
}

//----------- Kept -------------------------------------------------------------------------------------------------

/// The pages of one order.
#[derive(Debug)]
struct Kept {
    /// One of the order's zones: what it says but for its name, the others say too.
    zone: Zone,
    mark: Arc<str>,
    open: [OnceLock<Template>; Language::ALL.len()],
    sealed: [OnceLock<Template>; Language::ALL.len()],
}

impl Kept {
    fn new(zone: &Zone) -> Self {
        let mark = mark(zone.notice().holder.as_deref()).into();
        Self { zone: zone.clone(), mark, open: Default::default(), sealed: Default::default() }
    }

    /// By content, not by pointer alone: a name that was changed by itself has terms of its own that say the same.
    fn is_for(&self, zone: &Zone) -> bool {
        self.zone.says_the_same(zone) && self.zone.coverage().is_exercise() == zone.coverage().is_exercise()
    }

    fn template(&self, language: Language, is_sealed: bool) -> &Template {
        let of_face = if is_sealed { &self.sealed } else { &self.open };
        of_face[language as usize].get_or_init(|| match is_sealed {
            true => page::sealed(&self.zone, language),
            false => page::open(&self.zone, language),
        })
    }
}

/// A holder's name as a field value (RFC 9110, 5.5: visible ASCII and spaces; anything else is for the page).
fn mark(holder: Option<&str>) -> String {
    let visible = |sign: char| if sign == ' ' || sign.is_ascii_graphic() { sign } else { '?' };
    let mark: String = holder.unwrap_or(NOBODY).trim().chars().take(MARK_OCTETS_MAX).map(visible).collect();
    if mark.chars().any(|sign| sign.is_ascii_alphanumeric()) { mark } else { NOBODY.to_owned() }
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
