//! What the trap says. The set is closed: nothing, an empty 200, 204, 400 or 404, or a page of ours. No redirect, no
//! file, no echo of anything that was asked, and no 2xx to CONNECT, which would promise a tunnel.
//!
//! [`decide`] says it without a version of HTTP: status, fields, page. [`answer`] writes that down as HTTP/1.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Write;

use model::Timestamp;
use model::case::AnswerPolicy;
use model::time::utc_day;
use wire::http::{Head, Version};

use crate::notice::{self, Field, Notices, Page};
use crate::witness::Concern;

/// An answer, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// `None` where nothing is said.
    pub(super) status: Option<u16>,
    pub(super) bytes: Vec<u8>,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

/// What a request deserves.
pub(super) fn answer(
    head: &Head,
    concern: &Concern,
    notices: &Notices,
    (keep_alive, proof): (bool, Option<String>),
    now: Timestamp,
) -> Answer {
    if !head.is_http() || head.version == Version::Http2 {
        return Answer { closes: true, ..Answer::default() };
    }
    let closes = !keep_alive || head.method() == b"CONNECT";
    match decide(head, concern, notices, proof, now) {
        Some(said) => Sheet { head, now, closes }.write(&said),
        None => Answer { closes: true, ..Answer::default() },
    }
}

//----------- Said -------------------------------------------------------------------------------------------------

/// What is said, whatever the version of HTTP.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) page: Option<Page>,
    /// For our own verifier alone.
    proof: Option<String>,
}

/// `None`: the connection closes without a word, unless our own verifier has to hear that it is we who say nothing.
pub(super) fn decide(
    head: &Head,
    concern: &Concern,
    notices: &Notices,
    proof: Option<String>,
    now: Timestamp,
) -> Option<Said> {
    let said = to_anybody(head, concern, notices, now);
    match proof {
        None => said,
        Some(_) => Some(Said { proof, ..said.unwrap_or_else(|| Said::bare(204)) }),
    }
}

fn to_anybody(head: &Head, concern: &Concern, notices: &Notices, now: Timestamp) -> Option<Said> {
    if head.is_bad {
        return Some(Said::bare(400));
    }
    match concern.zone() {
        _ if head.method() == b"CONNECT" => Some(Said::bare(404)),
        None => Some(Said::page(notice::stranger())),
        Some(_) if !concern.may_record(now) => Some(Said::bare(204)),
        Some(served) => match served.zone.answer_policy() {
            AnswerPolicy::Notice => {
                Some(Said::page(notices.answer(&served.zone, head.header("accept-language"), utc_day(now))))
            }
            AnswerPolicy::Empty => Some(Said::bare(200)),
            AnswerPolicy::Close => None,
        },
    }
}

impl Said {
    fn bare(status: u16) -> Self {
        Self { status, page: None, proof: None }
    }

    fn page(page: Page) -> Self {
        Self { status: page.status, page: Some(page), proof: None }
    }

    /// Octets of the body.
    fn octets(&self) -> usize {
        self.page.as_ref().map_or(0, |page| page.body.octets())
    }

    pub(super) fn body(&self) -> String {
        self.page.as_ref().map(|page| page.body.text()).unwrap_or_default()
    }

    /// The fields that do not depend on the version, in the order in which they are sent. Length, date and connection
    /// are whoever's who writes it.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let always =
            [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")];
        let of_page = self.page.iter().flat_map(Page::fields);
        let proof = self.proof.iter().map(|proof| (model::visit::HEADER, Cow::Borrowed(proof.as_str())));
        always.into_iter().map(|(name, value)| (name, value.into())).chain(of_page).chain(proof)
    }
}

//----------- HTTP/2 -----------------------------------------------------------------------------------------------

/// The fields of an answer as HTTP/2 has them: in lower case, and nothing of the connection (RFC 9113, 8.2).
pub(super) fn fields(said: &Said, now: Timestamp) -> Vec<(String, Cow<'_, str>)> {
    let mut fields = vec![("date".to_owned(), with_date(now, str::to_owned).into())];
    if said.status != 204 {
        fields.push(("content-length".to_owned(), said.octets().to_string().into()));
    }
    fields.extend(said.fields().map(|(name, value)| (name.to_ascii_lowercase(), value)));
    fields
}

/// The same for all answers of a second, so each thread writes it once a second (RFC 9110, 5.6.7).
fn with_date<T>(now: Timestamp, tell: impl FnOnce(&str) -> T) -> T {
    thread_local! {
        static LAST: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    LAST.with_borrow_mut(|(second, text)| {
        if *second != now.as_second() {
            (*second, *text) = (now.as_second(), now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        tell(text)
    })
}

//----------- Sheet ------------------------------------------------------------------------------------------------

/// Octets of a head: some 600 as they are, and a mark.
const HEAD_OCTETS: usize = 768;

struct Sheet<'a> {
    head: &'a Head,
    now: Timestamp,
    closes: bool,
}

impl Sheet<'_> {
    fn write(&self, said: &Said) -> Answer {
        let mut text = String::with_capacity(said.octets() + HEAD_OCTETS);
        if self.head.version != Version::Http09 {
            self.write_head(&mut text, said);
        }
        if let Some(page) = said.page.as_ref().filter(|_| self.head.method() != b"HEAD") {
            page.body.append_to(&mut text);
        }
        Answer { status: Some(said.status), bytes: text.into_bytes(), closes: self.closes }
    }

    fn write_head(&self, text: &mut String, said: &Said) {
        let (status, reason) = (said.status, reason(said.status));
        let connection = if self.closes { "close" } else { "keep-alive" };
        write!(text, "HTTP/1.1 {status} {reason}\r\nDate: ").expect("writing to a string cannot fail");
        with_date(self.now, |date| text.push_str(date));
        text.extend(["\r\nConnection: ", connection, "\r\n"]);
        if status != 204 {
            write!(text, "Content-Length: {}\r\n", said.octets()).expect("writing to a string cannot fail");
        }
        for (name, value) in said.fields() {
            text.extend([name, ": ", &value, "\r\n"]);
        }
        text.push_str("\r\n");
    }
}

/// RFC 9110, 15.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        410 => "Gone",
        _ => "Not Found",
    }
}
