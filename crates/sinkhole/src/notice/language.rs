//! The languages that the notice speaks, and which of them a visitor asks for.
//!
//! `Accept-Language` (RFC 9110, 12.5.4) is a list of ranges with weights. Of ours the one with the highest weight is
//! taken, of equals the one that is named first. A range is shortened to its language as RFC 4647, 3.4 looks it up:
//! basic filtering (3.3.1) would give `de-AT` no German, and we have one page for a language, not one for a region.
//! Whatever is malformed, or asks for nothing that we speak, gets English; what follows the limits is not read.

/// Ranges that are read, empty ones too. Browsers send ten at most.
pub(super) const RANGES_MAX: usize = 32;

/// A language of the notice, in the order in which a page lists the others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Language {
    #[default]
    En,
    Ar,
    De,
    Es,
    Fa,
    Fr,
    He,
}

impl Language {
    pub const ALL: [Self; 7] = [Self::En, Self::Ar, Self::De, Self::Es, Self::Fa, Self::Fr, Self::He];

    /// BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ar => "ar",
            Self::De => "de",
            Self::Es => "es",
            Self::Fa => "fa",
            Self::Fr => "fr",
            Self::He => "he",
        }
    }

    /// As HTML's `dir` says it.
    pub fn direction(self) -> &'static str {
        match self {
            Self::Ar | Self::Fa | Self::He => "rtl",
            Self::En | Self::De | Self::Es | Self::Fr => "ltr",
        }
    }

    /// The language that a field value asks for.
    pub fn choose(accept_language: &[u8]) -> Self {
        preferred(accept_language).unwrap_or_default()
    }

    /// The language of a range's first subtag. `iw` is what old Java and Android call Hebrew, `prs` is Dari, which
    /// readers of Persian share.
    fn of_subtag(subtag: &[u8]) -> Option<Self> {
        let other = [("iw", Self::He), ("prs", Self::Fa), ("pes", Self::Fa), ("arb", Self::Ar)];
        let known = Self::ALL.into_iter().map(|language| (language.tag(), language)).chain(other);
        known.into_iter().find(|(tag, _)| subtag.eq_ignore_ascii_case(tag.as_bytes())).map(|(_, language)| language)
    }
}

//----------- Choice -----------------------------------------------------------------------------------------------

/// `None` if the value is malformed or nothing in it is ours.
fn preferred(value: &[u8]) -> Option<Language> {
    let mut wishes: [Option<Wish>; Language::ALL.len()] = Default::default();
    let mut any = None;
    for (place, element) in value.split(|octet| *octet == b',').take(RANGES_MAX).enumerate() {
        let element = trim(element);
        // RFC 9110, 5.6.1.2: a recipient ignores empty elements.
        if element.is_empty() {
            continue;
        }
        let (subtag, weight) = range(element)?;
        let wish = Wish { weight, place };
        match Language::of_subtag(subtag) {
            Some(language) => wishes[language as usize] = wish.or_better(wishes[language as usize]),
            None if subtag == b"*" => any = wish.or_better(any),
            None => {}
        }
    }
    // `*` stands for what no other range names.
    let all = Language::ALL.into_iter().filter_map(|language| Some((language, wishes[language as usize].or(any)?)));
    let wanted = all.filter(|(_, wish)| wish.weight > 0);
    wanted.reduce(|best, next| if next.1.beats(best.1) { next } else { best }).map(|(language, _)| language)
}

/// How much something is wanted, and at which place of the list that was said.
#[derive(Clone, Copy)]
struct Wish {
    /// Thousandths.
    weight: u16,
    place: usize,
}

impl Wish {
    fn beats(self, other: Self) -> bool {
        self.weight > other.weight || self.weight == other.weight && self.place < other.place
    }

    fn or_better(self, other: Option<Self>) -> Option<Self> {
        Some(other.filter(|other| !self.beats(*other)).unwrap_or(self))
    }
}

//----------- Grammar ----------------------------------------------------------------------------------------------

/// `language-range [ weight ]`: the range's first subtag and its weight.
fn range(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.splitn(2, |octet| *octet == b';');
    let range = trim(parts.next()?);
    let weight = parts.next().map_or(Some(1000), |rest| weight(trim(rest)))?;
    let mut subtags = range.split(|octet| *octet == b'-');
    let first = subtags.next()?;
    let is_first = first == b"*" || is_subtag(first) && first.iter().all(u8::is_ascii_alphabetic);
    (is_first && subtags.all(is_subtag)).then_some((first, weight))
}

/// RFC 4647, 2.1: one to eight letters or digits; `*` may stand in an extended range.
fn is_subtag(subtag: &[u8]) -> bool {
    subtag == b"*" || (1..=8).contains(&subtag.len()) && subtag.iter().all(u8::is_ascii_alphanumeric)
}

/// `q=0.8` in thousandths (RFC 9110, 12.4.2): 0 to 1 with at most three digits behind the point.
fn weight(text: &[u8]) -> Option<u16> {
    let number = text.strip_prefix(b"q=").or_else(|| text.strip_prefix(b"Q="))?;
    let (whole, rest) = number.split_first()?;
    let digits = if rest.is_empty() { rest } else { rest.strip_prefix(b".")? };
    if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().chain(b"000").take(3);
    let thousandths = padded.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match (whole, thousandths) {
        (b'0', thousandths) => Some(thousandths),
        (b'1', 0) => Some(1000),
        _ => None,
    }
}

/// Without optional white space, which is blanks and tabs (RFC 9110, 5.6.3).
fn trim(text: &[u8]) -> &[u8] {
    let is_white = |octet: &u8| matches!(octet, b' ' | b'\t');
    let start = text.iter().position(|octet| !is_white(octet)).unwrap_or(text.len());
    let end = text.iter().rposition(|octet| !is_white(octet)).map_or(start, |last| last + 1);
    &text[start..end]
}
