//! A headless browser, with a profile that is new and goes away: a picture of a page, through the proxy for everything; and
//! pages of ours as PDF, with no network at all.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use docket::decide::EXHIBIT_OCTETS_MAX;
use model::evidence::Tool;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::config::{Config, Evidence};
use crate::failure::Failure;

/// Virtual milliseconds that a page has to draw itself.
const DRAWING_MS: u32 = 10_000;
const PROFILE: &str = "profile";
/// To say a version.
const VERSION: Duration = Duration::from_secs(20);

pub(super) fn picture(chromium: &Path, evidence: &Evidence, url: &str) -> Result<Vec<u8>, String> {
    let home = tempfile::tempdir().map_err(|error| format!("making a profile: {error}"))?;
    let file = home.path().join("screenshot.png");
    let (host, port) = evidence.proxy().ok_or("no proxy is named")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let mut command = quiet(chromium, evidence, home.path());
    command.args(["--ignore-certificate-errors", "--hide-scrollbars", "--window-size=1280,1024"]);
    command.arg(format!("--proxy-server=http://{host}:{port}"));
    command.arg(format!("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}"));
    command.arg(format!("--virtual-time-budget={DRAWING_MS}"));
    command.arg(format!("--screenshot={}", file.display())).arg(url);
    run(command, evidence)?;
    let size = std::fs::metadata(&file).map_err(|_| "the browser made no picture".to_owned())?.len();
    if size > EXHIBIT_OCTETS_MAX as u64 {
        return Err(format!("the picture has {size} octets"));
    }
    std::fs::read(&file).map_err(|error| format!("reading the picture: {error}"))
}

/// A browser that does nothing by itself, in a home of its own.
fn quiet(chromium: &Path, evidence: &Evidence, home: &Path) -> Command {
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
        // Loopback is not spared the proxy either, and nothing is resolved here.
        "--proxy-bypass-list=<-loopback>",
    ]);
    command.arg(format!("--user-data-dir={}", home.join(PROFILE).display()));
    if !evidence.browser_sandbox {
        command.arg("--no-sandbox");
    }
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").current_dir(home);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

fn run(mut command: Command, evidence: &Evidence) -> Result<(), String> {
    let chromium = command.get_program().to_string_lossy().into_owned();
    let child = command.spawn().map_err(|error| format!("starting {chromium}: {error}"))?;
    ended(child, Duration::from_secs(evidence.timeout_secs.into()))
}

//----------- Printing ---------------------------------------------------------------------------------------------

/// The browser as a printer: pages of ours as PDF.
pub(crate) struct Printer {
    chromium: PathBuf,
    evidence: Evidence,
}

impl Printer {
    /// # Errors
    /// If none is named, or it is not there.
    pub(crate) fn of(config: &Config) -> Result<Self, Failure> {
        let evidence = config.evidence.clone();
        let hint =
            "[evidence] chromium = \"/usr/bin/chromium\"; without --pdf the pages are HTML that any browser prints";
        let chromium = evidence.chromium.clone();
        let chromium = chromium.ok_or_else(|| Failure::new("no browser is named that makes a PDF").hint(hint))?;
        if !chromium.is_file() {
            return Err(Failure::new(format!("the browser {} is not there", chromium.display())).hint(hint));
        }
        Ok(Self { chromium, evidence })
    }

    /// A page as PDF. Nothing is run in it, and nothing is asked of anybody: hosts lead nowhere, and so does the proxy.
    pub(crate) fn print(&self, page: &str) -> Result<Vec<u8>, Failure> {
        let hint = if self.evidence.browser_sandbox && nix::unistd::geteuid().is_root() {
            "for root Chromium has no sandbox: print as another user, or say `browser_sandbox = false` in [evidence]"
        } else {
            "the same page without --pdf is HTML that any browser prints"
        };
        self.printed(page).map_err(|why| Failure::new(format!("making a PDF: {why}")).hint(hint))
    }

    fn printed(&self, page: &str) -> Result<Vec<u8>, String> {
        let home = tempfile::tempdir().map_err(|error| format!("making a profile: {error}"))?;
        let (from, to) = (home.path().join("page.html"), home.path().join("page.pdf"));
        std::fs::write(&from, page).map_err(|error| format!("writing the page: {error}"))?;
        scripts_off(home.path()).map_err(|error| format!("writing a profile: {error}"))?;
        let mut command = quiet(&self.chromium, &self.evidence, home.path());
        command.args([
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--proxy-server=http://127.0.0.1:1",
            "--no-pdf-header-footer",
        ]);
        command.arg(format!("--print-to-pdf={}", to.display())).arg(format!("file://{}", from.display()));
        run(command, &self.evidence)?;
        let octets = std::fs::read(&to).map_err(|_| "the browser made none".to_owned())?;
        if octets.starts_with(b"%PDF-") { Ok(octets) } else { Err("what the browser made is none".to_owned()) }
    }
}

/// In the profile: the switch of the engine would turn off what prints, too.
fn scripts_off(home: &Path) -> std::io::Result<()> {
    let folder = home.join(PROFILE).join("Default");
    std::fs::create_dir_all(&folder)?;
    let never = r#"{"profile":{"default_content_setting_values":{"javascript":2}}}"#;
    std::fs::write(folder.join("Preferences"), never)
}

//----------- Ending -----------------------------------------------------------------------------------------------

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
