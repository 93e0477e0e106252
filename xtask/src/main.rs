//! `cargo xtask …`: the commands of the repository.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::run()
}
