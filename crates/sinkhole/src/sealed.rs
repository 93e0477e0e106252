//! Account names, sealed on receipt to a key whose other half is elsewhere.
//!
//! Whoever typed a password into a seized site can be warned, and for that somebody has to know who it was; but not we,
//! nor whoever takes our disk. So an account name is encrypted the moment it is read (HPKE, RFC 9180, in base mode:
//! X25519, HKDF-SHA256, ChaCha20-Poly1305) to the operator's public key, and only who holds the private half opens it.
//! All sealed names have one length, and the same name never looks the same twice. In front stands which key it was.
//!
//! ```text
//! key id 8 │ encapsulated key 32 │ ciphertext of: length 1, name, zeros = 256 │ tag 16      = 312 octets
//! ```
//!
//! `crypto_box` was looked at: its sealed boxes are libsodium's, but what it builds on is two years behind ours and its
//! next version is a draft; `age` brings a format, recipients of many kinds and forty crates. What is deliberately
//! absent: signatures. Whoever can write our journal can write anything into it.

use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use sha2::{Digest as _, Sha256};
use wire::secrets::{ACCOUNT_OCTETS_MAX, Account};
use zeroize::Zeroizing;

/// Every name is padded to so many octets, its length included.
const PADDED_OCTETS: usize = 256;
const _: () = assert!(ACCOUNT_OCTETS_MAX < PADDED_OCTETS && PADDED_OCTETS <= 256, "one octet says the length");
/// A key of X25519 (RFC 7748, 5), and what HPKE encapsulates with it.
const KEY_OCTETS: usize = 32;
const ID_OCTETS: usize = 8;
const TAG_OCTETS: usize = 16;
/// What a sealed name takes on disk.
pub const SEALED_OCTETS: usize = ID_OCTETS + KEY_OCTETS + PADDED_OCTETS + TAG_OCTETS;

/// What the key is used for, and for nothing else (RFC 9180, 5.1: `info`).
const PURPOSE: &[u8] = b"bailiwick account v1";

/// What stands in front of the 32 octets in DER (RFC 8410, 4 and 7).
const PUBLIC_DER: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00";
const PRIVATE_DER: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20";

type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Encapped = <X25519HkdfSha256 as Kem>::EncappedKey;

//----------- SealingKey -------------------------------------------------------------------------------------------

/// The public half: it seals, and opens nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealingKey {
    public: Public,
    id: KeyId,
}

impl SealingKey {
    /// Reads 64 hexadecimal digits, or a PUBLIC KEY in PEM as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// If it is neither, or a point that every sealed name could be opened for.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        if text.contains("PRIVATE KEY") {
            return Err(BadKey::Private);
        }
        let octets = match text.contains("-----BEGIN") {
            true => {
                let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).map_err(|_| BadKey::Form)?;
                key_octets(der.strip_prefix(PUBLIC_DER).ok_or(BadKey::Kind)?)?
            }
            false => unhex(text)?,
        };
        let public = Public::from_bytes(&*octets).map_err(|_| BadKey::Weak)?;
        let key = Self { id: KeyId::of(&public), public };
        // A weak point shows itself when it is used (RFC 7748, 6.1), and must not do so when somebody calls.
        key.seal_octets(b"").map_err(|_| BadKey::Weak)?;
        Ok(key)
    }

    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The name, sealed; nothing if that failed, which is never the name's fault.
    pub fn seal(&self, account: &Account) -> Option<Vec<u8>> {
        let sealed = self.seal_octets(account.octets());
        sealed.inspect_err(|error| tracing::error!(%error, key = %self.id, "an account name could not be sealed")).ok()
    }

    fn seal_octets(&self, name: &[u8]) -> Result<Vec<u8>, HpkeError> {
        let mut padded = Zeroizing::new([0; PADDED_OCTETS]);
        let len = name.len().min(ACCOUNT_OCTETS_MAX);
        padded[0] = len as u8;
        padded[1..=len].copy_from_slice(&name[..len]);
        let (encapped, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.public,
            PURPOSE,
            &*padded,
            &self.id.0,
        )?;
        Ok([&self.id.0[..], &encapped.to_bytes(), &ciphertext].concat())
    }
}

impl fmt::Display for SealingKey {
    /// As it stands in its file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.public.to_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Which key it was: the first octets of SHA-256 of the public half.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyId([u8; ID_OCTETS]);

impl KeyId {
    fn of(public: &Public) -> Self {
        let mut id = [0; ID_OCTETS];
        id.copy_from_slice(&Sha256::digest(public.to_bytes())[..ID_OCTETS]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

//----------- OpeningKey -------------------------------------------------------------------------------------------

/// The private half. No machine that answers callers needs it; it prints nothing.
pub struct OpeningKey {
    private: Private,
    sealing: SealingKey,
}

impl OpeningKey {
    /// A new one. It panics if the system has no random octets to give.
    pub fn generate() -> Self {
        let (private, _) = X25519HkdfSha256::gen_keypair();
        Self::of(private)
    }

    /// Reads 64 hexadecimal digits, or a PRIVATE KEY in PEM as `openssl genpkey -algorithm X25519` writes it.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let octets = match text.contains("-----BEGIN") {
            true => {
                let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| BadKey::Form)?;
                key_octets(der.secret_pkcs8_der().strip_prefix(PRIVATE_DER).ok_or(BadKey::Kind)?)?
            }
            false => unhex(text)?,
        };
        Private::from_bytes(&*octets).map(Self::of).map_err(|_| BadKey::Form)
    }

    fn of(private: Private) -> Self {
        let public = X25519HkdfSha256::sk_to_pk(&private);
        Self { private, sealing: SealingKey { id: KeyId::of(&public), public } }
    }

    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// As it stands in its file; wiped when it is dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        let octets = Zeroizing::new(self.private.to_bytes().to_vec());
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_OCTETS));
        let digits = octets.iter().flat_map(|octet| [octet >> 4, octet & 15]);
        text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
        text
    }

    /// The name as it was given.
    ///
    /// # Errors
    /// If it was sealed to another key, or is not what was written.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (id, rest) = sealed.split_first_chunk().ok_or(NotOpened::Damaged)?;
        if KeyId(*id) != self.sealing.id {
            return Err(NotOpened::OtherKey { sealed_to: KeyId(*id), ours: self.sealing.id });
        }
        let (encapped, ciphertext) = rest.split_at_checked(KEY_OCTETS).ok_or(NotOpened::Damaged)?;
        let encapped = Encapped::from_bytes(encapped).map_err(|_| NotOpened::Damaged)?;
        let padded = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &encapped,
            PURPOSE,
            ciphertext,
            id,
        );
        let padded = Zeroizing::new(padded.map_err(|_| NotOpened::Damaged)?);
        let (len, name) = padded.split_first().ok_or(NotOpened::Damaged)?;
        name.get(..usize::from(*len)).map(|name| Zeroizing::new(name.to_vec())).ok_or(NotOpened::Damaged)
    }
}

//----------- Text -------------------------------------------------------------------------------------------------

/// Why a text is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadKey {
    #[error("it has neither 64 hexadecimal digits nor a key in PEM")]
    Form,
    #[error("it is a key of another kind than X25519")]
    Kind,
    #[error("it is the private half, which has no business on this machine")]
    Private,
    #[error("it is a point under which nothing is secret")]
    Weak,
}

/// Why a sealed name stays sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotOpened {
    #[error("it was sealed to the key {sealed_to}, and this one is {ours}")]
    OtherKey { sealed_to: KeyId, ours: KeyId },
    #[error("it is not what was sealed")]
    Damaged,
}

fn key_octets(octets: &[u8]) -> Result<Zeroizing<[u8; KEY_OCTETS]>, BadKey> {
    octets.try_into().map(Zeroizing::new).map_err(|_| BadKey::Kind)
}

fn unhex(text: &str) -> Result<Zeroizing<[u8; KEY_OCTETS]>, BadKey> {
    let digits = text.trim().as_bytes();
    if digits.len() != 2 * KEY_OCTETS {
        return Err(BadKey::Form);
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(BadKey::Form);
    let mut octets = Zeroizing::new([0; KEY_OCTETS]);
    for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
        *octet = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Ok(octets)
}

#[cfg(test)]
mod tests;
