//! `bailiwick hunt`: score names. It reads lists and writes scores, and needs no data folder unless the known names are those
//! of a case that is there.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use desk::api::{CaseDetail, NameDetail};
use hunt::{LinesReport, Options, Scorer, score_lines};
use model::DomainName;
use model::id::CaseId;
use model::seizure::{Seizure, ServiceMode};

use crate::cli::{HuntCommand, Place};
use crate::demo::CASE_FILE;
use crate::door::Door;
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal;

pub(crate) fn run(place: &Place, command: HuntCommand) -> Done {
    let HuntCommand::Score { files, known, case, at_least, out } = command;
    let scorer = Scorer::new(&match case {
        Some(case) => names_of(&Door::open(place, "hunt score")?, &case)?,
        None => known_names(known.as_deref())?,
    });
    let mut invalid = 0;
    for source in sources(files) {
        let options = Options { source: shown(source.as_deref()), json: out.json, min_score: at_least };
        invalid += score(&scorer, source.as_deref(), &options)?.invalid;
    }
    if invalid == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{invalid} lines are no domain names; the others were scored")).code(code::USAGE))
}

/// No file means stdin.
fn sources(files: Vec<PathBuf>) -> Vec<Option<PathBuf>> {
    if files.is_empty() { vec![None] } else { files.into_iter().map(Some).collect() }
}

fn shown(source: Option<&Path>) -> String {
    source.map_or("stdin".to_owned(), |path| path.display().to_string())
}

fn score(scorer: &Scorer, source: Option<&Path>, options: &Options) -> Result<LinesReport, Failure> {
    let results = std::io::BufWriter::new(std::io::stdout().lock());
    let complaints = std::io::stderr();
    let scored = match source {
        None => score_lines(scorer, std::io::stdin().lock(), results, complaints, options),
        Some(path) => {
            let file = File::open(path).tried(format_args!("reading {}", path.display()))?;
            score_lines(scorer, BufReader::new(file), results, complaints, options)
        }
    };
    let _ = std::io::stderr().flush();
    scored.tried("scoring names")
}

/// The names of a case, as its orders list them today: what amendments brought is among them, what they took out, or somebody
/// gave back, is not.
fn names_of(door: &Door, case: &CaseId) -> Result<Vec<DomainName>, Failure> {
    let told: CaseDetail = door.get(&format!("/cases/{case}"))?;
    let is_back = |one: &NameDetail| {
        matches!(one.seizure, Seizure::Released | Seizure::Returned)
            || one.mode.is_some_and(|mode| mode >= ServiceMode::Handback)
    };
    Ok(told.name_states.into_iter().filter(|one| !is_back(one)).map(|one| one.name).collect())
}

/// The group's known names: a case file's, or those of the exercise that is shipped.
fn known_names(file: Option<&Path>) -> Result<Vec<DomainName>, Failure> {
    let (text, shown) = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).tried(format_args!("reading the case file {}", path.display()))?;
            (text, path.display().to_string())
        }
        None => (CASE_FILE.to_owned(), "the shipped case".to_owned()),
    };
    match docket::casefile::parse(&text) {
        Ok(case) => Ok(case.orders.iter().flat_map(|order| order.names().keys().cloned()).collect()),
        Err(faults) => {
            terminal::say(&docket::casefile::render_faults(&text, &shown, &faults));
            Err(Failure::new(format!("{shown} is refused with {} faults", faults.len())).code(code::USAGE))
        }
    }
}
