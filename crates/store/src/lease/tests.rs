//! A core that signs, a sensor that obeys, and clocks that go wrong.

use std::time::Duration;

use model::case::{AnswerPolicy, NoticeTerms};
use model::id::{CaseId, OrderId, SensorId};
use model::order::Acts;
use model::seizure::{AnswerEffect, ServiceMode};
use model::{Digest, DomainName, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::DataFolder;
use crate::log::{NoteError, SigningKey};

const T0: i64 = 1_553_688_000;

fn at(secs: i64) -> Instants {
    Instants { wall: time(secs), running: Duration::from_secs(secs.unsigned_abs()) }
}

fn time(secs: i64) -> Timestamp {
    Timestamp::from_second(T0 + secs).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(Some("core.example"), [7; 32]).unwrap()
}

fn name(text: &str, effect: AnswerEffect, lapse: Lapse) -> LeasedName {
    let name = DomainName::parse(text).unwrap();
    LeasedName { name, acts: Acts::default().to_bits(), effect, mode: ServiceMode::Collect, lapse, captured: None }
}

fn body(valid_until: Option<Timestamp>) -> ZoneBody {
    let group = ZoneGroup {
        case: CaseId::parse("c-1").unwrap(),
        order: OrderId::parse("o-1").unwrap(),
        valid_until,
        lapsed: false,
        exercise: true,
        case_title: "Case one".into(),
        contact: "abuse@example.org".into(),
        issuer: "A court".into(),
        docket_number: Some("1:19-cv-1".into()),
        answer_policy: AnswerPolicy::Notice,
        notice: NoticeTerms::default(),
        name_servers: vec![DomainName::parse("ns1.sinkhole.example").unwrap()],
        answers: None,
        sealed_until: None,
        names: vec![
            name("held.test", AnswerEffect::Unknown, Lapse::Hold),
            name("killed.test", AnswerEffect::KillSwitch, Lapse::KeepUntil),
            name("refused.test", AnswerEffect::Unknown, Lapse::Refuse),
        ],
    };
    ZoneBody { version: 1, groups: vec![group] }
}

fn octets(body: &ZoneBody) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

fn grant(version: u64, octets: &[u8], issued: i64) -> Grant {
    let (zones, len) = (Digest::of_bytes(octets), octets.len() as u64);
    Grant { sensor: SensorId(2), version, zones, octets: len, issued: time(issued), until: time(issued + 100) }
}

struct Sensor {
    home: TempDir,
    keeper: Keeper,
}

impl Sensor {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        DataFolder::open(home.path(), "t", time(0)).unwrap().become_sensor(SensorId(2)).unwrap();
        let keeper = Self::open(&home, at(0));
        Self { home, keeper }
    }

    fn open(home: &TempDir, at: Instants) -> Keeper {
        let folder = DataFolder::open(home.path(), "t", at.wall).unwrap();
        Keeper::open(&folder, key().verifying().clone(), at).unwrap()
    }

    fn restart(&mut self, at: Instants) {
        self.keeper = Self::open(&self.home, at);
    }

    fn take(&mut self, grant: &Grant, octets: Option<&[u8]>, asked: Instants) -> Result<(), GrantError> {
        self.keeper.take(&key().sign(&grant.to_text()), octets, asked).unwrap()
    }

    /// Each name with its mode, and whether its authority has ended.
    fn serves(&mut self, at: Instants) -> Vec<(String, ServiceMode, bool)> {
        let zones = self.keeper.zones(at).zones;
        let zone = |zone: &crate::Zone| {
            (zone.apex().as_str().to_owned(), zone.mode(), zone.coverage().has_lapsed(Timestamp::UNIX_EPOCH))
        };
        zones.iter().map(zone).collect()
    }

    fn names(&mut self, at: Instants) -> Vec<String> {
        self.serves(at).into_iter().map(|(name, ..)| name).collect()
    }
}

const ALL: [&str; 3] = ["held.test", "killed.test", "refused.test"];

#[test]
fn a_grant_and_a_set_are_written_as_ever() {
    let octets = octets(&body(Some(time(50))));
    insta::assert_snapshot!(format!(
        "{}\n{}",
        String::from_utf8(octets.clone()).unwrap(),
        grant(57, &octets, 0).to_text()
    ));
}

#[test]
fn what_the_core_signed_is_served_until_the_lease_is_over_and_each_name_does_as_it_says() {
    let (mut sensor, octets) = (Sensor::new(), octets(&body(None)));
    assert!(sensor.names(at(0)).is_empty());
    sensor.take(&grant(5, &octets, 0), Some(&octets), at(0)).unwrap();
    assert_eq!(sensor.names(at(99)), ALL);
    let over = [("held.test".into(), ServiceMode::Hold, false), ("killed.test".into(), ServiceMode::Collect, false)];
    assert_eq!(sensor.serves(at(100)), over);
    sensor.take(&grant(5, &octets, 150), None, at(150)).unwrap();
    assert_eq!(sensor.names(at(160)), ALL, "renewed without its zones travelling again");
    sensor.restart(at(170));
    assert_eq!(sensor.names(at(170)), ALL);
    sensor.restart(at(260));
    assert_eq!(sensor.serves(at(260)), over);
}

#[test]
fn an_authority_ends_within_the_lease_and_no_clock_that_is_set_back_lengthens_it() {
    let (mut sensor, octets) = (Sensor::new(), octets(&body(Some(time(50)))));
    sensor.take(&grant(5, &octets, 0), Some(&octets), at(0)).unwrap();
    let ended = |sensor: &mut Sensor, at| sensor.serves(at).iter().map(|(_, _, ended)| *ended).collect::<Vec<_>>();
    assert_eq!(ended(&mut sensor, at(49)), [false; 3]);
    let back = Instants { wall: time(-9_000), ..at(50) };
    assert_eq!(ended(&mut sensor, back), [true; 3]);
    assert_eq!(sensor.names(Instants { wall: time(-9_000), ..at(101) }), ["held.test", "killed.test"]);
    sensor.restart(Instants { wall: time(-9_000), running: Duration::ZERO });
    let just_started = Instants { wall: time(-9_000), running: Duration::from_secs(1) };
    assert_eq!(sensor.names(just_started), ["held.test", "killed.test"], "nobody knows what time it is");
    assert_eq!(ended(&mut sensor, just_started), [true; 2]);
}

#[test]
fn nothing_older_nothing_of_others_and_nothing_unsigned_is_obeyed() {
    let (mut sensor, octets) = (Sensor::new(), octets(&body(None)));
    let first = grant(5, &octets, 10);
    sensor.take(&first, Some(&octets), at(10)).unwrap();
    let refused = |sensor: &mut Sensor, grant: &Grant| sensor.take(grant, Some(&octets), at(20)).unwrap_err();
    assert!(matches!(refused(&mut sensor, &grant(4, &octets, 20)), GrantError::Older { theirs: 4, ours: 5, .. }));
    assert!(matches!(refused(&mut sensor, &grant(5, &octets, 9)), GrantError::Older { .. }));
    let other = Grant { sensor: SensorId(3), ..grant(6, &octets, 20) };
    assert_eq!(refused(&mut sensor, &other), GrantError::OtherSensor(SensorId(3)));
    let endless = Grant { until: time(20) + LEASE_MAX + Duration::from_secs(1), ..grant(6, &octets, 20) };
    assert_eq!(refused(&mut sensor, &endless), GrantError::TooLong);
    let backwards = Grant { until: time(19), ..grant(6, &octets, 20) };
    assert_eq!(refused(&mut sensor, &backwards), GrantError::TooLong);
    let elsewhere = Grant { zones: Digest([9; 32]), ..grant(6, &octets, 20) };
    assert!(matches!(refused(&mut sensor, &elsewhere), GrantError::OtherZones(_)));
    let thief = SigningKey::from_seed(Some("core.example"), [8; 32]).unwrap();
    let forged = sensor.keeper.take(&thief.sign(&grant(6, &octets, 20).to_text()), Some(&octets), at(20)).unwrap();
    assert!(matches!(forged, Err(GrantError::Note(NoteError::NotSigned(_)))));
    let odd = key().sign(&first.to_text().replace("version 5", "version 05"));
    assert_eq!(sensor.keeper.check(&odd), Err(GrantError::NoGrant));
    assert_eq!(sensor.keeper.holds(), Some((5, Digest::of_bytes(&octets))));
    assert_eq!(sensor.names(at(30)), ALL);
}

#[test]
fn zones_that_were_changed_on_disk_are_not_served() {
    let (mut sensor, octets) = (Sensor::new(), octets(&body(None)));
    sensor.take(&grant(5, &octets, 0), Some(&octets), at(0)).unwrap();
    let file = sensor.home.path().join(format!("zones/{}.json", Digest::of_bytes(&octets)));
    let changed = String::from_utf8(octets).unwrap().replace("held.test", "other.test");
    std::fs::write(file, changed).unwrap();
    sensor.restart(at(1));
    assert!(sensor.names(at(1)).is_empty() && sensor.keeper.holds().is_none());
}

#[test]
fn a_later_set_takes_the_place_of_the_one_before_and_leaves_no_file_of_it() {
    let (mut sensor, first) = (Sensor::new(), octets(&body(None)));
    sensor.take(&grant(5, &first, 0), Some(&first), at(0)).unwrap();
    let none = octets(&ZoneBody { version: 1, groups: Vec::new() });
    sensor.take(&grant(6, &none, 1), Some(&none), at(1)).unwrap();
    assert!(sensor.names(at(2)).is_empty());
    let files: Vec<_> = std::fs::read_dir(sensor.home.path().join("zones")).unwrap().collect();
    assert_eq!(files.len(), 3, "zones, grant and clock: {files:?}");
    let older = grant(5, &first, 2);
    assert!(sensor.take(&older, Some(&first), at(2)).is_err(), "a name that was handed back stays handed back");
}

#[test]
fn a_set_comes_back_as_the_zones_that_it_was_made_of() {
    let (mut sensor, octets) = (Sensor::new(), octets(&body(Some(time(500)))));
    sensor.take(&grant(5, &octets, 0), Some(&octets), at(0)).unwrap();
    let zones = sensor.keeper.zones(at(1));
    assert_eq!(zones.serial, 5);
    let bulletin = Bulletin::of(&zones, 6, Lapse::Refuse, time(1));
    let again: ZoneBody = serde_json::from_slice(&bulletin.octets).unwrap();
    let mut wanted = body(Some(time(500)));
    wanted.groups[0].names[0].lapse = Lapse::Refuse;
    assert_eq!(again, wanted, "the lapse is the operator's, and a kill switch's is its own");
}
