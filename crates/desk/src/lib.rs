//! Where people work: the API over views, changed only through docket's decisions.
