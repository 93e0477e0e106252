//! A body as it streams by: how long, whether whole, which fields. Its octets are looked at once and not kept.

use super::chunked::Chunked;
use super::fields::FieldReader;
use super::head::{Framing, Head};
use crate::oddity::Oddity;
use crate::secrets::{Accounts, Redaction, SecretKind};

/// What is known of a body when it is over.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BodyFacts {
    /// Octets of content received, without framing.
    pub len: u64,
    /// Whether its end was seen.
    pub complete: bool,
    /// Names of fields, as far as the grammar says that they are names.
    pub fields: Vec<String>,
    /// Where the first value stood. More offsets would tell how long the values are.
    pub redactions: Vec<Redaction>,
}

/// How far a body is.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    More,
    Complete,
    Broken(Oddity),
}

//----------- BodyReader -------------------------------------------------------------------------------------------

#[derive(Debug)]
pub(crate) struct BodyReader {
    frame: Frame,
    content: Content,
}

#[derive(Debug)]
enum Frame {
    /// So many octets are left.
    Length(u64),
    Chunked(Chunked),
    /// HTTP/2 says where a body ends; so many octets were announced, if any were.
    Stream(Option<u64>),
}

/// What is counted and read, apart from the framing.
#[derive(Debug)]
struct Content {
    len: u64,
    limit: u64,
    fields: FieldReader,
    first_value: Option<u64>,
}

impl BodyReader {
    /// A reader for the body that follows `head`, if one does. It reads at most `limit` octets of content.
    pub(super) fn for_head(head: &Head, limit: u64, with_accounts: bool) -> Option<Self> {
        let frame = match head.framing {
            Framing::None => return None,
            Framing::Length(len) => Frame::Length(len),
            Framing::Chunked => Frame::Chunked(Chunked::default()),
        };
        Some(Self::of(frame, head, limit, with_accounts))
    }

    /// A reader for the body of an HTTP/2 request, whose end [`Self::on_end`] is told.
    pub(crate) fn for_stream(head: &Head, limit: u64, with_accounts: bool) -> Self {
        let announced = match head.framing {
            Framing::Length(len) => Some(len),
            _ => None,
        };
        Self::of(Frame::Stream(announced), head, limit, with_accounts)
    }

    fn of(frame: Frame, head: &Head, limit: u64, with_accounts: bool) -> Self {
        let fields = match head.is_coded {
            true => FieldReader::Opaque,
            false => FieldReader::for_type(&head.content_type, with_accounts),
        };
        Self { frame, content: Content { len: 0, limit, fields, first_value: None } }
    }

    /// The stream ends here; an announced length must be reached exactly (RFC 9113, 8.1.1).
    pub(crate) fn on_end(&self) -> Progress {
        match self.frame {
            Frame::Stream(Some(left)) if left > 0 => Progress::Broken(Oddity::H2Length),
            _ => Progress::Complete,
        }
    }

    /// Takes octets up to the body's end; says how many.
    pub(crate) fn on_bytes(&mut self, bytes: &[u8]) -> (usize, Progress) {
        let content = &mut self.content;
        let (taken, complete) = match &mut self.frame {
            Frame::Length(left) => {
                let run = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                content.take(&bytes[..run]);
                *left -= run as u64;
                (run, *left == 0)
            }
            Frame::Chunked(chunked) => match chunked.on_bytes(bytes, |run| content.take(run)) {
                Ok(taken) => (taken, chunked.is_done()),
                Err(oddity) => return (bytes.len(), Progress::Broken(oddity)),
            },
            Frame::Stream(left) => {
                content.take(bytes);
                match left.map(|left| left.checked_sub(bytes.len() as u64)) {
                    Some(None) => return (bytes.len(), Progress::Broken(Oddity::H2Length)),
                    Some(rest) => *left = rest,
                    None => {}
                }
                (bytes.len(), false)
            }
        };
        match complete {
            _ if content.len > content.limit => (taken, Progress::Broken(Oddity::BodyTooLong)),
            true => (taken, Progress::Complete),
            false => (taken, Progress::More),
        }
    }

    /// Whose account it is may not be known: what is held is let go, and nothing more is.
    pub(crate) fn forget_accounts(&mut self) {
        self.content.fields.forget_accounts();
    }

    /// What the body was, and the accounts in it, if they were asked for.
    pub(crate) fn finish(self, complete: bool) -> (BodyFacts, Accounts) {
        let content = self.content;
        let (fields, accounts) = content.fields.finish(complete);
        let redaction = |at| Redaction { offset: u32::try_from(at).unwrap_or(u32::MAX), kind: SecretKind::BodyValue };
        let redactions = content.first_value.map(redaction).into_iter().collect();
        (BodyFacts { len: content.len, complete, fields, redactions }, accounts)
    }
}

impl Content {
    /// Counts octets, and looks for names in them while the limit is not reached.
    fn take(&mut self, bytes: &[u8]) {
        let before = self.len;
        self.len += bytes.len() as u64;
        if before > self.limit {
            return;
        }
        if let Some(at) = self.fields.on_bytes(bytes)
            && self.first_value.is_none()
        {
            self.first_value = Some(before + at as u64);
        }
    }
}
