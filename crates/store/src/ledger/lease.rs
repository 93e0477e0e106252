//! Leases: work that one of several processes does at a time.
//!
//! A lease is a row: what the work is, who does it, and until when by the database's own clock, so that nobody's clock
//! can hold it longer. Taking it is one statement that compares and sets: of several who try, one has it. Whoever has it
//! takes it again in time; whoever dies loses it when it ends. A lease says who *should* do the work: what must not be
//! done twice is guarded by its own transaction all the same.

use std::time::Duration;

use super::{Error, Ledger, as_i64};
use crate::db::{query, query_of};

/// Work that this process has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    name: String,
    holder: String,
}

impl Ledger {
    /// Takes the work for so long, or for longer if this holder has it already; `None` while another has it. Names and
    /// holders are short words of ours: a holder is another after each start.
    pub async fn take_lease(&self, name: &str, holder: &str, time: Duration) -> Result<Option<Lease>, Error> {
        let now = self.db().now_nanos();
        let take = query_of(format!(
            "INSERT INTO leases (name, holder, ends) VALUES ($1, $2, {now} + $3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends = excluded.ends
             WHERE leases.holder = excluded.holder OR leases.ends <= {now}"
        ));
        let nanos = as_i64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).min(i64::MAX / 4);
        let taken = self.db().execute(take.bind(name).bind(holder).bind(nanos), "taking a lease").await?;
        Ok((taken > 0).then(|| Lease { name: name.to_owned(), holder: holder.to_owned() }))
    }

    /// Gives the work back before its time; nothing happens if somebody else has it by now.
    pub async fn give_back(&self, lease: Lease) -> Result<(), Error> {
        let give = query("DELETE FROM leases WHERE name = $1 AND holder = $2").bind(lease.name).bind(lease.holder);
        self.db().execute(give, "giving a lease back").await.map(|_| ())
    }
}
