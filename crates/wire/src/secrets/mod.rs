//! Where secrets stand, or may stand, in what a caller sent; and the bytes without them.
//!
//! A password typed into a seized site must not reach a disk, and nothing from which it could be guessed. So this page
//! decides by form, not by content, and when in doubt it hides: every value of a query, every cookie's value, every
//! header whose name speaks of a secret, every user-info, every line that is no header, and everything after a first
//! line that is no request line. A marker stands in a secret's place; its length is not kept.
//!
//! What is deliberately absent: judging by entropy or by dictionaries. A token in a path (`/reset/d41d8c`) is part of
//! the address that the caller asked for and stays; whoever may not keep that may not keep paths.

mod account;
mod fields;
mod head;
mod names;
mod shape;
mod text;
mod url;

use std::ops::Range;

pub use account::{ACCOUNT_OCTETS_MAX, ACCOUNTS_MAX, Account, Accounts};
pub(crate) use account::{basic_user, is_account_field};
pub use head::{FirstLine, Header, Opening, RedactedHead};
pub(crate) use head::{is_known_method, is_version};
pub use names::{NAME_OCTETS_MAX, is_plain_name};
pub(crate) use names::{is_header_name, percent_decoded_once};

//----------- SecretKind -------------------------------------------------------------------------------------------

/// What kind of secret a span was taken for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SecretKind {
    /// Authorization and Proxy-Authorization.
    Credentials,
    Cookie,
    /// A header whose name speaks of a key or token, or a line that is no header.
    HeaderToken,
    /// The value of a query parameter.
    QueryValue,
    /// The part before `@` in an authority.
    UserInfo,
    /// A value in a body, or bytes that may be part of one.
    BodyValue,
}

impl SecretKind {
    pub const ALL: [Self; 6] =
        [Self::Credentials, Self::Cookie, Self::HeaderToken, Self::QueryValue, Self::UserInfo, Self::BodyValue];

    /// What stands in the bytes instead of the secret.
    pub fn marker(self) -> &'static [u8] {
        match self {
            Self::Credentials => b"{redacted:credentials}",
            Self::Cookie => b"{redacted:cookie}",
            Self::HeaderToken => b"{redacted:header-token}",
            Self::QueryValue => b"{redacted:query-value}",
            Self::UserInfo => b"{redacted:user-info}",
            Self::BodyValue => b"{redacted:body-value}",
        }
    }
}

/// Where a marker stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Redaction {
    /// In the bytes as kept.
    pub offset: u32,
    pub kind: SecretKind,
}

//----------- Redacted ---------------------------------------------------------------------------------------------

/// Bytes without their secrets. Built from front to back: each octet is either kept or hidden.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Redacted {
    pub bytes: Vec<u8>,
    pub redactions: Vec<Redaction>,
}

impl Redacted {
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Puts a marker; two of a kind side by side are one.
    pub(crate) fn hide(&mut self, kind: SecretKind) {
        let marker = kind.marker();
        let before = self.bytes.len().checked_sub(marker.len());
        let beside = |last: &Redaction| last.kind == kind && before == Some(last.offset as usize);
        if self.redactions.last().is_some_and(beside) {
            return;
        }
        let offset = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.redactions.push(Redaction { offset, kind });
        self.bytes.extend_from_slice(marker);
    }

    /// Hides `bytes` if there are any.
    pub(crate) fn hide_some(&mut self, kind: SecretKind, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.hide(kind);
        }
    }

    /// The span that `write` appends.
    pub(crate) fn span(&mut self, write: impl FnOnce(&mut Self)) -> Range<usize> {
        let start = self.bytes.len();
        write(self);
        start..self.bytes.len()
    }
}

#[cfg(test)]
mod tests;
