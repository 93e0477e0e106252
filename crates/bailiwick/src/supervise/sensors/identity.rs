//! Who a sensor is: its key, its certificate, and whom it believes. One file in `keys`, made by joining.
//!
//! And the token by which it joins: everything that it must know of its core, and a secret that is good once.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::id::{SensorId, SensorName};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::config::host_and_port;
use crate::failure::{Failure, Tried, code};

const FILE: &str = "sensor.json";
const FILE_OCTETS_MAX: u64 = 64 << 10;
const TOKEN_OCTETS_MAX: usize = 8 << 10;
const TOKEN_MARK: &str = "bws1.";

//----------- Token ------------------------------------------------------------------------------------------------

/// What `sensor enroll` prints.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// Host and port.
    pub(crate) core: String,
    /// The certificate of the core's authority, DER in base64: nobody else is believed.
    pub(crate) authority: String,
    /// The key that signs what may be served.
    pub(crate) ledger: String,
    /// Good once, and not for long; the core keeps its digest.
    pub(crate) secret: String,
}

impl Token {
    pub(crate) fn to_text(&self) -> String {
        let json = Zeroizing::new(serde_json::to_vec(self).expect("a token is plain JSON"));
        format!("{TOKEN_MARK}{}", URL_SAFE_NO_PAD.encode(&*json))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || {
            Failure::new("this is no token of a core")
                .hint("`bailiwick sensor enroll NAME` on the core prints one; take all of its single line")
                .code(code::USAGE)
        };
        let text = text.trim();
        let packed = text.strip_prefix(TOKEN_MARK).filter(|_| text.len() <= TOKEN_OCTETS_MAX).ok_or_else(bad)?;
        let json = Zeroizing::new(URL_SAFE_NO_PAD.decode(packed).map_err(|_| bad())?);
        let token: Self = serde_json::from_slice(&json).map_err(|_| bad())?;
        host_and_port(&token.core).ok_or_else(bad)?;
        Ok(token)
    }
}

/// Octets as tokens and identities write them.
pub(crate) fn in_base64(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

pub(crate) fn of_base64(text: &str) -> Result<Vec<u8>, Failure> {
    URL_SAFE_NO_PAD.decode(text).tried("reading base64")
}

//----------- Identity ---------------------------------------------------------------------------------------------

/// What joining leaves.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) sensor: SensorId,
    pub(crate) name: SensorName,
    pub(crate) core: String,
    pub(crate) authority: String,
    pub(crate) ledger: String,
    /// PEM.
    pub(crate) certificate: String,
    /// PKCS #8, PEM. It never leaves this machine.
    pub(crate) key: PrivateKey,
}

/// A key as text, wiped when it is dropped and never shown.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct PrivateKey(pub(crate) String);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Identity {
    pub(crate) fn load(keys: &Path) -> Result<Self, Failure> {
        let file = keys.join(FILE);
        let shown = file.display();
        if !file.exists() {
            return Err(Failure::new(format!("this is no sensor yet: there is no {shown}"))
                .hint("`bailiwick sensor join TOKEN_FILE` with a token of the core makes it one"));
        }
        let size = std::fs::metadata(&file).tried(format_args!("looking at {shown}"))?.len();
        if size > FILE_OCTETS_MAX {
            return Err(Failure::new(format!("{shown} has {size} octets; at most {FILE_OCTETS_MAX}")));
        }
        let text = Zeroizing::new(std::fs::read(&file).tried(format_args!("reading {shown}"))?);
        serde_json::from_slice(&text).tried(format_args!("reading {shown}"))
    }

    pub(crate) fn is_in(keys: &Path) -> bool {
        keys.join(FILE).exists()
    }

    pub(crate) fn keep(&self, keys: &Path) -> Result<(), Failure> {
        let text = Zeroizing::new(serde_json::to_vec_pretty(self).expect("an identity is plain JSON"));
        let kept = sinkhole::certificates::keep_file(keys, FILE, &text);
        kept.tried(format_args!("keeping the sensor's identity in {}", keys.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token { core: "core.example:8443".into(), authority: "MII".into(), ledger: "k".into(), secret: "s".into() }
    }

    #[test]
    fn a_token_is_written_and_read_as_ever() {
        let text =
            "bws1.eyJjb3JlIjoiY29yZS5leGFtcGxlOjg0NDMiLCJhdXRob3JpdHkiOiJNSUkiLCJsZWRnZXIiOiJrIiwic2VjcmV0IjoicyJ9";
        assert_eq!(token().to_text(), text);
        assert_eq!(Token::parse(&format!(" {text}\n")).unwrap(), token());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let elsewhere = Token { core: "no port".into(), ..token() }.to_text();
        let long = format!("{TOKEN_MARK}{}", "A".repeat(TOKEN_OCTETS_MAX));
        for text in ["", "bws1.", "bws1.!", "bws2.e30", "bws1.e30", &elsewhere, &long] {
            assert!(Token::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_identity_is_kept_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        assert!(Identity::load(home.path()).is_err() && !Identity::is_in(home.path()));
        let identity = Identity {
            sensor: SensorId(2),
            name: SensorName::parse("fra-1").unwrap(),
            core: "core.example:8443".into(),
            authority: "MII".into(),
            ledger: "k".into(),
            certificate: "c".into(),
            key: PrivateKey("p".into()),
        };
        identity.keep(home.path()).unwrap();
        assert_eq!(Identity::load(home.path()).unwrap().name, identity.name);
        let mode = std::fs::metadata(home.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
