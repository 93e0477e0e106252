//! Any octets, as a server's reply to our question: it is ours or none, what is kept is bounded, a referral only leads down,
//! and the exhibit of it has no line that we did not write.
#![no_main]

use docket::evidence::dns;
use docket::verify::message::{Content, NoReply, Question, RECORDS_MAX, Reply, host};
use docket::verify::walk::{ADDRESSES_PER_SERVER_MAX, Heard, SERVERS_PER_ZONE_MAX, above, hear};
use domain::base::Rtype;
use libfuzzer_sys::fuzz_target;
use model::DomainName;

fuzz_target!(|octets: &[u8]| {
    let name = DomainName::parse("seized.alfa").expect("a name");
    let told = dns::told(&name, Rtype::NS, octets);
    assert!(!told.contains(|one: char| one.is_control() && !matches!(one, '\n' | '\t')), "{told:?}");
    assert!(told.lines().count() <= dns::RECORDS_MAX + 4);

    let id = octets.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let asked = Question { id, name: host(&name), rtype: Rtype::NS, recursive: false };
    let Ok(reply) = Reply::read(octets, &asked) else { return };
    let other = Question { id: !id, ..asked.clone() };
    assert_eq!(Reply::read(octets, &other), Err(NoReply::OtherId));
    check(&reply, &asked);
});

fn check(reply: &Reply, asked: &Question) {
    let kept = reply.answers.len() + reply.authority.len() + reply.additional.len();
    assert!(kept <= if reply.truncated { 0 } else { RECORDS_MAX });
    let addresses = reply.addresses(&asked.name);
    assert!(addresses.is_sorted_by(|one, next| one < next));
    let is_said = |address| reply.answers.iter().any(|record| record.content == Content::Address(address));
    assert!(addresses.into_iter().all(is_said));
    let zone = above(&asked.name).expect("the name is not the root");
    if let Heard::Referral(found) = hear(reply, &zone, &asked.name) {
        assert!(found.apex != zone && found.apex.ends_with(&zone) && asked.name.ends_with(&found.apex));
        assert!(found.servers.len() <= SERVERS_PER_ZONE_MAX);
        assert!(found.servers.iter().all(|server| server.addresses.len() <= ADDRESSES_PER_SERVER_MAX));
    }
}
