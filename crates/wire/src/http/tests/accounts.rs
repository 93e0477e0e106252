//! Account names: which are handed out, from where, and that none is without being asked for.

use proptest::prelude::*;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=cut";

fn post(content_type: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: a.example\r\n{more}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn part(name: &str, value: &str) -> String {
    format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

/// What is handed out of one conversation that comes in pieces of so many octets.
fn accounts(http: Http1, sent: &[u8], step: usize) -> Vec<String> {
    let mut told = Vec::new();
    each(http, sent, step, |_, seen| {
        let accounts = match seen {
            Seen::Head(mut head) => head.take_accounts(),
            Seen::End(end) => end.accounts,
        };
        told.extend(accounts.iter().map(|account| String::from_utf8_lossy(account.octets()).into_owned()));
    });
    told
}

fn each(mut http: Http1, sent: &[u8], step: usize, mut look: impl FnMut(&mut Http1, Seen)) {
    let mut drain = |http: &mut Http1| {
        while let Some(output) = http.poll(Duration::ZERO) {
            if let Output::Observe(seen) = output {
                look(http, seen);
            }
        }
    };
    for part in sent.chunks(step.max(1)) {
        http.on_bytes(Duration::ZERO, part);
        drain(&mut http);
    }
    http.on_end(Duration::ZERO);
    drain(&mut http);
}

fn asked() -> Http1 {
    Http1::new(Limits::default()).with_accounts()
}

/// In pieces of one octet, of seven, and whole.
fn handed_out(sent: &[u8], expected: &[&str]) {
    for step in [1, 7, sent.len()] {
        assert_eq!(accounts(asked(), sent, step), expected, "{}", String::from_utf8_lossy(sent));
        assert!(accounts(Http1::new(Limits::default()), sent, step).is_empty(), "nobody has asked");
    }
}

#[test]
fn accounts_are_handed_out_of_every_kind_of_body() {
    handed_out(&post(FORM, "", "user=bob%40a.test&password=hunter2"), &["bob@a.test"]);
    handed_out(&post(FORM, "", "p=1&user%5Blogin%5D=bob&x=&e-mail=b%2Bo%40a.test"), &["bob", "b+o@a.test"]);
    handed_out(&post("application/json", "", r#"{"loginfmt":"bob\u0040a.test","passwd":"hunter2"}"#), &["bob@a.test"]);
    handed_out(
        &post(
            "application/json",
            "",
            r#"{"query":"mutation","variables":{"in":{"email":"bob@a.test","password":"x"}}}"#,
        ),
        &["bob@a.test"],
    );
    let body = part("username", "bob") + &part("password", "hunter2") + "--cut--";
    handed_out(&post(PARTS, "", &body), &["bob"]);
    handed_out(
        &post(PARTS, "", &(part("password", "x") + &part("mail", "Zoë@a.test") + "--cut--\r\n")),
        &["Zoë@a.test"],
    );
}

#[test]
fn the_user_of_basic_credentials_is_handed_out_beside_the_head() {
    let credentials = format!("Authorization: Basic {}\r\n", base64(b"bob:hunter2"));
    handed_out(format!("GET / HTTP/1.1\r\nHost: a.example\r\n{credentials}\r\n").as_bytes(), &["bob"]);
    handed_out(&post(FORM, &credentials, "login=eve&password=x"), &["bob", "eve"]);
    handed_out(b"GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer Ym9iOng=\r\n\r\n", &[]);
}

#[test]
fn what_may_hold_a_password_is_no_account() {
    for body in [
        "user=bob;password=hunter2",
        "user=bob password=hunter2",
        "user=bob:hunter2",
        "user=bobpassword=hunter2",
        "user_password=hunter2",
        "user[pin]=1234",
        "password[login]=hunter2",
        "user=",
        "user",
        "=bob",
        "bob",
        "user=bob%26password%3Dhunter2",
        "user=bob%0d%0apassword: hunter2",
        "user=bob%00",
    ] {
        handed_out(&post(FORM, "", body), &[]);
    }
    for body in [
        r#"{"user":["bob"]}"#,
        r#"{"user":{"x y":"hunter2"}}"#,
        r#"{"user":1,"x y":"hunter2"}"#,
        r#"{"user":"bob\","p":"h"}"#,
        r#"{"user":"bob"#,
        r#"{"user":,"hunter2":"x"}"#,
        r#"{"user" "hunter2"}"#,
        r#"{"user":"bob","#,
        r#""user":"bob""#,
        r#"{"password":{"user":"hunter2"}}"#,
        r#"{"user":}"hunter2""#,
    ] {
        let expected: &[&str] = if body.ends_with("\"bob\",") { &["bob"] } else { &[] };
        handed_out(&post("application/json", "", body), expected);
    }
    for body in [
        part("user", "bob\r\npassword: hunter2") + "--cut--",
        part("user", "bob"),
        part("user", "bob") + "--cup--",
        part("user", "bob").replace("\"user\"", "\"user\"; filename=\"x\"") + "--cut--",
        part("user", "Ym9i").replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n") + "--cut--",
        part("password", "hunter2") + "--cut--",
    ] {
        handed_out(&post(PARTS, "", &body), &[]);
    }
}

#[test]
fn a_body_that_is_cut_or_coded_has_no_account_at_its_end() {
    let whole = post(FORM, "", "user=bob");
    handed_out(&whole[..whole.len() - 1], &[]);
    handed_out(&post(FORM, "Content-Encoding: gzip\r\n", "user=bob"), &[]);
}

#[test]
fn every_limit_of_accounts_is_reached() {
    let long = format!("user={}&login={}", "a".repeat(254), "a".repeat(255));
    handed_out(&post(FORM, "", &long), &["a".repeat(254).as_str()]);
    handed_out(&post(FORM, "", &format!("user={}", "%61".repeat(255))), &[]);
    handed_out(&post(FORM, "", &format!("user={}", "a".repeat(100_000))), &[]);
    handed_out(&post(FORM, "", "user=a&user=b&user=a&login=c&mail=d&uid=e"), &["a", "b", "c", "d"]);
}

#[test]
fn whose_account_may_not_be_known_is_forgotten_behind_the_head() {
    let sent = post(FORM, "", "user=bob&login=eve");
    let sent = [sent.clone(), sent].concat();
    for step in [1, 7, sent.len()] {
        let mut told = Vec::new();
        let mut heads = 0;
        each(asked(), &sent, step, |http, seen| match seen {
            Seen::Head(_) if heads == 0 => {
                heads += 1;
                http.forget_accounts();
            }
            Seen::Head(_) => heads += 1,
            Seen::End(end) => told.push(end.accounts.iter().count()),
        });
        assert_eq!(told, [0, 2], "only the first request's");
    }
}

proptest! {
    #[test]
    fn an_account_comes_out_as_it_went_in(
        account in "[a-z][a-z0-9._+-]{2,30}(@[a-z]{1,20}\\.test)?", password in "[A-Za-z0-9!$_-]{6,24}", step in 1usize..40,
    ) {
        let percent: String = account.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let escaped: String = account.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let basic = format!("Authorization: basic {}\r\n", base64(format!("{account}:{password}").as_bytes()));
        for sent in [
            post(FORM, "", &format!("password={password}&user={percent}")),
            post("application/json", "", &format!(r#"{{"a":[{{"login":"{escaped}"}}],"password":"{password}"}}"#)),
            post(PARTS, "", &format!("{}{}--cut--", part("email", &account), part("pass", &password))),
            post("text/plain", &basic, &format!("user={account}")),
        ] {
            prop_assert_eq!(accounts(asked(), &sent, step), [account.as_str()]);
        }
    }

    #[test]
    fn any_body_comes_to_an_end(body in "[ -~\\r\\n]{0,300}", step in 1usize..40) {
        for content_type in [FORM, PARTS, "application/json"] {
            prop_assert!(accounts(asked(), &post(content_type, "", &body), step).len() <= 8);
        }
    }
}
