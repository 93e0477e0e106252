//! The core's own authority: it vouches for the core to sensors, and for sensors to the core, and for nobody else.
//!
//! ```text
//! KEYS/sensor-authority.key   made at the first `sensor enroll`, or the first start with `sensors.listen`
//! KEYS/sensor-authority.pem   its certificate: every token carries it, and nothing else is believed
//! ```

use std::path::Path;
use std::sync::Arc;

use model::Digest;
use model::id::SensorName;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::failure::{Failure, Tried};

/// The name in the core's certificate, wherever it is reached: who it is the authority says, not an address.
pub(crate) const CORE_NAME: &str = "core.bailiwick.internal";
const AUTHORITY: &str = "Bailiwick sensors";
const KEY_FILE: &str = "sensor-authority.key";
const CERTIFICATE_FILE: &str = "sensor-authority.pem";

/// The authority, open.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// Opens it in the folder of keys, or makes it there.
    pub(crate) fn open(keys: &Path) -> Result<Self, Failure> {
        let (key_file, certificate_file) = (keys.join(KEY_FILE), keys.join(CERTIFICATE_FILE));
        if !key_file.exists() {
            make(keys).tried(format_args!("making the authority of sensors in {}", keys.display()))?;
        }
        let tried = format!("reading the authority of sensors in {}", keys.display());
        let key = KeyPair::from_pem(&std::fs::read_to_string(&key_file).tried(&tried)?).tried(&tried)?;
        let certificate = CertificateDer::from_pem_file(&certificate_file).tried(&tried)?;
        Ok(Self { issuer: Issuer::new(authority_params(), key), certificate })
    }

    /// What a token carries.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The core's side of TLS: whoever shows a certificate shows one of ours, and who joins has none yet.
    pub(super) fn server(&self) -> Result<Arc<ServerConfig>, Failure> {
        let key = KeyPair::generate().tried("making the core's key")?;
        let leaf = core_params().and_then(|params| params.signed_by(&key, &self.issuer));
        let leaf = leaf.tried("making the core's certificate")?.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).tried("reading the authority of sensors")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let callers = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let callers = callers.allow_unauthenticated().build().tried("setting up who may call")?;
        let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
        let config = config.tried("setting up TLS for sensors")?.with_client_cert_verifier(callers);
        let mut config = config.with_single_cert(vec![leaf], key).tried("setting up TLS for sensors")?;
        // A session that is resumed shows no certificate anew.
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    /// A certificate for the key of a request whose signature holds; nothing else in the request is looked at. The
    /// second value is what the ledger knows it by.
    pub(super) fn certify(&self, request: &str, name: &SensorName) -> Result<(String, Digest), rcgen::Error> {
        let request = CertificateSigningRequestParams::from_pem(request)?;
        let certificate = sensor_params(name).signed_by(&request.public_key, &self.issuer)?;
        Ok((certificate.pem(), Digest::of_bytes(certificate.der())))
    }
}

/// The certificate first: half of it would stop every later start.
fn make(keys: &Path) -> std::io::Result<()> {
    let key = KeyPair::generate().map_err(std::io::Error::other)?;
    let certificate = authority_params().self_signed(&key).map_err(std::io::Error::other)?;
    sinkhole::certificates::keep_file(keys, CERTIFICATE_FILE, certificate.pem().as_bytes())?;
    sinkhole::certificates::keep_file(keys, KEY_FILE, key.serialize_pem().as_bytes())
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn core_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![CORE_NAME.to_owned()])?;
    params.distinguished_name = named(CORE_NAME);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn sensor_params(name: &SensorName) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name.as_str());
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_certified_for_its_key_and_a_bent_one_is_not() {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::open(home.path()).unwrap();
        assert_eq!(Authority::open(home.path()).unwrap().certificate(), authority.certificate());
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        let name = SensorName::parse("fra-1").unwrap();
        let (pem, digest) = authority.certify(&request.pem().unwrap(), &name).unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        assert_eq!(Digest::of_bytes(&der), digest);
        let mut bent = request.der().to_vec();
        *bent.last_mut().unwrap() ^= 1;
        let bent = CertificateSigningRequestParams::from_der(&bent.into());
        assert!(bent.is_err());
        assert!(authority.certify("no request", &name).is_err());
        authority.server().unwrap();
    }
}
