//! A name and a name below it in one order: whoever runs the upper one's zone answers for both.
//!
//! The registry of the upper name is the only one that either is delegated by, so what is ordered of it decides what becomes
//! of the lower one. Where the order wants something else of the lower one, it contradicts itself and is refused; where it
//! wants the same, the gate warns that the lower one says nothing.

use model::Refusal;
use model::id::OrderId;
use model::name::DomainName;
use model::order::{Listed, NameOutcome, Names, apex_in_above};

/// The name of the order that lies above another of its names.
pub fn parent_in<'n>(names: &'n Names, name: &DomainName) -> Option<(&'n DomainName, &'n Listed)> {
    apex_in_above(names, name)
}

/// Refuses an order that wants of a name what its parent's outcome does not leave. `is_asked` says which names are asked
/// about: one that stands in an order as it was is in nobody's way who narrows it.
///
/// # Errors
/// Names both, and what is ordered of each.
pub fn check_nested(order: &OrderId, names: &Names, is_asked: impl Fn(&DomainName) -> bool) -> Result<(), Refusal> {
    for (name, listed) in names {
        let Some((parent, above)) = parent_in(names, name) else { continue };
        if !contradicts(above.outcome, listed.outcome) || !is_asked(name) && !is_asked(parent) {
            continue;
        }
        let (name, parent) = (name.defanged(), parent.defanged());
        let (below, above) = (listed.outcome.as_str(), above.outcome.as_str());
        let what = format!("order {order} contradicts itself: {name} as {below}, and {parent} above it as {above}");
        return Err(Refusal::new(what).hint(format!(
            "what becomes of {parent} becomes of all below it: leave {name} out, or say the same of both"
        )));
    }
    Ok(())
}

/// A lock or another registrar leaves the zone as it is. Everything else decides what is below as well.
fn contradicts(above: NameOutcome, below: NameOutcome) -> bool {
    !matches!(above, NameOutcome::LockOnly | NameOutcome::Transfer) && above != below
}
