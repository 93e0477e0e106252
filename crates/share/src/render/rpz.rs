//! A response policy zone as a file: what [`policy`](crate::policy) says of one case, blocked names as NXDOMAIN.
//!
//! Owners are relative: the file serves under whatever origin the resolver gives it.

use model::DomainName;

use super::banner;
use crate::Document;
use crate::audience::Cleared;
use crate::custody::Action;
use crate::policy::{Block, TTL_SECS, owners, rules};

pub(super) fn render(cleared: &Cleared<'_>) -> Document {
    let mut text = String::new();
    for line in banner(cleared, "response policy zone") {
        text.push_str(&format!("; {line}\n"));
    }
    text.push_str(&head(cleared.serial));
    for (name, named) in cleared.names() {
        text.push_str(&records(name, named.action));
    }
    Document { file_name: format!("{}.rpz.zone", cleared.stem()), media_type: "text/dns", bytes: text.into_bytes() }
}

/// The serial is the ledger's position: it rises with every fact that changes what is told, and never else.
fn head(serial: u32) -> String {
    format!(
        "$TTL {TTL_SECS}\n@ SOA localhost. hostmaster.localhost. {serial} 3600 600 604800 {TTL_SECS}\n@ NS localhost.\n"
    )
}

fn records(name: &DomainName, action: Action) -> String {
    let rules = rules(action, &Block::Nxdomain);
    match owners(name) {
        _ if rules.is_empty() => String::new(),
        Some(owners) => {
            owners.iter().flat_map(|owner| rules.iter().map(move |rule| format!("{owner} {rule}\n"))).collect()
        }
        None => format!("; too long for a policy zone: {}\n", name.defanged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_too_long_for_any_origin_is_said_and_left_out() {
        let label = "a".repeat(63);
        let long = DomainName::parse(&format!("{label}.{label}.{label}.abcd")).unwrap();
        assert!(records(&long, Action::Block).starts_with("; too long"));
        assert_eq!(records(&long, Action::Withdraw), "");
    }
}
