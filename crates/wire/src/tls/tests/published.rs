//! Fingerprints that others publish, for clients that others saw: each row becomes a hello, is read, and must give
//! the same JA3 and JA4.
//!
//! The rows hold what a client offers, not the octets that somebody captured: fingerprints see no more than that.
//! QUIC (`q`) and DTLS (`d`) are absent, since no machine here reads their hellos. So are published values that contradict
//! JA4.md: nDPI writes `ht` for `http/1.1`, chooses `d` or `i` by the name that it knows for a flow, and hashes an empty
//! list of extensions; FoxIO's own tools say `99` for an ALPN of other octets, where the text of 2026 says its hex.

use super::*;

const PUBLISHED: &str = include_str!("published.txt");
/// What the trap promises.
const HELLOS_MIN: usize = 30;

/// One row: who published it, what it should be, and what the client says.
struct Row {
    source: String,
    ja3: &'static str,
    ja4: &'static str,
    said: Said,
}

impl Row {
    fn parse(line: &'static str) -> Self {
        let columns: Vec<&str> = line.split('|').collect();
        let [source, capture, ja3, ja4, version, versions, ciphers, extensions, groups, formats, algorithms, protocols] =
            columns[..]
        else {
            panic!("{line} has {} columns", columns.len())
        };
        let content = |kind| match kind {
            0x0000 => sni("client.example"),
            0x000a => list16(&hex(groups)),
            0x000b => vector8(hex(formats).iter().map(|format| u8::try_from(*format).unwrap())),
            0x000d => list16(&hex(algorithms)),
            0x0010 => alpn(&protocols.split(',').map(str::as_bytes).collect::<Vec<_>>()),
            0x002b => vector8(numbers(&hex(versions))),
            _ => vec![],
        };
        let extensions = hex(extensions).into_iter().map(|kind| (kind, content(kind))).collect();
        let said = Said { version: hex(version)[0], ciphers: hex(ciphers), extensions };
        Self { source: format!("{source} {capture}"), ja3, ja4, said }
    }
}

fn hex(list: &str) -> Vec<u16> {
    let numbers = list.split(',').filter(|number| !number.is_empty());
    numbers.map(|number| u16::from_str_radix(number, 16).unwrap()).collect()
}

fn vector8(content: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let content: Vec<u8> = content.into_iter().collect();
    [vec![u8::try_from(content.len()).unwrap()], content].concat()
}

#[test]
fn each_published_client_has_its_published_fingerprints() {
    let rows: Vec<Row> = PUBLISHED.lines().filter(|line| !line.starts_with('#')).map(Row::parse).collect();
    for row in &rows {
        let hello = read(&row.said.records(16_384));
        assert!(!hello.oddities.contains(&Oddity::HelloGarbage), "{}", row.source);
        assert_eq!((ja3(&hello).as_str(), ja4(&hello).as_str()), (row.ja3, row.ja4), "{}", row.source);
        let cut = read(&row.said.records(7));
        assert_eq!((ja3(&cut).as_str(), ja4(&cut).as_str()), (row.ja3, row.ja4), "{} in records of 7", row.source);
    }
    let mut values: Vec<&str> = rows.iter().map(|row| row.ja4).collect();
    values.sort_unstable();
    values.dedup();
    assert!(values.len() >= HELLOS_MIN, "{} values", values.len());
}

#[test]
fn one_number_changed_is_another_fingerprint() {
    let row = PUBLISHED.lines().rfind(|line| !line.starts_with('#')).map(Row::parse).unwrap();
    let mut said = row.said;
    said.ciphers[1] ^= 0x0100;
    let hello = read(&said.records(16_384));
    assert!(ja3(&hello) != row.ja3 && ja4(&hello) != row.ja4);
}
