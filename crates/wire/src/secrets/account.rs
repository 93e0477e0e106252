//! The name that somebody logs in by: somebody's, so it is encrypted or dropped, and on the way it is hard to lose.
//!
//! Who typed a password into a seized site can be warned only if somebody knows who it was. So a machine that is told
//! to hands account names out, apart from everything that is written down: [`Account`] prints nothing, cannot be
//! copied, and is wiped when it is dropped. What is handed out must be one name and nothing else: a field that somebody
//! cut in the wrong place may hold the password too, and then it is none.
//!
//! What is deliberately absent: accounts in queries, cookies and headers other than Basic's, which are programs' more
//! often than people's; and names with blanks in them.

use std::fmt;

use zeroize::Zeroizing;

/// The longest account name: that of a mail address (RFC 5321, 4.5.3.1.3: a path of 256 octets, brackets included).
pub const ACCOUNT_OCTETS_MAX: usize = 254;
/// The most account names of one request. Forms ask for one, sometimes for a mail address beside it; clients that
/// send more send lists.
pub const ACCOUNTS_MAX: usize = 4;

/// What stands in account names beside letters and digits: mail addresses, `DOMAIN\user`, `o'neill`. A delimiter of
/// forms, JSON, cookies or credentials is not among them: behind it something else begins, and that may be a password.
const MARKS: &str = "@._+-\\'~$*!";

//----------- Account ----------------------------------------------------------------------------------------------

/// One account name, as sent, without its encoding. It has no `Debug` and no `Clone`, and is wiped when it is dropped.
#[derive(Eq, PartialEq)]
pub struct Account(Zeroizing<Vec<u8>>);

impl Account {
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Nothing, if this is no account name, or not only one.
    pub(crate) fn read(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > ACCOUNT_OCTETS_MAX {
            return None;
        }
        let text = std::str::from_utf8(name).ok()?;
        let is_one = |c: char| c.is_alphanumeric() || MARKS.contains(c);
        (text.chars().all(is_one) && text.contains(char::is_alphanumeric)).then(|| Self(Zeroizing::new(name.to_vec())))
    }
}

//----------- Accounts ---------------------------------------------------------------------------------------------

/// The account names of one request, each once.
#[derive(Default, Eq, PartialEq)]
pub struct Accounts(Vec<Account>);

impl Accounts {
    /// Keeps one while there is room.
    pub(crate) fn add(&mut self, account: Account) {
        if self.0.len() < ACCOUNTS_MAX && !self.0.contains(&account) {
            self.0.push(account);
        }
    }

    /// Both as one.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        others.0.into_iter().for_each(|account| self.add(account));
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({})", self.0.len())
    }
}

//----------- Names of fields --------------------------------------------------------------------------------------

/// What fields for account names are called, without case and marks: a closed list, each the whole last part of a name.
const FIELDS: [&str; 57] = [
    "account",
    "accountid",
    "accountname",
    "appleid",
    "benutzer",
    "benutzername",
    "correo",
    "email",
    "emailaddress",
    "emailid",
    "emailorphone",
    "emailorusername",
    "identifiant",
    // Google's.
    "identifier",
    "identifierid",
    "inputemail",
    "inputusername",
    "jusername",
    // WordPress's.
    "log",
    "login",
    "loginemail",
    // Microsoft's.
    "loginfmt",
    "loginid",
    "loginname",
    "loginusername",
    "mail",
    "mailaddress",
    "memberid",
    "membername",
    "nutzername",
    "osusername",
    "screenname",
    "sessionkey",
    "signinemail",
    "signinname",
    "signinusername",
    "txtemail",
    "txtlogin",
    "txtuser",
    "txtusername",
    "uid",
    "uname",
    "upn",
    "user",
    "useremail",
    "userid",
    "userlogin",
    "usermail",
    "username",
    "usernameoremail",
    "userprincipalname",
    "usr",
    "usuario",
    "utente",
    "utilisateur",
    "wpname1",
    "zimbrausername",
];
/// Anywhere in a name, these mean that what stands below it is never handed out.
const NEVER: [&str; 12] =
    ["pass", "pwd", "secret", "kennwort", "contrase", "motdepasse", "otp", "pin", "token", "answer", "card", "cvv"];

/// Whether the value of a field of this name is an account. The parts of a nested name (`user[login]`, `data.email`)
/// stand for the objects around it; only the last one says what the value is.
pub(crate) fn is_account_field(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&super::names::percent_decoded(name)).to_ascii_lowercase();
    let mut parts = text.split(['.', '[', ']', ':', '$']).filter(|part| !part.is_empty());
    let joined: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let last: String = parts.next_back().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    FIELDS.contains(&last.as_str()) && !NEVER.iter().any(|part| joined.contains(part))
}

//----------- Basic ------------------------------------------------------------------------------------------------

/// The user of Basic credentials (RFC 7617, 2); the password is wiped.
pub(crate) fn basic_user(credentials: &[u8]) -> Option<Account> {
    const SCHEME: &[u8] = b"basic ";
    let (scheme, coded) = credentials.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let said = Zeroizing::new(crate::smtp::base64(coded.trim_ascii())?);
    let colon = said.iter().position(|b| *b == b':')?;
    Account::read(&said[..colon])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_part_of_a_name_speaks_of_an_account() {
        for name in [
            "user",
            "UserName",
            "j_username",
            "loginfmt",
            "identifier",
            "E-Mail",
            "user_login",
            "user[login]",
            "session[username_or_email]",
            "data.user.email",
            "variables.input.email",
            "credentials.username",
            "ctl00$txtUserName",
            "javax:login",
            "user%5Blogin%5D",
        ] {
            assert!(is_account_field(name.as_bytes()), "{name}");
        }
        for name in [
            "",
            "password",
            "user_password",
            "userpin",
            "username_token",
            "password.user",
            "passwd[login]",
            "pin:user",
            "emailed",
            "users.count",
            "login_ticket",
            "csrf",
            "user.name.first",
            "accounts",
            "pass.email",
            "[]",
            ".",
        ] {
            assert!(!is_account_field(name.as_bytes()), "{name}");
        }
        assert!(FIELDS.iter().all(|field| !NEVER.iter().any(|part| field.contains(part))));
    }

    #[test]
    fn an_account_is_one_name_and_nothing_else() {
        for name in ["bob", "bob@example.org", "CORP\\bob", "o'neill+x@a-b.test", "Zoë", "用户@例子.test", "12345"]
        {
            assert!(Account::read(name.as_bytes()).is_some(), "{name}");
        }
        let long = "a".repeat(ACCOUNT_OCTETS_MAX + 1);
        for name in [
            "",
            "@",
            "bob hunter2",
            "bob:hunter2",
            "bob;password=x",
            "bob&p",
            "bob,x",
            "{bob}",
            "a\"b",
            "a\r\nb",
            "b/x",
            "b\0o",
            &long,
        ] {
            assert!(Account::read(name.as_bytes()).is_none(), "{name}");
        }
        assert!(Account::read(b"\xff\xfe").is_none());
    }

    #[test]
    fn the_user_of_basic_credentials_is_one() {
        // RFC 7617, 2: `Aladdin:open sesame`.
        let user = basic_user(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!(user.octets(), b"Aladdin");
        for none in ["", "Basic", "Basic ", "Basic QWxhZGRpbg==", "Bearer QWxhZGRpbjpv", "Basic ***", "Basic OnB3"] {
            assert!(basic_user(none.as_bytes()).is_none(), "{none}");
        }
    }

    #[test]
    fn a_request_has_few_accounts_and_they_print_nothing() {
        let read = |names: &[&str]| {
            let mut accounts = Accounts::default();
            names.iter().filter_map(|name| Account::read(name.as_bytes())).for_each(|account| accounts.add(account));
            accounts
        };
        let both = read(&["a", "b", "a"]).and(read(&["b", "c", "d", "e"]));
        assert_eq!(both.iter().map(|account| account.octets().to_vec()).collect::<Vec<_>>().concat(), b"abcd");
        assert_eq!(format!("{both:?}"), "Accounts(4)");
    }

    proptest! {
        #[test]
        fn reading_anything_ends(bytes: Vec<u8>) {
            let _ = (Account::read(&bytes), is_account_field(&bytes), basic_user(&bytes));
        }
    }
}
