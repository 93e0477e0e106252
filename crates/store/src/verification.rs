//! A pass of verification while it goes on: what was seen so far, a line for each name, in `DATA/verify/CASE.jsonl`.
//!
//! Thousands of names asked politely take a while; whatever ends the pass in between, the next begins where it stopped. The
//! lines are the verifier's; nothing here knows what they say. Once the pass is in the vault they go.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use model::id::CaseId;

use crate::Error;
use crate::folder::make_folder;

/// The largest file that is read back.
pub const PASS_OCTETS_MAX: u64 = 1 << 30;

/// The pass of one case.
#[derive(Clone, Debug)]
pub struct Pass {
    path: PathBuf,
}

impl Pass {
    pub fn of(data: &Path, case: &CaseId) -> Self {
        Self { path: data.join("verify").join(format!("{case}.jsonl")) }
    }

    /// What was seen so far; nothing if no pass goes on.
    pub fn lines(&self) -> Result<Vec<u8>, Error> {
        let length = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(Error::io("reading", &self.path))?.len(),
        };
        if length > PASS_OCTETS_MAX {
            let what = format!("it has {length} octets; a pass has at most {PASS_OCTETS_MAX}");
            return Err(Error::Damaged { path: self.path.clone(), what });
        }
        fs::read(&self.path).map_err(Error::io("reading", &self.path))
    }

    /// Adds lines; they are synced when this returns.
    pub fn add(&self, lines: &[u8]) -> Result<(), Error> {
        make_folder(self.path.parent().expect("a pass lies in its folder"))?;
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.path);
        let mut file = file.map_err(Error::io("opening", &self.path))?;
        file.write_all(lines).and_then(|()| file.sync_data()).map_err(Error::io("writing", &self.path))
    }

    /// The pass has ended.
    pub fn end(&self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map_err(Error::io("removing", &self.path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_kept_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        let pass = Pass::of(home.path(), &CaseId::parse("harbour").unwrap());
        assert_eq!(pass.lines().unwrap(), b"");
        pass.add(b"one\n").unwrap();
        pass.add(b"two\n").unwrap();
        assert_eq!(pass.lines().unwrap(), b"one\ntwo\n");
        pass.end().unwrap();
        pass.end().unwrap();
        assert_eq!(pass.lines().unwrap(), b"");
    }
}
