//! What does it mean: enrich, label, count, fold into the knowledge of the group.
//!
//! The room follows the journal and says of each contact who probably called, with reasons ([`assess`]), where from
//! ([`tables`]), how many there were ([`count`]), and what it teaches about the group ([`learn`]). Beside that it reads
//! what others know of the group ([`knowledge`]). All of it is functions of values; [`run`] is the one door.
//!
//! What is deliberately absent: look-ups of any kind, deciding who may see what (room `share`), and acting.

pub mod assess;
pub mod count;
#[cfg(test)]
mod fixtures;
pub mod knowledge;
pub mod learn;
pub mod run;
pub mod tables;
pub mod understanding;
