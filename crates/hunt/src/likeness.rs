//! Likeness to the group's known names: built of the same words, or of the same runs of letters.
//!
//! A group keeps its habits: `session-manager`, `sessions-notification`, `session-verify-user`. Two names that share
//! most of their words are alike; where no words can be told apart, runs of three letters are compared.

use std::collections::HashMap;

use model::DomainName;

/// Share of all words of both that they have in common, in per cent (Jaccard), from which a name is like another.
const WORDS_SHARE_MIN: usize = 34;
/// Share of runs of three letters in common, in per cent (Dice).
const RUNS_SHARE_MIN: usize = 60;
/// One common word is chance.
const WORDS_MIN: usize = 2;
/// What the closest likeness adds: exactly the same words in another order or registry.
const POINTS_MAX: usize = 30;

/// The known names, by their words and by their runs of letters.
pub(crate) struct Likeness {
    names: Vec<Known>,
    by_word: HashMap<String, Vec<u32>>,
    by_run: HashMap<[u8; 3], Vec<u32>>,
}

struct Known {
    name: DomainName,
    words: usize,
    runs: usize,
}

/// The known name that is most alike.
#[derive(Debug)]
pub(crate) struct Like {
    pub(crate) name: DomainName,
    pub(crate) shared: Vec<String>,
    pub(crate) points: i16,
}

impl Likeness {
    /// Known names with their words.
    pub(crate) fn new(known: impl Iterator<Item = (DomainName, Vec<String>)>) -> Self {
        let mut likeness = Self { names: Vec::new(), by_word: HashMap::new(), by_run: HashMap::new() };
        for (name, words) in known {
            likeness.learn(name, words);
        }
        likeness
    }

    fn learn(&mut self, name: DomainName, words: Vec<String>) {
        let index = u32::try_from(self.names.len()).expect("fewer than 2^32 names are known");
        let runs = runs(&words);
        self.names.push(Known { name, words: words.len(), runs: runs.len() });
        for word in words {
            self.by_word.entry(word).or_default().push(index);
        }
        for run in runs {
            self.by_run.entry(run).or_default().push(index);
        }
    }

    /// The most alike of the known names, by words first.
    pub(crate) fn closest(&self, words: &[String]) -> Option<Like> {
        self.by_words(words).or_else(|| self.by_runs(words))
    }

    fn by_words(&self, words: &[String]) -> Option<Like> {
        if words.len() < WORDS_MIN {
            return None;
        }
        let common = count(words.iter().filter_map(|word| self.by_word.get(word)));
        let shares = common.into_iter().filter(|(_, common)| *common >= WORDS_MIN).map(|(index, common)| {
            let all = words.len() + self.names[index].words - common;
            (100 * common / all, index)
        });
        let (share, index) = best(shares, WORDS_SHARE_MIN)?;
        let is_shared = |word: &&String| self.by_word.get(*word).is_some_and(|known| known.contains(&(index as u32)));
        let shared = words.iter().filter(is_shared).cloned().collect();
        Some(self.like(index, shared, POINTS_MAX * share / 100))
    }

    fn by_runs(&self, words: &[String]) -> Option<Like> {
        let runs = runs(words);
        let common = count(runs.iter().filter_map(|run| self.by_run.get(run)));
        let shares = common.into_iter().map(|(index, common)| {
            let all = runs.len() + self.names[index].runs;
            (200 * common / all.max(1), index)
        });
        let (share, index) = best(shares, RUNS_SHARE_MIN)?;
        Some(self.like(index, vec![format!("{share} % of its letters")], POINTS_MAX * share / 200))
    }

    fn like(&self, index: usize, shared: Vec<String>, points: usize) -> Like {
        let points = i16::try_from(points).expect("points are at most POINTS_MAX");
        Like { name: self.names[index].name.clone(), shared, points }
    }
}

/// How often each known name occurs in the lists.
fn count<'l>(lists: impl Iterator<Item = &'l Vec<u32>>) -> HashMap<usize, usize> {
    let mut common = HashMap::new();
    for index in lists.flatten() {
        *common.entry(*index as usize).or_default() += 1;
    }
    common
}

/// The greatest share of at least `min`; of equals the name that was known first.
fn best(shares: impl Iterator<Item = (usize, usize)>, min: usize) -> Option<(usize, usize)> {
    shares.filter(|(share, _)| *share >= min).max_by_key(|(share, index)| (*share, usize::MAX - index))
}

/// Runs of three letters, each once, with the ends marked.
fn runs(words: &[String]) -> Vec<[u8; 3]> {
    let text = format!("^{}$", words.join("-"));
    let mut runs: Vec<[u8; 3]> = text.as_bytes().windows(3).map(|run| [run[0], run[1], run[2]]).collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split('-').map(str::to_owned).collect()
    }

    #[test]
    fn the_closest_known_name_is_named_with_what_is_shared() {
        let known = ["session-manager", "confirm-session-identifier", "elitemaildelivery"];
        let likeness = Likeness::new(
            known.into_iter().map(|text| (DomainName::parse(&format!("{text}.info")).unwrap(), words(text))),
        );
        for (text, like, shared, points) in [
            ("manager-session", "session-manager.info", "manager, session", 30),
            ("confirm-identifier-user", "confirm-session-identifier.info", "confirm, identifier", 15),
            ("elitemaildeliver", "elitemaildelivery.info", "90 % of its letters", 13),
        ] {
            let found = likeness.closest(&words(text)).unwrap();
            assert_eq!((found.name.as_str(), found.points), (like, points), "{text}");
            assert_eq!(found.shared.join(", "), shared);
        }
        for text in ["session", "user-profile", "gardening"] {
            assert!(likeness.closest(&words(text)).is_none(), "{text}");
        }
    }
}
