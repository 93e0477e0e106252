//! Passwords that people type: random in every run, so that a scan for them cannot find anything by chance.
//!
//! Each holds characters that every encoding on the way (URL, HTML, JSON, base64) writes differently: a scan that
//! does not decode would miss it.

use sha2::{Digest as _, Sha256};

/// Characters of a password: 14 random ones out of 60 are 82 bits.
const PASSWORD_LEN: usize = 14;
/// Letters and digits that people can read aloud.
const LETTERS: &[u8; 60] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ0123456789";
/// What encodings treat specially.
const MARKS: &[u8; 8] = b"&<>\"%+= ";

/// A source of passwords, from octets drawn once per run.
pub(crate) struct Passwords {
    key: [u8; 32],
}

impl Passwords {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The n-th password of a caller.
    pub(crate) fn password(&self, caller: u64, n: u64) -> String {
        let mut digest = Sha256::new();
        digest.update(self.key);
        digest.update(caller.to_be_bytes());
        digest.update(n.to_be_bytes());
        let octets = digest.finalize();
        let mut text: String = octets[..PASSWORD_LEN]
            .iter()
            .map(|octet| char::from(LETTERS[usize::from(*octet) % LETTERS.len()]))
            .collect();
        // In the middle, so that no trimming can take it away.
        text.insert(PASSWORD_LEN / 2, char::from(MARKS[usize::from(octets[PASSWORD_LEN]) % MARKS.len()]));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_by_caller_number_and_run() {
        let (run, other_run) = (Passwords::new([1; 32]), Passwords::new([2; 32]));
        let all = [run.password(1, 1), run.password(1, 2), run.password(2, 1), other_run.password(1, 1)];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), PASSWORD_LEN + 1);
            assert!(!all[at + 1..].contains(one));
            assert!(one.bytes().any(|octet| MARKS.contains(&octet)), "{one}");
        }
    }
}
