//! Sets of names: one row each, holding the very lines over which its digest is taken.
//!
//! A million names are thus one write and one load, and a set proves itself: the digest of what is stored is its key.

use std::sync::Arc;

use model::fact::Fact;
use model::order::{Acts, Listed, NameOutcome, Names};
use model::seizure::AnswerEffect;
use model::{Digest, DomainName};
use tokio::task::spawn_blocking;

use crate::Error;
use crate::db::{Db, Transaction, query};

/// A set of names with its digest and its lines, made once: a fact names the digest, the ledger keeps the lines. A copy
/// costs no copy of a million names.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSet {
    digest: Digest,
    names: Arc<Names>,
    lines: Arc<String>,
}

impl NamedSet {
    pub fn of(names: impl Into<Arc<Names>>) -> Self {
        let names = names.into();
        let lines = to_lines(&names);
        Self { digest: Digest::of_bytes(lines.as_bytes()), names, lines: Arc::new(lines) }
    }

    /// [`model::order::names_digest`] of the names.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// How many names there are.
    pub fn count(&self) -> u64 {
        self.names.len() as u64
    }
}

pub(super) async fn insert(transaction: &mut Transaction, sets: &[NamedSet]) -> Result<(), Error> {
    for set in sets {
        let insert = "INSERT INTO name_sets (digest, count, lines) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let insert = query(insert).bind(&set.digest.0[..]).bind(set.count() as i64).bind(set.lines.as_bytes());
        transaction.execute(insert, "writing a set of names").await?;
    }
    Ok(())
}

pub(super) async fn load(db: &Db, digest: Digest) -> Result<Names, Error> {
    let select = query("SELECT lines FROM name_sets WHERE digest = $1").bind(&digest.0[..]);
    let row = db.first(select, "loading a set of names").await?.ok_or(Error::NoSuchNames(digest))?;
    let lines = row.octets("lines").to_vec();
    let names = move || {
        let is_whole = Digest::of_bytes(&lines) == digest;
        std::str::from_utf8(&lines).ok().filter(|_| is_whole).and_then(from_lines).ok_or(Error::OtherNames(digest))
    };
    spawn_blocking(names).await.expect("reading lines does not panic")
}

pub(super) fn is_spoken_of(set: &Digest, fact: &Fact) -> bool {
    fact.body.name_sets().contains(&set)
}

/// Every set that the facts speak of. One that is missing is left out: the fold says so with its fact.
pub(super) async fn load_all(db: &Db, facts: &[Fact]) -> Result<Vec<(Digest, Names)>, Error> {
    let mut sets: Vec<(Digest, Names)> = Vec::new();
    for &digest in facts.iter().flat_map(|fact| fact.body.name_sets()) {
        if sets.iter().any(|(known, _)| *known == digest) {
            continue;
        }
        match load(db, digest).await {
            Ok(names) => sets.push((digest, names)),
            Err(Error::NoSuchNames(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sets)
}

//----------- Lines ------------------------------------------------------------------------------------------------

/// What most lines need.
const LINE_OCTETS: usize = 40;

/// What [`model::order::names_digest`] hashes.
fn to_lines(names: &Names) -> String {
    let mut lines = String::with_capacity(names.len() * LINE_OCTETS);
    let listed = Listed::default();
    // Most names are listed as the one before.
    let (mut as_before, mut end) = (listed, listed.line_end());
    for (name, listed) in names {
        if *listed != as_before {
            (as_before, end) = (*listed, listed.line_end());
        }
        lines.push_str(name.as_str());
        lines.push_str(&end);
    }
    lines
}

pub(crate) fn from_lines(lines: &str) -> Option<Names> {
    lines.lines().map(from_line).collect()
}

fn from_line(line: &str) -> Option<(DomainName, Listed)> {
    let mut fields = line.split('\t');
    let name = DomainName::parse(fields.next()?).ok()?;
    let outcome = fields.next()?;
    let outcome = NameOutcome::ALL.into_iter().find(|known| known.as_str() == outcome)?;
    let acts = Acts::from_bits(fields.next()?.parse().ok()?);
    let answer_effect = match fields.next() {
        None => AnswerEffect::Unknown,
        Some(word) => AnswerEffect::ALL.into_iter().find(|known| known.as_str() == word)?,
    };
    Some((name, Listed { outcome, acts, answer_effect }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_comes_back_with_what_its_answers_set_off_and_a_word_nobody_knows_is_no_set() {
        let name = |text| DomainName::parse(text).unwrap();
        let effects = AnswerEffect::ALL.into_iter().zip(["a.test", "b.test", "c.test", "d.test", "e.test"]);
        let names: Names =
            effects.map(|(answer_effect, text)| (name(text), Listed { answer_effect, ..Listed::default() })).collect();
        let lines = to_lines(&names);
        assert!(lines.starts_with("a.test\tredirect\t7\nb.test\tredirect\t7\ttested\n"), "{lines}");
        assert_eq!(Digest::of_bytes(lines.as_bytes()), model::order::names_digest(&names));
        assert_eq!(from_lines(&lines), Some(names));
        assert_eq!(from_lines("a.test\tredirect\t7\tboom\n"), None);
    }
}
