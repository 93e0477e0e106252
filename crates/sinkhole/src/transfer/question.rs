//! What a peer asks for, once its signature is off.

use domain::base::iana::{Class, Opcode, OptRcode, OptionCode, Rcode, Rtype};
use domain::base::name::ToName;
use domain::base::opt::UnknownOptData;
use domain::base::{Message, Name};
use domain::rdata::Soa;

/// One request to the primary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Question {
    pub(super) id: u16,
    /// The origin in wire form as asked, and in lower case.
    pub(super) name: Name<Vec<u8>>,
    pub(super) origin: Box<[u8]>,
    pub(super) wanted: Wanted,
    pub(super) edns: Option<Edns>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    /// Is there something new?
    Soa,
    Axfr,
    /// What is new since that serial.
    Ixfr {
        since: u32,
    },
}

impl Wanted {
    pub(super) fn rtype(self) -> Rtype {
        match self {
            Self::Soa => Rtype::SOA,
            Self::Axfr => Rtype::AXFR,
            Self::Ixfr { .. } => Rtype::IXFR,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Edns {
    pub(super) udp_octets: u16,
    /// How long a copy may live was asked for (RFC 7314).
    pub(super) wants_expire: bool,
}

impl Question {
    /// # Errors
    /// The code that the request deserves.
    pub(super) fn read(message: &Message<[u8]>) -> Result<Self, Rcode> {
        let header = message.header();
        if header.opcode() != Opcode::QUERY {
            return Err(if header.opcode() == Opcode::NOTIFY { Rcode::NOTAUTH } else { Rcode::NOTIMP });
        }
        let question = message.sole_question().map_err(|_| Rcode::FORMERR)?;
        if question.qclass() != Class::IN {
            return Err(Rcode::REFUSED);
        }
        let wanted = match question.qtype() {
            Rtype::SOA => Wanted::Soa,
            Rtype::AXFR => Wanted::Axfr,
            Rtype::IXFR => Wanted::Ixfr { since: since(message).ok_or(Rcode::FORMERR)? },
            _ => return Err(Rcode::REFUSED),
        };
        let name: Name<Vec<u8>> = question.qname().to_vec();
        let origin = name.as_slice().to_ascii_lowercase().into();
        Ok(Self { id: header.id(), name, origin, wanted, edns: edns(message)? })
    }
}

/// The serial of the SOA in the authority section (RFC 1995, 3).
fn since(message: &Message<[u8]>) -> Option<u32> {
    let mut records = message.authority().ok()?.limit_to::<Soa<_>>();
    let soa = records.next()?.ok()?;
    Some(soa.data().serial().into_int())
}

fn edns(message: &Message<[u8]>) -> Result<Option<Edns>, Rcode> {
    let Some(opt) = message.opt() else { return Ok(None) };
    if opt.version() != 0 {
        return Err(OptRcode::BADVERS.rcode());
    }
    let wants_expire = |option: UnknownOptData<&[u8]>| option.code() == OptionCode::EXPIRE;
    let wants_expire = opt.opt().iter::<UnknownOptData<_>>().filter_map(Result::ok).any(wants_expire);
    Ok(Some(Edns { udp_octets: opt.udp_payload_size(), wants_expire }))
}
