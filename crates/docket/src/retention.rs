//! For how long what is kept: what is due to be purged today, from what the cases say, what the operator says, and holds.
//!
//! A case keeps no longer than the operator's defaults unless an order in force covers `retain`
//! ([`model::marking::Retention::effective`]). Days count from the UTC day of receipt: what is kept for 90 days is there for 90
//! whole days, and goes on the day after. A legal hold stops everything about its case, and the journal, in which all cases
//! lie in one.

use model::Timestamp;
use model::fact::RecordPart;
use model::id::CaseId;
use model::marking::Retention;
use model::order::{Act, OrderStatus};
use model::time::{Date, utc_day};
use store::archive::Due;
use store::view::{CaseView, NameView, View};

/// What is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    pub due: Vec<Due>,
    /// Segments of days before this one may go; `None`: a hold keeps all of them.
    pub journal_before: Option<Date>,
    /// What holds for each case, and for contacts of none.
    pub rules: Vec<Rule>,
}

/// What holds for one case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// `None`: contacts that concern no case.
    pub case: Option<CaseId>,
    pub kept: Retention,
    /// Its own words are longer than what it may.
    pub is_shortened: bool,
    pub is_held: bool,
}

/// What is due at that instant.
pub fn plan(view: &View, defaults: &Retention, now: Timestamp) -> Plan {
    let today = utc_day(now);
    let nobodys = Rule { case: None, kept: defaults.effective(defaults, true), is_shortened: false, is_held: false };
    let rules: Vec<Rule> =
        std::iter::once(nobodys).chain(view.cases.values().map(|case| rule(case, defaults))).collect();
    let mut due: Vec<Due> = rules.iter().filter(|rule| !rule.is_held).flat_map(|rule| of_rule(rule, today)).collect();
    for (case, rule) in view.cases.values().zip(&rules[1..]).filter(|(_, rule)| !rule.is_held) {
        due.extend(returned(case, rule, today));
    }
    let days = rules.iter().map(|rule| rule.kept.journal_days()).min().unwrap_or_default();
    let is_held = rules.iter().any(|rule| rule.is_held);
    Plan { due, journal_before: (!is_held).then(|| before(today, days)), rules }
}

fn rule(case: &CaseView, defaults: &Retention) -> Rule {
    let own = case.terms.retention;
    let may_keep_longer = case.orders.values().any(|order| {
        order.status() == OrderStatus::InForce && order.names().values().any(|name| name.acts.contains(Act::Retain))
    });
    let kept = own.effective(defaults, may_keep_longer);
    let is_shortened = kept != own.effective(defaults, true);
    Rule { case: Some(case.terms.id.clone()), kept, is_shortened, is_held: !case.holds.is_empty() }
}

fn of_rule(rule: &Rule, today: Date) -> Vec<Due> {
    let Retention { addresses_days, raw_days, verdicts_days, contacts_days, .. } = rule.kept;
    let parts = [
        (RecordPart::Contacts, contacts_days),
        (RecordPart::Raw, Some(raw_days)),
        (RecordPart::Verdicts, verdicts_days),
        (RecordPart::Addresses, Some(addresses_days)),
    ];
    let due = |(part, days): (RecordPart, Option<u32>)| {
        let before = before(today, days?);
        Some(Due { case: rule.case.clone(), part, apex: None, from: None, before })
    };
    parts.into_iter().filter_map(due).collect()
}

/// Names that went back, or left their order, long enough ago, and are not recorded for an order still.
fn returned(case: &CaseView, rule: &Rule, today: Date) -> Vec<Due> {
    let Some(days) = rule.kept.returned_days else { return Vec::new() };
    let is_back = |name| case.names.get(name).is_none_or(|known: NameView| known.mode.is_none() || known.is_back());
    let is_ripe = |at: Timestamp| utc_day(at) < before(today, days);
    let names = case.returned.iter().filter(|(name, at)| is_ripe(**at) && is_back(name)).map(|(name, _)| name);
    let due = |name: &model::DomainName| {
        let (case, apex) = (rule.case.clone(), Some(name.clone()));
        Due { case, part: RecordPart::Contacts, apex, from: None, before: today }
    };
    names.map(due).collect()
}

/// The first day that stays. Where the calendar ends nothing goes.
fn before(today: Date, days: u32) -> Date {
    today.checked_sub(std::time::Duration::from_secs(u64::from(days) * 24 * 60 * 60)).unwrap_or(Date::MIN)
}

/// What facts say is gone: each purge that was carried out.
pub fn carried_out(view: &View) -> Vec<Due> {
    let all = view.purges.iter().flat_map(|purge| purge.parts.iter().map(move |part| (purge, part)));
    let due = |(purge, part): (&store::view::PurgeView, &model::fact::PurgedPart)| {
        let (case, apex, from) = (purge.case.clone(), part.apex.clone(), Some(purge.day));
        Due { case, part: part.part, apex, from, before: purge.day.tomorrow().unwrap_or(purge.day) }
    };
    all.map(due).collect()
}

#[cfg(test)]
mod tests {
    use model::fact::Actor;

    use super::*;
    use crate::decide::book::{Book, as_person, case, import, person, someone, text};
    use crate::{Command, Done};
    use model::person::Role;

    fn at(day: &str) -> Timestamp {
        format!("{day}T08:00:00Z").parse().unwrap()
    }

    fn days(plan: &Plan, of: &str) -> Vec<(RecordPart, String)> {
        let of = plan.due.iter().filter(|due| due.case.as_ref().is_some_and(|case| case.as_str() == of));
        of.map(|due| (due.part, due.before.to_string())).collect()
    }

    fn book() -> Book {
        let mut book = Book::default();
        let short = text("short", "civil-tro")
            .replace("[group]", "[case.retention]\nraw_days = 7\ncontacts_days = 30\n[group]");
        for text in
            [&short, &text("long", "civil-tro").replace("[group]", "[case.retention]\naddresses_days = 3650\n[group]")]
        {
            book.execute(&import(text), &someone()).unwrap();
        }
        for (who, role) in [("ines", Role::Investigator), ("lars", Role::Legal)] {
            book.execute(&Command::EnrolPerson { person: person(who, &[role], false) }, &someone()).unwrap();
        }
        book
    }

    #[test]
    fn each_part_of_each_case_has_its_day_and_the_journal_goes_with_the_first() {
        let plan = plan(&book().view, &Retention::default(), at("2026-04-10"));
        let day = |part, day: &str| (part, day.to_owned());
        assert_eq!(
            days(&plan, "short"),
            [
                day(RecordPart::Contacts, "2026-03-11"),
                day(RecordPart::Raw, "2026-04-03"),
                day(RecordPart::Addresses, "2026-03-11")
            ]
        );
        assert_eq!(days(&plan, "long"), [day(RecordPart::Raw, "2026-01-10"), day(RecordPart::Addresses, "2026-01-10")]);
        assert!(plan.rules.iter().any(|rule| rule.is_shortened), "no order of `long` covers keeping longer");
        assert_eq!(plan.journal_before.unwrap().to_string(), "2026-04-03");
    }

    #[test]
    fn one_person_holds_and_two_release() {
        let mut book = book();
        let hold = Command::PlaceHold { case: case("short"), reason: "letter of counsel".into() };
        assert!(book.execute(&hold, &someone()).is_err(), "it takes a person");
        let Done::HoldPlaced { hold } = book.execute(&hold, &as_person("ines")).unwrap() else { panic!() };
        let held = plan(&book.view, &Retention::default(), at("2026-04-10"));
        assert_eq!((days(&held, "short"), held.journal_before), (vec![], None));
        assert!(!days(&held, "long").is_empty());
        let ask = Command::RequestRelease { case: case("short"), hold };
        let Done::ApprovalAsked { requests } = book.execute(&ask, &someone()).unwrap() else { panic!() };
        assert!(book.execute(&ask, &someone()).is_err(), "it is asked already");
        let yes =
            |book: &Book, role| Command::GiveApproval { request: requests[0], role, shown: book.shown(requests[0]) };
        let first = yes(&book, Role::Investigator);
        assert!(matches!(book.execute(&first, &as_person("ines")).unwrap(), Done::HalfApproved { .. }));
        assert!(!book.view.cases[&case("short")].holds.is_empty(), "one is not enough");
        let second = yes(&book, Role::Legal);
        assert_eq!(
            book.execute(&second, &as_person("lars")).unwrap(),
            Done::HoldReleased { case: case("short"), hold }
        );
        let free = plan(&book.view, &Retention::default(), at("2026-04-10"));
        assert!(!days(&free, "short").is_empty() && free.journal_before.is_some());
        let room = Actor::Room { name: "x".into() };
        assert!(book.execute(&ask, &room).is_err(), "there is no such hold any more");
    }
}
