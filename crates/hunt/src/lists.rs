//! The lists that stand in `lists/`, compiled in. A line that does not fit its form stops the first test, not a user.

const BRANDS: &str = include_str!("../lists/brands.txt");
const LURES: &str = include_str!("../lists/lures.txt");
const FILLERS: &str = include_str!("../lists/fillers.txt");
const TLDS: &str = include_str!("../lists/tlds.txt");

/// A brand's line: its name, its keywords, its own names.
pub(crate) struct BrandLine {
    pub(crate) name: &'static str,
    pub(crate) keywords: Vec<&'static str>,
    pub(crate) owned: Vec<&'static str>,
}

pub(crate) fn brands() -> impl Iterator<Item = BrandLine> {
    entries(BRANDS).map(|line| {
        let mut fields = line.split('|').map(str::trim);
        let mut field = || fields.next().expect("a brand's line has three fields");
        let (name, keywords, owned) = (field(), field(), field());
        BrandLine { name, keywords: keywords.split(' ').collect(), owned: owned.split(' ').collect() }
    })
}

/// Words of account security and their points.
pub(crate) fn lures() -> impl Iterator<Item = (&'static str, i16)> {
    entries(LURES).map(with_points)
}

/// Words that glue others together.
pub(crate) fn fillers() -> impl Iterator<Item = &'static str> {
    entries(FILLERS)
}

/// Last labels and what they add.
pub(crate) fn tlds() -> impl Iterator<Item = (&'static str, i16)> {
    entries(TLDS).map(with_points)
}

fn entries(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn with_points(line: &'static str) -> (&'static str, i16) {
    let (word, points) = line.split_once(' ').expect("a list's line is a word and its points");
    (word, points.parse().expect("points are a number"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use model::DomainName;

    use super::*;

    #[test]
    fn every_line_has_its_form_and_stands_once() {
        let mut seen = HashSet::new();
        for word in lures().map(|(word, _)| word).chain(fillers()) {
            assert!(seen.insert(word), "{word} stands twice");
            assert!(word.bytes().all(|octet| octet.is_ascii_lowercase()), "{word}");
        }
        let mut seen = HashSet::new();
        for (tld, _) in tlds() {
            assert!(seen.insert(tld), "{tld} stands twice");
        }
    }

    #[test]
    fn brands_have_keywords_and_names_of_their_own() {
        let mut seen = HashSet::new();
        for brand in brands() {
            for keyword in brand.keywords {
                assert!(seen.insert(keyword), "{keyword} stands twice");
                assert!(keyword.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit()), "{keyword}");
            }
            for owned in brand.owned {
                assert!(DomainName::parse(owned).is_ok(), "{} owns {owned}", brand.name);
            }
        }
        assert!(seen.len() >= 80);
    }
}
