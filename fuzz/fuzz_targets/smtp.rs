//! Any bytes, cut anywhere, are a conversation that is recorded and ends, and nobody is ever let in.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wire::session::{Output, Session};
use wire::smtp::{ATTACHMENTS_MAX, HEADER_NAMES_MAX, Login, Mail, RECIPIENTS_MAX, Seen, Smtp, Standing, Terms, Tls};

fuzz_target!(|parts: Vec<Vec<u8>>| {
    let terms = Terms {
        host: "mx.ours.test".to_owned(),
        mail: Mail::Accept { octets_max: 4096 },
        tls: Tls::Offered,
        login: Login::Always,
        nonce_key: [7; 32],
    };
    let mut smtp = Smtp::new(terms, |domain: &[u8]| if domain.len() < 8 { Standing::Ours { key: [7; 32] } } else { Standing::Stranger });
    let (mut records, mut ends) = (0, 0);
    for part in parts.iter().map(Some).chain([None]) {
        match part {
            Some(bytes) => smtp.on_bytes(Duration::ZERO, bytes),
            None => smtp.on_end(Duration::ZERO),
        }
        while let Some(output) = smtp.poll(Duration::ZERO) {
            assert_eq!(ends, 0, "nothing follows the end");
            match output {
                Output::Observe(Seen::Transaction(seen)) => {
                    records += 1;
                    assert!(seen.recipients.len() <= RECIPIENTS_MAX);
                    if let Some(letter) = seen.letter {
                        assert!(letter.octets <= 4097);
                        assert!(letter.header_names.len() <= HEADER_NAMES_MAX);
                        assert!(letter.attachments.len() <= ATTACHMENTS_MAX);
                    }
                }
                // As if a handshake had been done, so that what stands behind it is read too.
                Output::Observe(Seen::StartTls) => smtp.secured(),
                Output::Send(line) => assert!(!line.starts_with(b"235"), "somebody was let in"),
                Output::Close => ends += 1,
                Output::Wait(_) => {}
            }
        }
    }
    assert!(records > 0 && ends == 1, "what began is recorded and has ended");
});
