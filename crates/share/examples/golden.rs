//! Writes the golden case in every format, for the judges of `xtask/peers/share`:
//! `cargo run -p bailiwick-share --example golden -- DIR` makes `DIR/exercise` and `DIR/order`.

#[path = "../tests/golden/mod.rs"]
mod golden;

use std::path::Path;

use bailiwick_share::{Format, Snapshot, render};
use golden::{Terms, case_id, sightings};
use model::marking::Audience;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("say where to write: golden DIR")?;
    for (name, terms) in [("exercise", Terms::exercise()), ("order", Terms::default())] {
        let snapshot = Snapshot::gather(&terms.view(), &sightings(), &case_id())?;
        write(&snapshot, &Path::new(&folder).join(name))?;
    }
    Ok(())
}

fn write(snapshot: &Snapshot, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    for format in Format::ALL {
        let document = render(format, snapshot, Audience::NetworkOwners)?;
        std::fs::write(folder.join(&document.file_name), &document.bytes)?;
        println!("{}", folder.join(&document.file_name).display());
    }
    Ok(())
}
