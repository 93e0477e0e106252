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
