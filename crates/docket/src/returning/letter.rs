//! The letter to the owner of a name that goes back, and to the registrar: what was done, when, by which authority, why it
//! ends, and what they may ask for.
//!
//! It names no group and no case. While the case is sealed it names neither court nor docket, and a reason that mentions
//! them is held back. The name stands as its owner writes it: it is theirs.

use std::fmt::Write as _;

use model::order::{NameOutcome, Order};
use model::time::{Date, utc_day};
use model::{DomainName, Timestamp};
use store::view::{CapturedView, CaseView};

use super::mention::mentions;
use super::{Wish, purge_day, reference, to_the_second};
use crate::evidence::inert::inert;

/// What a letter is made of.
pub struct Letter<'a> {
    case: &'a CaseView,
    order: &'a Order,
    name: &'a DomainName,
    outcome: NameOutcome,
    reason: &'a str,
    returned: Timestamp,
    was_served: bool,
    purged: Option<Date>,
    now: Timestamp,
}

impl<'a> Letter<'a> {
    pub(super) fn of(wish: &Wish<'a>, name: &'a DomainName, order: &'a Order) -> Self {
        let Wish { case, reason, now, .. } = *wish;
        let returned = to_the_second(case.returned.get(name).copied().unwrap_or(now));
        let known = case.names.get(name);
        let outcome = known.as_ref().map(|known| known.outcome).unwrap_or_default();
        let was_served = known.is_some_and(|known| known.mode.is_some());
        let purged = wish.returned_days.and_then(|days| purge_day(days, returned));
        Self { case, order, name, outcome, reason, returned, was_served, purged, now }
    }

    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if self.order.terms().authority.is_exercise() {
            text.push_str("EXERCISE. Nothing in this letter is about a real name or a real event.\n\n");
        }
        let (name, contact) = (self.name.as_str(), &self.case.terms.contact);
        let _ = writeln!(text, "From: {contact}");
        let _ = writeln!(text, "To:   the owner of {name}, and the registrar through whom it is registered");
        let _ = writeln!(text, "Date: {}", utc_day(self.now));
        let _ = writeln!(text, "Ref:  {}\n", reference(&self.case.terms.id, self.name, self.now));
        let _ = writeln!(text, "{name} is yours again\n");
        let _ = writeln!(text, "What was done\n\n{}", wrapped(&self.done()));
        let _ = writeln!(text, "\nBy which authority\n\n{}", wrapped(&self.authority()));
        let _ = writeln!(text, "\nWhy it goes back\n\n{}", wrapped(&self.why()));
        let _ = writeln!(text, "\nHow it stands now\n\n{}", wrapped(&self.stands()));
        let _ = writeln!(text, "\nWhat was recorded\n\n{}", wrapped(&self.recorded()));
        let asks = format!(
            "You may ask us what was recorded of your name, what was told to others about it, and for a correction or an \
             earlier erasure. If your records have changed meanwhile, send us your zone file: it is served within a second \
             of our taking it. Write to {contact} and name the reference above."
        );
        let _ = writeln!(text, "\nWhat you may ask for\n\n{}", wrapped(&asks));
        text
    }

    fn done(&self) -> String {
        let name = self.name.as_str();
        let what = match self.outcome {
            NameOutcome::Redirect => "was directed to name servers of ours",
            NameOutcome::Hold => "was taken out of its zone (hold)",
            NameOutcome::LockOnly => "was locked against changes",
            NameOutcome::Transfer => "was ordered to another registrar",
            NameOutcome::Delete => "was ordered to be deleted",
            NameOutcome::BlockRegistration => "was blocked from registration",
            NameOutcome::ProviderRemoval => "was ordered to be removed by its provider",
        };
        let since = self.case.watch.served.filter(|_| self.was_served);
        let since = since.map(|since| format!(", from {} at the earliest", to_the_second(since))).unwrap_or_default();
        format!("{name} {what}{since}. It was handed back at {} (UTC).", self.returned)
    }

    /// The paper, unless it is sealed.
    fn authority(&self) -> String {
        if self.case.is_sealed(self.now) {
            return "An order of which we may not say more today. Ask us for it by the reference above.".to_owned();
        }
        let authority = &self.order.terms().authority;
        let docket = authority.docket_number.as_ref().map(|number| format!(", {}", inert(&number.value)));
        let issued = authority.issued.as_ref().map(|issued| format!(", issued {}", issued.value));
        let (docket, issued) = (docket.unwrap_or_default(), issued.unwrap_or_default());
        format!("{} of {}{docket}{issued}", authority.instrument.as_str(), inert(&authority.issuer.value))
    }

    fn why(&self) -> String {
        let is_told = !self.case.is_sealed(self.now) || !self.mentions_what_is_sealed();
        if is_told {
            inert(self.reason)
        } else {
            "The reason is on file with us, and may not be told today.".to_owned()
        }
    }

    /// Case, court and number, by any order of the case, and the group by any of its names.
    fn mentions_what_is_sealed(&self) -> bool {
        let terms = &self.case.terms;
        let of_orders = self.case.orders.values().flat_map(|order| {
            let authority = &order.terms().authority;
            let docket = authority.docket_number.as_ref().map(|number| number.value.as_str());
            let judge = authority.judge.as_ref().map(|judge| judge.value.as_str());
            [Some(order.terms().id.as_str()), Some(authority.issuer.value.as_str()), docket, judge]
                .into_iter()
                .flatten()
        });
        let group = &terms.group;
        let called = group.aliases.iter().map(|alias| alias.name.as_str());
        let secret = [terms.id.as_str(), terms.title.as_str(), group.id.as_str(), group.name.as_str()];
        secret.into_iter().chain(called).chain(of_orders).any(|one| mentions(self.reason, one))
    }

    fn stands(&self) -> String {
        if !self.was_served {
            return "Whoever changed it at the registry is asked to undo that.".to_owned();
        }
        let answers = match self.case.captured.get(self.name) {
            Some(CapturedView { count, recorded, .. }) => {
                format!("with the {count} records that you had, as they were written down on {}", utc_day(*recorded))
            }
            None => "with nothing but SOA and NS, because nobody has given us the records that you had: your site and \
                     mail do not work until the delegation is undone, or until you send us your zone file"
                .to_owned(),
        };
        format!(
            "Until the registry has undone the delegation the world still asks our name servers. They answer {answers}.\n  \
             Whoever changed it at the registry is asked to undo that."
        )
    }

    fn recorded(&self) -> String {
        if !self.was_served {
            return "Nothing: the name was never answered for by us.".to_owned();
        }
        let until = match (self.purged, self.case.holds.is_empty()) {
            (_, false) => "A legal hold keeps what was recorded until it ends.".to_owned(),
            (Some(day), true) => format!("What was recorded of the name is erased on {day}."),
            (None, true) => "What was recorded of the name is erased as everything else of its kind.".to_owned(),
        };
        format!(
            "Under that authority, who called the name and when. From {} (UTC) on nothing is recorded.\n  {until}",
            self.returned
        )
    }
}

/// The longest line of a letter.
const WIDTH: usize = 96;

/// Lines of that width, set in; a word that is longer stands alone.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for paragraph in text.lines() {
        if lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
        }
        for word in paragraph.split_whitespace() {
            let line = lines.last_mut().expect("there is always one");
            if line.is_empty() {
                *line = format!("  {word}");
            } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
                line.push(' ');
                line.push_str(word);
            } else {
                lines.push(format!("  {word}"));
            }
        }
    }
    lines.join("\n")
}
