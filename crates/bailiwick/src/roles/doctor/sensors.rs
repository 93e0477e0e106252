//! What the doctor says of sensors, at their core and at one of them.

use desk::api::{SensorsTold, Status, UplinkLive};

use super::Finding;
use crate::config::Config;
use crate::door::Door;
use crate::failure::Failure;

/// A segment that waits longer has trouble on its way.
const LAG_SECS_MAX: u64 = 600;
/// A clock that is further off makes times of two machines hard to compare.
const CLOCK_NANOS_MAX: u64 = 2_000_000_000;

/// Nothing where there is no sensor, and this is none.
pub(super) fn examine(config: &Config) -> Result<Vec<Finding>, Failure> {
    if !config.data.join("format").exists() {
        return Ok(Vec::new());
    }
    let door = Door::into(config, "doctor")?;
    let told: SensorsTold = door.get("/sensors")?;
    let status: Status = door.get("/status")?;
    let of_core = told.sensors.iter().filter(|sensor| sensor.revoked.is_none()).map(|sensor| {
        let name = &sensor.name;
        let ahead = sensor.received.clock_ahead_nanos.unwrap_or_default();
        match (sensor.received.contradictions, sensor.lost_segments) {
            (1.., _) => Finding::wrong(
                "sensor",
                format!("{name} sent {} times what contradicts what is kept", sensor.received.contradictions),
                "two folders may have its identity, or somebody has its key: `bailiwick sensor revoke`, and join anew",
            ),
            (0, 1..) => Finding::weak(
                "sensor",
                format!("{name} says that it has lost {} segments", sensor.lost_segments),
                "look at its disk; the ledger has the numbers (`segments-lost`)",
            ),
            _ if ahead.unsigned_abs() > CLOCK_NANOS_MAX => Finding::weak(
                "sensor",
                format!("{name}'s clock was {} ms ahead of ours", ahead / 1_000_000),
                "set its clock by the network; the times of its contacts are its own",
            ),
            _ => Finding::holds("sensor", format!("{name}: nothing contradicts, nothing is lost")),
        }
    });
    Ok(of_core.chain(status.live.uplink.as_ref().map(uplink)).collect())
}

fn uplink(uplink: &UplinkLive) -> Finding {
    let about = "uplink";
    let why = uplink.tally.last_error.as_deref().or(uplink.zones_error.as_deref()).unwrap_or("no error was said");
    if uplink.lease_is_over {
        let found = format!("the lease is over, and names are served as it says for then: {why}");
        return Finding::wrong(
            about,
            found,
            "is the core reached? `bailiwick status` here, `bailiwick sensor list` there",
        );
    }
    if uplink.tally.held > 0 {
        let found = format!("the core refuses {} lanes: {why}", uplink.tally.held);
        return Finding::wrong(about, found, "nothing of them is deleted; is this folder a copy of another sensor's?");
    }
    if uplink.lag_secs > LAG_SECS_MAX {
        let found = format!("{} segments wait, the oldest for {} s: {why}", uplink.tally.waiting, uplink.lag_secs);
        return Finding::weak(about, found, "the journal keeps them; it sheds when its budget ends");
    }
    Finding::holds(about, format!("{} segments wait for {}", uplink.tally.waiting, uplink.core))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::doctor::State;

    #[test]
    fn what_is_wrong_at_a_sensor_is_said_before_what_is_slow() {
        let mut live = UplinkLive { core: "core.example:8443".into(), lag_secs: 700, ..UplinkLive::default() };
        assert_eq!(uplink(&live).state, State::Weak);
        live.tally.held = 1;
        assert_eq!(uplink(&live).state, State::Wrong);
        live.lease_is_over = true;
        assert!(uplink(&live).found.contains("lease is over"));
        assert_eq!(uplink(&UplinkLive::default()).state, State::Holds);
    }
}
