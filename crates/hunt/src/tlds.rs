//! What a registry adds: where names are cheap and few questions are asked, more of them are bad.

use std::collections::HashMap;

use model::DomainName;

use crate::lists;

pub(crate) struct Tlds(HashMap<&'static str, i16>);

impl Tlds {
    pub(crate) fn load() -> Self {
        Self(lists::tlds().collect())
    }

    /// Points for the last label, or for the label of an institution above it: `gov.uk` is as `gov`.
    pub(crate) fn points(&self, name: &DomainName) -> Option<(String, i16)> {
        let mut labels = name.labels().rev();
        let (last, above) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
        let institution = self.0.get(above).filter(|points| **points < 0 && last.len() == 2);
        if let Some(points) = institution {
            return Some((format!("{above}.{last}"), *points));
        }
        self.0.get(last).map(|points| (last.to_owned(), *points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_judged_and_institutions_trusted() {
        let tlds = Tlds::load();
        let points = |name: &str| tlds.points(&DomainName::parse(name).unwrap()).map(|(_, points)| points);
        assert!(points("a.info") > points("a.net"));
        assert_eq!(points("a.com"), None);
        assert!(points("a.gov.uk") < Some(0));
        assert!(points("edu.info") > Some(0), "a label before a generic TLD is no institution");
    }
}
