//! What our own servers, resolvers and the trap said.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rcode;
use model::check::{Check, Finding};

use super::{Said, Target, addresses, open, weigh};
use crate::verify::seen::{Seen, Unheard, WebAnswer, WebSeen};

/// So many resolvers have to agree.
const RESOLVERS_MIN: usize = 2;

pub(super) fn our_answer(target: &Target, seen: &Seen) -> Finding {
    let check = Check::OurAnswer;
    let (mut wrong, mut unheard) = (Said::default(), Said::default());
    for server in &target.name_servers {
        match seen.addresses.get(server) {
            Some(Ok(found)) if !found.is_empty() => {}
            Some(Ok(_)) | None => wrong.note("has no address", server.as_str()),
            Some(Err(why)) => unheard.note(format!("its address was not found ({why})"), server.as_str()),
        }
    }
    let mut answers = BTreeSet::new();
    for ours in &seen.ours {
        match (&ours.said, &target.answers) {
            (Ok(found), Some(right)) if !are(found, right) => {
                wrong.note(other_answer(found, right), ours.place.to_string());
            }
            (Ok(found), _) => drop(answers.insert(found.clone())),
            // Whatever keeps a server of ours from answering keeps it from everybody; a limit of ours keeps only us.
            (Err(Unheard::Theirs(why)), _) => wrong.note(why, ours.place.to_string()),
            (Err(Unheard::Ours(why)), _) => unheard.note(why, ours.place.to_string()),
        }
    }
    if target.answers.is_none() {
        let what = "nobody has said what to answer (`answers` in the order, the case or [verify], or [answer])";
        unheard.note(what, target.name.as_str());
    }
    if answers.len() > 1 {
        let each: Vec<String> = answers.iter().map(addresses_of).collect();
        wrong.note("our servers do not agree", each.join(" against "));
    }
    let holds = format!("{} with authority", answers.first().map(addresses_of).unwrap_or_default());
    if seen.ours.is_empty() && wrong.is_empty() && unheard.is_empty() {
        return open(check, seen, "the order names no server of ours");
    }
    weigh(check, seen, &wrong, &unheard, holds)
}

fn addresses_of(all: &Vec<IpAddr>) -> String {
    addresses(all)
}

fn are(found: &[IpAddr], right: &BTreeSet<IpAddr>) -> bool {
    found.iter().copied().collect::<BTreeSet<_>>() == *right
}

fn other_answer(found: &[IpAddr], right: &BTreeSet<IpAddr>) -> String {
    format!("answers {}, not {}", addresses(found), addresses(right))
}

/// What has to be answered: what was said, or else what our servers say, if they say one thing.
fn right_answer(target: &Target, seen: &Seen) -> Option<BTreeSet<IpAddr>> {
    let mut said = seen.ours.iter().filter_map(|ours| ours.said.as_ref().ok());
    let ours = || {
        let first = said.next()?;
        said.all(|other| other == first).then(|| first.iter().copied().collect())
    };
    target.answers.clone().or_else(ours)
}

pub(super) fn resolvers(target: &Target, seen: &Seen) -> Finding {
    let check = Check::Resolvers;
    let Some(right) = right_answer(target, seen) else {
        return open(check, seen, "our own servers give nothing to compare with");
    };
    let (mut wrong, mut unheard, mut agree) = (Said::default(), Said::default(), Vec::new());
    for one in &seen.resolvers {
        match &one.said {
            Err(why) => unheard.note(why, one.resolver.clone()),
            Ok(said) if said.rcode == Rcode::NOERROR && are(&said.addresses, &right) => {
                agree.push(one.resolver.as_str());
            }
            Ok(said) if said.rcode == Rcode::NOERROR => {
                wrong.note(other_answer(&said.addresses, &right), one.resolver.clone());
            }
            Ok(said) => {
                let reason = said.reason.map(|code| format!(" (EDE {code})")).unwrap_or_default();
                wrong.note(format!("{}{reason}", said.rcode), one.resolver.clone());
            }
        }
    }
    // Who did not answer is no witness; enough others are.
    if wrong.is_empty() && agree.len() >= RESOLVERS_MIN {
        return weigh(check, seen, &wrong, &Said::default(), format!("{}: {}", addresses(&right), agree.join(", ")));
    }
    if wrong.is_empty() {
        let who = if agree.is_empty() { "nobody".to_owned() } else { agree.join(", ") };
        unheard.note(format!("{} of {RESOLVERS_MIN} resolvers agree", agree.len()), who);
    }
    weigh(check, seen, &wrong, &unheard, String::new())
}

/// Why nobody visited the trap.
fn unvisited(seen: &Seen) -> &'static str {
    let mut heard = seen.ours.iter().filter_map(|ours| ours.said.as_ref().ok()).peekable();
    if heard.peek().is_none() {
        "no server of ours was heard, so there is no address to visit"
    } else if heard.any(|addresses| !addresses.is_empty()) {
        "the time of the look ran out before the visit ended"
    } else {
        "our own servers give no address to visit"
    }
}

/// Only what proves that it holds the key is our trap; anything may answer at an address.
pub(super) fn web(check: Check, web: Option<&WebSeen>, seen: &Seen) -> Finding {
    let Some(web) = web else {
        return open(check, seen, unvisited(seen));
    };
    let (mut wrong, mut unheard, mut right) = (Said::default(), Said::default(), String::new());
    match &web.said {
        Err(Unheard::Theirs(why)) => wrong.note(why, web.address.clone()),
        Err(Unheard::Ours(why)) => unheard.note(why, web.address.clone()),
        Ok(answer) if answer.is_ours => right = format!("our trap at {} answered {}", web.address, answer.status),
        Ok(WebAnswer { status, server, .. }) => {
            let what = server.as_ref().map(|server| format!(" (it calls itself {server})")).unwrap_or_default();
            wrong.note(format!("something else than our trap answered {status}{what}"), web.address.clone());
        }
    }
    weigh(check, seen, &wrong, &unheard, right)
}
