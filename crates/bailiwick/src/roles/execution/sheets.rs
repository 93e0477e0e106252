//! The action sheets as PDF, in a folder beside the appendix: each at the same place as the sheet that it is a print of.
//!
//! They lie apart because the appendix's manifest lists what was compiled, and whoever checks it takes no other file for
//! part of it: the sheets that are signed are the pages.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use desk::api::Compiled;

use crate::config::Config;
use crate::failure::{Done, Failure, Tried};
use crate::roles::browser::Printer;
use crate::roles::evidence::write_new;
use crate::terminal;

/// As the appendix itself: an order under seal lies here.
const OUR_FOLDER: u32 = 0o700;

/// Where they go, and who prints them.
pub(super) struct Sheets {
    printer: Printer,
    into: PathBuf,
}

impl Sheets {
    /// Before anything is compiled: whether there is a browser, and a place.
    pub(super) fn beside(appendix: &Path, config: &Config) -> Result<Self, Failure> {
        let printer = Printer::of(config)?;
        let none = || Failure::new(format!("{} names no folder", appendix.display()));
        let into = place_beside(appendix).ok_or_else(none)?;
        if into.symlink_metadata().is_ok() {
            let what = format!("{}, where the PDFs go, is there already", into.display());
            return Err(Failure::new(what).hint("name a new folder"));
        }
        Ok(Self { printer, into })
    }

    /// All of them, or none: what was printed before trouble is not left behind.
    pub(super) fn print(&self, appendix: &Path, compiled: &Compiled) -> Done {
        let printed = self.print_each(appendix, compiled).inspect_err(|_| {
            let _ = std::fs::remove_dir_all(&self.into);
        })?;
        terminal::say(&format!("{} has the sheets as PDF: {printed}", self.into.display()));
        Ok(())
    }

    fn print_each(&self, appendix: &Path, compiled: &Compiled) -> Result<u64, Failure> {
        let mut printed = 0;
        for handed in compiled.actors.iter().chain(&compiled.difference) {
            let sheet = appendix.join(&handed.folder).join("sheet.html");
            let page = std::fs::read_to_string(&sheet).tried(format_args!("reading {}", sheet.display()))?;
            let folder = self.into.join(&handed.folder);
            let made = DirBuilder::new().recursive(true).mode(OUR_FOLDER).create(&folder);
            made.tried(format_args!("making {}", folder.display()))?;
            write_new(&folder.join("sheet.pdf"), &self.printer.print(&page)?)?;
            printed += 1;
        }
        Ok(printed)
    }
}

/// `appendix-pdf` beside `appendix`.
fn place_beside(appendix: &Path) -> Option<PathBuf> {
    let mut name: OsString = appendix.file_name()?.to_owned();
    name.push("-pdf");
    Some(appendix.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_lie_beside_the_appendix_and_never_in_it() {
        for (appendix, place) in [
            ("/cases/appendix", Some("/cases/appendix-pdf")),
            ("/cases/appendix/", Some("/cases/appendix-pdf")),
            ("/", None),
        ] {
            assert_eq!(place_beside(Path::new(appendix)), place.map(PathBuf::from));
        }
    }
}
