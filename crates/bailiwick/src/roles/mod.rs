//! One file per subcommand, named as typed, where a room has not taken the name already (`score` is `hunt score`,
//! `population` is `callers`). Each reads its arguments, goes through the door, and prints.

pub(crate) mod accounts;
pub(crate) mod amend;
pub(crate) mod approval;
pub(crate) mod archive;
pub(crate) mod audit;
pub(crate) mod authority;
pub(crate) mod backup;
mod browser;
pub(crate) mod case;
pub(crate) mod clickhouse;
pub(crate) mod config;
pub(crate) mod custody;
pub(crate) mod dns;
pub(crate) mod doctor;
pub(crate) mod evidence;
pub(crate) mod execution;
pub(crate) mod export;
pub(crate) mod feed;
mod folder;
pub(crate) mod gate;
pub(crate) mod group;
pub(crate) mod journal;
pub(crate) mod person;
pub(crate) mod population;
pub(crate) mod query;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod retention;
pub(crate) mod score;
pub(crate) mod sensor;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod traces;
pub(crate) mod verify;
pub(crate) mod watch;
