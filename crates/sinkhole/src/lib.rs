//! Answer for seized names, record every knock, harm nobody.
