//! DNS cookies: the vectors of RFC 9018, what counts and for how long, and what a client without one is told.

use super::*;

const CLIENT_COOKIE: [u8; 8] = 0x2464_c4ab_cf10_c957_u64.to_be_bytes();
const MINUTE: u32 = 60;

/// The cookie option of a query, the address it came from and the time, then its worth and what goes back, in hex.
fn look(jar: &CookieJar, option: &str, client: &str, now_secs: u32) -> (CookieState, String) {
    let options = cookie_option(&unhex(option));
    let manners = Manners::new(jar, client.parse().unwrap(), now_secs);
    let (reply, out) = ask_with(&options, &manners, Transport::Udp);
    (reply.cookie, hex(&option_of(&out, option::COOKIE).unwrap_or_default()))
}

/// Asks for A at the apex with these options.
pub(super) fn ask_with(options: &[u8], manners: &Manners<'_>, transport: Transport) -> (Reply, Vec<u8>) {
    let (name, answers) = (wire(APEX), Answers::new(&records()));
    let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options });
    let mut packet = Vec::new();
    Ask { edns, ..Ask::new(7, &name, rtype::A) }.encode(&mut packet);
    let (reply, out) = serve_with(&packet, &answers, transport, manners);
    (reply.unwrap(), out)
}

pub(super) fn cookie_option(cookie: &[u8]) -> Vec<u8> {
    [&[0, 10, 0, cookie.len() as u8], cookie].concat()
}

/// An EDNS option of a reply, as `domain` reads it.
pub(super) fn option_of(reply: &[u8], code: u16) -> Option<Vec<u8>> {
    use domain::base::Message;
    use domain::base::opt::UnknownOptData;
    let message = Message::from_octets(reply).unwrap();
    let opt = message.opt()?;
    let mut options = opt.opt().iter::<UnknownOptData<_>>().map(Result::unwrap);
    options.find(|option| option.code().to_int() == code).map(|option| option.as_slice().to_vec())
}

fn unhex(text: &str) -> Vec<u8> {
    let octet = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(octet).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn cookies_are_those_of_rfc_9018() {
    let old = CookieJar::new(&SECRET, None);
    let rolled = CookieJar::new(
        &0x4455_36bc_d251_3298_075a_5d37_9663_c962_u128.to_be_bytes(),
        Some(&0xdd3b_df93_44b6_78b1_85a6_f5cb_60fc_a715_u128.to_be_bytes()),
    );
    let v6 = "2001:db8:220:1:59de:d0f4:8769:82b8";
    for (name, jar, sent, client, now_secs, worth, back) in [
        (
            "A.1",
            &old,
            "2464c4abcf10c957",
            "198.51.100.100",
            1_559_731_985,
            CookieState::ClientOnly,
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
        ),
        (
            "A.2",
            &old,
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            "198.51.100.100",
            1_559_734_385,
            CookieState::Valid,
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
        ),
        // The RFC tells of a cookie 1 h 52 min old, which by its own 4.3 counts no more: the new one is right all the
        // same, and the reserved octets are checked below.
        (
            "A.3",
            &old,
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
            "203.0.113.203",
            1_559_734_700,
            CookieState::Invalid,
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
        ),
        (
            "A.4",
            &rolled,
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            v6,
            1_559_741_961,
            CookieState::Valid,
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
        ),
    ] {
        assert_eq!(look(jar, sent, client, now_secs), (worth, back.to_owned()), "{name}");
    }
    let (worth, back) = look(&old, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203", 1_559_727_985);
    assert_eq!(worth, CookieState::Valid, "reserved octets are hashed as received");
    assert_eq!(back[16..24], *"01000000", "and are 0 in what we make");
}

#[test]
fn a_cookie_counts_for_an_hour_and_is_renewed_after_half_of_it() {
    let made = NOW_SECS;
    let whole = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    let at = |now_secs| look(&jar(), whole, "198.51.100.100", now_secs);
    for (now_secs, worth, is_kept) in [
        (made, CookieState::Valid, true),
        (made + 30 * MINUTE, CookieState::Valid, true),
        (made + 30 * MINUTE + 1, CookieState::Valid, false),
        (made + 60 * MINUTE, CookieState::Valid, false),
        (made + 60 * MINUTE + 1, CookieState::Invalid, false),
        (made - 5 * MINUTE, CookieState::Valid, true),
        (made - 5 * MINUTE - 1, CookieState::Invalid, false),
        (made.wrapping_add(u32::MAX / 2), CookieState::Invalid, false),
    ] {
        let (seen, back) = at(now_secs);
        assert_eq!((seen, back == whole), (worth, is_kept), "{now_secs}");
        // Whatever goes back counts from now on.
        assert_eq!(look(&jar(), &back, "198.51.100.100", now_secs).0, CookieState::Valid);
    }
}

#[test]
fn a_cookie_survives_the_wrap_of_its_clock() {
    let (_, back) = look(&jar(), "2464c4abcf10c957", "192.0.2.7", u32::MAX - 5);
    assert_eq!(look(&jar(), &back, "192.0.2.7", 20).0, CookieState::Valid);
}

#[test]
fn a_cookie_is_good_for_one_client_one_address_and_two_secrets() {
    let (old, new) = ([1; SECRET_OCTETS], [2; SECRET_OCTETS]);
    let (_, back) = look(&CookieJar::new(&old, None), "2464c4abcf10c957", "192.0.2.7", NOW_SECS);
    let flipped = |at: usize| {
        let mut octets = unhex(&back);
        octets[at] ^= 1;
        hex(&octets)
    };
    let worth = |jar: &CookieJar, cookie: &str, client: &str| look(jar, cookie, client, NOW_SECS).0;
    let jar = CookieJar::new(&old, None);
    assert_eq!(worth(&jar, &back, "192.0.2.7"), CookieState::Valid);
    assert_eq!(worth(&jar, &back, "::ffff:192.0.2.7"), CookieState::Valid, "the same address in other clothes");
    assert_eq!(worth(&jar, &back, "192.0.2.8"), CookieState::Invalid);
    for at in 0..24 {
        assert_eq!(worth(&jar, &flipped(at), "192.0.2.7"), CookieState::Invalid, "octet {at}");
    }
    assert_eq!(worth(&jar, &format!("{back}00"), "192.0.2.7"), CookieState::Invalid, "another length");
    // Stage by stage: the new secret is accepted, then used, then alone.
    for (current, also, expected) in [
        (old, Some(&new), CookieState::Valid),
        (new, Some(&old), CookieState::Valid),
        (new, None, CookieState::Invalid),
    ] {
        let jar = CookieJar::new(&current, also);
        assert_eq!(worth(&jar, &back, "192.0.2.7"), expected);
        let (_, renewed) = look(&jar, &back, "192.0.2.7", NOW_SECS);
        assert_eq!(worth(&CookieJar::new(&current, None), &renewed, "192.0.2.7"), CookieState::Valid);
    }
}

#[test]
fn whoever_must_show_a_cookie_gets_one_or_is_sent_to_tcp() {
    let jar = jar();
    let easy = Manners::new(&jar, CLIENT, NOW_SECS);
    let strict = Manners { requires_cookie: true, ..easy };
    let (_, out) = ask_with(&cookie_option(&CLIENT_COOKIE), &easy, Transport::Udp);
    let good = option_of(&out, option::COOKIE).unwrap();
    let mut forged = good.clone();
    forged[20] ^= 1;
    for (cookie, transport, rcode, kind, truncated) in [
        (&good[..], Transport::Udp, rcode::NOERROR, Kind::Data, false),
        (&forged[..], Transport::Udp, rcode::BADCOOKIE, Kind::Error, false),
        (&CLIENT_COOKIE[..], Transport::Udp, rcode::BADCOOKIE, Kind::Error, false),
        (&CLIENT_COOKIE[..], Transport::Tcp, rcode::NOERROR, Kind::Data, false),
        (&[1, 2], Transport::Udp, rcode::FORMERR, Kind::Error, false),
        (&[], Transport::Tcp, rcode::NOERROR, Kind::Data, false),
        (&[], Transport::Udp, rcode::NOERROR, Kind::Slipped, true),
    ] {
        let options = if cookie.is_empty() { Vec::new() } else { cookie_option(cookie) };
        let (reply, out) = ask_with(&options, &strict, transport);
        assert_eq!((reply.rcode, reply.kind, reply.truncated), (rcode, kind, truncated), "{cookie:?} {transport:?}");
        // A good client cookie never goes without its answer.
        let answered = option_of(&out, option::COOKIE);
        assert_eq!(answered.is_some(), cookie.len() >= 8);
        assert!(answered.is_none_or(|cookie| cookie[..8] == CLIENT_COOKIE));
    }
}

#[test]
fn a_cookie_may_be_asked_for_by_itself() {
    let jar = jar();
    let manners = Manners::new(&jar, CLIENT, NOW_SECS);
    let ask = |cookie: &[u8]| {
        let option = cookie_option(cookie);
        let mut packet = vec![0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0];
        packet.push(option.len() as u8);
        packet.extend_from_slice(&option);
        let (reply, out) = serve_with(&packet, &Answers::new(&records()), Transport::Udp, &manners);
        (reply.unwrap(), option_of(&out, option::COOKIE))
    };
    let (reply, cookie) = ask(&CLIENT_COOKIE);
    assert_eq!((reply.rcode, reply.cookie, reply.kind), (rcode::NOERROR, CookieState::ClientOnly, Kind::NoData));
    let mut cookie = cookie.unwrap();
    assert_eq!(ask(&cookie).0.rcode, rcode::NOERROR);
    cookie[16] ^= 1;
    assert_eq!(ask(&cookie).0.rcode, rcode::BADCOOKIE);
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", jar()), "CookieJar { also: false, .. }");
}
