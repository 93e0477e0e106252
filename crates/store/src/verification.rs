//! A pass of verification while it goes on: what was seen so far, a line for each name, in `DATA/verify/CASE.jsonl`.
//!
//! Thousands of names asked politely take a while; whatever ends the pass in between, the next begins where it stopped. The
//! lines are the verifier's; nothing here knows what they say. Once the pass is in the vault they go.

use std::fs;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
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

    /// Adds lines. An end of the program loses them no more; one of the machine may, until they are [synced](Self::sync).
    pub fn add(&self, lines: &[u8]) -> Result<(), Error> {
        make_folder(self.path.parent().expect("a pass lies in its folder"))?;
        let file = fs::OpenOptions::new().create(true).read(true).append(true).open(&self.path);
        let mut file = file.map_err(Error::io("opening", &self.path))?;
        let written = ends_a_line(&mut file).and_then(|ends| {
            // A line that was cut off takes none of these with it.
            let before: &[u8] = if ends { b"" } else { b"\n" };
            file.write_all(&[before, lines].concat())
        });
        written.map_err(Error::io("writing", &self.path))
    }

    pub fn sync(&self) -> Result<(), Error> {
        match fs::File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.and_then(|file| file.sync_data()).map_err(Error::io("syncing", &self.path)),
        }
    }

    /// The pass has ended.
    pub fn end(&self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map_err(Error::io("removing", &self.path)),
        }
    }
}

fn ends_a_line(file: &mut fs::File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
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
        pass.add(b"cut o").unwrap();
        pass.add(b"three\n").unwrap();
        pass.sync().unwrap();
        assert_eq!(pass.lines().unwrap(), b"one\ntwo\ncut o\nthree\n");
        pass.end().unwrap();
        pass.end().unwrap();
        assert_eq!(pass.lines().unwrap(), b"");
    }
}
