//! The value that stands under an account's name, held while it is read; and the accounts so far.
//!
//! It holds nothing unless it was told to, one value at a time, in a buffer that never grows and is wiped. Which octets
//! belong to a value is the grammars' business.

use zeroize::Zeroizing;

use crate::secrets::{ACCOUNT_OCTETS_MAX, Account, Accounts, is_account_field};

/// The longest value that is held: `\u0061` is six octets for one.
const CODED_OCTETS_MAX: usize = 6 * ACCOUNT_OCTETS_MAX;

#[derive(Debug, Default)]
pub(super) struct Caught {
    accounts: Accounts,
    /// Whether accounts are handed out at all.
    is_on: bool,
    held: Option<Held>,
}

/// The octets so far, as coded.
struct Held(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held(…)")
    }
}

impl Caught {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, ..Self::default() }
    }

    /// A value begins under this name.
    pub(super) fn begin(&mut self, name: &[u8]) {
        let holds = self.is_on && is_account_field(name);
        self.held = holds.then(|| Held(Zeroizing::new(Vec::with_capacity(CODED_OCTETS_MAX))));
    }

    /// Whether a value is being held.
    pub(super) fn holds(&self) -> bool {
        self.held.is_some()
    }

    pub(super) fn octet(&mut self, octet: u8) {
        self.octets(&[octet]);
    }

    /// What is too long is no account.
    pub(super) fn octets(&mut self, octets: &[u8]) {
        match &mut self.held {
            Some(Held(held)) if held.len() + octets.len() <= CODED_OCTETS_MAX => held.extend_from_slice(octets),
            _ => self.held = None,
        }
    }

    /// The value is over; `decode` undoes its coding, or says that it has none that is known.
    pub(super) fn end(&mut self, decode: impl FnOnce(&[u8]) -> Option<Vec<u8>>) {
        let Some(Held(held)) = self.held.take() else { return };
        let decoded = decode(&held).map(Zeroizing::new);
        if let Some(account) = decoded.and_then(|name| Account::read(&name)) {
            self.accounts.add(account);
        }
    }

    /// The value is none that could be an account.
    pub(super) fn cancel(&mut self) {
        self.held = None;
    }

    /// Lets go of everything, and holds nothing more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn into_accounts(self) -> Accounts {
        self.accounts
    }
}
