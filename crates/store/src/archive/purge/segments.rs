//! The journal's turn, and that of what sensors sent: segments whose frames are all archived, and older than anything of
//! them is kept.
//!
//! The fact comes first, with the names of what it speaks of, in one transaction; then the files go. A crash in between leaves
//! the names, and the next pass goes on with them.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::fact::{Actor, Body, Draft, FileSet};
use model::time::Date;

use super::super::{Archive, blocking, manifest};
use super::{PURGE, Still};
use crate::Error;
use crate::folder::sync_folder;
use crate::journal::{digest_of, ripe, ripe_received};
use crate::ledger::Appending;

impl Archive {
    /// Removes segments of days before this one which the follower has archived; what went, if anything did.
    pub async fn purge_journal(
        &self,
        _still: Still,
        follower: &str,
        before: Date,
        now: Timestamp,
    ) -> Result<Option<FileSet>, Error> {
        let (ledger, journal) = (&self.inner.ledger, self.journal());
        self.remove_segments(&journal).await?;
        let place = manifest::place(ledger, follower).await?;
        let (cursor, live) = (manifest::read_place(place.as_deref())?, (self.inner.sensor, self.inner.boot));
        let (folder, received) = (journal.clone(), self.inner.received.folder().to_owned());
        let read = self.inner.received.read_up_to().await?;
        let found = blocking(move || {
            let mut all = ripe(&folder, live, &cursor, before)?;
            all.extend(ripe_received(&received, &read, before)?);
            all.into_iter()
                .map(|one| Ok((one.name, one.octets, digest_of(&one.path)?)))
                .collect::<Result<Vec<_>, Error>>()
        })
        .await?;
        if found.is_empty() {
            return Ok(None);
        }
        let segments = FileSet::of(found.iter().map(|(name, octets, digest)| (name.as_str(), *octets, *digest)));
        let mut transaction = ledger.begin().await?;
        for (name, ..) in &found {
            manifest::condemn(&mut transaction, name).await?;
        }
        let body = Body::JournalPurged { before, segments: segments.clone() };
        let mut appending = Appending::begin(&mut transaction).await?;
        appending.add(vec![Draft::new(Actor::Room { name: PURGE.into() }, body)], now)?;
        let next = appending.finish(&mut transaction, ledger).await?;
        ledger.commit(transaction, next).await?;
        self.remove_segments(&journal).await?;
        Ok(Some(segments))
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.inner.root.parent().expect("the archive lies in the data folder").join("journal")
    }

    /// Removes what a fact says is gone.
    async fn remove_segments(&self, journal: &Path) -> Result<(), Error> {
        let names = manifest::condemned(&self.inner.ledger).await?;
        if names.is_empty() {
            return Ok(());
        }
        let journal = journal.to_owned();
        blocking(move || {
            let mut folders = BTreeSet::from([journal.clone()]);
            for name in names {
                // Those of sensors lie beside the journal; their names say in which folder.
                let path = if name.contains('/') { journal.with_file_name(name) } else { journal.join(name) };
                folders.extend(path.parent().filter(|folder| folder.exists()).map(Path::to_owned));
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(Error::io("removing", &path)(error));
                    }
                    _ => {}
                }
            }
            folders.iter().try_for_each(|folder| sync_folder(folder))
        })
        .await?;
        manifest::forget_condemned(&self.inner.ledger).await
    }
}
