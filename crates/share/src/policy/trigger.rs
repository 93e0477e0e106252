//! Owners of a policy zone: names, and networks as resolvers spell them.

use std::fmt;
use std::net::IpAddr;

use model::DomainName;
use model::address::Prefix;

/// A name, or everything below it; displayed as a zone file has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(super) name: &'a DomainName,
    pub(super) is_below: bool,
}

impl Owner<'_> {
    /// The labels in wire form, without the root's.
    pub(super) fn to_wire(self) -> Vec<u8> {
        let wildcard: &[u8] = if self.is_below { b"\x01*" } else { b"" };
        let mut wire = Vec::with_capacity(wildcard.len() + self.name.as_str().len() + 1);
        wire.extend_from_slice(wildcard);
        push_labels(&mut wire, self.name.as_str());
        wire
    }
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_below { "*." } else { "" }, self.name.as_str())
    }
}

/// The labels of a relative owner in wire form, without the root's.
pub(super) fn to_wire(owner: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(owner.len() + 1);
    push_labels(&mut wire, owner);
    wire
}

fn push_labels(wire: &mut Vec<u8>, owner: &str) {
    for label in owner.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).expect("a label has at most 63 octets"));
        wire.extend_from_slice(label.as_bytes());
    }
}

/// A whole name in wire form.
pub(super) fn name_to_wire(name: &str) -> Vec<u8> {
    let mut wire = to_wire(name);
    wire.push(0);
    wire
}

/// The trigger on answers with an address of the network: its length, then the address from the back, `24.0.2.0.192.rpz-ip`.
/// IPv6 goes by its eight groups, the longest run of zero groups once as `zz`: the canonical form of RFC 5952 read from
/// the back, and BIND takes no other.
pub(super) fn network(network: &Prefix) -> String {
    let (text, sign, len) = match network.base() {
        IpAddr::V4(v4) => (v4.to_string(), '.', network.len()),
        IpAddr::V6(v6) => (v6.to_string(), ':', network.len()),
    };
    let mut parts: Vec<&str> = text.rsplit(sign).map(|part| if part.is_empty() { "zz" } else { part }).collect();
    parts.dedup_by(|next, part| (&**next, &**part) == ("zz", "zz"));
    format!("{len}.{}.rpz-ip", parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_read_from_the_back() {
        for (text, owner) in [
            ("192.0.2.1/32", "32.1.2.0.192.rpz-ip"),
            ("203.0.112.0/20", "20.0.112.0.203.rpz-ip"),
            ("2001:db8::1/128", "128.1.zz.db8.2001.rpz-ip"),
            ("2001:db8::/32", "32.zz.db8.2001.rpz-ip"),
            ("2001:db8:0:1:0:0:0:9/128", "128.9.zz.1.0.db8.2001.rpz-ip"),
            ("2001:db8:0:1:1:1:1:1/128", "128.1.1.1.1.1.0.db8.2001.rpz-ip"),
            ("::1/128", "128.1.zz.rpz-ip"),
            ("::/16", "16.zz.rpz-ip"),
        ] {
            assert_eq!(network(&text.parse().unwrap()), owner);
        }
    }

    #[test]
    fn the_root_has_no_label() {
        assert_eq!(to_wire(""), b"");
        assert_eq!(name_to_wire("."), b"\x00");
        assert_eq!(to_wire("*.a.test"), b"\x01*\x01a\x04test");
    }
}
