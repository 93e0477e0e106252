//! From what is found to alarms: raised once, quiet while nothing changes, cleared when it has ended.

use model::Digest;
use model::alarm::{Alarm, AlarmKey, AlarmKind};
use model::fact::Body;
use model::id::CaseId;
use store::view::WatchView;

/// The most alarms that one look raises: what is left is raised by the next.
pub const RAISED_PER_LOOK_MAX: usize = 10_000;

/// What somebody looked at, and how it stands. What could not be seen is no finding, and changes nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    pub key: AlarmKey,
    pub stands: Stands,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stands {
    /// It gives alarm, for this reason.
    Alarming(String),
    /// It is as it should be, in these words.
    Well(&'static str),
}

impl Finding {
    pub fn new(kind: AlarmKind, subject: impl Into<String>, mark: &str, stands: Stands) -> Self {
        Self { key: AlarmKey { kind, subject: subject.into(), mark: mark.to_owned() }, stands }
    }

    /// `reason` if it gives alarm, else `well`.
    pub fn of(
        kind: AlarmKind,
        subject: impl Into<String>,
        mark: &str,
        reason: Option<String>,
        well: &'static str,
    ) -> Self {
        Self::new(kind, subject, mark, reason.map_or(Stands::Well(well), Stands::Alarming))
    }
}

/// What changes by the findings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    pub bodies: Vec<Body>,
    pub raised: usize,
    pub cleared: usize,
    /// Beyond [`RAISED_PER_LOOK_MAX`].
    pub left: usize,
}

pub fn settle(
    case: &CaseId,
    watch: &WatchView,
    findings: impl IntoIterator<Item = Finding>,
    evidence: Option<Digest>,
) -> Settled {
    let mut settled = Settled::default();
    for Finding { key, stands } in findings {
        let open = watch.alarms.get(&key).filter(|known| known.state.is_open());
        match (stands, open) {
            (Stands::Alarming(reason), Some(known)) if known.alarm.reason == reason => {}
            (Stands::Alarming(_), _) if settled.raised == RAISED_PER_LOOK_MAX => settled.left += 1,
            (Stands::Alarming(reason), _) => {
                let alarm = Box::new(Alarm { key, reason, evidence });
                settled.bodies.push(Body::AlarmRaised { case: case.clone(), alarm });
                settled.raised += 1;
            }
            (Stands::Well(reason), Some(known)) => {
                let (case, alarm, reason) = (case.clone(), known.number, reason.to_owned());
                settled.bodies.push(Body::AlarmCleared { case, alarm, reason });
                settled.cleared += 1;
            }
            (Stands::Well(_), None) => {}
        }
    }
    settled
}
