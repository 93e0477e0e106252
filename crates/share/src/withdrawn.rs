//! Whether a feed that was rendered still tells of a name that went back.

use model::DomainName;
use serde_json::Value;

/// Whether a document speaks of the name no more, or, in STIX, only of what is revoked.
///
/// Text is split at whatever cannot be in a name, so that `example.net` is found in `*.example.net` and in
/// `content:".example.net"`, and not in `notexample.net` or `other.example.net`.
pub fn is_withdrawn(document: &[u8], name: &DomainName) -> bool {
    match serde_json::from_slice::<Value>(document) {
        Ok(bundle) if bundle["type"] == "bundle" => is_revoked(&bundle, name),
        _ => !is_mentioned(document, name),
    }
}

fn is_revoked(bundle: &Value, name: &DomainName) -> bool {
    let objects = bundle["objects"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pattern = |object: &Value| object["pattern"].as_str().map(str::to_owned);
    let of_name = |object: &&Value| pattern(object).is_some_and(|pattern| is_mentioned(pattern.as_bytes(), name));
    objects.iter().filter(of_name).all(|indicator| indicator["revoked"] == true)
}

fn is_mentioned(text: &[u8], name: &DomainName) -> bool {
    let in_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let is_it = |word: &[u8]| {
        let word = word.strip_prefix(b".").unwrap_or(word);
        word.strip_suffix(b".").unwrap_or(word).eq_ignore_ascii_case(name.as_str().as_bytes())
    };
    text.split(|octet| !in_name(octet)).any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_itself_is_found() {
        let name = DomainName::parse("example.net").unwrap();
        for (text, is_out) in [
            ("example.net CNAME .\n", false),
            ("*.example.net CNAME .\n", false),
            ("dotprefix; content:\".example.net\"; endswith;", false),
            ("0.0.0.0 EXAMPLE.net.", false),
            ("notexample.net CNAME .\nother.example.net CNAME .\nexample.network", true),
            ("", true),
        ] {
            assert_eq!(is_withdrawn(text.as_bytes(), &name), is_out, "{text}");
        }
        for (revoked, is_out) in [("true", true), ("false", false)] {
            let bundle = format!(
                "{{\"type\": \"bundle\", \"objects\": [{{\"type\": \"domain-name\", \"value\": \"example.net\"}}, \
                 {{\"type\": \"indicator\", \"pattern\": \"[domain-name:value = 'example.net']\", \"revoked\": {revoked}}}]}}"
            );
            assert_eq!(is_withdrawn(bundle.as_bytes(), &name), is_out, "{bundle}");
        }
    }
}
