use super::*;
use crate::approval::{Approvals, PutInForce, Request, Widening};
use crate::id::{CaseId, PersonId, RequestId};
use crate::order::{Act, Authority, Instrument, NameOutcome, OrderTerms};
use crate::person::{Person, Role};
use crate::seizure::AnswerEffect;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn redirected() -> Listed {
    Listed { outcome: NameOutcome::Redirect, ..Listed::default() }
}

fn draft(names: &[&str]) -> Order {
    let end = "2026-12-11T17:00:00-05:00".parse().unwrap();
    let authority = Authority {
        instrument: Instrument::Exercise,
        issuer: Sourced { value: "a rehearsal".into(), source: Source::Unverified },
        country: None,
        docket_number: None,
        judge: None,
        issued: None,
        hearing: None,
        expires: Some(Sourced { value: end, source: Source::Unverified }),
        sealed_until: None,
    };
    let (id, name_servers) = (OrderId::parse("o-1").unwrap(), vec![name("ns1.sink.test")]);
    let terms = OrderTerms { id, authority, name_servers, answers: None, registration: None };
    let names: Names = names.iter().map(|text| (name(text), redirected())).collect();
    Order::draft(CaseId::parse("c-1").unwrap(), terms, names)
}

fn in_force(names: &[&str]) -> Order {
    let mut order = draft(names);
    let what = Widening::PutInForce(PutInForce { order: order.terms().id.clone(), terms: order.digest() });
    let (id, shown) = (RequestId(1), Digest([0; 32]));
    let mut approvals = Approvals::default();
    let case = order.case().clone();
    approvals.ask(Request { id, case, what, shown, exercise: true }, None, "2026-11-28T12:00:00Z".parse().unwrap());
    for (who, role) in [("ann", Role::Investigator), ("ben", Role::Legal)] {
        let person = PersonId::parse(who).unwrap();
        let yes = crate::approval::Approval { request: id, person: person.clone(), role, shown };
        let person = Person { id: person, roles: [role].into(), token: Digest([1; 32]), fixture: true };
        approvals.give(yes, &person).unwrap();
    }
    order.put_in_force(&approvals.approved(id).unwrap()).unwrap();
    order
}

#[derive(Default)]
struct Wish {
    added: Names,
    changed: Names,
    removed: Names,
    expires: Option<&'static str>,
}

fn amendment(base: &Order, wish: &Wish) -> Amendment {
    let some = |names: &Names| (!names.is_empty()).then(|| NameSet::of(names));
    let list =
        AddedList { source: Source::Unverified, criteria: vec!["a mark".into()], names: NameSet::of(&wish.added) };
    let terms = AmendmentTerms {
        order: base.terms().id.clone(),
        version: base.version() + 1,
        base: base.digest(),
        kind: AmendmentKind::Amended,
        file: Digest([9; 32]),
        source: Source::Unverified,
        docket_number: None,
        issued: None,
        added: if wish.added.is_empty() { Vec::new() } else { vec![list] },
        changed: some(&wish.changed),
        removed: some(&wish.removed),
        expires: wish.expires.map(|at| Sourced { value: at.parse().unwrap(), source: Source::Unverified }),
        hearing: None,
        objection: None,
    };
    let sets = [&wish.added, &wish.changed, &wish.removed];
    let find = |digest: &Digest| sets.into_iter().find(|set| NameSet::of(set).names == *digest).cloned();
    Amendment::with_sets(terms, find).unwrap()
}

fn only(text: &str, listed: Listed) -> Names {
    [(name(text), listed)].into()
}

#[test]
fn what_does_more_widens_and_what_does_less_does_not() {
    let base = in_force(&["a.test", "b.test"]);
    let held = Listed { outcome: NameOutcome::Hold, ..redirected() };
    let content = Listed { acts: redirected().acts.with(Act::RecordContent), ..redirected() };
    let fewer = Listed { acts: [Act::Delegate, Act::Answer].into_iter().collect(), ..redirected() };
    let tested = Listed { answer_effect: AnswerEffect::Tested, ..redirected() };
    for (wish, ways) in [
        (Wish { added: only("c.test", redirected()), ..Wish::default() }, &[Widens::NamesAdded][..]),
        (Wish { removed: only("a.test", redirected()), ..Wish::default() }, &[]),
        (Wish { changed: only("a.test", held), ..Wish::default() }, &[Widens::OutcomeChanged]),
        (Wish { changed: only("a.test", content), ..Wish::default() }, &[Widens::ActsAdded]),
        (Wish { changed: only("a.test", fewer), ..Wish::default() }, &[]),
        (Wish { changed: only("a.test", tested), ..Wish::default() }, &[Widens::EffectChanged]),
        (Wish { expires: Some("2026-12-25T17:00:00-05:00"), ..Wish::default() }, &[Widens::ExpiryLater]),
        (Wish { expires: Some("2026-12-01T17:00:00-05:00"), ..Wish::default() }, &[]),
        // The same instant in another zone is no later.
        (Wish { expires: Some("2026-12-11T22:00:00+00:00"), ..Wish::default() }, &[]),
    ] {
        let found: Vec<Widens> = amendment(&base, &wish).widens(&base).into_iter().collect();
        assert_eq!(found, ways);
    }
}

#[test]
fn a_name_that_leaves_is_answered_for_and_nothing_else_is_done_with_it() {
    let base = in_force(&["a.test", "b.test"]);
    let after = base.amended(&amendment(&base, &Wish { removed: only("a.test", redirected()), ..Wish::default() }));
    let after = after.unwrap();
    let gone = name("www.a.test");
    assert!(base.covers(&gone, Act::RecordMetadata).is_some());
    let coverage = after.covers(&gone, Act::Answer).unwrap();
    assert_eq!(coverage.apex(), &name("a.test"));
    assert!(coverage.has_lapsed("2026-11-28T12:00:00Z".parse().unwrap()), "it is held, whatever its order says");
    for act in Act::ALL.into_iter().filter(|act| *act != Act::Answer) {
        assert!(after.covers(&gone, act).is_none(), "{act:?}");
    }
    assert!(after.covers(&name("b.test"), Act::RecordMetadata).is_some());
    assert_eq!((after.version(), after.status()), (2, OrderStatus::InForce));
    assert_ne!(after.digest(), base.digest());
}

#[test]
fn a_name_that_is_held_instead_of_redirected_does_not_go_dark_before_the_registry_acts() {
    let base = in_force(&["a.test", "b.test"]);
    let held = Listed { outcome: NameOutcome::Hold, ..redirected() };
    let after = base.amended(&amendment(&base, &Wish { changed: only("a.test", held), ..Wish::default() })).unwrap();
    assert!(after.covers(&name("a.test"), Act::Answer).unwrap().has_lapsed("2026-11-28T12:00:00Z".parse().unwrap()));
    let back = after.amended(&amendment(&after, &Wish { changed: only("a.test", redirected()), ..Wish::default() }));
    let coverage = back.unwrap().covers(&name("a.test"), Act::Answer).unwrap();
    assert!(!coverage.has_lapsed("2026-11-28T12:00:00Z".parse().unwrap()));
}

#[test]
fn what_does_not_fit_the_order_as_it_stands_is_refused() {
    let base = in_force(&["a.test", "b.test"]);
    let refused = |order: &Order, wish: &Wish, why: &str| {
        let told = order.amended(&amendment(&base, wish)).unwrap_err().what;
        assert!(told.contains(why), "{told}");
    };
    let more = Wish { added: only("c.test", redirected()), ..Wish::default() };
    refused(&in_force(&["a.test"]), &more, "does not start from order o-1 as it stands");
    refused(&base, &Wish { added: only("a.test", redirected()), ..Wish::default() }, "is in order o-1 already");
    refused(&base, &Wish { removed: only("c.test", redirected()), ..Wish::default() }, "is not in order o-1");
    let all = base.names().clone();
    refused(&base, &Wish { removed: all, ..Wish::default() }, "would list no name");
    refused(&base, &Wish { changed: only("a.test", redirected()), ..Wish::default() }, "nothing of order o-1 changes");
    let mut lapsed = base.clone();
    lapsed.lapse();
    refused(&lapsed, &more, "has lapsed");
    let other = only("x.test", redirected());
    let terms = amendment(&base, &more).terms().clone();
    assert!(Amendment::with_sets(terms, |_| Some(other.clone())).is_err(), "the set is not what its digest says");
}

#[test]
fn a_draft_has_nobody_to_release() {
    let base = draft(&["a.test", "b.test"]);
    let after = base.amended(&amendment(&base, &Wish { removed: only("a.test", redirected()), ..Wish::default() }));
    let after = after.unwrap();
    assert!(after.released().is_empty() && after.status() == OrderStatus::Draft);
}
