//! Whatever comes: frames of every kind, octets of none, and secrets by every way that HTTP/2 has for them.

use proptest::prelude::*;

use super::*;

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        Just(block(GET)),
        Just(block(&[POST, &[("content-length", "3")]].concat())),
        Just(b"abc".to_vec()),
    ];
    (0u8..11, prop_oneof![Just(0x4u8), Just(0x5), Just(0x1), any::<u8>()], 0u32..8, payload).prop_map(
        |(kind, flags, stream, payload)| {
            let mut out = Vec::new();
            frames::put(&mut out, kind, flags, stream, &payload);
            out
        },
    )
}

proptest! {
    #[test]
    fn any_frames_come_to_the_same_end_however_they_are_cut(
        frames in proptest::collection::vec(any_frame(), 0..24),
        cuts in proptest::collection::vec(1usize..60, 1..40),
    ) {
        let said = [Said::hello().0, frames.concat()].concat();
        let mut whole = Talk::new(Limits::default());
        whole.hear(Duration::ZERO, &said);
        let mut cut = Talk::new(Limits::default());
        let mut rest = &said[..];
        for at in cuts.iter().cycle() {
            let (part, behind) = rest.split_at((*at).min(rest.len()));
            cut.hear(Duration::ZERO, part);
            rest = behind;
            if rest.is_empty() { break }
        }
        let (whole, cut) = (whole.end(), cut.end());
        prop_assert_eq!(&whole.told, &cut.told);
        prop_assert_eq!(&whole.sent, &cut.sent);
        let count = |mark: &str| whole.told.iter().filter(|line| line.contains(mark)).count();
        prop_assert_eq!(count(": "), count(". "), "each head has one end: {:?}", whole.told);
        whole.answers();
    }

    #[test]
    fn any_octets_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..300), greets in any::<bool>()) {
        let said = if greets { [Said::hello().0, bytes].concat() } else { bytes };
        let mut talk = Talk::new(Limits::default());
        talk.hear(Duration::ZERO, &said);
        let talk = talk.end();
        prop_assert_eq!(talk.told.last().map(String::as_str), Some("close"));
    }

    #[test]
    fn no_secret_is_kept(secret in "[A-Za-z0-9!$_-]{6,24}", step in 1usize..40) {
        let lower = secret.to_lowercase();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let with = |name: &str, value: &str| {
            let fields: Vec<(&str, &str)> = GET.iter().copied().chain([(name, value)]).collect();
            Said::hello().headers(1, true, &fields)
        };
        let path = |path: &str| Said::hello().headers(1, true, &[GET[0], GET[1], GET[2], (":path", path)]);
        for said in [
            path(&format!("/?p={secret}")),
            path(&format!("/ {secret}")),
            path(&format!("/\r\nx: {secret}")),
            path(&format!("/\0{secret}")),
            path(&format!("/a#token={secret}")),
            Said::hello().headers(1, true, &[(":method", &format!("GET {secret}")), GET[1], GET[2], GET[3]]),
            Said::hello().headers(1, true, &[GET[0], GET[1], (":authority", &format!("bob:{secret}@a.example")), GET[3]]),
            with("authorization", &format!("Bearer {secret}")),
            with("cookie", &secret),
            with("cookie", &format!("a={secret}")),
            with("x-api-key", &secret),
            with("x-foo", &format!("a\r\nAuthorization: Basic {secret}")),
            with("x-foo", &format!("a\nb {secret}")),
            with(&format!("x {lower}"), "y"),
            with(&format!("x\r\n{lower}"), "y"),
            with(":unknown", &secret),
            with("referer", &format!("https://b.example/login?password={secret}")),
            Said::hello().post(1, &form).data(1, true, format!("pw={secret}").as_bytes()),
            Said::hello().post(1, &form).data(1, true, secret.as_bytes()),
            Said::hello().post(1, &form).headers(1, true, &[("x-sum", &secret)]),
            Said::hello().get(1).data(1, true, secret.as_bytes()),
            Said::hello().frame(frames::GOAWAY, 0, 0, format!("12345678{secret}").as_bytes()),
            Said::hello().frame(77, 0, 0, secret.as_bytes()),
            Said(format!("POST / HTTP/1.1\r\nAuthorization: Basic {secret}\r\n\r\n{secret}").into_bytes()),
        ] {
            let mut talk = Talk::new(Limits::default());
            said.0.chunks(step).for_each(|part| talk.hear(Duration::ZERO, part));
            let talk = talk.end();
            prop_assert!(talk.told.len() >= 3, "{:?}", talk.told);
            let kept = format!("{}{}", String::from_utf8_lossy(&talk.kept), talk.told.concat()).to_lowercase();
            prop_assert!(!kept.contains(&lower), "{kept}");
        }
    }
}
