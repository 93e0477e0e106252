//! Command lines out of octets, however they are cut: with their ends, and never longer than a line may be.
//!
//! A line that is too long is not held; it is skipped to its end, so that the rest of it is no command.

/// RFC 5321, 4.5.3.1.4 has 512 octets for a command and lets extensions add to them; all that we know of add less than
/// 1,536 (RFC 6531, 3.4 among them).
pub(super) const COMMAND_OCTETS_MAX: usize = 2048;
/// RFC 4954, 4: what AUTH needs, CRLF included.
pub(super) const AUTH_OCTETS_MAX: usize = 12_288;
/// A line that has no end by then is no line.
const LINE_SKIPPED_MAX: usize = 64 * 1024;

/// How a line ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LineEnd {
    CrLf,
    Lf,
}

pub(super) enum Line {
    Whole(Vec<u8>, LineEnd),
    TooLong,
    /// So long that the conversation is over.
    Endless,
}

#[derive(Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    skipped: usize,
}

impl Lines {
    pub(super) fn octets_held(&self) -> usize {
        self.held.len()
    }

    /// Takes octets up to a line's end; says how many. Lines behind an AUTH may be longer.
    pub(super) fn take(&mut self, bytes: &[u8], is_auth: bool) -> (usize, Option<Line>) {
        let end = bytes.iter().position(|b| *b == b'\n');
        let run = &bytes[..end.unwrap_or(bytes.len())];
        self.hold(run, is_auth);
        match end {
            _ if self.skipped > LINE_SKIPPED_MAX => (bytes.len(), Some(Line::Endless)),
            Some(end) => (end + 1, Some(self.finish())),
            None => (bytes.len(), None),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.skipped == 0
    }

    /// What has come of a line that has no end yet.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }

    fn hold(&mut self, run: &[u8], is_auth: bool) {
        if self.skipped > 0 {
            self.skipped = self.skipped.saturating_add(run.len());
            return;
        }
        // Enough to see the verb; the rest of it only once its limit is known.
        let (start, rest) = run.split_at(run.len().min(5_usize.saturating_sub(self.held.len())));
        self.held.extend_from_slice(start);
        let is_auth = is_auth || self.held.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        let limit = if is_auth { AUTH_OCTETS_MAX } else { COMMAND_OCTETS_MAX };
        if self.held.len() + rest.len() <= limit {
            return self.held.extend_from_slice(rest);
        }
        self.skipped = self.held.len() + rest.len();
        self.held = Vec::new();
    }

    fn finish(&mut self) -> Line {
        let mut line = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.skipped) > 0 {
            return Line::TooLong;
        }
        match line.pop_if(|last| *last == b'\r') {
            Some(_) => Line::Whole(line, LineEnd::CrLf),
            None => Line::Whole(line, LineEnd::Lf),
        }
    }
}
