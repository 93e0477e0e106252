//! What the demo proves, as one object: the equation, and that no password reached a disk.

use std::collections::BTreeMap;

use model::contact::Kind;
use serde::Serialize;

/// One line of the proof, for machines.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// By the callers' own tally.
    pub(crate) sent: u64,
    /// Read from disk after the stop.
    pub(crate) recorded: u64,
    pub(crate) collapsed: u64,
    pub(crate) shed: u64,
    pub(crate) lost_in_kernel: u64,
    pub(crate) sent_by_kind: BTreeMap<&'static str, u64>,
    /// Contacts of people who tried the demo's commands while it stayed up.
    pub(crate) visitors_by_kind: BTreeMap<&'static str, u64>,
    pub(crate) recorded_by_kind: BTreeMap<&'static str, u64>,
    pub(crate) by_protocol: BTreeMap<&'static str, u64>,
    pub(crate) by_label: BTreeMap<String, u64>,
    pub(crate) archived: u64,
    pub(crate) indicators: u64,
    pub(crate) feeds: BTreeMap<String, u64>,
    pub(crate) secrets_typed: u64,
    pub(crate) secrets_found: u64,
    pub(crate) secrets_planted: u64,
    pub(crate) secrets_planted_found: u64,
    /// Where a secret was found: the kind of store and its file, never the secret.
    pub(crate) secrets_found_in: Vec<String>,
    pub(crate) damaged: u64,
    pub(crate) doubles: u64,
    pub(crate) seconds: f64,
}

impl Report {
    pub(crate) fn visitors(&self) -> u64 {
        self.visitors_by_kind.values().sum()
    }

    /// Everything that does not hold, in words. Nothing means that the demo holds.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut unless = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let known = self.recorded + self.collapsed + self.shed + self.lost_in_kernel;
        unless(self.sent > 0, "nobody called".to_owned());
        let sent = self.sent + self.visitors();
        unless(sent == known, format!("{sent} were sent and {known} are accounted for"));
        for kind in Kind::ALL {
            let sent = self.sent_by_kind[kind.as_str()] + self.visitors_by_kind[kind.as_str()];
            let recorded = self.recorded_by_kind[kind.as_str()];
            let unkept = self.collapsed + self.shed + self.lost_in_kernel;
            unless(
                recorded <= sent && sent - recorded <= unkept,
                format!("{sent} of kind {} were sent and {recorded} recorded", kind.as_str()),
            );
        }
        unless(self.archived == self.recorded, format!("{} of {} are archived", self.archived, self.recorded));
        unless(self.shed == 0, format!("{} were shed", self.shed));
        unless(self.damaged == 0 && self.doubles == 0, "the journal is damaged".to_owned());
        unless(self.secrets_typed > 0, "nobody typed a password".to_owned());
        unless(self.secrets_found == 0, format!("{} passwords reached a disk", self.secrets_found));
        unless(
            self.secrets_planted > 0 && self.secrets_planted_found == self.secrets_planted,
            format!("the scan found {} of {} planted secrets", self.secrets_planted_found, self.secrets_planted),
        );
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let kinds = |query: u64| -> BTreeMap<&'static str, u64> {
            Kind::ALL.map(|kind| (kind.as_str(), if kind == Kind::Query { query } else { 0 })).into()
        };
        Report {
            sent: 10,
            recorded: 10,
            collapsed: 0,
            shed: 0,
            lost_in_kernel: 0,
            sent_by_kind: kinds(10),
            visitors_by_kind: kinds(0),
            recorded_by_kind: kinds(10),
            by_protocol: BTreeMap::new(),
            by_label: BTreeMap::new(),
            archived: 10,
            indicators: 0,
            feeds: BTreeMap::new(),
            secrets_typed: 1,
            secrets_found: 0,
            secrets_planted: 2,
            secrets_planted_found: 2,
            secrets_found_in: Vec::new(),
            damaged: 0,
            doubles: 0,
            seconds: 1.0,
        }
    }

    #[test]
    fn a_whole_demo_holds() {
        assert!(report().faults().is_empty(), "{:?}", report().faults());
        let collapsed = Report { sent: 12, collapsed: 2, ..report() };
        let by_kind =
            BTreeMap::from_iter(collapsed.sent_by_kind.iter().map(|(kind, n)| (*kind, if *n > 0 { 12 } else { 0 })));
        assert!(Report { sent_by_kind: by_kind, ..collapsed }.faults().is_empty());
    }

    #[test]
    fn whatever_does_not_hold_is_said() {
        for (broken, fault) in [
            (Report { sent: 11, ..report() }, "11 were sent and 10 are accounted for"),
            (
                Report {
                    recorded_by_kind: report().recorded_by_kind.into_keys().map(|kind| (kind, 9)).collect(),
                    ..report()
                },
                "10 of kind query were sent and 9 recorded",
            ),
            (Report { archived: 9, ..report() }, "9 of 10 are archived"),
            (Report { sent: 11, shed: 1, ..report() }, "1 were shed"),
            (Report { doubles: 1, ..report() }, "the journal is damaged"),
            (Report { secrets_typed: 0, ..report() }, "nobody typed a password"),
            (Report { secrets_found: 1, ..report() }, "1 passwords reached a disk"),
            (Report { secrets_planted_found: 1, ..report() }, "the scan found 1 of 2 planted secrets"),
        ] {
            assert!(broken.faults().iter().any(|said| said == fault), "{fault}: {:?}", broken.faults());
        }
    }
}
