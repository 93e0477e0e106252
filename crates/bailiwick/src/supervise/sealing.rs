//! The key that account names are sealed to, from its file: the public half alone.

use std::path::Path;

use sinkhole::sealed::SealingKey;

use crate::failure::{Failure, Tried};

/// A key in PEM has 113 octets.
const FILE_OCTETS_MAX: usize = 4_096;

pub(super) fn key(file: &Path) -> Result<SealingKey, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).tried(format_args!("reading the key of accounts in {shown}"))?;
    let text = text.get(..text.len().min(FILE_OCTETS_MAX)).unwrap_or_default();
    SealingKey::parse(text).map_err(|why| {
        Failure::new(format!("{shown} is not the public half of a key of accounts: {why}"))
            .hint("`bailiwick accounts key new` makes both halves; the private one belongs on another machine")
    })
}

#[cfg(test)]
mod tests {
    use sinkhole::sealed::OpeningKey;

    use super::*;

    #[test]
    fn the_public_half_is_read_and_the_private_one_refused_without_being_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let opening = OpeningKey::generate();
        std::fs::write(&file, format!("{}\n", opening.sealing())).unwrap();
        assert_eq!(&key(file.path()).unwrap(), opening.sealing());
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n").unwrap();
        let failure = format!("{:?}", key(file.path()).unwrap_err());
        assert!(failure.contains("the private half") && !failure.contains("MC4C"), "{failure}");
        std::fs::write(&file, "x").unwrap();
        assert!(format!("{:?}", key(file.path()).unwrap_err()).contains("64 hexadecimal digits"));
    }
}
