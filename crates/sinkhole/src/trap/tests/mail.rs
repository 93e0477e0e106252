//! Mail clients: refused, or taken where the order covers that; and never a word of theirs on disk.

use wire::smtp::LETTER_OCTETS_MAX;

use super::*;

const LETTER: &str = "EHLO pc.example\r\nMAIL FROM:<alice@elsewhere.example>\r\nRCPT TO:<bob@outlook-verify.test>\r\n\
    DATA\r\nSubject: the secret word is hunter2\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\
    hunter2\r\n--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=\"x.zip\"\r\n\r\n\
    PKhunter2\r\n--b--\r\n.\r\nQUIT\r\n";

fn taking_mail() -> Zone {
    zone(APEX, ServiceMode::Collect, Acts::default().with(Act::AcceptMail), None)
}

/// What the mail's contact says, and every octet on disk.
fn mail(stage: &Stage) -> Vec<String> {
    stage.read(|frame| match frame {
        Frame::Contact(contact) => match &contact.what {
            What::Message(message) => Some(format!(
                "{} {} of {} {:?} {}",
                message.end,
                message.recipients.len(),
                message.recipients_count,
                message.letter.as_ref().map(|letter| (letter.header_names.len(), letter.attachments.len())),
                contact.subject.as_ref().map_or("", |subject| &subject.apex),
            )),
            _ => None,
        },
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_refused_unless_the_order_covers_it_and_nothing_is_sent_on() {
    for (zone, answer, told) in [
        (collected(APEX), "556 5.1.10", "refused 1 of 1 None outlook-verify.test"),
        (taking_mail(), "250 2.0.0", "letter 1 of 1 Some((2, 1)) outlook-verify.test"),
    ] {
        let trap = Trap::new(vec![zone], Limits::default());
        let said = say(trap.smtp, LETTER).await;
        assert!(said.starts_with("220 mx.localdomain") && said.contains(answer), "{said}");
        let other = say(trap.smtp, "MAIL FROM:<>\r\nRCPT TO:<x@else.example>\r\nQUIT\r\n").await;
        assert!(other.contains("550 5.7.1"), "{other}");
        let Trap { stage, running, .. } = trap;
        let tally = sum(&running.stop().await);
        assert_eq!(mail(&stage)[0], told);
        let contacts = stage.read(|frame| matches!(frame, Frame::Contact(_)).then_some(()));
        assert_eq!(tally.recorded, contacts.len() as u64);
        let disk = stage.octets();
        for word in ["hunter2", "alice", "bob@"] {
            assert!(!holds(&disk, word), "{word} is on disk");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_is_a_hello_and_then_a_conversation_of_its_own() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let mut stream = connect(trap.smtp);
    read_until(&mut stream, "220 ");
    stream.write_all(b"EHLO pc.example\r\nSTARTTLS\r\n").unwrap();
    read_until(&mut stream, "\n220 ");
    let mut client = tls_client(Some(APEX), &[&rustls::version::TLS13]);
    let mut secure = rustls::Stream::new(&mut client, &mut stream);
    secure.write_all(b"EHLO pc.example\r\nAUTH PLAIN AGFsaWNlAGh1bnRlcjI=\r\nQUIT\r\n").unwrap();
    let mut said = String::new();
    let _ = secure.read_to_string(&mut said);
    assert!(said.contains("250-AUTH") || said.contains("250 AUTH"), "{said}");
    assert!(said.contains("535 5.7.8") && !said.contains("STARTTLS"), "{said}");
    let Trap { stage, running, .. } = trap;
    running.stop().await;
    let kinds = stage.read(|frame| match frame {
        Frame::Contact(contact) => Some(contact.what.kind().as_str()),
        _ => None,
    });
    assert_eq!(kinds.iter().filter(|kind| **kind == "hello").count(), 1, "{kinds:?}");
    assert!(mail(&stage).iter().any(|line| line.starts_with("auth")), "{:?}", mail(&stage));
    assert!(!holds(&stage.octets(), "hunter2") && !holds(&stage.octets(), "AGFsaWNlAGh1bnRlcjI="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_longer_than_is_read_ends_and_is_recorded() {
    let trap = Trap::new(vec![taking_mail()], Limits::default());
    let size = LETTER_OCTETS_MAX + 1;
    let said = say(trap.smtp, format!("EHLO a.example\r\nMAIL FROM:<> SIZE={size}\r\nQUIT\r\n")).await;
    assert!(said.contains("552"), "{said}");
    trap.told().await;
}

/// Reads until `mark` was said.
fn read_until(stream: &mut TcpStream, mark: &str) {
    let mut said = String::new();
    let mut octet = [0];
    while !said.contains(mark) || !said.ends_with('\n') {
        stream.read_exact(&mut octet).unwrap();
        said.push(octet[0].into());
    }
}
