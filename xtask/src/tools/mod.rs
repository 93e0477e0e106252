//! The peers: read from `peers.toml`, installed once, found afterwards.
//!
//! Installing is idempotent and non-interactive. Packages have plain names; where they come from is the machine's
//! own business, so no registry is named here: backports are found through the source that the machine already uses.

mod apt;
mod cargo;
mod pip;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::clock::Watch;
use crate::shell;
use crate::{Trouble, root, target};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    peer: Vec<Peer>,
}

/// One line of `peers.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    pub name: String,
    how: How,
    #[serde(default)]
    program: Option<String>,
    #[serde(default)]
    module: Option<String>,
    /// A file by which one sees it, where it brings no program of its own.
    #[serde(default)]
    file: Option<PathBuf>,
    /// What it judges; read by people.
    pub why: String,
    /// Why this kind of machine may lack it.
    #[serde(default)]
    absent: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum How {
    Apt,
    AptBackports,
    Pip,
    Cargo,
}

/// The peers that may be absent, with the reason that `peers.toml` gives.
pub type Absent = BTreeMap<String, String>;

/// Installs what is missing. Whatever cannot be installed is trouble, unless `peers.toml` says why it may be absent.
pub fn install_all() -> Result<Absent, Trouble> {
    let peers = list()?;
    let watch = Watch::start();
    install(&peers);
    let missing: Vec<Peer> = peers.iter().filter(|peer| !peer.is_here()).cloned().collect();
    println!("{} of {} peers are here, {:.1} s", peers.len() - missing.len(), peers.len(), watch.secs());
    let (excused, unexcused): (Vec<_>, Vec<_>) = missing.into_iter().partition(|peer| peer.absent.is_some());
    if !unexcused.is_empty() {
        let names: Vec<String> = unexcused.into_iter().map(|peer| peer.name).collect();
        return Err(format!("these peers cannot be installed: {}", names.join(", ")).into());
    }
    Ok(excused.into_iter().map(|peer| (peer.name, peer.absent.unwrap_or_default())).collect())
}

fn list() -> Result<Vec<Peer>, Trouble> {
    let file = root().join("xtask/peers.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let listed: Listed = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(listed.peer)
}

/// By kind, in the order in which one needs the other. What fails here is seen when we look for the peers.
fn install(peers: &[Peer]) {
    type Installer = fn(&[&str]) -> Result<(), Trouble>;
    let steps: [(How, Installer); 4] = [
        (How::Apt, apt::install),
        (How::AptBackports, apt::install_from_backports),
        (How::Pip, pip::install),
        (How::Cargo, cargo::install),
    ];
    for (how, installer) in steps {
        let wanted = peers.iter().filter(|peer| peer.how == how && !peer.is_here());
        let wanted: Vec<&str> = wanted.map(|peer| peer.name.as_str()).collect();
        if wanted.is_empty() {
            continue;
        }
        let watch = Watch::start();
        let ended = installer(&wanted).err().map_or_else(|| "installed".to_owned(), |trouble| trouble.to_string());
        println!("{how:?} {}: {ended}, {:.1} s", wanted.join(" "), watch.secs());
    }
}

impl Peer {
    /// Whether the program can be found and the module too.
    fn is_here(&self) -> bool {
        let program = self.program.as_deref().is_none_or(|program| find(program).is_some());
        let file = self.file.as_deref().is_none_or(Path::exists);
        program && file && self.module.as_deref().is_none_or(|module| self.has(module))
    }

    fn has(&self, module: &str) -> bool {
        let python = if self.how == How::Pip { pip::python() } else { PathBuf::from("python3") };
        let mut command = Command::new(python);
        let look = format!("import importlib.util as u, sys; sys.exit(u.find_spec('{module}') is None)");
        command.args(["-c", &look]);
        shell::run(&mut command).is_ok_and(|said| said.ok)
    }
}

//----------- Finding ----------------------------------------------------------------------------------------------

/// Where the Python peers live.
pub fn venv() -> PathBuf {
    target().join("peers/venv")
}

/// A program of the peers' own place, of PATH, or of the folders for daemons, which a person's PATH may lack.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = [venv().join("bin"), cargo::folder().join("bin")].into_iter().chain(std::env::split_paths(&path));
    let folders = own.chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The peers' Python.
pub fn python() -> PathBuf {
    pip::python()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_toml_names_each_peer_once_and_says_why() {
        let peers = list().expect("peers.toml can be read");
        let names: std::collections::BTreeSet<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
        assert_eq!(names.len(), peers.len());
        for peer in &peers {
            assert!(peer.why.len() > 20, "{} needs a reason", peer.name);
            let seen_by = (&peer.program, &peer.module, &peer.file);
            assert!(seen_by != (&None, &None, &None), "{} cannot be looked for", peer.name);
        }
    }
}
