//! The stage: a folder of its own, a configuration, and the daemon as a process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::failure::{Failure, Tried};

/// Addresses of the demo's callers and where they belong: made up, and ours.
const NETWORKS: &str = insight::tables::DEMO;

/// What the daemon says once everything listens.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Announcement {
    pub(crate) dns: Vec<SocketAddr>,
    pub(crate) http: Vec<SocketAddr>,
    pub(crate) https: Vec<SocketAddr>,
}

/// Where the demo plays. Removed at the end unless it was asked to keep it.
pub(crate) struct Stage {
    root: PathBuf,
    _temporary: Option<TempDir>,
}

impl Stage {
    pub(crate) fn set(keep: Option<&Path>) -> Result<Self, Failure> {
        let stage = match keep {
            Some(folder) => Self { root: fresh(folder)?, _temporary: None },
            None => {
                let folder = tempfile::Builder::new().prefix("bailiwick-demo-").tempdir().tried("making a folder")?;
                Self { root: folder.path().to_owned(), _temporary: Some(folder) }
            }
        };
        for (file, text) in [(stage.config(), CONFIG), (stage.root.join("networks.csv"), NETWORKS)] {
            std::fs::write(&file, text).tried(format_args!("writing {}", file.display()))?;
        }
        for folder in [stage.feeds(), stage.callers()] {
            std::fs::create_dir(&folder).tried(format_args!("making {}", folder.display()))?;
        }
        Ok(stage)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("bailiwick.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn feeds(&self) -> PathBuf {
        self.root.join("feeds")
    }

    /// The callers' own books, outside the data folder: they hold every password that was typed.
    pub(crate) fn callers(&self) -> PathBuf {
        self.root.join("callers")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("serve.log")
    }
}

fn fresh(folder: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder).tried(format_args!("making {}", folder.display()))?;
    let mut entries = std::fs::read_dir(folder).tried(format_args!("reading {}", folder.display()))?;
    if entries.next().is_some() {
        return Err(
            Failure::new(format!("{} is not empty", folder.display())).hint("name a folder that is new or empty")
        );
    }
    folder.canonicalize().tried(format_args!("resolving {}", folder.display()))
}

const CONFIG: &str = r#"# The demo's configuration: free ports on loopback, an exercise.
data = "data"
keys = "keys"

[dns]
listen = ["127.0.0.1:0"]

[web]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]

[answer]
v4 = ["127.0.0.1"]

[insight]
tables = ["networks.csv"]
"#;

//----------- Daemon -----------------------------------------------------------------------------------------------

/// `bailiwick serve`, as a child.
pub(crate) struct Daemon {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) announcement: Announcement,
}

impl Daemon {
    /// Starts it and waits until it says that everything listens.
    pub(crate) fn start(stage: &Stage) -> Result<Self, Failure> {
        let log = std::fs::File::create(stage.log()).tried("making the daemon's log")?;
        let mut child = Command::new(own_program()?)
            .args(["serve", "--announce", "--config"])
            .arg(stage.config())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // A Ctrl-C at the terminal is for the demo, which stops the daemon when it has asked it everything.
            .process_group(0)
            .spawn()
            .tried("starting `bailiwick serve`")?;
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).tried("reading what `bailiwick serve` announces")?;
        let Ok(announcement) = serde_json::from_str(&line) else {
            let _ = child.wait();
            let said = std::fs::read_to_string(stage.log()).unwrap_or_default();
            return Err(Failure::new(format!("`bailiwick serve` did not start:\n{}", said.trim_end())));
        };
        Ok(Self { child, stdout, announcement })
    }

    /// SIGTERM, as a service manager would, and what it said at the end.
    pub(crate) fn stop(mut self) -> Result<String, Failure> {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGTERM).tried("stopping `bailiwick serve`")?;
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).tried("reading what `bailiwick serve` said")?;
        let status = self.child.wait().tried("waiting for `bailiwick serve`")?;
        if !status.success() {
            return Err(Failure::new(format!("`bailiwick serve` ended with {status}")));
        }
        Ok(said)
    }
}

impl Drop for Daemon {
    /// Whatever happens to the demo, no daemon is left behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// This very program: the demo's processes are the ones that it ships.
pub(crate) fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().tried("finding this program's own file")
}
