//! What a flood asks: one plain question, or the mixture that resolvers send to an authoritative server.
//!
//! Drawn as they are needed, from a seed: a list of a million queries would measure the load's own cache.

use wire::dns::ask::{Answered, Ask, AskEdns};

use crate::dice::Dice;

/// What is asked of each name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asks {
    /// This type at the name itself, without EDNS, name by name.
    Plain(u16),
    /// A, AAAA and whatever else resolvers ask, at and below the name, in mixed case, mostly with EDNS and cookies;
    /// drawn with this seed.
    Mixed(u64),
}

/// Of 20 questions; from what a recursive resolver sends (A and AAAA are three of four).
const TYPES: [u16; 20] = {
    const A: u16 = 1;
    const NS: u16 = 2;
    const SOA: u16 = 6;
    const MX: u16 = 15;
    const TXT: u16 = 16;
    const AAAA: u16 = 28;
    const HTTPS: u16 = 65;
    [A, AAAA, A, HTTPS, A, AAAA, A, MX, A, AAAA, A, TXT, A, AAAA, A, NS, A, AAAA, A, SOA]
};
/// Where the question stands: behind the header.
const QUESTION_AT: usize = 12;
/// As most resolvers offer since the flag day of 2020.
const UDP_SIZE: u16 = 1232;
/// The client's part (RFC 7873, 4).
const CLIENT_OCTETS: usize = 8;
/// The longest server part (RFC 7873, 4).
const SERVER_OCTETS_MAX: usize = 32;
/// Answers that are searched for a cookie before a source takes its server for one without.
const COOKIE_TRIES: u8 = 3;

//----------- Asker ------------------------------------------------------------------------------------------------

/// Draws questions.
pub(super) struct Asker<'a> {
    /// In wire form.
    names: &'a [Vec<u8>],
    asks: Asks,
    dice: Dice,
    turn: usize,
    name: Vec<u8>,
}

impl<'a> Asker<'a> {
    /// `first` of the names comes first where they come in turn; `lane` sets lanes apart where they are drawn.
    pub(super) fn new(names: &'a [Vec<u8>], asks: Asks, lane: usize, first: usize) -> Self {
        let seed = if let Asks::Mixed(seed) = asks { seed } else { 0 };
        Self { names, asks, dice: Dice::new(seed, lane as u64), turn: first, name: Vec::new() }
    }

    /// Writes the next query into `out`, and says where its question ends.
    pub(super) fn write(&mut self, id: u16, cookie: &Cookie, out: &mut Vec<u8>) -> usize {
        match self.asks {
            Asks::Plain(qtype) => self.plain(id, qtype, out),
            Asks::Mixed(_) => self.mixed(id, cookie, out),
        }
    }

    fn plain(&mut self, id: u16, qtype: u16, out: &mut Vec<u8>) -> usize {
        let name = &self.names[self.turn % self.names.len()];
        self.turn += 1;
        Ask::new(id, name, qtype).encode(out);
        out.len()
    }

    fn mixed(&mut self, id: u16, cookie: &Cookie, out: &mut Vec<u8>) -> usize {
        self.draw_name();
        let (qtype, roll) = (*self.dice.pick(&TYPES), self.dice.roll());
        let options = if roll & 0b11 == 0 { &[] } else { cookie.option.as_slice() };
        let edns = AskEdns { udp_size: UDP_SIZE, dnssec_ok: roll & 0b1100 == 0, options };
        let mut ask = Ask::new(id, &self.name, qtype);
        ask.edns = (roll & 0b111_0000 != 0).then_some(edns);
        ask.encode(out);
        QUESTION_AT + self.name.len() + 4
    }

    /// A third the name itself, a third `www` below it, a third a label that never came before; half of all in a case
    /// of their own.
    fn draw_name(&mut self) {
        self.name.clear();
        let roll = self.dice.roll();
        match roll % 3 {
            0 => {}
            1 => self.name.extend_from_slice(b"\x03www"),
            _ => {
                self.name.push(8);
                self.name.extend((0..8).map(|at| b'a' + (roll >> (8 + 4 * at) & 15) as u8));
            }
        }
        let name: &Vec<u8> = self.dice.pick(self.names);
        self.name.extend_from_slice(name);
        if roll & 1 << 63 != 0 {
            let mut case = self.dice.roll();
            for octet in self.name.iter_mut().filter(|octet| octet.is_ascii_lowercase()) {
                *octet ^= 0x20 * (case & 1) as u8;
                case = case.rotate_right(1);
            }
        }
    }
}

//----------- Cookie -----------------------------------------------------------------------------------------------

/// What one source sends to show that it heard the server before.
pub(super) struct Cookie {
    /// The whole option; the client's part alone until the server has sent its own.
    option: Vec<u8>,
    tries: u8,
}

impl Cookie {
    pub(super) fn new(source: u32) -> Self {
        let mut cookie = Self { option: Vec::new(), tries: 0 };
        let client = (u64::from(source) | 0x0c00_c1e0 << 32).to_be_bytes();
        cookie.set(&client);
        cookie
    }

    fn set(&mut self, data: &[u8]) {
        let len = u16::try_from(data.len()).expect("a cookie has at most 40 octets");
        self.option = [&10_u16.to_be_bytes(), &len.to_be_bytes(), data].concat();
    }

    /// Whether a query carries a cookie of the server.
    pub(super) fn is_in(&self, query: &[u8]) -> bool {
        self.is_whole() && query.ends_with(&self.option)
    }

    fn is_whole(&self) -> bool {
        self.option.len() > 4 + CLIENT_OCTETS
    }

    /// Looks for the server's part in its first answers.
    pub(super) fn learn(&mut self, query: &[u8], question_end: usize, reply: &[u8]) {
        if self.is_whole() || self.tries == COOKIE_TRIES || !query.ends_with(&self.option) {
            return;
        }
        self.tries += 1;
        let ask = Ask::new(
            u16::from_be_bytes([query[0], query[1]]),
            &query[QUESTION_AT..question_end - 4],
            qtype(query, question_end),
        );
        let found = ask.check(reply).ok().and_then(|answered: Answered<'_>| answered.cookie);
        let is_ours =
            |data: &&[u8]| data.starts_with(&self.option[4..]) && data.len() <= CLIENT_OCTETS + SERVER_OCTETS_MAX;
        if let Some(data) = found.filter(is_ours) {
            self.set(data);
        }
    }
}

fn qtype(query: &[u8], question_end: usize) -> u16 {
    u16::from_be_bytes([query[question_end - 4], query[question_end - 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &[u8] = b"\x04evil\x07example\x00";

    #[test]
    fn a_mixture_is_the_same_for_the_same_seed_and_stays_at_or_below_its_names() {
        let (names, cookie) = (vec![NAME.to_vec()], Cookie::new(7));
        let mut draw = [0, 0, 1].map(|lane| {
            let mut asker = Asker::new(&names, Asks::Mixed(3), lane, 0);
            (0..500)
                .map(|_| {
                    let mut query = Vec::new();
                    let end = asker.write(1, &cookie, &mut query);
                    assert!(query[12..end - 4].to_ascii_lowercase().ends_with(NAME));
                    query
                })
                .collect::<Vec<_>>()
        });
        draw[0].dedup();
        assert!(draw[0].len() > 490, "hardly two alike");
        draw[1].dedup();
        assert_eq!(draw[0], draw[1]);
        assert_ne!(draw[0], draw[2]);
        let with_edns = draw[0].iter().filter(|query| query[11] == 1).count();
        assert!((400..480).contains(&with_edns), "{with_edns} of 500");
    }

    #[test]
    fn a_server_cookie_is_taken_and_sent_from_then_on() {
        let mut cookie = Cookie::new(7);
        let options = cookie.option.clone();
        let edns = |options| Some(AskEdns { udp_size: UDP_SIZE, dnssec_ok: false, options });
        let mut query = Vec::new();
        Ask { edns: edns(&options), ..Ask::new(9, NAME, 1) }.encode(&mut query);
        let end = 12 + NAME.len() + 4;
        let mut echoed = query.clone();
        echoed[2] |= 0x80;
        cookie.learn(&query, end, &echoed);
        assert!(!cookie.is_whole(), "an echo has no cookie of its own");
        let mut whole = options.clone();
        whole[3] = 24;
        whole.extend([0xab; 16]);
        let mut reply = Vec::new();
        Ask { edns: edns(&whole), ..Ask::new(9, NAME, 1) }.encode(&mut reply);
        reply[2] |= 0x80;
        cookie.learn(&query, end, &reply);
        assert!(cookie.is_whole());
        assert_eq!(cookie.option, whole);
    }
}
