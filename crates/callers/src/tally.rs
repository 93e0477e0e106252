//! The callers' own books: what they sent and what was answered, by the kinds in which contacts are counted.
//!
//! Sent is counted where the last octet of it was handed to the kernel: a datagram, a connect that succeeded, a
//! complete ClientHello, a request; a retry counts again. Answered is counted where the answer arrived. The passwords
//! that were typed stand here and nowhere else, for the scan that must not find them in the data folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use model::contact::Kind;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::cast::Role;

//----------- ByKind -----------------------------------------------------------------------------------------------

/// One number per kind of contact.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByKind {
    pub query: u64,
    pub connection: u64,
    pub hello: u64,
    pub request: u64,
    pub message: u64,
    pub datagram: u64,
}

impl ByKind {
    pub fn add(&mut self, kind: Kind, count: u64) {
        *self.slot(kind) += count;
    }

    pub fn of(&self, kind: Kind) -> u64 {
        let mut copy = *self;
        *copy.slot(kind)
    }

    pub fn total(&self) -> u64 {
        Kind::ALL.into_iter().map(|kind| self.of(kind)).sum()
    }

    fn slot(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Query => &mut self.query,
            Kind::Connection => &mut self.connection,
            Kind::Hello => &mut self.hello,
            Kind::Request => &mut self.request,
            Kind::Message => &mut self.message,
            Kind::Datagram => &mut self.datagram,
        }
    }
}

//----------- Tally ------------------------------------------------------------------------------------------------

/// What the population did, and what came back.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Whether everyone came home: false in a report written on the way.
    pub finished: bool,
    pub sent: ByKind,
    /// Never more than was recorded, if the sinkhole writes before it answers.
    pub answered: ByKind,
    /// Acts tried again after a time-out or a failed connect; each try is also in `sent` as far as it got.
    pub retries: u64,
    /// Acts that were given up after the last retry.
    pub given_up: u64,
    /// Answers that did not fit their question: another id, another name, no HTTP.
    pub strange_answers: u64,
    /// Callers that came home, by role.
    pub callers: BTreeMap<Role, u64>,
    /// Callers that did not start, because time was up.
    pub callers_not_started: u64,
    /// Answers by what they said: `dns 0`, `http 200`.
    pub answers: BTreeMap<String, u64>,
    /// Every password typed, in the order in which they were sent.
    pub secrets_typed: Vec<String>,
}

impl Tally {
    /// Writes the tally to its file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let draft = path.with_extension("draft");
        let text = serde_json::to_vec_pretty(self).expect("a tally has string keys only");
        let mut file = File::create(&draft).map_err(Error::io("create", draft.display()))?;
        file.write_all(&text).map_err(Error::io("write", draft.display()))?;
        file.sync_all().map_err(Error::io("sync", draft.display()))?;
        fs::rename(&draft, path).map_err(Error::io("rename to", path.display()))
    }

    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::io("read", path.display()))?;
        serde_json::from_slice(&text).map_err(std::io::Error::from).map_err(Error::io("understand", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tally.json");
        let mut tally = Tally { finished: true, secrets_typed: vec!["a\"b".into()], ..Tally::default() };
        for (count, kind) in (1..).zip(Kind::ALL) {
            tally.sent.add(kind, count);
        }
        tally.callers.insert(Role::LinkPreview, 3);
        tally.write(&path).unwrap();
        assert_eq!(Tally::read(&path).unwrap(), tally);
        assert_eq!(tally.sent.total(), 21);
        assert_eq!(tally.sent.of(Kind::Request), 4);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }
}
