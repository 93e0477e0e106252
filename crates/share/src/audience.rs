//! Who sees what: decided here, once, before anything is rendered.
//!
//! | audience       | highest light | indicators | victims | what was learned without `share` |
//! |----------------|---------------|------------|---------|----------------------------------|
//! | public         | CLEAR         | yes        | no      | no                               |
//! | partners       | AMBER         | yes        | no      | no                               |
//! | network-owners | AMBER+STRICT  | yes        | yes     | no                               |
//! | court          | RED           | yes        | yes     | yes                              |
//! | internal       | RED           | yes        | yes     | yes                              |
//!
//! What the case withholds ([`Withholding`]) is in no row: it does not even enter a snapshot. Releasing it needs two
//! people and is another path, which this room does not have. A sealed case has no [`Face`]: its group and names are
//! told, its court, title, number and id are not.
//!
//! A renderer takes a [`Cleared`] and only this file makes one, so that no form can forget a rule.

mod withholding;

use model::fact::Indicator;
use model::group::Group;
use model::marking::{Audience, Tlp};
use model::{Digest, DomainName, Refusal, Timestamp};

pub(crate) use withholding::{Caller, Withholding};

use crate::custody::Action;
use crate::snapshot::{Face, Named, Snapshot, Victim};

/// What a form carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// Names, and what was learned of the group.
    Indicators,
    /// Who was caught.
    Victims,
}

//----------- Cleared ----------------------------------------------------------------------------------------------

/// What one audience may see of a snapshot.
#[derive(Debug)]
pub(crate) struct Cleared<'a> {
    pub(crate) tlp: Tlp,
    pub(crate) exercise: bool,
    pub(crate) group: &'a Group,
    /// `None` while the case is sealed.
    pub(crate) face: Option<&'a Face>,
    pub(crate) key: Digest,
    pub(crate) opened: Timestamp,
    pub(crate) changed: Timestamp,
    pub(crate) serial: u32,
    names: Vec<(&'a DomainName, Named)>,
    pub(crate) learned: Vec<&'a Indicator>,
    pub(crate) victims: Vec<&'a Victim>,
}

impl<'a> Cleared<'a> {
    /// Every name with what is to be done with it, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'a DomainName, Named)> + '_ {
        self.names.iter().copied()
    }

    /// The names with that action, in order.
    pub(crate) fn names_to(&self, action: Action) -> impl Iterator<Item = &'a DomainName> + '_ {
        self.names.iter().filter(move |(_, named)| named.action == action).map(|(name, _)| *name)
    }

    /// What is to be done with what was learned at a name.
    pub(crate) fn action_at(&self, apex: &DomainName) -> Action {
        let at = self.names.binary_search_by(|(name, _)| (*name).cmp(apex));
        at.map_or(Action::Withdraw, |at| self.names[at].1.action)
    }

    /// What a file of this case is called, without its ending.
    pub(crate) fn stem(&self) -> &'a str {
        self.face.map_or("feed", |face| face.id.as_str())
    }
}

/// What `audience` may see of the snapshot, or why it may see nothing.
pub(crate) fn clear(snapshot: &Snapshot, audience: Audience, content: Content) -> Result<Cleared<'_>, Refusal> {
    check_light(snapshot.tlp, audience)?;
    check_content(audience, content)?;
    check_order(snapshot)?;
    let may_learn =
        |apex: &DomainName| snapshot.names.get(apex).is_some_and(|named| is_inside(audience) || named.shareable);
    let names = snapshot.names.iter().map(|(name, named)| {
        let seen = named.seen.filter(|_| may_learn(name));
        (name, Named { seen, ..*named })
    });
    Ok(Cleared {
        tlp: snapshot.tlp,
        exercise: snapshot.exercise,
        group: &snapshot.group,
        face: (!snapshot.sealed).then_some(&snapshot.face),
        key: snapshot.key,
        opened: snapshot.opened,
        changed: snapshot.changed,
        serial: snapshot.serial,
        names: names.collect(),
        learned: snapshot.learned.iter().filter(|indicator| may_learn(&indicator.apex)).collect(),
        victims: match content {
            Content::Indicators => Vec::new(),
            // Who called a name that went back was nobody's victim there, as far as it was not the group's.
            Content::Victims => {
                let stands =
                    |apex: &DomainName| snapshot.names.get(apex).is_some_and(|named| named.action != Action::Withdraw);
                let told = |victim: &&Victim| may_learn(&victim.apex) && (is_inside(audience) || stands(&victim.apex));
                snapshot.victims.iter().filter(told).collect()
            }
        },
    })
}

/// Whether showing is no sharing: the court and those who work on the case.
fn is_inside(audience: Audience) -> bool {
    matches!(audience, Audience::Court | Audience::Internal)
}

fn check_light(tlp: Tlp, audience: Audience) -> Result<(), Refusal> {
    let highest = match audience {
        Audience::Public => Tlp::Clear,
        Audience::Partners => Tlp::Amber,
        Audience::NetworkOwners => Tlp::AmberStrict,
        Audience::Court | Audience::Internal => Tlp::Red,
    };
    if tlp <= highest {
        return Ok(());
    }
    let (light, highest) = (tlp.label(), highest.label());
    Err(Refusal::new(format!("the case is marked {light}, and this audience gets at most {highest}"))
        .hint("choose a narrower audience, or have the case marked wider"))
}

fn check_content(audience: Audience, content: Content) -> Result<(), Refusal> {
    if content == Content::Victims && matches!(audience, Audience::Public | Audience::Partners) {
        return Err(Refusal::new("victim data is for the owners of their networks, the court and those on the case")
            .hint("choose the audience network-owners, or a format of indicators"));
    }
    Ok(())
}

fn check_order(snapshot: &Snapshot) -> Result<(), Refusal> {
    if snapshot.names.is_empty() {
        return Err(Refusal::new("no order of this case is in force, so that nothing may be told of it")
            .hint("two people approve the order first"));
    }
    Ok(())
}
