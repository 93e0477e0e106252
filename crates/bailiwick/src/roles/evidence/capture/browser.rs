//! A picture of a page by a headless browser: through the proxy for everything, with a profile that is new and goes away.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use docket::decide::EXHIBIT_OCTETS_MAX;
use model::evidence::Tool;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::config::Evidence;

/// Virtual milliseconds that a page has to draw itself.
const DRAWING_MS: u32 = 10_000;
/// To say a version.
const VERSION: Duration = Duration::from_secs(20);

pub(super) fn picture(chromium: &Path, evidence: &Evidence, url: &str) -> Result<Vec<u8>, String> {
    let home = tempfile::tempdir().map_err(|error| format!("making a profile: {error}"))?;
    let file = home.path().join("screenshot.png");
    let (host, port) = evidence.proxy().ok_or("no proxy is named")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let mut command = Command::new(chromium);
    command.args([
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-extensions",
        "--disable-sync",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--ignore-certificate-errors",
        "--hide-scrollbars",
        "--window-size=1280,1024",
        // Loopback is not spared the proxy either, and nothing is resolved here.
        "--proxy-bypass-list=<-loopback>",
    ]);
    command.arg(format!("--proxy-server=http://{host}:{port}"));
    command.arg(format!("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}"));
    command.arg(format!("--virtual-time-budget={DRAWING_MS}"));
    command.arg(format!("--user-data-dir={}", home.path().join("profile").display()));
    command.arg(format!("--screenshot={}", file.display()));
    if !evidence.browser_sandbox {
        command.arg("--no-sandbox");
    }
    command.arg(url).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin").current_dir(home.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let child = command.spawn().map_err(|error| format!("starting {}: {error}", chromium.display()))?;
    ended(child, Duration::from_secs(evidence.timeout_secs.into()))?;
    let size = std::fs::metadata(&file).map_err(|_| "the browser made no picture".to_owned())?.len();
    if size > EXHIBIT_OCTETS_MAX as u64 {
        return Err(format!("the picture has {size} octets"));
    }
    std::fs::read(&file).map_err(|error| format!("reading the picture: {error}"))
}

/// Waits for the browser, and ends it with all its children where it takes too long.
fn ended(mut child: Child, limit: Duration) -> Result<(), String> {
    let group = i32::try_from(child.id()).map(Pid::from_raw).map_err(|_| "the browser has no process id".to_owned())?;
    let (sender, receiver) = mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let status = child.wait();
        // Nobody listens any more where it took too long.
        let _ = sender.send(status);
    });
    let status = receiver.recv_timeout(limit);
    // What the browser left behind goes with it.
    let _ = killpg(group, Signal::SIGKILL);
    let _ = waiter.join();
    match status {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("the browser ended with {status}")),
        Ok(Err(error)) => Err(format!("waiting for the browser: {error}")),
        Err(_) => Err(format!("the browser took more than {} seconds", limit.as_secs())),
    }
}

/// Its own word: `Chromium 130.0.6723.91`.
pub(super) fn tool(chromium: &Path) -> Tool {
    let asked = |chromium: std::path::PathBuf| {
        let said = Command::new(chromium).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        Some(String::from_utf8_lossy(&said.stdout).trim().chars().take(200).collect::<String>())
    };
    let (sender, receiver) = mpsc::channel();
    let path = chromium.to_owned();
    std::thread::spawn(move || sender.send(asked(path)));
    let said = receiver.recv_timeout(VERSION).ok().flatten().filter(|said| !said.is_empty());
    let said = said.unwrap_or_else(|| "chromium unknown".to_owned());
    let (name, version) = said.split_once(' ').unwrap_or((&said, "unknown"));
    Tool { name: name.to_owned(), version: version.trim().to_owned() }
}
