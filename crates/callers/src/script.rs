//! What each caller does, as a list of acts: a pure function of the plan's seed and the caller.
//!
//! Scripts imitate: user agents, header order, retries and mistakes are those seen in the field, so that the labels
//! have something to tell apart. They never name a real host but the seized names; links come from RFC 2606 names.

use model::DomainName;
use wire::dns::rtype;

use crate::act::{Act, Door, Request, TlsVersions};
use crate::cast::{Caller, Role, resolver_of};
use crate::dice::Dice;
use crate::question::Question;
use crate::request::Draft;
use crate::secret::Passwords;

mod garbler;
mod machine;
mod passerby;
mod person;
mod resolver;
mod scanner;

/// What scripts are made of besides the caller itself.
pub(crate) struct Stage<'a> {
    pub(crate) seed: u64,
    pub(crate) names: &'a [DomainName],
    pub(crate) passwords: &'a Passwords,
}

/// The acts of one caller, in order.
pub(crate) fn script(caller: &Caller, stage: &Stage<'_>) -> Vec<Act> {
    let mut dice = Dice::new(stage.seed, stream(caller));
    match caller.role {
        Role::InfectedMachine => machine::script(caller, stage.names, &mut dice),
        Role::Person => person::script(caller, stage, &mut dice),
        Role::Crawler => passerby::crawler(stage.names, &mut dice),
        Role::LinkPreview => passerby::preview(stage.names, &mut dice),
        Role::Scanner => scanner::script(stage.names, &mut dice),
        Role::Resolver => resolver::script(caller, stage.names, &mut dice),
        Role::Malformed => garbler::script(stage.names, &mut dice),
    }
}

/// Every caller has chance of its own, whoever else there is.
fn stream(caller: &Caller) -> u64 {
    (caller.role as u64 + 1) << 48 | caller.number
}

//----------- Phrases that several scripts use ---------------------------------------------------------------------

/// The caller's resolver looks the name up.
fn look_up(caller: &Caller, name: &DomainName, dice: &mut Dice) -> Act {
    Act::Ask { resolver: resolver_of(caller), question: Question::modern(name, rtype::A, dice) }
}

/// TLS with the name in SNI, as nearly everyone does it.
fn tls(name: &DomainName, dice: &mut Dice) -> Door {
    let versions = *dice.pick(&[TlsVersions::Both, TlsVersions::Both, TlsVersions::Only12, TlsVersions::Only13]);
    Door::Tls { sni: Some(name.clone()), versions }
}

/// A GET with Host and User-Agent and nothing else.
fn get(name: &DomainName, target: &str, user_agent: &str) -> Draft {
    Draft::new("GET", target).header("Host", name.as_str()).header("User-Agent", user_agent).header("Accept", "*/*")
}

fn visit(door: Door, request: Request) -> Act {
    Act::Visit { door, requests: vec![request] }
}

fn random_octets(dice: &mut Dice) -> [u8; 32] {
    let mut octets = [0; 32];
    for part in octets.chunks_mut(8) {
        part.copy_from_slice(&dice.roll().to_be_bytes());
    }
    octets
}

#[cfg(test)]
mod tests;
