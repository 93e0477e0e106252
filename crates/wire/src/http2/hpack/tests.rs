//! The examples of RFC 7541, Appendix C, and every limit.

use proptest::prelude::*;

use super::tables::TABLE_OCTETS_MAX;
use super::*;

const ROOM: Room = Room { octets_max: 16 * 1024, fields_max: 128 };

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// What a decoder makes of a block, one line per field.
fn told(decoder: &mut Decoder, block: &[u8], room: Room) -> (Vec<String>, Result<(), Fault>) {
    let mut fields = Fields::default();
    let result = decoder.read(block, room, &mut fields);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (fields.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect(), result)
}

fn story(blocks: &[(&str, &[&str])]) {
    let mut decoder = Decoder::default();
    for (hex, expected) in blocks {
        let (fields, result) = told(&mut decoder, &bytes(hex), ROOM);
        assert_eq!((fields, result), (expected.iter().map(ToString::to_string).collect(), Ok(())), "{hex}");
    }
}

#[test]
fn integers_as_in_c1() {
    assert_eq!(integer::read(&[0b1110_1010], 5), Ok((10, &[][..])));
    assert_eq!(integer::read(&[0b0001_1111, 0b1001_1010, 0b0000_1010], 5), Ok((1337, &[][..])));
    assert_eq!(integer::read(&[42], 8), Ok((42, &[][..])));
    for value in [0, 1, 30, 31, 32, 126, 127, 128, 1337, 16_383, 1 << 27] {
        let mut out = Vec::new();
        integer::write(&mut out, value, 5, 0);
        assert_eq!(integer::read(&out, 5), Ok((value, &[][..])));
    }
    for endless in
        [&[0x1f, 0x80, 0x80, 0x80, 0x80, 0x00][..], &[0x1f, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x1f, 0x80], &[]]
    {
        assert_eq!(integer::read(endless, 5), Err(Fault::Code), "{endless:?}");
    }
}

#[test]
fn fields_as_in_c2() {
    story(&[("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", &["custom-key: custom-header"])]);
    story(&[("040c 2f73 616d 706c 652f 7061 7468", &[":path: /sample/path"])]);
    story(&[("1008 7061 7373 776f 7264 0673 6563 7265 74", &["password: secret"])]);
    story(&[("82", &[":method: GET"])]);
}

const REQUESTS: [&[&str]; 3] = [
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
    &[
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
    ],
];

#[test]
fn requests_as_in_c3_and_c4() {
    story(&[
        ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUESTS[0]),
        ("8286 84be 5808 6e6f 2d63 6163 6865", REQUESTS[1]),
        ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", REQUESTS[2]),
    ]);
    story(&[
        ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUESTS[0]),
        ("8286 84be 5886 a8eb 1064 9cbf", REQUESTS[1]),
        ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", REQUESTS[2]),
    ]);
}

/// C.5 and C.6 evict; their table has 256 octets, which the encoder may choose by an update in front of a block.
#[test]
fn responses_as_in_c5_and_c6() {
    let at_21 = "date: Mon, 21 Oct 2013 20:13:21 GMT";
    let location = "location: https://www.example.com";
    let told = [
        &[":status: 302", "cache-control: private", at_21, location][..],
        &[":status: 307", "cache-control: private", at_21, location],
        &[
            ":status: 200",
            "cache-control: private",
            "date: Mon, 21 Oct 2013 20:13:22 GMT",
            location,
            "content-encoding: gzip",
            "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        ],
    ];
    let plain = [
        "3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 \
         3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f \
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 \
         303b 2076 6572 7369 6f6e 3d31",
    ];
    let huffman = [
        "3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad \
         1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 \
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    for blocks in [plain, huffman] {
        story(&blocks.into_iter().zip(told).collect::<Vec<_>>());
    }
}

#[test]
fn what_breaks_the_code() {
    for (name, hex) in [
        ("index zero", "80"),
        ("an index beyond both tables", "be"),
        ("a name beyond both tables", "7e 01 61"),
        ("an endless integer", "ff ff ff ff ff ff ff ff"),
        ("a string that is cut", "00 05 61"),
        ("no value", "00 01 61"),
        ("padding of eight bits", "00 01 61 82 1f ff"),
        ("padding of zeros", "00 01 61 81 18"),
        ("EOS in the text", "00 01 61 84 ff ff ff ff"),
        ("a table above ours", "3f e2 1f"),
        ("an update behind a field", "82 20"),
    ] {
        let (fields, result) = told(&mut Decoder::default(), &bytes(hex), ROOM);
        assert_eq!(result, Err(Fault::Code), "{name}");
        assert_eq!(fields, if hex.starts_with("82") { &[":method: GET"][..] } else { &[] }, "{name}");
    }
    let exact = told(&mut Decoder::default(), &bytes("3f e1 1f 20 82"), ROOM);
    assert_eq!(exact, (vec![":method: GET".to_owned()], Ok(())), "our size, then none, are both allowed");
}

#[test]
fn every_limit_is_reached() {
    let many = vec![0x82; 200];
    let (fields, result) = told(&mut Decoder::default(), &many, ROOM);
    assert_eq!((fields.len(), result), (ROOM.fields_max, Err(Fault::TooMany)));

    // One entry of 4000 octets, then an index per octet: 16 KiB would become 64 MB.
    let mut bomb = bytes("40 01 61 7f a1 1e");
    bomb.extend(vec![b'x'; 4000]);
    bomb.extend(vec![0xbe; 16_000]);
    let mut fields = Fields::default();
    let result = Decoder::default().read(&bomb, ROOM, &mut fields);
    assert_eq!((fields.iter().count(), result), (4, Err(Fault::TooLong)));
    assert!(fields.octets.len() <= ROOM.octets_max);

    // Thirty-two thousand zeros of five bits: '0' sixteen hundred times per thousand octets.
    let mut text = bytes("00 01 61 ff 81 9b 01");
    text.extend(vec![0; 20_000]);
    let mut fields = Fields::default();
    let result = Decoder::default().read(&text, ROOM, &mut fields);
    assert_eq!(result, Err(Fault::TooLong));
    assert!(fields.octets.len() <= ROOM.octets_max);
}

#[test]
fn a_table_never_holds_more_than_it_may() {
    let mut tables = Tables::default();
    for n in 0..10_000 {
        tables.insert(b"name", n.to_string().as_bytes());
    }
    tables.insert(b"", &[0; TABLE_OCTETS_MAX - FIELD_OVERHEAD]);
    assert!(tables.field(62).is_some() && tables.field(63).is_none(), "one entry fills the table");
    tables.insert(b"", &[0; TABLE_OCTETS_MAX]);
    assert!(tables.field(62).is_none(), "one that is too large empties it");
    for _ in 0..1000 {
        tables.insert(b"", b"");
    }
    assert!(tables.field(61 + 128).is_some() && tables.field(62 + 128).is_none(), "128 entries of nothing fill it");
}

#[test]
fn our_own_fields_read_back() {
    let mut block = vec![EMPTY_TABLE];
    for code in [200, 204, 404, 100, 421] {
        status(&mut block, code);
    }
    literal(&mut block, b"content-type", b"text/html");
    literal(&mut block, b"x-content-type-options", "n".repeat(300).as_bytes());
    let (fields, result) = told(&mut Decoder::default(), &block, ROOM);
    assert_eq!(result, Ok(()));
    assert_eq!(fields[..5], [":status: 200", ":status: 204", ":status: 404", ":status: 100", ":status: 421"]);
    assert_eq!(fields[5], "content-type: text/html");
    assert_eq!(fields[6], format!("x-content-type-options: {}", "n".repeat(300)));
}

proptest! {
    #[test]
    fn any_octets_stay_within_the_room(blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 1..6)) {
        let mut decoder = Decoder::default();
        let room = Room { octets_max: 600, fields_max: 9 };
        for block in blocks {
            let mut fields = Fields::default();
            let _ = decoder.read(&block, room, &mut fields);
            prop_assert!(fields.octets.len() + FIELD_OVERHEAD * fields.ends.len() <= room.octets_max);
            prop_assert!(fields.iter().count() <= room.fields_max);
        }
    }
}
