//! What does it mean: enrich, label, count, fold into the knowledge of the group.

pub mod assess;
pub mod knowledge;
pub mod tables;
