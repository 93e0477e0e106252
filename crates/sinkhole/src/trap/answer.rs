//! What the trap says. The set is closed: nothing, an empty 200, 204, 400 or 404, or a page of ours. No redirect, no
//! file, no echo of anything that was asked, and no 2xx to CONNECT, which would promise a tunnel.

use std::fmt::Write;

use model::Timestamp;
use model::case::AnswerPolicy;
use model::time::utc_day;
use wire::http::{Head, Version};

use crate::notice;
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
pub(super) fn answer(head: &Head, concern: &Concern, keep_alive: bool, now: Timestamp) -> Answer {
    let sheet = Sheet { head, now, closes: !keep_alive || head.method() == b"CONNECT" };
    if !head.is_http() || head.version == Version::Http2 {
        return Answer { closes: true, ..Answer::default() };
    }
    if head.is_bad {
        return sheet.write(400, "");
    }
    match concern.zone() {
        _ if head.method() == b"CONNECT" => sheet.write(404, ""),
        None => sheet.write(404, notice::stranger()),
        Some(_) if !concern.may_record(now) => sheet.write(204, ""),
        Some(zone) => match zone.zone.answer_policy() {
            AnswerPolicy::Notice => sheet.write(200, &notice::page(&zone.zone, utc_day(now))),
            AnswerPolicy::Empty => sheet.write(200, ""),
            AnswerPolicy::Close => Answer { closes: true, ..Answer::default() },
        },
    }
}

//----------- Sheet ------------------------------------------------------------------------------------------------

struct Sheet<'a> {
    head: &'a Head,
    now: Timestamp,
    closes: bool,
}

impl Sheet<'_> {
    fn write(&self, status: u16, page: &str) -> Answer {
        let mut text = String::with_capacity(page.len() + 512);
        if self.head.version != Version::Http09 {
            self.write_head(&mut text, status, page);
        }
        if self.head.method() != b"HEAD" {
            text.push_str(page);
        }
        Answer { status: Some(status), bytes: text.into_bytes(), closes: self.closes }
    }

    fn write_head(&self, text: &mut String, status: u16, page: &str) {
        let reason = match status {
            200 => "OK",
            204 => "No Content",
            400 => "Bad Request",
            _ => "Not Found",
        };
        let date = self.now.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let connection = if self.closes { "close" } else { "keep-alive" };
        let written = write!(text, "HTTP/1.1 {status} {reason}\r\nDate: {date}\r\nConnection: {connection}\r\n");
        written.expect("writing to a string cannot fail");
        if status != 204 {
            write!(text, "Content-Length: {}\r\n", page.len()).expect("writing to a string cannot fail");
        }
        text.push_str("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
        if !page.is_empty() {
            text.push_str("Content-Type: text/html; charset=utf-8\r\nContent-Security-Policy: ");
            text.push_str(notice::policy());
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
    }
}
