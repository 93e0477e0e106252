//! What the owner had, and which names may never fall silent: the view's side of handing back.

use model::fact::Fact;
use model::order::Coverage;
use model::seizure::{AnswerEffect, ServiceMode};
use model::{Digest, DomainName, Refusal, Timestamp};

use super::CaseView;

/// The owner's records of one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CapturedView {
    /// The zone file, which lies in the vault.
    pub file: Digest,
    /// Who captured them, from where.
    pub source: String,
    /// How many records of the file are served.
    pub count: u64,
    pub recorded: Timestamp,
}

/// How a name is served at that instant: an authority that has ended puts it on hold, unless it is a kill switch, which
/// goes on as it was (nothing is recorded then, whatever the mode).
pub(super) fn mode_at(mode: ServiceMode, coverage: &Coverage, now: Timestamp) -> ServiceMode {
    let falls_to_hold = coverage.has_lapsed(now) && !coverage.answer_effect().is_kill_switch();
    if falls_to_hold { mode.max(ServiceMode::Hold) } else { mode }
}

impl CaseView {
    /// The last capture counts.
    pub(super) fn capture(
        &mut self,
        name: &DomainName,
        source: &str,
        (file, count): (Digest, u64),
        fact: &Fact,
    ) -> Result<(), Refusal> {
        self.names.get(name).ok_or_else(|| self.no_name(name))?;
        let captured = CapturedView { file, source: source.to_owned(), count, recorded: fact.time };
        self.captured.insert(name.clone(), captured);
        Ok(())
    }

    /// The file to serve a name from, which only a name that is handed back has.
    pub(super) fn captured_for(&self, name: &DomainName, mode: ServiceMode) -> Option<Digest> {
        let captured = self.captured.get(name).filter(|_| mode == ServiceMode::Handback)?;
        Some(captured.file)
    }

    /// What an answer for a name may set off, as its order says.
    pub fn answer_effect(&self, name: &DomainName) -> AnswerEffect {
        let order = self.names.get(name).and_then(|known| self.orders.get(&known.order));
        let listed = order.and_then(|order| order.names().get(name).or_else(|| order.released().get(name)));
        listed.map(|listed| listed.answer_effect).unwrap_or_default()
    }
}
