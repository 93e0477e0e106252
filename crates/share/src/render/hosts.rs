//! A hosts file: the smallest thing that blocks, for machines that take nothing better.
//!
//! It knows no wildcards, so only the names that were listed or learned are in it, and it can neither let through
//! with a log nor withdraw: what is to be detected stands as a comment, defanged, so that no tool takes it.

use model::DomainName;
use model::fact::IndicatorKind;

use super::banner;
use crate::Document;
use crate::audience::Cleared;
use crate::custody::Action;

/// The address that goes nowhere; 127.0.0.1 would knock at whatever runs on the reader's machine.
const NOWHERE: &str = "0.0.0.0";

pub(super) fn render(cleared: &Cleared<'_>) -> Document {
    let mut text = String::new();
    for line in banner(cleared, "hosts file of the names that are blocked") {
        text.push_str(&format!("# {line}\n"));
    }
    for name in cleared.names_to(Action::Block) {
        text.push_str(&format!("{NOWHERE} {}\n", name.as_str()));
        for host in hosts_below(cleared, name) {
            text.push_str(&format!("{NOWHERE} {}\n", host.as_str()));
        }
    }
    for name in cleared.names_to(Action::Detect) {
        text.push_str(&format!("# let through, we hold it: {}\n", name.defanged()));
    }
    Document { file_name: format!("{}.hosts", cleared.stem()), media_type: "text/plain", bytes: text.into_bytes() }
}

fn hosts_below(cleared: &Cleared<'_>, apex: &DomainName) -> Vec<DomainName> {
    let learned = cleared.learned.iter().filter(|indicator| indicator.kind == IndicatorKind::HostName);
    let hosts = learned.filter_map(|indicator| DomainName::parse(&indicator.value).ok());
    hosts.filter(|host| host != apex && host.is_at_or_below(apex)).collect()
}
