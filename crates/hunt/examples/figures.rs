//! What the score is worth: recall on a case's names, and false alarms on a list of honest ones.
//!
//! `cargo run --release -p bailiwick-hunt --example figures -- cases/phosphorus-2019.toml [BENIGN.tsv [MALICIOUS.tsv]]`
//!
//! *In-sample*: the scorer knows the very names that it scores, so the figure says nothing about the next ones.
//! *Leave-one-out*: each name is scored by a scorer that knows all others but not this one. Lists have a header; the
//! second column is the registrable name, and a column `owner` that is not empty says that a brand owns it. They are
//! read where they are and belong to whoever made them.

use std::collections::HashSet;
use std::env;
use std::error::Error;
use std::fs;
use std::time::Instant;

use bailiwick_hunt::Scorer;
use model::DomainName;

/// Thresholds for which figures are printed.
const THRESHOLDS: [u8; 7] = [30, 40, 45, 50, 55, 60, 70];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let case_file = arguments.next().ok_or("give a case file, and perhaps lists of benign and malicious names")?;
    let known = names_of_case(&fs::read_to_string(&case_file)?);
    let scorer = Scorer::new(&known);

    println!("{:<44}{}", "at least", THRESHOLDS.map(|threshold| format!("{threshold:>8}")).concat());
    row(&format!("recall % of {} in-sample", known.len()), &scores(&scorer, &known), 100.0);
    row(&format!("recall % of {} leave-one-out", known.len()), &leave_one_out(&known), 100.0);
    row(&format!("recall % of {} knowing none", known.len()), &scores(&Scorer::new(&[]), &known), 100.0);
    if let Some(path) = arguments.next() {
        let benign = read_list(&path, |column| column("owner").is_empty())?;
        row(&format!("false alarms per million of {}", benign.len()), &scores(&scorer, &benign), 1e6);
        let plain = read_list(&path, |column| column("owner").is_empty() && column("hard") == "plain")?;
        row(&format!("  without brand or lure, of {}", plain.len()), &scores(&scorer, &plain), 1e6);
        speed(&scorer, &benign);
    }
    if let Some(path) = arguments.next() {
        let known: HashSet<&DomainName> = known.iter().collect();
        for class in ["exact", "typo", "homoglyph", "lure", "none"] {
            let names = read_list(&path, |column| column("lex_class") == class)?;
            let others: Vec<DomainName> = names.into_iter().filter(|name| !known.contains(name)).collect();
            row(&format!("recall % of {} others, {class}", others.len()), &scores(&scorer, &others), 100.0);
        }
    }
    Ok(())
}

/// The names in the `names = [ … ]` of a case file: one quoted string a line.
fn names_of_case(text: &str) -> Vec<DomainName> {
    let mut is_inside = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        is_inside = (is_inside || line.starts_with("names = [")) && !line.ends_with(']');
        if is_inside {
            names.extend(line.trim_end_matches(',').trim_matches('"').parse_name());
        }
    }
    names
}

trait ParseName {
    fn parse_name(&self) -> Option<DomainName>;
}

impl ParseName for str {
    fn parse_name(&self) -> Option<DomainName> {
        DomainName::parse(self).ok()
    }
}

fn read_list(path: &str, keeps: impl Fn(&dyn Fn(&str) -> String) -> bool) -> Result<Vec<DomainName>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().ok_or("the list is empty")?;
    let at = |name: &str| header.iter().position(|column| *column == name);
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for line in lines {
        let column = |name: &str| at(name).and_then(|at| line.get(at)).copied().unwrap_or_default().to_owned();
        let name = line.get(1).and_then(|text| text.parse_name());
        names.extend(name.filter(|name| keeps(&column) && seen.insert(name.clone())));
    }
    Ok(names)
}

fn scores(scorer: &Scorer, names: &[DomainName]) -> Vec<u8> {
    names.iter().map(|name| scorer.score(name).score).collect()
}

fn leave_one_out(known: &[DomainName]) -> Vec<u8> {
    let score_without = |name: &DomainName| {
        let others: Vec<DomainName> = known.iter().filter(|other| *other != name).cloned().collect();
        Scorer::new(&others).score(name).score
    };
    known.iter().map(score_without).collect()
}

fn row(what: &str, scores: &[u8], per: f64) {
    let share = |threshold| {
        let count = scores.iter().filter(|score| **score >= threshold).count();
        format!("{:>8.0}", per * count as f64 / scores.len().max(1) as f64)
    };
    println!("{what:<44}{}", THRESHOLDS.map(share).concat());
}

/// An example may ask the clock; the room may not.
#[expect(clippy::disallowed_methods)]
fn speed(scorer: &Scorer, names: &[DomainName]) {
    let start = Instant::now();
    let total: u64 = scores(scorer, names).into_iter().map(u64::from).sum();
    let per_second = names.len() as f64 / start.elapsed().as_secs_f64();
    println!("{per_second:.0} names per second on one core (sum of scores {total})");
}
