//! Exactly what two people are shown before they approve, as a value with a digest and as text.
//!
//! An approval is bound to the digest of this value's canonical JSON. Everything that decides what will happen is in
//! it: the act, the case with its withheld recipients, the order, each name with outcome and acts, and the digest of
//! the case file, which holds the claims that contradict the case. Whatever changes, changes the digest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::Digest;
use model::amendment::Amendment;
use model::answers::AnswerSet;
use model::approval::Widening;
use model::case::{AnswerPolicy, CaseTerms, NoticeStatus};
use model::digest::canonical_json;
use model::marking::Retention;
use model::name::DomainName;
use model::order::{Act, Acts, Authority, Listed, NameOutcome, Order, OrderTerms, Sourced};
use model::seizure::AnswerEffect;
use serde::Serialize;
use store::view::CaseView;

mod difference;

pub use difference::{Moved, ShownAddition, ShownAmendment, ShownChange};

/// What is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    pub act: Widening,
    pub exercise: bool,
    pub case: CaseTerms,
    /// The digest of the case file.
    pub file: Digest,
    pub order: OrderTerms,
    pub names: Vec<ShownNames>,
    /// What changes, where an order is amended: the names that stay are not said again, and stand in the base's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amendment: Option<Box<ShownAmendment>>,
}

/// Names to which the same shall happen, in order of name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownNames {
    pub outcome: NameOutcome,
    pub acts: Acts,
    #[serde(skip_serializing_if = "AnswerEffect::is_unknown")]
    pub answer_effect: AnswerEffect,
    pub names: Vec<DomainName>,
}

/// Names with the same outcome, acts and effect together.
pub(crate) fn grouped<'a>(names: impl IntoIterator<Item = (&'a DomainName, &'a Listed)>) -> Vec<ShownNames> {
    let mut groups: BTreeMap<(NameOutcome, u8, AnswerEffect), Vec<DomainName>> = BTreeMap::new();
    for (name, listed) in names {
        let same = (listed.outcome, listed.acts.to_bits(), listed.answer_effect);
        groups.entry(same).or_default().push(name.clone());
    }
    let group = |((outcome, acts, answer_effect), names)| {
        let acts = Acts::from_bits(acts);
        ShownNames { outcome, acts, answer_effect, names }
    };
    groups.into_iter().map(group).collect()
}

impl ShownNames {
    fn write(&self, how: &str, text: &mut String) {
        let acts = join(self.acts.iter().map(Act::as_str));
        let _ = writeln!(text, "\n{how}{}: {}; allowed: {acts}", counted(self.names.len()), self.outcome.as_str());
        if !self.answer_effect.is_unknown() {
            let _ = writeln!(text, "  {}", effect(self.answer_effect));
        }
        for name in &self.names {
            let _ = writeln!(text, "  {}", name.defanged());
        }
    }
}

impl Shown {
    pub fn of(case: &CaseView, order: &Order, act: Widening) -> Self {
        if let Widening::Amend(amend) = &act
            && let Some(pending) = case.amendments.pending(&amend.order)
        {
            return Self::amending(case, order, &pending.amendment, act);
        }
        let names = match &act {
            Widening::Serve(_) if case.has_been_served(&order.terms().id) => grouped(case.to_serve(order)),
            _ => grouped(order.names()),
        };
        Self::with(case, order, act, names, None)
    }

    /// The difference between an order and its next version.
    pub(crate) fn amending(case: &CaseView, order: &Order, amendment: &Amendment, act: Widening) -> Self {
        Self::with(case, order, act, Vec::new(), Some(Box::new(ShownAmendment::of(order, amendment))))
    }

    fn with(
        case: &CaseView,
        order: &Order,
        act: Widening,
        names: Vec<ShownNames>,
        amendment: Option<Box<ShownAmendment>>,
    ) -> Self {
        Self {
            act,
            exercise: order.terms().authority.is_exercise(),
            case: case.terms.clone(),
            file: case.file,
            order: order.terms().clone(),
            names,
            amendment,
        }
    }

    pub fn digest(&self) -> Digest {
        Digest::of_value(self)
    }

    /// RFC 8785 bytes: the digest is theirs.
    pub fn canonical(&self) -> Vec<u8> {
        canonical_json(self)
    }

    pub fn name_count(&self) -> usize {
        self.names.iter().map(|group| group.names.len()).sum()
    }

    /// The same for people: names defanged, every statement with its source.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_head(&mut text);
        write_authority(&mut text, &self.order.authority);
        line(&mut text, "name servers", &join(self.order.name_servers.iter().map(DomainName::as_str)));
        if let Some(set) = self.order.answers.as_ref().or(self.case.answers.as_ref()) {
            line(&mut text, "resolves to", &resolves_to(set));
        }
        if let Some(amendment) = &self.amendment {
            amendment.write(&mut text);
        }
        self.names.iter().for_each(|group| group.write("", &mut text));
        let _ = writeln!(text, "\ndigest        {}", self.digest());
        text
    }

    fn write_head(&self, text: &mut String) {
        let act = match &self.act {
            Widening::PutInForce(_) => "Put in force",
            Widening::Serve(_) => "Serve the redirected names of",
            Widening::Unseal(_) => "Lift the seal of",
            Widening::SharePolicy(_) => "Share under a policy from",
            Widening::ReleaseWithheld(_) => "Release withheld data of",
            Widening::PurgeEvidence(_) => "Destroy evidence of",
            Widening::ReleaseHold(_) => "Release a legal hold on the case of",
            Widening::Amend(_) => "Amend",
        };
        let _ = writeln!(text, "{act} order {} of case {}\n", self.order.id, self.case.id);
        if self.exercise {
            line(text, "EXERCISE", "loopback only, marked everywhere, never promoted");
        }
        line(text, "case", &self.case.title);
        line(text, "group", &format!("{} ({})", self.case.group.name, self.case.group.id));
        line(text, "contact", &self.case.contact);
        line(text, "purpose", &sourced(&self.case.purpose));
        line(text, "shared up to", self.case.tlp.0.label());
        let withheld = &self.case.withheld;
        let recipients = withheld.countries.iter().map(ToString::to_string);
        let recipients = recipients.chain(withheld.networks.iter().map(ToString::to_string));
        let recipients = recipients.chain(withheld.asns.iter().map(ToString::to_string));
        line(text, "withheld", &join(recipients.chain(withheld.recipients.iter().cloned())));
        line(text, "answers with", answers(self.case.answer));
        self.write_notice(text);
        line(text, "kept", &kept(&self.case.retention));
        line(text, "case file", &self.file.to_string());
    }

    /// Only what the case says itself: a default needs no line.
    fn write_notice(&self, text: &mut String) {
        let notice = &self.case.notice;
        if notice.status != NoticeStatus::Ok {
            line(text, "page's status", &notice.status.code().to_string());
        }
        if let Some(holder) = &notice.holder {
            line(text, "names held by", holder);
        }
        if let Some(contact) = &notice.sealed_contact {
            line(text, "while sealed", &format!("people write to {contact}"));
        }
    }
}

fn write_authority(text: &mut String, authority: &Authority) {
    line(text, "authority", authority.instrument.as_str());
    line(text, "issuer", &sourced(&authority.issuer));
    if let Some(country) = &authority.country {
        line(text, "country", country.as_str());
    }
    let dates = [
        ("docket", authority.docket_number.as_ref().map(sourced)),
        ("judge", authority.judge.as_ref().map(sourced)),
        ("issued", authority.issued.as_ref().map(sourced)),
        ("hearing", authority.hearing.as_ref().map(sourced)),
        ("expires", authority.expires.as_ref().map(sourced)),
        ("sealed until", authority.sealed_until.as_ref().map(sourced)),
    ];
    for (label, value) in dates {
        line(text, label, value.as_deref().unwrap_or("not stated"));
    }
}

fn kept(retention: &Retention) -> String {
    let Retention { addresses_days, raw_days, verdicts_days, contacts_days, accounts_days, returned_days } = retention;
    let mut text = format!("addresses {addresses_days} days whole, raw heads {raw_days} days");
    for (what, days) in [
        ("verdicts", verdicts_days),
        ("contacts", contacts_days),
        ("sealed account names", accounts_days),
        ("what was recorded of a name, after its return,", returned_days),
    ] {
        if let Some(days) = days {
            let _ = write!(text, ", {what} {days} days");
        }
    }
    text
}

/// What the names resolve to where case or order say so; else the operator's configuration does.
fn resolves_to(set: &AnswerSet) -> String {
    let addresses = join(set.addresses().map(|address| address.to_string()));
    set.ttl_secs.map_or(addresses.clone(), |ttl_secs| format!("{addresses}, believed for {ttl_secs} s"))
}

/// What an answer may set off, for people.
pub fn effect(effect: AnswerEffect) -> &'static str {
    match effect {
        AnswerEffect::Unknown => "nobody has looked what an answer sets off",
        AnswerEffect::Tested => "tested: an answer does no harm",
        AnswerEffect::KillSwitch => "KILL SWITCH: an answer keeps something from running; these names never lapse",
        AnswerEffect::FallbackTrigger => "FALLBACK: an answer makes the caller look for another way home",
        AnswerEffect::Destructive => "DESTRUCTIVE: an answer makes the caller destroy something",
    }
}

/// `1 name`, `98 names`
pub fn counted(names: usize) -> String {
    if names == 1 { "1 name".into() } else { format!("{names} names") }
}

fn answers(policy: AnswerPolicy) -> &'static str {
    match policy {
        AnswerPolicy::Notice => "a page with case, contact, and why you are here",
        AnswerPolicy::Empty => "an empty page",
        AnswerPolicy::Close => "nothing: the connection closes",
    }
}

fn line(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "{label:<14}{}", if value.is_empty() { "none" } else { value });
}

fn sourced<T: std::fmt::Display>(statement: &Sourced<T>) -> String {
    format!("{} [{}]", statement.value, statement.source)
}

fn join<T: AsRef<str>>(parts: impl Iterator<Item = T>) -> String {
    parts.fold(
        String::new(),
        |text, part| if text.is_empty() { part.as_ref().into() } else { text + ", " + part.as_ref() },
    )
}
