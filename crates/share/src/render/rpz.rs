//! A response policy zone: what a resolver does with the names, for all who ask it.
//!
//! Each name stands twice, as itself and as `*.` for everything below it. What is blocked gets `CNAME .` (NXDOMAIN);
//! what we hold gets `CNAME rpz-passthru.`, so that the answer stays ours and the resolver logs who asked. Owners are
//! relative: the file serves under whatever origin the resolver gives it. Walled gardens by CNAME are not written:
//! Knot Resolver ignores them, and the name would stay reachable.

use model::DomainName;

use super::banner;
use crate::Document;
use crate::audience::Cleared;
use crate::custody::Action;

/// The longest name for which `*.name.origin` stays within 255 octets with an origin of up to 56.
const OWNER_LEN_MAX: usize = 195;
/// Seconds a resolver keeps a policy: short, because a name may have to be given back.
const TTL_SECS: u32 = 300;

pub(super) fn render(cleared: &Cleared<'_>) -> Document {
    let mut text = String::new();
    for line in banner(cleared, "response policy zone") {
        text.push_str(&format!("; {line}\n"));
    }
    text.push_str(&head(cleared.serial));
    for (name, named) in cleared.names() {
        match named.action {
            Action::Block => text.push_str(&records(name, ".")),
            Action::Detect => text.push_str(&records(name, "rpz-passthru.")),
            Action::Withdraw => {}
        }
    }
    Document { file_name: format!("{}.rpz.zone", cleared.stem()), media_type: "text/dns", bytes: text.into_bytes() }
}

/// The serial is the ledger's position: it rises with every fact that changes what is told, and never else.
fn head(serial: u32) -> String {
    format!(
        "$TTL {TTL_SECS}\n@ SOA localhost. hostmaster.localhost. {serial} 3600 600 604800 {TTL_SECS}\n@ NS localhost.\n"
    )
}

fn records(name: &DomainName, target: &str) -> String {
    let owner = name.as_str();
    if owner.len() > OWNER_LEN_MAX {
        return format!("; too long for a policy zone: {}\n", name.defanged());
    }
    format!("{owner} CNAME {target}\n*.{owner} CNAME {target}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_too_long_for_any_origin_is_said_and_left_out() {
        let label = "a".repeat(63);
        let long = DomainName::parse(&format!("{label}.{label}.{label}.abcd")).unwrap();
        assert_eq!(long.as_str().len(), OWNER_LEN_MAX + 1);
        assert!(records(&long, ".").starts_with("; too long"));
        let longest = DomainName::parse(&format!("{label}.{label}.{label}.abc")).unwrap();
        assert_eq!(records(&longest, ".").lines().count(), 2);
    }
}
