//! `[ledger]`: what the log of facts is called where others read its checkpoints.

use serde::{Deserialize, Serialize};
use store::log::{ORIGIN_OCTETS_MAX, is_origin};

use crate::failure::Failure;

/// The log's own name, given to its key when that is made.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ledger {
    /// `None`: called after its key.
    pub(crate) origin: Option<String>,
}

impl Ledger {
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.origin {
            Some(origin) if !is_origin(origin) => {
                Err(Failure::new(format!("`ledger.origin` is {origin:?}")).hint(format!(
                    "give 1 to {ORIGIN_OCTETS_MAX} octets without space and plus, such as log.example.org/sinkhole"
                )))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_checkpoint_could_carry_is_refused() {
        let check = |origin: &str| Ledger { origin: Some(origin.into()) }.check();
        assert!(check("log.example.org/sinkhole").is_ok() && check(&"a".repeat(ORIGIN_OCTETS_MAX)).is_ok());
        for wrong in ["", "a b", "a+b", &"a".repeat(ORIGIN_OCTETS_MAX + 1)] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
