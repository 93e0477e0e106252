//! Odd requests: what is sent, what of it must stand in the record octet by octet, and what it is called.
//!
//! Each is a template. `{h}` is a seized name, `{t}` a token of its own (`{%t}` the same, percent-coded), and
//! `<<kind|octets>>` a span that may be a secret's: it is sent as it stands and recorded as a marker. All else of a head
//! is evidence and stays as it came. Bodies are never kept, so they stand apart. The page knows nothing of who is asked:
//! the same requests go to other people's recorders, whose files are then searched for the tokens.

mod list;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::SEIZED;
use crate::Trouble;

pub(crate) use list::all;

/// Nobody else calls from here, so whatever is recorded of this address is of this page.
pub(crate) const CALLER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);
/// How long an answer may take. INetSim waits for more until it gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// One odd request, or several on one connection.
pub(crate) struct Odd {
    /// What is odd, for people.
    pub(crate) what: &'static str,
    /// Its heads, as templates, each with the body that follows it.
    heads: Vec<(Vec<u8>, Vec<u8>)>,
    /// An oddity that the record must name; empty where none is.
    pub(crate) oddity: &'static str,
    /// The part of the record in which it stands.
    pub(crate) part: &'static str,
    number: usize,
}

impl Odd {
    /// What nobody else sends.
    pub(crate) fn token(&self) -> String {
        format!("odd{:02}Kj8x", self.number)
    }

    /// All that is sent over the connection.
    pub(crate) fn sent(&self) -> Vec<u8> {
        let parts = self.heads.iter().flat_map(|(head, body)| [as_sent(&self.filled(head)), self.filled(body)]);
        parts.collect::<Vec<_>>().concat()
    }

    /// Each head as it must be recorded.
    pub(crate) fn recorded(&self) -> Vec<Vec<u8>> {
        self.heads.iter().map(|(head, _)| as_recorded(&self.filled(head))).collect()
    }

    /// Says it on a connection of its own, and that no more comes: the port that called, and what came back.
    pub(crate) fn say(&self, port: u16) -> Result<(u16, Vec<u8>), Trouble> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((CALLER, 0)).into())?;
        socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = std::net::TcpStream::from(socket);
        let from = stream.local_addr()?.port();
        // Whoever has heard enough closes while we speak; what was said before that is read all the same.
        let _ = stream.write_all(&self.sent()).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        Ok((from, said))
    }

    fn filled(&self, template: &[u8]) -> Vec<u8> {
        let coded: String = self.token().bytes().map(|octet| format!("%{octet:02X}")).collect();
        let places = [("{h}", SEIZED.to_owned()), ("{t}", self.token()), ("{%t}", coded)];
        places
            .iter()
            .fold(template.to_vec(), |text, (place, value)| replaced(&text, place.as_bytes(), value.as_bytes()))
    }
}

//----------- Templates --------------------------------------------------------------------------------------------

fn as_sent(filled: &[u8]) -> Vec<u8> {
    with_spans(filled, |_, octets| octets.to_vec())
}

fn as_recorded(filled: &[u8]) -> Vec<u8> {
    with_spans(filled, |kind, _| [b"{redacted:", kind, b"}"].concat())
}

/// The text with each `<<kind|octets>>` replaced.
fn with_spans(text: &[u8], with: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = cut(rest, b"<<") {
        let (span, behind) = cut(behind, b">>").expect("a span has an end");
        let (kind, octets) = cut(span, b"|").expect("a span has a kind");
        out.extend([before, &with(kind, octets)].concat());
        rest = behind;
    }
    [&out, rest].concat()
}

fn replaced(text: &[u8], place: &[u8], value: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = cut(rest, place) {
        out.extend([before, value].concat());
        rest = behind;
    }
    [&out, rest].concat()
}

/// What stands before and behind the first such part.
fn cut<'a>(text: &'a [u8], part: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(part.len()).position(|window| window == part)?;
    Some((&text[..at], &text[at + part.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_what_is_sent_and_what_is_kept() {
        let template = b"GET /{t}?a=<<query-value|b>> HTTP/1.1\r\nHost: {h}\r\nX: {%t}\r\n\r\n";
        let odd =
            Odd { what: "", heads: vec![(template.to_vec(), b"body".to_vec())], oddity: "", part: "head", number: 1 };
        let coded = "%6F%64%64%30%31%4B%6A%38%78";
        let sent = format!("GET /odd01Kj8x?a=b HTTP/1.1\r\nHost: {SEIZED}\r\nX: {coded}\r\n\r\nbody");
        assert_eq!(String::from_utf8(odd.sent()).unwrap(), sent);
        let kept =
            format!("GET /odd01Kj8x?a={{redacted:query-value}} HTTP/1.1\r\nHost: {SEIZED}\r\nX: {coded}\r\n\r\n");
        assert_eq!(String::from_utf8(odd.recorded().concat()).unwrap(), kept);
    }

    #[test]
    fn each_has_a_token_where_it_is_kept() {
        let odds = all();
        assert!(odds.len() >= 40);
        for odd in odds {
            let kept = odd.recorded().concat();
            let has = |text: &str| cut(&kept, text.as_bytes()).is_some();
            assert!(has(&odd.token()), "{}", odd.what);
        }
    }
}
