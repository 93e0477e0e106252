//! What became of the orders so far: counts, the last error, the next try, for `status` and for Prometheus.
//!
//! The certifier writes, whoever asks reads. Nothing is remembered over a restart: what was obtained lies on the disk and
//! is in `held`.

use std::sync::{Arc, Mutex, MutexGuard};

use desk::api::CertificateTally;
use model::Timestamp;

/// Octets of the last error that are kept: an authority may tell a long story.
const ERROR_OCTETS_MAX: usize = 300;

/// Shared between the certifier and those who ask.
#[derive(Clone, Debug, Default)]
pub(in crate::supervise) struct Books(Arc<Mutex<CertificateTally>>);

impl Books {
    /// What stands now.
    pub(in crate::supervise) fn told(&self) -> CertificateTally {
        self.open().clone()
    }

    /// How many there are, and how many names want one.
    pub(super) fn looked(&self, held: usize, due: usize) {
        let mut books = self.open();
        (books.held, books.due) = (held as u64, due as u64);
    }

    /// When the next name that failed is tried again.
    pub(super) fn waits_until(&self, next_try: Option<Timestamp>) {
        self.open().next_try = next_try;
    }

    pub(super) fn asked(&self, orders: usize) {
        self.open().asked += orders as u64;
    }

    pub(super) fn issued(&self) {
        self.open().issued += 1;
    }

    pub(super) fn failed(&self, error: &str) {
        let mut books = self.open();
        books.failed += 1;
        let end = (0..=ERROR_OCTETS_MAX.min(error.len())).rev().find(|at| error.is_char_boundary(*at)).unwrap_or(0);
        books.last_error = Some(error[..end].to_owned());
    }

    fn open(&self) -> MutexGuard<'_, CertificateTally> {
        self.0.lock().expect("nothing panics while it counts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_told_and_a_long_error_is_cut() {
        let (books, at) = (Books::default(), Timestamp::UNIX_EPOCH);
        books.looked(3, 2);
        books.waits_until(Some(at));
        books.asked(2);
        books.issued();
        books.failed(&"ä".repeat(ERROR_OCTETS_MAX));
        let told = books.clone().told();
        assert_eq!((told.held, told.due, told.asked, told.issued, told.failed), (3, 2, 2, 1, 1));
        assert_eq!((told.next_try, told.last_error), (Some(at), Some("ä".repeat(ERROR_OCTETS_MAX / 2))));
    }
}
