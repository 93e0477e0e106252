//! Other protocols, limits, and octets of no meaning.

use proptest::prelude::*;

use super::*;

#[test]
fn other_protocols_are_shown_out() {
    for (sent, oddity) in [
        (&b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"[..], "looks.http"),
        (b"BREW /pot HTTP/1.1\r\n", "looks.http"),
        (b"CONNECT mx.example:25\r\n", "looks.http"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "looks.proxy"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", "looks.proxy"),
        (b"SSH-2.0-x\r\n", "looks.ssh"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "looks.tls"),
    ] {
        for step in [1, sent.len()] {
            let parts: Vec<&[u8]> = sent.chunks(step).collect();
            let told = told(terms(Mail::Refuse), &parts);
            let seen: Vec<&String> = told.iter().filter(|line| line.starts_with("= ")).collect();
            assert!(seen.len() == 1 && seen[0].starts_with("= Closed") && seen[0].contains(oddity), "{told:?}");
            assert_eq!(told.last().unwrap(), "close");
        }
    }
    // Later, too: a browser made to talk to us sends its lines after ours.
    assert!(
        told(accepting(), &[b"NOOP\r\n", b"POST /x HTTP/1.1\r\n", b"QUIT\r\n"])
            .contains(&"421 4.7.0 Closing connection".to_owned())
    );
}

#[test]
fn who_speaks_before_the_greeting_is_noted() {
    let mut smtp = Smtp::new(terms(Mail::Refuse), judge);
    let mut told = Vec::new();
    smtp.on_bytes(Duration::ZERO, b"HELO a.example\r\nQUIT\r\n");
    drain(&mut smtp, &mut told);
    assert!(told[2].ends_with("|crlf|pipelined !smtp.early-talker !smtp.pipelined-early"), "{told:?}");
}

#[test]
fn lines_have_an_end() {
    let fits = [b"NOOP ".as_slice(), &[b'x'; 2042], b"\r\n"].concat();
    assert_eq!(told(accepting(), &[&fits])[0], "250 2.0.0 Ok");
    let long = [b"NOOP ".as_slice(), &[b'x'; 2043], b"\r\nNOOP\r\n"].concat();
    for step in [1, 1000, long.len()] {
        let parts: Vec<&[u8]> = long.chunks(step).collect();
        assert_eq!(told(accepting(), &parts)[..2], ["500 5.5.6 Line too long", "250 2.0.0 Ok"]);
    }
    let login = [b"AUTH PLAIN ".as_slice(), &[b'A'; 12_000], b"\r\n"].concat();
    assert_eq!(told(accepting(), &[&login])[1], "535 5.7.8 Authentication credentials invalid");
    let response = [b"AUTH PLAIN\r\n".as_slice(), &[b'A'; 13_000], b"\r\n"].concat();
    assert_eq!(told(accepting(), &[&response])[2], "500 5.5.6 Line too long");
    let endless = vec![b'x'; 70_000];
    for step in [999, endless.len()] {
        let parts: Vec<&[u8]> = endless.chunks(step).collect();
        let expected = ["= Closed |none|waits !smtp.line-too-long", "421 4.7.0 Closing connection", "close"];
        assert_eq!(told(accepting(), &parts), expected);
    }
}

#[test]
fn a_conversation_has_an_end() {
    let told_of = |line: &[u8], times: usize| told(accepting(), &vec![line; times]);
    let errors = told_of(b"x\r\n", 100);
    assert_eq!(errors.iter().filter(|line| line.starts_with("500")).count(), ERRORS_MAX as usize);
    assert!(errors.contains(&"421 4.7.0 Closing connection".to_owned()));
    let commands = told_of(b"NOOP\r\n", 2000);
    assert_eq!(commands.iter().filter(|line| line.starts_with("250")).count(), COMMANDS_MAX as usize);
    assert!(commands[1000].ends_with("!smtp.too-many-commands"));
}

#[test]
fn a_message_has_so_many_recipients() {
    let mut sent = vec![b"HELO a.example\r\n".to_vec(), b"MAIL FROM:<>\r\n".to_vec()];
    sent.extend((0..120).map(|at| format!("RCPT TO:<a{at}@ours.test>\r\n").into_bytes()));
    let mut smtp = Smtp::new(accepting(), judge);
    sent.iter().for_each(|line| smtp.on_bytes(Duration::ZERO, line));
    smtp.on_end(Duration::ZERO);
    let mut refused = 0;
    while let Some(output) = smtp.poll(Duration::ZERO) {
        match output {
            Output::Send(line) if line.starts_with(b"452") => refused += 1,
            Output::Observe(Seen::Transaction(seen)) => {
                assert_eq!((seen.recipients.len(), seen.recipients_count), (RECIPIENTS_MAX, 120));
            }
            _ => {}
        }
    }
    assert_eq!(refused, 20);
}

/// Lines that lead somewhere, and what is none.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        prop::sample::select(vec![
            "EHLO a.example\r\n",
            "helo b\n",
            "MAIL FROM:<a@b.example> SIZE=3\r\n",
            "RCPT TO:<a@ours.test>\r\n",
            "DATA\r\n",
            "BDAT 5\r\n",
            "BDAT 3 LAST\r\n",
            "AUTH LOGIN\r\n",
            "AUTH PLAIN AAAA\r\n",
            "STARTTLS\r\n",
            "RSET\r\n",
            "QUIT\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n",
            "\r\n.\r\n",
            "\n.\n",
            "\r.\r",
            ".\r",
        ])
        .prop_map(|line| line.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_cut_tells_the_same(sent in anything(), step in 1usize..50) {
        let whole = told_at_once(accepting(), std::iter::once(sent.as_slice()));
        prop_assert_eq!(&told_at_once(accepting(), sent.chunks(step)), &whole);
        prop_assert_eq!(whole.last().map(String::as_str), Some("close"));
    }

    #[test]
    fn whoever_waits_is_told_the_same(sent in anything(), step in 1usize..50) {
        let pace = |line: String| line.replace("|pipelined", "|waits").replace(" !smtp.pipelined-early", "");
        let parts: Vec<&[u8]> = sent.chunks(step).collect();
        let waited: Vec<String> = told(accepting(), &parts).into_iter().map(pace).collect();
        let at_once = told_at_once(accepting(), parts.into_iter());
        prop_assert_eq!(waited, at_once.into_iter().skip(1).map(pace).collect::<Vec<_>>());
    }

    #[test]
    fn a_record_stands_before_the_answer(sent in anything()) {
        let told = told(accepting(), &[&sent]);
        let records = told.iter().filter(|line| line.starts_with("= ")).count();
        prop_assert!(records > 0);
        for (at, line) in told.iter().enumerate() {
            if line.starts_with("535") || line.starts_with("554") {
                prop_assert!(told[at - 1].starts_with("= "), "{:?}", told);
            }
        }
    }
}
