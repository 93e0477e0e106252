//! Letters: where they end, what is attached, and how much memory they take.

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;

use super::*;
use crate::oddity::Oddity;
use crate::smtp::data::DataReader;
use crate::smtp::letter::{FORWARDED_DEPTH_MAX, LetterReader};
use crate::smtp::transfer::{base64, to_base64};

fn keyed(content: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(content);
    mac.finalize().into_bytes().into()
}

/// Reads a letter with its frame, cut every `step` octets; returns it, its oddities, and what stood behind its end.
fn framed(sent: &[u8], step: usize) -> (Letter, Vec<Oddity>, Vec<u8>) {
    let (mut frame, mut letter) = (DataReader::new(), LetterReader::new(1 << 20, KEY));
    let (mut oddities, mut behind) = (Vec::new(), Vec::new());
    for part in sent.chunks(step) {
        let taken = frame.on_bytes(part, &mut letter, &mut oddities);
        behind.extend_from_slice(&part[taken..]);
    }
    let (letter, more) = letter.finish(frame.is_done());
    oddities.extend(more);
    (letter, oddities, behind)
}

#[test]
fn only_one_line_ends_a_letter() {
    use Oddity::{LetterBareCr, LetterBareLf, LetterHeader, Smuggling};
    for (sent, octets, oddities) in [
        (&b"\r\nx\r\n.\r\n"[..], Some(5), &[][..]),
        (b".\r\n", Some(0), &[]),
        (b"\r\n..\r\n.x\r\n.\r\n", Some(8), &[]),
        (b"\r\nx\n.\n", None, &[LetterBareLf, Smuggling]),
        (b"\r\nx\r.\r", None, &[LetterBareCr, Smuggling]),
        (b"\r\nx\n.\r\n", None, &[LetterBareLf, Smuggling]),
        (b"\r\nx\r\n.\n", None, &[Smuggling, LetterBareLf]),
        (b"\r\nx\r\n.\ry", None, &[Smuggling, LetterBareCr]),
        (b"\r\nx\r.\r\n", None, &[LetterBareCr, Smuggling]),
        (b"hunter2\r\n.\r\n", Some(9), &[LetterHeader]),
    ] {
        for step in [1, 2, 3, sent.len()] {
            let (letter, found, behind) = framed(sent, step);
            assert_eq!(letter.complete.then_some(letter.octets), octets, "{:?}", String::from_utf8_lossy(sent));
            assert_eq!((&found[..], behind), (oddities, Vec::new()), "{:?}", String::from_utf8_lossy(sent));
        }
    }
    assert_eq!(framed(b"\r\n.\r\nQUIT\r\n", 100).2, b"QUIT\r\n");
}

const LETTER: &str = "From root Mon\r\nReceived: x\r\nSUBJECT: y\r\n folded\r\nContent-Type: multipart/mixed;\r\n boundary=\"--=_1\"\r\n\r\npreamble\r\n----=_1\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\nhello\r\n--in\r\n\r\nno type\r\n----=_1\r\nContent-Type: application/PDF; name=\"a.txt\"\r\nContent-Transfer-Encoding: BASE64\r\nContent-Disposition: attachment; filename=\"in;voice.PDF\"\r\n\r\naHVu\r\ndGVyMg==\r\n----=_1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline; filename*0*=utf-8''p%20;\r\n filename*1=x.htm\r\n\r\n<b>caf=C3=A9 =\r\nau=20lait</b>\r\n\r\n----=_1\r\nContent-Disposition: attachment\r\n\r\none\r\ntwo\r\n----=_1--\r\nepilogue\r\n.\r\n";

#[test]
fn attachments_are_hashed_as_they_were_before_encoding() {
    for step in [1, 7, LETTER.len()] {
        let (letter, oddities, _) = framed(LETTER.as_bytes(), step);
        assert_eq!(oddities, []);
        assert_eq!(letter.header_names, ["Received", "SUBJECT", "Content-Type"]);
        assert_eq!((letter.parts_count, letter.attachments_count, letter.complete), (6, 3, true));
        let told: Vec<_> = letter
            .attachments
            .iter()
            .map(|attachment| (&attachment.media_type[..], attachment.extension.as_deref(), attachment.hash))
            .collect();
        let expected = [
            ("application/pdf", Some("pdf"), keyed(b"hunter2")),
            ("text/html", Some("htm"), keyed("<b>caf\u{e9} au lait</b>\r\n".as_bytes())),
            ("", None, keyed(b"one\r\ntwo")),
        ];
        assert_eq!(told, expected);
        assert_eq!(letter.attachments[0].octets, 7);
    }
}

/// A message with one attachment, forwarded so many times.
fn forwarded(times: usize) -> String {
    let own = "X-Own: a\r\nContent-Type: multipart/mixed; boundary=own\r\n\r\n--own\r\n\r\nhello\r\n--own\r\nContent-Type: a/b\r\n\r\nhunter2\r\n--own--\r\n";
    (0..times).fold(own.to_owned(), |inner, at| {
        format!("X-{at}: a\r\nContent-Type: multipart/mixed; boundary=out{at}\r\n\r\n--out{at}\r\n\r\nsee below\r\n--out{at}\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--out{at}\r\nContent-Type: c/d\r\n\r\nbeside\r\n--out{at}--\r\n")
    })
}

#[test]
fn what_is_attached_to_a_forwarded_message_is_hashed_like_the_rest() {
    for (times, own) in [(1, "a/b"), (FORWARDED_DEPTH_MAX, "a/b"), (FORWARDED_DEPTH_MAX + 1, "message/rfc822")] {
        let sent = forwarded(times) + ".\r\n";
        for step in [1, 9, sent.len()] {
            let (letter, oddities, _) = framed(sent.as_bytes(), step);
            assert_eq!((oddities, letter.complete), (vec![], true), "{times}");
            assert_eq!(letter.header_names, [format!("X-{}", times - 1), "Content-Type".to_owned()]);
            let types: Vec<&str> = letter.attachments.iter().map(|one| &one.media_type[..]).collect();
            assert_eq!(types, [&[own][..], &vec!["c/d"; times]].concat());
            assert_eq!(letter.attachments[0].hash == keyed(b"hunter2"), own == "a/b");
            assert!(letter.attachments[1..].iter().all(|one| one.hash == keyed(b"beside")));
        }
    }
    // Alone, without a multipart around it; and in a coding that no message has, so it is taken as it is.
    let alone = format!("X: y\r\nContent-Type: message/rfc822\r\n\r\n{}.\r\n", forwarded(0));
    let (letter, ..) = framed(alone.as_bytes(), 50);
    assert_eq!((letter.header_names, letter.attachments.len()), (vec!["X".to_owned(), "Content-Type".to_owned()], 1));
    let coded = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\naHVudGVyMg==\r\n.\r\n";
    assert_eq!(framed(coded.as_bytes(), 50).0.attachments[0].hash, keyed(b"hunter2"));
}

#[test]
fn file_names_in_every_form() {
    for (name, extension) in [
        ("filename=a.exe", Some("exe")),
        ("filename=\"a.b \\\"c\\\".Exe\"; x=y.z", Some("exe")),
        ("filename*=utf-8''%41.scr", Some("scr")),
        ("filename*0=\"a\"; filename*1=\".js\"", Some("js")),
        // `invoice.vbs`, in Base64 and in quoted-printable.
        ("filename=\"=?utf-8?B?aW52b2ljZS52YnM=?=\"", Some("vbs")),
        ("filename=\"=?utf-8?q?invoice=2Evbs?=\"", Some("vbs")),
        ("filename=\"=?utf-8?x?invoice.vbs?=\"", None),
        ("filename=none", None),
        ("filename=\"a.not an extension\"", None),
        ("filename", None),
    ] {
        let sent = format!("Content-Disposition: attachment; {name}\r\n\r\nx\r\n.\r\n");
        assert_eq!(framed(sent.as_bytes(), 9).0.attachments[0].extension.as_deref(), extension, "{name}");
    }
}

#[test]
fn broken_mime_is_evidence() {
    for (header, body, oddity) in [
        ("Content-Type: multipart/mixed", "x", Oddity::MimeBoundary),
        ("Content-Type: multipart/mixed; boundary=b", "--b\r\n\r\nx", Oddity::MimeBoundary),
        ("Content-Type: a/b\r\nContent-Transfer-Encoding: base64", "h?nter2", Oddity::MimeEncoding),
        ("Content-Type: a/b\r\nContent-Transfer-Encoding: quoted-printable", "=zz", Oddity::MimeEncoding),
    ] {
        let sent = format!("{header}\r\n\r\n{body}\r\n.\r\n");
        assert_eq!(framed(sent.as_bytes(), 5).1, [oddity], "{sent}");
    }
    let nested = "Content-Type: multipart/a; boundary=b\r\n\r\n--b\r\n".repeat(9) + "--b--\r\n.\r\n";
    assert!(framed(nested.as_bytes(), 100).1.contains(&Oddity::MimeDepth));
    let many = format!(
        "Content-Type: multipart/a; boundary=b\r\n\r\n{}--b--\r\n.\r\n",
        "--b\r\nContent-Type: a/b\r\n\r\n".repeat(150)
    );
    let (letter, oddities, _) = framed(many.as_bytes(), 100);
    assert_eq!((letter.attachments.len(), letter.attachments_count), (ATTACHMENTS_MAX, 150));
    assert_eq!(oddities, [Oddity::TooManyAttachments]);
    let (letter, oddities, _) = framed(("X: y\r\n".repeat(250) + "\r\n.\r\n").as_bytes(), 100);
    assert_eq!((letter.header_names.len(), letter.headers_count), (HEADER_NAMES_MAX, 250));
    assert_eq!(oddities, [Oddity::LetterTooManyHeaders]);
}

#[test]
fn a_letter_that_is_too_long_ends_the_conversation() {
    let open: [&[u8]; 3] = [b"HELO a.example\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<a@ours.test>\r\n"];
    let letter = [b"\r\n".as_slice(), &[b'x'; 5000], b"\r\n.\r\nQUIT\r\n"].concat();
    let chunk = [b"BDAT 5000 LAST\r\n".as_slice(), &[b'x'; 5000]].concat();
    for (command, letter) in [(&b"DATA\r\n"[..], &letter), (b"", &chunk)] {
        for step in [1, 100, 9000] {
            let parts: Vec<&[u8]> = open.iter().copied().chain([command]).chain(letter.chunks(step)).collect();
            let told = told(accepting(), &parts);
            let at = told.iter().position(|line| line.starts_with("= Letter")).unwrap();
            assert!(told[at].contains("letter=4097 cut"), "{told:?}");
            assert!(told[at].ends_with("!smtp.letter-too-long"), "{told:?}");
            assert_eq!(told[at + 1..], ["552 5.3.4 Message too big", "close"]);
        }
    }
    let told = told(accepting(), &[open[0], b"MAIL FROM:<> SIZE=9999\r\n"]);
    assert!(told[1].starts_with("= Refused") && told[2] == "552 5.3.4 Message too big", "{told:?}");
}

#[test]
fn a_large_letter_takes_no_memory() {
    let mut smtp = Smtp::new(terms(Mail::Accept { octets_max: LETTER_OCTETS_MAX }), judge);
    smtp.on_bytes(Duration::ZERO, b"HELO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@ours.test>\r\nDATA\r\n");
    smtp.on_bytes(
        Duration::ZERO,
        b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    let line = [b"QUJD".repeat(19).as_slice(), b"\r\n"].concat();
    let block = line.repeat(200);
    for _ in 0..1600 {
        smtp.on_bytes(Duration::ZERO, &block);
        assert!(smtp.octets_held() < 8 * 1024, "{}", smtp.octets_held());
    }
    smtp.on_bytes(Duration::ZERO, b".\r\nQUIT\r\n");
    let seen = std::iter::from_fn(|| smtp.poll(Duration::ZERO)).find_map(|output| match output {
        Output::Observe(Seen::Transaction(seen)) => seen.letter,
        _ => None,
    });
    let letter = seen.unwrap();
    assert!(letter.complete && letter.octets > 24_900_000, "{}", letter.octets);
    assert_eq!(letter.attachments[0].octets, 1600 * 200 * 57);
    assert_eq!(letter.attachments[0].hash, keyed(&b"ABC".repeat(19 * 200 * 1600)));
}

proptest! {
    #[test]
    fn base64_comes_back(octets: Vec<u8>) {
        prop_assert_eq!(base64(to_base64(&octets).as_bytes()), Some(octets));
    }

    #[test]
    fn an_attachment_comes_back(octets: Vec<u8>, width in 1usize..90, step in 1usize..90) {
        let coded = to_base64(&octets);
        let lines: Vec<&str> = coded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let sent = format!("Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n.\r\n", lines.join("\r\n"));
        let (letter, oddities, _) = framed(sent.as_bytes(), step);
        prop_assert_eq!(oddities, []);
        prop_assert_eq!(letter.attachments[0].hash, keyed(&octets));
    }
}
