//! Rules for Suricata 7: a look-up, a TLS hello or an HTTP request for one of the names.
//!
//! `dotprefix` with `endswith` hits the name and all below it, and not `notoutlook-verify.net`. `dns.query` and
//! `tls.sni` take `nocase`, because resolvers mix the case; `http.host` is lower case already, and a rule with `nocase`
//! on it does not load. What is blocked is `drop`: an inline sensor drops it, a passive one alerts all the same. What we
//! hold is `alert`.
//!
//! Sids are persistent: see [`sids`].

mod sids;

use model::{DomainName, Refusal};

use super::{EXERCISE, banner, one_line};
use crate::Document;
use crate::audience::Cleared;
use crate::custody::Action;

/// Fifty thousand names took Suricata five minutes to load; this many take seconds. Beyond it a policy zone serves.
const RULE_NAMES_MAX: usize = 5_000;

pub(super) fn render(cleared: &Cleared<'_>) -> Result<Document, Refusal> {
    let names: Vec<(&DomainName, &str)> =
        cleared.names().filter_map(|(name, named)| Some((name, verb(named.action)?))).collect();
    if names.len() > RULE_NAMES_MAX {
        return Err(Refusal::new(format!(
            "{} names are more than the {RULE_NAMES_MAX} that rules are written for",
            names.len()
        ))
        .hint("export a policy zone (rpz) instead"));
    }
    let mut text = String::new();
    for line in banner(cleared, "rules for Suricata 7") {
        text.push_str(&format!("# {line}\n"));
    }
    let sids = sids::give(names.iter().map(|(name, _)| *name));
    for (name, verb) in names {
        rules(cleared, name, verb, sids[name]).iter().for_each(|rule| text.push_str(rule));
    }
    Ok(Document { file_name: format!("{}.rules", cleared.stem()), media_type: "text/plain", bytes: text.into_bytes() })
}

/// The rule's action; a name that went back has no rule.
fn verb(action: Action) -> Option<&'static str> {
    match action {
        Action::Block => Some("drop"),
        Action::Detect => Some("alert"),
        Action::Withdraw => None,
    }
}

fn rules(cleared: &Cleared<'_>, name: &DomainName, verb: &str, sid: u32) -> [String; sids::RULES_PER_NAME as usize] {
    let content = format!("dotprefix; content:\".{}\"; endswith;", name.as_str());
    let [dns, tls, http] = [
        (format!("{verb} dns any any -> any any"), "looked up", format!("dns.query; {content} nocase;")),
        (format!("{verb} tls any any -> any any"), "in a TLS hello", format!("tls.sni; {content} nocase;")),
        (format!("{verb} http any any -> any any"), "in an HTTP request", format!("http.host; {content}")),
    ];
    let tail = tail(cleared, name, verb);
    let rule = |(head, what, detection): (String, &str, String), sid: u32| {
        format!("{head} (msg:\"{}\"; {detection} {tail} sid:{sid};)\n", message(cleared, name, what))
    };
    [rule(dns, sid), rule(tls, sid + 1), rule(http, sid + 2)]
}

fn message(cleared: &Cleared<'_>, name: &DomainName, what: &str) -> String {
    let exercise = if cleared.exercise { "EXERCISE " } else { "" };
    let group = escaped(&one_line(&cleared.group.name));
    format!("{exercise}BAILIWICK {group}: {} {what}", name.defanged())
}

/// `;`, `"` and `\` end or break a message unless a backslash stands before them.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ';' | '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn tail(cleared: &Cleared<'_>, name: &DomainName, verb: &str) -> String {
    let custody = if verb == "alert" { "detect" } else { "block" };
    let tlp = cleared.tlp.label().trim_start_matches("TLP:").to_lowercase().replace('+', "-");
    let exercise = if cleared.exercise { format!(", bailiwick_mark {EXERCISE}") } else { String::new() };
    format!(
        "metadata:bailiwick_action {custody}, bailiwick_apex {}, tlp {tlp}{exercise}; rev:{};",
        name.as_str(),
        cleared.serial.max(1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_end_itself() {
        assert_eq!(escaped(r#"a;b"c\d"#), r#"a\;b\"c\\d"#);
    }
}
