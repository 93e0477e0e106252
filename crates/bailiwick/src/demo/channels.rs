//! Every way in by which a password or an account may come, the real trap at its end, and the demo's scan over all that
//! lies on disk afterwards.
//!
//! A password and an account are drawn by chance, written in every coding, and sent through each channel, whole and
//! broken in each way. Then nothing of either may be found, except for the account, by whoever has the private key. A
//! scan that finds nothing proves something only if it would have found it: the same scan then must find both in every
//! coding, in a frame of the same journal and in a file beside it.

mod lines;
mod sent;
mod stage;

use std::path::Path;
use std::time::Duration;

use model::contact::{Contact, HttpVersion, What};
use proptest::prelude::*;
use sinkhole::sealed::OpeningKey;
use store::journal::{Frame, read_all};
use wire::http::Http1;
use wire::http2::Http2;
use wire::secrets::Accounts;
use wire::session::{Output, Session};
use wire::smtp::{Login, Mail, Smtp, Standing, Terms, Tls};

use self::lines::Line;
use self::sent::{Harm, Planted};
use self::stage::Stage;
use super::needle::{Coding, Search};
use super::{plant, scan};

proptest! {
    // Each case is some two thousand connections, of which five hundred are within TLS.
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_password_or_an_account_is_on_disk(
        password in "[A-Za-z0-9!$_-]{14,24}",
        account in "[a-z]{6,10}\\.[a-z0-9]{4,8}@[a-z]{4,8}\\.test",
        harm in 0usize..1000,
    ) {
        let planted = Planted { password, account };
        let stage = Stage::set();
        let root = stage.root().to_owned();
        let messages = sent::http(&planted);
        let harmed = messages.iter().enumerate().map(|(at, message)| Harm::by_chance(harm + at).done_to(message));
        let messages: Vec<Vec<u8>> = harmed.chain(messages.iter().cloned()).collect();
        prop_assert_eq!(leaking(&messages, &planted), Vec::<String>::new());
        stage.send(&[Line::Http], &messages);
        stage.send(&[Line::Https], &sent::http(&planted));
        stage.send(&[Line::Http, Line::Http2], &sent::http2(&planted));
        stage.send(&[Line::Http, Line::Smtp, Line::StartTls, Line::Smtps], &sent::smtp(&planted));
        std::fs::write(root.join("http2.machine"), by_http2(&stage.key, &planted)).unwrap();
        std::fs::write(root.join("smtp.machine"), by_smtp(&stage.key, &planted)).unwrap();
        let (key, _folder) = stage.strike();

        check_channels(&root, &planted)?;
        prop_assert_eq!(found(&root, &planted), Vec::<String>::new());
        check_accounts(&opened(&root, &key), &planted)?;
        control(&root, &planted)?;
    }
}

/// Places where the scan finds either.
fn found(root: &Path, planted: &Planted) -> Vec<String> {
    let mut search = Search::new(&[planted.password.clone(), planted.account.clone()]);
    scan::scan(root, &root.join("nothing"), &mut search).unwrap();
    search.found().iter().map(|(secret, place)| format!("{} in {place}", ["password", "account"][*secret])).collect()
}

/// Logins of each line for mail that name a mechanism which we know.
const MECHANISMS: usize = 8;

/// Each channel was there: what no listener heard would leak nothing either.
fn check_channels(root: &Path, planted: &Planted) -> Result<(), TestCaseError> {
    let (mut hellos, mut logins, mut by_http2) = (0, 0, 0);
    read_all(&root.join("data/journal"), &mut |frame| match frame {
        Frame::Contact(Contact { what: What::Hello(_), .. }) => hellos += 1,
        Frame::Contact(Contact { what: What::Message(message), .. }) => {
            logins += usize::from(!message.auth_mechanism.is_empty());
        }
        Frame::Contact(Contact { what: What::Request(request), .. }) => {
            by_http2 += usize::from(request.version == HttpVersion::Http2 && &*request.method == b"POST");
        }
        _ => {}
    })
    .unwrap();
    let (http, http2, smtp) = (sent::http(planted).len(), sent::http2(planted).len(), sent::smtp(planted).len());
    prop_assert_eq!(hellos, http + http2 + 2 * smtp, "HTTPS, HTTP/2 within TLS, STARTTLS and mail within TLS");
    prop_assert_eq!(by_http2, 2 * http2, "HTTP/2 in clear and within TLS");
    prop_assert!(logins >= 3 * MECHANISMS, "{} logins: in clear, behind STARTTLS and within TLS", logins);
    Ok(())
}

//----------- Accounts ---------------------------------------------------------------------------------------------

/// What the private key makes of the journal.
fn opened(root: &Path, key: &OpeningKey) -> Vec<Vec<u8>> {
    let mut opened = Vec::new();
    read_all(&root.join("data/journal"), &mut |frame| {
        if let Frame::Outcome(outcome) = frame {
            opened.extend(outcome.accounts.iter().map(|sealed| key.open(sealed).unwrap().to_vec()));
        }
    })
    .unwrap();
    opened
}

/// The account came back, and no password with it.
fn check_accounts(opened: &[Vec<u8>], planted: &Planted) -> Result<(), TestCaseError> {
    let whole = opened.iter().filter(|name| *name == planted.account.as_bytes()).count();
    prop_assert!(whole >= sent::ACCOUNTS_AT_LEAST, "{whole} of {}", opened.len());
    let mut search = Search::new(std::slice::from_ref(&planted.password));
    opened.iter().for_each(|name| search.look("an account", name));
    prop_assert!(search.found().is_empty(), "a password was taken for an account");
    Ok(())
}

fn sealed(key: &OpeningKey, accounts: &Accounts) -> Vec<u8> {
    accounts.iter().flat_map(|account| key.sealing().seal(account).unwrap()).collect()
}

//----------- Machines ---------------------------------------------------------------------------------------------

/// The messages of which the HTTP/1 machine lets something out: the disk would tell that there are some, but not which.
fn leaking(messages: &[Vec<u8>], planted: &Planted) -> Vec<String> {
    let leaks = |message: &&Vec<u8>| {
        let mut search = Search::new(&[planted.password.clone(), planted.account.clone()]);
        search.look("a machine", &by_http1(message));
        !search.found().is_empty()
    };
    messages.iter().filter(leaks).map(|message| String::from_utf8_lossy(message).into_owned()).collect()
}

fn by_http1(message: &[u8]) -> Vec<u8> {
    let mut http = Http1::new(wire::http::Limits::default());
    let mut out = Vec::new();
    http.on_bytes(Duration::ZERO, message);
    http.on_end(Duration::ZERO);
    while let Some(output) = http.poll(Duration::ZERO) {
        match output {
            Output::Observe(wire::http::Seen::Head(head)) => out.extend_from_slice(&head.kept.redacted.bytes),
            Output::Observe(wire::http::Seen::End(end)) => out.extend(format!("{end:?}").into_bytes()),
            _ => {}
        }
    }
    out
}

/// What the HTTP/2 machine lets out, whatever of it the trap writes down.
fn by_http2(key: &OpeningKey, planted: &Planted) -> Vec<u8> {
    let mut out = Vec::new();
    for message in sent::http2(planted) {
        let mut http = Http2::new(wire::http::Limits::default()).with_accounts();
        http.on_bytes(Duration::ZERO, &message);
        http.on_end(Duration::ZERO);
        while let Some(output) = http.poll(Duration::ZERO) {
            out.extend(format!("{output:?}").into_bytes());
            match output {
                Output::Observe(wire::http2::Seen::Head { mut head, .. }) => {
                    out.extend_from_slice(&head.kept.redacted.bytes);
                    out.extend_from_slice(&head.h2);
                    out.extend(sealed(key, &head.take_accounts()));
                }
                Output::Observe(wire::http2::Seen::End { exchange, .. }) => out.extend(sealed(key, &exchange.accounts)),
                Output::Send(bytes) => out.extend(bytes),
                Output::Wait(_) | Output::Close => {}
            }
        }
    }
    out
}

/// The same of the SMTP machine.
fn by_smtp(key: &OpeningKey, planted: &Planted) -> Vec<u8> {
    let terms = || Terms {
        host: "mx.sinkhole.example".into(),
        mail: Mail::Refuse,
        tls: Tls::Absent,
        login: Login::Always,
        nonce_key: [7; 32],
    };
    let mut out = Vec::new();
    for message in sent::smtp(planted) {
        let mut smtp = Smtp::new(terms(), |_: &[u8]| Standing::Ours { key: [7; 32] }).with_accounts();
        smtp.on_bytes(Duration::ZERO, &message);
        smtp.on_end(Duration::ZERO);
        while let Some(output) = smtp.poll(Duration::ZERO) {
            out.extend(format!("{output:?}").into_bytes());
            if let Output::Observe(wire::smtp::Seen::Transaction(seen)) = &output
                && let Some(account) = seen.auth.as_ref().and_then(|auth| auth.account.as_ref())
            {
                out.extend(key.sealing().seal(account).unwrap());
            }
            if let Output::Send(bytes) = output {
                out.extend(bytes);
            }
        }
    }
    out
}

//----------- Control ----------------------------------------------------------------------------------------------

/// The same scan finds what is really there: each secret in each coding, in each place by itself.
fn control(root: &Path, planted: &Planted) -> Result<(), TestCaseError> {
    let beside = root.join("beside");
    for (number, secret) in [&planted.password, &planted.account].into_iter().enumerate() {
        for form in Coding::ALL.into_iter().flat_map(|coding| coding.forms(secret)) {
            std::fs::write(&beside, [b"before ", &form[..], b" after"].concat()).unwrap();
            let mut search = Search::new(&[planted.password.clone(), planted.account.clone()]);
            scan::scan(root, &root.join("data"), &mut search).unwrap();
            prop_assert!(search.found().contains_key(&number), "{}", String::from_utf8_lossy(&form));
        }
    }
    std::fs::remove_file(&beside).unwrap();
    prop_assert!(found(root, planted).is_empty());
    let forms = |secret| Coding::ALL.into_iter().flat_map(|coding| coding.forms(secret)).collect::<Vec<_>>();
    plant::in_journal_at(&root.join("data"), &forms(&planted.account)).unwrap();
    let found = found(root, planted);
    prop_assert!(found.len() == 1 && found[0].starts_with("account in"), "{found:?}");
    Ok(())
}
