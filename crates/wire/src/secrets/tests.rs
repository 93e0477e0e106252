//! What is kept and what is hidden, as a table; and that no line can disagree with itself.

use proptest::prelude::*;

use super::*;
use crate::oddity::Oddity;

/// The head without its secrets, as text, markers shortened.
fn redacted(head: &str, opening: Opening) -> String {
    let read = RedactedHead::read(head.as_bytes(), opening);
    let mut text = String::from_utf8(read.redacted.bytes).unwrap();
    for (kind, short) in
        SecretKind::ALL.into_iter().zip(["<cred>", "<cookie>", "<header>", "<query>", "<user>", "<body>"])
    {
        text = text.replace(std::str::from_utf8(kind.marker()).unwrap(), short);
    }
    text
}

fn line(line: &str) -> String {
    let text = redacted(&format!("GET / HTTP/1.1\r\n{line}\r\n\r\n"), Opening::Fresh);
    text.strip_prefix("GET / HTTP/1.1\r\n").unwrap().strip_suffix("\r\n\r\n").unwrap().to_owned()
}

#[test]
fn targets_keep_names_and_lose_values() {
    for (target, kept) in [
        ("/", "/"),
        ("/a/b.php", "/a/b.php"),
        ("/?id=7&user=bob", "/?id=<query>&user=<query>"),
        ("/?p%61ss=hunter2", "/?p%61ss=<query>"),
        ("/?pass%3Dhunter2", "/?pass%3D<query>"),
        ("/?hunter2", "/?<query>"),
        ("/?aHVudGVyMg==", "/?<query>"),
        ("/?a=b=c?d#e", "/?a=<query>"),
        ("/?a[]=1&b=", "/?a[]=<query>&<query>"),
        ("/?<script>=1", "/?<query>"),
        ("/#access_token=hunter2", "/#access_token=<query>"),
        ("/x;jsessionid=hunter2/y", "/x;jsessionid=<query>/y"),
        ("/password=hunter2/y", "/password=<query>/y"),
        ("/go/https%3A%2F%2Fa.example%2F%3Ftoken%3Dhunter2", "/go/https%3A%2F%2Fa.example%2F%3Ftoken%3D<query>"),
        ("/go/%253Fhunter2", "/go/%253F<query>"),
        ("http://bob:hunter2@a.example/x", "http://<user>@a.example/x"),
        ("http://bob:hunter%402@a.example/", "http://<user>@a.example/"),
        ("http://bob:hun/ter2@a.example/", "http://<user>/<user>@a.example/"),
        ("http://bob%3Ahunter2%40a.example/", "http://<user>%40a.example/"),
        ("http://CORP\\bob:hun\\ter2@a.example/", "http://<user>@a.example/"),
        ("http:\\\\bob:hunter2@a.example\\x", "<user>@a.example\\x"),
        ("/x;jsessionid=hun\\ter2\\y/z", "/x;jsessionid=<query>/z"),
        ("/a\\b\\c", "/a\\b\\c"),
        ("http://CORP\\bob:hun\\ter", "http://<user>"),
        ("http://a.example:8080/?q=1", "http://a.example:8080/?q=<query>"),
        ("http://[2001:db8::1]:80/", "http://[2001:db8::1]:80/"),
        ("*", "*"),
    ] {
        assert_eq!(
            redacted(&format!("GET {target} HTTP/1.1\r\n\r\n"), Opening::Fresh),
            format!("GET {kept} HTTP/1.1\r\n\r\n")
        );
    }
    assert_eq!(
        redacted("CONNECT bob:hunter2@a.example:443 HTTP/1.1", Opening::Fresh),
        "CONNECT <user>@a.example:443 HTTP/1.1"
    );
}

#[test]
fn headers_keep_what_no_secret_hides_in() {
    for (sent, kept) in [
        ("Host: outlook-verify.test:8080", "Host: outlook-verify.test:8080"),
        (
            "User-Agent: Mozilla/5.0 (X; rv:109.0) Visual Basic 6",
            "User-Agent: Mozilla/5.0 (X; rv:109.0) Visual Basic 6",
        ),
        ("aCCept:  text/html;q=0.8,*/*", "aCCept:  text/html;q=0.8,*/*"),
        ("Sec-Fetch-User: ?1", "Sec-Fetch-User: ?1"),
        ("Content-Type: multipart/form-data; boundary=x", "Content-Type: multipart/form-data; boundary=x"),
        ("Authorization: Basic Ym9iOmh1bnRlcjI=", "Authorization: Basic <cred>"),
        ("Authorization: hunter2", "Authorization: <cred>"),
        ("Authorization : Basic Ym9i", "Authorization : Basic <cred>"),
        ("proxy-authorization: Bearer x", "proxy-authorization: Bearer <cred>"),
        ("Cookie: sid=hunter2; lang=de", "Cookie: sid=<cookie>; lang=<cookie>"),
        ("Cookie: hunter2; a=\"b; hunter2\"", "Cookie: <cookie>"),
        ("Set-Cookie: sid=hunter2; Path=/", "Set-Cookie: sid=<cookie>; Path=<cookie>"),
        ("X-Api-Key: hunter2", "X-Api-Key: <header>"),
        ("X-CSRF-Token: hunter2", "X-CSRF-Token: <header>"),
        ("X-Pin: 1234", "X-Pin: <header>"),
        ("X-Ping: 1234", "X-Ping: 1234"),
        ("Referer: https://a.example/x?user=bob&p=hun ter2", "Referer: https://a.example/x?user=<query>&p=<query>"),
        ("Referer: https://bob:hunter2@a.example/", "Referer: https://<user>@a.example/"),
        ("Link: <https://a.example/?t=hunter2>; rel=next", "Link: <https://a.example/?t=<query>"),
        ("Host: bob:hunter2@a.example", "Host: <user>@a.example"),
        ("X-Original-URL: /x?p=hunter2", "X-Original-URL: /x?p=<query>"),
        ("X-Whatever: Bearer hunter2", "X-Whatever: Bearer <cred>"),
        ("X-Whatever: a; password=hunter2", "X-Whatever: a; password=<header>"),
        ("X-Whatever: {\"p%61ssword\": \"hunter2\"}", "X-Whatever: {\"p%61ssword\":<header>"),
        ("X-Whatever: see /x?hunter2", "X-Whatever: see /x?<query>"),
        ("X-Whatever: a\0Authorization: Basic hunter2", "X-Whatever: a\0Authorization:<header>"),
        ("X-Whatever: see https://a.example/x Bearer hunter2", "X-Whatever: see https://a.example/x Bearer <cred>"),
        ("X-Whatever: https://a.example/ password: hunter2", "X-Whatever: https://a.example/ password:<header>"),
        ("Referer: https://a.example/x Bearer hunter2", "Referer: https://a.example/x Bearer <cred>"),
        ("Referer: https://a.example/ password: hunter2", "Referer: https://a.example/ password:<header>"),
        ("X-Whatever: a%3D1%26password%3Dhunter2", "X-Whatever: a%3D1%26password%3D<header>"),
        ("X-Whatever: %22token%22%253A hunter2", "X-Whatever: %22token%22%253A<header>"),
        ("X-Next: https%3A%2F%2Fbob%3Ahunter2%40a.example%2F", "X-Next: <user>"),
        ("X-Next: %252F%252Fa.example:80/x%2520y", "X-Next: %252F%252Fa.example:80/x%2520y"),
        ("X-Next: bob:hunter2@a.example/x", "X-Next: <user>"),
        ("X-Next: see <bob:hunter2@a.example>", "X-Next: see <<user>"),
        ("X-A: b\rAuthorization: Basic hunter2", "X-A: b\rAuthorization: Basic <cred>"),
        ("X-A: b\n hunter2", "X-A: b\n <header>"),
        ("Cookie: a=b\r\n\thunter2", "Cookie: a=<cookie>\r\n\t<cookie>"),
        ("hunter2", "<header>"),
        ("Authorization Basic hunter2", "<header>"),
        ("password=hunter2: x", "<header>"),
        ("Auth\0: hunter2", "<header>"),
        (": hunter2", "<header>"),
    ] {
        assert_eq!(line(sent), kept);
    }
}

#[test]
fn a_first_line_that_is_none_leaves_a_shape() {
    for (sent, looks) in [
        ("password=hunter2\r\n", Oddity::LooksForm),
        ("PASS hunter2\r\n", Oddity::LooksText),
        ("hunter2", Oddity::LooksText),
        ("EHLO hunter2.example\r\n", Oddity::LooksSmtp),
        ("SSH-2.0-hunter2\r\n", Oddity::LooksSsh),
        ("\x16\x03\x01hunter2", Oddity::LooksTls),
        ("\x01hunter2\x00", Oddity::LooksBinary),
        ("POST hunter2", Oddity::LooksText),
    ] {
        let read = RedactedHead::read(sent.as_bytes(), Opening::Fresh);
        assert_eq!((read.first, &read.oddities[..]), (None, &[Oddity::NotHttp, looks][..]), "{sent:?}");
        assert!(!String::from_utf8_lossy(&read.redacted.bytes).contains("hunter2"), "{sent:?}");
    }
    assert_eq!(redacted("password=hunter2&x=1\r\n", Opening::Fresh), "<body> at most 32 octets");
}

#[test]
fn what_stands_around_the_parts_stays_as_it_was() {
    for (sent, kept) in [
        ("\r\n\n\rGET /x HTTP/1.1\r\n\r\n", "\r\n\n\rGET /x HTTP/1.1\r\n\r\n"),
        ("GET  \t/x\t HTTP/1.1 \t\r\n\r\n", "GET  \t/x\t HTTP/1.1 \t\r\n\r\n"),
        ("GET /x\t \thunter2  HTTP/1.1\n\n", "GET /x\t \t<query>  HTTP/1.1\n\n"),
        ("GET /x \r\n", "GET /x \r\n"),
        ("DELETE /x\r\n", "DELETE /x\r\n"),
        ("GET /x HTTP/1.1\r\nA: b\r\n \t hunter2\r\n \r\n\r\n", "GET /x HTTP/1.1\r\nA: b\r\n \t <header>\r\n \r\n\r\n"),
    ] {
        assert_eq!(redacted(sent, Opening::Fresh), kept);
    }
}

#[test]
fn behind_a_body_only_the_unmistakable_is_a_request() {
    for spilled in ["hunter2GET / HTTP/1.1\r\n\r\n", "hunter2 / HTTP/1.1\r\n\r\n", "GET /hunter2\r\n"] {
        assert!(!redacted(spilled, Opening::AfterBody).contains("hunter2"), "{spilled:?}");
    }
    assert_eq!(redacted("GET /x HTTP/1.1\r\n\r\n", Opening::AfterBody), "GET /x HTTP/1.1\r\n\r\n");
}

#[test]
fn markers_stand_where_redactions_say() {
    let head = b"GET /?a=1&b=2 HTTP/1.1\r\nCookie: c=3\r\nX-Token: 4\r\n\r\n";
    let read = RedactedHead::read(head, Opening::Fresh);
    assert_eq!(read.redacted.redactions.len(), 4);
    for redaction in &read.redacted.redactions {
        assert!(read.redacted.bytes[redaction.offset as usize..].starts_with(redaction.kind.marker()));
    }
    assert_eq!(read.header("x-token"), Some(SecretKind::HeaderToken.marker()));
}

proptest! {
    #[test]
    fn any_bytes_are_read(head: Vec<u8>) {
        for opening in [Opening::Fresh, Opening::AfterBody] {
            let _ = RedactedHead::read(&head, opening);
        }
    }

    #[test]
    fn a_head_without_secrets_stays_as_it_is(path in "(/[a-z0-9.~_-]{0,12}){1,4}", value in "[A-Za-z0-9 ,;()*/+.-]{0,40}") {
        let head = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\naCCept: {value}\r\n\r\n");
        let read = RedactedHead::read(head.as_bytes(), Opening::Fresh);
        let has_scheme_word = !read.redacted.redactions.is_empty();
        prop_assert!(has_scheme_word || read.redacted.bytes == head.as_bytes());
    }
}

#[test]
fn behind_an_empty_line_is_no_header() {
    let head =
        "POST / HTTP/1.1\rHost: a.example\r\rX-Part: hunter2\rContent-Disposition: form-data; filename=\"hunter2\"\r\r";
    assert_eq!(redacted(head, Opening::Fresh), "POST / HTTP/1.1\rHost: a.example\r\r<body>");
}
