//! Domain names: parsed once where text comes in, trusted ever after.
//!
//! A [`DomainName`] is what a court can list and a registry can delegate: a host name of letters, digits and hyphens
//! in its ASCII form (A-labels), lower case, without the final dot. Names that merely occur in a query (`_dmarc`,
//! arbitrary bytes) are not domain names in this sense; contacts keep those as bytes.
//!
//! There is no `Display`: a machine reads [`DomainName::as_str`], a person reads [`DomainName::defanged`], and
//! whoever prints a name has to say which of the two he means.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name in presentation form without the final dot (RFC 1035, 2.3.4: 255 octets on the wire).
pub const NAME_LEN_MAX: usize = 253;
/// The longest label (RFC 1035, 2.3.4).
pub const LABEL_LEN_MAX: usize = 63;
/// What parts labels in text (UTS 46, 4). Within a label on the wire they part nothing.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

//----------- DomainName ------------------------------------------------------------------------------------------

/// A domain name in canonical form: A-labels, lower case, no final dot.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DomainName(Arc<str>);

impl DomainName {
    /// Reads a name as a person or a file writes it: Unicode or ASCII, any case, with or without the final dot.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if is_canonical(text) {
            return Ok(Self(text.into()));
        }
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.contains("[.]") || text.contains("hxxp:") || text.contains("hxxps:") {
            return Err(NameError::Defanged);
        }
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| NameError::Idna)?;
        check_labels(&ascii)?;
        if ascii.rsplit('.').next().is_some_and(|tld| tld.bytes().all(|b| b.is_ascii_digit())) {
            return Err(NameError::Address);
        }
        Ok(Self(ascii.into()))
    }

    /// Reads a name from DNS wire form (RFC 1035, 3.1), if it is a domain name in our sense.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        let mut text = String::with_capacity(wire.len());
        let mut rest = wire;
        while let Some((&len, tail)) = rest.split_first() {
            if len == 0 {
                break;
            }
            let label = tail.get(..usize::from(len)).ok_or(NameError::Length)?;
            if !text.is_empty() {
                text.push('.');
            }
            let label_text = std::str::from_utf8(label).map_err(|_| NameError::Character)?;
            if label_text.contains(DOTS) {
                return Err(NameError::Character);
            }
            text.push_str(label_text);
            rest = &tail[usize::from(len)..];
        }
        Self::parse(&text)
    }

    /// The form for machines: feeds, files, the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for people, which no mail client turns into a link: `outlook-verify[.]net`.
    pub fn defanged(&self) -> Defanged<'_> {
        Defanged(&self.0)
    }

    /// DNS wire form, lower case, with the root label.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.0.len() + 2);
        for label in self.labels() {
            wire.push(u8::try_from(label.len()).expect("a parsed label has at most 63 octets"));
            wire.extend_from_slice(label.as_bytes());
        }
        wire.push(0);
        wire
    }

    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// The last label: the registry that delegates the name is found by it.
    pub fn tld(&self) -> &str {
        self.labels().next_back().unwrap_or_default()
    }

    /// The part that somebody registered: one label below a public suffix. `None` for a public suffix itself.
    pub fn registrable(&self) -> Option<Self> {
        psl::domain_str(&self.0).map(|part| Self(part.into()))
    }

    /// Whether the name is a public suffix itself (`com`, `co.uk`, `duckdns.org`): nobody can seize one.
    pub fn is_public_suffix(&self) -> bool {
        self.standing() == Standing::Suffix
    }

    /// Whether the name lies under a suffix from the list's private section (dynamic DNS, free hosting): a registry
    /// cannot seize it, its provider has to act.
    pub fn is_under_shared_suffix(&self) -> bool {
        psl::suffix(self.0.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
    }

    /// Both questions at once, for whoever asks them of a million names.
    pub fn standing(&self) -> Standing {
        match psl::suffix(self.0.as_bytes()) {
            Some(suffix) if suffix.as_bytes() == self.0.as_bytes() => Standing::Suffix,
            Some(suffix) if suffix.typ() == Some(psl::Type::Private) => Standing::Shared,
            _ => Standing::Registry,
        }
    }

    /// Whether this name is `apex` or lies below it, label by label.
    pub fn is_at_or_below(&self, apex: &Self) -> bool {
        match self.0.strip_suffix(&*apex.0) {
            Some("") => true,
            Some(rest) => rest.ends_with('.'),
            None => false,
        }
    }
}

/// Whether a text is plainly a name in its one form, as nearly all in a stored set are: a million of them are read in a
/// fraction of a second. What may need the rules for internationalised names (two hyphens in a row) is not plain.
fn is_canonical(text: &str) -> bool {
    let octets = text.as_bytes();
    let mut before = b'.';
    let mut label_len = 0;
    for &octet in octets {
        let fits = match octet {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'-' | b'.' => before != b'.' && before != b'-',
            _ => false,
        };
        label_len = if octet == b'.' { 0 } else { label_len + 1 };
        if !fits || label_len > LABEL_LEN_MAX {
            return false;
        }
        before = octet;
    }
    octets.len() <= NAME_LEN_MAX && before.is_ascii_lowercase()
}

fn check_labels(ascii: &str) -> Result<(), NameError> {
    if ascii.len() > NAME_LEN_MAX {
        return Err(NameError::Length);
    }
    for label in ascii.split('.') {
        if label.is_empty() || label.len() > LABEL_LEN_MAX {
            return Err(NameError::Length);
        }
        let is_ldh = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_ldh || label.starts_with('-') || label.ends_with('-') {
            return Err(NameError::Character);
        }
    }
    Ok(())
}

/// Sorts and hashes as its text does, so that a table of names is asked with text and nothing is made for it.
impl Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainName({})", self.defanged())
    }
}

impl Serialize for DomainName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
    }
}

//----------- Standing ---------------------------------------------------------------------------------------------

/// Where a name stands by the public suffix list, and so who could take it from its holder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// A public suffix itself: nobody.
    Suffix,
    /// Below a suffix that strangers share: its provider.
    Shared,
    /// A registry.
    Registry,
}

//----------- Defanged ---------------------------------------------------------------------------------------------

/// A name or URL as people read it, with every dot made inert.
pub struct Defanged<'a>(&'a str);

impl fmt::Display for Defanged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.replace('.', "[.]"))
    }
}

/// Makes any text with dots inert for people: an observed name that is no [`DomainName`], an address in a letter.
pub fn defang(text: &str) -> Defanged<'_> {
    Defanged(text)
}

//----------- NameError --------------------------------------------------------------------------------------------

/// Why a text is not a domain name. The caller knows the place and adds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    #[error("an IP address, not a domain name")]
    Address,
    #[error("a label may hold letters, digits and hyphens only, and no hyphen at either end")]
    Character,
    #[error("the name is defanged; write it with plain dots in files that machines read")]
    Defanged,
    #[error("the name is empty")]
    Empty,
    #[error("not a valid internationalised name (UTS 46, strict)")]
    Idna,
    #[error("a label has at most 63 octets and a name at most 253, and no label is empty (RFC 1035, 2.3.4)")]
    Length,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn one_name_has_one_form() {
        for text in ["outlook-verify.net", "OUTLOOK-Verify.NET", "outlook-verify.net."] {
            assert_eq!(name(text).as_str(), "outlook-verify.net");
        }
        assert_eq!(name("bücher.example").as_str(), "xn--bcher-kva.example");
        // Generated names have any letters next to each other.
        assert_eq!(name("qhxxpsw.net").as_str(), "qhxxpsw.net");
        assert_eq!(DomainName::parse("hxxp://a.net"), Err(NameError::Defanged));
        assert_eq!(name("outlook-verify.net").defanged().to_string(), "outlook-verify[.]net");
    }

    #[test]
    fn what_is_no_domain_name_says_why() {
        let long_label = format!("{}.net", "a".repeat(64));
        let long_name = format!("{}net", "abcdefgh.".repeat(28));
        for (text, why) in [
            ("", NameError::Empty),
            (".", NameError::Empty),
            ("outlook-verify[.]net", NameError::Defanged),
            ("127.0.0.1", NameError::Address),
            ("a..net", NameError::Idna),
            ("-a.net", NameError::Idna),
            ("a_b.net", NameError::Idna),
            ("two words.net", NameError::Idna),
            ("xn--zzzzzz99999.net", NameError::Idna),
            (&long_label, NameError::Idna),
            (&long_name, NameError::Idna),
        ] {
            assert_eq!(DomainName::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_dot_within_a_label_on_the_wire_parts_nothing() {
        assert_eq!(DomainName::from_wire(b"\x04evil\x03com\x00"), Ok(name("evil.com")));
        for wire in [&b"\x08evil.com\x00"[..], b"\x04com.\x00", "\u{a}evil\u{3002}com\0".as_bytes()] {
            assert_eq!(DomainName::from_wire(wire), Err(NameError::Character), "{wire:?}");
        }
    }

    #[test]
    fn registrable_parts_and_suffixes_follow_the_public_suffix_list() {
        assert_eq!(name("www.outlook-verify.net").registrable(), Some(name("outlook-verify.net")));
        assert_eq!(name("co.uk").registrable(), None);
        assert!(name("co.uk").is_public_suffix());
        assert!(name("evil.duckdns.org").is_under_shared_suffix());
        assert!(!name("outlook-verify.net").is_under_shared_suffix());
    }

    #[test]
    fn below_means_label_by_label() {
        let apex = name("outlook-verify.net");
        assert!(name("outlook-verify.net").is_at_or_below(&apex));
        assert!(name("a.b.outlook-verify.net").is_at_or_below(&apex));
        assert!(!name("notoutlook-verify.net").is_at_or_below(&apex));
        assert!(!name("verify.net").is_at_or_below(&apex));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_idempotent(text in "\\PC{0,80}") {
            if let Ok(once) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(once.as_str()).unwrap(), once.clone());
                prop_assert_eq!(DomainName::from_wire(&once.to_wire()).unwrap(), once);
            }
        }

        #[test]
        fn the_short_way_takes_only_what_the_rules_would_leave_as_it_is(text in "[a-z0-9.-]{0,70}") {
            if is_canonical(&text) {
                prop_assert_eq!(idna::domain_to_ascii_strict(&text).unwrap(), text);
            }
        }

        #[test]
        fn wire_reading_never_panics(wire in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = DomainName::from_wire(&wire);
        }
    }
}
