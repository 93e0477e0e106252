//! Torn tails, flipped bits, leftovers: what was whole is read, what was not is named.

use std::fs;

use proptest::prelude::*;

use super::super::frame::{FRAME_HEADER_LEN, Found, look};
use super::super::segment::{Again, SegmentHeader};
use super::*;

#[test]
fn a_tail_cut_anywhere_is_torn_and_what_was_whole_is_read() {
    let mut house = house(JournalLimits::default());
    let ids = append(&mut house.journal.lane(noon()).unwrap(), 2, noon());
    house.reboot();
    let path = house.segments().remove(0);
    let bytes = fs::read(&path).unwrap();
    let mut ends = vec![SEGMENT_HEADER_LEN];
    while let Found::Whole(sound) = look(&bytes[*ends.last().unwrap()..]) {
        ends.push(ends.last().unwrap() + sound.len);
    }
    assert_eq!(ends.len(), 4, "a clock and two contacts");
    for cut in 0..=bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        let (read, report) = house.read(&mut Cursor::default());
        let whole = ends[1..].iter().filter(|end| **end <= cut).count();
        assert_eq!(read, ids[..whole.saturating_sub(1)], "cut at {cut}");
        assert_eq!(report.torn, u64::from(cut > 0 && !ends.contains(&cut)), "cut at {cut}");
        assert_eq!((report.damaged.len(), report.missing), (0, 0), "cut at {cut}");
    }
}

#[test]
fn zeros_at_the_end_are_what_a_loss_of_power_leaves() {
    let mut house = house(JournalLimits::default());
    append(&mut house.journal.lane(noon()).unwrap(), 2, noon());
    house.reboot();
    let path = house.segments().remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0; 5000]);
    fs::write(&path, &bytes).unwrap();
    let mut cursor = Cursor::default();
    let (read, report) = house.read(&mut cursor);
    assert_eq!((read.len(), report.torn, report.damaged.len()), (2, 1, 0));
    assert_eq!(house.read(&mut cursor).1.torn, 0, "counted once");
}

#[test]
fn a_flipped_bit_costs_its_frame_which_is_named_and_kept() {
    let mut house = house(JournalLimits::default());
    let ids = append(&mut house.journal.lane(noon()).unwrap(), 3, noon());
    house.reboot();
    let path = house.segments().remove(0);
    let bytes = fs::read(&path).unwrap();
    let clock = match look(&bytes[SEGMENT_HEADER_LEN..]) {
        Found::Whole(sound) => sound.len,
        other => panic!("{other:?}"),
    };
    let first = SEGMENT_HEADER_LEN + clock;
    let len = (bytes.len() - first) / 3;
    for byte in 0..len {
        let mut damaged = bytes.clone();
        damaged[first + byte] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let (read, report) = house.read(&mut Cursor::default());
        assert_eq!(read, ids[1..], "byte {byte}");
        let expected = Damage {
            segment: path.file_name().unwrap().to_str().unwrap().into(),
            offset: first as u64,
            len: len as u64,
        };
        assert_eq!((report.damaged, report.missing, report.torn), (vec![expected], 1, 0), "byte {byte}");
    }
    let kept = fs::read_dir(house.home.path().join("quarantine")).unwrap().count();
    assert_eq!(kept, 1, "one damage, one copy");
}

#[test]
fn a_damaged_header_hides_no_frames() {
    let mut house = house(JournalLimits::default());
    let ids = append(&mut house.journal.lane(noon()).unwrap(), 3, noon());
    house.reboot();
    let path = house.segments().remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (read, report) = house.read(&mut Cursor::default());
    assert_eq!((read, report.damaged.len()), (ids, 1));
}

#[test]
fn what_a_failed_write_left_behind_is_not_read_twice() {
    let mut house = house(JournalLimits { segment_bytes: 300, ..JournalLimits::default() });
    let mut lane = house.journal.lane(noon()).unwrap();
    let mut ids = append(&mut lane, 3, noon());
    let first = house.segments().remove(0);
    let leftover = fs::read(&first).unwrap();
    ids.extend(append(&mut lane, 3, noon()));
    let second = house.segments().remove(1);
    // As if the frames of the second segment had first gone to the end of the first one, unacknowledged.
    let mut bytes = leftover;
    bytes.extend(&fs::read(second).unwrap()[SEGMENT_HEADER_LEN..]);
    fs::write(first, bytes).unwrap();
    house.reboot();
    let (read, report) = house.read(&mut Cursor::default());
    assert_eq!((read, report.doubles, report.missing), (ids, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_walked_to_their_end(bytes: Vec<u8>, marks in prop::collection::vec(0..4000usize, 0..8)) {
        let mut bytes = bytes;
        for at in marks.into_iter().filter(|at| at + 4 < bytes.len()).collect::<Vec<_>>() {
            bytes[at..at + 4].copy_from_slice(&[0xb5, 0x1d, 1, 1]);
        }
        let home = tempfile::tempdir().unwrap();
        let name = SegmentName { sensor: SensorId(1), boot: Boot(1), lane: Lane(0), number: 0 };
        fs::write(home.path().join(name.file_name()), &bytes).unwrap();
        let report = read_all(home.path(), &mut |_| ()).unwrap();
        prop_assert_eq!(report.frames, 0);
        let damaged: u64 = report.damaged.iter().map(|damage| damage.len).sum();
        prop_assert!(damaged <= bytes.len() as u64);
    }

    #[test]
    fn a_frame_is_read_as_it_was_written(name in prop::collection::vec(any::<u8>(), 0..300), seq in 0..1u64 << 48) {
        let id = ContactId::new(SensorId(1), Boot(2), Lane(3), seq);
        let frame = Frame::Contact(contact(id, &name));
        let mut bytes = Vec::new();
        let len = frame.encode(id, &mut bytes);
        prop_assert_eq!(bytes.len(), FRAME_HEADER_LEN + len);
        let Found::Whole(sound) = look(&bytes) else { panic!("written whole") };
        prop_assert_eq!(sound.decode().unwrap(), frame);
    }

    #[test]
    fn segment_headers_round_trip(
        seq in 0..1u64 << 48, number: u32, opened_nanos: i64, until: u64, suspect: u32, at in 0..64usize,
    ) {
        let (first, again) = (ContactId::new(SensorId(1), Boot(2), Lane(3), seq), Again { until, suspect });
        let header = SegmentHeader { first, number, opened_nanos, again, start: 7 };
        let mut bytes = header.encode();
        prop_assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        bytes[at] ^= 1;
        prop_assert_eq!(SegmentHeader::decode(&bytes), None);
    }
}
