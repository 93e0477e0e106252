//! Other people's name servers and resolvers, started from the configurations under `xtask/peers/<suite>`.
//!
//! A configuration is a file that a person can read and use; `@WORD@` stands for what is different in every run. Each
//! server has a folder of its own, an address of its own on loopback, stays in the foreground, and ends with its owner.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::wait_for;
use crate::shell::Kept;
use crate::tools::find;
use crate::{Done, Trouble, root};

/// From start to the first answer, also on a busy machine.
const START: Duration = Duration::from_secs(90);
/// How long one try may wait for an answer while a server starts.
const TRY: Duration = Duration::from_millis(200);
/// How long whoever was there before may take to be gone.
const GONE: Duration = Duration::from_secs(60);

/// How a server is started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    /// What people call it.
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    /// With `@FOLDER@` where its folder is meant.
    pub(super) arguments: &'static [&'static str],
    /// What is written into its folder, from `xtask/peers/<suite>`.
    pub(super) files: &'static [&'static str],
}

/// A running server.
#[derive(Debug)]
pub(super) struct NameServer {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    folder: TempDir,
    /// It ends with us.
    _running: Kept,
}

impl NameServer {
    /// Starts it at `address`, once nobody else is there, and waits for its first answer. `words` are what its files leave
    /// open.
    pub(super) fn start(
        recipe: &Recipe,
        suite: &str,
        address: SocketAddr,
        words: &[(&str, &str)],
    ) -> Result<Self, Trouble> {
        // A child of a server that was stopped may outlive it for a moment, and would answer in this one's place.
        let is_free = || UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok();
        wait_for(&format!("{address} to be free for {}", recipe.name), GONE, || is_free().then_some(()))?;
        let folder = TempDir::with_prefix(format!("bailiwick-{}-", recipe.program))?;
        let place = folder.path().to_string_lossy().into_owned();
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let own = [("FOLDER", place.as_str()), ("IP", ip.as_str()), ("PORT", port.as_str())];
        let words: Vec<(&str, &str)> = own.iter().chain(words).copied().collect();
        for file in recipe.files {
            write_file(suite, file, folder.path(), &words)?;
        }
        fs::create_dir_all(folder.path().join("db"))?;
        let log = fs::File::create(folder.path().join("said"))?;
        let mut command = Command::new(program(recipe.program)?);
        command.args(recipe.arguments.iter().map(|word| fill(word, &words))).current_dir(folder.path());
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let server = Self { name: recipe.name, address, folder, _running: Kept(child) };
        wait_for(&format!("{} to answer", recipe.name), START, || server.answers().then_some(()))
            .map_err(|trouble| format!("{trouble}\n{}", server.log()))?;
        Ok(server)
    }

    /// Whether anything at all comes back for a question.
    fn answers(&self) -> bool {
        const QUESTION: &[u8] = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x06\x00\x01";
        let ask = || {
            let socket = UdpSocket::bind(("127.0.0.1", 0))?;
            socket.set_read_timeout(Some(TRY))?;
            socket.send_to(QUESTION, self.address)?;
            socket.recv(&mut [0; 512])
        };
        ask().is_ok()
    }

    /// What it told its operator so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

fn program(name: &str) -> Result<PathBuf, Trouble> {
    find(name).ok_or_else(|| format!("there is no {name}; `cargo xtask peers` installs it").into())
}

/// Writes one file of a suite into a folder, with its words filled in.
pub(super) fn write_file(suite: &str, file: &str, folder: &Path, words: &[(&str, &str)]) -> Done {
    let source = root().join("xtask/peers").join(suite).join(file);
    let text = fs::read_to_string(&source).map_err(|error| format!("reading {}: {error}", source.display()))?;
    Ok(fs::write(folder.join(file), fill(&text, words))?)
}

fn fill(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("@{word}@"), value))
}
