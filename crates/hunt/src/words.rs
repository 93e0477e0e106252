//! Words run together, taken apart: `useridentityconfirm` is `user`, `identity`, `confirm`.
//!
//! A split is the one that explains most letters with the fewest words. A short word inside a token counts only if
//! the whole token is explained: `pin` in `shopping` is no word.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};

/// A word shorter than this counts only where its whole token is explained.
const INNER_WORD_LEN_MIN: usize = 5;

/// The words that names are made of.
pub(crate) struct Lexicon {
    automaton: AhoCorasick,
    words: Vec<Word>,
    by_text: HashMap<String, usize>,
}

/// What a word is to us.
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) meaning: Meaning,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    /// With the points that it adds.
    Lure(i16),
    Filler,
    /// The index of the brand.
    Brand(usize),
}

/// A part of a token: a word of ours, or letters that are none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Piece<'t> {
    pub(crate) text: &'t str,
    pub(crate) word: Option<usize>,
}

impl Lexicon {
    pub(crate) fn new(words: Vec<Word>) -> Self {
        let texts = words.iter().map(|word| word.text.as_str());
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(texts);
        let by_text = words.iter().enumerate().map(|(index, word)| (word.text.clone(), index)).collect();
        Self { automaton: automaton.expect("a few hundred words fit an automaton"), words, by_text }
    }

    pub(crate) fn word(&self, index: usize) -> &Word {
        &self.words[index]
    }

    /// Takes a token apart.
    pub(crate) fn split<'t>(&self, token: &'t str) -> Vec<Piece<'t>> {
        if let Some(word) = self.by_text.get(token) {
            return vec![Piece { text: token, word: Some(*word) }];
        }
        let pieces = pieces(token, &self.best_ends(token));
        if pieces.iter().all(|piece| piece.word.is_some()) {
            return pieces;
        }
        merge_short(token, pieces)
    }

    /// For every position, the best way to arrive there: the last word, if it ends there.
    fn best_ends(&self, token: &str) -> Vec<Option<(usize, usize)>> {
        let mut arriving: Vec<Vec<(usize, usize)>> = vec![Vec::new(); token.len() + 1];
        for found in self.automaton.find_overlapping_iter(token) {
            arriving[found.end()].push((found.start(), found.pattern().as_usize()));
        }
        // Twice the letters explained, less one for each word.
        let mut gain = vec![0usize; token.len() + 1];
        let mut last = vec![None; token.len() + 1];
        for end in 1..=token.len() {
            gain[end] = gain[end - 1];
            for (start, word) in &arriving[end] {
                let with = gain[*start] + 2 * (end - start) - 1;
                if with > gain[end] {
                    (gain[end], last[end]) = (with, Some((*start, *word)));
                }
            }
        }
        last
    }
}

/// Walks back over the best ends.
fn pieces<'t>(token: &'t str, last: &[Option<(usize, usize)>]) -> Vec<Piece<'t>> {
    let (mut pieces, mut end, mut unknown_end) = (Vec::new(), token.len(), token.len());
    while end > 0 {
        let Some((start, word)) = last[end] else {
            end -= 1;
            continue;
        };
        if end < unknown_end {
            pieces.push(Piece { text: &token[end..unknown_end], word: None });
        }
        pieces.push(Piece { text: &token[start..end], word: Some(word) });
        (end, unknown_end) = (start, start);
    }
    if unknown_end > 0 {
        pieces.push(Piece { text: &token[..unknown_end], word: None });
    }
    pieces.reverse();
    pieces
}

/// Takes back short words that stand beside letters without meaning.
fn merge_short<'t>(token: &'t str, pieces: Vec<Piece<'t>>) -> Vec<Piece<'t>> {
    let (mut merged, mut start, mut unknown_start) = (Vec::new(), 0, 0);
    for piece in pieces {
        let end = start + piece.text.len();
        if piece.word.is_some() && piece.text.len() >= INNER_WORD_LEN_MIN {
            if unknown_start < start {
                merged.push(Piece { text: &token[unknown_start..start], word: None });
            }
            merged.push(piece);
            unknown_start = end;
        }
        start = end;
    }
    if unknown_start < token.len() {
        merged.push(Piece { text: &token[unknown_start..], word: None });
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(token: &str) -> String {
        let lures = ["user", "identity", "confirm", "pin", "notification", "app", "session", "sessions"];
        let words = lures.map(|text| Word { text: text.into(), meaning: Meaning::Lure(1) });
        let lexicon = Lexicon::new(words.into());
        let show = |piece: Piece<'_>| piece.text.to_owned() + if piece.word.is_some() { "+" } else { "?" };
        lexicon.split(token).into_iter().map(show).collect()
    }

    #[test]
    fn words_run_together_come_apart() {
        for (token, parts) in [
            ("useridentity", "user+identity+"),
            ("notificationapp", "notification+app+"),
            ("sessions", "sessions+"),
            ("sessionapp", "session+app+"),
            ("shopping", "shopping?"),
            ("xidentityz", "x?identity+z?"),
            ("userx", "userx?"),
            ("userxconfirm", "userx?confirm+"),
            ("", ""),
        ] {
            assert_eq!(split(token), parts, "{token}");
        }
    }
}
