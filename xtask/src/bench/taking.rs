//! Takes a zone over TCP and counts what comes: a secondary that keeps nothing.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use model::DomainName;

use crate::Trouble;
use crate::clock::Watch;

const AXFR: u16 = 252;
const IXFR: u16 = 251;
const SOA: u16 = 6;
const IN: u16 = 1;
const HEADER_OCTETS: usize = 12;
/// The longest that one message may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one transfer brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    pub(super) records: u64,
    pub(super) octets: u64,
    pub(super) secs: f64,
    /// Of the zone now.
    pub(super) serial: u32,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Whole,
    /// The one step from that serial on.
    Step(u32),
}

impl Wanted {
    /// How many SOA records stand in the answer: around a whole zone two; around and in a step four.
    fn soas(self) -> u32 {
        match self {
            Self::Whole => 2,
            Self::Step(_) => 4,
        }
    }

    fn question(self, zone: &str) -> Result<Vec<u8>, Trouble> {
        let name = DomainName::parse(zone)?.to_wire();
        let (qtype, authorities) = if let Self::Step(_) = self { (IXFR, 1) } else { (AXFR, 0) };
        let numbers: Vec<u8> =
            [7, 0, 1, 0, authorities, 0].iter().flat_map(|number: &u16| number.to_be_bytes()).collect();
        let mut packet = [numbers, name, qtype.to_be_bytes().to_vec(), IN.to_be_bytes().to_vec()].concat();
        if let Self::Step(since) = self {
            packet.extend([0xc0, 12]);
            packet.extend([SOA, IN].iter().flat_map(|number| number.to_be_bytes()));
            packet.extend([0, 0, 0, 0, 0, 22, 0, 0]);
            packet.extend([since, 0, 0, 0, 0].iter().flat_map(|number| number.to_be_bytes()));
        }
        Ok(packet)
    }
}

/// Takes it to its end.
pub(super) fn take(server: SocketAddr, zone: &str, wanted: Wanted) -> Result<Taken, Trouble> {
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let question = wanted.question(zone)?;
    let len = u16::try_from(question.len())?.to_be_bytes();
    let watch = Watch::start();
    (&stream).write_all(&[&len[..], &question].concat())?;
    let mut reader = BufReader::with_capacity(1 << 17, &stream);
    let (mut taken, mut soas, mut message) = (Taken::default(), 0, Vec::new());
    while soas < wanted.soas() {
        let mut len = [0; 2];
        reader.read_exact(&mut len)?;
        message.resize(usize::from(u16::from_be_bytes(len)), 0);
        reader.read_exact(&mut message)?;
        taken.octets += message.len() as u64 + 2;
        soas += count(&message, &mut taken).ok_or_else(|| format!("a message of {zone} cannot be read"))?;
        if taken.records < 2 && soas < wanted.soas() {
            return Err(format!("{zone} is not given: {} records in the first message", taken.records).into());
        }
    }
    taken.secs = watch.secs();
    Ok(taken)
}

/// Counts the records of a message, and says how many were SOA.
fn count(message: &[u8], taken: &mut Taken) -> Option<u32> {
    let number = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let (questions, answers) = (number(4)?, number(6)?);
    let (mut at, mut soas) = (HEADER_OCTETS, 0);
    for _ in 0..questions {
        at = after_name(message, at)? + 4;
    }
    for _ in 0..answers {
        at = after_name(message, at)?;
        let (kind, len) = (number(at)?, usize::from(number(at + 8)?));
        at += 10 + len;
        if kind == SOA {
            soas += 1;
            taken.serial = u32::from_be_bytes(message.get(at - 20..at - 16)?.try_into().ok()?);
        }
    }
    taken.records += u64::from(answers);
    Some(soas)
}

fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            len if len >= 0xc0 => return Some(at + 2),
            len => at += 1 + usize::from(len),
        }
    }
}
