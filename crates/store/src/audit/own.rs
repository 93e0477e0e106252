//! The owner's own ledger, read and never written: beside a running daemon, after a crash, or in a copy.

use std::collections::BTreeMap;
use std::path::Path;

use model::fact::Fact;
use model::id::Position;
use model::time::to_nanos;
use model::{Digest, Timestamp};
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::{Anchor, AuditError, Report, Walk};
use crate::Error;
use crate::db::{Database, Db, Row, Transaction, postgres, query, sqlite};
use crate::ledger::{FILE, fold, names};
use crate::log::{Checkpoint, VerifyingKey};
use crate::view::View;

/// Facts that are read at once, while those before them are checked.
const FACTS_PER_PAGE: i64 = 10_000;

/// What the report says of the checkpoint that lies in the ledger.
const OWN_CHECKPOINT: &str = "the ledger's own checkpoint";

//----------- Audit ------------------------------------------------------------------------------------------------

/// A ledger as it stands at one moment.
pub struct Audit {
    db: Db,
    reading: Transaction,
}

/// A fact as it lies in the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    pub fact: Fact,
    pub kind: String,
    /// Its canonical JSON.
    pub text: String,
    pub salt: [u8; 32],
    pub commitment: Digest,
}

impl Audit {
    /// Opens the ledger that lies in a data folder for reading alone. What is appended from now on is not seen.
    pub async fn open(data: &Path) -> Result<Self, AuditError> {
        Self::open_in(data, &Database::Folder).await
    }

    /// The same, wherever the folder's ledger lies.
    pub async fn open_in(data: &Path, database: &Database) -> Result<Self, AuditError> {
        let db = match database {
            Database::Folder => sqlite::open_to_read(&data.join(FILE)).await?,
            Database::Postgres(settings) => postgres::open_to_read(settings).await?,
        };
        let reading = db.begin_to_read().await?;
        Ok(Self { db, reading })
    }

    /// The newest checkpoint, as it was signed.
    pub async fn checkpoint(&mut self) -> Result<Option<String>, AuditError> {
        let note = query("SELECT checkpoint FROM ledger_head WHERE id = 0");
        let row = self.reading.first(note, "reading the ledger's checkpoint").await?;
        Ok(row.and_then(|row| row.text_if_any("checkpoint")))
    }

    /// Every commitment, in order.
    pub async fn commitments(&mut self) -> Result<Vec<Digest>, AuditError> {
        let all = query("SELECT commitment FROM facts ORDER BY position");
        let all = self.reading.all(all, "reading commitments").await?;
        let digest = |row: &Row| row.octets("commitment").try_into().map(Digest);
        all.iter().map(|row| Ok(digest(row).map_err(|_| damaged("a commitment is no digest"))?)).collect()
    }

    /// Every fact with what proves it. Whoever gives them away verifies first.
    pub async fn entries(&mut self) -> Result<Vec<Entry>, AuditError> {
        let all = "SELECT position, version, time, kind, salt, commitment, body FROM facts ORDER BY position";
        let rows = self.reading.all(query(all), "reading facts").await?;
        rows.iter().map(|row| Ok(entry(row).ok_or_else(|| damaged("a fact cannot be read"))?)).collect()
    }

    /// What stands after all these facts, which begin at the first.
    pub async fn view(&mut self, entries: &[Entry]) -> Result<View, AuditError> {
        let facts: Vec<Fact> = entries.iter().map(|entry| entry.fact.clone()).collect();
        let mut sets = Vec::new();
        for digest in facts.iter().flat_map(names_of) {
            let lines = self.lines(digest).await?.unwrap_or_default();
            let names = std::str::from_utf8(&lines).ok().and_then(names::from_lines);
            sets.extend(names.map(|names| (*digest, names)));
        }
        let mut view = View::default();
        fold(&mut view, &facts, sets);
        Ok(view)
    }

    /// The same, with a look at what stands after each of them.
    pub async fn replay(&mut self, entries: &[Entry], mut look: impl FnMut(&View, &Entry)) -> Result<View, AuditError> {
        let mut sets = BTreeMap::new();
        for digest in entries.iter().flat_map(|entry| names_of(&entry.fact)) {
            let lines = self.lines(digest).await?.unwrap_or_default();
            let names = std::str::from_utf8(&lines).ok().and_then(names::from_lines);
            sets.extend(names.map(|names| (*digest, names)));
        }
        let mut view = View::default();
        for entry in entries {
            // What the law does not allow has no effect, and the view remembers it.
            let _ = view.apply(&entry.fact, |digest| sets.get(digest).cloned());
            look(&view, entry);
        }
        Ok(view)
    }

    /// The lines of a set of names.
    pub async fn lines(&mut self, names: &Digest) -> Result<Option<Vec<u8>>, AuditError> {
        let lines = query("SELECT lines FROM name_sets WHERE digest = $1").bind(&names.0[..]);
        let row = self.reading.first(lines, "loading a set of names").await?;
        Ok(row.map(|row| row.octets("lines").to_vec()))
    }

    /// Checks every fact, the tree, what was signed of it, the sets of names, and the database itself.
    pub async fn verify(&mut self, key: &VerifyingKey, anchors: &[Anchor]) -> Result<Report, AuditError> {
        let at = |cause| AuditError::Checkpoint { place: OWN_CHECKPOINT.to_owned(), cause };
        let note = self.checkpoint().await?;
        let own = note.map(|note| Checkpoint::open(&note, key).map_err(at)).transpose()?;
        let own = own.map(|checkpoint| Anchor { place: OWN_CHECKPOINT.to_owned(), checkpoint });
        let mut walk = Walk::new(anchors.iter().chain(&own));
        self.walk(&mut walk).await?;
        let mut report = walk.finish();
        key.name().clone_into(&mut report.origin);
        match own {
            None => report.fault(None, "nothing was signed: the ledger has no checkpoint"),
            Some(own) if own.checkpoint.size < report.size => {
                report.fault(None, format!("positions from {} on are in no checkpoint", own.checkpoint.size));
            }
            Some(_) => {}
        }
        report.anchors = anchors.len();
        self.check_names(&mut report).await?;
        self.check_database(&mut report).await?;
        Ok(report)
    }

    /// One page is read while the one before it is checked.
    async fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), AuditError> {
        let mut page = self.page(-1).await?;
        let mut next = 0;
        while let Some(last) = page.last() {
            let last = last.number("position");
            let checked = spawn_blocking(move || page.iter().map(check).collect::<Vec<_>>());
            let (following, checked) = tokio::join!(self.page(last), checked);
            for row in checked.expect("checking rows does not panic") {
                if row.position != next {
                    walk.report.fault(Some(next), format!("it is missing; the next one is {}", row.position));
                }
                row.fault.into_iter().for_each(|what| walk.report.fault(Some(row.position), what));
                walk.step(&row.commitment);
                walk.report.with_body += 1;
                next = row.position + 1;
            }
            page = following?;
        }
        Ok(())
    }

    async fn page(&mut self, after: i64) -> Result<Vec<Row>, AuditError> {
        let page = "SELECT position, version, time, kind, salt, commitment, body FROM facts
                    WHERE position > $1 ORDER BY position LIMIT $2";
        Ok(self.reading.all(query(page).bind(after).bind(FACTS_PER_PAGE), "reading facts").await?)
    }

    /// Each set is what its digest says, and each that a fact speaks of is here.
    async fn check_names(&mut self, report: &mut Report) -> Result<(), AuditError> {
        let digests = query("SELECT digest FROM name_sets ORDER BY digest");
        let digests = self.reading.all(digests, "listing sets of names").await?;
        let digests: Vec<Vec<u8>> = digests.iter().map(|row| row.octets("digest").to_vec()).collect();
        for octets in &digests {
            let digest = Digest(octets.as_slice().try_into().unwrap_or_default());
            let lines = self.lines(&digest).await?.unwrap_or_default();
            if Digest::of_bytes(&lines) != digest {
                report.fault(None, format!("the set of names {digest} is not what its digest says"));
            }
        }
        let listed =
            query("SELECT body FROM facts WHERE kind IN ('order-listed', 'amendment-proposed', 'verification-made')");
        let listed = self.reading.all(listed, "reading facts").await?;
        for fact in listed.iter().filter_map(|row| serde_json::from_slice::<Fact>(row.octets("body")).ok()) {
            for names in names_of(&fact) {
                if !digests.iter().any(|digest| digest[..] == names.0) {
                    report.fault(Some(fact.position.0), format!("the set of names {names} is missing"));
                }
            }
        }
        Ok(())
    }

    async fn check_database(&mut self, report: &mut Report) -> Result<(), AuditError> {
        // A server checks its own pages (`data_checksums`, `pg_amcheck`); that is not ours to ask.
        if self.db.is_shared() {
            return Ok(());
        }
        let lines = self.reading.all(query(sqlite::INTEGRITY), "checking the database's own structure").await?;
        let lines = lines.iter().map(|row| row.text("integrity_check")).filter(|line| *line != "ok");
        lines.for_each(|line| report.fault(None, format!("{FILE}: {line}")));
        Ok(())
    }
}

/// The sets of names that a fact speaks of.
pub fn names_of(fact: &Fact) -> Vec<&Digest> {
    fact.body.name_sets()
}

fn damaged(what: &str) -> Error {
    Error::Damaged { path: FILE.into(), what: what.to_owned() }
}

//----------- Rows -------------------------------------------------------------------------------------------------

struct Checked {
    position: u64,
    commitment: Digest,
    fault: Option<&'static str>,
}

/// The parts of a fact that stand in columns too. The rest is the law's to read, and has no say in whether it is whole.
#[derive(Deserialize)]
struct Envelope<'a> {
    version: i64,
    position: Position,
    time: Timestamp,
    #[serde(borrow)]
    body: Tag<'a>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    fact: &'a str,
}

fn check(row: &Row) -> Checked {
    let position = row.number("position").cast_unsigned();
    // A commitment of another length is a leaf all the same: the tree will not be the signed one either.
    let stored = row.octets("commitment");
    let commitment = Digest(stored.try_into().unwrap_or_default());
    Checked { position, commitment, fault: fault(row, position, commitment) }
}

fn fault(row: &Row, position: u64, commitment: Digest) -> Option<&'static str> {
    let (body, salt): (&[u8], &[u8]) = (row.octets("body"), row.octets("salt"));
    let Ok(salt) = <&[u8; 32]>::try_from(salt) else { return Some("its salt has another length") };
    if Fact::commitment_over(salt, body) != commitment {
        return Some("body, salt and commitment do not belong together: one of them was changed");
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(body) else { return Some("its body is no fact") };
    if envelope.position.0 != position {
        return Some("its body says another position: it was moved");
    }
    let (version, time, kind) = (row.number("version"), row.number("time"), row.text("kind"));
    let columns_agree = (version, time, kind) == (envelope.version, to_nanos(envelope.time), envelope.body.fact);
    (!columns_agree).then_some("version, time or kind beside the body are not those within")
}

fn entry(row: &Row) -> Option<Entry> {
    let text = String::from_utf8(row.octets("body").to_vec()).ok()?;
    let salt = row.octets("salt").try_into().ok()?;
    let commitment = Digest(row.octets("commitment").try_into().ok()?);
    Some(Entry { fact: serde_json::from_str(&text).ok()?, kind: row.text("kind").to_owned(), text, salt, commitment })
}
