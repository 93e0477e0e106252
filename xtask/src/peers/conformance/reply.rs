//! A reply, read octet by octet, so that a wrong one can be told from a good one: every octet must have its place.

use super::packet::rtype;

/// What a server sent.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) id: u16,
    pub(super) flags: u16,
    /// The question section as it stands there.
    pub(super) question: Vec<u8>,
    pub(super) answers: Vec<Record>,
    pub(super) authority: Vec<Record>,
    pub(super) additional: Vec<Record>,
    pub(super) octets: usize,
}

/// One record, with its owner spelled out.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) owner: String,
    pub(super) rtype: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) rdata: Vec<u8>,
}

impl Reply {
    pub(super) fn read(octets: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { octets, at: 0 };
        let header: Vec<u16> = (0..6).map(|_| reader.u16()).collect::<Result<_, _>>()?;
        let begin = reader.at;
        for _ in 0..header[2] {
            reader.name()?;
            reader.take(4)?;
        }
        let question = octets[begin..reader.at].to_vec();
        let [answers, authority, additional] = [header[3], header[4], header[5]].map(|count| reader.records(count));
        let reply = Self {
            id: header[0],
            flags: header[1],
            question,
            answers: answers?,
            authority: authority?,
            additional: additional?,
            octets: octets.len(),
        };
        if reader.at == octets.len() { Ok(reply) } else { Err("there are octets behind the reply".to_owned()) }
    }

    pub(super) fn opt(&self) -> Option<&Record> {
        self.additional.iter().find(|record| record.rtype == rtype::OPT)
    }

    /// With the upper bits that EDNS adds (RFC 6891, 6.1.3).
    pub(super) fn rcode(&self) -> u16 {
        let upper = self.opt().map_or(0, |opt| u16::from(opt.ttl.to_be_bytes()[0]));
        upper << 4 | self.flags & 0xf
    }

    /// The value of an EDNS option.
    pub(super) fn option(&self, wanted: u16) -> Option<&[u8]> {
        let mut rest = self.opt()?.rdata.as_slice();
        while let [a, b, c, d, tail @ ..] = rest {
            let (code, len) = (u16::from_be_bytes([*a, *b]), usize::from(u16::from_be_bytes([*c, *d])));
            let (value, tail) = tail.split_at_checked(len)?;
            if code == wanted {
                return Some(value);
            }
            rest = tail;
        }
        None
    }
}

//----------- Reader -----------------------------------------------------------------------------------------------

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let taken = self.octets.get(self.at..self.at + count).ok_or("the reply is cut")?;
        self.at += count;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, String> {
        self.take(2).map(|two| u16::from_be_bytes([two[0], two[1]]))
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// A name in lower case. Each pointer goes to before all that was read, so this ends.
    fn name(&mut self) -> Result<String, String> {
        let (mut text, mut at, mut begin, mut end) = (String::new(), self.at, self.at, None);
        loop {
            let first = usize::from(*self.octets.get(at).ok_or("a name is cut")?);
            if first >= 0xc0 {
                let low = usize::from(*self.octets.get(at + 1).ok_or("a pointer is cut")?);
                let target = (first & 0x3f) << 8 | low;
                end = end.or(Some(at + 2));
                if target >= begin {
                    return Err("a pointer does not go backwards".to_owned());
                }
                (at, begin) = (target, target);
                continue;
            }
            let label = self.octets.get(at + 1..at + 1 + first).ok_or("a label is cut")?;
            at += 1 + first;
            if first == 0 {
                break;
            }
            text.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
            text.push('.');
        }
        self.at = end.unwrap_or(at);
        Ok(if text.is_empty() { ".".to_owned() } else { text })
    }

    fn records(&mut self, count: u16) -> Result<Vec<Record>, String> {
        (0..count).map(|_| self.record()).collect()
    }

    fn record(&mut self) -> Result<Record, String> {
        let owner = self.name()?;
        let (rtype, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let len = usize::from(self.u16()?);
        Ok(Record { owner, rtype, class, ttl, rdata: self.take(len)?.to_vec() })
    }
}
