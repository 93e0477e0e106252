//! A STIX 2.1 bundle: the group, its names, what was learned, how often it was seen.
//!
//! ```text
//! identity ◄─created by─ everything                        indicator ─indicates─► intrusion-set
//! extension ◄─ TLP 2.0 marking ◄─marked─ everything        sighting ─of─► indicator
//! intrusion-set ─uses─► infrastructure ─consists-of─► domain-name
//! ```
//!
//! What is referred to stands before what refers to it, because consumers read a page at a time. A name that went
//! back to somebody stays in the bundle with `revoked`: nobody notices an object that is missing. Each pattern is one
//! comparison, which is all that some consumers read. JA4 has no place in a STIX pattern and is left to the other
//! forms. Addresses of callers have no place here at all.

mod ids;
mod marking;
mod patterns;

use std::collections::{BTreeMap, BTreeSet};

use model::fact::{Indicator, IndicatorKind};
use model::group::Group;
use model::{DomainName, Timestamp};
use serde_json::{Map, Value, json};

use super::{EXERCISE, one_line};
use crate::Document;
use crate::audience::Cleared;
use crate::custody::Action;
use crate::snapshot::{Named, Seen};

pub(super) fn render(cleared: &Cleared<'_>) -> Document {
    let mut objects = vec![us(), marking::extension(), marking::definition(cleared.tlp)];
    let writer = Writer { cleared };
    objects.extend(writer.group_and_infrastructure());
    let hosts = writer.learned_hosts();
    objects.extend(cleared.names().map(|(name, _)| writer.domain_name(name)));
    objects.extend(hosts.keys().map(|host| writer.domain_name(host)));
    objects.extend(writer.names());
    objects.extend(hosts.iter().flat_map(|(host, learned)| writer.learned(learned, &patterns::domain_name(host))));
    objects.extend(writer.learned_others().iter().flat_map(|(pattern, learned)| writer.learned(learned, pattern)));
    let key: String = objects.iter().filter_map(|object| object["id"].as_str()).collect();
    let bundle = json!({ "type": "bundle", "id": ids::of("bundle", &[&key]), "objects": objects });
    let mut bytes = serde_json::to_vec_pretty(&bundle).expect("a bundle is plain JSON");
    bytes.push(b'\n');
    Document {
        file_name: format!("{}.stix.json", cleared.stem()),
        media_type: "application/stix+json;version=2.1",
        bytes,
    }
}

/// The other names of a group, each once, in order; who claims which is in `group show`.
pub(super) fn aliases(group: &Group) -> Vec<&str> {
    let names: BTreeSet<&str> = group.aliases.iter().map(|alias| alias.name.as_str()).collect();
    names.into_iter().filter(|name| *name != group.name).collect()
}

/// The identity that made the bundle: this program, the same in every bundle. Whom to write to stands with the case.
fn us() -> Value {
    json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": ids::us(),
        "created": IDENTITY_CREATED,
        "modified": IDENTITY_CREATED,
        "name": "Bailiwick",
        "description": "A sinkhole for names that were taken from a threat group under an authority.",
        "identity_class": "system",
    })
}

/// The day on which this identity was defined.
const IDENTITY_CREATED: &str = "2026-11-23T00:00:00.000Z";

/// STIX allows no larger count of sightings.
const SIGHTING_COUNT_MAX: u64 = 999_999_999;

//----------- Writer -----------------------------------------------------------------------------------------------

/// Writes the objects of one case.
struct Writer<'c, 'a> {
    cleared: &'c Cleared<'a>,
}

impl<'a> Writer<'_, 'a> {
    fn group_and_infrastructure(&self) -> [Value; 3] {
        let group = self.cleared.group;
        let mut set = self.object("intrusion-set", &self.group_id());
        set.insert("name".into(), one_line(&group.name).into());
        let aliases: Vec<String> = aliases(group).into_iter().map(one_line).collect();
        if !aliases.is_empty() {
            set.insert("aliases".into(), aliases.into());
        }
        let uses = self.relationship(&self.group_id(), "uses", &self.infrastructure_id(), false);
        [set.into(), self.infrastructure(), uses]
    }

    /// The case's names as one thing. What the seal covers is said here and nowhere else.
    fn infrastructure(&self) -> Value {
        let mut names = self.object("infrastructure", &self.infrastructure_id());
        names.insert("name".into(), format!("Names used by {}", one_line(&self.cleared.group.name)).into());
        names.insert("infrastructure_types".into(), json!(["unknown"]));
        if let Some(face) = self.cleared.face {
            let description = format!("{}. Contact: {}", one_line(&face.title), one_line(&face.contact));
            names.insert("description".into(), description.into());
            let papers = face.papers.iter().map(|paper| {
                let mut reference = json!({ "source_name": one_line(&paper.issuer), "description": paper.instrument });
                if let Some(number) = &paper.docket_number {
                    reference["external_id"] = one_line(number).into();
                }
                reference
            });
            names.insert("external_references".into(), papers.collect::<Vec<_>>().into());
        }
        names.into()
    }

    fn domain_name(&self, name: &DomainName) -> Value {
        json!({
            "type": "domain-name",
            "spec_version": "2.1",
            "id": ids::domain_name(name),
            "value": name.as_str(),
            "object_marking_refs": [marking::id(self.cleared.tlp)],
        })
    }

    fn names(&self) -> impl Iterator<Item = Value> + '_ {
        self.cleared.names().flat_map(|(name, named)| self.name(name, named))
    }

    fn name(&self, name: &DomainName, named: Named) -> Vec<Value> {
        let says = match named.action {
            Action::Block => "Used by the group and not in our hands: block it and all below it.",
            Action::Detect => {
                "Used by the group, now in our hands: let it through and tell who asks; whoever does may be a victim."
            }
            Action::Withdraw => "Given back: no longer an indicator.",
        };
        let pattern = patterns::domain_name(name);
        let title = format!("{} {}", named.action.as_str(), name.defanged());
        let said = Said { pattern: &pattern, title, says, action: named.action, since: self.cleared.opened };
        let consists = ids::domain_name(name);
        let revoked = named.action == Action::Withdraw;
        let mut objects = vec![self.relationship(&self.infrastructure_id(), "consists-of", &consists, revoked)];
        objects.extend(self.indicator(&said, named.seen));
        objects
    }

    /// Hosts below the names that callers knew; the listed names themselves stand already.
    fn learned_hosts(&self) -> BTreeMap<DomainName, Vec<&'a Indicator>> {
        let mut hosts: BTreeMap<DomainName, Vec<&Indicator>> = BTreeMap::new();
        for learned in self.cleared.learned.iter().filter(|learned| learned.kind == IndicatorKind::HostName) {
            let Ok(host) = DomainName::parse(&learned.value) else { continue };
            if host.is_at_or_below(&learned.apex) && self.cleared.names().all(|(name, _)| *name != host) {
                hosts.entry(host).or_default().push(learned);
            }
        }
        hosts
    }

    /// Everything else by its pattern: the same agent at two names is one indicator.
    fn learned_others(&self) -> BTreeMap<String, Vec<&'a Indicator>> {
        let mut others: BTreeMap<String, Vec<&Indicator>> = BTreeMap::new();
        for learned in &self.cleared.learned {
            if let Some(pattern) = patterns::learned(learned) {
                others.entry(pattern).or_default().push(learned);
            }
        }
        others
    }

    fn learned(&self, learned: &[&Indicator], pattern: &str) -> Vec<Value> {
        let seen = |learned: &Indicator| Seen {
            contacts: learned.contacts,
            first: learned.first_seen,
            last: learned.last_seen,
        };
        let Some(all) = learned.iter().map(|learned| seen(learned)).reduce(Seen::and) else { return Vec::new() };
        let apexes: BTreeSet<String> = learned.iter().map(|learned| learned.apex.defanged().to_string()).collect();
        let apexes = apexes.into_iter().collect::<Vec<_>>().join(", ");
        // Withdrawn only where every name at which it was seen went back.
        let action = learned.iter().map(|learned| self.cleared.action_at(&learned.apex)).min();
        let action = action.unwrap_or(Action::Withdraw);
        let title = format!("learned {} at {apexes}", learned[0].kind.as_str());
        let says = "Seen where victims of the group called.";
        self.indicator(&Said { pattern, title, says, action, since: all.first }, Some(all))
    }

    /// An indicator with what it indicates, and its sighting if it was seen.
    fn indicator(&self, said: &Said<'_>, seen: Option<Seen>) -> Vec<Value> {
        let id = ids::of("indicator", &[&self.cleared.key.to_string(), said.pattern]);
        let revoked = said.action == Action::Withdraw;
        let mut indicator = self.object("indicator", &id);
        indicator.insert("name".into(), said.title.clone().into());
        indicator.insert("description".into(), said.says.into());
        indicator.insert("indicator_types".into(), json!(["malicious-activity"]));
        indicator.insert("pattern".into(), said.pattern.into());
        indicator.insert("pattern_type".into(), "stix".into());
        indicator.insert("pattern_version".into(), "2.1".into());
        indicator.insert("valid_from".into(), instant(said.since).into());
        self.label(&mut indicator, said.action.as_str());
        revoke(&mut indicator, revoked);
        let mut objects = vec![indicator.into(), self.relationship(&id, "indicates", &self.group_id(), revoked)];
        objects.extend(seen.filter(|_| !revoked).map(|seen| self.sighting(&id, seen)));
        objects
    }

    fn sighting(&self, of: &str, seen: Seen) -> Value {
        let mut sighting = self.object("sighting", &ids::of("sighting", &[of]));
        sighting.insert("modified".into(), instant(self.cleared.changed.max(seen.last)).into());
        sighting.insert("sighting_of_ref".into(), of.into());
        sighting.insert("where_sighted_refs".into(), json!([ids::us()]));
        sighting.insert("first_seen".into(), instant(seen.first).into());
        sighting.insert("last_seen".into(), instant(seen.last).into());
        sighting.insert("count".into(), seen.contacts.min(SIGHTING_COUNT_MAX).into());
        sighting.into()
    }

    fn relationship(&self, from: &str, kind: &str, to: &str, revoked: bool) -> Value {
        let mut relationship = self.object("relationship", &ids::of("relationship", &[from, kind, to]));
        relationship.insert("relationship_type".into(), kind.into());
        relationship.insert("source_ref".into(), from.into());
        relationship.insert("target_ref".into(), to.into());
        revoke(&mut relationship, revoked);
        relationship.into()
    }

    /// What every object of ours has. A new fact makes a new version of all: `modified` never stands still while
    /// what is said changes.
    fn object(&self, kind: &str, id: &str) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("type".into(), kind.into());
        object.insert("spec_version".into(), "2.1".into());
        object.insert("id".into(), id.into());
        object.insert("created_by_ref".into(), ids::us().into());
        object.insert("created".into(), instant(self.cleared.opened).into());
        object.insert("modified".into(), instant(self.cleared.changed.max(self.cleared.opened)).into());
        object.insert("object_marking_refs".into(), json!([marking::id(self.cleared.tlp)]));
        if self.cleared.exercise {
            object.insert("labels".into(), json!([EXERCISE]));
        }
        object
    }

    fn label(&self, object: &mut Map<String, Value>, label: &str) {
        let labels = object.entry("labels").or_insert_with(|| json!([]));
        labels.as_array_mut().expect("labels are a list").push(label.into());
    }

    fn group_id(&self) -> String {
        ids::of("intrusion-set", &[&self.cleared.key.to_string(), self.cleared.group.id.as_str()])
    }

    fn infrastructure_id(&self) -> String {
        ids::of("infrastructure", &[&self.cleared.key.to_string()])
    }
}

/// What an indicator says.
struct Said<'s> {
    pattern: &'s str,
    title: String,
    says: &'static str,
    action: Action,
    since: Timestamp,
}

fn revoke(object: &mut Map<String, Value>, revoked: bool) {
    if revoked {
        object.insert("revoked".into(), true.into());
    }
}

/// RFC 3339 in UTC with milliseconds, the precision that all consumers read.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_milliseconds_whatever_they_came_with() {
        for (given, written) in [
            ("2019-03-28T06:00:00Z", "2019-03-28T06:00:00.000Z"),
            ("2019-03-28T07:00:00.123987654+01:00", "2019-03-28T06:00:00.123Z"),
        ] {
            assert_eq!(instant(given.parse().unwrap()), written);
        }
    }
}
