//! Whole conversations in one thread.

mod letters;
mod limits;
mod secrets;

use std::time::Duration;

use super::*;
use crate::session::{Output, Session};

const KEY: [u8; 32] = [7; 32];

fn terms(mail: Mail) -> Terms {
    Terms { host: "mx.ours.test".to_owned(), mail, tls: Tls::Offered, login: Login::Always, nonce_key: KEY }
}

fn accepting() -> Terms {
    terms(Mail::Accept { octets_max: 4096 })
}

fn judge(domain: &[u8]) -> Standing {
    match domain {
        b"ours.test" | b"[192.0.2.1]" | b"b\xc3\xbccher.test" => Standing::Ours { key: KEY },
        _ => Standing::Stranger,
    }
}

/// What came of a conversation, one line each, the greeting left out. The client waits for answers between parts.
fn told(terms: Terms, parts: &[&[u8]]) -> Vec<String> {
    let mut smtp = Smtp::new(terms, judge).with_accounts();
    let mut told = Vec::new();
    drain(&mut smtp, &mut told);
    assert_eq!(told, ["220 mx.ours.test ESMTP"]);
    for part in parts {
        smtp.on_bytes(Duration::ZERO, part);
        drain(&mut smtp, &mut told);
    }
    smtp.on_end(Duration::ZERO);
    drain(&mut smtp, &mut told);
    told.split_off(1)
}

/// As above, but cut anywhere, and with no answer seen before all is sent.
fn told_at_once<'a>(terms: Terms, parts: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut smtp = Smtp::new(terms, judge).with_accounts();
    let mut told = Vec::new();
    drain(&mut smtp, &mut told);
    parts.for_each(|part| smtp.on_bytes(Duration::ZERO, part));
    smtp.on_end(Duration::ZERO);
    drain(&mut smtp, &mut told);
    told
}

fn drain<J: Fn(&[u8]) -> Standing>(smtp: &mut Smtp<J>, told: &mut Vec<String>) {
    while let Some(output) = smtp.poll(Duration::ZERO) {
        match output {
            Output::Send(bytes) => told.extend(String::from_utf8(bytes).unwrap().lines().map(str::to_owned)),
            Output::Observe(Seen::Transaction(seen)) => told.push(transaction(&seen)),
            Output::Observe(Seen::StartTls) => told.push("tls".to_owned()),
            Output::Wait(until) => told.push(format!("wait {until:?}")),
            Output::Close => told.push("close".to_owned()),
        }
    }
}

fn transaction(seen: &Transaction) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = format!("= {:?}", seen.end);
    if let Some(helo) = &seen.helo {
        line += &format!(" helo={}", helo.name);
    }
    if seen.starttls {
        line += " starttls";
    }
    if let Some(auth) = &seen.auth {
        let account = auth.account.as_ref().map_or("-".to_owned(), |account| text(account.octets()));
        line += &format!(" {}:{account}:{}", auth.mechanism.name(), if auth.decoded { "read" } else { "unread" });
    }
    if let Some(sender) = &seen.sender {
        line += &format!(" from=<{}>", text(sender.normalized()));
    }
    for recipient in &seen.recipients {
        line += &format!(" to=<{}>", text(recipient.normalized()));
    }
    if let Some(letter) = &seen.letter {
        let end = if letter.complete { "" } else { " cut" };
        line += &format!(" letter={}{end} [{}]", letter.octets, letter.header_names.join(" "));
    }
    line += &format!(" {}", seen.fingerprint);
    seen.oddities.iter().for_each(|oddity| line += &format!(" !{}", oddity.code()));
    line
}

/// A client that sends each of these lines and waits for the answer.
fn story(terms: Terms, sent: &[&str], expected: &[&str]) {
    let lines: Vec<String> = sent.iter().map(|line| format!("{line}\r\n")).collect();
    let parts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
    assert_eq!(told(terms.clone(), &parts), expected, "{sent:?}");
    let octets: Vec<&[u8]> = parts.iter().flat_map(|part| part.chunks(1)).collect();
    assert_eq!(told(terms, &octets), expected, "one octet at a time: {sent:?}");
}

const EHLO: [&str; 8] = [
    "250-mx.ours.test",
    "250-PIPELINING",
    "250-SIZE 4096",
    "250-STARTTLS",
    "250-AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2",
    "250-ENHANCEDSTATUSCODES",
    "250-8BITMIME",
    "250-SMTPUTF8",
];

//----------- Stories ----------------------------------------------------------------------------------------------

#[test]
fn each_recipient_is_refused_by_default() {
    story(
        terms(Mail::Refuse),
        &[
            "HELO pc7.example",
            "MAIL FROM:<Mallory@evil.example>",
            "RCPT TO:<Alice.Smith@Ours.TEST>",
            "RCPT TO:<bob@elsewhere.example>",
            "DATA",
            "QUIT",
        ],
        &[
            "250 mx.ours.test",
            "250 2.1.0 Ok",
            "556 5.1.10 Recipient address has null MX",
            "550 5.7.1 Relaying denied",
            "= Refused helo=pc7.example from=<mallory@evil.example> to=<alice.smith@ours.test> \
             to=<bob@elsewhere.example> HELO=name,MAIL,RCPT*,DATA|crlf|waits",
            "554 5.5.1 No valid recipients",
            "221 2.0.0 Bye",
            "close",
        ],
    );
}

#[test]
fn a_letter_is_taken_where_that_is_ordered() {
    let mut expected = EHLO.to_vec();
    expected.extend([
        "250 CHUNKING",
        "250 2.1.0 Ok",
        "250 2.1.5 Ok",
        "354 End data with <CR><LF>.<CR><LF>",
        "= Letter helo=[192.0.2.9] from=<> to=<a@ours.test> letter=47 [Subject X-Mailer] \
         ehlo=literal,MAIL+SIZE+BODY,rcpt,DATA|crlf|waits",
        "250 2.0.0 Ok",
        "250 2.0.0 Ok",
        "221 2.0.0 Bye",
        "close",
    ]);
    story(
        accepting(),
        &[
            "ehlo [192.0.2.9]",
            "MAIL FROM:<> SIZE=48 BODY=8BITMIME",
            "rcpt TO:<a@ours.test>",
            "DATA",
            "Subject: hello\r\nX-Mailer: y\r\n\r\nfirst\r\n..\r\nlast\r\n.",
            "RSET",
            "QUIT",
        ],
        &expected,
    );
}

#[test]
fn a_letter_comes_in_chunks() {
    let sent: &[&[u8]] = &[
        b"EHLO a.example\r\n",
        b"MAIL FROM:<b@c.example>\r\nRCPT TO:<a@ours.test>\r\nBDAT 10\r\nTo: a\r\n\r\nxBDAT 4 LAST\r\n.\r\nyQUIT\r\n",
    ];
    let told = told(accepting(), sent);
    assert_eq!(
        told[9..],
        [
            "250 2.1.0 Ok",
            "250 2.1.5 Ok",
            "250 2.0.0 Ok",
            "= Letter helo=a.example from=<b@c.example> to=<a@ours.test> letter=14 [To] \
             EHLO=name,MAIL,RCPT,BDAT*|crlf|pipelined",
            "250 2.0.0 Ok",
            "221 2.0.0 Bye",
            "close",
        ]
    );
}

#[test]
fn a_chunk_that_nobody_wants_is_no_command() {
    let sent: &[&[u8]] = &[b"HELO a.example\r\n", b"BDAT 6 LAST\r\nQUIT\r\n", b"NOOP\r\n", b"BDAT 99999999\r\n"];
    let expected = [
        "250 mx.ours.test",
        "503 5.5.1 Bad sequence of commands",
        "250 2.0.0 Ok",
        "= Closed helo=a.example HELO=name,BDAT,NOOP,BDAT|crlf|waits !smtp.order !smtp.letter-too-long",
        "552 5.3.4 Message too big",
        "close",
    ];
    assert_eq!(told(accepting(), sent), expected);
}

#[test]
fn nothing_said_in_clear_behind_starttls_counts() {
    let mut smtp = Smtp::new(terms(Mail::Refuse), judge);
    let mut told = Vec::new();
    smtp.poll(Duration::ZERO);
    smtp.on_bytes(Duration::ZERO, b"HELO a.example\r\nSTARTTLS\r\nMAIL FROM:<x@y.example>\r\n");
    smtp.on_bytes(Duration::ZERO, b"RCPT TO:<a@ours.test>\r\n");
    smtp.secured();
    smtp.on_bytes(Duration::ZERO, b"RCPT TO:<a@ours.test>\r\nSTARTTLS\r\nQUIT\r\n");
    drain(&mut smtp, &mut told);
    let expected = [
        "250 mx.ours.test",
        "220 2.0.0 Ready to start TLS",
        "tls",
        "503 5.5.1 Bad sequence of commands",
        "503 5.5.1 Bad sequence of commands",
        "= Quit starttls HELO=name,STARTTLS,RCPT,STARTTLS,QUIT|crlf|pipelined !smtp.pipelined-early \
         !smtp.plaintext-after-starttls !smtp.order",
        "221 2.0.0 Bye",
        "close",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_password_is_asked_for_under_tls_only() {
    let terms = || Terms { login: Login::UnderTls, ..accepting() };
    let told_in_clear = told(terms(), &[b"EHLO a.example\r\n", b"AUTH LOGIN\r\n", b"AUTH LOGIN am9l\r\n"]);
    assert!(!told_in_clear.iter().any(|line| line.contains("AUTH PLAIN")));
    assert_eq!(
        told_in_clear[8..12],
        [
            "= Auth helo=a.example LOGIN:-:unread EHLO=name,AUTH+LOGIN|crlf|waits !smtp.auth-in-clear",
            "538 5.7.11 Encryption required for requested authentication mechanism",
            "= Auth helo=a.example LOGIN:joe:unread EHLO=name,AUTH+LOGIN,AUTH+LOGIN=|crlf|waits !smtp.auth-in-clear",
            "538 5.7.11 Encryption required for requested authentication mechanism",
        ]
    );
    let under_tls = told(Terms { tls: Tls::Running, ..terms() }, &[b"EHLO a.example\r\n", b"AUTH LOGIN\r\n"]);
    assert!(under_tls.contains(&"250-AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2".to_owned()));
    assert!(under_tls.contains(&"334 VXNlcm5hbWU6".to_owned()), "{under_tls:?}");
}

#[test]
fn nobody_is_let_in() {
    // `joe`, `joe NUL joe NUL hunter2`, `joe` and a digest, and an access token, all in Base64.
    for (sent, seen) in [
        (&["AUTH PLAIN am9lAGpvZQBodW50ZXIy"][..], "PLAIN:joe:read"),
        (&["AUTH PLAIN", "am9lAGpvZQBodW50ZXIy"], "PLAIN:joe:read"),
        (&["auth login", "am9l", "aHVudGVyMg=="], "LOGIN:joe:read"),
        (&["AUTH LOGIN am9l", "aHVudGVyMg=="], "LOGIN:joe:read"),
        (&["AUTH CRAM-MD5", "am9lIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"], "CRAM-MD5:joe:read"),
        (&["AUTH XOAUTH2 dXNlcj1qb2UBYXV0aD1CZWFyZXIgaHVudGVyMgEB"], "XOAUTH2:joe:read"),
        (&["AUTH PLAIN ="], "PLAIN:-:unread"),
        (&["AUTH PLAIN", "hunter2!"], "PLAIN:-:unread"),
        (&["AUTH LOGIN", "am9l", "hunter2!"], "LOGIN:joe:unread"),
        (&["AUTH CRAM-MD5 am9l"], "CRAM-MD5:-:unread"),
    ] {
        let lines: Vec<String> = sent.iter().map(|line| format!("{line}\r\n")).collect();
        let parts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        let told = told(terms(Mail::Refuse), &parts);
        let at = told.iter().position(|line| line.starts_with("= Auth")).unwrap();
        assert!(told[at].contains(seen), "{told:?}");
        assert_eq!(told[at + 1], "535 5.7.8 Authentication credentials invalid", "{told:?}");
    }
}

#[test]
fn a_login_ends_in_other_ways() {
    for (sent, seen, answer) in [
        (&b"AUTH NTLM\r\n"[..], "?:-:unread AUTH+?|crlf|waits !smtp.auth-in-clear !smtp.auth-mechanism", "504 5.5.4"),
        (b"AUTH\r\n", "?:-:unread AUTH+?|crlf|waits !smtp.auth-in-clear !smtp.auth-mechanism", "504 5.5.4"),
        (b"AUTH PLAIN *\r\n", "PLAIN:-:unread AUTH+PLAIN=|crlf|waits !smtp.auth-in-clear !smtp.auth-cancelled", "501"),
    ] {
        let told = told(terms(Mail::Refuse), &[sent]);
        assert_eq!(told[0], format!("= Auth {seen}"));
        assert!(told[1].starts_with(answer), "{told:?}");
    }
    let told = told(terms(Mail::Refuse), &[b"AUTH LOGIN\r\n", b"am9"]);
    assert_eq!(
        told[1..],
        ["= Cut LOGIN:-:unread AUTH+LOGIN|crlf|waits !smtp.auth-in-clear !smtp.auth-incomplete", "close"]
    );
}

#[test]
fn paths_as_the_world_writes_them() {
    for (path, read, answer) in [
        ("<a@ours.test>", "to=<a@ours.test>", "250 2.1.5"),
        ("<a@ours.test.>", "to=<a@ours.test>", "250"),
        (" <a@ours.test>", "to=<a@ours.test> MAIL,RCPT|crlf|waits !smtp.no-helo !smtp.path-space", "250"),
        ("a@ours.test", "to=<a@ours.test> MAIL,RCPT|crlf|waits !smtp.no-helo !smtp.path-no-brackets", "250"),
        ("<\"a b\"@ours.test>", "to=<a b@ours.test>", "250"),
        ("<\"a\\\"b>\"@ours.test>", "to=<a\"b>@ours.test>", "250"),
        (
            "<@x.example,@y.example:a@ours.test>",
            "to=<a@ours.test> MAIL,RCPT|crlf|waits !smtp.no-helo !smtp.source-route",
            "250",
        ),
        (
            "<B\u{fc}rger@B\u{dc}cher.test>",
            "to=<b\u{fc}rger@b\u{fc}cher.test> MAIL,RCPT|crlf|waits !smtp.no-helo !smtp.utf8-undeclared",
            "250",
        ),
        ("<a@[192.0.2.1]>", "to=<a@[192.0.2.1]>", "250"),
        ("<Postmaster>", "to=<postmaster>", "556"),
        (
            "<a@ours.test> NOTIFY=NEVER ORCPT=rfc822;a X=1",
            "MAIL,RCPT+NOTIFY+ORCPT+?|crlf|waits !smtp.no-helo !smtp.parameter",
            "250",
        ),
        ("<a>", "to=<a>", "550"),
        ("<a@other.test>", "to=<a@other.test>", "550 5.7.1"),
        ("<>", "MAIL,RCPT|crlf", "501 5.1.3"),
        ("<a@ours.test", "!smtp.path-form", "501"),
        ("<a b@ours.test>", "!smtp.path-form", "501"),
        ("<a@b/c>", "!smtp.path-form", "501"),
        ("<@ours.test>", "!smtp.path-form", "501"),
    ] {
        let sent = [b"MAIL FROM:<>\r\n".to_vec(), format!("RCPT TO:{path}\r\n").into_bytes()];
        let told = told(accepting(), &[&sent[0], &sent[1]]);
        assert!(told[1].starts_with(answer), "{path}: {told:?}");
        assert!(told[2].contains(read), "{path}: {told:?}");
    }
}

/// The forms of recipients by which nmap's smtp-open-relay looks for relays.
#[test]
fn we_are_no_relay() {
    for mail in [Mail::Refuse, Mail::Accept { octets_max: 4096 }] {
        for path in [
            "<relaytest@nmap.example>",
            "<\"relaytest@nmap.example\">",
            "<\"relaytest%nmap.example\">",
            "<\"relaytest@nmap.example\"@[192.0.2.1]>",
            "<relaytest%nmap.example@[192.0.2.1]>",
            "<@[192.0.2.1]:relaytest@nmap.example>",
            "<relaytest%nmap.example@ours.test>",
            "<nmap.example!relaytest@ours.test>",
            "<nmap.example!relaytest>",
            "<nmap.example!relaytest@[192.0.2.1]>",
            "<relaytest@nmap.example@ours.test>",
        ] {
            let rcpt = format!("RCPT TO:{path}\r\n");
            let told = told(terms(mail), &[b"HELO x.example\r\n", b"MAIL FROM:<a@ours.test>\r\n", rcpt.as_bytes()]);
            assert_eq!(told[2], "550 5.7.1 Relaying denied", "{path}");
        }
    }
}

#[test]
fn commands_in_every_form() {
    for (sent, expected) in [
        (&b"NOOP\n"[..], &["250 2.0.0 Ok", "= Cut NOOP|lf|waits !smtp.bare-lf", "close"][..]),
        (b"VRFY root\r\n", &["252 2.5.2 Cannot verify", "= Cut VRFY|crlf|waits", "close"]),
        (b"EXPN all\r\n", &["502 5.5.1 Command not implemented", "= Cut EXPN|crlf|waits", "close"]),
        (b"Etrn x\r\n", &["502 5.5.1 Command not implemented", "= Cut Etrn|crlf|waits", "close"]),
        (b"HELP\r\n", &["214 2.0.0 See RFC 5321", "= Cut HELP|crlf|waits", "close"]),
        (b"hunter2\r\n", &["500 5.5.2 Command not recognized", "= Cut ?|crlf|waits !smtp.unknown-command", "close"]),
        (
            b"EHLO\r\n",
            &["501 5.5.4 Syntax error in arguments", "= Cut helo= EHLO=missing|crlf|waits !smtp.argument", "close"],
        ),
        (
            b"HELO 192.0.2.1\r\n",
            &["250 mx.ours.test", "= Cut helo=192.0.2.1 HELO=bare|crlf|waits !smtp.helo-form", "close"],
        ),
        (b"HELO hunter2/x\r\n", &["250 mx.ours.test", "= Cut helo= HELO=other|crlf|waits !smtp.helo-form", "close"]),
        (
            b"MAIL <a@b.example>\r\n",
            &["501 5.5.4 Syntax error in arguments", "= Cut MAIL|crlf|waits !smtp.argument", "close"],
        ),
        (b"DATA\r\n", &["503 5.5.1 Bad sequence of commands", "= Cut DATA|crlf|waits !smtp.order", "close"]),
        (
            b"NOOP \xff\0\r\r\n",
            &["250 2.0.0 Ok", "= Cut NOOP|crlf|waits !smtp.bare-cr !smtp.nul !smtp.eight-bit", "close"],
        ),
        (b"NOO", &["= Cut |none|waits !smtp.line-incomplete !looks.text", "close"]),
        (b"", &["= Cut |none|waits", "close"]),
    ] {
        assert_eq!(told(terms(Mail::Refuse), &[sent]), expected, "{:?}", String::from_utf8_lossy(sent));
    }
}
