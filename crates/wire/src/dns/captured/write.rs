//! An answer of a captured zone, written behind the question: RFC 1034, 4.3.2, from the apex down.
//!
//! Every owner is a pointer: to the question, to the data of the alias before, or into one of them. So nothing is
//! compressed by search, and nothing is allocated beyond the reply itself.

use super::super::{HEADER_OCTETS, NAME_OCTETS_MAX, Question, class, rcode, rtype};
use super::key::Key;
use super::{CHAIN_MAX, CapturedZone, FRAME_OCTETS, GLUE_MAX, Node, Place, Set};

/// A pointer has 14 bits (RFC 1035, 4.1.4).
const POINTER_MAX: usize = 0x3fff;

/// What was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) struct Written {
    pub(in super::super) rcode: u16,
    /// False for a referral: what lies below the cut is another server's to say.
    pub(in super::super) is_authoritative: bool,
    pub(in super::super) answers: u16,
    pub(in super::super) authorities: u16,
    pub(in super::super) additionals: u16,
}

/// The name that is looked for: the question's, then each alias's target.
struct Sought {
    labels: [u8; NAME_OCTETS_MAX],
    len: usize,
    /// Where the whole name starts in the message.
    at: usize,
}

/// What the zone has for a name.
enum Found<'z> {
    Here(&'z Node),
    /// It exists and has no records, or a wildcard has none of that type.
    Empty,
    Nothing,
    /// A name above it, as the octets of its key.
    Cut(&'z Set, usize),
    Dname(&'z Set, usize),
}

impl CapturedZone {
    /// Writes all that the zone says; `depth` octets of the question's name stand before the apex.
    pub(in super::super) fn write(&self, question: Question<'_>, depth: usize, out: &mut Vec<u8>) -> Written {
        let mut written =
            Written { rcode: rcode::NOERROR, is_authoritative: true, answers: 0, authorities: 0, additionals: 0 };
        let mut sought = Sought::new(&question.name[..depth], HEADER_OCTETS);
        for _ in 0..=CHAIN_MAX {
            match self.step(&sought, question.qtype, HEADER_OCTETS + depth, out, &mut written) {
                Some(target) => sought = target,
                None => break,
            }
        }
        written
    }

    /// One name; where it is an alias within the zone, the name to go on with.
    fn step(
        &self,
        sought: &Sought,
        qtype: u16,
        apex_at: usize,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) -> Option<Sought> {
        match self.look_for(sought, qtype) {
            Found::Here(node) => return self.write_node(node, sought, qtype, apex_at, out, written),
            Found::Empty => self.deny(apex_at, out, written),
            Found::Nothing => {
                written.rcode = rcode::NXDOMAIN;
                self.deny(apex_at, out, written);
            }
            Found::Cut(servers, octets) => self.refer(servers, sought.above(octets), out, written),
            Found::Dname(dname, octets) => return self.redirect(dname, sought, octets, out, written),
        }
        None
    }

    fn look_for(&self, sought: &Sought, qtype: u16) -> Found<'_> {
        let Some(key) = Key::of(sought.labels()) else { return Found::Nothing };
        let whole = key.as_bytes().len();
        let mut encloser = 0;
        for end in key.way_down() {
            let node = match self.find(&key.as_bytes()[..end]) {
                Place::Node(node) => node,
                Place::Between if end == whole => return Found::Empty,
                Place::Between => {
                    encloser = end;
                    continue;
                }
                Place::Nowhere => return self.wildcard(&key, encloser),
            };
            encloser = end;
            // The DS of a cut is the parent's to say (RFC 4035, 3.1.4.1), that is, ours: there is none.
            let is_parents = end == whole && qtype == rtype::DS;
            if let Some(servers) = self.set(node, rtype::NS).filter(|_| end > 0 && !is_parents) {
                return Found::Cut(servers, end);
            }
            if end == whole {
                return Found::Here(node);
            }
            if let Some(dname) = self.set(node, rtype::DNAME) {
                return Found::Dname(dname, end);
            }
        }
        Found::Nothing
    }

    /// The closest encloser's wildcard speaks for names that do not exist (RFC 4592, 3.3.1).
    fn wildcard(&self, key: &Key, encloser: usize) -> Found<'_> {
        match key.wildcard(encloser).map(|wildcard| self.find(wildcard.as_bytes())) {
            Some(Place::Node(node)) => Found::Here(node),
            Some(Place::Between) => Found::Empty,
            Some(Place::Nowhere) | None => Found::Nothing,
        }
    }

    fn write_node(
        &self,
        node: &Node,
        sought: &Sought,
        qtype: u16,
        apex_at: usize,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) -> Option<Sought> {
        // Whoever asks for everything gets one thing (RFC 8482, 4.1).
        let asked = if qtype == rtype::ANY { self.sets(node).first() } else { self.set(node, qtype) };
        if let Some(set) = asked {
            written.answers += self.write_set(set, sought.at, out);
            return None;
        }
        let Some(alias) = self.set(node, rtype::CNAME) else {
            self.deny(apex_at, out, written);
            return None;
        };
        written.answers += self.write_set(alias, sought.at, out);
        let target = self.records(alias).next()?.len() - FRAME_OCTETS;
        self.within(out, out.len() - target)
    }

    /// The name that ends the message, if it lies in this zone.
    fn within(&self, out: &[u8], at: usize) -> Option<Sought> {
        self.below(&out[at..]).map(|labels| Sought::new(labels, at))
    }

    fn write_set(&self, set: &Set, owner_at: usize, out: &mut Vec<u8>) -> u16 {
        for record in self.records(set) {
            out.extend_from_slice(&pointer(owner_at));
            out.extend_from_slice(record);
        }
        set.count
    }

    /// NODATA or NXDOMAIN: the SOA says for how long (RFC 2308, 3).
    fn deny(&self, apex_at: usize, out: &mut Vec<u8>, written: &mut Written) {
        let Place::Node(apex) = self.find(&[]) else { return };
        let Some(soa) = self.set(apex, rtype::SOA) else { return };
        let ttl_at = out.len() + 2 + 4;
        written.authorities += self.write_set(soa, apex_at, out);
        out[ttl_at..ttl_at + 4].copy_from_slice(&self.negative_ttl_secs.to_be_bytes());
    }

    /// A referral: the servers below, and the addresses of those that lie in this zone. After an alias the answer stays
    /// authoritative: the bit speaks of the first owner (RFC 1035, 4.1.1).
    fn refer(&self, servers: &Set, cut_at: usize, out: &mut Vec<u8>, written: &mut Written) {
        written.is_authoritative = written.answers > 0;
        let mut rdata_at = out.len() + 2 + FRAME_OCTETS;
        written.authorities += self.write_set(servers, cut_at, out);
        let mut sets = 0;
        for record in self.records(servers) {
            let server = &record[FRAME_OCTETS..];
            for set in self.addresses(server).into_iter().flatten() {
                if sets < GLUE_MAX && rdata_at <= POINTER_MAX {
                    written.additionals += self.write_set(set, rdata_at, out);
                    sets += 1;
                }
            }
            rdata_at += 2 + record.len();
        }
    }

    fn addresses(&self, server: &[u8]) -> [Option<&Set>; 2] {
        let key = self.below(server).and_then(Key::of);
        match key.map(|key| self.find(key.as_bytes())) {
            Some(Place::Node(node)) => [self.set(node, rtype::A), self.set(node, rtype::AAAA)],
            _ => [None, None],
        }
    }

    /// A DNAME above the name, and the CNAME that follows from it (RFC 6672, 3.1).
    fn redirect(
        &self,
        dname: &Set,
        sought: &Sought,
        octets: usize,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) -> Option<Sought> {
        written.answers += self.write_set(dname, sought.above(octets), out);
        let record = self.records(dname).next()?;
        let (ttl, target) = (&record[4..8], &record[FRAME_OCTETS..]);
        let prefix = &sought.labels()[..sought.len - octets];
        let len = prefix.len() + target.len();
        if len > NAME_OCTETS_MAX {
            written.rcode = rcode::YXDOMAIN;
            return None;
        }
        out.extend_from_slice(&pointer(sought.at));
        out.extend_from_slice(&rtype::CNAME.to_be_bytes());
        out.extend_from_slice(&class::IN.to_be_bytes());
        out.extend_from_slice(ttl);
        out.extend_from_slice(&(len as u16).to_be_bytes());
        out.extend_from_slice(prefix);
        out.extend_from_slice(target);
        written.answers += 1;
        self.within(out, out.len() - len)
    }
}

/// Eight aliases of the longest names end before octet 5,000, so their pointers always fit; glue is checked.
fn pointer(at: usize) -> [u8; 2] {
    (0xc000 | (at.min(POINTER_MAX) as u16)).to_be_bytes()
}

impl Sought {
    fn new(below: &[u8], at: usize) -> Self {
        let mut labels = [0; NAME_OCTETS_MAX];
        let len = below.len().min(NAME_OCTETS_MAX);
        labels[..len].copy_from_slice(&below[..len]);
        Self { labels, len, at }
    }

    fn labels(&self) -> &[u8] {
        &self.labels[..self.len]
    }

    /// Where the name above it starts in the message whose key has so many octets.
    fn above(&self, octets: usize) -> usize {
        self.at + self.len - octets
    }
}
