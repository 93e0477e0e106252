//! Addresses as texts spell them: not only `192.0.2.1`, but what host names, URLs and logs make of it.
//!
//! Read are: dotted, dashed and underlined quads, forwards and backwards (`1-2-0-192.dyn.example`), the 32-bit number
//! in decimal and in hexadecimal, IPv6 in any valid spelling and with dashes, and the nibbles of `ip6.arpa`; each
//! also defanged or percent-encoded. What is read too much costs a text that is not told; what is read too little could cost a
//! person. Encodings that hide the address on purpose (base64, a cipher) cannot be seen here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How often percent-encoding is peeled off (`%252E`); what is nested deeper is not a URL that worked.
const DECODE_DEPTH_MAX: usize = 3;

/// Every address that the text may be read to mention.
pub fn addresses_in(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut text = text.to_owned();
    for _ in 0..=DECODE_DEPTH_MAX {
        read(&text, &mut found);
        let fanged = text.replace(['[', ']', '(', ')'], "");
        if fanged != text {
            read(&fanged, &mut found);
        }
        let decoded = percent_decoded(&text);
        if decoded == text {
            break;
        }
        text = decoded;
    }
    found
}

fn read(text: &str, found: &mut Vec<IpAddr>) {
    numbers(text, found);
    hexadecimals(text, found);
    colons(text, found);
}

/// Runs of decimal digits: four octets in a row, either way round, with one character between each; or one number.
fn numbers(text: &str, found: &mut Vec<IpAddr>) {
    for run in text.split(|c: char| !c.is_ascii_digit()) {
        found.extend(run.parse::<u32>().ok().map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits))));
    }
    for separator in ['.', '-', '_', ',', '/'] {
        let joined = text.split(|c: char| !c.is_ascii_digit() && c != separator);
        joined.for_each(|run| quads(run.split(separator).collect(), found));
    }
}

fn quads(runs: Vec<&str>, found: &mut Vec<IpAddr>) {
    for four in runs.windows(4) {
        let octets: Option<Vec<u8>> = four.iter().map(|run| octet(run)).collect();
        if let Some([a, b, c, d]) = octets.as_deref() {
            found.push(Ipv4Addr::new(*a, *b, *c, *d).into());
            found.push(Ipv4Addr::new(*d, *c, *b, *a).into());
        }
    }
}

/// `007` is seven: leading zeros do not make another address.
fn octet(run: &str) -> Option<u8> {
    let digits = run.trim_start_matches('0');
    match (run, digits) {
        ("", _) => None,
        (_, "") => Some(0),
        _ => digits.parse().ok(),
    }
}

/// Runs of hexadecimal digits, also with single dots or dashes between them (nibbles, backwards).
fn hexadecimals(text: &str, found: &mut Vec<IpAddr>) {
    let plain = text.split(|c: char| !c.is_ascii_hexdigit()).map(str::to_owned);
    let joined = text.split(|c: char| !c.is_ascii_hexdigit() && c != '.' && c != '-');
    let nibbles = joined.map(|run| run.chars().filter(char::is_ascii_hexdigit).collect::<String>());
    for digits in plain.chain(nibbles) {
        // The run may have grown: `0x7f000001`, or a label that ends in a hexadecimal digit before it.
        windows_of(&digits, 8).for_each(|hex| push_v4(hex, found));
        windows_of(&digits, 32).for_each(|hex| push_v6(hex, found));
    }
}

fn windows_of(digits: &str, len: usize) -> impl Iterator<Item = &str> {
    (0..digits.len().saturating_sub(len - 1)).map(move |at| &digits[at..at + len])
}

fn push_v4(hex: &str, found: &mut Vec<IpAddr>) {
    let bits = u32::from_str_radix(hex, 16).expect("eight hexadecimal digits");
    found.push(Ipv4Addr::from_bits(bits).into());
    found.push(Ipv4Addr::from_bits(bits.swap_bytes()).into());
}

fn push_v6(hex: &str, found: &mut Vec<IpAddr>) {
    let backwards: String = hex.chars().rev().collect();
    for hex in [hex, &backwards] {
        let bits = u128::from_str_radix(hex, 16).expect("thirty-two hexadecimal digits");
        found.push(IpAddr::from(Ipv6Addr::from_bits(bits)).to_canonical());
    }
}

/// IPv6 with colons, or with dashes for colons as host names have them. A run may begin or end with what is not the
/// address (`a:2001:db8::1:80`), so that every part of it that parses counts.
fn colons(text: &str, found: &mut Vec<IpAddr>) {
    let dashes_as_colons = text.replace('-', ":");
    for spelled in [text, &dashes_as_colons] {
        for run in spelled.split(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.') {
            let groups: Vec<&str> = run.split(':').collect();
            parts_of(&groups, found);
        }
    }
}

/// An IPv6 address has at most eight groups, which `::` at either end turns into nine splits.
const GROUPS_MAX: usize = 9;

fn parts_of(groups: &[&str], found: &mut Vec<IpAddr>) {
    for from in 0..groups.len() {
        for to in from + 2..groups.len().min(from + GROUPS_MAX) + 1 {
            if let Ok(v6) = groups[from..to].join(":").trim_end_matches('.').parse::<Ipv6Addr>() {
                found.push(IpAddr::from(v6).to_canonical());
            }
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_seen_however_it_is_spelled() {
        let v4: IpAddr = "198.51.100.23".parse().unwrap();
        for text in [
            "198.51.100.23",
            "http://x.test/?ip=198.51.100.23&y",
            "198-51-100-23.dyn.isp.test",
            "23.100.51.198.in-addr.arpa",
            "host_198_51_100_23",
            "198.051.100.023",
            "/c6336417",
            "/0xC6336417",
            "3325256727",
            "::ffff:198.51.100.23",
            "::ffff:c633:6417",
            "[::FFFF:198.51.100.23]:80",
            "198[.]51[.]100[.]23",
            "198%2E51%2e100%2E23",
            "198%252E51%252E100%252E23",
            "176433c6",
        ] {
            assert!(addresses_in(text).contains(&v4), "{text}");
        }
        let v6: IpAddr = "2001:db8::17".parse().unwrap();
        for text in [
            "2001:db8::17",
            "https://[2001:DB8:0:0:0:0:0:17]/",
            "2001-db8--17.isp.test",
            "2001:0db8:0000:0000:0000:0000:0000:0017",
            "20010db8000000000000000000000017",
            "7.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "2001%3Adb8%3A%3A17",
        ] {
            assert!(addresses_in(text).contains(&v6), "{text}");
        }
    }

    #[test]
    fn other_texts_mention_other_addresses() {
        let v4: IpAddr = "198.51.100.23".parse().unwrap();
        for text in ["", "198.51.100.230", "198.51.100", "outlook-verify.net", "Mozilla/5.0 (X11; Linux x86_64)"] {
            assert!(!addresses_in(text).contains(&v4), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,120}") {
            let _ = addresses_in(&text);
        }

        #[test]
        fn any_address_in_any_text_is_seen(bits: u32, before in "[a-z/?=]{0,8}", after in "[a-z/&]{0,8}") {
            let v4 = Ipv4Addr::from_bits(bits);
            // A letter is a hexadecimal digit too, so the texts around keep a distance.
            let text = format!("{before}/{v4}/{after}");
            prop_assert!(addresses_in(&text).contains(&v4.into()));
        }
    }
}
