//! Where secrets stand in what a caller sent.
