//! What was odd about what a peer sent, as stable codes.
