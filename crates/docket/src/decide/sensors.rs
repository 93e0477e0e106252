//! Sensors: a token is offered, spent once, and what it brought can be revoked.
//!
//! Whoever sits at the core's machine offers and revokes, and so does a real admin or operator; neither widens what is done
//! with anybody's name, which takes two people as ever. Enrolling is done by the program itself, for whoever shows the token.

use model::fact::{Actor, Body};
use model::id::{SensorId, SensorName};
use model::person::Role;
use model::{Digest, Refusal, Timestamp};
use store::view::{EnrolmentOffer, View};

use super::{Decision, Done, acting_person, check_text};

/// The most sensors of one core, and the most tokens that wait.
const SENSORS_MAX: usize = 4_096;
const OFFERS_MAX: usize = 256;

pub(super) fn offer(
    view: &View,
    name: &SensorName,
    (token, expires): (Digest, Timestamp),
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    may_change(view, actor)?;
    if view.sensors.is_taken(name) {
        return Err(Refusal::new(format!("{name} is a sensor already"))
            .hint("choose another name, or revoke the sensor that has it"));
    }
    if expires <= now {
        return Err(Refusal::new(format!("a token that expires at {expires} is of no use")));
    }
    if view.sensors.offers.len() >= OFFERS_MAX || view.sensors.known.len() >= SENSORS_MAX {
        return Err(Refusal::new(format!("at most {OFFERS_MAX} tokens wait, and {SENSORS_MAX} sensors are known")));
    }
    let body = Body::EnrolmentOffered { name: name.clone(), token, expires };
    Ok(Decision::of(actor, body, Done::Recorded))
}

/// A token that nobody has used yet ends now.
pub(super) fn withdraw(view: &View, name: &SensorName, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may_change(view, actor)?;
    let waits = |(_, offer): &(&Digest, &EnrolmentOffer)| offer.name == *name && offer.expires > now;
    let Some((token, _)) = view.sensors.offers.iter().find(waits) else {
        return Err(Refusal::new(format!("no token for {name} waits")).hint("see `bailiwick sensor list`"));
    };
    let body = Body::EnrolmentOffered { name: name.clone(), token: *token, expires: now };
    Ok(Decision::of(actor, body, Done::Recorded))
}

pub(super) fn enrol(
    view: &View,
    token: Digest,
    certificate: Digest,
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let name = view.sensors.offer(&token, now)?.name.clone();
    let sensor = view.sensors.next_id();
    let body = Body::SensorEnrolled { sensor: sensor.0, name: name.clone(), token, certificate };
    Ok(Decision::of(actor, body, Done::SensorEnrolled { sensor, name }))
}

pub(super) fn revoke(view: &View, sensor: SensorId, reason: &str, actor: &Actor) -> Result<Decision, Refusal> {
    may_change(view, actor)?;
    check_text("reason", reason)?;
    let missing = || Refusal::new(format!("there is no sensor {sensor}")).hint("see `bailiwick sensor list`");
    let known = view.sensors.known.get(&sensor).ok_or_else(missing)?;
    if let Some(at) = known.revoked {
        return Err(Refusal::new(format!("sensor {sensor} was revoked at {at}")));
    }
    let body = Body::SensorRevoked { sensor: sensor.0, reason: reason.trim().to_owned() };
    Ok(Decision::of(actor, body, Done::Recorded))
}

/// Anybody may know the token of a demo's person, and a sensor is nobody's exercise.
fn may_change(view: &View, actor: &Actor) -> Result<(), Refusal> {
    let Actor::Person { .. } = actor else { return Ok(()) };
    let person = acting_person(view, actor)?;
    let runs_the_machine = person.roles.iter().any(|role| matches!(role, Role::Admin | Role::Operator));
    if runs_the_machine && !person.fixture {
        return Ok(());
    }
    Err(Refusal::new(format!("{} may not say which sensors there are", person.id))
        .hint("it takes an admin or an operator who is no demo's person"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::decide::decide;

    fn noon() -> Timestamp {
        "2019-03-27T12:00:00Z".parse().unwrap()
    }

    fn later(secs: i64) -> Timestamp {
        Timestamp::from_second(noon().as_second() + secs).unwrap()
    }

    /// Decides, and takes what was decided.
    fn act(view: &mut View, command: Command, now: Timestamp) -> Result<Done, String> {
        let decision = decide(view, &command, &Actor::LocalUser { uid: 0 }, now).map_err(|refusal| refusal.what)?;
        for draft in decision.drafts {
            view.apply(&draft.at(view.next, now), |_| None).map_err(|refusal| format!("folding: {}", refusal.what))?;
        }
        Ok(decision.done)
    }

    fn offering(name: &str, token: u8, expires: Timestamp) -> Command {
        Command::OfferEnrolment { name: SensorName::parse(name).unwrap(), token: Digest([token; 32]), expires }
    }

    fn enrolling(token: u8, certificate: u8) -> Command {
        Command::EnrolSensor { token: Digest([token; 32]), certificate: Digest([certificate; 32]) }
    }

    #[test]
    fn a_token_is_spent_once_and_in_time() {
        let mut view = View::default();
        act(&mut view, offering("fra-1", 1, later(60)), noon()).unwrap();
        assert!(act(&mut view, enrolling(2, 9), noon()).unwrap_err().contains("nobody offered"));
        assert!(act(&mut view, enrolling(1, 9), later(60)).unwrap_err().contains("expired"));
        let name = SensorName::parse("fra-1").unwrap();
        let enrolled = Done::SensorEnrolled { sensor: SensorId(2), name };
        assert_eq!(act(&mut view, enrolling(1, 9), later(59)), Ok(enrolled));
        assert!(act(&mut view, enrolling(1, 8), later(59)).unwrap_err().contains("spent"));
        assert_eq!(view.sensors.by_certificate(&Digest([9; 32])).unwrap().0, SensorId(2));
        assert!(act(&mut view, offering("fra-1", 3, later(60)), noon()).unwrap_err().contains("a sensor already"));
    }

    #[test]
    fn who_is_revoked_is_nobody_and_its_number_is_never_given_again() {
        let mut view = View::default();
        act(&mut view, offering("fra-1", 1, later(60)), noon()).unwrap();
        act(&mut view, enrolling(1, 9), noon()).unwrap();
        let revoke = |sensor| Command::RevokeSensor { sensor: SensorId(sensor), reason: "stolen".into() };
        assert!(act(&mut view, revoke(3), noon()).unwrap_err().contains("no sensor 3"));
        act(&mut view, revoke(2), noon()).unwrap();
        assert!(view.sensors.by_certificate(&Digest([9; 32])).is_none());
        assert!(act(&mut view, revoke(2), noon()).unwrap_err().contains("was revoked"));
        act(&mut view, offering("fra-1", 2, later(60)), noon()).unwrap();
        let again = act(&mut view, enrolling(2, 10), noon());
        assert!(matches!(again, Ok(Done::SensorEnrolled { sensor: SensorId(3), .. })), "{again:?}");
    }

    #[test]
    fn a_token_that_nobody_used_is_withdrawn_by_an_admin() {
        use crate::decide::book::{Book, as_person, now, person, someone};
        let mut book = Book::default();
        for (id, role) in [("bea", Role::Investigator), ("root", Role::Admin)] {
            book.execute(&Command::EnrolPerson { person: person(id, &[role], false) }, &someone()).unwrap();
        }
        let expires = Timestamp::from_second(now().as_second() + 60).unwrap();
        book.execute(&offering("fra-1", 1, expires), &someone()).unwrap();
        let withdraw = Command::WithdrawOffer { name: SensorName::parse("fra-1").unwrap() };
        assert!(book.execute(&withdraw, &as_person("bea")).is_err());
        book.execute(&withdraw, &as_person("root")).unwrap();
        assert!(book.execute(&enrolling(1, 9), &someone()).unwrap_err().what.contains("expired"));
        let again = book.execute(&withdraw, &as_person("root")).unwrap_err();
        assert_eq!(again.what, "no token for fra-1 waits");
        book.execute(&offering("fra-1", 2, expires), &someone()).unwrap();
        book.execute(&enrolling(2, 9), &someone()).expect("the name is free for another token");
    }

    #[test]
    fn a_person_offers_as_a_real_admin_or_operator() {
        use crate::decide::book::{Book, as_person, person, someone};
        let mut book = Book::default();
        for (id, role, fixture) in
            [("ada", Role::Operator, false), ("bea", Role::Investigator, false), ("dem", Role::Operator, true)]
        {
            book.execute(&Command::EnrolPerson { person: person(id, &[role], fixture) }, &someone()).unwrap();
        }
        let expires = Timestamp::from_second(crate::decide::book::now().as_second() + 60).unwrap();
        for (id, may) in [("ada", true), ("bea", false), ("dem", false)] {
            assert_eq!(book.execute(&offering("fra-1", 1, expires), &as_person(id)).is_ok(), may, "{id}");
        }
    }

    #[test]
    fn an_offer_ends_in_the_future_and_another_takes_its_place() {
        let mut view = View::default();
        assert!(act(&mut view, offering("fra-1", 1, noon()), noon()).is_err());
        act(&mut view, offering("fra-1", 1, later(60)), noon()).unwrap();
        act(&mut view, offering("fra-1", 2, later(60)), noon()).unwrap();
        assert!(act(&mut view, enrolling(1, 9), noon()).is_err());
        act(&mut view, enrolling(2, 9), noon()).unwrap();
    }
}
