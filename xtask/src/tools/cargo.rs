//! Programs that their makers publish as crates: built once, beside the other peers.

use std::path::PathBuf;
use std::time::Duration;

use crate::Trouble;
use crate::shell::{command, run_for};

/// For a build on two cores that do other things too.
const LIMIT: Duration = Duration::from_secs(600);

pub(super) fn folder() -> PathBuf {
    crate::target().join("peers/cargo")
}

/// `NAME@VERSION`, with the versions that its makers built it with.
pub(super) fn install(names: &[&str]) -> Result<(), Trouble> {
    let mut cargo = command("cargo", ["install", "--quiet", "--locked", "--root"]);
    cargo.arg(folder()).args(names).env("CARGO_TARGET_DIR", folder().join("build"));
    let installed = run_for(&mut cargo, LIMIT)?.good();
    // Its intermediate files are of no use to anybody, and half a gigabyte.
    let _ = std::fs::remove_dir_all(folder().join("build"));
    installed.map(drop)
}
