//! Questions to a resolver over HTTPS (RFC 8484), and its answers as text: the exhibit of what DNS said.

use std::fmt::Write as _;

use domain::base::Message;
use domain::base::iana::Rtype;
use domain::rdata::AllRecordData;
use model::DomainName;
use wire::dns::ask::Ask;

/// What is asked of a name that is looked at.
pub const TYPES: [Rtype; 8] =
    [Rtype::SOA, Rtype::NS, Rtype::A, Rtype::AAAA, Rtype::MX, Rtype::TXT, Rtype::CAA, Rtype::DS];
/// Records of one answer that are written out.
pub const RECORDS_MAX: usize = 200;

/// A question with the id 0, as RFC 8484, 4.1, wants it.
pub fn question(name: &DomainName, rtype: Rtype) -> Vec<u8> {
    let wire = name.to_wire();
    let ask = Ask { recursion_desired: true, ..Ask::new(0, &wire, rtype.to_int()) };
    let mut octets = Vec::new();
    ask.encode(&mut octets);
    octets
}

/// An answer in presentation form, its octets in hex below: what cannot be read as text is still there.
pub fn told(name: &DomainName, rtype: Rtype, octets: &[u8]) -> String {
    let mut text = format!("; {} {rtype}\n", name.as_str());
    match Message::from_octets(octets) {
        Ok(message) => {
            let header = message.header();
            let ad = if header.ad() { ", authenticated by the resolver" } else { "" };
            let _ = writeln!(text, "; {}{ad}", header.rcode());
            write_records(&mut text, &message);
        }
        Err(_) => text.push_str("; no DNS message\n"),
    }
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let _ = writeln!(text, "; octets {hex}");
    text
}

fn write_records(text: &mut String, message: &Message<&[u8]>) {
    let Ok(sections) = message.answer() else { return };
    for record in sections.limit_to::<AllRecordData<_, _>>().take(RECORDS_MAX) {
        let _ = match record {
            Ok(record) => writeln!(text, "{record}"),
            Err(error) => writeln!(text, "; a record that cannot be read: {error}"),
        };
    }
}
