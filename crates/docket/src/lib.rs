//! The case: evidence, order, seizure.
