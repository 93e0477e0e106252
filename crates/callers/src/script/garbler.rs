//! Senders of what nobody should send. Each piece is chosen so that there is no doubt what it counts as: one datagram
//! is one query whatever is in it, one malformed head on a connection that then ends is one request.

use model::DomainName;
use wire::dns::{class, flag, rtype};

use super::{get, random_octets};
use crate::act::{Act, Door, Due, Request};
use crate::dice::Dice;
use crate::question::{Question, header};

/// Octets of a message's header: with one fewer there is nothing to answer.
const HEADER_LEN: usize = 12;
/// Opcode 4, NOTIFY: a real one, and not for us.
const OPCODE_NOTIFY: u16 = 4 << 11;

pub(super) fn script(names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let mut acts = bad_datagrams(dice.pick(names), dice);
    acts.extend(bad_heads(dice.pick(names)));
    dice.shuffle(&mut acts);
    acts
}

fn bad_datagrams(name: &DomainName, dice: &mut Dice) -> Vec<Act> {
    let question = Question::modern(name, rtype::A, dice).to_octets();
    let with_flags = |flags: u16| {
        let mut octets = question.clone();
        octets[2..4].copy_from_slice(&flags.to_be_bytes());
        octets
    };
    let id = dice.roll() as u16;
    let mut chaos =
        Question::plain(&DomainName::parse("version.bind").expect("two plain labels parse"), rtype::TXT, dice);
    chaos.qclass = class::CH;
    [
        (random_octets(dice)[..HEADER_LEN - 1].to_vec(), Due::Nothing),
        (with_flags(flag::QR), Due::Nothing),
        (header(id, flag::QR, [0, 0, 0, 0]), Due::Nothing),
        (header(id, OPCODE_NOTIFY, [0, 0, 0, 0]), Due::Answer),
        (header(id, 0, [2, 0, 0, 0]), Due::Answer),
        // A name that points at itself.
        ([header(id, 0, [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat(), Due::Answer),
        // An OPT record that the packet does not hold.
        (question[..question.len() - 5].to_vec(), Due::Answer),
        (chaos.to_octets(), Due::Answer),
    ]
    .map(|(octets, due)| Act::Mutter { octets, due })
    .to_vec()
}

fn bad_heads(name: &DomainName) -> Vec<Act> {
    let host = name.as_str();
    let whole = |octets: Vec<u8>| Request { octets, hangs_up: true, ..Request::default() };
    [
        b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00\r\n\r\n".to_vec(),
        format!("GET / HTTP/9.9\r\nHost: {host}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost {host}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\nHost: {host}\nUser-Agent: bare line feeds\n\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nBad Name: x\r\n\r\n").into_bytes(),
        get(name, "/a b c", "spaces in the target").done().octets,
    ]
    .map(|octets| Act::Visit { door: Door::Plain, requests: vec![whole(octets)] })
    .to_vec()
}
