//! A head that came by HTTP/2: fields instead of lines, and the same [`Head`] as by HTTP/1.
//!
//! Whoever records and answers requests need not know by which version they came. What the fields must be, beyond what
//! a head means in every version, [`crate::http2`] has judged before and noted.

use std::time::Duration;

use super::head::{Framing, Head, Version, content_length};
use crate::oddity::{Oddity, note};
use crate::secrets::{Accounts, RedactedHead};

/// What a head is made of, secrets included.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    /// Empty if none came; the same goes for the target.
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    /// Stands in front as `host`.
    pub(crate) authority: Option<&'a [u8]>,
    /// In the order sent.
    pub(crate) headers: Vec<(&'a [u8], &'a [u8])>,
}

impl Head {
    /// A head of these fields, which came in so many octets.
    pub(crate) fn of_fields(fields: &Fields<'_>, octets: u64, began: Duration) -> Self {
        let host = fields.authority.iter().map(|authority| (&b"host"[..], *authority));
        let headers = host.chain(fields.headers.iter().copied());
        let kept = RedactedHead::of_fields(fields.method, fields.target, headers);
        let mut head = Self { octets, ..Self::unread(began, kept) };
        head.note_target();
        head.content_type = fields.all("content-type").next().unwrap_or_default().to_vec();
        head.is_coded = fields.all("content-encoding").any(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        head.find_accounts(fields.all("authorization").chain(fields.all("proxy-authorization")));
        match fields.all("host").count() {
            0 if fields.authority.is_none() => head.note(Oddity::MissingHost),
            0 | 1 => {}
            _ => head.note(Oddity::RepeatedHost),
        }
        for expectation in fields.all("expect") {
            match expectation.eq_ignore_ascii_case(b"100-continue") {
                true => head.expects_continue = true,
                false => head.note(Oddity::Expectation),
            }
        }
        head.take_length(fields);
        head
    }

    /// A head that says nothing but this: something was odd about the connection, and no request was there to carry it.
    pub(crate) fn of_connection(oddities: &[Oddity], began: Duration) -> Self {
        let mut head = Self::unread(began, RedactedHead::default());
        oddities.iter().for_each(|oddity| head.spoil(*oddity));
        head
    }

    fn unread(began: Duration, kept: RedactedHead) -> Self {
        Self {
            began,
            octets: 0,
            version: Version::Http2,
            oddities: kept.oddities.clone(),
            kept,
            is_bad: false,
            keep_alive: true,
            expects_continue: false,
            h2: Vec::new(),
            framing: Framing::None,
            content_type: Vec::new(),
            is_coded: false,
            accounts: Accounts::default(),
        }
    }

    fn take_length(&mut self, fields: &Fields<'_>) {
        let mut lengths = fields.all("content-length");
        let Some(first) = lengths.next() else { return };
        let mut agree = true;
        for other in lengths {
            note(&mut self.oddities, Oddity::LengthRepeated);
            agree &= other == first;
        }
        match content_length(first) {
            Some(len) if agree => self.framing = Framing::Length(len),
            _ => self.spoil(Oddity::Length),
        }
    }
}

impl<'a> Fields<'a> {
    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| *value)
    }
}
