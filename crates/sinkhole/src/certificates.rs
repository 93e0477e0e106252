//! The certificates that the trap shows: one per seized apex, from a private authority of our own.
//!
//! Nobody trusts that authority, and nobody shall: the certificate exists so that a program that does not check can
//! say its request, and so that a person's browser warns. Its key lies in the folder of keys, so that restarts show the
//! same issuer; the leaves are made when an apex is first asked for and live in memory. A name outside our zones gets
//! the default certificate, so random server names cost no key and no memory.
//!
//! Where an order permits it, the certificate of a public authority is shown instead ([`public`]): it needs an act of its
//! own, since it tells the world. What is deliberately absent: asking for one. This room calls nobody; the roof asks.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};

use foldhash::quality::RandomState;
use model::time::{Date, utc_day};
use model::{DomainName, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring::Ticketer;
use rustls::server::ProducesTickets;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, Keys, ServedZone};

mod public;
mod setup;
mod standing;
mod validity;

use public::PublicShelf;
pub use public::{CHAIN_CERTIFICATES_MAX, PEM_OCTETS_MAX, PUBLIC_MAX};
pub(crate) use setup::Setup;
pub use standing::Standing;
pub use validity::validity;

/// Leaves held in memory. Above it the shelf is emptied and filled anew: about 4 KiB each.
pub const CERTIFICATES_MAX: usize = 10_000;
/// How long a leaf is valid. Browsers take at most 398 days from authorities that they know.
const LEAF_DAYS: i32 = 90;
/// A leaf that has less than this left is made anew.
const RENEW_DAYS: i32 = 30;
/// Clocks of callers go wrong; a leaf is valid from this long ago.
const BACKDATED_DAYS: i32 = 2;

const KEY_FILE: &str = "trap-authority.key";
const CERTIFICATE_FILE: &str = "trap-authority.pem";
/// Neutral: while a case is sealed the issuer must not tell who we are.
const AUTHORITY: &str = "Private Authority";
const DEFAULT_NAME: &str = "default.invalid";

//----------- Certificates -----------------------------------------------------------------------------------------

/// The authority and what it has issued.
pub struct Certificates {
    authority: Issuer<'static, KeyPair>,
    /// Seals what a ticket remembers: nothing of a session stays here. Its keys live in memory and change every six
    /// hours, and no ticket is good for another server name (RFC 6066, 3), so one serves all leaves.
    tickets: Arc<dyn ProducesTickets>,
    shelf: Mutex<HashMap<Option<DomainName>, Leaf, RandomState>>,
    public: PublicShelf,
}

/// One apex's certificate, as the TLS library wants it.
struct Leaf {
    setup: Setup,
    renew_on: Date,
}

impl Certificates {
    /// Opens the authority in the folder of keys, or makes it there.
    ///
    /// # Errors
    /// If the folder cannot be read or written, or holds a key that is none.
    pub fn open(keys: &Keys, now: Timestamp) -> Result<Self, Error> {
        let authority = Issuer::new(authority_params(utc_day(now)), authority_key(&keys.dir, now)?);
        let tickets = Ticketer::new().map_err(|error| Error::Certificate {
            name: AUTHORITY.to_owned(),
            cause: format!("there is no key for tickets: {error}"),
        })?;
        let public = PublicShelf::new(&keys.dir, Arc::clone(&tickets));
        Ok(Self { authority, tickets, shelf: Mutex::default(), public })
    }

    /// What to show to whoever asks for a name in that zone: the public certificate if there is one and it may be shown at
    /// this moment, and otherwise ours.
    ///
    /// # Errors
    /// If a key or certificate cannot be made.
    pub(crate) fn for_zone(&self, zone: Option<&ServedZone>, now: Timestamp) -> Result<Setup, Error> {
        let shown = zone.filter(|zone| Standing::of(zone, now) == Standing::Shown);
        match shown.and_then(|zone| self.public.find(zone.zone.apex(), now)) {
            Some(setup) => Ok(setup),
            None => self.for_apex(zone.map(|zone| zone.zone.apex()), now),
        }
    }

    /// The certificates of public authorities, which come and go while we run.
    pub fn public(&self) -> &PublicShelf {
        &self.public
    }

    /// What to show for a seized apex, or, without one, to whoever names nothing of ours.
    ///
    /// # Errors
    /// If a key or certificate cannot be made.
    fn for_apex(&self, apex: Option<&DomainName>, now: Timestamp) -> Result<Setup, Error> {
        let today = utc_day(now);
        let mut shelf = self.shelf.lock().expect("nothing panics while it makes a certificate");
        let key = apex.cloned();
        if let Some(leaf) = shelf.get(&key).filter(|leaf| today < leaf.renew_on) {
            return Ok(leaf.setup.clone());
        }
        if shelf.len() >= CERTIFICATES_MAX {
            shelf.clear();
        }
        let leaf = self.issue(apex, today)?;
        let setup = leaf.setup.clone();
        shelf.insert(key, leaf);
        Ok(setup)
    }

    fn issue(&self, apex: Option<&DomainName>, today: Date) -> Result<Leaf, Error> {
        let name = apex.map_or(DEFAULT_NAME, DomainName::as_str);
        let failed = |cause: String| Error::Certificate { name: name.to_owned(), cause };
        let key = KeyPair::generate().map_err(|error| failed(error.to_string()))?;
        let params = leaf_params(name, today).map_err(|error| failed(error.to_string()))?;
        let leaf = params.signed_by(&key, &self.authority).map_err(|error| failed(error.to_string()))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let setup =
            Setup::new(vec![leaf.der().clone()], key, &self.tickets).map_err(|error| failed(error.to_string()))?;
        Ok(Leaf { setup, renew_on: day_after(today, LEAF_DAYS - RENEW_DAYS) })
    }
}

/// The crate's own type of time is not among our dependencies, so no function of ours can return one.
macro_rules! midnight {
    ($day:expr) => {{
        let day: Date = $day;
        date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
    }};
}

//----------- What certificates say --------------------------------------------------------------------------------

fn authority_params(today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = midnight!(day_after(today, -BACKDATED_DAYS));
    params.not_after = midnight!(day_after(today, 3650));
    params
}

/// The apex and every name one label below it. Deeper names get it too, and do not match: nobody is meant to trust it.
fn leaf_params(name: &str, today: Date) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![name.to_owned(), format!("*.{name}")])?;
    params.distinguished_name = named(name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.not_before = midnight!(day_after(today, -BACKDATED_DAYS));
    params.not_after = midnight!(day_after(today, LEAF_DAYS));
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    // X.520 gives a common name 64 characters; the alternative names carry the whole.
    distinguished.push(DnType::CommonName, name.get(..64).unwrap_or(name));
    distinguished
}

fn day_after(day: Date, days: i32) -> Date {
    (0..days.abs()).fold(day, |day, _| {
        let next = if days > 0 { day.tomorrow() } else { day.yesterday() };
        next.unwrap_or(day)
    })
}

//----------- The key on disk --------------------------------------------------------------------------------------

fn authority_key(dir: &Path, now: Timestamp) -> Result<KeyPair, Error> {
    let path = dir.join(KEY_FILE);
    let failed = |what| move |cause| Error::Key { what, path: dir.join(KEY_FILE), cause };
    match fs::read_to_string(&path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(io::Error::other).map_err(failed("reading the trap's key")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_authority(dir, now).map_err(failed("making the trap's key"))
        }
        Err(error) => Err(failed("reading the trap's key")(error)),
    }
}

/// Writes key and certificate, the key last and whole: half a key on disk would stop every later start.
fn make_authority(dir: &Path, now: Timestamp) -> io::Result<KeyPair> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = authority_params(utc_day(now)).self_signed(&key).map_err(io::Error::other)?;
    write_whole(dir, CERTIFICATE_FILE, 0o644, certificate.pem().as_bytes())?;
    write_whole(dir, KEY_FILE, 0o600, key.serialize_pem().as_bytes())?;
    Ok(key)
}

/// Keeps a file of secrets in a folder of keys: whole, and readable by us alone.
///
/// # Errors
/// If the disk refuses.
pub fn keep_file(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    write_whole(folder, name, 0o600, content)
}

pub(crate) fn write_whole(dir: &Path, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let draft = dir.join(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, dir.join(name))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod private_tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn open(dir: &Path) -> Certificates {
        Certificates::open(&Keys { dir: dir.to_owned() }, "2026-01-31T12:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_restart_finds_the_same_authority() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path()).authority.key().serialize_pem();
        assert_eq!(open(folder.path()).authority.key().serialize_pem(), first);
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            fs::read_to_string(folder.path().join(CERTIFICATE_FILE)).unwrap().starts_with("-----BEGIN CERTIFICATE")
        );
        fs::write(folder.path().join(KEY_FILE), "no key").unwrap();
        let keys = Keys { dir: folder.path().to_owned() };
        assert!(matches!(Certificates::open(&keys, Timestamp::UNIX_EPOCH), Err(Error::Key { .. })));
    }

    #[test]
    fn one_apex_has_one_certificate_until_it_is_due() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = open(folder.path());
        let apex = DomainName::parse("outlook-verify.test").unwrap();
        let at = |day: &str| certificates.for_apex(Some(&apex), day.parse().unwrap()).unwrap();
        let first = at("2026-01-31T12:00:00Z");
        assert!(first.is(&at("2026-03-31T23:59:59Z")));
        assert!(!first.is(&at("2026-04-01T00:00:00Z")), "60 of its 90 days are over");
        let stranger = certificates.for_apex(None, "2026-01-31T12:00:00Z".parse().unwrap()).unwrap();
        assert!(!first.is(&stranger));
    }

    #[test]
    fn a_full_shelf_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = open(folder.path());
        let now = "2026-01-31T12:00:00Z".parse().unwrap();
        let leaf = certificates.for_apex(None, now).unwrap();
        let filler = |n: usize| (DomainName::parse(&format!("n{n}.test")).ok(), leaf.clone());
        let far = "9999-01-01".parse().unwrap();
        let leaves = (0..CERTIFICATES_MAX).map(filler).map(|(name, setup)| (name, Leaf { setup, renew_on: far }));
        certificates.shelf.lock().unwrap().extend(leaves);
        certificates.for_apex(DomainName::parse("one-more.test").ok().as_ref(), now).unwrap();
        assert_eq!(certificates.shelf.lock().unwrap().len(), 1);
    }
}
