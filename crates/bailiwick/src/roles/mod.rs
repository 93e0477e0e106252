//! One file per subcommand, named as typed. Each reads its arguments, goes through the door, and prints.

pub(crate) mod approval;
pub(crate) mod callers;
pub(crate) mod case;
pub(crate) mod config;
pub(crate) mod feed;
pub(crate) mod group;
pub(crate) mod hunt;
pub(crate) mod journal;
pub(crate) mod person;
pub(crate) mod query;
pub(crate) mod serve;
pub(crate) mod status;
