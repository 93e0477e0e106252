//! A query as a value, and its octets: also those that no library would write.

/// Record types by name.
pub(super) mod rtype {
    pub(in super::super) const A: u16 = 1;
    pub(in super::super) const NS: u16 = 2;
    pub(in super::super) const SOA: u16 = 6;
    pub(in super::super) const MX: u16 = 15;
    pub(in super::super) const TXT: u16 = 16;
    pub(in super::super) const AAAA: u16 = 28;
    pub(in super::super) const SRV: u16 = 33;
    pub(in super::super) const OPT: u16 = 41;
    pub(in super::super) const DS: u16 = 43;
    pub(in super::super) const DNSKEY: u16 = 48;
    pub(in super::super) const SVCB: u16 = 64;
    pub(in super::super) const HTTPS: u16 = 65;
    pub(in super::super) const IXFR: u16 = 251;
    pub(in super::super) const AXFR: u16 = 252;
    pub(in super::super) const ANY: u16 = 255;
    pub(in super::super) const CAA: u16 = 257;
    /// Private use (RFC 6895, 3.1): nobody knows it.
    pub(in super::super) const PRIVATE: u16 = 65_280;
}

/// Header bits (RFC 1035, 4.1.1; RFC 4035, 3).
pub(super) mod flag {
    pub(in super::super) const QR: u16 = 0x8000;
    pub(in super::super) const AA: u16 = 0x0400;
    pub(in super::super) const TC: u16 = 0x0200;
    pub(in super::super) const RD: u16 = 0x0100;
    pub(in super::super) const RA: u16 = 0x0080;
    pub(in super::super) const Z: u16 = 0x0040;
    pub(in super::super) const AD: u16 = 0x0020;
    pub(in super::super) const CD: u16 = 0x0010;
    pub(in super::super) const OPCODE_SHIFT: u16 = 11;
}

/// The zone that everybody serves.
pub(super) const APEX: &str = "seized.test";

//----------- Ask --------------------------------------------------------------------------------------------------

/// A query, right or wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    /// The header's second 16 bits.
    pub(super) flags: u16,
    pub(super) name: Name,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
    /// How often the question stands there.
    pub(super) questions: u16,
    /// What the header says, where it lies.
    pub(super) counts: Option<[u16; 4]>,
    pub(super) opts: &'static [Opt],
    /// Octets behind everything.
    pub(super) tail: &'static [u8],
    /// Cut after that many octets.
    pub(super) cut: Option<usize>,
}

/// A name as text, or as octets that need not be a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    Text(&'static str),
    Wire(&'static [u8]),
}

/// A resolver's plain question for the apex' address, without EDNS.
pub(super) const ASK: Ask = Ask {
    flags: 0,
    name: Name::Text(APEX),
    qtype: rtype::A,
    qclass: 1,
    questions: 1,
    counts: None,
    opts: &[],
    tail: &[],
    cut: None,
};

/// An OPT record (RFC 6891, 6.1.2), right or wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    pub(super) owner: &'static [u8],
    pub(super) udp_size: u16,
    pub(super) version: u8,
    /// DO is the first bit.
    pub(super) flags: u16,
    pub(super) options: &'static [(u16, &'static [u8])],
}

/// EDNS as resolvers send it today.
pub(super) const OPT: Opt = Opt { owner: &[0], udp_size: 1232, version: 0, flags: 0, options: &[] };

impl Ask {
    pub(super) fn encode(&self, id: u16) -> Vec<u8> {
        let additionals = u16::try_from(self.opts.len()).expect("a handful of records");
        let counts = self.counts.unwrap_or([self.questions, 0, 0, additionals]);
        let mut out = Vec::new();
        for number in [id, self.flags].into_iter().chain(counts) {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for _ in 0..self.questions {
            out.extend_from_slice(&self.question());
        }
        for opt in self.opts {
            opt.put(&mut out);
        }
        out.extend_from_slice(self.tail);
        out.truncate(self.cut.unwrap_or(out.len()));
        out
    }

    /// The question's octets.
    pub(super) fn question(&self) -> Vec<u8> {
        let mut out = self.name.wire();
        out.extend_from_slice(&self.qtype.to_be_bytes());
        out.extend_from_slice(&self.qclass.to_be_bytes());
        out
    }
}

impl Name {
    pub(super) fn wire(self) -> Vec<u8> {
        match self {
            Self::Wire(octets) => octets.to_vec(),
            Self::Text(text) => {
                let labels = text.split('.').filter(|label| !label.is_empty());
                let label = |text: &str| [&[u8::try_from(text.len()).expect("a label")], text.as_bytes()].concat();
                labels.flat_map(label).chain([0]).collect()
            }
        }
    }
}

impl Opt {
    fn put(&self, out: &mut Vec<u8>) {
        let len = |octets: usize| u16::try_from(octets).expect("options fit a record").to_be_bytes();
        out.extend_from_slice(self.owner);
        out.extend_from_slice(&rtype::OPT.to_be_bytes());
        out.extend_from_slice(&self.udp_size.to_be_bytes());
        out.extend_from_slice(&[0, self.version]);
        out.extend_from_slice(&self.flags.to_be_bytes());
        out.extend_from_slice(&len(self.options.iter().map(|(_, value)| 4 + value.len()).sum()));
        for (code, value) in self.options {
            out.extend_from_slice(&code.to_be_bytes());
            out.extend_from_slice(&len(value.len()));
            out.extend_from_slice(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Message;

    use super::*;

    #[test]
    fn what_is_right_is_read_by_somebody_elses_parser() {
        let ask = Ask { opts: &[Opt { options: &[(3, b"")], ..OPT }], flags: flag::RD, ..ASK };
        let message = Message::from_vec(&ask.encode(7)).expect("a query");
        assert_eq!((message.metadata.id, message.metadata.recursion_desired), (7, true));
        assert_eq!(message.queries[0].name().to_string(), "seized.test.");
        assert!(message.edns.is_some());
    }
}
