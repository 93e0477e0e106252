//! HTTP/2, by prior knowledge and within TLS.

use super::*;

/// The preface, SETTINGS, and a request for `/?token=hunter2` of the seized name on stream 1 (RFC 7541, C.4 shows the
/// form): everything by index or as a literal without Huffman code.
fn request() -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x04];
    for text in ["/?token=hunter2", APEX] {
        if text == APEX {
            block.push(0x01);
        }
        block.push(u8::try_from(text.len()).unwrap());
        block.extend(text.as_bytes());
    }
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]);
    sent.extend([0, 0, u8::try_from(block.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    sent.extend(block);
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_and_recorded_with_what_its_client_showed() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let plain = say_octets(trap.http, &request()).await;
    assert!(holds(&plain, "<!DOCTYPE html>"), "{}", String::from_utf8_lossy(&plain));
    let any = say_octets(trap.any, &request()).await;
    assert!(holds(&any, "<!DOCTYPE html>"), "the first octets choose the machine on any port");
    let Trap { stage, running, .. } = trap;
    running.stop().await;
    let shown = stage.read(|frame| match frame {
        Frame::Contact(contact) => match &contact.what {
            What::Request(request) => Some((
                String::from_utf8_lossy(&request.h2).into_owned(),
                String::from_utf8_lossy(&request.target).into_owned(),
                contact.subject.is_some(),
            )),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(shown.len(), 2);
    for (h2, target, has_subject) in shown {
        assert!(h2.starts_with("3:100|00|0|m,s,p,a"), "{h2}");
        assert_eq!(target, "/?token={redacted:query-value}");
        assert!(has_subject);
    }
    assert!(!holds(&stage.octets(), "hunter2"));
}

/// A POST of three octets whose client waits for leave to send them.
fn waiting(stream: u8) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    for (name, value) in
        [(&[0x04][..], "/in"), (&[0x01], APEX), (&[0x0f, 0x0d], "3"), (b"\x00\x06expect", "100-continue")]
    {
        block.extend(name);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend(value.as_bytes());
    }
    [&[0, 0, u8::try_from(block.len()).unwrap(), 1, 4, 0, 0, 0, stream][..], &block].concat()
}

/// Kind and stream of the next frame; `None` at the end.
fn next_frame(stream: &mut TcpStream) -> Option<(u8, u8)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let len = usize::from(head[1]) << 8 | usize::from(head[2]);
    stream.read_exact(&mut vec![0; len]).unwrap();
    Some((head[3], head[8]))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_streams_that_wait_for_leave_one_gets_it_and_each_is_answered_once() {
    const HEADERS: u8 = 1;
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let http = trap.http;
    let talk = move || {
        let mut stream = connect(http);
        let begin = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
        stream.write_all(&[begin, waiting(1), waiting(3), waiting(5)].concat()).unwrap();
        let leave = std::iter::from_fn(|| next_frame(&mut stream)).find(|(kind, _)| *kind == HEADERS);
        let bodies = [1, 3, 5].map(|id| [&[0, 0, 3, 0, 1, 0, 0, 0, id][..], b"a=b"].concat()).concat();
        stream.write_all(&bodies).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answers = std::iter::from_fn(|| next_frame(&mut stream)).filter(|(kind, _)| *kind == HEADERS);
        (leave, answers.map(|(_, id)| id).collect::<Vec<u8>>())
    };
    let (leave, mut answers) = tokio::task::spawn_blocking(talk).await.unwrap();
    assert_eq!(leave, Some((HEADERS, 1)));
    answers.sort_unstable();
    assert_eq!(answers, [1, 3, 5]);
    let Trap { stage, running, .. } = trap;
    running.stop().await;
    let requests = stage.read(|frame| match frame {
        Frame::Contact(contact) => matches!(contact.what, What::Request(_)).then_some(contact.id),
        _ => None,
    });
    let statuses = stage.read(|frame| match frame {
        Frame::Outcome(outcome) => requests.contains(&outcome.of).then_some(outcome.status).flatten(),
        _ => None,
    });
    assert_eq!((requests.len(), statuses), (3, vec![200; 3]));
}

/// Sends, and reads until the peer has said nothing for a while or closed.
async fn say_octets(at: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let sent = sent.to_vec();
    let talk = move || {
        let mut stream = connect(at);
        stream.write_all(&sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}
