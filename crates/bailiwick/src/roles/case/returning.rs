//! `bailiwick case return`: names go back to their owners, and who may not know of it yet is listed.

use desk::api::{NarrowRequest, Said, SensorDetail};
use model::seizure::ServiceMode;

use super::parsed;
use crate::cli::ReturnArgs;
use crate::door::{Door, token};
use crate::failure::Done;
use crate::roles::sensor;
use crate::terminal::{self, table};

pub(super) fn run(door: &Door, args: ReturnArgs) -> Done {
    let (names, mode) = (parsed(&args.names)?, ServiceMode::Handback);
    let wish = NarrowRequest { names, mode, reason: args.reason, disarm_kill_switch: args.disarm_kill_switch };
    let done: Said = door.post(&format!("/cases/{}/narrow", args.case), &wish, Some(&token(&args.who)?))?;
    let behind = sensor::behind(door)?;
    if args.out.json {
        return terminal::json(&serde_json::json!({ "said": done.said, "not_confirmed": behind }));
    }
    terminal::line(&done.said)?;
    say_who_is_behind(&behind)
}

/// Sensors that have not confirmed, each with the moment at which it stops whatever happens.
pub(super) fn say_who_is_behind(behind: &[SensorDetail]) -> Done {
    if behind.is_empty() {
        return Ok(());
    }
    let mut rows = vec![["not confirmed by", "last heard of", "stops at the latest"].map(str::to_owned).to_vec()];
    for sensor in behind {
        let Some(lease) = sensor.lease else { continue };
        rows.push(vec![sensor.name.to_string(), lease.seen.to_string(), lease.until.to_string()]);
    }
    terminal::line(&table(&rows))?;
    terminal::say("a sensor that is connected confirms within seconds: `bailiwick sensor list` shows when it has");
    Ok(())
}
