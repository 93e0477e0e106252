//! A zone made from our listing answers as we do, by RFC 4592's rules for wildcards.

use super::super::captured::Record;
use super::*;

/// The records of one type that a server of this listing tells at a name below the apex; `None` is NXDOMAIN.
fn told(listing: &[Record], below: &[u8], qtype: u16) -> Option<Vec<Vec<u8>>> {
    let at = |owner: &[u8]| -> Vec<&Record> { listing.iter().filter(|record| *record.owner == *owner).collect() };
    let exists = |owner: &[u8]| listing.iter().any(|record| record.owner.ends_with(owner));
    let records = |owner: &[u8]| {
        let found = at(owner).into_iter().filter(|record| record.rtype == qtype);
        found.map(|record| record.rdata.to_vec()).collect::<Vec<_>>()
    };
    if exists(below) {
        return Some(records(below));
    }
    // The closest encloser, and the wildcard at it.
    let mut encloser = below;
    while !exists(encloser) {
        encloser = &encloser[1 + usize::from(encloser[0])..];
    }
    let wildcard = [b"\x01*", encloser].concat();
    (!at(&wildcard).is_empty()).then(|| records(&wildcard))
}

#[test]
fn a_secondary_answers_as_we_do_and_never_nxdomain() {
    let (answers, jar) = (Answers::new(&records()), jar());
    let listing = answers.listing();
    assert_eq!(listing[0].rtype, rtype::SOA);
    for below in ["", "www.", "a.www.", "_dmarc.", "x._dmarc.", "a.x._dmarc.", "_domainkey.", "s._domainkey."] {
        for qtype in [rtype::SOA, rtype::NS, rtype::A, rtype::AAAA, rtype::MX, rtype::TXT, rtype::CAA, rtype::HTTPS] {
            let name = wire(&format!("{below}{APEX}"));
            let mut packet = Vec::new();
            Ask::new(7, &name, qtype).encode(&mut packet);
            let manners = Manners::new(&jar, CLIENT, NOW_SECS);
            let (_, out) = serve_with(&packet, &answers, Transport::Tcp, &manners);
            let ours = Ask::new(7, &name, qtype).check(&out).unwrap().answers.len();
            let depth = name.len() - wire(APEX).len();
            let theirs = told(&listing, &name[..depth], qtype);
            assert_eq!(theirs.map(|records| records.len()), Some(ours), "{below} {qtype}");
        }
    }
}
