//! Which addresses are of the world: what a stranger's zone or a server of ours names is asked or visited only there.
//!
//! After IANA's registries of special-purpose addresses (RFC 6890). An address that carries another one in it is of the
//! world only if that one is: a gateway between the families would send our packet there, into our own network perhaps.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether packets to that address leave for the world.
pub fn is_global(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(carried) => is_global_v4(carried),
            None => is_global_v6(address),
        },
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let own = address.is_loopback() || address.is_private() || address.is_link_local();
    let nobody = address.is_multicast() || address.is_documentation();
    let special = match (a, b, c) {
        // This network; reserved, with the broadcast address.
        (0 | 240..=255, ..) => true,
        // Shared by a provider's customers (RFC 6598).
        (100, 64..=127, _) => true,
        // Protocol assignments (RFC 6890).
        (192, 0, 0) => true,
        // Benchmarks (RFC 2544).
        (198, 18 | 19, _) => true,
        _ => false,
    };
    !(own || nobody || special)
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let own = address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local();
    let special = match address.segments() {
        // Unspecified, and IPv4 addresses written as they once were (RFC 4291).
        [0, 0, 0, 0, 0, 0, ..] => true,
        // Translation within one network (RFC 8215).
        [0x64, 0xff9b, 1, ..] => true,
        // Thrown away (RFC 6666).
        [0x100, 0, 0, 0, ..] => true,
        // Protocol assignments: Teredo, benchmarks, ORCHID (RFC 2928).
        [0x2001, 0..=0x1ff, ..] => true,
        // Documentation (RFC 3849, RFC 9637).
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // Segment routing (RFC 9602), and what was a site's own (RFC 3879).
        [0x5f00, ..] | [0xfec0..=0xfeff, ..] => true,
        _ => false,
    };
    !(own || special || address.is_multicast())
}

/// The IPv4 address that a gateway would send to: NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let joined = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(joined(high, low)),
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last address of each range, and the neighbours that are of the world.
    #[test]
    fn only_addresses_of_the_world_are() {
        const OWN: &str = "0.0.0.0 0.255.255.255 10.0.0.1 100.64.0.0 100.127.255.255 127.0.0.1 169.254.169.254 172.16.0.1 \
            172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.1 192.168.1.1 198.18.0.0 198.19.255.255 \
            198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.0 255.255.255.255 :: ::1 ::7f00:1 ::ffff:127.0.0.1 \
            ::ffff:10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::192.0.2.1 \
            64:ff9b:1:: 64:ff9b:1:ffff:ffff:ffff:ffff:ffff 64:ff9b:1::8.8.8.8 2002:7f00:1:: 2002:a00:1::1 \
            2002:c0a8:101::1 2001:: 2001:0:ffff::1 2001:2::1 2001:1ff::1 2001:db8::1 3fff::1 3fff:fff::1 \
            100::1 5f00::1 fc00::1 fdff::1 fe80::1 febf::1 fec0::1 ff02::1";
        for own in OWN.split_whitespace() {
            assert!(!is_global(own.parse().unwrap()), "{own}");
        }
        const WORLD: &str = "1.0.0.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.0 191.255.255.255 \
            192.0.1.0 192.0.3.0 198.17.255.255 198.20.0.0 198.41.0.4 223.255.255.255 ::ffff:198.41.0.4 \
            64:ff9b::198.41.0.4 2002:c629:4::1 2001:200::1 2001:500:200::b 2001:db7::1 2001:db9::1 2003::1 \
            3ffe::1 2606:4700::1 101::1";
        for world in WORLD.split_whitespace() {
            assert!(is_global(world.parse().unwrap()), "{world}");
        }
    }
}
