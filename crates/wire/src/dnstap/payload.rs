//! The protobuf of one frame: who asked whom, when, over what, and the packet itself.
//!
//! The schema is `dnstap.proto`; tags are its field numbers. Fields that say nothing of the question are stepped over.
//! Reading is bounded by the slice: no length is trusted and nothing is allocated. Of a field that comes twice the last
//! counts, as protobuf has it.

use std::net::{IpAddr, SocketAddr};

/// A frame that is no dnstap: not protobuf, or a field that cannot have its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unreadable;

const NANOS_PER_SEC: u32 = 1_000_000_000;

//----------- Payload ----------------------------------------------------------------------------------------------

/// One dnstap payload.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Payload<'a> {
    /// What the server calls itself: a claim.
    pub identity: &'a [u8],
    pub version: &'a [u8],
    /// Absent if the payload is of a type other than MESSAGE.
    pub message: Option<Message<'a>>,
}

/// A DNS message that a server received or sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Message<'a> {
    pub kind: Kind,
    pub protocol: Option<Protocol>,
    pub query_address: Option<IpAddr>,
    pub query_port: u16,
    pub response_address: Option<IpAddr>,
    pub response_port: u16,
    /// Seconds since the Unix epoch, and nanoseconds below 10⁹.
    pub query_time: Option<(u64, u32)>,
    /// The query as the server received it; empty if it is not told.
    pub query: &'a [u8],
}

/// What a message is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Kind {
    /// A query that an authoritative server received.
    AuthQuery,
    AuthResponse,
    /// A query that a server received and took for one of a client: BIND says so of all that ask for recursion.
    ClientQuery,
    ClientResponse,
    /// Resolver, forwarder, stub, tool and update messages.
    #[default]
    Other,
}

/// The transport between client and server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    Udp,
    Tcp,
    /// Over TLS, HTTPS, QUIC, or DNSCrypt.
    Other,
}

impl<'a> Payload<'a> {
    pub fn parse(frame: &'a [u8]) -> Result<Self, Unreadable> {
        const MESSAGE: u64 = 1;
        let (mut payload, mut kind) = (Self::default(), None);
        let mut fields = Fields(frame);
        while let Some((tag, value)) = fields.next()? {
            match tag {
                1 => payload.identity = value.bytes()?,
                2 => payload.version = value.bytes()?,
                14 => payload.message = Some(Message::parse(value.bytes()?)?),
                15 => kind = Some(value.number()?),
                _ => {}
            }
        }
        if kind.ok_or(Unreadable)? != MESSAGE {
            payload.message = None;
        }
        Ok(payload)
    }
}

impl<'a> Message<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let (mut message, mut kind) = (Self::default(), None);
        let (mut secs, mut nanos) = (None, 0);
        let mut fields = Fields(bytes);
        while let Some((tag, value)) = fields.next()? {
            match tag {
                1 => kind = Some(Kind::of(value.number()?)),
                3 => message.protocol = Some(Protocol::of(value.number()?)),
                4 => message.query_address = Some(address(value.bytes()?)?),
                5 => message.response_address = Some(address(value.bytes()?)?),
                6 => message.query_port = port(value.number()?)?,
                7 => message.response_port = port(value.number()?)?,
                8 => secs = Some(value.number()?),
                9 => nanos = value.fixed32()?,
                10 => message.query = value.bytes()?,
                _ => {}
            }
        }
        message.kind = kind.ok_or(Unreadable)?;
        if nanos >= NANOS_PER_SEC {
            return Err(Unreadable);
        }
        message.query_time = secs.map(|secs| (secs, nanos));
        Ok(message)
    }

    /// Who asked.
    pub fn source(&self) -> Option<SocketAddr> {
        self.query_address.map(|address| SocketAddr::new(address, self.query_port))
    }

    /// Which address of the server was asked.
    pub fn local(&self) -> Option<SocketAddr> {
        self.response_address.map(|address| SocketAddr::new(address, self.response_port))
    }
}

impl Kind {
    fn of(number: u64) -> Self {
        match number {
            1 => Self::AuthQuery,
            2 => Self::AuthResponse,
            5 => Self::ClientQuery,
            6 => Self::ClientResponse,
            _ => Self::Other,
        }
    }
}

impl Protocol {
    fn of(number: u64) -> Self {
        match number {
            1 => Self::Udp,
            2 => Self::Tcp,
            _ => Self::Other,
        }
    }
}

fn address(octets: &[u8]) -> Result<IpAddr, Unreadable> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Ok(v4.into());
    }
    <[u8; 16]>::try_from(octets).map(IpAddr::from).map_err(|_| Unreadable)
}

fn port(number: u64) -> Result<u16, Unreadable> {
    u16::try_from(number).map_err(|_| Unreadable)
}

//----------- Fields -----------------------------------------------------------------------------------------------

/// Protobuf, from front to back: what is left to read.
struct Fields<'a>(&'a [u8]);

#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    /// Eight octets, which no field that we read has.
    Fixed64,
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Unreadable> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed64)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).map_err(|_| Unreadable)?)?)
            }
            5 => {
                let octets = self.take(4)?;
                Value::Fixed32(u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]]))
            }
            _ => return Err(Unreadable),
        };
        Ok(Some((key >> 3, value)))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(taken)
    }

    /// At most ten octets make a number of 64 bits.
    fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut value = 0;
        for at in 0..10 {
            let octet = self.take(1)?[0];
            value |= u64::from(octet & 0x7f) << (7 * at);
            if octet < 0x80 {
                return Ok(value);
            }
        }
        Err(Unreadable)
    }
}

impl<'a> Value<'a> {
    fn number(self) -> Result<u64, Unreadable> {
        if let Self::Number(number) = self { Ok(number) } else { Err(Unreadable) }
    }

    fn fixed32(self) -> Result<u32, Unreadable> {
        if let Self::Fixed32(number) = self { Ok(number) } else { Err(Unreadable) }
    }

    fn bytes(self) -> Result<&'a [u8], Unreadable> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Unreadable) }
    }
}
