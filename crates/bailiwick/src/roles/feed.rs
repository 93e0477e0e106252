//! `bailiwick feed`: what we share, rendered for one audience.

use std::io::Write;
use std::path::Path;

use share::Format;

use crate::cli::{FeedCommand, Place};
use crate::door::{Answer, Door};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal::{self, count, table};

pub(crate) fn run(place: &Place, command: FeedCommand) -> Done {
    match command {
        FeedCommand::List => terminal::line(&formats()),
        FeedCommand::Export { format, case, audience, out } => {
            let format: Format = format
                .parse()
                .map_err(|error: share::FormatError| Failure::new(error.to_string()).code(code::USAGE))?;
            let audience = serde_json::to_value(audience).tried("naming the audience")?;
            let audience = audience.as_str().unwrap_or_default();
            let path = format!("/feeds/{format}?case={case}&audience={audience}");
            let answer = Door::open(place, "feed export")?.get_document(&path)?;
            deliver(&answer, &format!("{case}.{format}"), out.as_deref())
        }
    }
}

fn formats() -> String {
    let rows: Vec<Vec<String>> =
        Format::ALL.iter().map(|format| vec![format.to_string(), format.about().to_owned()]).collect();
    table(&rows)
}

/// To stdout as it is, or whole into its file: a half-written feed must not be taken for one.
fn deliver(answer: &Answer, usual_name: &str, folder: Option<&Path>) -> Done {
    let Some(folder) = folder else {
        return match std::io::stdout().write_all(&answer.body) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).tried("writing to stdout"),
            _ => Ok(()),
        };
    };
    std::fs::create_dir_all(folder).tried(format_args!("making {}", folder.display()))?;
    let path = folder.join(answer.file_name.as_deref().unwrap_or(usual_name));
    let mut draft = tempfile::NamedTempFile::new_in(folder).tried(format_args!("writing into {}", folder.display()))?;
    draft.write_all(&answer.body).tried(format_args!("writing {}", path.display()))?;
    draft.persist(&path).tried(format_args!("writing {}", path.display()))?;
    terminal::line(&path.display().to_string())?;
    terminal::say(&format!("{} octets of {}", count(answer.body.len() as u64), answer.media_type));
    Ok(())
}
