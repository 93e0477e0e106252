//! STIX patterns: one comparison each.

use model::DomainName;
use model::fact::{Indicator, IndicatorKind};

use crate::render::one_line;

pub(super) fn domain_name(name: &DomainName) -> String {
    format!("[domain-name:value = '{}']", name.as_str())
}

/// The pattern of something learned that is no host; `None` where STIX has no property for it.
pub(super) fn learned(learned: &Indicator) -> Option<String> {
    match learned.kind {
        IndicatorKind::HostName | IndicatorKind::Ja4 => None,
        IndicatorKind::UrlPath => {
            let path = regex_quoted(&one_line(&learned.value));
            let apex = regex_quoted(learned.apex.as_str());
            let regex = format!(r"^https?://([a-z0-9-]+\.)*{apex}(:[0-9]+)?{path}$");
            Some(format!("[url:value MATCHES '{}']", quoted(&regex)))
        }
        IndicatorKind::UserAgent => {
            let header = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'";
            Some(format!("[{header} = '{}']", quoted(&one_line(&learned.value))))
        }
    }
}

/// A string literal of the pattern language escapes the backslash and the quote (STIX 2.1, section 9.4).
fn quoted(text: &str) -> String {
    text.replace('\\', r"\\").replace('\'', r"\'")
}

/// Text that stands for itself in a regular expression.
fn regex_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indicator(kind: IndicatorKind, value: &str) -> Indicator {
        Indicator {
            kind,
            value: value.into(),
            apex: DomainName::parse("outlook-verify.net").unwrap(),
            first_seen: model::Timestamp::UNIX_EPOCH,
            last_seen: model::Timestamp::UNIX_EPOCH,
            contacts: 1,
            addresses: 1,
        }
    }

    #[test]
    fn what_was_learned_is_quoted_for_the_language_that_it_stands_in() {
        let path = indicator(IndicatorKind::UrlPath, "/a.php?it's");
        let expected =
            r"[url:value MATCHES '^https?://([a-z0-9-]+\\.)*outlook-verify\\.net(:[0-9]+)?/a\\.php\\?it\'s$']";
        assert_eq!(learned(&path).unwrap(), expected);
        let agent = indicator(IndicatorKind::UserAgent, r"evil\agent 'x'");
        assert!(learned(&agent).unwrap().ends_with(r"= 'evil\\agent \'x\'']"));
        assert_eq!(learned(&indicator(IndicatorKind::Ja4, "t13d")), None);
    }
}
