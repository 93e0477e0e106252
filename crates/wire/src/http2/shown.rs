//! What an HTTP/2 client shows of itself beside its requests: settings, window, priorities, order of pseudo-headers.
//!
//! Programs differ in these and seldom know it, so they tell a browser from a script that claims to be one. They are
//! written in the form that was published first and that most lists use (Shuster and others, "Passive Fingerprinting of
//! HTTP/2 Clients", 2017): `1:65536;3:1000;4:6291456|15663105|0|m,a,s,p`. What that form leaves out, the priority
//! within a request's own HEADERS, follows behind a blank: whoever compares with a list takes what stands before it.
//! What comes after the first request is no longer kept: it depends on what was answered.

use std::fmt::{self, Write};

/// Settings that are kept, of the first SETTINGS frame. Eight are registered; clients that grease send one more.
pub const SETTINGS_KEPT_MAX: usize = 32;
/// PRIORITY frames that are kept, the first ones. Firefox sent six before its first request.
pub const PRIORITIES_KEPT_MAX: usize = 16;
/// Pseudo-headers whose order is kept. Requests have four, and five with a protocol.
pub const PSEUDO_KEPT_MAX: usize = 8;

//----------- Shown ------------------------------------------------------------------------------------------------

#[derive(Debug, Default)]
pub(super) struct Shown {
    settings: Vec<(u16, u32)>,
    window: Option<u32>,
    priorities: Vec<(u32, Priority)>,
}

/// What a stream depends on, and how much it weighs (RFC 7540, 5.3; deprecated, and still sent).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Priority {
    pub(super) depends_on: u32,
    is_exclusive: bool,
    weight: u16,
}

impl Priority {
    pub(super) const OCTETS: usize = 5;

    pub(super) fn read(octets: [u8; Self::OCTETS]) -> Self {
        let [d1, d2, d3, d4, weight] = octets;
        let depends_on = super::frames::stream_id([d1, d2, d3, d4]);
        Self { depends_on, is_exclusive: d1 & 0x80 != 0, weight: u16::from(weight) + 1 }
    }
}

impl Shown {
    pub(super) fn setting(&mut self, id: u16, value: u32) {
        if self.settings.len() < SETTINGS_KEPT_MAX {
            self.settings.push((id, value));
        }
    }

    /// The connection's window; the first one counts.
    pub(super) fn window(&mut self, octets: u32) {
        self.window.get_or_insert(octets);
    }

    pub(super) fn priority(&mut self, stream: u32, priority: Priority) {
        if self.priorities.len() < PRIORITIES_KEPT_MAX {
            self.priorities.push((stream, priority));
        }
    }

    /// All of it as text, with what one request shows.
    pub(super) fn text(&self, pseudo: &[u8], priority: Option<Priority>) -> Vec<u8> {
        let mut text = String::with_capacity(64);
        join(&mut text, ';', &self.settings, |text, (id, value)| write!(text, "{id}:{value}"));
        text.push('|');
        match self.window {
            Some(octets) => text.push_str(&octets.to_string()),
            // The published form has two zeros where no window came.
            None => text.push_str("00"),
        }
        text.push_str(if self.priorities.is_empty() { "|0" } else { "|" });
        join(&mut text, ',', &self.priorities, |text, (stream, it)| write!(text, "{stream}:{it}"));
        text.push('|');
        let pseudo = &pseudo[..pseudo.len().min(PSEUDO_KEPT_MAX)];
        join(&mut text, ',', pseudo, |text, letter| write!(text, "{}", char::from(*letter)));
        if let Some(priority) = priority {
            text.push_str(&format!(" {priority}"));
        }
        text.into_bytes()
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", u8::from(self.is_exclusive), self.depends_on, self.weight)
    }
}

fn join<T>(text: &mut String, between: char, parts: &[T], write: impl Fn(&mut String, &T) -> fmt::Result) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            text.push(between);
        }
        write(text, part).expect("writing to a string cannot fail");
    }
}
