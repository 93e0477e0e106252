//! Who is a sensor: offers that wait, sensors that are known by their certificates, and what speaks against them.

use std::collections::BTreeMap;

use model::id::{SensorId, SensorName};
use model::{Digest, Refusal, Timestamp};

use super::View;

/// The number of the first that is enrolled: 1 is whoever records in a core's own folder.
pub const FIRST_SENSOR: SensorId = SensorId(2);

/// All sensors, and the tokens that wait.
#[derive(Clone, Debug, Default)]
pub struct Sensors {
    pub known: BTreeMap<SensorId, SensorView>,
    /// By the token's digest; a token that was spent is none any more.
    pub offers: BTreeMap<Digest, EnrolmentOffer>,
}

/// A sensor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SensorView {
    pub name: SensorName,
    /// SHA-256 of its certificate.
    pub certificate: Digest,
    pub enrolled: Timestamp,
    /// Nothing is taken from it since.
    pub revoked: Option<Timestamp>,
    /// Segments that contradict what is kept.
    pub contradictions: u64,
    /// Segments that it says it has lost.
    pub lost_segments: u64,
}

/// A token that waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnrolmentOffer {
    pub name: SensorName,
    pub expires: Timestamp,
}

impl Sensors {
    /// The sensor that a certificate stands for, if it is one still.
    pub fn by_certificate(&self, certificate: &Digest) -> Option<(SensorId, &SensorView)> {
        let found = self.known.iter().find(|(_, sensor)| sensor.certificate == *certificate);
        found.filter(|(_, sensor)| sensor.revoked.is_none()).map(|(id, sensor)| (*id, sensor))
    }

    /// The number that the next one gets. Numbers are never given twice.
    pub fn next_id(&self) -> SensorId {
        let last = self.known.last_key_value().map_or(FIRST_SENSOR.0 - 1, |(id, _)| id.0);
        SensorId(last.saturating_add(1))
    }

    /// The offer that a token is for.
    pub fn offer(&self, token: &Digest, now: Timestamp) -> Result<&EnrolmentOffer, Refusal> {
        let offer = self.offers.get(token).ok_or_else(|| {
            Refusal::new("nobody offered this token, or it is spent").hint("`bailiwick sensor enroll NAME` makes one")
        })?;
        if now >= offer.expires {
            let what = format!("the token for {} expired at {}", offer.name, offer.expires);
            return Err(Refusal::new(what).hint("`bailiwick sensor enroll NAME` makes another"));
        }
        Ok(offer)
    }

    pub fn is_taken(&self, name: &SensorName) -> bool {
        self.known.values().any(|sensor| sensor.name == *name && sensor.revoked.is_none())
    }
}

//----------- By fact ----------------------------------------------------------------------------------------------

impl View {
    /// Another offer for the same name takes the place of the one before.
    pub(super) fn offer_enrolment(
        &mut self,
        name: &SensorName,
        token: Digest,
        expires: Timestamp,
    ) -> Result<(), Refusal> {
        if self.sensors.is_taken(name) {
            return Err(Refusal::new(format!("{name} is a sensor already")));
        }
        self.sensors.offers.retain(|_, offer| offer.name != *name);
        self.sensors.offers.insert(token, EnrolmentOffer { name: name.clone(), expires });
        Ok(())
    }

    pub(super) fn enrol_sensor(
        &mut self,
        id: SensorId,
        (name, token): (&SensorName, &Digest),
        certificate: Digest,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let sensors = &mut self.sensors;
        if sensors.offer(token, at)?.name != *name {
            return Err(Refusal::new(format!("the token is not for {name}")));
        }
        if id != sensors.next_id() {
            return Err(Refusal::new(format!("the next sensor is {}, and not {id}", sensors.next_id())));
        }
        sensors.offers.remove(token);
        let (name, revoked) = (name.clone(), None);
        let (contradictions, lost_segments) = (0, 0);
        let sensor = SensorView { name, certificate, enrolled: at, revoked, contradictions, lost_segments };
        sensors.known.insert(id, sensor);
        Ok(())
    }

    pub(super) fn revoke_sensor(&mut self, id: SensorId, at: Timestamp) -> Result<(), Refusal> {
        let sensor = self.sensor(id)?;
        if sensor.revoked.is_some() {
            return Err(Refusal::new(format!("sensor {id} is revoked already")));
        }
        sensor.revoked = Some(at);
        Ok(())
    }

    pub(super) fn contradict_sensor(&mut self, id: SensorId) -> Result<(), Refusal> {
        self.sensor(id)?.contradictions += 1;
        Ok(())
    }

    pub(super) fn lose_segments(&mut self, id: SensorId, segments: u32) -> Result<(), Refusal> {
        self.sensor(id)?.lost_segments += u64::from(segments);
        Ok(())
    }

    fn sensor(&mut self, id: SensorId) -> Result<&mut SensorView, Refusal> {
        let missing = || Refusal::new(format!("there is no sensor {id}")).hint("see `bailiwick sensor list`");
        self.sensors.known.get_mut(&id).ok_or_else(missing)
    }
}
