//! A disk of a few megabytes for the journal alone; it goes away with its owner.

use std::path::PathBuf;
use std::process::Command;

use crate::{Done, Trouble, shell};

pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Puts an empty disk of that size where the folder is.
    pub(super) fn mount(folder: PathBuf, size: &str) -> Result<Self, Trouble> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&folder);
        shell::run(&mut mount)?.good()?;
        Ok(Self { folder })
    }

    pub(super) fn resize(&self, size: &str) -> Done {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={size}")]).arg(&self.folder);
        shell::run(&mut mount)?.good().map(|_| ())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what still has a file open there keeps it until it ends.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("  {} is still mounted", self.folder.display());
        }
    }
}
