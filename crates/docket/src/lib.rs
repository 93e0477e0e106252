//! The case: from a file on paper's authority to names that are seized, looked at, watched, and given back.
//!
//! Before filing: [`casefile`] reads a case file and says every fault in it at once, [`quick`] writes the smallest one for a
//! team that already holds a few names; [`authority`] says what each kind of instrument gives and which papers it takes;
//! [`evidence`] is kept and told to providers; [`gate`] holds names against what speaks against taking them, and [`related`]
//! finds those that are missing, both from files that [`observed`] reads.
//!
//! The order, and after: [`appendix`] is what each registrar and registry gets; [`verify`] asks the world whether a seizure
//! took effect; [`custody`] compares what was seen from outside, and [`watch`] what the clock brings about, both as
//! [`alarms`]; [`due`] says what must happen by when; [`post_mortem`] looks back; [`returning`] writes what goes with a name
//! that is given back; [`dossier`] is all of a case for a stranger. [`zonefile`] reads the owner's records of a name;
//! [`rdap`] and [`ct`] read what registries and the logs of certificates say, for all of these; [`unbelief`] is TLS to servers
//! that nobody believes; [`retention`] says what is kept for how long.
//!
//! [`decide`] is the law in action: what a command may change, as facts to append, or the refusal; [`shown`] is exactly what
//! two people approve. [`run`] is the door: it loads the view, decides, appends. The rooms' own `run` pages are the only
//! others that touch the world.
//!
//! What is deliberately absent: the state machines themselves (room `model`) and storage (room `store`).

pub mod alarms;
pub mod appendix;
pub mod authority;
pub mod casefile;
pub mod command;
pub mod ct;
pub mod custody;
pub mod decide;
pub mod dossier;
pub mod due;
pub mod evidence;
pub mod gate;
pub mod observed;
pub mod post_mortem;
pub mod quick;
pub mod rdap;
pub mod related;
pub mod retention;
pub mod returning;
pub mod run;
pub mod shown;
pub mod unbelief;
pub mod verify;
pub mod watch;
pub mod zonefile;

pub use command::Command;
pub use decide::{Decision, Done, decide};
pub use run::execute;
