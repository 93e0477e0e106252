//! Our own trouble: a socket, the journal, a key. What a caller sent is never an error here.

use std::io;
use std::path::PathBuf;

/// What kept a listener from starting, or a key from being read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} for {listener}")]
    Listener {
        what: &'static str,
        listener: String,
        #[source]
        cause: io::Error,
    },
    #[error("{what} {}", path.display())]
    Key {
        what: &'static str,
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("making a certificate for {name}: {cause}")]
    Certificate { name: String, cause: String },
    #[error("opening a journal lane for {listener}")]
    Journal {
        listener: String,
        #[source]
        cause: store::Error,
    },
    #[error("{count} answer addresses, and a zone takes {max} of each family")]
    Addresses { count: usize, max: usize },
}

impl Error {
    /// What to do about it, for the last line that an operator reads.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Key { .. } => Some("the key folder must exist, belong to this user and be closed to others"),
            Self::Addresses { .. } => Some("name fewer answer addresses in the configuration"),
            _ => None,
        }
    }
}
