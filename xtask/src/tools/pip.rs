//! Python packages, in a place of their own below the build's folder.

use std::path::PathBuf;
use std::time::Duration;

use crate::Trouble;
use crate::shell::{command, run_for};

const LIMIT: Duration = Duration::from_secs(600);

pub(super) fn python() -> PathBuf {
    super::venv().join("bin/python")
}

pub(super) fn install(names: &[&str]) -> Result<(), Trouble> {
    if !python().is_file() {
        let place = super::venv();
        let mut make = command("python3", ["-m", "venv"]);
        run_for(make.arg(&place), LIMIT)?.good()?;
    }
    let python = python();
    let mut pip =
        command(&python.to_string_lossy(), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run_for(pip.args(names), LIMIT)?.good().map(|_| ())
}
