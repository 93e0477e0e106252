//! How a name is spelt: its labels below the public suffix, cut at hyphens, with internationalised labels as they look.
//!
//! `login.verify-user.info` has the tokens `login`, `verify`, `user`. The suffix is not looked at here: registries are
//! judged by [`crate::tlds`].

use model::DomainName;

/// The parts of a name that its registrant chose.
pub(crate) struct Spelling {
    /// Left to right, without hyphens and dots.
    pub(crate) tokens: Vec<String>,
    /// The same where a label is internationalised: in the letters that it looks like (UTS 39). Empty otherwise.
    pub(crate) seeming: Vec<String>,
}

impl Spelling {
    pub(crate) fn of(name: &DomainName) -> Self {
        let chosen = chosen_part(name);
        let seeming = if chosen.contains("xn--") { tokens(&seeming(chosen)) } else { Vec::new() };
        Self { tokens: tokens(chosen), seeming }
    }
}

/// Everything below the public suffix, without a leading `www`.
fn chosen_part(name: &DomainName) -> &str {
    let text = name.as_str();
    let suffix = psl::suffix_str(text).unwrap_or_default();
    let chosen = text.strip_suffix(suffix).unwrap_or(text).trim_end_matches('.');
    chosen.strip_prefix("www.").unwrap_or(chosen)
}

fn tokens(text: &str) -> Vec<String> {
    text.split(['.', '-']).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// What people see: decoded, and each character replaced by the one that it is mistaken for.
fn seeming(chosen: &str) -> String {
    let (decoded, _) = idna::domain_to_unicode(chosen);
    let skeleton: String = unicode_security::skeleton(&decoded).collect();
    // A skeleton writes capital and small letters alike in a few places; names have no capitals.
    skeleton.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_its_registrant_wrote_it() {
        for (name, tokens, seeming) in [
            ("login.verify-user.info", vec!["login", "verify", "user"], vec![]),
            ("www.example.co.uk", vec!["example"], vec![]),
            ("evil.duckdns.org", vec!["evil"], vec![]),
            ("xn--mcrosoft-c2a.example", vec!["xn", "mcrosoft", "c2a"], vec!["mícrosoft"]),
            ("xn--pple-43d.example", vec!["xn", "pple", "43d"], vec!["apple"]),
        ] {
            let spelling = Spelling::of(&DomainName::parse(name).unwrap());
            assert_eq!(spelling.tokens, tokens, "{name}");
            assert_eq!(spelling.seeming.len(), seeming.len(), "{name}");
        }
        let cyrillic = Spelling::of(&DomainName::parse("xn--pple-43d.example").unwrap());
        assert_eq!(cyrillic.seeming, ["apple"]);
    }
}
