//! Checkpoints ([tlog-checkpoint](https://c2sp.org/tlog-checkpoint)): origin, size and root of a tree, signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;

use super::note::{NoteError, SigningKey, VerifyingKey};

/// What a log says of itself at one size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Digest,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("it is signed, and is no checkpoint: origin, size and root in a line each")]
    NoCheckpoint,
    #[error("it is a checkpoint of {0}, which is another log")]
    OtherLog(String),
}

impl Checkpoint {
    /// Signs size and root under the key's own name.
    pub fn sign(size: u64, root: &Digest, key: &SigningKey) -> String {
        key.sign(&format!("{}\n{size}\n{}\n", key.verifying().name(), STANDARD.encode(root.0)))
    }

    /// Reads a checkpoint that this key signed for the log of its name.
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::read(key.open(note)?).ok_or(CheckpointError::NoCheckpoint)?;
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(CheckpointError::OtherLog(checkpoint.origin)) }
    }

    /// Lines after the third are others' extensions.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, digits, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size: u64 = digits.parse().ok()?;
        let root = Digest(STANDARD.decode(root).ok()?.try_into().ok()?);
        let is_plain = !origin.is_empty() && size.to_string() == digits && lines.all(|line| !line.is_empty());
        is_plain.then(|| Self { origin: origin.to_owned(), size, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> SigningKey {
        SigningKey::from_seed(Some(name), [7; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_has_the_three_lines_and_comes_back() {
        let (key, root) = (key("log.example.org/b"), Digest([0; 32]));
        let note = Checkpoint::sign(20_852_163, &root, &key);
        let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert!(note.starts_with(&format!("log.example.org/b\n20852163\n{zeros}\n\n— log.example.org/b ")), "{note}");
        let read = Checkpoint::open(&note, key.verifying()).unwrap();
        assert_eq!((read.origin.as_str(), read.size, read.root), ("log.example.org/b", 20_852_163, root));
    }

    #[test]
    fn what_is_signed_and_no_checkpoint_of_that_log_is_refused() {
        let key = key("log.example.org/b");
        let root = STANDARD.encode([0; 32]);
        for text in
            ["log.example.org/b\n07\n".to_owned(), format!("log.example.org/b\n07\n{root}\n"), format!("\n7\n{root}\n")]
        {
            let error = Checkpoint::open(&key.sign(&text), key.verifying()).unwrap_err();
            assert_eq!(error, CheckpointError::NoCheckpoint, "{text}");
        }
        let other = key.sign(&format!("elsewhere\n7\n{root}\n"));
        assert_eq!(Checkpoint::open(&other, key.verifying()), Err(CheckpointError::OtherLog("elsewhere".into())));
        let extended = key.sign(&format!("log.example.org/b\n7\n{root}\nmore\n"));
        assert_eq!(Checkpoint::open(&extended, key.verifying()).unwrap().size, 7);
    }
}
