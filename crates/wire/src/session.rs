//! What every protocol machine has in common.
