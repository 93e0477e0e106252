//! Joining: a sensor makes its key, shows its token, and keeps what the core gives it.

use std::path::Path;

use model::id::SensorId;
use rcgen::{CertificateParams, KeyPair};
use store::DataFolder;

use super::caller::Caller;
use super::identity::{Identity, PrivateKey, Token};
use super::{EnrolAsked, Enrolled, SMALL_OCTETS_MAX};
use crate::config::Config;
use crate::failure::{Failure, Tried};
use crate::supervise::{now, of_store};

/// Joins. The data folder becomes the sensor's before its identity is kept, so that nothing is ever recorded under a
/// number that the core gave to another.
pub(crate) async fn join(config: &Config, token: &Token) -> Result<Identity, Failure> {
    if Identity::is_in(&config.keys) {
        return Err(Failure::new(format!("{} has joined a core already", config.keys.display()))
            .hint("another sensor has folders of its own: name other `data` and `keys`"));
    }
    let folder = DataFolder::open(&config.data, "sensor join", now());
    let folder = folder.map_err(|error| of_store(&config.data.display(), &error))?;
    check_is_new(&folder, &config.data)?;
    let key = KeyPair::generate().tried("making the sensor's key")?;
    let request = CertificateParams::default().serialize_request(&key).and_then(|request| request.pem());
    let request = request.tried("asking for a certificate")?;
    let enrolled = ask(token, request).await?;
    folder.become_sensor(enrolled.sensor).map_err(|error| of_store(&config.data.display(), &error))?;
    let identity = Identity {
        sensor: enrolled.sensor,
        name: enrolled.name,
        core: token.core.clone(),
        authority: token.authority.clone(),
        ledger: token.ledger.clone(),
        certificate: enrolled.certificate,
        key: PrivateKey(key.serialize_pem()),
    };
    identity.keep(&config.keys)?;
    Ok(identity)
}

/// Before the token is spent: a folder that has recorded as another sensor cannot become this one.
fn check_is_new(folder: &DataFolder, data: &Path) -> Result<(), Failure> {
    let journal = data.join("journal");
    let mut entries = std::fs::read_dir(&journal).tried(format_args!("looking into {}", journal.display()))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => {
            let what = format!("{} has recorded contacts as sensor {}", data.display(), folder.sensor());
            Err(Failure::new(what).hint("a sensor begins with a new folder: name another `data`"))
        }
    }
}

async fn ask(token: &Token, request: String) -> Result<Enrolled, Failure> {
    let caller = Caller::unknown(&token.core, &token.authority)?;
    let asked = EnrolAsked { secret: token.secret.clone(), request };
    let asked = serde_json::to_vec(&asked).tried("writing the request")?;
    let answered = caller.post("/v1/enrol", asked, SMALL_OCTETS_MAX as u64).await?;
    let enrolled: Enrolled = serde_json::from_slice(&answered.good("joining")?).tried("reading the core's answer")?;
    if enrolled.sensor <= SensorId(1) {
        return Err(Failure::new(format!("the core gave the number {}, which is its own", enrolled.sensor)));
    }
    Ok(enrolled)
}
