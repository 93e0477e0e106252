//! Any octets, as an RDAP server's answer: what is kept is bounded and on one line, and whom we write to has an address.
#![no_main]

use docket::evidence::rdap::{abuse_contact, is_address};
use docket::rdap::{DEPTH_MAX, ENTITIES_MAX, Entity, LIST_MAX, MAIL_OCTETS_MAX, Object, TEXT_CHARS_MAX};
use docket::verify::rdap::Registration;
use libfuzzer_sys::fuzz_target;
use model::DomainName;
use model::notification::Recipient;

fuzz_target!(|octets: &[u8]| {
    for to in Recipient::ALL {
        if let Ok(contact) = abuse_contact(octets, to) {
            assert!(is_address(&contact.address));
            assert!(to == Recipient::Registrar || !contact.of_registrar);
        }
    }
    let Ok(object) = Object::read(octets) else { return };
    check(&object);
    let asked = object.name.clone().unwrap_or_else(|| DomainName::parse("seized.alfa").expect("a name"));
    if let Ok(found) = Registration::read(octets, &asked) {
        assert!(object.is_domain() && object.name.as_ref() == Some(&asked));
        assert!(found.statuses.len() <= LIST_MAX && found.redacted.len() <= LIST_MAX);
    }
});

fn check(object: &Object) {
    let lists = [object.statuses.len(), object.events.len(), object.name_servers.len(), object.redacted.len()];
    assert!(lists.into_iter().all(|len| len <= LIST_MAX));
    check_texts(object.class.iter().chain(&object.handle).chain(&object.statuses).chain(&object.redacted));
    check_texts(object.events.iter().map(|event| &event.action));
    assert!(count(&object.entities, DEPTH_MAX) <= ENTITIES_MAX);
}

/// How many there are, those within others with them.
fn count(entities: &[Entity], depth: usize) -> usize {
    assert!(entities.len() <= LIST_MAX);
    assert!(depth > 0 || entities.is_empty());
    let one = |entity: &Entity| {
        check_texts(entity.handle.iter().chain(&entity.name).chain(&entity.organisation));
        check_texts(entity.roles.iter().chain(&entity.phones));
        check_texts(entity.public_ids.iter().flat_map(|(kind, number)| [kind, number]));
        for mail in &entity.mails {
            assert!((1..=MAIL_OCTETS_MAX).contains(&mail.len()) && !mail.contains(char::is_control));
        }
        1 + count(&entity.entities, depth - 1)
    };
    entities.iter().map(one).sum()
}

fn check_texts<'t>(texts: impl Iterator<Item = &'t String>) {
    for text in texts {
        assert!(!text.is_empty() && text.trim() == text && text.chars().count() <= TEXT_CHARS_MAX);
        assert!(!text.contains(|one: char| one.is_control() || matches!(one, '\u{2028}' | '\u{2029}')));
    }
}
