//! Who signs the checkpoints, and over what.
//!
//! A process that has the key signs each append in the append's own transaction: no fact of its own ever stands without a
//! signature. Where several cores share a ledger, some may be without the key; what they append is signed within a moment by
//! one of those that have it, which holds the lease `checkpoints`. It signs nothing but what goes on from the tree that was
//! signed last: between that and the head it takes the facts in one by one.

use std::time::Duration;

use super::head::Head;
use super::{Error, Ledger, damaged};
use crate::db::{Transaction, query};
use crate::log::{Checkpoint, Frontier, SigningKey};

/// The lease of whoever signs what others appended.
const SIGNER: &str = "checkpoints";
/// How long it is held; taken again with each look.
const SIGNER_TIME: Duration = Duration::from_secs(15);

impl Ledger {
    /// From now on every append is signed by this key. A key that was just made signs what stands; any other finds the
    /// checkpoint that it has signed last, over exactly the facts that are here; or, where others append too, over facts
    /// from which those that are here go on.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it does not.
    pub async fn sign_with(&self, key: SigningKey, is_new: bool) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let mut head = Head::load(&mut transaction).await?;
        match &head.checkpoint {
            None if !is_new => return Err(damaged("its checkpoint is missing, and the key that signed it is not new")),
            Some(_) if !self.db().is_shared() => head.check(key.verifying())?,
            Some(_) => self.check_goes_on(&mut transaction, &head, &key).await?,
            None => {}
        }
        if head.signed_size() != Some(head.next().0) {
            head.sign(Some(&key));
            head.save(&mut transaction).await?;
        }
        self.commit(transaction, head.next()).await?;
        // Whoever comes second has the same key: both have just found its checkpoint.
        let _ = self.inner.key.set(key);
        Ok(())
    }

    /// Checks that the head goes on from what was signed last.
    async fn check_goes_on(&self, transaction: &mut Transaction, head: &Head, key: &SigningKey) -> Result<(), Error> {
        let Some(note) = &head.checkpoint else { return Ok(()) };
        let signed = Checkpoint::open(note, key.verifying());
        let signed = signed.map_err(|why| damaged(&format!("its checkpoint: {why}")))?;
        let mut checked = self.inner.signed.lock().await;
        if signed.size == head.next().0 {
            head.check(key.verifying())?;
            *checked = head.frontier.clone();
            return Ok(());
        }
        let known = if checked.size() <= signed.size { checked.clone() } else { Frontier::default() };
        let mut tree = Head { frontier: known, checkpoint: None };
        tree.grow(transaction, Some(signed.size)).await?;
        if (tree.next().0, tree.frontier.root()) != (signed.size, signed.root) {
            return Err(damaged(&format!("its first {} facts are not those that were signed", signed.size)));
        }
        tree.grow(transaction, None).await?;
        if tree.frontier != head.frontier {
            return Err(damaged("its head is not over the facts that are here"));
        }
        *checked = tree.frontier;
        Ok(())
    }

    /// Signs what others appended without a key, if this process has one and the lease. Says whether it signed.
    pub(super) async fn sign_for_others(&self, holder: &str) -> Result<bool, Error> {
        let Some(key) = self.inner.key.get() else { return Ok(false) };
        let select = query("SELECT next, frontier, checkpoint FROM ledger_head WHERE id = 0");
        let Some(row) = self.db().first(select, "reading the ledger's head").await? else { return Ok(false) };
        let head = Head::read(&row)?;
        if head.signed_size() == Some(head.next().0) {
            return Ok(false);
        }
        if self.take_lease(SIGNER, holder, SIGNER_TIME).await?.is_none() {
            return Ok(false);
        }
        let mut transaction = self.begin().await?;
        let mut head = Head::load(&mut transaction).await?;
        self.check_goes_on(&mut transaction, &head, key).await?;
        head.sign(Some(key));
        head.save(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
