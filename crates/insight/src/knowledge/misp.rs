//! MISP galaxy clusters: the file of one galaxy (`{"values": [...]}`), or a bare list of clusters.

use model::group::normalise_alias;
use serde::Deserialize;
use serde_json::Value;

use super::text::clean;
use super::{ClaimedAlias, ClaimedGroup, Claims, FORM_HINT, KnowledgeError};

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Galaxy {
        values: Vec<Cluster>,
        /// `threat-actor`
        #[serde(default, rename = "type")]
        galaxy: Option<String>,
    },
    List(Vec<Cluster>),
}

#[derive(Deserialize)]
struct Cluster {
    value: String,
    #[serde(default)]
    galaxy: Option<String>,
    #[serde(default)]
    uuid: String,
    #[serde(default)]
    meta: Meta,
    #[serde(default)]
    related: Vec<Related>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    synonyms: Vec<String>,
    country: Option<String>,
    #[serde(rename = "attribution-confidence")]
    confidence: Value,
    /// Who gave the name, under a key of its own: `origin:TEMP.Beanie`.
    #[serde(flatten)]
    others: std::collections::BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Related {
    #[serde(rename = "dest-uuid")]
    to: String,
    #[serde(default, rename = "type")]
    kind: String,
}

pub(super) fn is_galaxy(bytes: &[u8]) -> bool {
    serde_json::from_slice::<File>(bytes).is_ok()
}

pub(super) fn read(source: String, bytes: &[u8], objects_max: usize) -> Result<Claims, KnowledgeError> {
    let file = serde_json::from_slice(bytes)
        .map_err(|source| KnowledgeError::Json { place: "the file holds no MISP galaxy clusters".into(), source })?;
    let (clusters, galaxy) = match file {
        File::Galaxy { values, galaxy } => (values, galaxy),
        File::List(clusters) => (clusters, None),
    };
    if clusters.len() > objects_max {
        return Err(KnowledgeError::TooMany { objects: clusters.len(), objects_max });
    }
    if clusters.is_empty() {
        return Err(KnowledgeError::Form { what: "the file has no cluster".into(), hint: FORM_HINT });
    }
    let groups = clusters.iter().map(|cluster| group(&source, galaxy.as_deref(), cluster)).collect();
    Ok(Claims { source, objects: clusters.len() as u64, groups, notices: Vec::new() })
}

fn group(source: &str, galaxy: Option<&str>, cluster: &Cluster) -> ClaimedGroup {
    let mut names = vec![cluster.value.as_str()];
    for synonym in &cluster.meta.synonyms {
        if !names.iter().any(|name| normalise_alias(name) == normalise_alias(synonym)) {
            names.push(synonym);
        }
    }
    let similar = cluster.related.iter().filter(|related| related.kind == "similar");
    let galaxy = cluster.galaxy.as_deref().or(galaxy).map(|galaxy| format!(", {}", clean(galaxy)));
    ClaimedGroup {
        source: format!("{source}{}", galaxy.unwrap_or_default()),
        uuid: clean(&cluster.uuid),
        name: clean(&cluster.value),
        aliases: names.into_iter().map(|name| alias(name, &cluster.meta)).collect(),
        country: cluster.meta.country.as_deref().map(clean),
        confidence: confidence(&cluster.meta.confidence),
        similar: similar.map(|related| clean(&related.to)).collect(),
        ..ClaimedGroup::default()
    }
}

fn alias(name: &str, meta: &Meta) -> ClaimedAlias {
    let origin = meta.others.get(&format!("origin:{name}")).and_then(Value::as_str);
    ClaimedAlias { name: clean(name), cites: origin.map(clean).into_iter().collect() }
}

fn confidence(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(clean(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
