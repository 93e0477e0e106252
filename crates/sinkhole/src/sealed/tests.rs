//! Keys in every form, and names that come back for one key alone.

use proptest::prelude::*;

use super::*;

/// Written by `openssl genpkey -algorithm X25519` and `openssl pkey -pubout`.
const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq
-----END PRIVATE KEY-----
";
/// The key of Alice in RFC 7748, 6.1: what stands above in PEM.
const PRIVATE_HEX: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const PUBLIC_HEX: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
-----END PUBLIC KEY-----
";

#[test]
fn a_key_is_the_same_in_every_form() {
    let keys = [PRIVATE_PEM, PRIVATE_HEX].map(|text| OpeningKey::parse(text).unwrap());
    for key in &keys {
        // What comes out is clamped (RFC 7748, 5), and the same key.
        assert_eq!(OpeningKey::parse(&key.to_text()).unwrap().sealing(), key.sealing());
        assert_eq!(key.sealing().to_string(), PUBLIC_HEX);
        for text in [PUBLIC_PEM, PUBLIC_HEX, &format!("  {}\n", PUBLIC_HEX.to_uppercase())] {
            assert_eq!(&SealingKey::parse(text).unwrap(), key.sealing());
        }
    }
}

#[test]
fn what_is_no_key_is_refused_with_the_reason() {
    for (text, why) in [
        ("", BadKey::Form),
        ("8520", BadKey::Form),
        (&PUBLIC_HEX.replace('8', "g"), BadKey::Form),
        ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n", BadKey::Form),
        // Ed25519.
        (&PUBLIC_PEM.replace("K2Vu", "K2Vw"), BadKey::Kind),
        (PRIVATE_PEM, BadKey::Private),
        (&"00".repeat(32), BadKey::Weak),
        (&format!("01{}", "00".repeat(31)), BadKey::Weak),
    ] {
        assert_eq!(SealingKey::parse(text), Err(why), "{text}");
    }
    assert_eq!(OpeningKey::parse(PUBLIC_PEM).err(), Some(BadKey::Form));
    assert_eq!(OpeningKey::parse("x").err(), Some(BadKey::Form));
}

#[test]
fn a_name_opens_for_its_key_alone() {
    let (ours, other) = (OpeningKey::generate(), OpeningKey::generate());
    let sealed = ours.sealing().seal_octets(b"bob@example.org").unwrap();
    assert_eq!(ours.open(&sealed).unwrap().as_slice(), b"bob@example.org");
    let (sealed_to, known) = (ours.sealing().id(), other.sealing().id());
    assert_eq!(other.open(&sealed), Err(NotOpened::OtherKey { sealed_to, ours: known }));
    assert_ne!(ours.sealing().seal_octets(b"bob@example.org").unwrap(), sealed, "nothing can be compared");
}

#[test]
fn whoever_claims_the_key_has_to_have_it() {
    let (ours, other) = (OpeningKey::generate(), OpeningKey::generate());
    let mut sealed = other.sealing().seal_octets(b"bob").unwrap();
    sealed[..ID_OCTETS].copy_from_slice(&ours.sealing().id().0);
    assert_eq!(ours.open(&sealed), Err(NotOpened::Damaged));
}

proptest! {
    #[test]
    fn the_length_tells_nothing(name in proptest::collection::vec(any::<u8>(), 0..=ACCOUNT_OCTETS_MAX)) {
        let key = OpeningKey::parse(PRIVATE_HEX).unwrap();
        let sealed = key.sealing().seal_octets(&name).unwrap();
        prop_assert_eq!(sealed.len(), SEALED_OCTETS);
        let opened = key.open(&sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), &name[..]);
    }

    #[test]
    fn what_was_changed_does_not_open(at in 0..SEALED_OCTETS, bit in 0u8..8, cut in 0..SEALED_OCTETS) {
        let key = OpeningKey::parse(PRIVATE_HEX).unwrap();
        let mut sealed = key.sealing().seal_octets(b"bob").unwrap();
        prop_assert!(key.open(&sealed[..cut]).is_err());
        sealed[at] ^= 1 << bit;
        // X25519 ignores the last bit of a point (RFC 7748, 5), but HPKE hashes the point as it came.
        prop_assert!(key.open(&sealed).is_err());
    }

    #[test]
    fn opening_anything_ends(bytes: Vec<u8>, text: String) {
        prop_assert!(OpeningKey::parse(PRIVATE_HEX).unwrap().open(&bytes).is_err());
        let _ = (SealingKey::parse(&text), OpeningKey::parse(&text));
    }
}
