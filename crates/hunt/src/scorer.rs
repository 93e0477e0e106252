//! The score of a name: reasons with points, and their sum kept within 0 and 100.
//!
//! Points are additive so that a person can check them in the head. A brand counts once, in its plainest form; lure
//! words count each, up to a limit; registry and likeness come on top. A name that a brand owns is not suspect,
//! whatever it is made of.

use model::DomainName;
use model::suspect::{Resemblance, ResemblanceKind, Suspect};

use crate::brands::{ANYWHERE_LEN_MIN, Brands};
use crate::likeness::Likeness;
use crate::lists;
use crate::looks::Looks;
use crate::spelling::Spelling;
use crate::tlds::Tlds;
use crate::typos::{KEYWORD_LEN_MIN, Typos};
use crate::words::{Lexicon, Meaning, Piece, Word};

/// A keyword as a word of its own, or among words that are all known.
const BRAND_POINTS: i16 = 35;
/// A keyword within letters that mean nothing to us: often a stranger's name.
const BRAND_INSIDE_POINTS: i16 = 15;
/// Nobody hides a keyword by chance.
const HOMOGLYPH_POINTS: i16 = 50;
const BRAND_TYPO_POINTS: i16 = 25;
/// A lure word with a slip in it: honest owners look twice before they register.
const LURE_TYPO_POINTS: i16 = 20;
/// More lure words than this explain nothing new.
const LURES_MAX: usize = 4;
/// Lure words and nothing else, two or more.
const LURES_ONLY_POINTS: i16 = 14;
/// `com-…`: the name wants to be read as the end of another.
const FALSE_SUFFIX_POINTS: i16 = 20;
const FALSE_SUFFIX: &str = "com";

/// Scores names against brands, lure words, registries and the group's known names.
pub struct Scorer {
    brands: Brands,
    lexicon: Lexicon,
    brand_looks: Looks,
    brand_typos: Typos,
    lure_typos: Typos,
    tlds: Tlds,
    likeness: Likeness,
}

impl Scorer {
    /// A scorer that knows these names of the group.
    pub fn new(known: &[DomainName]) -> Self {
        let brands = Brands::load();
        let lexicon = Lexicon::new(words(&brands));
        let keywords: Vec<String> = brands.keywords.iter().map(|keyword| keyword.text.to_owned()).collect();
        let long = keywords.iter().map(String::as_str).enumerate().filter(|(_, text)| text.len() >= KEYWORD_LEN_MIN);
        let likeness = Likeness::new(known.iter().map(|name| (name.clone(), content(&lexicon, &Spelling::of(name)))));
        Self {
            brand_looks: Looks::new(long),
            brand_typos: Typos::new(keywords),
            lure_typos: Typos::new(lists::lures().map(|(word, _)| word.to_owned()).collect()),
            tlds: Tlds::load(),
            brands,
            lexicon,
            likeness,
        }
    }

    /// How much a name looks like one of the group's, and why.
    pub fn score(&self, name: &DomainName) -> Suspect {
        if let Some(brand) = self.brands.owner(name) {
            let owned = Resemblance { kind: ResemblanceKind::Owned, what: brand.into(), points: 0 };
            return Suspect { name: name.clone(), score: 0, reasons: vec![owned] };
        }
        let spelling = Spelling::of(name);
        let mut reasons = Reasons::default();
        self.judge_tokens(&spelling, &mut reasons);
        self.judge_likeness(name, &spelling, &mut reasons);
        self.judge_tld(name, &mut reasons);
        reasons.into_suspect(name)
    }

    fn judge_tokens(&self, spelling: &Spelling, reasons: &mut Reasons) {
        let split: Vec<Vec<Piece<'_>>> = spelling.tokens.iter().map(|token| self.lexicon.split(token)).collect();
        for pieces in &split {
            self.judge_brands(pieces, reasons);
        }
        if !reasons.has(ResemblanceKind::Brand) {
            self.judge_disguises(spelling, &split, reasons);
        }
        self.judge_lures(spelling, &split, reasons);
    }

    /// Keywords as they stand.
    fn judge_brands(&self, pieces: &[Piece<'_>], reasons: &mut Reasons) {
        let is_explained = pieces.iter().all(|piece| piece.word.is_some());
        for piece in pieces {
            let Some(Meaning::Brand(keyword)) = self.meaning(piece) else { continue };
            let brand = self.brands.name(self.brands.keywords[keyword].brand);
            if is_explained {
                reasons.add_once(ResemblanceKind::Brand, brand.into(), BRAND_POINTS);
            } else if piece.text.len() >= ANYWHERE_LEN_MIN {
                reasons.add_once(ResemblanceKind::Brand, format!("{brand}, inside"), BRAND_INSIDE_POINTS);
            }
        }
    }

    /// Keywords behind look-alikes or a slip, where none stands openly.
    fn judge_disguises(&self, spelling: &Spelling, split: &[Vec<Piece<'_>>], reasons: &mut Reasons) {
        for token in spelling.seeming.iter().filter(|token| self.seems_a_brand(token)) {
            reasons.add_once(ResemblanceKind::Homoglyph, format!("letters that read {token}"), HOMOGLYPH_POINTS);
        }
        for piece in unexplained(split) {
            let (look, slip) = (self.brand_looks.find(piece), self.brand_typos.find(piece));
            let (kind, keyword, points) = match (look, slip) {
                (Some(keyword), _) => (ResemblanceKind::Homoglyph, keyword, HOMOGLYPH_POINTS),
                (None, Some(keyword)) => (ResemblanceKind::Typo, keyword, BRAND_TYPO_POINTS),
                (None, None) => continue,
            };
            reasons.add_once(kind, format!("{piece} for {}", self.brands.keywords[keyword].text), points);
        }
    }

    /// Whether an internationalised token, as people see it, shows a keyword.
    fn seems_a_brand(&self, token: &str) -> bool {
        self.lexicon.split(token).iter().any(|piece| match self.meaning(piece) {
            Some(Meaning::Brand(_)) => piece.text.len() >= ANYWHERE_LEN_MIN,
            Some(_) => false,
            None => self.brand_looks.find(piece.text).is_some(),
        })
    }

    fn judge_lures(&self, spelling: &Spelling, split: &[Vec<Piece<'_>>], reasons: &mut Reasons) {
        let lures = self.lures(split);
        let slips = self.lure_slips(split);
        let count = lures.len() + slips.len();
        for (word, points) in lures.into_iter().take(LURES_MAX) {
            reasons.add_once(ResemblanceKind::Lure, word.into(), points);
        }
        for (slip, word) in slips {
            reasons.add_once(ResemblanceKind::Typo, format!("{slip} for {word}"), LURE_TYPO_POINTS);
        }
        if spelling.tokens.len() > 1 && spelling.tokens[0] == FALSE_SUFFIX {
            reasons.add_once(ResemblanceKind::Lure, "com-, the end of another name".into(), FALSE_SUFFIX_POINTS);
        }
        let mut pieces = split.iter().flatten();
        if count > 1 && pieces.all(|piece| piece.word.is_some() || piece.text == FALSE_SUFFIX) {
            reasons.add_once(ResemblanceKind::Lure, "such words only".into(), LURES_ONLY_POINTS);
        }
    }

    /// Lure words, each once, the strongest first.
    fn lures<'s>(&'s self, split: &'s [Vec<Piece<'s>>]) -> Vec<(&'s str, i16)> {
        let lure = |piece: &'s Piece<'s>| match self.meaning(piece) {
            Some(Meaning::Lure(points)) => Some((piece.text, points)),
            _ => None,
        };
        let mut lures: Vec<(&str, i16)> = Vec::new();
        for found in split.iter().flatten().filter_map(lure) {
            if !lures.contains(&found) {
                lures.push(found);
            }
        }
        lures.sort_by_key(|(_, points)| -points);
        lures
    }

    /// Lure words with one slip, among the letters that are no word.
    fn lure_slips<'s>(&'s self, split: &'s [Vec<Piece<'s>>]) -> Vec<(&'s str, &'s str)> {
        let slip = |piece: &'s str| Some((piece, self.lure_typos.keyword(self.lure_typos.find(piece)?)));
        unexplained(split).filter_map(slip).collect()
    }

    fn judge_likeness(&self, name: &DomainName, spelling: &Spelling, reasons: &mut Reasons) {
        let Some(like) = self.likeness.closest(&content(&self.lexicon, spelling)) else { return };
        let what = if like.name == *name {
            "known already".to_owned()
        } else {
            format!("{} ({})", like.name.defanged(), like.shared.join(", "))
        };
        reasons.add_once(ResemblanceKind::LikeKnown, what, like.points);
    }

    /// Beside another reason the registry says something; alone it says nothing.
    fn judge_tld(&self, name: &DomainName, reasons: &mut Reasons) {
        if reasons.0.is_empty() {
            return;
        }
        if let Some((tld, points)) = self.tlds.points(name) {
            reasons.add_once(ResemblanceKind::Tld, format!(".{tld}"), points);
        }
    }

    fn meaning(&self, piece: &Piece<'_>) -> Option<Meaning> {
        piece.word.map(|word| self.lexicon.word(word).meaning)
    }
}

/// Everything that the lexicon knows; a word that is both keyword and lure is a keyword.
fn words(brands: &Brands) -> Vec<Word> {
    let keywords = brands.keywords.iter().enumerate();
    let mut words: Vec<Word> = keywords.map(|(index, keyword)| word(keyword.text, Meaning::Brand(index))).collect();
    words.extend(lists::lures().map(|(text, points)| word(text, Meaning::Lure(points))));
    words.extend(lists::fillers().map(|text| word(text, Meaning::Filler)));
    words
}

fn word(text: &str, meaning: Meaning) -> Word {
    Word { text: text.into(), meaning }
}

/// The words of a name for the comparison with others: plural and singular are one.
fn content(lexicon: &Lexicon, spelling: &Spelling) -> Vec<String> {
    let pieces = spelling.tokens.iter().flat_map(|token| lexicon.split(token));
    let mut words: Vec<String> = pieces.map(|piece| singular(piece.text).to_owned()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 3 && !stem.ends_with('s')).unwrap_or(word)
}

/// Letters that are no word of ours, long enough to hide one.
fn unexplained<'t>(split: &'t [Vec<Piece<'t>>]) -> impl Iterator<Item = &'t str> {
    let pieces = split.iter().flatten().filter(|piece| piece.word.is_none());
    pieces.map(|piece| piece.text).filter(|text| text.len() + 1 >= KEYWORD_LEN_MIN)
}

//----------- Reasons ----------------------------------------------------------------------------------------------

/// Reasons in the order in which they were found, each once.
#[derive(Default)]
struct Reasons(Vec<Resemblance>);

impl Reasons {
    fn add_once(&mut self, kind: ResemblanceKind, what: String, points: i16) {
        if !self.0.iter().any(|reason| reason.kind == kind && reason.what == what) {
            self.0.push(Resemblance { kind, what, points });
        }
    }

    fn has(&self, kind: ResemblanceKind) -> bool {
        self.0.iter().any(|reason| reason.kind == kind)
    }

    fn into_suspect(self, name: &DomainName) -> Suspect {
        let sum: i16 = self.0.iter().map(|reason| reason.points).sum();
        let score = u8::try_from(sum.clamp(0, 100)).expect("0 to 100 fits an octet");
        Suspect { name: name.clone(), score, reasons: self.0 }
    }
}

#[cfg(test)]
mod tests;
