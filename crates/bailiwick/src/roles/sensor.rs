//! `bailiwick sensor`: a core offers and revokes, a machine joins.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use desk::api::{OfferRequest, RevokeRequest, Said, SensorDetail, SensorsTold};
use model::Digest;
use model::id::SensorName;
use zeroize::Zeroizing;

use crate::cli::{Place, SensorCommand};
use crate::config::Config;
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried};
use crate::supervise::sensors::identity::{Token, in_base64};
use crate::supervise::sensors::{Authority, joining};
use crate::supervise::{now, signing};
use crate::terminal::{self, count, table};

/// The longest file that is read as a token.
const TOKEN_FILE_OCTETS_MAX: u64 = 16 << 10;

pub(crate) fn run(place: &Place, command: SensorCommand) -> Done {
    match command {
        SensorCommand::Enroll { name, minutes, token_file } => enroll(place, name, minutes, token_file.as_deref()),
        SensorCommand::Join { token_file, out } => join(place, &token_file, out.json),
        SensorCommand::List(out) => list(&Door::open(place, "sensor list")?, out.json),
        SensorCommand::Withdraw { name, by, out } => {
            let token = by.who().map(|who| token(&who)).transpose()?;
            let door = Door::open(place, "sensor withdraw")?;
            let said: Said =
                door.post(&format!("/sensors/offers/{name}/withdraw"), &serde_json::json!({}), token.as_deref())?;
            if out.json { terminal::json(&said) } else { terminal::line(&said.said) }
        }
        SensorCommand::Revoke { sensor, reason } => {
            let door = Door::open(place, "sensor revoke")?;
            let said: Said = door.post(&format!("/sensors/{sensor}/revoke"), &RevokeRequest { reason }, None)?;
            terminal::line(&said.said)
        }
    }
}

//----------- On the core ------------------------------------------------------------------------------------------

fn enroll(place: &Place, name: SensorName, minutes: u32, file: Option<&Path>) -> Done {
    let config = Config::load(place)?;
    let core = config.sensors.reached_at().ok_or_else(|| {
        Failure::new("no sensor could reach this machine: `sensors.listen` names no address")
            .hint("name one in [sensors], and restart the daemon")
    })?;
    let door = Door::into(&config, "sensor enroll")?;
    let authority = Authority::open(&config.keys)?;
    let secret = fresh_secret()?;
    let token = Token {
        core,
        authority: in_base64(authority.certificate()),
        ledger: signing::key(&config)?.verifying().to_string(),
        secret: secret.to_string(),
    };
    let expires = now() + Duration::from_secs(u64::from(minutes) * 60);
    let wish = OfferRequest { name, token_sha256: Digest::of_bytes(secret.as_bytes()), expires };
    let said: Said = door.post("/sensors/offers", &wish, None)?;
    let text = Zeroizing::new(token.to_text());
    match file {
        None => terminal::line(&text)?,
        Some(file) => write_token(file, &text)?,
    }
    terminal::say(&said.said);
    terminal::say("next, on the sensor: `bailiwick sensor join TOKEN_FILE`, then `bailiwick serve --role sensor`");
    Ok(())
}

/// 256 random bits: nobody guesses them, so their plain digest may be stored.
fn fresh_secret() -> Result<Zeroizing<String>, Failure> {
    let mut octets = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *octets).tried("drawing a random token")?;
    Ok(Zeroizing::new(octets.iter().map(|octet| format!("{octet:02x}")).collect()))
}

fn write_token(file: &Path, token: &str) -> Done {
    let shown = file.display();
    let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut file = open.tried(format_args!("making the token file {shown}"))?;
    writeln!(file, "{token}").and_then(|()| file.sync_all()).tried(format_args!("writing the token file {shown}"))
}

fn list(door: &Door, json: bool) -> Done {
    let told: SensorsTold = door.get("/sensors")?;
    if json {
        return terminal::json(&told);
    }
    if told.sensors.is_empty() && told.offers.is_empty() {
        terminal::say("no sensor yet; `bailiwick sensor enroll NAME` makes a token for one");
        return Ok(());
    }
    terminal::line(&table(&rows(&told.sensors)))?;
    for offer in &told.offers {
        let verb = if offer.expires > now() { "waits until" } else { "ended at" };
        terminal::line(&format!("a token for {} {verb} {}", offer.name, offer.expires))?;
    }
    Ok(())
}

fn rows(sensors: &[SensorDetail]) -> Vec<Vec<String>> {
    let head = ["sensor", "name", "segments", "octets", "last came", "clock ahead", "zones", "stops by", "against it"];
    let row = |sensor: &SensorDetail| {
        let received = &sensor.received;
        let ahead = received.clock_ahead_nanos.map(|nanos| format!("{} ms", nanos / 1_000_000));
        let zones = match (sensor.revoked, sensor.has_confirmed) {
            (Some(_), _) => "revoked",
            (None, true) => "confirmed",
            (None, false) => "not confirmed",
        };
        vec![
            sensor.sensor.to_string(),
            sensor.name.to_string(),
            count(received.segments),
            count(received.octets),
            received.last_received.map(|at| at.to_string()).unwrap_or_default(),
            ahead.unwrap_or_default(),
            zones.to_owned(),
            sensor.lease.map(|lease| lease.until.to_string()).unwrap_or_default(),
            against(sensor),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(sensors.iter().map(row)).collect()
}

fn against(sensor: &SensorDetail) -> String {
    let mut texts = Vec::new();
    if sensor.received.contradictions > 0 {
        texts.push(format!("{} contradictions", count(sensor.received.contradictions)));
    }
    if sensor.lost_segments > 0 {
        texts.push(format!("{} segments lost", count(sensor.lost_segments)));
    }
    texts.join(", ")
}

/// The sensors that may still serve what was taken back, in words.
pub(crate) fn behind(door: &Door) -> Result<Vec<SensorDetail>, Failure> {
    let told: SensorsTold = door.get("/sensors")?;
    let now = now();
    Ok(told.sensors.into_iter().filter(|sensor| sensor.may_be_behind(now)).collect())
}

//----------- On the sensor ----------------------------------------------------------------------------------------

fn join(place: &Place, file: &Path, json: bool) -> Done {
    let config = Config::load(place)?;
    let token = Token::parse(&read_token(file)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
    let identity = runtime.block_on(joining::join(&config, &token))?;
    if json {
        let told = serde_json::json!({
            "sensor": identity.sensor, "name": identity.name, "core": identity.core,
        });
        return terminal::json(&told);
    }
    terminal::line(&format!("this machine is sensor {} ({}) of {}", identity.sensor, identity.name, identity.core))?;
    terminal::say("next: `bailiwick serve --role sensor`; the token is spent, delete its file");
    Ok(())
}

fn read_token(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let shown = file.display();
    let read = match file == Path::new("-") {
        true => std::io::stdin().take(TOKEN_FILE_OCTETS_MAX).read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|file| file.take(TOKEN_FILE_OCTETS_MAX).read_to_string(&mut text)),
    };
    read.tried(format_args!("reading the token in {shown}"))?;
    Ok(text)
}
