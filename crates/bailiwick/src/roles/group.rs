//! `bailiwick group`: what is known of a threat group, by whom.

use desk::api::{GroupDetail, KnowledgeImported};

use crate::cli::{GroupCommand, KnowledgeFormat, Place};
use crate::door::{Door, in_query};
use crate::failure::{Done, Tried};
use crate::terminal::{self, count};

pub(crate) fn run(place: &Place, command: GroupCommand) -> Done {
    match command {
        GroupCommand::Show { alias, out } => {
            let detail: GroupDetail = Door::open(place, "group show")?.get(&format!("/groups/{}", in_query(&alias)))?;
            if out.json { terminal::json(&detail) } else { terminal::line(detail.picture_text.trim_end()) }
        }
        GroupCommand::Import { group, file, format, source } => {
            let octets = std::fs::read(&file).tried(format_args!("reading {}", file.display()))?;
            let format = match format {
                KnowledgeFormat::Stix => "stix",
                KnowledgeFormat::MispGalaxy => "misp-galaxy",
            };
            let path = format!("/groups/{group}/knowledge?format={format}&source={}", in_query(&source));
            let done: KnowledgeImported =
                Door::open(place, "group import")?.post_file(&path, octets, "application/json")?;
            terminal::line(&format!(
                "{} objects are known of {}; the file lies in the vault as {}",
                count(done.objects),
                done.group,
                done.file.short()
            ))
        }
    }
}
