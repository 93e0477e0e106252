//! Failed syncs: what is in doubt is written again, and read once.

use super::*;

/// Gives the lane a file that takes every write and knows no sync, with the octets of the one before.
fn doom(house: &House, lane: &mut LaneWriter, number: u32) {
    let id = lane.next_id();
    let name = SegmentName { sensor: id.sensor, boot: id.boot, lane: id.lane, number };
    let aside = house.home.path().join("quarantine");
    let mut segment = Segment::create(&aside, name, Begin { seq: id.seq(), now: noon(), start: 7 }).unwrap();
    segment.file = OpenOptions::new().write(true).open("/dev/null").unwrap();
    lane.replace_file(segment);
}

fn name(segment: &Path) -> &str {
    segment.file_name().unwrap().to_str().unwrap()
}

/// Marks the lane's segment as one whose sync failed: the octets are there, as after most failures.
fn fail(house: &House) {
    house.journal.shared.lanes.lock().unwrap().iter().for_each(|lane| lane.current().unwrap().doubt());
}

#[test]
fn a_segment_whose_sync_failed_is_never_synced_again_and_its_tail_begins_a_new_one() {
    let mut house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    house.journal.shared.sync();
    doom(&house, &mut lane, 0);
    let mut ids = append(&mut lane, 2, noon());
    house.journal.shared.sync();
    assert_eq!((house.journal.suspects(), house.segments().len()), (1, 2), "told once, and a new one is there");
    assert_eq!(house.read_all().0, ids, "the null device kept nothing; what it was given stands in the new one");
    house.journal.shared.sync();
    ids.extend(append(&mut lane, 1, noon()));
    house.journal.shared.sync();
    assert_eq!((house.journal.suspects(), house.segments().len()), (1, 2), "tried once; the new one goes on");
    drop(lane);
    house.reboot();
    let (read, report) = house.read(&mut Cursor::default());
    assert_eq!((read, report.missing, report.doubles, report.again), (ids, 0, 0, 0));
}

#[test]
fn a_follower_that_had_read_the_doubtful_octets_does_not_get_them_twice() {
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    house.journal.shared.sync();
    let mut ids = append(&mut lane, 3, noon());
    let (mut early, mut late) = (Cursor::default(), Cursor::default());
    assert_eq!(house.read(&mut early).0, ids);
    fail(&house);
    house.journal.shared.sync();
    ids.extend(append(&mut lane, 2, noon()));
    let (read, report) = house.read(&mut early);
    assert_eq!((read, report.again, report.doubles, report.missing), (ids[3..].to_vec(), 3, 0, 0));
    let (read, report) = house.read(&mut late);
    assert_eq!((read, report.again, report.doubles, report.missing), (ids.clone(), 0, 0, 0), "whoever comes later");
    assert_eq!(house.read_all().0, ids);
}

#[test]
fn a_doubtful_segment_is_passed_over_from_where_another_has_it_again_however_long_it_is() {
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    house.journal.shared.sync();
    let ids = append(&mut lane, 30_000, noon());
    assert!(fs::metadata(house.segments().remove(0)).unwrap().len() > 2 << 20, "several chunks of a reader");
    fail(&house);
    house.journal.shared.sync();
    let (read, report) = house.read_all();
    assert_eq!((read.len(), report.again, report.missing, report.doubles), (ids.len(), 0, 0, 0));
    assert_eq!((report.damaged, report.torn), (vec![], 0));
}

#[test]
fn what_was_committed_to_a_segment_behind_the_doubtful_one_is_written_again_with_it() {
    let house = house(JournalLimits { segment_bytes: 300, ..JournalLimits::default() });
    let mut lane = house.journal.lane(noon()).unwrap();
    house.journal.shared.sync();
    let mut ids = append(&mut lane, 2, noon());
    fail(&house);
    ids.extend(append(&mut lane, 2, noon()));
    ids.extend(append(&mut lane, 2, noon()));
    let before = house.segments();
    house.journal.shared.sync();
    assert_eq!(house.segments().len(), before.len() + 1, "one segment has all of it");
    // As if the power went then: what was not synced is gone from the old ones.
    for doubtful in &before[1..] {
        fs::write(doubtful, b"").unwrap();
    }
    let (read, report) = house.read_all();
    assert_eq!((read, report.missing, report.doubles), (ids, 0, 0));
}

#[test]
fn a_disk_that_goes_on_failing_is_tried_more_and_more_seldom() {
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    append(&mut lane, 1, noon());
    for _ in 0..1000 {
        fail(&house);
        house.journal.shared.sync();
    }
    assert!((8..=12).contains(&house.segments().len()), "{}", house.segments().len());
    let ids = append(&mut lane, 1, noon());
    assert_eq!(house.read_all().0.last(), ids.last());
    assert_eq!(house.read_all().0.len(), 2);
}

#[test]
fn what_is_beyond_the_limit_is_said() {
    let house = house(JournalLimits { unsynced_octets: 100, ..JournalLimits::default() });
    let mut lane = house.journal.lane(noon()).unwrap();
    house.journal.shared.sync();
    doom(&house, &mut lane, 0);
    append(&mut lane, 3, noon());
    house.journal.shared.sync();
    assert_eq!((house.journal.suspects(), house.segments().len()), (1, 1), "there is nothing to write again");
    assert!(house.journal.let_go_octets() > 100);
    append(&mut lane, 1, noon());
    assert_eq!(name(&house.segments()[1]), "00000001-00000001-0000-00000001.seg", "and the lane goes on");
}

#[test]
fn a_tail_that_was_not_wholly_written_again_has_no_name() {
    let mut house = house(JournalLimits::default());
    let ids = append(&mut house.journal.lane(noon()).unwrap(), 2, noon());
    let half = house.home.path().join("journal/00000001-00000001-0000-00000001.new");
    fs::write(&half, b"BWSEGM").unwrap();
    house.reboot();
    assert_eq!(house.read(&mut Cursor::default()).0, ids);
    assert!(!half.exists() && house.home.path().join("quarantine").join(name(&half)).exists(), "named, not deleted");
}
