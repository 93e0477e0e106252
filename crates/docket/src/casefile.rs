//! A case file: group, authority, names, each statement with the place it was taken from.
//!
//! A file is taken whole or refused whole. [`parse`] is a function of its text: it reads the TOML as a tree with byte
//! spans, so that one pass says everything that is wrong, each with its place and what to do; only long plain lists of
//! names are read beside it. It knows nothing of other
//! cases, of the clock, or of what has been decided; that is [`crate::decide`]'s.

use model::Digest;
use model::case::CaseTerms;
use model::id::OrderId;
use model::name::DomainName;
use model::order::{Acts, NameOutcome, Names, OrderTerms, Source, Sourced};
use model::seizure::AnswerEffect;
use serde::Deserialize;
use store::NamedSet;
use toml::Spanned;
use toml::de::DeTable;

pub mod amend;
mod answers;
mod fault;
mod list;
mod names;
mod plain;
mod read;
mod section;
mod value;

pub use fault::{FAULTS_MAX, Fault, FaultReport, WHAT_CHARS_MAX, faults_rendered, render_faults};

use fault::Faults;
use plain::Lists;

/// The largest case file that is read: a million names take 30 MB.
pub const CASE_FILE_OCTETS_MAX: usize = 256 << 20;
/// Of a file up to here that is no TOML every fault is told, of a larger one the first: each costs far more memory than
/// the octet that it takes to make one.
const RECOVERED_OCTETS_MAX: usize = 1 << 20;

//----------- CaseFile ---------------------------------------------------------------------------------------------

/// A case file without a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFile {
    pub terms: CaseTerms,
    pub orders: Vec<FiledOrder>,
    pub lists: Vec<NameList>,
    pub claims: Vec<Claim>,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
}

/// An order with its names, gathered from all lists that name it.
#[derive(Clone, Debug, PartialEq)]
pub struct FiledOrder {
    pub terms: OrderTerms,
    pub set: NamedSet,
}

impl FiledOrder {
    pub fn names(&self) -> &Names {
        self.set.names()
    }
}

/// One block of an order's appendix: names of one registry with one outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct NameList {
    pub order: OrderId,
    pub registry: Option<Registry>,
    /// Who says that these names are on the list.
    pub source: Source,
    pub outcome: NameOutcome,
    pub acts: Acts,
    pub answer_effect: AnswerEffect,
    /// What the names are used for, where the file says it.
    pub threat: Option<Threat>,
    /// In order of name.
    pub names: Vec<DomainName>,
}

/// What a listed name is used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threat {
    /// Pages at which people type passwords: only people call.
    Credentials,
    /// Programs call, and an answer may set something off.
    Malware,
}

/// Whoever keeps the zone in which the names are delegated.
#[derive(Clone, Debug, PartialEq)]
pub struct Registry {
    pub tld: String,
    pub operator: Option<Sourced<String>>,
}

/// Somebody says that a listed name belongs to a group: kept beside the case's own attribution, never merged into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub name: DomainName,
    pub group: String,
    pub source: Source,
}

impl CaseFile {
    /// The claims that contradict the case's own attribution.
    pub fn conflicts(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| !self.terms.group.is_called(&claim.group))
    }

    /// How many names the file lists, over all orders.
    pub fn name_count(&self) -> usize {
        self.orders.iter().map(|order| order.names().len()).sum()
    }
}

//----------- parse ------------------------------------------------------------------------------------------------

/// Reads a case file. All faults come in one go, in order of place; with one fault nothing is taken.
pub fn parse(text: &str) -> Result<CaseFile, Vec<Fault>> {
    check_len(text)?;
    // What is wrong is said of the text as it stands.
    parse_lifted(text).map_or_else(|| parse_as_tree(text), Ok)
}

/// Reads plain lists beside the tree; `None` if anything is wrong.
fn parse_lifted(text: &str) -> Option<CaseFile> {
    let (lists, rest) = Lists::lift(text);
    let root = DeTable::parse(&rest).ok()?;
    let mut faults = Faults::default();
    read::case_file(&root, text, &lists, &mut faults).filter(|_| faults.is_empty())
}

/// The same without a list lifted.
fn parse_as_tree(text: &str) -> Result<CaseFile, Vec<Fault>> {
    parse_with(text, |root, text, faults| read::case_file(root, text, &Lists::none(text), faults))
}

fn parse_with<T>(
    text: &str,
    read: impl for<'t> FnOnce(&'t Spanned<DeTable<'t>>, &str, &mut Faults) -> Option<T>,
) -> Result<T, Vec<Fault>> {
    check_len(text)?;
    let tree = tree(text);
    read_whole(|faults| match &tree {
        Ok(root) => read(root, text, faults),
        Err(broken) => {
            for error in broken {
                let place = error.span().unwrap_or(0..0);
                faults.add(place, error.message(), "the file is TOML 1.1; this line is not");
            }
            None
        }
    })
}

fn check_len(text: &str) -> Result<(), Vec<Fault>> {
    if text.len() <= CASE_FILE_OCTETS_MAX {
        return Ok(());
    }
    let what = format!("a case file has at most {CASE_FILE_OCTETS_MAX} octets, this one {}", text.len());
    read_whole(|faults| {
        faults.add(0..0, what, "split it into supplemental orders, each in a file of its own");
        None
    })
}

fn read_whole<T>(read: impl FnOnce(&mut Faults) -> Option<T>) -> Result<T, Vec<Fault>> {
    let mut faults = Faults::default();
    match read(&mut faults) {
        Some(read) if faults.is_empty() => Ok(read),
        _ => Err(faults.into_sorted()),
    }
}

/// The file as a tree. One mended by guesses is none: it would bring faults that nobody made.
fn tree(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<toml::de::Error>> {
    if text.len() > RECOVERED_OCTETS_MAX {
        return DeTable::parse(text).map_err(|error| vec![error]);
    }
    let (root, broken) = DeTable::parse_recoverable(text);
    if broken.is_empty() { Ok(root) } else { Err(broken) }
}

#[cfg(test)]
mod tests;
