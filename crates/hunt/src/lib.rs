//! Find the group's next names.
//!
//! A group that lost its names registers others, and they look like the ones before: words of account security strung
//! together, a brand behind a look-alike letter, a registry where names are cheap. A [`Scorer`] says how much a name
//! looks like that, from 0 to 100, with every reason and the points that it adds. The reasons are the product: an
//! analyst who cannot see why will not look twice.
//!
//! What it deliberately does not do: look anything up, learn weights in secret, or act. Points are written in lists and
//! constants that a person can argue with; what a threshold costs in false alarms is measured, by
//! `examples/figures.rs`, and written in `docs/concepts/hunt.md`.

mod brands;
mod likeness;
mod lines;
mod lists;
mod looks;
mod scorer;
mod spelling;
mod tlds;
mod typos;
mod words;

pub use lines::{LinesError, LinesReport, Options, SCORE_LINE_MAX, score_lines};
pub use scorer::Scorer;
