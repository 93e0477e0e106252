//! How much of the ledger an export shows: by profile, seal, light and act.

mod golden;

use bailiwick_share::{Profile, Showing, showing};
use golden::{Terms, at, case_id};
use model::Digest;
use model::approval::Approval;
use model::case::CaseState;
use model::fact::{Actor, Body, Draft, Fact};
use model::id::{CaseId, PersonId, Position, RequestId};
use model::marking::Tlp;
use model::order::Act;
use model::person::Role;

fn fact(body: Body) -> Fact {
    Draft::new(Actor::LocalUser { uid: 0 }, body).at(Position(3), at("2019-03-27T12:00:00Z"))
}

fn advanced(case: CaseId) -> Fact {
    fact(Body::CaseAdvanced { case, to: CaseState::Executed, documents: Vec::new() })
}

fn learned(terms: &Terms) -> Fact {
    let (case, group, indicator) = terms.view().indicators[0].clone();
    fact(Body::IndicatorLearned { case, group, indicator })
}

/// For the public, a partner, the court of this case, and that of another.
fn shown(terms: &Terms, fact: &Fact) -> [Showing; 4] {
    let other = CaseId::parse("other").unwrap();
    let profiles = [Profile::Public, Profile::Partner, Profile::Court(case_id()), Profile::Court(other)];
    profiles.map(|profile| showing(&terms.view(), fact, &profile, at("2019-03-28T00:00:00Z")))
}

use Showing::{Kind, Nothing, Whole};

#[test]
fn a_case_is_whole_to_its_court_and_to_partners_and_a_kind_to_the_public() {
    assert_eq!(shown(&Terms::default(), &advanced(case_id())), [Kind, Whole, Whole, Nothing]);
    assert_eq!(shown(&Terms::default(), &learned(&Terms::default())), [Kind, Whole, Whole, Nothing]);
}

#[test]
fn a_sealed_case_is_seen_by_its_court_alone_until_the_day() {
    let sealed = |day| Terms { sealed_until: Some(day), ..Terms::default() };
    assert_eq!(shown(&sealed("2019-03-29"), &advanced(case_id())), [Nothing, Nothing, Whole, Nothing]);
    assert_eq!(shown(&sealed("2019-03-28"), &advanced(case_id())), [Kind, Whole, Whole, Nothing]);
}

#[test]
fn what_is_not_for_partners_is_a_kind_to_them() {
    let red = Terms { tlp: Tlp::AmberStrict, ..Terms::default() };
    assert_eq!(shown(&red, &advanced(case_id())), [Kind, Kind, Whole, Nothing]);
    let unshared = Terms { acts: vec![Act::Delegate, Act::Answer, Act::RecordMetadata], ..Terms::default() };
    assert_eq!(shown(&unshared, &learned(&unshared)), [Kind, Kind, Whole, Nothing]);
    assert_eq!(shown(&unshared, &advanced(case_id())), [Kind, Whole, Whole, Nothing]);
}

#[test]
fn what_belongs_to_no_case_is_whole_to_nobody_and_an_unknown_case_is_nothing() {
    let refused = fact(Body::Refused { tried: "x".into(), why: "y".into() });
    assert_eq!(shown(&Terms::default(), &refused), [Kind, Kind, Nothing, Nothing]);
    let stray = advanced(CaseId::parse("stray").unwrap());
    assert_eq!(shown(&Terms::default(), &stray), [Nothing; 4]);
    let person = PersonId::parse("alice").unwrap();
    let approval = Approval { request: RequestId(99), person, role: Role::Legal, shown: Digest::of_bytes(b"") };
    assert_eq!(shown(&Terms::default(), &fact(Body::ApprovalGiven { approval })), [Kind, Kind, Nothing, Nothing]);
}
