//! Scores names that come line by line, for the command line: text for people, JSON for machines.
//!
//! A line that is no name is reported with its place and counted; the rest goes on. A list of a million names is not
//! thrown away for one of them.

use std::io::{self, BufRead, Write};

use model::DomainName;
use model::name::defang;
use model::suspect::{Resemblance, ResemblanceKind, Suspect};

use crate::Scorer;

/// The longest line that is read; a name has at most 253 octets, and lists have columns.
pub const SCORE_LINE_MAX: usize = 4096;

/// What to print, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the lines come from, for messages: a file's name, or `stdin`.
    pub source: String,
    /// One JSON object a line, with plain names; otherwise text with defanged ones.
    pub json: bool,
    /// Names below this are not printed.
    pub min_score: u8,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinesReport {
    pub scored: u64,
    pub printed: u64,
    /// Lines that are no names; the command's exit is not 0 if there is one.
    pub invalid: u64,
}

/// Our own trouble, with the place.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("cannot write scores: {0}")]
    Write(#[source] io::Error),
}

/// Scores every line of `reader`. Scores go to `results`, what is wrong with a line to `complaints`.
///
/// Empty lines and comments (`#`) are passed over; of a line with columns (comma, tab or space) the first counts, so
/// that lists of others can be given as they are. Defanged names are read as what they mean.
pub fn score_lines(
    scorer: &Scorer,
    mut reader: impl BufRead,
    mut results: impl Write,
    mut complaints: impl Write,
    options: &Options,
) -> Result<LinesReport, LinesError> {
    let mut report = LinesReport::default();
    let mut line = Vec::new();
    for number in 1u64.. {
        let read = read_line(&mut reader, &mut line);
        if !read.map_err(|source| LinesError::Read { path: options.source.clone(), source })? {
            break;
        }
        let outcome = match parse(&line) {
            Ok(None) => continue,
            Ok(Some(name)) => print(&scorer.score(&name), &mut results, options, &mut report),
            Err(why) => {
                report.invalid += 1;
                writeln!(complaints, "{}:{number}: {why}", options.source)
            }
        };
        outcome.map_err(LinesError::Write)?;
    }
    results.flush().map_err(LinesError::Write)?;
    Ok(report)
}

/// Reads one line, at most [`SCORE_LINE_MAX`] octets of it; the rest of a longer one is passed over.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut is_anything = false;
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            return Ok(is_anything);
        }
        is_anything = true;
        let end = part.iter().position(|octet| *octet == b'\n');
        let len = end.unwrap_or(part.len());
        let room = (SCORE_LINE_MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..len.min(room)]);
        reader.consume(end.map_or(len, |at| at + 1));
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// The name of a line; `None` for empty lines and comments.
fn parse(line: &[u8]) -> Result<Option<DomainName>, String> {
    if line.len() > SCORE_LINE_MAX {
        return Err(format!("the line is longer than {SCORE_LINE_MAX} octets"));
    }
    let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())?;
    let first = text.trim().split([',', '\t', ' ', ';']).next().unwrap_or_default();
    if first.is_empty() || first.starts_with('#') {
        return Ok(None);
    }
    let refanged = first.replace("[.]", ".");
    let complain = |why: String| format!("`{}`: {why}", defang(first));
    let name = DomainName::parse(&refanged).map_err(|error| complain(error.to_string()))?;
    if name.registrable().is_none() {
        return Err(complain("a public suffix; nobody registered it, give a name below it".to_owned()));
    }
    Ok(Some(name))
}

fn print(suspect: &Suspect, results: &mut impl Write, options: &Options, report: &mut LinesReport) -> io::Result<()> {
    report.scored += 1;
    if suspect.score < options.min_score {
        return Ok(());
    }
    report.printed += 1;
    if options.json {
        serde_json::to_writer(&mut *results, suspect)?;
        return writeln!(results);
    }
    let reasons: Vec<String> = suspect.reasons.iter().map(reason).collect();
    let why = if reasons.is_empty() { "nothing".to_owned() } else { reasons.join("; ") };
    writeln!(results, "{:>3}  {}  {why}", suspect.score, suspect.name.defanged())
}

fn reason(reason: &Resemblance) -> String {
    let word = match reason.kind {
        ResemblanceKind::Brand => "brand",
        ResemblanceKind::Homoglyph => "looks like",
        ResemblanceKind::Typo => "slip",
        ResemblanceKind::Lure => "lure",
        ResemblanceKind::Tld => "registry",
        ResemblanceKind::LikeKnown => "like",
        ResemblanceKind::Owned => "owned by",
    };
    format!("{word} {} {:+}", reason.what, reason.points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(text: &str, options: Options) -> (LinesReport, String, String) {
        let scorer = Scorer::new(&[DomainName::parse("session-manager.info").unwrap()]);
        let (mut results, mut complaints) = (Vec::new(), Vec::new());
        let options = Options { source: "names.txt".into(), ..options };
        let report = score_lines(&scorer, text.as_bytes(), &mut results, &mut complaints, &options).unwrap();
        (report, String::from_utf8(results).unwrap(), String::from_utf8(complaints).unwrap())
    }

    #[test]
    fn people_read_defanged_names_with_reasons_and_the_place_of_every_fault() {
        let text = "# list\nmanager-session[.]net,2019\n\nexample.org\nco.uk\n192.0.2.1\n";
        let (report, results, complaints) = scored(text, Options::default());
        assert_eq!(report, LinesReport { scored: 2, printed: 2, invalid: 2 });
        insta::assert_snapshot!(format!("{results}--\n{complaints}"));
    }

    #[test]
    fn machines_read_json_with_plain_names() {
        let options = Options { json: true, min_score: 20, ..Options::default() };
        let (report, results, _) = scored("example.org\noutlook-verify.net\n", options);
        assert_eq!((report.scored, report.printed), (2, 1));
        let suspect: Suspect = serde_json::from_str(results.trim()).unwrap();
        assert_eq!(suspect.name.as_str(), "outlook-verify.net");
        assert_eq!(i16::from(suspect.score), suspect.reasons.iter().map(|reason| reason.points).sum::<i16>());
    }

    #[test]
    fn a_line_has_a_greatest_length() {
        let long = "a".repeat(SCORE_LINE_MAX + 1);
        let (report, _, complaints) = scored(&format!("{long}\nexample.org"), Options::default());
        assert_eq!((report.scored, report.invalid), (1, 1));
        assert!(complaints.starts_with("names.txt:1: the line is longer than 4096 octets"), "{complaints}");
        let fits = format!("example.org {}", "x".repeat(SCORE_LINE_MAX - 12));
        assert_eq!(scored(&fits, Options::default()).0.scored, 1);
    }
}
