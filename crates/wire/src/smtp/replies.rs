//! What we say: a closed set (RFC 5321, 4.2; enhanced codes of RFC 3463, 5248, 7504 and 7505).
//!
//! Nothing that a client sent is ever in an answer, but for which of our own names it greeted.

use super::auth::Question;
use super::terms::{Login, Terms};
use super::transfer::to_base64;

pub(super) const OK: &str = "250 2.0.0 Ok";
pub(super) const SENDER_OK: &str = "250 2.1.0 Ok";
pub(super) const RECIPIENT_OK: &str = "250 2.1.5 Ok";
pub(super) const GO_AHEAD: &str = "354 End data with <CR><LF>.<CR><LF>";
pub(super) const BYE: &str = "221 2.0.0 Bye";
pub(super) const HELP: &str = "214 2.0.0 See RFC 5321";
/// RFC 5321, 3.5.3: what a server says that will not tell.
pub(super) const CANNOT_VERIFY: &str = "252 2.5.2 Cannot verify";
pub(super) const READY_FOR_TLS: &str = "220 2.0.0 Ready to start TLS";

pub(super) const UNKNOWN: &str = "500 5.5.2 Command not recognized";
pub(super) const LINE_TOO_LONG: &str = "500 5.5.6 Line too long";
pub(super) const ARGUMENT: &str = "501 5.5.4 Syntax error in arguments";
pub(super) const SENDER_FORM: &str = "501 5.1.7 Bad sender address syntax";
pub(super) const RECIPIENT_FORM: &str = "501 5.1.3 Bad recipient address syntax";
pub(super) const CANCELLED: &str = "501 5.7.0 Authentication cancelled";
pub(super) const DECLINED: &str = "502 5.5.1 Command not implemented";
pub(super) const ORDER: &str = "503 5.5.1 Bad sequence of commands";
pub(super) const MECHANISM: &str = "504 5.5.4 Unrecognized authentication type";
/// RFC 4954, 6.
pub(super) const BAD_LOGIN: &str = "535 5.7.8 Authentication credentials invalid";
pub(super) const TLS_FIRST: &str = "538 5.7.11 Encryption required for requested authentication mechanism";
pub(super) const RELAY: &str = "550 5.7.1 Relaying denied";
/// RFC 7505, 4: the name takes no mail.
pub(super) const NULL_MX: &str = "556 5.1.10 Recipient address has null MX";
pub(super) const TOO_MANY_RECIPIENTS: &str = "452 4.5.3 Too many recipients";
pub(super) const TOO_BIG: &str = "552 5.3.4 Message too big";
pub(super) const NO_RECIPIENTS: &str = "554 5.5.1 No valid recipients";
pub(super) const CLOSING: &str = "421 4.7.0 Closing connection";

pub(super) fn greeting(terms: &Terms) -> String {
    format!("220 {} ESMTP", terms.host)
}

pub(super) fn helo(terms: &Terms) -> String {
    format!("250 {}", terms.host)
}

/// The answer to EHLO, as lines without their ends.
pub(super) fn ehlo(terms: &Terms, offers_tls: bool, is_secure: bool) -> String {
    let size = format!("SIZE {}", terms.mail.octets_max());
    let offers_login = is_secure || terms.login == Login::Always;
    let mut lines = vec![terms.host.as_str(), "PIPELINING", &size];
    lines.extend(offers_tls.then_some("STARTTLS"));
    lines.extend(offers_login.then_some("AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2"));
    lines.extend(["ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING"]);
    let last = lines.len() - 1;
    let line = |(at, text): (usize, &&str)| format!("250{}{text}", if at < last { "-" } else { " " });
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
}

/// A challenge. `nonce` makes CRAM-MD5's differ from one conversation to the next (RFC 2195, 2); since the answer is
/// dropped unseen, nothing hangs on it.
pub(super) fn challenge(question: Question, nonce: [u8; 8], terms: &Terms) -> String {
    let text = match question {
        Question::Respond => return "334 ".to_owned(),
        Question::UserName => "Username:".to_owned(),
        Question::Password => "Password:".to_owned(),
        Question::Digest => format!("<{}@{}>", u64::from_be_bytes(nonce), terms.host),
    };
    format!("334 {}", to_base64(text.as_bytes()))
}
