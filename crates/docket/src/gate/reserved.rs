//! Names that nobody can register, by the RFCs that say so.

use model::DomainName;

/// Names that are kept apart, with where that is said. Whatever lies below is, too.
const RESERVED: [(&str, &str); 12] = [
    ("test", "RFC 6761, 6.2"),
    ("localhost", "RFC 6761, 6.3"),
    ("invalid", "RFC 6761, 6.4"),
    ("example", "RFC 6761, 6.5"),
    ("example.com", "RFC 2606, 3; RFC 6761, 6.5"),
    ("example.net", "RFC 2606, 3; RFC 6761, 6.5"),
    ("example.org", "RFC 2606, 3; RFC 6761, 6.5"),
    ("local", "RFC 6762"),
    ("onion", "RFC 7686"),
    ("home.arpa", "RFC 8375"),
    ("alt", "RFC 9476"),
    ("internal", "ICANN Board, resolution of 2024-07-29: never delegated"),
];

/// Where it is said that the name is reserved.
pub(super) fn reserved_by(name: &DomainName) -> Option<&'static str> {
    let mut text = name.as_str();
    loop {
        if let Some((_, by)) = RESERVED.iter().find(|(reserved, _)| *reserved == text) {
            return Some(by);
        }
        text = text.split_once('.')?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_a_reserved_name_is_reserved_and_nothing_beside_it() {
        for (text, reserved) in [
            ("a.example", true),
            ("www.example.com", true),
            ("myexample.com", false),
            ("test.com", false),
            ("x.home.arpa", true),
        ] {
            assert_eq!(reserved_by(&DomainName::parse(text).unwrap()).is_some(), reserved, "{text}");
        }
    }
}
