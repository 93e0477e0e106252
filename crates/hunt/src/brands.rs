//! Brands: what they are called, what they own, and where a keyword stands in a name.

use std::collections::HashMap;

use model::DomainName;

use crate::lists;

/// A keyword of at least this many letters is found anywhere; a shorter one only as a whole token.
pub(crate) const ANYWHERE_LEN_MIN: usize = 5;

/// A brand's keyword and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Keyword {
    pub(crate) text: &'static str,
    pub(crate) brand: usize,
}

/// All brands of the list.
pub(crate) struct Brands {
    names: Vec<&'static str>,
    pub(crate) keywords: Vec<Keyword>,
    owned: HashMap<&'static str, usize>,
}

impl Brands {
    pub(crate) fn load() -> Self {
        let (mut names, mut keywords, mut owned) = (Vec::new(), Vec::new(), HashMap::new());
        for (brand, line) in lists::brands().enumerate() {
            names.push(line.name);
            keywords.extend(line.keywords.into_iter().map(|text| Keyword { text, brand }));
            owned.extend(line.owned.into_iter().map(|name| (name, brand)));
        }
        Self { names, keywords, owned }
    }

    pub(crate) fn name(&self, brand: usize) -> &'static str {
        self.names[brand]
    }

    /// The brand that owns a name, or a name above it.
    pub(crate) fn owner(&self, name: &DomainName) -> Option<&'static str> {
        let mut rest = name.as_str();
        loop {
            if let Some(brand) = self.owned.get(rest) {
                return Some(self.names[*brand]);
            }
            rest = rest.split_once('.')?.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_owns_its_names_and_all_below() {
        let brands = Brands::load();
        for (name, owner) in [
            ("login.live.com", Some("live")),
            ("microsoft.com", Some("microsoft")),
            ("microsoft.com.example.net", None),
            ("notmicrosoft.com", None),
        ] {
            assert_eq!(brands.owner(&DomainName::parse(name).unwrap()), owner, "{name}");
        }
    }
}
