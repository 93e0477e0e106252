//! Audit: whether the ledger is whole, as its owner sees it ([`Audit`]) or a stranger who holds an export and a key
//! ([`verify_folder`]).
//!
//! Both walk over the commitments in order and build the tree anew. Three kinds of fault are told apart: a fact that is
//! not what was committed to (its position is known), a tree that is not the signed one (a fact was changed together with
//! its commitment, or the order was, or this is another history), and a tree that ends before one that somebody kept (an
//! *anchor*: an older checkpoint in other hands). A checkpoint that lies beside what it proves shows no cut that took it
//! along: that is what anchors are for.
//!
//! What is deliberately absent: the archive's manifest, cursors and named zones, which can be made anew from the facts
//! and the journal.

use std::fmt;
use std::io;
use std::path::Path;

use model::Digest;
use model::id::Position;

use crate::log::{Checkpoint, CheckpointError, Frontier, NoteError, VerifyingKey, leaf};

mod folder;
mod own;
mod stranger;
#[cfg(test)]
mod tests;

pub use folder::{Disclosed, Export, write_export, write_tiles};
pub use own::{Audit, Entry, names_of};
pub use stranger::verify_folder;

/// The most faults that are told one by one.
pub const FAULTS_MAX: usize = 20;

/// The largest file that an anchor is read from, in octets.
const ANCHOR_OCTETS_MAX: u64 = 1 << 20;

/// Why an audit could not be made. What it finds is no error of ours: see [`Report::faults`].
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("{what} {path}")]
    Io {
        what: &'static str,
        path: String,
        #[source]
        cause: io::Error,
    },
    #[error("the checkpoint in {place}: {cause}")]
    Checkpoint { place: String, cause: CheckpointError },
    #[error("the list of files in {place}: {cause}")]
    Manifest { place: String, cause: NoteError },
    #[error(transparent)]
    Store(#[from] crate::Error),
}

impl AuditError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |cause| Self::Io { what, path, cause }
    }
}

//----------- Report -----------------------------------------------------------------------------------------------

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub origin: String,
    /// How many facts the tree that was built has, and its root.
    pub size: u64,
    pub root: Option<Digest>,
    /// Facts whose body was compared with its commitment; the others stand in the tree by their commitment alone.
    pub with_body: u64,
    pub anchors: usize,
    /// The first ones.
    pub faults: Vec<Fault>,
    pub more_faults: u64,
}

/// Something that does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where, if one fact alone is concerned.
    pub position: Option<Position>,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "fact {position}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Report {
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, position: Option<u64>, what: impl Into<String>) {
        match self.faults.len() < FAULTS_MAX {
            true => self.faults.push(Fault { position: position.map(Position), what: what.into() }),
            false => self.more_faults += 1,
        }
    }
}

//----------- Anchors ----------------------------------------------------------------------------------------------

/// A checkpoint that somebody kept, and where.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub place: String,
    pub checkpoint: Checkpoint,
}

impl Anchor {
    /// Reads a checkpoint from a file.
    ///
    /// # Errors
    /// If it cannot be read, or this key did not sign it.
    pub fn read(file: &Path, key: &VerifyingKey) -> Result<Self, AuditError> {
        let place = file.display().to_string();
        let note = folder::read_text(file, ANCHOR_OCTETS_MAX)?;
        let checkpoint =
            Checkpoint::open(&note, key).map_err(|cause| AuditError::Checkpoint { place: place.clone(), cause })?;
        Ok(Self { place, checkpoint })
    }
}

/// Builds the tree anew and compares it with each anchor at that one's size.
struct Walk<'a> {
    frontier: Frontier,
    /// By size, the smallest first.
    anchors: Vec<&'a Anchor>,
    met: usize,
    /// The last anchor that agreed.
    agreed: Option<&'a Anchor>,
    report: Report,
}

impl<'a> Walk<'a> {
    fn new(anchors: impl IntoIterator<Item = &'a Anchor>) -> Self {
        let mut anchors: Vec<&Anchor> = anchors.into_iter().collect();
        anchors.sort_by_key(|anchor| anchor.checkpoint.size);
        let mut walk = Self { frontier: Frontier::default(), anchors, met: 0, agreed: None, report: Report::default() };
        walk.meet();
        walk
    }

    fn step(&mut self, commitment: &Digest) {
        self.frontier.push(leaf(&commitment.0));
        self.meet();
    }

    fn meet(&mut self) {
        let size = self.frontier.size();
        while let Some(anchor) = self.anchors.get(self.met).filter(|anchor| anchor.checkpoint.size == size) {
            self.met += 1;
            match anchor.checkpoint.root == self.frontier.root() {
                true => self.agreed = Some(anchor),
                false => self.report.fault(None, other_tree(anchor, self.agreed)),
            }
        }
    }

    /// Those that were not met stand for facts that are not here.
    fn finish(mut self) -> Report {
        let size = self.frontier.size();
        for anchor in &self.anchors[self.met..] {
            let Anchor { place, checkpoint } = anchor;
            let missing = format!(
                "{place} stands for {} facts and here are {size}: positions {size} to {} were cut off",
                checkpoint.size,
                checkpoint.size - 1
            );
            self.report.fault(None, missing);
        }
        let root = Some(self.frontier.root());
        Report { size, root, anchors: self.anchors.len(), ..self.report }
    }
}

fn other_tree(anchor: &Anchor, agreed: Option<&Anchor>) -> String {
    let from = agreed.map_or(0, |agreed| agreed.checkpoint.size);
    let Anchor { place, checkpoint } = anchor;
    format!(
        "{place} is over another tree: of positions {from} to {}, at least one is not what was signed, stands elsewhere, \
         or belongs to another history",
        checkpoint.size.saturating_sub(1)
    )
}
