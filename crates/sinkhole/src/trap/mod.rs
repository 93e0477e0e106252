//! HTTP and HTTPS: every request recorded, nobody harmed.
