//! `[retention]`: for how long what is kept where a case says nothing else, and when that is carried out.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Days of receipt, in UTC; a day that is not given is never.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Whether this process purges what is due, once a day.
    pub(crate) daily: bool,
    /// How long after a start it may begin.
    pub(crate) first_after_secs: u64,
    addresses_days: u32,
    raw_days: u32,
    verdicts_days: Option<u32>,
    contacts_days: Option<u32>,
    accounts_days: Option<u32>,
    returned_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        let model::marking::Retention { addresses_days, raw_days, .. } = Default::default();
        Self {
            daily: true,
            first_after_secs: 600,
            addresses_days,
            raw_days,
            verdicts_days: None,
            contacts_days: None,
            accounts_days: None,
            returned_days: Some(30),
        }
    }
}

/// A hundred years.
const DAYS_MAX: u32 = 36_500;

impl Retention {
    pub(crate) fn defaults(&self) -> model::marking::Retention {
        model::marking::Retention {
            addresses_days: self.addresses_days,
            raw_days: self.raw_days,
            verdicts_days: self.verdicts_days,
            contacts_days: self.contacts_days,
            accounts_days: self.accounts_days,
            returned_days: self.returned_days,
        }
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        let days = [
            ("addresses_days", Some(self.addresses_days)),
            ("raw_days", Some(self.raw_days)),
            ("verdicts_days", self.verdicts_days),
            ("contacts_days", self.contacts_days),
            ("accounts_days", self.accounts_days),
            ("returned_days", self.returned_days),
        ];
        let is_wrong = |(_, days): &(&str, Option<u32>)| days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days));
        if let Some((key, days)) = days.into_iter().find(is_wrong) {
            let given = format!("`retention.{key}` is {}", days.unwrap_or_default());
            return Err(Failure::new(given).hint(format!("give 1 to {DAYS_MAX} days")));
        }
        match self.first_after_secs {
            0..=86_400 => Ok(()),
            secs => Err(Failure::new(format!("`retention.first_after_secs` is {secs}")).hint("give 0 to 86400")),
        }
    }
}
