//! Tell those who can act.
