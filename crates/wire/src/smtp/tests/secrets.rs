//! No password, token or digest of one is in anything that leaves the machine, however it came in.

use proptest::prelude::*;

use super::*;
use crate::smtp::transfer::to_base64;

/// What leaves the machine, account names left out: they are handed out on purpose, and print nothing.
fn left(terms: Terms, sent: &str, step: usize) -> String {
    let mut smtp = Smtp::new(terms, judge).with_accounts();
    let mut left = String::new();
    let mut take = |smtp: &mut Smtp<_>| {
        while let Some(output) = smtp.poll(Duration::ZERO) {
            if let Output::Send(bytes) = &output {
                left.push_str(&String::from_utf8_lossy(bytes));
            }
            left.push_str(&format!("{output:?}"));
        }
    };
    for part in sent.as_bytes().chunks(step) {
        smtp.on_bytes(Duration::ZERO, part);
        take(&mut smtp);
    }
    smtp.on_end(Duration::ZERO);
    take(&mut smtp);
    left.to_lowercase()
}

/// `{}` is the password, `{b}` is it in Base64, `{p}` is PLAIN's response with it, `{x}` is XOAUTH2's.
const CHANNELS: [&str; 18] = [
    "AUTH PLAIN {p}\r\n",
    "AUTH PLAIN\r\n{p}\r\n",
    "AUTH PLAIN {}\r\n",
    "AUTH PLAIN\r\n{}\r\n",
    "AUTH LOGIN\r\nam9l\r\n{b}\r\n",
    "AUTH LOGIN am9l\r\n{b}\r\n",
    "AUTH LOGIN {b}\r\n{b}\r\n",
    "AUTH XOAUTH2 {x}\r\n",
    "AUTH CRAM-MD5\r\n{b}\r\n",
    "AUTH CRAM-MD5 {b}\r\n",
    "AUTH NTLM {b}\r\n{b}\r\n",
    "AUTH {}\r\n{b}\r\n",
    "{}\r\n{b}\r\n",
    "MAIL FROM:<a@b.example> AUTH={} {}=1\r\nAUTH PLAIN {p}\r\n",
    "NOOP {}\r\nVRFY {}\r\nHELP {}\r\nHELO /{}\r\n",
    "MAIL FROM:<{}@b.example>\r\nRCPT TO:<{}@ours.test>\r\nRCPT TO:<{}@{}.example>\r\n",
    "MAIL FROM:<>\r\nRCPT TO:<a@ours.test>\r\nDATA\r\nSubject: {}\r\n{}\r\nContent-Type: text/plain\r\n\r\n{}\r\n.\r\n",
    "MAIL FROM:<>\r\nRCPT TO:<a@ours.test>\r\nDATA\r\nContent-Type: multipart/{} x; boundary={}\r\n\r\n--{}\r\nContent-Disposition: attachment; filename=\"{}.{} \"\r\n\r\n{}\r\n--{}--\r\n.\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_leaves_by_any_channel(secret in "[A-Za-z0-9!$_-]{17,24}", step in 1usize..60) {
        let coded = to_base64(secret.as_bytes());
        let plain = to_base64(format!("\0joe\0{secret}").as_bytes());
        let xoauth2 = to_base64(format!("user=joe\x01auth=Bearer {secret}\x01\x01").as_bytes());
        for channel in CHANNELS {
            let sent = channel.replace("{b}", &coded).replace("{p}", &plain).replace("{x}", &xoauth2).replace("{}", &secret);
            for terms in [terms(Mail::Refuse), accepting(), Terms { tls: Tls::Running, ..accepting() }] {
                let left = left(terms, &sent, step);
                for form in [&secret, &coded, &plain, &xoauth2] {
                    prop_assert!(!left.contains(&form.to_lowercase()), "{channel} let {form} out: {left}");
                }
            }
        }
    }
}
