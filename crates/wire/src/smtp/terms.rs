//! On which terms we receive: the name we go by, what becomes of mail, when a login is offered.
//!
//! They are decided above, per listener and case, and do not change within a conversation.

/// A letter's octets where nothing else is said: 25 MiB, the limit of the large mail services.
pub const LETTER_OCTETS_MAX: u64 = 25 * 1024 * 1024;

/// What the machine is told before it starts. It has no `Debug`: it holds a key.
#[derive(Clone)]
pub struct Terms {
    /// The neutral name in the greeting, in the form of a host name.
    pub host: String,
    pub mail: Mail,
    pub tls: Tls,
    pub login: Login,
    /// What challenges are made with (RFC 2195), so that nobody guesses them.
    pub nonce_key: [u8; 32],
}

/// What becomes of mail.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mail {
    /// Each recipient is refused.
    #[default]
    Refuse,
    /// Letters for names of ours are read and dropped.
    Accept { octets_max: u64 },
}

impl Mail {
    /// As announced by SIZE, whether anything is accepted or not.
    pub(super) fn octets_max(self) -> u64 {
        match self {
            Self::Refuse => LETTER_OCTETS_MAX,
            Self::Accept { octets_max } => octets_max,
        }
    }
}

/// TLS below this conversation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tls {
    /// There is none to be had.
    #[default]
    Absent,
    /// By STARTTLS.
    Offered,
    /// From the first octet (RFC 8314, 3.3).
    Running,
}

/// When we ask for a password. None is ever accepted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Login {
    /// Under TLS only: whoever asks for a password in clear helps those who listen on the way.
    #[default]
    UnderTls,
    Always,
}

/// Whose a recipient's domain is. It has no `Debug`: it holds a key.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Standing {
    /// Ours, and its mail is taken where [`Mail`] says so: attachments are hashed under its case's key.
    Ours {
        key: [u8; 32],
    },
    /// Ours, and no mail is taken for it.
    Mailless,
    Stranger,
}
