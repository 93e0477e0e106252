//! One real client per promise: other people's programs against the running one.
//!
//! Every suite installs the exercise that ships with the program, starts it, and checks line by line. A line states
//! what a user relies on, not what the code does.

pub mod accounts;
pub mod acme;
pub mod archive;
pub mod backup;
pub mod clickhouse;
pub mod conformance;
pub mod crash;
pub mod dns;
pub mod dnstap;
pub mod epp;
pub mod evidence;
pub mod feeds;
pub mod fleet;
pub mod floods;
pub mod http2;
pub mod internet;
pub mod ledger;
pub mod lock;
mod name_servers;
pub mod odd;
pub mod postgres;
pub mod refusals;
pub mod resolvers;
pub mod retention;
pub mod sealed;
pub mod sensors;
pub mod stories;
pub mod stranger;
pub mod tls;
pub mod together;
pub mod trap;
pub mod web;
pub mod zonemaster;

/// A name of the exercise, one that only looks like it, and one below it.
const SEIZED: &str = "outlook-verify.net";
const LOOKALIKE: &str = "notoutlook-verify.net";
const BELOW: &str = "mail.outlook-verify.net";
