//! A command line taken apart: the verb as sent, and what stands behind it.
//!
//! Nothing here decides anything; what a verb that nobody knows says is not kept, since it may be the second half of a
//! login that we did not understand.

use super::address::{Address, read_path};
use crate::oddity::{Oddity, note};
use crate::secrets::is_version;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    Helo,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Help,
    StartTls,
    Auth,
    /// One that somebody defined and we do not do.
    Declined,
    Unknown,
}

const VERBS: [(&[u8], Verb); 22] = [
    (b"HELO", Verb::Helo),
    (b"EHLO", Verb::Ehlo),
    (b"MAIL", Verb::Mail),
    (b"RCPT", Verb::Rcpt),
    (b"DATA", Verb::Data),
    (b"BDAT", Verb::Bdat),
    (b"RSET", Verb::Rset),
    (b"NOOP", Verb::Noop),
    (b"QUIT", Verb::Quit),
    (b"VRFY", Verb::Vrfy),
    (b"HELP", Verb::Help),
    (b"STARTTLS", Verb::StartTls),
    (b"AUTH", Verb::Auth),
    // RFC 5321, 4.1.1.7; RFC 2033; RFC 1985; RFC 2645; RFC 821; RFC 4468.
    (b"EXPN", Verb::Declined),
    (b"LHLO", Verb::Declined),
    (b"ETRN", Verb::Declined),
    (b"ATRN", Verb::Declined),
    (b"TURN", Verb::Declined),
    (b"SEND", Verb::Declined),
    (b"SOML", Verb::Declined),
    (b"SAML", Verb::Declined),
    (b"BURL", Verb::Declined),
];

/// Methods by which a line is HTTP even without a version.
const HTTP_METHODS: [&[u8]; 6] = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT"];

//----------- Command ----------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    pub(super) verb: Verb,
    /// The verb in the case in which it came.
    pub(super) name: &'a [u8],
    pub(super) rest: &'a [u8],
}

impl<'a> Command<'a> {
    pub(super) fn read(line: &'a [u8]) -> Self {
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let known = VERBS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name));
        Self { verb: known.map_or(Verb::Unknown, |(_, verb)| *verb), name, rest: rest.trim_ascii() }
    }

    /// Whether a browser, or what looks for open proxies, says this.
    pub(super) fn is_http(&self) -> bool {
        let last = self.rest.rsplit(|b| *b == b' ').next().unwrap_or_default();
        match self.verb {
            // `RTSP/1.0` and `SIP/2.0` end lines of their own.
            Verb::Unknown if is_version(last) => last.starts_with(b"HTTP/"),
            Verb::Unknown => HTTP_METHODS.contains(&self.name) && !self.rest.is_empty(),
            _ => false,
        }
    }
}

//----------- Envelope ---------------------------------------------------------------------------------------------

/// `FROM:<path> parameters` or `TO:<path> parameters`.
pub(super) struct Envelope<'a> {
    pub(super) address: Option<Address>,
    pub(super) parameters: Parameters<'a>,
}

impl<'a> Envelope<'a> {
    /// `None` where the keyword is missing.
    pub(super) fn read(keyword: &[u8], text: &'a [u8], oddities: &mut Vec<Oddity>) -> Option<Self> {
        let has_keyword = text.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword));
        let Some(path) = text[keyword.len().min(text.len())..].trim_ascii_start().strip_prefix(b":") else {
            note(oddities, Oddity::CommandArgument);
            return None;
        };
        if !has_keyword {
            note(oddities, Oddity::CommandArgument);
            return None;
        }
        let (address, rest) = read_path(path, oddities);
        Some(Self { address, parameters: Parameters(rest) })
    }
}

//----------- Parameters -------------------------------------------------------------------------------------------

/// Keywords of MAIL and RCPT (IANA, SMTP Service Extensions), those that we offer first.
const KEYWORDS: [&[u8]; 18] = [
    b"SIZE",
    b"BODY",
    b"SMTPUTF8",
    b"AUTH",
    b"RET",
    b"ENVID",
    b"NOTIFY",
    b"ORCPT",
    b"REQUIRETLS",
    b"BY",
    b"HOLDFOR",
    b"HOLDUNTIL",
    b"MT-PRIORITY",
    b"MTRK",
    b"SOLICIT",
    b"TRANSID",
    b"RRVS",
    b"CONPERM",
];
/// How many of them are offered.
const KEYWORDS_OFFERED: usize = 4;

/// `NAME` and `NAME=VALUE`, by white space. A value of AUTH or ENVID may say who somebody is: it is not looked at.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// Names in the case in which they came; `?` for what no registry knows.
    pub(super) fn names(self) -> impl Iterator<Item = &'a [u8]> {
        self.pairs().map(|(name, _)| if known(name).is_some() { name } else { b"?" })
    }

    pub(super) fn has(self, name: &[u8]) -> bool {
        self.pairs().any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    pub(super) fn has_stranger(self) -> bool {
        self.pairs().any(|(name, _)| known(name).is_none_or(|at| at >= KEYWORDS_OFFERED))
    }

    /// The number of octets that the client says the letter has.
    pub(super) fn size(self) -> Option<u64> {
        let (_, value) = self.pairs().find(|(name, _)| name.eq_ignore_ascii_case(b"SIZE"))?;
        std::str::from_utf8(value).ok()?.parse().ok()
    }

    fn pairs(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let words = self.0.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.map(|word| match word.iter().position(|b| *b == b'=') {
            Some(at) => (&word[..at], &word[at + 1..]),
            None => (word, &[][..]),
        })
    }
}

fn known(name: &[u8]) -> Option<usize> {
    KEYWORDS.iter().position(|keyword| keyword.eq_ignore_ascii_case(name))
}
