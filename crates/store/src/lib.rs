//! Memory: the only room that owns a disk.
//!
//! Everything that the house remembers lies in one [data folder](folder::DataFolder), which one process holds at a
//! time. Contacts go to the [journal] before they are answered; what somebody did goes to the
//! [ledger] as facts; what was understood goes to the [archive], which any tool can read; exhibits
//! go to the [vault]; what is asked again and again is a [report]. Where one machine is too small, the
//! archive's rows lie in [clickhouse], too. State is never stored: a [view] is a fold of facts, and [zones](zones) come from a
//! view and from nowhere else.
//!
//! One rule of durability: a crash of the process loses nothing that was answered, a loss of power loses at most the
//! last 50 ms of contacts, and a fact is synced before it is acknowledged.
//!
//! What is deliberately absent: decisions (room `docket`), meaning (room `insight`), and any socket but those to its own
//! databases.

pub mod archive;
pub mod audit;
pub mod backup;
pub mod clickhouse;
pub mod db;
mod error;
pub mod folder;
pub mod journal;
pub mod lease;
pub mod ledger;
pub mod log;
pub mod report;
pub mod sensors;
pub mod sim;
pub mod vault;
pub mod verification;
pub mod view;
pub mod zones;

pub use archive::{Archive, ArchiveBatch, CompactLimits, Sighting, SightingFilter};
pub use db::{Database, Postgres};
pub use error::Error;
pub use folder::DataFolder;
pub use journal::{Cursor, Frame, Journal, JournalLimits, LaneWriter, SyncThread};
pub use ledger::{AppendError, Ledger, NamedSet};
pub use vault::Vault;
pub use view::View;
pub use zones::{Zone, ZoneSet};
