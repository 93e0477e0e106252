//! The verifier, as the configuration has it: its files are read, and its key is made at the first start. And the follower
//! that has it look by itself, one pass at a time.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use docket::custody::Sinkholes;
use docket::verify::rdap::{BOOTSTRAP_OCTETS_MAX, Bootstrap};
use docket::verify::walk::{HINTS_OCTETS_MAX, hints};
use docket::verify::{OurSide, Passes, Settings, Verifier};
use model::fact::Actor;
use model::id::CaseId;
use model::visit::{KEY_OCTETS, VisitKey};
use rustls::ClientConfig;
use store::Ledger;
use store::vault::Vault;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::acme::roots;
use crate::config::Config;
use crate::failure::{Failure, Tried};

/// What signs that a visit to the trap is ours, among the other keys.
const KEY: &str = "verify.key";

/// The largest list of other people's sinkholes.
const SINKHOLES_OCTETS_MAX: usize = 16 << 20;
/// How often it is asked whether a pass is due: this part of the time between two, within limits.
const LOOKS_PER_PASS: u32 = 20;
const LOOK_EVERY_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY_MIN: Duration = Duration::from_secs(1);

//----------- By the clock -----------------------------------------------------------------------------------------

/// Has every case looked at whose pass is due, until the program stops. A case whose pass failed waits a while.
pub(super) async fn follow(ledger: Ledger, passes: Arc<Passes>, every: Duration) {
    let mut looks = interval((every / LOOKS_PER_PASS).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut resting: BTreeMap<CaseId, Instant> = BTreeMap::new();
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = passes.until_closed() => return,
        }
        let Ok(view) = ledger.view().await.inspect_err(|error| tracing::warn!(%error, "no pass: the ledger is away"))
        else {
            continue;
        };
        resting.retain(|_, until| *until > Instant::now());
        for id in view.cases.keys().filter(|id| !resting.contains_key(id)).cloned().collect::<Vec<_>>() {
            if passes.is_closed() {
                return;
            }
            if !verify(&ledger, &passes, &id, every).await {
                resting.insert(id, Instant::now() + every / 4);
            }
        }
        if passes.is_closed() {
            return;
        }
    }
}

/// Whether the case needs no rest: its pass was recorded, or was not due.
async fn verify(ledger: &Ledger, passes: &Passes, id: &CaseId, every: Duration) -> bool {
    let who = (Actor::Room { name: "verify".into() }, None);
    let began = Instant::now();
    let made = async {
        let view = ledger.view().await?;
        let Some(case) = view.cases.get(id) else { return Ok(None) };
        let names = passes.due(case, every).await?;
        match names.is_empty() {
            true => Ok(None),
            false => Ok(passes.pass(id, &names, &who).await?.map(|watched| (names.len(), watched))),
        }
    };
    match made.await {
        Ok(None) => true,
        Ok(Some((names, watched))) => {
            let (secs, raised, cleared) = (began.elapsed().as_secs(), watched.raised, watched.cleared);
            tracing::info!(case = %id, names, secs, raised, cleared, "a pass of verification was recorded");
            true
        }
        Err(docket::verify::PassError::Stopping) => true,
        Err(error) => {
            tracing::error!(case = %id, %error, "a pass of verification could not be made; it is tried again later");
            false
        }
    }
}

//----------- From the configuration -------------------------------------------------------------------------------

pub(super) fn passes(config: &Config, (ledger, vault): (&Ledger, &Arc<Vault>)) -> Result<Passes, Failure> {
    let sinkholes = match &config.verify.sinkholes {
        None => Sinkholes::default(),
        Some(file) => {
            let text = String::from_utf8_lossy(&read(file, SINKHOLES_OCTETS_MAX)?).into_owned();
            Sinkholes::parse(&text).tried(format_args!("reading {} of [verify]", file.display()))?
        }
    };
    let room = (ledger.clone(), Arc::clone(vault));
    Ok(Passes::new(config.data.clone(), room, verifier(config)?, sinkholes))
}

/// `None`: nobody said where to begin.
fn verifier(config: &Config) -> Result<Option<Arc<Verifier>>, Failure> {
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
        ours: our_side(config),
        http_port: verify.http_port,
        https_port: verify.https_port,
        key: key(config)?,
    }))))
}

/// Sensors answer with their own `[answer]`, which only their operator knows: `[verify]` says it for them.
fn our_side(config: &Config) -> OurSide {
    let said = config.verify.answers.clone();
    let v4 = config.answer.v4.iter().copied().map(IpAddr::V4);
    let here = || v4.chain(config.answer.v6.iter().copied().map(IpAddr::V6)).collect();
    let answers = if said.is_empty() { here() } else { said };
    OurSide { name_servers: config.verify.name_servers.clone(), answers }
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

/// The key as the trap has it: made where this machine verifies, else there if somebody put it there, as on a sensor.
pub(super) fn visit_key(config: &Config) -> Result<Option<VisitKey>, Failure> {
    let is_wanted = config.verify.root_hints.is_some() || config.keys.join(KEY).exists();
    is_wanted.then(|| key(config)).transpose()
}

fn key(config: &Config) -> Result<VisitKey, Failure> {
    let file = config.keys.join(KEY);
    match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = [0; KEY_OCTETS];
            getrandom::fill(&mut key).map_err(|error| Failure::new(format!("asking for random bytes: {error}")))?;
            let kept = sinkhole::certificates::keep_file(&config.keys, KEY, &key);
            kept.tried(format_args!("keeping {}", file.display()))?;
            Ok(VisitKey::new(key))
        }
        read => {
            let octets = read.tried(format_args!("reading {}", file.display()))?;
            let other = |_| Failure::new(format!("{} has not {KEY_OCTETS} octets", file.display()));
            <[u8; KEY_OCTETS]>::try_from(octets.as_slice()).map(VisitKey::new).map_err(other)
        }
    }
}
