//! Find the group's next names.
