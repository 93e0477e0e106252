//! Signed notes ([signed-note](https://c2sp.org/signed-note)): a text, and lines by which keys stand for it.
//!
//! Only Ed25519 (`0x01`), by ring, which rustls brings. Keys are written as Go's `golang.org/x/mod/sumdb/note` writes
//! them, so that its tools read ours: `NAME+ID+KEY` for whoever verifies, `PRIVATE+KEY+NAME+ID+KEY` for the one who signs.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

/// The longest name of a key, in octets.
pub const ORIGIN_OCTETS_MAX: usize = 255;

/// The longest note that is read, in octets: a checkpoint with sixteen large cosignatures is smaller.
const NOTE_OCTETS_MAX: usize = 1 << 20;

/// The type of the only signatures that we make and check.
const OF_ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";
const BEFORE_SIGNATURE: &str = "— ";

/// Why a note, or a key, is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoteError {
    #[error("it is no signed note")]
    NoNote,
    #[error("it is not signed by {0}")]
    NotSigned(String),
    #[error("its signature by {0} does not hold: the text or the signature was changed")]
    Forged(String),
    #[error("it is no key of the form NAME+ID+KEY for Ed25519")]
    NoKey,
    #[error("a name of a key has 1 to {ORIGIN_OCTETS_MAX} octets, no space, no plus and no control character")]
    NoName,
}

/// Whether a key and a log can be called so.
pub fn is_origin(name: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    (1..=ORIGIN_OCTETS_MAX).contains(&name.len()) && name.chars().all(plain)
}

//----------- VerifyingKey -----------------------------------------------------------------------------------------

/// The public half, by which anybody verifies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifyingKey {
    name: String,
    public: [u8; 32],
}

impl VerifyingKey {
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let digest = Digest::of_parts([self.name.as_bytes(), &[b'\n', OF_ED25519], &self.public]);
        *digest.0.first_chunk().expect("a digest has 32 octets")
    }

    /// The text of a note that this key signed.
    ///
    /// # Errors
    /// If no signature of this key is there, or one that does not hold. Other keys' are skipped.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let (text, signatures) = split(note).ok_or(NoteError::NoNote)?;
        let mut is_signed = false;
        for line in signatures.lines() {
            let (name, signature) = read_signature(line).ok_or(NoteError::NoNote)?;
            let Some(signature) = signature.strip_prefix(&self.id()).filter(|_| name == self.name) else { continue };
            let key = UnparsedPublicKey::new(&ED25519, self.public);
            key.verify(text.as_bytes(), signature).map_err(|_| NoteError::Forged(self.name.clone()))?;
            is_signed = true;
        }
        if is_signed { Ok(text) } else { Err(NoteError::NotSigned(self.to_string())) }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[OF_ED25519], &self.public[..]].concat());
        write!(f, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id()))
    }
}

impl FromStr for VerifyingKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, public) = read_key(text.trim()).ok_or(NoteError::NoKey)?;
        let key = Self { name: name.to_owned(), public };
        if key.to_string() == text.trim() { Ok(key) } else { Err(NoteError::NoKey) }
    }
}

/// Name and 32 octets of `NAME+ID+KEY`.
fn read_key(text: &str) -> Option<(&str, [u8; 32])> {
    let mut parts = text.splitn(3, '+');
    let (name, _, key) = (parts.next()?, parts.next()?, parts.next()?);
    let octets = Zeroizing::new(STANDARD.decode(key).ok()?);
    let key = octets.strip_prefix(&[OF_ED25519])?.try_into().ok()?;
    is_origin(name).then_some((name, key))
}

fn split(note: &str) -> Option<(&str, &str)> {
    let is_text = |c: char| c == '\n' || c >= ' ';
    if note.len() > NOTE_OCTETS_MAX || !note.ends_with('\n') || !note.chars().all(is_text) {
        return None;
    }
    let end = note.rfind("\n\n")?;
    Some((&note[..=end], &note[end + 2..])).filter(|(_, signatures)| !signatures.is_empty())
}

fn read_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix(BEFORE_SIGNATURE)?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok().filter(|octets| octets.len() > 4)?;
    is_origin(name).then_some((name, signature))
}

//----------- SigningKey -------------------------------------------------------------------------------------------

/// Both halves. The private one is never shown but by [`Self::to_private_text`].
pub struct SigningKey {
    verifying: VerifyingKey,
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key of 32 random octets. Without a name it is called after its public half, so that no two are called alike.
    ///
    /// # Errors
    /// [`NoteError::NoName`] if nothing can be called so.
    pub fn from_seed(name: Option<&str>, seed: [u8; 32]) -> Result<Self, NoteError> {
        let seed = Zeroizing::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("every 32 octets are a seed");
        let public = pair.public_key().as_ref().try_into().expect("a public key has 32 octets");
        let own = || format!("bailiwick/{}", &Digest(public).to_string()[..16]);
        let name = name.map_or_else(own, str::to_owned);
        let verifying = VerifyingKey { name, public };
        if is_origin(verifying.name()) { Ok(Self { verifying, seed, pair }) } else { Err(NoteError::NoName) }
    }

    /// Reads what [`Self::to_private_text`] wrote.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = text.trim().strip_prefix(PRIVATE).ok_or(NoteError::NoKey)?;
        let (name, seed) = read_key(text).ok_or(NoteError::NoKey)?;
        let key = Self::from_seed(Some(name), seed)?;
        let is_its_id = text[name.len()..].starts_with(&format!("+{:08x}+", u32::from_be_bytes(key.verifying.id())));
        if is_its_id { Ok(key) } else { Err(NoteError::NoKey) }
    }

    pub fn to_private_text(&self) -> Zeroizing<String> {
        let VerifyingKey { name, .. } = &self.verifying;
        let octets = Zeroizing::new([&[OF_ED25519], &self.seed[..]].concat());
        let key = Zeroizing::new(STANDARD.encode(&*octets));
        Zeroizing::new(format!("{PRIVATE}{name}+{:08x}+{}", u32::from_be_bytes(self.verifying.id()), *key))
    }

    pub fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The text, which ends with a newline, as a signed note.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let octets = [&self.verifying.id()[..], signature.as_ref()].concat();
        format!("{text}\n{BEFORE_SIGNATURE}{} {}\n", self.verifying.name, STANDARD.encode(octets))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const SIGNED: &str = "This is an example message.\n\n— example.com/foo \
                          Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_note_of_the_specification_opens_and_no_other() {
        let key: VerifyingKey = FOO.parse().unwrap();
        assert_eq!((key.name(), key.to_string().as_str()), ("example.com/foo", FOO));
        assert_eq!(key.open(SIGNED), Ok("This is an example message.\n"));
        let changed = SIGNED.replace("example message", "example massage");
        assert_eq!(key.open(&changed), Err(NoteError::Forged("example.com/foo".into())));
        let other = SigningKey::from_seed(Some("example.com/foo"), [7; 32]).unwrap();
        assert_eq!(other.verifying().open(SIGNED), Err(NoteError::NotSigned(other.verifying().to_string())));
        for wrong in ["", "a\n", "a\n\n", "a\n\nb\n", "a\r\n\n— example.com/foo Uw2QOkn8\n"] {
            assert_eq!(key.open(wrong), Err(NoteError::NoNote), "{wrong:?}");
        }
    }

    #[test]
    fn what_we_sign_opens_beside_others_signatures() {
        let key = SigningKey::from_seed(None, [7; 32]).unwrap();
        assert!(key.verifying().name().starts_with("bailiwick/"), "{key:?}");
        let note = format!("{}— witness.example {}\n", key.sign("a\n\nb\n"), STANDARD.encode([9; 40]));
        assert_eq!(key.verifying().open(&note), Ok("a\n\nb\n"));
    }

    #[test]
    fn keys_come_back_from_their_text_and_a_changed_one_does_not() {
        let key = SigningKey::from_seed(Some("log.example.org/b"), [7; 32]).unwrap();
        let text = key.to_private_text();
        assert_eq!(SigningKey::parse(&text).unwrap().verifying(), key.verifying());
        assert!(!format!("{key:?}").contains(&text[text.len() - 20..]));
        assert_eq!(SigningKey::parse(&text.replace("log.", "lag.")).unwrap_err(), NoteError::NoKey);
        let public = key.verifying().to_string();
        assert_eq!(public.parse::<VerifyingKey>().unwrap(), *key.verifying());
        assert_eq!(public.replace("log.", "lag.").parse::<VerifyingKey>(), Err(NoteError::NoKey));
        for name in ["", "a b", "a+b", "a\n", &"a".repeat(256)] {
            assert_eq!(SigningKey::from_seed(Some(name), [7; 32]).unwrap_err(), NoteError::NoName);
        }
        SigningKey::from_seed(Some(&"a".repeat(255)), [7; 32]).unwrap();
    }
}
