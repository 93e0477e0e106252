//! What the first bytes on a port that expects nothing look like, and which machine should take over from there.
//!
//! A port that nobody announced is called by everything: TLS, HTTP, other people's protocols, and silence. The first
//! octets tell them apart, and here is the one place that does: the head reader asks it about what was no request, the
//! sinkhole about what came to any other port. Each protocol has one matcher that answers yes, no, or not yet, and that
//! never takes a yes or a no back when more octets come; so a conversation is judged as soon as its bytes allow, and
//! alike wherever it was cut.
//!
//! What is deliberately absent: proof. A look is a description of some octets, not a parse: whoever takes over reads
//! from the first octet again. Nothing of the bytes themselves leaves this page.

use crate::oddity::Oddity;

mod datagrams;
mod lines;
mod octets;
mod shape;

/// No more than this is kept and looked at: every opening below is known after some tens of octets, and HTTP's request
/// line, the longest, within this in practice.
pub const FIRST_OCTETS_MAX: usize = 4_096;

//----------- Looks ------------------------------------------------------------------------------------------------

macro_rules! looks {
    ($($(#[$doc:meta])* $name:ident = $oddity:ident,)*) => {
        /// What some first octets look like.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Looks { $($(#[$doc])* $name,)* }

        impl Looks {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The oddity that says so of octets that came where something else was expected.
            pub fn oddity(self) -> Oddity {
                match self { $(Self::$name => Oddity::$oddity,)* }
            }
        }
    };
}

looks! {
    /// A TLS handshake record.
    Tls = LooksTls,
    /// A ClientHello in SSL 2.0's form.
    Ssl2 = LooksSsl2,
    Http = LooksHttp,
    /// HTTP/2 by prior knowledge.
    Http2 = LooksHttp2,
    /// A mail client: EHLO, HELO or LHLO.
    Smtp = LooksSmtp,
    Ssh = LooksSsh,
    Rdp = LooksRdp,
    Smb = LooksSmb,
    /// SOCKS 4, 4a or 5.
    Socks = LooksSocks,
    /// A PROXY header, version 1 or 2.
    Proxy = LooksProxy,
    Irc = LooksIrc,
    Redis = LooksRedis,
    Mqtt = LooksMqtt,
    /// The answer of a MySQL client to a greeting that nobody sent it.
    Mysql = LooksMysql,
    /// A file transfer client, or one that reads mail: both begin with USER.
    Ftp = LooksFtp,
    Telnet = LooksTelnet,
    /// A DNS query: behind its length where it came over a stream.
    Dns = LooksDns,
    Ntp = LooksNtp,
    Sip = LooksSip,
    Stun = LooksStun,
    Dtls = LooksDtls,
    Quic = LooksQuic,
    Snmp = LooksSnmp,
    Memcached = LooksMemcached,
    Ldap = LooksLdap,
    /// BitTorrent's handshake, its DHT, or a question to a tracker.
    Bittorrent = LooksBittorrent,
    Json = LooksJson,
    /// Fields of a form without a request around them.
    Form = LooksForm,
    Text = LooksText,
    Binary = LooksBinary,
    /// Nothing came.
    Silent = LooksSilent,
}

impl Looks {
    /// The word for it in contacts and rules: the oddity's code without its room.
    pub fn word(self) -> &'static str {
        let code = self.oddity().code();
        code.strip_prefix("looks.").unwrap_or(code)
    }

    pub fn machine(self) -> Machine {
        match self {
            Self::Tls | Self::Ssl2 => Machine::Tls,
            Self::Http | Self::Http2 => Machine::Http,
            Self::Smtp => Machine::Smtp,
            _ => Machine::None,
        }
    }
}

/// Who should read the conversation from its first octet on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Machine {
    /// [`crate::tls::HelloReader`] first.
    Tls,
    Http,
    Smtp,
    /// Nobody here speaks it: it is recorded and not answered.
    None,
}

/// What carried the octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// More may follow, and messages have lengths in front where their protocol needs them.
    Stream,
    /// It is whole.
    Datagram,
}

//----------- Glance -----------------------------------------------------------------------------------------------

/// What octets look like of which more may come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Glance {
    /// What they would be if nothing more came.
    pub looks: Looks,
    /// No octet that follows can change it.
    pub is_certain: bool,
    /// Who takes over; `None` while what follows decides that. Known before the look is, where no machine is left that
    /// could take it.
    pub machine: Option<Machine>,
}

/// What the first octets of a stream look like, of which more may come. No more than [`FIRST_OCTETS_MAX`] are looked
/// at, and with so many everything is certain.
pub fn glance(first: &[u8]) -> Glance {
    let is_full = first.len() >= FIRST_OCTETS_MAX;
    let first = &first[..first.len().min(FIRST_OCTETS_MAX)];
    let mut found = None;
    let (mut is_certain, mut may_be_taken) = (true, false);
    for (looks, matcher) in STREAMS {
        match matcher(first) {
            Match::Yes => {
                found = Some(*looks);
                break;
            }
            Match::NotYet => {
                is_certain = false;
                may_be_taken |= looks.machine() != Machine::None;
            }
            Match::No => {}
        }
    }
    let looks = found.unwrap_or_else(|| shape::of(first));
    // A shape may change with every octet.
    let is_certain = is_full || is_certain && found.is_some();
    let is_machine_known = is_certain || !may_be_taken && looks.machine() == Machine::None;
    Glance { looks, is_certain, machine: is_machine_known.then(|| looks.machine()) }
}

/// What octets look like after which nothing comes.
pub fn look(first: &[u8], carrier: Carrier) -> Looks {
    let first = &first[..first.len().min(FIRST_OCTETS_MAX)];
    let of_datagrams = match carrier {
        Carrier::Datagram => DATAGRAMS,
        Carrier::Stream => &[],
    };
    let is_one = |(_, matcher): &&(Looks, Matcher)| matcher(first) == Match::Yes;
    let streams = STREAMS.iter().filter(|(looks, _)| carrier == Carrier::Stream || !is_of_streams_only(*looks));
    of_datagrams.iter().chain(streams).find(is_one).map_or_else(|| shape::of(first), |(looks, _)| *looks)
}

//----------- FirstBytes -------------------------------------------------------------------------------------------

/// Keeps the first octets of a stream until it is known who takes over, and further where nobody does.
#[derive(Debug, Default)]
pub struct FirstBytes {
    kept: Vec<u8>,
    came: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    More,
    /// This machine takes over, with what was [kept](FirstBytes::kept) and then the last `rest` octets of the input.
    /// With [`Machine::None`] the bytes may go on coming in here: they are counted, and kept as long as there is room.
    Taken {
        machine: Machine,
        rest: usize,
    },
}

impl FirstBytes {
    pub fn on_bytes(&mut self, bytes: &[u8]) -> Step {
        self.came = self.came.saturating_add(bytes.len() as u64);
        let room = FIRST_OCTETS_MAX - self.kept.len();
        let (kept, rest) = bytes.split_at(bytes.len().min(room));
        self.kept.extend_from_slice(kept);
        match glance(&self.kept).machine {
            Some(machine) => Step::Taken { machine, rest: rest.len() },
            None => Step::More,
        }
    }

    /// What it looks like if nothing more comes, or if we wait no longer.
    pub fn looks(&self) -> Looks {
        look(&self.kept, Carrier::Stream)
    }

    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    pub fn into_kept(self) -> Vec<u8> {
        self.kept
    }

    /// Octets that came, kept or not.
    pub fn came(&self) -> u64 {
        self.came
    }
}

//----------- Matchers ---------------------------------------------------------------------------------------------

/// What one matcher says of the octets so far. `Yes` and `No` hold for whatever follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Match {
    Yes,
    NotYet,
    No,
}

type Matcher = fn(&[u8]) -> Match;

impl Match {
    /// For what is certain one way or the other.
    fn when(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => Self::Yes,
            Self::No => other(),
            Self::NotYet => match other() {
                Self::Yes => Self::Yes,
                _ => Self::NotYet,
            },
        }
    }
}

/// Whether the octets begin with `opening`.
fn begins(first: &[u8], opening: &[u8]) -> Match {
    let common = first.len().min(opening.len());
    match first[..common] == opening[..common] {
        false => Match::No,
        true if common == opening.len() => Match::Yes,
        true => Match::NotYet,
    }
}

/// Whether they begin with one of these.
fn begins_with_any(first: &[u8], openings: &[&[u8]]) -> Match {
    openings.iter().fold(Match::No, |found, opening| found.or(|| begins(first, opening)))
}

/// In the order in which they are asked: what machines of ours take first, then the surest. Where two could mean the
/// same octets, a comment at the matcher says what tells them apart.
const STREAMS: &[(Looks, Matcher)] = &[
    (Looks::Tls, octets::tls),
    (Looks::Proxy, octets::proxy),
    (Looks::Ssh, lines::ssh),
    (Looks::Smtp, lines::smtp),
    (Looks::Http2, lines::http2),
    (Looks::Http, lines::http),
    (Looks::Telnet, octets::telnet),
    (Looks::Ssl2, octets::ssl2),
    (Looks::Rdp, octets::rdp),
    (Looks::Smb, octets::smb),
    (Looks::Socks, octets::socks),
    (Looks::Mqtt, octets::mqtt),
    (Looks::Bittorrent, octets::bittorrent),
    (Looks::Snmp, octets::snmp),
    (Looks::Ldap, octets::ldap),
    (Looks::Stun, octets::stun),
    (Looks::Sip, lines::sip),
    (Looks::Redis, lines::redis),
    (Looks::Irc, lines::irc),
    (Looks::Ftp, lines::ftp),
    (Looks::Memcached, lines::memcached),
    (Looks::Mysql, octets::mysql),
    (Looks::Dns, octets::dns_in_stream),
    (Looks::Json, shape::json),
];

/// Asked before the others where it is a datagram: they look at its whole length.
const DATAGRAMS: &[(Looks, Matcher)] = &[
    (Looks::Dtls, datagrams::dtls),
    (Looks::Quic, datagrams::quic),
    (Looks::Ntp, datagrams::ntp),
    (Looks::Memcached, datagrams::memcached),
    (Looks::Bittorrent, datagrams::bittorrent),
    (Looks::Dns, datagrams::dns),
];

/// Openings that are a few octets long, and in a datagram are something else.
fn is_of_streams_only(looks: Looks) -> bool {
    matches!(looks, Looks::Dns | Looks::Telnet | Looks::Socks | Looks::Ssl2 | Looks::Mysql | Looks::Mqtt)
}

#[cfg(test)]
mod tests;
