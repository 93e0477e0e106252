//! What is sent: every channel with a password and an account in every coding, and the ways in which it may be broken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;

use super::stage::APEX;

/// What nobody may find.
pub(super) struct Planted {
    pub(super) password: String,
    pub(super) account: String,
}

/// In how many channels, at least, the account stands where accounts are read, in a coding that is undone: twice form,
/// twice JSON, multipart, GraphQL and Basic.
pub(super) const ACCOUNTS_AT_LEAST: usize = 7;

//----------- Codings ----------------------------------------------------------------------------------------------

type Code = fn(&str) -> Vec<u8>;

/// How programs write a text; decided here and not by the scan's own table, which is to be judged.
const CODES: [Code; 8] = [
    |text| text.as_bytes().to_vec(),
    |text| each(text, |byte| format!("%{byte:02X}")),
    |text| {
        each(&String::from_utf8_lossy(&each(text, |byte| format!("%{byte:02x}"))), |byte| match byte {
            b'%' => "%25".to_owned(),
            other => char::from(other).to_string(),
        })
    },
    |text| STANDARD.encode(text).into_bytes(),
    |text| each(text, |byte| format!("{byte:02x}")),
    |text| each(text, |byte| format!("\\u{byte:04x}")),
    |text| each(text, |byte| format!("={byte:02X}")),
    |text| text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
];

fn each(text: &str, code: impl Fn(u8) -> String) -> Vec<u8> {
    text.bytes().map(code).collect::<String>().into_bytes()
}

//----------- HTTP/1 -----------------------------------------------------------------------------------------------

/// `{p}` is the password, `{a}` the account, `{b}` both as Basic has them.
const HEADS: [&str; 22] = [
    "GET /login?user={a}&password={p} HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET /login?{p} HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET /#access_token={p}&login={a} HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET http://{a}:{p}@{h}/ HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET /;jsessionid={p} HTTP/1.0\r\nHost: {h}\r\n\r\n",
    "GET /?next=https%3A%2F%2Fx.test%2F%3Fpw%3D{p} HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nAuthorization: Basic {b}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nproxy-authorization:Basic  {b}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nAuthorization: Bearer {p}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nAuthorization: {p}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nAuthorization: Digest username=\"{a}\", response=\"{p}\"\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nCookie: sid={p}; user={a}; {p}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nX-Auth-Token: {p}\r\nX-Api-Key: {p}\r\nX-User: {a}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nX-CSRF-Token: {p}\r\nX-Session-Id: {p}\r\nX-Login-Email: {a}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nReferer: https://x.test/in?user={a}&password={p}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nOrigin: https://{a}:{p}@x.test\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nX-Note: password={p} user={a}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nX-Token:\r\n {p}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\n{p}\r\n\r\n",
    "{p}\r\n{a}\r\n",
    "GET /?p={p}\r\n",
    "OPTIONS /?p={p} HTTP/9.9\r\nHost: {h}\r\n\r\n",
];

/// A content type and a body. The names of fields are kept, so nothing stands in their place.
const BODIES: [(&str, &str); 14] = [
    (FORM, "user={a}&password={p}"),
    (FORM, "password={p}&csrf=1&j_username={a}&x="),
    (FORM, "{p}"),
    (FORM, "user={a};password={p}"),
    ("application/json", r#"{"username":"{a}","password":"{p}"}"#),
    ("application/json", r#"{"passwd":"{p}","data":{"loginfmt":"{a}"}}"#),
    ("application/json", r#"["{p}",{"user":["{a}"],"x":[{"y":"{p}"}]}]"#),
    ("application/json", r#"{"user":"{a}\",\"password\":\"{p}"}"#),
    (
        "application/json",
        r#"{"query":"mutation { login(email: \"{a}\", password: \"{p}\") }","variables":{"email":"{a}","password":"{p}"}}"#,
    ),
    ("application/graphql", "mutation { login(email: \"{a}\", password: \"{p}\") }"),
    (
        PARTS,
        "--cut\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n{a}\r\n--cut\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{p}\r\n--cut--\r\n",
    ),
    (PARTS, "--cut\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\n{a}\r\n{p}\r\n--cut--\r\n"),
    (
        PARTS,
        "--cut\r\nContent-Disposition: form-data; name=\"user\"; filename=\"{a}\"\r\nX-Part: {p}\r\n\r\n{p}\r\n--cup--",
    ),
    ("text/plain", "user {a} password {p}"),
];

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=cut";

pub(super) fn http(planted: &Planted) -> Vec<Vec<u8>> {
    let heads = HEADS.iter().map(|head| head.as_bytes().to_vec());
    let bodies = BODIES.iter().map(|(content_type, body)| post(content_type, body));
    let channels: Vec<Vec<u8>> = heads.chain(bodies).collect();
    CODES.iter().flat_map(|code| channels.iter().map(|channel| with_length(&filled(channel, planted, *code)))).collect()
}

fn post(content_type: &str, body: &str) -> Vec<u8> {
    let head = "POST /in HTTP/1.1\r\nHost: {h}\r\nContent-Length: {l}\r\nContent-Type: ";
    format!("{head}{content_type}\r\n\r\n{body}").into_bytes()
}

/// The template's places filled in.
fn filled(template: &[u8], planted: &Planted, code: Code) -> Vec<u8> {
    let (password, account) = (code(&planted.password), code(&planted.account));
    let basic = STANDARD.encode([&account[..], b":", &password].concat());
    let mut filled = template.to_vec();
    for (place, value) in
        [("{p}", &password[..]), ("{a}", &account), ("{b}", basic.as_bytes()), ("{h}", APEX.as_bytes())]
    {
        filled = replaced(&filled, place.as_bytes(), value);
    }
    filled
}

fn with_length(message: &[u8]) -> Vec<u8> {
    let body = message.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |end| message.len() - end - 4);
    replaced(message, b"{l}", body.to_string().as_bytes())
}

fn replaced(text: &[u8], place: &[u8], value: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.windows(place.len()).position(|part| part == place) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(value);
        rest = &rest[at + place.len()..];
    }
    out.extend_from_slice(rest);
    out
}

//----------- Harm -------------------------------------------------------------------------------------------------

/// How a message is broken on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Harm {
    BareLf,
    BareCr,
    /// Its last octets never come.
    Cut,
    /// The body is longer than announced, so its end comes where a head is expected.
    ShortLength,
    LongLength,
    /// The whole body comes where a head is expected.
    NoLength,
    Doubled,
    /// Announced in chunks, and sent without.
    NoChunks,
}

impl Harm {
    pub(super) fn by_chance(chance: usize) -> Self {
        let all = [
            Self::BareLf,
            Self::BareCr,
            Self::Cut,
            Self::ShortLength,
            Self::LongLength,
            Self::NoLength,
            Self::Doubled,
            Self::NoChunks,
        ];
        all[chance % all.len()]
    }

    pub(super) fn done_to(self, message: &[u8]) -> Vec<u8> {
        const LENGTH: &[u8] = b"Content-Length: ";
        match self {
            Self::BareLf => replaced(message, b"\r\n", b"\n"),
            Self::BareCr => replaced(message, b"\r\n", b"\r"),
            Self::Cut => message[..message.len() - message.len() / 8].to_vec(),
            Self::ShortLength => replaced(message, LENGTH, b"Content-Length: 1\r\nX-Length: "),
            Self::LongLength => replaced(message, LENGTH, b"Content-Length: 9"),
            Self::NoLength => replaced(message, LENGTH, b"X-Length: "),
            Self::Doubled => [message, message].concat(),
            Self::NoChunks => replaced(message, LENGTH, b"Transfer-Encoding: chunked\r\nX-Length: "),
        }
    }
}

//----------- HTTP/2 and SMTP --------------------------------------------------------------------------------------

/// With prior knowledge: preface, SETTINGS, a head without HPACK's compression, a body.
pub(super) fn http2(planted: &Planted) -> Vec<Vec<u8>> {
    let said = |code: &Code| BODIES.map(|(content_type, body)| said_by_http2(planted, *code, content_type, body));
    CODES.iter().flat_map(said).collect()
}

fn said_by_http2(planted: &Planted, code: Code, content_type: &str, body: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "{h}"),
        (":path", "/in?user={a}&password={p}"),
        ("authorization", "Basic {b}"),
        ("cookie", "sid={p}"),
        ("x-api-key", "{p}"),
        ("referer", "https://{a}:{p}@x.test/?pw={p}"),
        ("content-type", content_type),
    ] {
        let value = filled(value.as_bytes(), planted, code);
        block.push(0);
        put_string(&mut block, name.as_bytes());
        put_string(&mut block, &value);
    }
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let len = (payload.len() as u32).to_be_bytes();
        [&len[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let body = filled(body.as_bytes(), planted, code);
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[]), frame(1, 4, 1, &block), frame(0, 1, 1, &body)]
        .concat()
}

/// RFC 7541, 5.1 and 5.2, without Huffman.
fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    match text.len().checked_sub(127) {
        None => out.push(text.len() as u8),
        Some(mut rest) => {
            out.push(127);
            while rest >= 128 {
                out.push(rest as u8 | 128);
                rest >>= 7;
            }
            out.push(rest as u8);
        }
    }
    out.extend_from_slice(text);
}

/// Each mechanism, as it should be and broken.
pub(super) fn smtp(planted: &Planted) -> Vec<Vec<u8>> {
    let Planted { password, account } = planted;
    let coded = |text: String| STANDARD.encode(text);
    let digest: String = md5::Md5::digest(password).iter().map(|byte| format!("{byte:02x}")).collect();
    let plain = coded(format!("\0{account}\0{password}"));
    let (user, secret) = (coded(account.clone()), coded(password.clone()));
    let xoauth2 = coded(format!("user={account}\x01auth=Bearer {password}\x01\x01"));
    [
        format!("AUTH PLAIN {plain}"),
        format!("AUTH PLAIN\r\n{plain}"),
        format!("AUTH PLAIN {password}"),
        format!("AUTH LOGIN\r\n{user}\r\n{secret}"),
        format!("AUTH LOGIN {user}\r\n{secret}"),
        format!("AUTH LOGIN\r\n{account}\r\n{password}"),
        format!("AUTH XOAUTH2 {xoauth2}"),
        format!("AUTH CRAM-MD5\r\n{}", coded(format!("{account} {digest}"))),
        format!("AUTH CRAM-MD5\r\n{}", coded(format!("{account}{password}"))),
        format!("AUTH NTLM {secret}\r\n{user}"),
        format!("{plain}\r\n{secret}"),
    ]
    .map(|login| format!("EHLO client.example\r\n{login}\r\nQUIT\r\n").into_bytes())
    .to_vec()
}
