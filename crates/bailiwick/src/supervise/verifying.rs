//! The verifier, as the configuration has it: its files are read, and its key is made at the first start.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use docket::verify::rdap::{BOOTSTRAP_OCTETS_MAX, Bootstrap};
use docket::verify::walk::{HINTS_OCTETS_MAX, hints};
use docket::verify::{Settings, Verifier};
use rustls::ClientConfig;

use super::acme::roots;
use crate::config::Config;
use crate::failure::{Failure, Tried};

/// What signs that a visit to the trap is ours, among the other keys.
const KEY: &str = "verify.key";
const KEY_OCTETS: usize = 32;

/// `None`: nobody said where to begin.
pub(super) fn verifier(config: &Config) -> Result<Option<Arc<Verifier>>, Failure> {
    let verify = &config.verify;
    let Some(file) = &verify.root_hints else { return Ok(None) };
    let text = String::from_utf8_lossy(&read(file, HINTS_OCTETS_MAX)?).into_owned();
    let refused = |file: &Path| {
        let shown = file.display().to_string();
        move |why: String| Failure::new(format!("reading {shown} of [verify]: {why}"))
    };
    let hints = hints(&text).map_err(refused(file))?;
    let bootstrap = verify
        .rdap_bootstrap
        .as_ref()
        .map(|file| Bootstrap::read(&read(file, BOOTSTRAP_OCTETS_MAX)?).map_err(refused(file)));
    Ok(Some(Arc::new(Verifier::new(Settings {
        hints,
        port: verify.dns_port,
        resolvers: verify.resolvers.clone(),
        bootstrap: bootstrap.transpose()?,
        rdap_tls: tls(config)?,
        rate_per_sec: verify.rate_per_sec,
        patience: Duration::from_millis(verify.patience_millis),
        source_v4: verify.source_v4,
        source_v6: verify.source_v6,
        name_servers: verify.name_servers.clone(),
        http_port: verify.http_port,
        https_port: verify.https_port,
        key: key(config)?,
    }))))
}

fn read(file: &Path, octets_max: usize) -> Result<Vec<u8>, Failure> {
    let tried = format!("reading {} of [verify]", file.display());
    let size = fs::metadata(file).tried(&tried)?.len();
    if size > octets_max as u64 {
        return Err(Failure::new(format!("{tried}: {size} octets, at most {octets_max}")));
    }
    fs::read(file).tried(&tried)
}

fn tls(config: &Config) -> Result<Option<Arc<ClientConfig>>, Failure> {
    let Some(file) = config.verify.roots().filter(|_| config.verify.rdap_bootstrap.is_some()) else { return Ok(None) };
    let made = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .tried("setting up TLS towards RDAP servers")?;
    Ok(Some(Arc::new(made.with_root_certificates(roots(&file)?).with_no_client_auth())))
}

fn key(config: &Config) -> Result<[u8; KEY_OCTETS], Failure> {
    let file = config.keys.join(KEY);
    match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = [0; KEY_OCTETS];
            getrandom::fill(&mut key).map_err(|error| Failure::new(format!("asking for random bytes: {error}")))?;
            let kept = sinkhole::certificates::keep_file(&config.keys, KEY, &key);
            kept.tried(format_args!("keeping {}", file.display()))?;
            Ok(key)
        }
        read => {
            let octets = read.tried(format_args!("reading {}", file.display()))?;
            let other = |_| Failure::new(format!("{} has not {KEY_OCTETS} octets", file.display()));
            <[u8; KEY_OCTETS]>::try_from(octets.as_slice()).map_err(other)
        }
    }
}
