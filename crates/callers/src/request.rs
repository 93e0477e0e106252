//! HTTP requests as callers write them: heads, forms and the encodings in which a password travels.
//!
//! Written out by hand, because a client library would correct what the callers mean to get wrong.

use crate::act::Request;

//----------- Draft ------------------------------------------------------------------------------------------------

/// A request in the making; headers keep their order and letter case.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    method: String,
    target: String,
    version: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    typed: Vec<String>,
}

impl Draft {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.into(), target.into());
        Self { method, target, version: "HTTP/1.1", headers: vec![], body: vec![], typed: vec![] }
    }

    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A body with its type and length.
    pub(crate) fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let draft = self.header("Content-Type", content_type).header("Content-Length", &body.len().to_string());
        Self { body, ..draft }
    }

    /// A body in chunks (RFC 9112, 7.1), cut wherever `at` says: also through the middle of a password.
    pub(crate) fn chunked_body(self, content_type: &str, body: &str, at: usize) -> Self {
        let (first, second) = body.as_bytes().split_at(at.min(body.len()));
        let mut chunks = Vec::new();
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            chunks.extend(format!("{:x}\r\n", part.len()).into_bytes());
            chunks.extend_from_slice(part);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        let draft = self.header("Content-Type", content_type).header("Transfer-Encoding", "chunked");
        Self { body: chunks, ..draft }
    }

    /// Says that a password stands in what was written so far.
    pub(crate) fn typing(mut self, password: &str) -> Self {
        self.typed.push(password.into());
        self
    }

    pub(crate) fn done(self) -> Request {
        let mut octets = format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        for (name, value) in &self.headers {
            octets.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        octets.extend_from_slice(b"\r\n");
        octets.extend(self.body);
        Request { octets, typed: self.typed, bodiless: self.method == "HEAD", hangs_up: false }
    }
}

//----------- Form -------------------------------------------------------------------------------------------------

/// In which way a password travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Urlencoded,
    UrlencodedInChunks,
    Multipart,
    Json,
    Basic,
    QueryString,
    Cookie,
}

impl Form {
    pub(crate) const ALL: [Self; 7] = [
        Self::Urlencoded,
        Self::UrlencodedInChunks,
        Self::Multipart,
        Self::Json,
        Self::Basic,
        Self::QueryString,
        Self::Cookie,
    ];

    /// A log-in with this account and password; `dress` adds Host, User-Agent and the rest.
    pub(crate) fn submit(self, account: &str, password: &str, dress: impl FnOnce(Draft) -> Draft) -> Request {
        let urlencoded = format!("login={}&passwd={}&keep=1", percent(account), percent(password));
        let draft = match self {
            Self::Urlencoded => {
                dress(Draft::new("POST", "/owa/auth.owa")).body("application/x-www-form-urlencoded", urlencoded)
            }
            Self::UrlencodedInChunks => dress(Draft::new("POST", "/owa/auth.owa")).chunked_body(
                "application/x-www-form-urlencoded",
                &urlencoded,
                urlencoded.len() - password.len(),
            ),
            Self::Multipart => dress(Draft::new("POST", "/signin")).body(
                "multipart/form-data; boundary=----callerform",
                multipart(&[("email", account), ("password", password)]),
            ),
            Self::Json => {
                let body = serde_json::json!({ "user": account, "credentials": { "password": password } });
                dress(Draft::new("POST", "/common/login")).body("application/json", body.to_string())
            }
            Self::Basic => {
                let both = base64(format!("{account}:{password}").as_bytes());
                dress(Draft::new("GET", "/mail/")).header("Authorization", &format!("Basic {both}"))
            }
            Self::QueryString => {
                let target = format!("/login?user={}&password={}", percent(account), percent(password));
                dress(Draft::new("GET", &target))
            }
            Self::Cookie => {
                dress(Draft::new("GET", "/inbox")).header("Cookie", &format!("lang=en; auth={}", percent(password)))
            }
        };
        draft.typing(password).done()
    }
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("------callerform\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body + "------callerform--\r\n"
}

/// Percent-encoding of everything but the unreserved characters (RFC 3986, 2.3).
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
            _ => format!("%{octet:02X}"),
        })
        .collect()
}

/// Base64 with padding (RFC 4648, 4).
pub(crate) fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= group.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_travels_in_every_way_that_people_and_programs_use() {
        for form in Form::ALL {
            let request = form.submit("ann@example.org", "p&w %\"x", |draft| draft.header("Host", "verify.example"));
            let text = String::from_utf8(request.octets).unwrap();
            let carrier = match form {
                Form::Urlencoded | Form::QueryString => "p%26w%20%25%22x",
                Form::UrlencodedInChunks => "chunked",
                Form::Multipart => "name=\"password\"\r\n\r\np&w %\"x\r\n",
                Form::Json => r#""password":"p&w %\"x""#,
                Form::Basic => "Authorization: Basic YW5uQGV4YW1wbGUub3JnOnAmdyAlIng=",
                Form::Cookie => "auth=p%26w%20%25%22x",
            };
            assert!(text.contains(carrier), "{form:?}: {text}");
            assert!(text.contains("\r\nHost: verify.example\r\n"));
            assert_eq!(request.typed, ["p&w %\"x"]);
        }
    }

    #[test]
    fn encodings_agree_with_their_rfcs() {
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(percent("a b&c~ü"), "a%20b%26c~%C3%BC");
    }

    #[test]
    fn a_body_states_its_length_or_comes_in_chunks() {
        let sized = Draft::new("POST", "/").body("text/plain", "12345").done();
        assert!(String::from_utf8(sized.octets).unwrap().ends_with("Content-Length: 5\r\n\r\n12345"));
        let chunked = Draft::new("POST", "/").chunked_body("text/plain", "12345", 2).done();
        assert!(
            String::from_utf8(chunked.octets).unwrap().ends_with("chunked\r\n\r\n2\r\n12\r\n3\r\n345\r\n0\r\n\r\n")
        );
    }
}
