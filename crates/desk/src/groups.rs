//! `/groups`: everything that is said of a group, each claim with its source, and the import of others' knowledge.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::Command;
use insight::knowledge::{self, Claims, GroupPicture, KnowledgeLimits};
use model::Digest;
use model::fact::{Actor, KnowledgeFormat};
use model::group::Group;
use model::id::{CaseId, GroupId};
use model::name::defang;
use serde::Deserialize;
use store::view::{CaseView, Knowledge, View, groups_called};

use crate::api::{ConflictDetail, GroupDetail, GroupInCase, IndicatorDetail, KnowledgeDetail, KnowledgeImported};
use crate::asker::Asker;
use crate::cases;
use crate::intake::{Asked, Named, Octets};
use crate::problem::{self, Told, bad_request, not_found};
use crate::run::{Desk, now};
use crate::sight;

//----------- Showing ----------------------------------------------------------------------------------------------

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(alias): Named<String>,
    asker: Asker,
) -> Result<Json<GroupDetail>, Told> {
    let view = desk.view().await?;
    let seen: Vec<&CaseView> = sight::cases(&view, &asker.actor, now()).collect();
    let pictures = desk.pictures(&view, &seen, &alias)?;
    if pictures.is_empty() {
        let shown = alias.escape_debug();
        return Err(not_found(
            format!("no case and no imported file calls a group `{shown}`"),
            "import knowledge, or a case",
        ));
    }
    let named = |id: &GroupId| pictures.iter().any(|picture| picture.id == *id);
    let in_case = seen.iter().filter(|case| named(&case.terms.group.id));
    let mut groups = Vec::new();
    let mut conflicts = Vec::new();
    for case in in_case {
        groups.push(GroupInCase { case: case.terms.id.clone(), group: case.terms.group.clone() });
        conflicts.extend(cases::conflicts(&desk.case_file(case).await?));
    }
    let is_seen = |case: &CaseId| seen.iter().any(|one| one.terms.id == *case);
    let indicators = view.indicators.iter().filter(|(case, group, _)| named(group) && is_seen(case));
    Ok(Json(GroupDetail {
        groups,
        knowledge: view.knowledge.iter().filter(|known| named(&known.group)).map(detail).collect(),
        indicators: indicators.map(|(case, _, indicator)| in_detail(case, indicator)).collect(),
        picture_text: text(&pictures, &conflicts),
        picture: serde_json::to_value(&pictures).expect("a picture is plain JSON"),
        conflicts,
        asked: alias,
    }))
}

fn in_detail(case: &CaseId, indicator: &model::fact::Indicator) -> IndicatorDetail {
    IndicatorDetail { case: case.clone(), indicator: indicator.clone() }
}

fn detail(known: &Knowledge) -> KnowledgeDetail {
    let Knowledge { group, format, source, file, objects, imported } = known.clone();
    KnowledgeDetail { group, format, source, file, objects, imported }
}

fn text(pictures: &[GroupPicture], conflicts: &[ConflictDetail]) -> String {
    let mut parts: Vec<String> = pictures.iter().map(knowledge::render_text).collect();
    if !conflicts.is_empty() {
        let line = |conflict: &ConflictDetail| {
            let name = defang(conflict.name.as_str());
            format!(
                "  {name:<34} {} by case {}; {} by {}",
                conflict.ours, conflict.case, conflict.theirs, conflict.source
            )
        };
        let lines: Vec<String> = conflicts.iter().map(line).collect();
        parts.push(format!("Names that sources give to different groups\n{}\n", lines.join("\n")));
    }
    parts.join("\n")
}

impl Desk {
    /// What the cases and all imported files say of the groups that are called so.
    fn pictures(&self, view: &View, seen: &[&CaseView], alias: &str) -> Result<Vec<GroupPicture>, Told> {
        let mut groups: Vec<Group> = Vec::new();
        let unnamed =
            |id: &GroupId| Group { id: id.clone(), name: id.to_string(), aliases: Vec::new(), attributed_to: None };
        let of_cases = seen.iter().map(|case| case.terms.group.clone());
        for group in of_cases.chain(view.knowledge.iter().map(|known| unnamed(&known.group))) {
            if !groups.iter().any(|known| known.id == group.id) {
                groups.push(group);
            }
        }
        let mut pictures = Vec::new();
        for group in groups {
            let picture = GroupPicture::merge(&group, &self.claims(view, &group.id)?);
            if picture.is_called(alias) {
                pictures.push(picture);
            }
        }
        Ok(pictures)
    }

    /// The imported files about a group, read again from the vault.
    fn claims(&self, view: &View, group: &GroupId) -> Result<Vec<Claims>, Told> {
        let mut claims = Vec::new();
        for known in view.knowledge.iter().filter(|known| known.group == *group) {
            let bytes = self.vault.get(&known.file).map_err(|error| problem::ours(&error))?;
            let lost = || problem::lost(&format!("knowledge of {group} from {}", known.source), &known.file);
            let bytes = bytes.ok_or_else(lost)?;
            let read = knowledge::read(known.format, &known.source, &bytes, KnowledgeLimits::default());
            claims.push(read.map_err(|error| problem::ours(&error))?);
        }
        Ok(claims)
    }
}

//----------- Importing --------------------------------------------------------------------------------------------

/// What stands behind `?` of an import.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// Found out from the file if it is not said.
    format: Option<KnowledgeFormat>,
    /// Who says it: what its claims are shown under.
    source: String,
}

pub(crate) async fn import(
    State(desk): State<Desk>,
    Named(id): Named<String>,
    asker: Asker,
    Asked(ImportQuery { format, source }): Asked<ImportQuery>,
    Octets(body): Octets,
) -> Result<(StatusCode, Json<KnowledgeImported>), Told> {
    let group = group_called(&*desk.view().await?, &id, &asker.actor)?;
    let limits = KnowledgeLimits::default();
    let unread = |error: knowledge::KnowledgeError| {
        let said = error.to_string();
        let (what, hint) =
            said.split_once("\nhint: ").unwrap_or((&said, "a STIX bundle or MISP galaxy clusters are read"));
        bad_request(what, hint)
    };
    let format = match format {
        Some(format) => format,
        None => knowledge::detect(&body, limits).map_err(unread)?,
    };
    let objects = knowledge::read(format, &source, &body, limits).map_err(unread)?.objects;
    let (octets, file) = (body.to_vec(), Digest::of_bytes(&body));
    let command = Command::ImportKnowledge { group: group.clone(), format, source, octets, objects };
    desk.execute(command, asker).await?;
    Ok((StatusCode::CREATED, Json(KnowledgeImported { group, format, objects, file })))
}

/// Any alias that a case knows means its group; anything else is the id of a group that is new here.
fn group_called(view: &View, text: &str, asker: &Actor) -> Result<GroupId, Told> {
    match &groups_called(sight::cases(view, asker, now()), text)[..] {
        [] => GroupId::parse(text)
            .map_err(|error| bad_request(format!("`{}`: {error}", text.escape_debug()), "e.g. apt35")),
        [group] => Ok(group.id.clone()),
        [first, rest @ ..] if rest.iter().all(|group| group.id == first.id) => Ok(first.id.clone()),
        several => {
            let ids: Vec<&str> = several.iter().map(|group| group.id.as_str()).collect();
            let what = format!("{} groups are called `{}`", several.len(), text.escape_debug());
            Err(bad_request(what, format!("say which: {}", ids.join(", "))))
        }
    }
}
