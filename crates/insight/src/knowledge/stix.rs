//! STIX bundles, 2.0 (OASIS, as ATT&CK publishes it) and 2.1: intrusion sets, what they use, and which was revoked.
//!
//! Objects that we do not use are counted and left; the file itself stays in the vault, verbatim.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::clean;
use super::{ATTACK_NOTICE, ClaimedAlias, ClaimedGroup, Claims, FORM_HINT, KnowledgeError, Software, Technique};

/// How ATT&CK names itself in references.
const ATTACK: &str = "mitre-attack";

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    spec_version: Option<String>,
    #[serde(default, borrow)]
    objects: Vec<&'a RawValue>,
}

/// The properties that we read, of any kind of object.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    name: String,
    aliases: Vec<String>,
    revoked: bool,
    external_references: Vec<Reference>,
    kill_chain_phases: Vec<Phase>,
    relationship_type: String,
    source_ref: String,
    target_ref: String,
    definition: Definition,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    source_name: String,
    external_id: Option<String>,
    description: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Phase {
    phase_name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Definition {
    statement: String,
}

pub(super) fn is_bundle(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Bundle<'_>>(bytes).is_ok_and(|bundle| bundle.kind == "bundle")
}

pub(super) fn read(source: String, bytes: &[u8], objects_max: usize) -> Result<Claims, KnowledgeError> {
    let bundle: Bundle<'_> = serde_json::from_slice(bytes)
        .map_err(|source| KnowledgeError::Json { place: "the file is no STIX bundle".into(), source })?;
    check(&bundle, objects_max)?;
    let objects = bundle.objects.iter().enumerate().map(|(place, raw)| object(place, raw));
    let objects = objects.collect::<Result<Vec<Object>, _>>()?;
    let by_id: BTreeMap<&str, &Object> = objects.iter().map(|object| (object.id.as_str(), object)).collect();
    let sets = objects.iter().filter(|object| object.kind == "intrusion-set");
    let groups = sets.map(|set| group(&source, set, &objects, &by_id)).collect();
    Ok(Claims { source, objects: objects.len() as u64, groups, notices: notices(&objects) })
}

fn check(bundle: &Bundle<'_>, objects_max: usize) -> Result<(), KnowledgeError> {
    let form = |what| Err(KnowledgeError::Form { what, hint: FORM_HINT });
    match bundle.spec_version.as_deref() {
        _ if bundle.kind != "bundle" => form(format!("its type is `{}`, not `bundle`", clean(&bundle.kind))),
        Some(version) if !["2.0", "2.1"].contains(&version) => form(format!("STIX {} is not read", clean(version))),
        _ if bundle.objects.len() > objects_max => {
            Err(KnowledgeError::TooMany { objects: bundle.objects.len(), objects_max })
        }
        _ => Ok(()),
    }
}

fn object(place: usize, raw: &RawValue) -> Result<Object, KnowledgeError> {
    let object: Object = serde_json::from_str(raw.get()).map_err(|source| {
        let start: String = clean(raw.get()).chars().take(60).collect();
        KnowledgeError::Json { place: format!("object {place} of the bundle cannot be read: {start}…"), source }
    })?;
    let is_whole = !object.kind.is_empty() && object.id.split_once("--").is_some_and(|(kind, _)| kind == object.kind);
    if is_whole {
        return Ok(object);
    }
    let what =
        format!("object {place} of the bundle has type `{}` and id `{}`", clean(&object.kind), clean(&object.id));
    Err(KnowledgeError::Form { what, hint: "a STIX id is `type--UUID` with the object's own type" })
}

//----------- One intrusion set ------------------------------------------------------------------------------------

fn group(source: &str, set: &Object, objects: &[Object], by_id: &BTreeMap<&str, &Object>) -> ClaimedGroup {
    let related = |kind: &'static str| {
        let from = objects
            .iter()
            .filter(move |object| object.relationship_type == kind && object.source_ref == set.id && !object.revoked);
        from.filter_map(|relationship| by_id.get(relationship.target_ref.as_str()).copied())
    };
    let mut techniques: Vec<_> = related("uses").filter(|target| !target.revoked).filter_map(technique).collect();
    let mut software: Vec<_> = related("uses").filter(|target| !target.revoked).filter_map(software).collect();
    techniques.sort();
    techniques.dedup();
    software.sort();
    software.dedup();
    ClaimedGroup {
        source: source.to_owned(),
        uuid: uuid(&set.id),
        number: number(set),
        name: clean(&set.name),
        aliases: aliases(set),
        techniques,
        software,
        revoked_into: related("revoked-by").next().map(|target| uuid(&target.id)),
        ..ClaimedGroup::default()
    }
}

/// Every alias with the works cited for it: ATT&CK lists a reference by the alias's name, whose description holds
/// the citations.
fn aliases(set: &Object) -> Vec<ClaimedAlias> {
    let mut names = vec![set.name.as_str()];
    names.extend(set.aliases.iter().map(String::as_str).filter(|alias| *alias != set.name));
    let cites = |name: &str| {
        let own = set.external_references.iter().filter(|reference| reference.source_name == name);
        own.flat_map(|reference| citations(&reference.description)).collect()
    };
    names.into_iter().map(|name| ClaimedAlias { name: clean(name), cites: cites(name) }).collect()
}

/// The works in `(Citation: One)(Citation: Two)`.
fn citations(description: &str) -> Vec<String> {
    let parts = description.split("(Citation: ").skip(1);
    parts.filter_map(|part| part.split_once(')')).map(|(work, _)| clean(work)).collect()
}

fn technique(object: &Object) -> Option<Technique> {
    (object.kind == "attack-pattern").then(|| Technique {
        number: number(object).unwrap_or_default(),
        name: clean(&object.name),
        tactics: object.kill_chain_phases.iter().map(|phase| clean(&phase.phase_name)).collect(),
    })
}

fn software(object: &Object) -> Option<Software> {
    matches!(object.kind.as_str(), "malware" | "tool").then(|| Software {
        number: number(object).unwrap_or_default(),
        name: clean(&object.name),
        kind: object.kind.clone(),
    })
}

/// ATT&CK's own number: the external id of its own reference.
fn number(object: &Object) -> Option<String> {
    let own = object.external_references.iter().find(|reference| reference.source_name == ATTACK)?;
    own.external_id.as_deref().map(clean)
}

fn uuid(id: &str) -> String {
    clean(id.split_once("--").map_or(id, |(_, uuid)| uuid))
}

fn notices(objects: &[Object]) -> Vec<String> {
    let is_attack = objects.iter().any(|object| number(object).is_some());
    let statements = objects.iter().map(|object| clean(&object.definition.statement)).filter(|text| !text.is_empty());
    is_attack.then(|| ATTACK_NOTICE.to_owned()).into_iter().chain(statements).collect()
}
