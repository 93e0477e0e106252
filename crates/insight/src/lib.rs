//! What does it mean: enrich, label, count, fold into the knowledge of the group.
