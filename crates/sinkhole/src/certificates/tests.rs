//! What an authority's certificate may do: tables over names, dates, files and standings.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use model::order::{Act, Acts};
use model::seizure::ServiceMode;
use model::{DomainName, Timestamp};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use store::zones::Zone;
use tempfile::TempDir;

use super::public::{CHAIN_CERTIFICATES_MAX, PEM_OCTETS_MAX};
use super::validity::validity;
use super::{Certificates, Setup, Standing};
use crate::rehearsal::{certifiable, collected, kill_switch, name, zone};
use crate::witness::Concern;
use crate::{Keys, ServedZone, Settings, ZoneTable};

const APEX: &str = "outlook-verify.test";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn served(zone: Zone) -> ServedZone {
    let (table, apex) = (ZoneTable::default(), zone.apex().clone());
    table.replace(store::ZoneSet { serial: 1, zones: vec![zone] }, &Settings::default());
    table.find(&apex.to_wire()).unwrap()
}

/// Key and chain as an authority and we make them, valid over the first quarter of 2026.
fn issued(names: &[&str], chain: usize) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 4, 1));
    let pem = params.self_signed(&key).unwrap().pem();
    format!("{}{}", key.serialize_pem(), pem.repeat(chain))
}

fn for_apex() -> String {
    issued(&[APEX, "*.outlook-verify.test"], 1)
}

struct House {
    folder: TempDir,
    certificates: Certificates,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates =
            Certificates::open(&Keys { dir: folder.path().to_owned() }, at("2026-02-01T00:00:00Z")).unwrap();
        Self { folder, certificates }
    }

    fn shows(&self, zone: &ServedZone, when: &str) -> Setup {
        self.certificates.for_zone(Some(zone), at(when)).unwrap()
    }

    fn is_public(&self, zone: &ServedZone, when: &str) -> bool {
        let found = self.certificates.public().find(zone.zone.apex(), at(when));
        found.is_some_and(|public| public.is(&self.shows(zone, when)))
    }
}

#[test]
fn what_may_be_ordered_and_shown_stands_in_the_order() {
    use ServiceMode::{Collect, Handback, Hold};
    let (now, past, future) = (at("2026-02-01T12:00:00Z"), at("2026-01-31T00:00:00Z"), at("2026-03-01T00:00:00Z"));
    let day = |text: &str| Some(text.parse().unwrap());
    let others = Act::ALL.into_iter().filter(|act| *act != Act::PublicCertificate).collect::<Acts>();
    for (why, zone, standing) in [
        ("permitted", certifiable(APEX, Collect, None, None), Standing::Shown),
        ("permitted until March", certifiable(APEX, Collect, Some(future), None), Standing::Shown),
        ("sealed until today", certifiable(APEX, Collect, None, day("2026-02-01")), Standing::Shown),
        ("sealed until tomorrow", certifiable(APEX, Collect, None, day("2026-02-02")), Standing::Kept),
        ("on hold", certifiable(APEX, Hold, None, None), Standing::Kept),
        ("its authority has ended", certifiable(APEX, Collect, Some(past), None), Standing::Kept),
        ("handed back", certifiable(APEX, Handback, None, None), Standing::Forgotten),
        ("every act but this", zone(APEX, Collect, others, None), Standing::Forgotten),
        ("the usual acts", zone(APEX, Collect, Acts::default(), None), Standing::Forgotten),
        ("a kill switch", kill_switch(APEX, None), Standing::Forgotten),
    ] {
        assert_eq!(Standing::of(&served(zone), now), standing, "{why}");
    }
}

#[test]
fn the_public_certificate_is_shown_while_it_may_be_and_ours_otherwise() {
    let house = House::new();
    let permitted = served(certifiable(APEX, ServiceMode::Collect, None, None));
    assert!(!house.is_public(&permitted, "2026-02-01T00:00:00Z"), "there is none yet");
    house.certificates.public().keep(&name(APEX), &for_apex()).unwrap();
    for (when, is_public) in [
        ("2025-12-31T23:59:59Z", false),
        ("2026-01-01T00:00:00Z", true),
        ("2026-03-31T23:59:59Z", true),
        ("2026-04-01T00:00:00Z", false),
    ] {
        assert_eq!(house.is_public(&permitted, when), is_public, "{when}");
    }
    let sealed = served(certifiable(APEX, ServiceMode::Collect, None, Some("2026-03-01".parse().unwrap())));
    assert!(!house.is_public(&sealed, "2026-02-28T23:59:59Z"));
    assert!(house.is_public(&sealed, "2026-03-01T00:00:00Z"), "the seal has ended, and the key was kept");
    for mode in [ServiceMode::Hold, ServiceMode::Handback] {
        assert!(!house.is_public(&served(certifiable(APEX, mode, None, None)), "2026-02-01T00:00:00Z"), "{mode:?}");
    }
    let another = served(certifiable("other.test", ServiceMode::Collect, None, None));
    assert!(!house.is_public(&another, "2026-02-01T00:00:00Z"));
}

#[test]
fn a_new_one_replaces_the_old_a_restart_finds_it_and_to_forget_destroys_it() {
    let house = House::new();
    let (public, apex, when) = (house.certificates.public(), name(APEX), "2026-02-01T00:00:00Z");
    let permitted = served(certifiable(APEX, ServiceMode::Collect, None, None));
    public.keep(&apex, &for_apex()).unwrap();
    let first = house.shows(&permitted, when);
    public.keep(&apex, &for_apex()).unwrap();
    assert!(!first.is(&house.shows(&permitted, when)));
    assert_eq!(public.renew_at(&apex), Some(at("2026-03-02T00:00:00Z")), "60 of 90 days");
    let file = house.folder.path().join("certificates").join(APEX).join("certificate.pem");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let again = Certificates::open(&Keys { dir: house.folder.path().to_owned() }, at(when)).unwrap();
    assert!(again.public().is_empty());
    again.public().load().unwrap();
    assert_eq!((again.public().len(), again.public().names().unwrap()), (1, vec![apex.clone()]));

    let (draft, note) = (file.with_file_name("certificate.pem.new"), file.with_file_name("note"));
    fs::write(&draft, "half a key").unwrap();
    fs::write(&note, "an operator's").unwrap();
    public.forget(&apex).unwrap();
    assert!(!house.is_public(&permitted, when) && !file.exists() && !draft.exists());
    assert!(note.exists() && public.names().unwrap().is_empty(), "what is not ours stays, and is no certificate");
    fs::remove_file(&note).unwrap();
    public.forget(&apex).unwrap();
    again.public().load().unwrap();
    assert!(again.public().is_empty());
}

#[test]
fn what_does_not_belong_together_is_refused_and_what_was_shown_stays() {
    let house = House::new();
    let (public, apex) = (house.certificates.public(), name(APEX));
    public.keep(&apex, &for_apex()).unwrap();
    let good = for_apex();
    let certificate = &good[good.find("-----BEGIN CERTIFICATE").unwrap()..];
    let long = "#".repeat(PEM_OCTETS_MAX);
    for (why, pem) in [
        ("there is no private key", certificate.to_owned()),
        ("there is no certificate", KeyPair::generate().unwrap().serialize_pem()),
        ("KeyMismatch", format!("{}{certificate}", KeyPair::generate().unwrap().serialize_pem())),
        ("not valid for", issued(&[APEX], 1)),
        ("not valid for", issued(&["*.outlook-verify.test"], 1)),
        ("not valid for", issued(&["login.test", "*.login.test"], 1)),
        ("a chain of more than 8", issued(&[APEX, "*.outlook-verify.test"], CHAIN_CERTIFICATES_MAX + 1)),
        ("more than 65536 octets", format!("{good}{long}")),
        ("there is no private key", String::new()),
    ] {
        let error = public.keep(&apex, &pem).unwrap_err().to_string();
        assert!(error.contains(APEX) && error.contains(why), "{why}: {error}");
    }
    assert_eq!(public.len(), 1);
    fs::write(house.folder.path().join("certificates").join(APEX).join("certificate.pem"), "half").unwrap();
    public.load().unwrap();
    assert!(public.is_empty(), "a broken file is not shown");
    assert_eq!(public.names().unwrap(), [apex], "and is not taken away either");
}

#[test]
fn random_server_names_cost_no_certificates() {
    const NAMES: usize = 20_000;
    const ZONES: usize = 3;
    let house = House::new();
    let zones: Vec<Zone> = (0..ZONES).map(|n| collected(&format!("seized{n}.test"))).collect();
    let table = ZoneTable::default();
    table.replace(store::ZoneSet { serial: 1, zones }, &Settings::default());
    for n in 0..NAMES {
        // One in four under each seized name, as deep as names go, and one in four a stranger's.
        let under = n % (ZONES + 1);
        let sni = format!("{}x{n}.seized{under}.test", "a.".repeat(n % 100));
        let concern = Concern::find(&table, sni.as_bytes(), b"");
        assert_eq!(concern.zone().is_some(), under < ZONES, "{sni}");
        house.certificates.for_zone(concern.zone(), at("2026-02-01T00:00:00Z")).unwrap();
    }
    assert_eq!(house.certificates.shelf.lock().unwrap().len(), ZONES + 1);
}

fn der(names: &[&str]) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(1999, 12, 31), date_time_ymd(2050, 1, 1));
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn dates_are_read_on_both_sides_of_2050() {
    assert_eq!(validity(&der(&[APEX])), Some((at("1999-12-31T00:00:00Z"), at("2050-01-01T00:00:00Z"))));
}

proptest! {
    #[test]
    fn no_octets_of_anybody_make_dates_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = validity(&octets);
    }

    #[test]
    fn nor_does_a_certificate_with_an_octet_changed_or_cut(place in 0_usize..300, octet: u8, cut in 0_usize..300) {
        let mut der = der(&[APEX]);
        if let Some(at) = der.get_mut(place) {
            *at = octet;
        }
        let _ = validity(&der);
        let _ = validity(&der[..cut.min(der.len())]);
    }
}

#[test]
fn a_name_is_a_folder_and_nothing_else() {
    // Names are parsed at the door: none leads out of the folder.
    for text in ["..", "../x.test", "a/b.test", ".", ""] {
        assert!(DomainName::parse(text).is_err(), "{text}");
    }
}
