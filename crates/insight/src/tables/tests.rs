use std::net::IpAddr;

use super::ranges::prefixes;
use super::*;

fn table(text: &str) -> Result<Tables, TableError> {
    let mut tables = Tables::empty();
    tables.add("own.csv", text.as_bytes().to_vec(), TableLimits::default()).map(|()| tables)
}

fn told(tables: &Tables, address: &str) -> String {
    let origin = tables.origin(address.parse().unwrap());
    let asn = origin.asn.map_or("-".into(), |asn| asn.to_string());
    let country = origin.country.map_or("-".into(), |country| country.to_string());
    format!("{asn} {} {country}", origin.as_name.as_deref().unwrap_or("-"))
}

#[test]
fn the_longest_prefix_wins() {
    let tables = table(
        "network,asn,as_name,country\n\
         192.0.2.0/24,64496,\"Example, Inc\",NL\n\
         192.0.2.64/26,AS64497,Example Inner,DE\n\
         2001:db8::/32,64498,Example Six,FR\n",
    )
    .unwrap();
    for (address, expected) in [
        ("192.0.2.1", "AS64496 Example, Inc NL"),
        ("192.0.2.65", "AS64497 Example Inner DE"),
        ("::ffff:192.0.2.65", "AS64497 Example Inner DE"),
        ("2001:db8::1", "AS64498 Example Six FR"),
        ("198.51.100.1", "- - -"),
    ] {
        assert_eq!(told(&tables, address), expected, "{address}");
    }
}

#[test]
fn a_range_is_cut_into_the_fewest_networks() {
    for (first, last, expected) in [
        ("192.0.2.0", "192.0.2.255", vec!["192.0.2.0/24"]),
        ("192.0.2.1", "192.0.2.4", vec!["192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/32"]),
        ("0.0.0.0", "255.255.255.255", vec!["0.0.0.0/0"]),
        ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", vec!["::/0"]),
        ("2001:db8::", "2001:db8::1", vec!["2001:db8::/127"]),
    ] {
        let cut = prefixes(first.parse().unwrap(), last.parse().unwrap()).unwrap();
        assert_eq!(cut.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }
    let ends: [IpAddr; 2] = ["0.0.0.1".parse().unwrap(), "255.255.255.254".parse().unwrap()];
    assert_eq!(prefixes(ends[0], ends[1]).unwrap().len(), 62, "the most that IPv4 needs");
    let tables = table("first,last,asn,as_name,country\n192.0.2.1,192.0.2.4,64496,Example,NL\n").unwrap();
    assert_eq!(told(&tables, "192.0.2.3"), "AS64496 Example NL");
    assert_eq!(told(&tables, "192.0.2.5"), "- - -");
}

#[test]
fn a_bad_row_refuses_the_table_with_file_line_and_hint() {
    let head = "network,asn,as_name,country\n192.0.2.0/24,64496,Example,NL\n# a remark\n";
    for (row, expected) in [
        ("192.0.2.1/24,1,x,NL", "own.csv:4: `192.0.2.1/24`: bits are set beyond the prefix length"),
        ("192.0.2.0/24,1,x,NL", "own.csv:4: 192.0.2.0/24 stands in line 2 already"),
        ("198.51.100.0/24,ASX,x,NL", "own.csv:4: `ASX` is no AS number"),
        ("198.51.100.0/24,1,x,nl", "own.csv:4: `nl`: a country has two capital letters"),
        ("198.51.100.0/24,1,x", "own.csv:4: 3 columns where the header has 4"),
        ("nonsense,1,x,NL", "own.csv:4: `nonsense`: not a network such as"),
    ] {
        let error = table(&format!("{head}{row}\n")).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(error.contains("\nhint: "), "{error}");
    }
    let error = table("cidr,asn\n").map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("own.csv:1: the header is not one of a table"), "{error}");
    let error = table("first,last,asn,as_name,country\n192.0.2.9,192.0.2.1,,,\n").map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("own.csv:2: 192.0.2.9 to 192.0.2.1 is no range"), "{error}");
}

#[test]
fn both_limits_of_a_table_hold() {
    let text = "network,asn,as_name,country\n192.0.2.0/25,,,\n192.0.2.128/25,,,\n";
    let read = |limits| Tables::empty().add("own.csv", text.as_bytes().to_vec(), limits).map_err(|e| e.to_string());
    assert_eq!(read(TableLimits { networks_max: 2, octets_max: text.len() as u64 }), Ok(()));
    assert!(read(TableLimits { networks_max: 1, ..TableLimits::default() }).unwrap_err().contains("more than 1"));
    assert!(read(TableLimits { octets_max: 9, ..TableLimits::default() }).unwrap_err().contains("at most 9"));
}

#[test]
fn the_demos_table_tells_its_networks_apart() {
    let tables = Tables::demo();
    assert_eq!(told(&tables, "127.66.1.2"), "AS64508 Example Withheld Line IR");
    assert_eq!(told(&tables, "127.10.1.2"), "AS64497 Example Fixed Line US");
    assert_eq!(told(&tables, "127.53.0.1"), "AS64507 Example Resolvers US");
    assert_eq!(told(&tables, "127.200.0.1"), "- - -");
}

#[test]
fn other_tables_have_another_digest() {
    let one = table("network,asn,as_name,country\n").unwrap();
    assert_eq!(one.digest(), table("network,asn,as_name,country\n").unwrap().digest());
    assert_ne!(one.digest(), Tables::empty().digest());
    assert_ne!(one.digest(), Tables::demo().digest());
}

//----------- MMDB -------------------------------------------------------------------------------------------------

#[test]
fn an_mmdb_file_is_read_in_both_dialects_and_beside_a_text_table() {
    let geolite = [text("country"), map(&[(text("iso_code"), text("NL"))])].concat();
    let geolite = mmdb("192.0.2.0", 24, &[&[0xe1], &geolite[..]].concat());
    let mut tables = Tables::empty();
    tables.add("country.mmdb", geolite, TableLimits::default()).unwrap();
    assert_eq!(told(&tables, "192.0.2.9"), "- - NL");
    assert_eq!(told(&tables, "192.0.3.9"), "- - -");
    assert_eq!(told(&tables, "2001:db8::1"), "- - -", "the file knows IPv4 only");

    let flat = map(&[
        (text("asn"), text("AS64496")),
        (text("as_name"), text("Example")),
        (text("country"), text("Nederland")),
        (text("country_code"), text("DE")),
    ]);
    tables.add("flat.mmdb", mmdb("192.0.2.0", 25, &flat), TableLimits::default()).unwrap();
    assert_eq!(told(&tables, "192.0.2.9"), "AS64496 Example DE", "the longer prefix wins between tables too");
    assert_eq!(told(&tables, "192.0.2.200"), "- - NL");
}

#[test]
fn a_damaged_mmdb_file_is_refused() {
    let mut bytes = mmdb("192.0.2.0", 24, &map(&[(text("asn"), text("AS64496"))]));
    let data = 24 * 6 + 16;
    bytes[data] = 0xff;
    let error = Tables::empty().add("bad.mmdb", bytes, TableLimits::default()).unwrap_err();
    assert!(error.to_string().starts_with("bad.mmdb: the MMDB file is damaged"), "{error}");
}

/// The smallest file of the MMDB format 2.0: one network, one record.
fn mmdb(network: &str, len: u32, record: &[u8]) -> Vec<u8> {
    let bits = network.parse::<std::net::Ipv4Addr>().unwrap().to_bits();
    let mut file = Vec::new();
    for depth in 0..len {
        let on = if depth + 1 == len { len + 16 } else { depth + 1 };
        let pair = if bits >> (31 - depth) & 1 == 0 { [on, len] } else { [len, on] };
        pair.iter().for_each(|node| file.extend_from_slice(&node.to_be_bytes()[1..]));
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(record);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let two = |n: u16| [&[0xa2], &n.to_be_bytes()[..]].concat();
    file.extend(map(&[
        (text("binary_format_major_version"), two(2)),
        (text("binary_format_minor_version"), two(0)),
        (text("build_epoch"), [&[0x08, 0x02], &1_553_472_000_u64.to_be_bytes()[..]].concat()),
        (text("database_type"), text("Example")),
        (text("description"), map(&[(text("en"), text("Example"))])),
        (text("ip_version"), two(4)),
        (text("languages"), vec![0x00, 0x04]),
        (text("node_count"), [&[0xc4], &len.to_be_bytes()[..]].concat()),
        (text("record_size"), two(24)),
    ]));
    file
}

fn text(text: &str) -> Vec<u8> {
    [&[0x40 | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xe0 | u8::try_from(entries.len()).unwrap()];
    entries.iter().for_each(|(key, value)| out.extend([key.clone(), value.clone()].concat()));
    out
}
