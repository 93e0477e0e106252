//! An HTTP/1 answer's head, as far as a caller needs it: what it says, where it ends, whether the connection stays.

/// What was read of a head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Octets of the head with its empty line.
    pub(crate) len: usize,
    pub(crate) keeps_connection: bool,
    content_length: Option<usize>,
}

/// Where the body ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    Length(usize),
    /// With the connection.
    Close,
}

impl Head {
    /// `None` until the head is whole, and for whatever is no HTTP.
    pub(crate) fn read(octets: &[u8]) -> Option<Self> {
        let len = octets.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let text = std::str::from_utf8(&octets[..len]).ok()?;
        let mut lines = text.split("\r\n");
        let (version, rest) = lines.next()?.split_once(' ')?;
        let status = rest.get(..3)?.parse().ok()?;
        let mut head = Self { status, len, keeps_connection: version == "HTTP/1.1", content_length: None };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            head.take(name, value.trim());
        }
        Some(head)
    }

    fn take(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("content-length") {
            self.content_length = value.parse().ok();
        }
        if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
            self.keeps_connection = false;
        }
    }

    /// Where the body ends (RFC 9112, 6.3); chunks are read to the end of the connection, which a caller can do.
    pub(crate) fn framing_after(&self, bodiless: bool) -> Framing {
        match self.content_length {
            _ if bodiless || matches!(self.status, 100..=199 | 204 | 304) => Framing::Length(0),
            Some(len) => Framing::Length(len),
            None => Framing::Close,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_where_it_ends() {
        for (octets, bodiless, framing, keeps) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", true, Framing::Length(0), true),
            ("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", false, Framing::Length(0), false),
            ("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", false, Framing::Close, false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false, Framing::Length(1), false),
        ] {
            let head = Head::read(octets.as_bytes()).unwrap();
            assert_eq!((head.framing_after(bodiless), head.keeps_connection), (framing, keeps), "{octets:?}");
        }
    }

    #[test]
    fn what_is_not_whole_or_no_http_is_no_head() {
        for octets in ["", "HTTP/1.1 200 OK\r\n", "\x15\x03\x01\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "hello\r\n\r\n"] {
            assert_eq!(Head::read(octets.as_bytes()), None, "{octets:?}");
        }
    }
}
