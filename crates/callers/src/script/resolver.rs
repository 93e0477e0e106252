//! Resolvers that ask for others: all types, names below the seized ones, names of nobody, some over TCP.

use model::DomainName;
use wire::dns::rtype::{A, AAAA, MX, NS, SOA, TXT};

use crate::act::Act;
use crate::cast::Caller;
use crate::dice::Dice;
use crate::question::{HTTPS, Question};

/// What people and programs have below a name.
const BELOW: [&str; 6] = ["www", "mail", "login", "autodiscover", "owa", "cdn.static"];
/// A type that no program knows (RFC 3597 calls it TYPE65280).
const PRIVATE_TYPE: u16 = 65_280;
/// Questions that one resolver asks in a run over UDP.
const QUESTIONS: usize = 8;

pub(super) fn script(caller: &Caller, names: &[DomainName], dice: &mut Dice) -> Vec<Act> {
    let types = [A, A, A, AAAA, AAAA, HTTPS, MX, TXT, NS, SOA, PRIVATE_TYPE];
    let mut acts: Vec<Act> = (0..QUESTIONS)
        .map(|_| {
            let name = asked_name(names, dice);
            let qtype = *dice.pick(&types);
            let is_old = dice.one_in(6);
            let question =
                if is_old { Question::plain(&name, qtype, dice) } else { Question::modern(&name, qtype, dice) };
            Act::Ask { resolver: caller.address, question }
        })
        .collect();
    if dice.one_in(4) {
        let name = dice.pick(names).clone();
        acts.push(Act::AskOverTcp([A, AAAA, SOA].map(|qtype| Question::modern(&name, qtype, dice)).to_vec()));
    }
    acts
}

fn asked_name(names: &[DomainName], dice: &mut Dice) -> DomainName {
    let apex = dice.pick_popular(names);
    match dice.below(12) {
        0 => DomainName::parse("nobody.example").expect("an RFC 2606 name parses"),
        1..=3 => {
            DomainName::parse(&format!("{}.{}", dice.pick(&BELOW), apex.as_str())).unwrap_or_else(|_| apex.clone())
        }
        _ => apex.clone(),
    }
}
