//! What a head means: which version, which host, how long the body, whether the connection goes on.

use std::mem::MaybeUninit;
use std::time::Duration;

use crate::oddity::{Oddity, note};
use crate::secrets::{Accounts, Opening, RedactedHead, basic_user};

/// The most headers that a head may have. Real clients send fewer than forty.
pub const HEADERS_MAX: usize = 128;

//----------- Head -------------------------------------------------------------------------------------------------

/// A request's head: evidence without secrets, and what the machine needs to go on.
#[derive(Debug)]
pub struct Head {
    /// When its first octet came.
    pub began: Duration,
    /// The octets as they came, secrets hidden.
    pub kept: RedactedHead,
    /// How many octets came.
    pub octets: u64,
    pub version: Version,
    pub oddities: Vec<Oddity>,
    /// Whether the head cannot be answered in kind: the connection ends with this request.
    pub is_bad: bool,
    pub keep_alive: bool,
    pub expects_continue: bool,
    /// What an HTTP/2 client shows of itself beside the fields (see [`crate::http2::Traits`]); empty in HTTP/1.
    pub h2: Vec<u8>,
    pub(super) framing: Framing,
    /// As sent, for the body's reader: it names the multipart boundary.
    pub(super) content_type: Vec<u8>,
    pub(super) is_coded: bool,
    /// The user of Basic credentials.
    pub(super) accounts: Accounts,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Version {
    #[default]
    Unknown,
    Http09,
    Http10,
    Http11,
    Http2,
}

/// How the end of a body is found (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Framing {
    #[default]
    None,
    Length(u64),
    Chunked,
}

impl Head {
    /// Reads a head's octets, up to and with the empty line or as far as they came.
    pub(super) fn read(raw: &[u8], opening: Opening, began: Duration) -> Self {
        let kept = RedactedHead::read(raw, opening);
        let mut head = Self {
            began,
            octets: raw.len() as u64,
            version: version(&kept),
            oddities: kept.oddities.clone(),
            kept,
            is_bad: false,
            keep_alive: false,
            expects_continue: false,
            h2: Vec::new(),
            framing: Framing::None,
            content_type: Vec::new(),
            is_coded: false,
            accounts: Accounts::default(),
        };
        let start = raw.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if start > 0 && head.is_http() {
            head.note(Oddity::BlankFirst);
        }
        head.note_target();
        match head.version {
            Version::Http10 | Version::Http11 => head.parse(&raw[start..]),
            Version::Http09 => {}
            Version::Http2 => head.spoil(Oddity::Http2Preface),
            Version::Unknown if head.is_http() => head.spoil(Oddity::Version),
            Version::Unknown => head.is_bad = true,
        }
        head
    }

    pub fn method(&self) -> &[u8] {
        self.kept.first.as_ref().map_or(&[], |first| self.kept.bytes(&first.method))
    }

    /// The target as sent, secrets hidden.
    pub fn target(&self) -> &[u8] {
        self.kept.first.as_ref().map_or(&[], |first| self.kept.bytes(&first.target))
    }

    pub fn header(&self, name: &str) -> &[u8] {
        self.kept.header(name).unwrap_or_default()
    }

    /// The host that the request is for, without user-info and port: the target's where it names one (RFC 9112,
    /// 3.2.2), else the Host header's.
    pub fn host(&self) -> &[u8] {
        let target = self.target();
        let from_target = match target.windows(3).position(|three| three == b"://") {
            Some(at) if !target.starts_with(b"/") => Some(&target[at + 3..]),
            _ if self.method() == b"CONNECT" => Some(target),
            _ => None,
        };
        let authority = from_target.unwrap_or_else(|| self.header("host"));
        host_of(authority)
    }

    /// Whether it is a request at all.
    pub fn is_http(&self) -> bool {
        self.kept.first.is_some()
    }

    /// Hands the accounts out that stood in the head; what is not taken goes no further than this machine.
    pub fn take_accounts(&mut self) -> Accounts {
        std::mem::take(&mut self.accounts)
    }

    /// By what stands in Authorization and Proxy-Authorization.
    pub(super) fn find_accounts<'a>(&mut self, credentials: impl Iterator<Item = &'a [u8]>) {
        credentials.filter_map(basic_user).for_each(|account| self.accounts.add(account));
    }

    pub(crate) fn note(&mut self, oddity: Oddity) {
        note(&mut self.oddities, oddity);
    }

    /// Notes why this head ends the connection.
    pub(crate) fn spoil(&mut self, oddity: Oddity) {
        self.note(oddity);
        self.is_bad = true;
        self.keep_alive = false;
        self.framing = Framing::None;
    }

    pub(super) fn note_target(&mut self) {
        let target = self.target();
        let oddity = match target {
            _ if self.method() == b"CONNECT" => Some(Oddity::AuthorityForm),
            [] | [b'/', ..] | b"*" => None,
            _ if target.windows(3).any(|three| three == b"://") => Some(Oddity::AbsoluteForm),
            _ => Some(Oddity::TargetForm),
        };
        if let Some(oddity) = oddity {
            self.note(oddity);
        }
    }

    //----- By httparse

    fn parse(&mut self, raw: &[u8]) {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut []);
        match request.parse_with_uninit_headers(raw, &mut headers) {
            Ok(httparse::Status::Complete(_)) => self.take_meaning(request.headers),
            Ok(httparse::Status::Partial) => self.spoil(Oddity::HeadIncomplete),
            Err(error) => self.spoil(refusal(error, &self.oddities)),
        }
    }

    fn take_meaning(&mut self, headers: &[httparse::Header<'_>]) {
        let all = |name: &'static str| {
            headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
        };
        self.find_accounts(all("authorization").chain(all("proxy-authorization")));
        match all("host").count() {
            0 if self.version == Version::Http11 => self.note(Oddity::MissingHost),
            0 | 1 => {}
            _ => self.note(Oddity::RepeatedHost),
        }
        if all("upgrade").next().is_some() {
            self.note(Oddity::Upgrade);
        }
        self.content_type = all("content-type").next().unwrap_or_default().to_vec();
        self.is_coded = all("content-encoding").any(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        let says = |word: &[u8]| all("connection").any(|value| has_word(value, word));
        self.keep_alive = !says(b"close") && (self.version == Version::Http11 || says(b"keep-alive"));
        for expectation in all("expect") {
            match expectation.eq_ignore_ascii_case(b"100-continue") && self.version == Version::Http11 {
                true => self.expects_continue = true,
                false => self.note(Oddity::Expectation),
            }
        }
        let lengths: Vec<&[u8]> = all("content-length").collect();
        let codings: Vec<&[u8]> = all("transfer-encoding").collect();
        self.find_framing(&lengths, &codings);
    }

    /// RFC 9112, 6.3: Transfer-Encoding wins, and then the connection ends; a length that is none ends it at once.
    fn find_framing(&mut self, lengths: &[&[u8]], codings: &[&[u8]]) {
        if !codings.is_empty() {
            if !lengths.is_empty() {
                self.note(Oddity::LengthAndEncoding);
                self.keep_alive = false;
            }
            return self.find_coding(codings);
        }
        if lengths.len() > 1 {
            self.note(Oddity::LengthRepeated);
        }
        let Some(first) = lengths.first() else { return };
        match content_length(first) {
            Some(len) if lengths.iter().all(|other| other == first) => {
                self.framing = if len == 0 { Framing::None } else { Framing::Length(len) };
            }
            _ => self.spoil(Oddity::Length),
        }
    }

    fn find_coding(&mut self, codings: &[&[u8]]) {
        if self.version != Version::Http11 {
            self.note(Oddity::EncodingVersion);
            self.keep_alive = false;
        }
        match codings {
            [only] if only.eq_ignore_ascii_case(b"chunked") => self.framing = Framing::Chunked,
            _ => self.spoil(Oddity::Encoding),
        }
    }
}

//----------- Parts ------------------------------------------------------------------------------------------------

fn version(kept: &RedactedHead) -> Version {
    match kept.first.as_ref().map(|first| kept.bytes(&first.version)) {
        // HTTP/0.9 knows GET alone; any other method without a version is of none.
        Some(b"") if kept.first.as_ref().is_some_and(|first| kept.bytes(&first.method) == b"GET") => Version::Http09,
        Some(b"HTTP/1.0") => Version::Http10,
        Some(b"HTTP/1.1") => Version::Http11,
        Some(b"HTTP/2.0") => Version::Http2,
        _ => Version::Unknown,
    }
}

/// The oddity for what httparse refuses, unless a more exact one is noted already.
fn refusal(error: httparse::Error, known: &[Oddity]) -> Oddity {
    let exact = [Oddity::ObsFold, Oddity::SpaceBeforeColon, Oddity::NoColon, Oddity::HeaderName, Oddity::ControlByte];
    match error {
        httparse::Error::TooManyHeaders => Oddity::TooManyHeaders,
        httparse::Error::Version => Oddity::Version,
        httparse::Error::NewLine if known.contains(&Oddity::BareCr) => Oddity::BareCr,
        _ => exact.into_iter().find(|oddity| known.contains(oddity)).unwrap_or(Oddity::HeadGarbage),
    }
}

/// Digits and nothing else (RFC 9110, 8.6); what does not fit into 64 bits is none.
pub(super) fn content_length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all_digits)?.parse().ok()
}

fn has_word(list: &[u8], word: &[u8]) -> bool {
    list.split(|b| *b == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(word))
}

/// `user@host:port/…` without all but the host. An IPv6 address keeps its brackets.
fn host_of(authority: &[u8]) -> &[u8] {
    let end = authority.iter().position(|b| b"/?#\\".contains(b)).unwrap_or(authority.len());
    let authority = &authority[..end];
    let start = authority.iter().rposition(|b| *b == b'@').map_or(0, |at| at + 1);
    let host = &authority[start..];
    match (host.first(), host.iter().position(|b| *b == b']')) {
        (Some(b'['), Some(end)) => &host[..=end],
        _ => host.split(|b| *b == b':').next().unwrap_or_default(),
    }
}
