//! What must happen by when, over all cases: a function of what stands and `now`.
//!
//! A date comes from a paper, copied with its zone; or from the house (a narrowing is confirmed within a day, one looks back
//! after 7, 30 and 90 days); or from a rule that somebody counted by. The last is a proposal and says so, until counsel
//! confirms it ([`reckoning`]). What has neither day nor hour waits.

use jiff::SignedDuration;
use model::Timestamp;
use model::amendment::version_of_window;
use model::case::CaseState;
use model::due::Rule;
use model::id::{CaseId, OrderId, PersonId, Position};
use model::moment::PaperTime;
use model::order::{Authority, Instrument, Order, OrderStatus, Source, Sourced};
use model::time::Date;
use serde::{Deserialize, Serialize};
use store::view::{CaseView, DateView, View};

pub mod reckoning;

use reckoning::date_by;

/// A second person confirms what one narrowed within this time.
pub const CONFIRM_NARROWING_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// One looks back so many days after the names were served first.
pub const POST_MORTEM_DAYS: [u16; 3] = [7, 30, 90];
/// What comes within this time is soon.
pub const SOON: SignedDuration = SignedDuration::from_hours(72);
/// The rules that are counted by without anybody asking, each under its name.
const OWN_RULES: [(&str, Rule); 2] = [("frcp-65b2", Rule::Frcp65b2), ("frcp-65b2-extended", Rule::Frcp65b2Extended)];

//----------- Due --------------------------------------------------------------------------------------------------

/// One thing that must happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Due {
    pub case: CaseId,
    pub kind: DueKind,
    /// The order, request or narrowing.
    pub subject: String,
    /// For people.
    pub what: String,
    /// By when; `None`: it waits.
    pub when: Option<PaperTime>,
    pub basis: Basis,
    pub standing: Standing,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueKind {
    AuthorityExpiry,
    Hearing,
    SealEnd,
    NarrowingConfirmation,
    Approval,
    Reckoned,
    PostMortem,
}

/// Where a date comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Basis {
    /// Copied from the signed paper.
    Paper { source: Source },
    /// Counted: a proposal, as long as nobody has confirmed it.
    Rule {
        rule: String,
        name: String,
        proposed: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirmed_by: Option<PersonId>,
    },
    /// The house's own rule.
    House { rule: String },
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Overdue,
    /// Within 72 hours.
    Soon,
    Ahead,
    Waits,
}

impl Standing {
    fn of(when: &PaperTime, now: Timestamp) -> Self {
        if when.over() <= now {
            Self::Overdue
        } else if when.earliest().duration_since(now) <= SOON {
            Self::Soon
        } else {
            Self::Ahead
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "OVERDUE",
            Self::Soon => "soon",
            Self::Ahead => "ahead",
            Self::Waits => "waits",
        }
    }
}

/// What must happen in these cases, the first first; what waits without a day comes last.
pub fn dues<'v>(view: &View, cases: impl IntoIterator<Item = &'v CaseView>, now: Timestamp) -> Vec<Due> {
    let mut all: Vec<Due> =
        cases.into_iter().filter(|case| is_going_on(case)).flat_map(|c| of_case(view, c, now)).collect();
    let place = |due: &Due| due.when.map_or(Timestamp::MAX, |when| when.earliest());
    all.sort_by(|one, two| place(one).cmp(&place(two)).then_with(|| one.case.cmp(&two.case)));
    all
}

/// Nothing is due in a case that has come to its end.
pub fn is_going_on(case: &CaseView) -> bool {
    !matches!(case.state, CaseState::Closed | CaseState::Denied | CaseState::Vacated)
}

fn of_case(view: &View, case: &CaseView, now: Timestamp) -> Vec<Due> {
    let mut all: Vec<Due> = case.orders.values().flat_map(|order| of_order(case, order, now)).collect();
    all.extend(confirmations(case, now));
    all.extend(post_mortems(case, now));
    all.extend(approvals(view, case));
    all
}

//----------- Orders -----------------------------------------------------------------------------------------------

/// The dates of an order that may still be acted on. A hearing or a seal that is past is history; an authority that has
/// ended is not, before the ledger says so.
fn of_order(case: &CaseView, order: &Order, now: Timestamp) -> Vec<Due> {
    if !matches!(order.status(), OrderStatus::Draft | OrderStatus::InForce) {
        return Vec::new();
    }
    let authority = &order.terms().authority;
    let mut all = Vec::new();
    if let Some(expires) = &authority.expires {
        all.push(by_paper(
            case,
            order,
            DueKind::AuthorityExpiry,
            (PaperTime::Hour(expires.value), &expires.source),
            now,
        ));
    }
    if let Some(hearing) = &authority.hearing {
        all.push(by_paper(case, order, DueKind::Hearing, (hearing.value, &hearing.source), now));
    }
    if let (Some(until), Some(Sourced { source, .. })) = (case.sealed_until(order), &authority.sealed_until) {
        all.push(by_paper(case, order, DueKind::SealEnd, (until.into(), source), now));
    }
    all.retain(|due| due.kind == DueKind::AuthorityExpiry || due.standing != Standing::Overdue);
    all.extend(dates(case, order).into_iter().map(|(name, date)| reckoned(case, order, name, &date, now)));
    all
}

fn by_paper(
    case: &CaseView,
    order: &Order,
    kind: DueKind,
    (when, source): (PaperTime, &Source),
    now: Timestamp,
) -> Due {
    let id = &order.terms().id;
    let what = match kind {
        DueKind::AuthorityExpiry => format!("the authority of order {id} ends; its names go to hold"),
        DueKind::Hearing => format!("hearing on order {id}"),
        _ => format!("the seal of order {id} ends"),
    };
    let (basis, standing) = (Basis::Paper { source: source.clone() }, Standing::of(&when, now));
    Due { case: case.terms.id.clone(), kind, subject: id.to_string(), what, when: Some(when), basis, standing }
}

//----------- Rules ------------------------------------------------------------------------------------------------

/// The dates of an order that were counted, by name: those that somebody proposed, and those that follow from its
/// instrument as long as no later paper has taken its place.
pub fn dates(case: &CaseView, order: &Order) -> Vec<(String, DateView)> {
    let id = &order.terms().id;
    let mine = case.watch.dates.iter().filter(|((of, _), _)| of == id);
    let waits = |name: &str| {
        let pending = case.amendments.pending(id).map(|pending| pending.amendment.terms().version);
        version_of_window(name).is_none_or(|version| pending == Some(version))
    };
    let mine = mine.filter(|((_, name), _)| waits(name));
    let mut all: Vec<(String, DateView)> = mine.map(|((_, name), date)| (name.clone(), date.clone())).collect();
    if case.state < CaseState::Injunction {
        let own = own_dates(&order.terms().authority);
        all.extend(own.filter(|(name, _)| !case.watch.dates.contains_key(&(id.clone(), name.clone()))));
    }
    all
}

fn own_dates(authority: &Authority) -> impl Iterator<Item = (String, DateView)> {
    let issued = authority.issued.as_ref().map(|issued| issued.value);
    let rules = OWN_RULES.into_iter().filter(|_| authority.instrument == Instrument::CivilTro);
    rules.filter_map(move |(name, by)| {
        Some((name.to_owned(), DateView { by, proposed: date_by(by, issued)?, confirmed: None }))
    })
}

fn reckoned(case: &CaseView, order: &Order, name: String, date: &DateView, now: Timestamp) -> Due {
    let id = &order.terms().id;
    let (when, confirmed_by) = match &date.confirmed {
        Some(confirmed) => (confirmed.date, Some(confirmed.by.clone())),
        None => (date.proposed.into(), None),
    };
    let what = match (&confirmed_by, date.by) {
        (None, by) => format!("`{name}` of order {id}: proposed by {by}; NOT CONFIRMED by counsel"),
        (Some(by), rule) => format!("`{name}` of order {id}: confirmed by {by}, counted by {rule}"),
    };
    Due {
        case: case.terms.id.clone(),
        kind: DueKind::Reckoned,
        subject: id.to_string(),
        what,
        when: Some(when),
        basis: Basis::Rule { rule: date.by.to_string(), name, proposed: date.proposed, confirmed_by },
        standing: Standing::of(&when, now),
    }
}

/// The date of that name, whoever counted it.
pub fn date_named(case: &CaseView, order: &OrderId, name: &str) -> Option<DateView> {
    let order = case.orders.get(order)?;
    dates(case, order).into_iter().find(|(known, _)| known == name).map(|(_, date)| date)
}

//----------- The house's own --------------------------------------------------------------------------------------

/// By when a narrowing is to be confirmed, to the second.
pub fn confirm_by(at: Timestamp) -> Timestamp {
    let by = at.as_second().saturating_add(CONFIRM_NARROWING_WITHIN.as_secs());
    Timestamp::from_second(by).unwrap_or(Timestamp::MAX)
}

/// Narrowings that nobody has confirmed.
pub fn unconfirmed(case: &CaseView) -> impl Iterator<Item = (Position, &store::view::NarrowingView)> {
    case.watch.narrowings.iter().filter(|(_, one)| one.confirmed.is_none()).map(|(place, one)| (*place, one))
}

fn confirmations(case: &CaseView, now: Timestamp) -> impl Iterator<Item = Due> {
    unconfirmed(case).map(move |(place, narrowing)| {
        let (told, by) = (narrowing.told(), narrowing.by.as_ref().map_or("the machine", PersonId::as_str));
        let when = PaperTime::Hour(confirm_by(narrowing.at).into());
        Due {
            case: case.terms.id.clone(),
            kind: DueKind::NarrowingConfirmation,
            subject: place.to_string(),
            what: format!("a second person confirms what {by} narrowed: {told} (narrowing {place})"),
            when: Some(when),
            basis: Basis::House { rule: "what one person narrows another confirms within 24 hours".into() },
            standing: Standing::of(&when, now),
        }
    })
}

/// When to look back, and whether somebody has.
fn post_mortems(case: &CaseView, now: Timestamp) -> impl Iterator<Item = Due> {
    let held = &case.watch.post_mortems;
    POST_MORTEM_DAYS.into_iter().filter(|days| !held.contains_key(days)).filter_map(move |days| {
        let served = case.watch.served?;
        let at = served.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
        let when = PaperTime::Day(model::time::utc_day(at));
        Some(Due {
            case: case.terms.id.clone(),
            kind: DueKind::PostMortem,
            subject: days.to_string(),
            what: format!("look back after {days} days: `bailiwick case post-mortem {} --days {days}`", case.terms.id),
            when: Some(when),
            basis: Basis::House { rule: format!("{days} days after the names were served first") },
            standing: Standing::of(&when, now),
        })
    })
}

fn approvals(view: &View, case: &CaseView) -> impl Iterator<Item = Due> {
    let open = view.approvals.iter().filter(|one| one.is_open() && one.request.case == case.terms.id);
    open.map(|standing| Due {
        case: case.terms.id.clone(),
        kind: DueKind::Approval,
        subject: standing.request.id.to_string(),
        what: format!(
            "request {} has {} of two approvals, asked at {}",
            standing.request.id,
            standing.given.len(),
            standing.asked_at
        ),
        when: None,
        basis: Basis::House { rule: "two people in two roles, before".into() },
        standing: Standing::Waits,
    })
}

#[cfg(test)]
mod tests;
