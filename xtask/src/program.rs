//! The running program, as anybody may run it: its binary, a configuration, a data folder, a command line.
//!
//! Every suite starts its own, in a folder that goes away, on loopback ports that nobody else is given. The case
//! comes in by the normal way: imported, asked for, approved by two people with fixture tokens. Nothing here knows
//! how the program works inside.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::clock::{pause, wait_for};
use crate::population::sum;
use crate::shell::{self, Kept, Said};
use crate::{Done, Trouble, root, target};

/// From start to the first answer, also on a busy machine.
const START: Duration = Duration::from_secs(90);
/// From SIGTERM to the end: drain and sync.
const STOP: Duration = Duration::from_secs(90);
/// From a contact's answer to its row in the archive, also on a busy machine.
pub const LEARN: Duration = Duration::from_secs(90);
/// In which nothing comes to a journal at rest.
const REST: Duration = Duration::from_secs(1);
/// The ports of suites: below those that the kernel gives to whoever calls (from 32,768), so that no caller sits on the port
/// of a server that has not begun yet, or that begins again.
const PORTS_FROM: u16 = 16_384;
const PORTS_COUNT: u16 = 16_000;
/// The people of every suite, and the role in which each says yes.
pub const PEOPLE: [(&str, &str); 2] = [("ines", "investigator"), ("lars", "legal")];

/// The exercise that ships with the program.
pub fn exercise() -> PathBuf {
    root().join("cases/phosphorus-2019.toml")
}

/// The exercise, with one act more for all names of the list that holds `name`.
pub fn exercise_with(act: &str, name: &str) -> Result<PathBuf, Trouble> {
    let text = fs::read_to_string(exercise())?;
    let at = text.find(&format!("\"{name}\"")).ok_or("the exercise has no such name")?;
    let acts = text[..at].rfind("acts = [").ok_or("the list has no acts")?;
    let text = format!("{}acts = [\"{act}\", {}", &text[..acts], &text[acts + "acts = [".len()..]);
    let file = target().join(format!("exercise-with-{act}.toml"));
    fs::write(&file, text)?;
    Ok(file)
}

/// The build that everything in a suite runs.
pub fn binary() -> PathBuf {
    target().join("debug/bailiwick")
}

/// Where the program listens, all on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub dns: u16,
    pub http: u16,
    pub https: u16,
    pub smtp: u16,
    pub smtps: u16,
    /// TCP and UDP alike.
    pub any: u16,
}

impl Ports {
    /// Ports that nobody holds at this moment, one of them for UDP and TCP alike.
    pub fn free() -> Result<Self, Trouble> {
        let (dns, any) = (free_for_both()?, free_for_both()?);
        let (http, https, smtp, smtps) = (free_tcp()?, free_tcp()?, free_tcp()?, free_tcp()?);
        Ok(Self {
            dns: port(&dns.1)?,
            http: port(&http)?,
            https: port(&https)?,
            smtp: port(&smtp)?,
            smtps: port(&smtps)?,
            any: port(&any.1)?,
        })
    }
}

pub(crate) fn free_tcp() -> Result<TcpListener, Trouble> {
    Ok(free_for_both()?.1)
}

/// A port for a server that is yet to begin.
pub(crate) fn free_port() -> Result<u16, Trouble> {
    port(&free_tcp()?)
}

fn free_for_both() -> Result<(UdpSocket, TcpListener), Trouble> {
    const TRIES: usize = 200;
    for _ in 0..TRIES {
        let at = (Ipv4Addr::LOCALHOST, next_port());
        if let (Ok(datagram), Ok(stream)) = (UdpSocket::bind(at), TcpListener::bind(at)) {
            return Ok((datagram, stream));
        }
    }
    Err(format!("no port was free for UDP and TCP in {TRIES} tries").into())
}

/// One after the other, so that none is given twice; processes begin at different ones.
fn next_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let [.., high, low] = std::process::id().wrapping_mul(97).to_be_bytes();
    let first = u16::from_be_bytes([high, low]);
    PORTS_FROM + first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % PORTS_COUNT
}

fn port(listener: &TcpListener) -> Result<u16, Trouble> {
    Ok(listener.local_addr()?.port())
}

//----------- Program ----------------------------------------------------------------------------------------------

/// One installation: folder, configuration, ports, and the process while it runs.
#[derive(Debug)]
pub struct Program {
    folder: TempDir,
    binary: PathBuf,
    pub case: String,
    pub ports: Ports,
    running: Option<Kept>,
    /// Put before the program's command line: `taskset -c 0`.
    pub pinned: Vec<String>,
    /// Put behind `serve`: `--role sensor`.
    pub role: Vec<String>,
}

impl Program {
    /// An installation with `case_file` imported and in force; it does not run yet.
    pub fn install(case_file: &Path) -> Result<Self, Trouble> {
        Self::install_build(case_file, binary())
    }

    /// The same with another build, for benches.
    pub fn install_build(case_file: &Path, binary: PathBuf) -> Result<Self, Trouble> {
        let program = Self::asked(case_file, binary)?;
        program.approve(None)?;
        Ok(program)
    }

    /// The same with more tables in its configuration from the start.
    pub fn install_with(case_file: &Path, tables: &str) -> Result<Self, Trouble> {
        let program = Self::laid_out(case_file, binary())?;
        program.configure_also(tables)?;
        program.ask_two_people(case_file)?;
        program.approve(None)?;
        Ok(program)
    }

    /// The order is in force, and its names are not served yet: [`Self::approve`] does that.
    pub fn install_unserved(case_file: &Path) -> Result<Self, Trouble> {
        let program = Self::asked(case_file, binary())?;
        let requests: serde_json::Value = serde_json::from_str(&program.ask(&["approval", "list", "--json"])?.good()?)?;
        let of_order = |one: &&serde_json::Value| one["act"] == "put-in-force";
        let first = requests.as_array().and_then(|all| all.iter().find(of_order)).and_then(|one| one["id"].as_str());
        program.approve(Some(first.ok_or_else(|| format!("no request about an order in {requests}"))?))?;
        Ok(program)
    }

    /// A machine that is to become a sensor: it has a configuration and nothing else.
    pub fn sensor() -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bailiwick-sensor-")?;
        let (case, ports, pinned) = (String::new(), Ports::free()?, Vec::new());
        let role = ["--role", "sensor"].map(str::to_owned).to_vec();
        let program = Self { folder, binary: binary(), case, ports, running: None, pinned, role };
        program.configure()?;
        Ok(program)
    }

    /// With the case imported, and two people who are asked.
    fn asked(case_file: &Path, binary: PathBuf) -> Result<Self, Trouble> {
        let program = Self::laid_out(case_file, binary)?;
        program.ask_two_people(case_file)?;
        Ok(program)
    }

    /// With a folder and a configuration.
    fn laid_out(case_file: &Path, binary: PathBuf) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bailiwick-suite-")?;
        let case = case_id(case_file)?;
        let program =
            Self { folder, binary, case, ports: Ports::free()?, running: None, pinned: Vec::new(), role: Vec::new() };
        program.configure()?;
        Ok(program)
    }

    /// Another core on the same ledger: a folder and ports of its own, and the first one's signing key.
    pub fn beside(&self, tables: &str) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bailiwick-core-")?;
        let (case, ports, pinned, role) = (self.case.clone(), Ports::free()?, Vec::new(), Vec::new());
        let core = Self { folder, binary: self.binary.clone(), case, ports, running: None, pinned, role };
        core.configure()?;
        core.configure_also(tables)?;
        shell::run(shell::command("cp", ["-rp"]).arg(self.path("keys")).arg(core.path("keys")))?.good()?;
        Ok(core)
    }

    fn configure(&self) -> Done {
        let networks = "network,asn,as_name,country\n127.0.7.0/24,64496,Example Access,DE\n127.0.9.0/24,64497,Example Homeland,IR\n";
        fs::write(self.path("networks.csv"), networks)?;
        self.write_config(&self.config(), self.ports)
    }

    /// A configuration for this data folder on the given ports.
    pub fn write_config(&self, file: &Path, Ports { dns, http, https, smtp, smtps, any }: Ports) -> Done {
        let text = format!(
            "data = \"data\"\nkeys = \"keys\"\n\n[dns]\nlisten = [\"127.0.0.1:{dns}\"]\n\n[web]\nhttp = [\"127.0.0.1:{http}\"]\nhttps = [\"127.0.0.1:{https}\"]\n\n[mail]\nsmtp = [\"127.0.0.1:{smtp}\"]\nsmtps = [\"127.0.0.1:{smtps}\"]\n\n[trap]\nany_tcp = [\"127.0.0.1:{any}\"]\nany_udp = [\"127.0.0.1:{any}\"]\n\n[answer]\nv4 = [\"127.0.0.1\"]\nv6 = [\"::1\"]\n\n[insight]\ntables = [\"networks.csv\"]\n"
        );
        Ok(fs::write(file, text)?)
    }

    /// Adds tables to the configuration.
    pub fn configure_also(&self, tables: &str) -> Done {
        let text = fs::read_to_string(self.config())?;
        Ok(fs::write(self.config(), format!("{text}\n{tables}"))?)
    }

    /// Has each DNS address answered by so many threads.
    pub fn set_dns_threads(&self, threads: u32) -> Done {
        let text = fs::read_to_string(self.config())?.replace("[dns]\n", &format!("[dns]\nthreads = {threads}\n"));
        Ok(fs::write(self.config(), text)?)
    }

    fn ask_two_people(&self, case_file: &Path) -> Done {
        let file = case_file.to_string_lossy();
        self.ask(&["case", "import", &file])?.good()?;
        for (person, role) in PEOPLE {
            let token = self.token(person);
            self.ask(&["person", "add", person, "--role", role, "--token-file", &token, "--fixture"])?.good()?;
        }
        // To whoever is not on it a sealed case is not there, and they could approve nothing of it.
        if fs::read_to_string(case_file)?.contains("sealed_until") {
            for (person, _) in PEOPLE {
                self.ask(&["case", "people", &self.case, "--add", person])?.good()?;
            }
        }
        let first = PEOPLE[0].0;
        self.ask(&["case", "request", &self.case, "--as", first, "--token-file", &self.token(first)])?.good()?;
        Ok(())
    }

    /// One person does less with a name.
    pub fn narrow(&self, name: &str, mode: &str) -> Done {
        let (who, token) = (PEOPLE[0].0, self.token(PEOPLE[0].0));
        let words = ["case", "narrow", &self.case, name, "--mode", mode, "--reason", "the suite says so"];
        self.ask(&[&words[..], &["--as", who, "--token-file", &token]].concat())?.good().map(|_| ())
    }

    /// One person hands a name back; what the program said of sensors that have not confirmed.
    pub fn hand_back(&self, name: &str) -> Result<serde_json::Value, Trouble> {
        let (who, token) = (PEOPLE[0].0, self.token(PEOPLE[0].0));
        let words = ["case", "return", &self.case, name, "--reason", "the suite says so", "--json"];
        let said = self.ask(&[&words[..], &["--as", who, "--token-file", &token]].concat())?.good()?;
        Ok(serde_json::from_str(&said)?)
    }

    /// Both people say yes, to one request or to all that wait.
    pub fn approve(&self, request: Option<&str>) -> Done {
        let only = request.map(|id| vec!["--request", id]).unwrap_or_default();
        for (person, role) in PEOPLE {
            let token = self.token(person);
            let words = ["approval", "give", &self.case, "--as", person, "--role", role, "--token-file", &token];
            self.ask(&[&words[..], &only].concat())?.good()?;
        }
        Ok(())
    }

    /// The file that holds a person's token.
    pub fn token(&self, person: &str) -> String {
        self.path(&format!("{person}.token")).to_string_lossy().into_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("bailiwick.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn dns(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.dns).into()
    }

    //------- Running ----------------------------------------------------------------------------------------------

    /// Starts `serve` and waits until it says that it listens.
    pub fn start(&mut self) -> Done {
        self.launch()?;
        self.listens()
    }

    /// Starts `serve`, and waits for nothing.
    pub fn launch(&mut self) -> Done {
        let log = fs::File::options().create(true).append(true).open(self.path("log"))?;
        let said = fs::File::create(self.path("announced"))?;
        let mut command = self.serve();
        command.arg("--announce").stdin(Stdio::null()).stdout(said).stderr(log);
        self.running = Some(Kept(command.spawn().map_err(|error| format!("starting the program: {error}"))?));
        Ok(())
    }

    /// Waits until what was launched says that it listens.
    pub fn listens(&mut self) -> Done {
        wait_for("the program to announce itself", START, || {
            let ended =
                self.running.as_mut().is_some_and(|kept| kept.0.try_wait().is_ok_and(|status| status.is_some()));
            let said = fs::read_to_string(self.path("announced")).unwrap_or_default();
            (ended || said.ends_with('\n')).then_some(ended)
        })
        .map_err(|trouble| format!("{trouble}\n{}", self.log()))
        .and_then(|ended| if ended { Err(format!("the program ended at once\n{}", self.log())) } else { Ok(()) })?;
        Ok(())
    }

    /// `serve`, pinned where wanted, not yet started.
    pub fn serve(&self) -> Command {
        self.serve_with(&self.config())
    }

    /// The same with another configuration.
    pub fn serve_with(&self, config: &Path) -> Command {
        let mut words = self.pinned.iter().map(std::ffi::OsString::from).collect::<Vec<_>>();
        words.push(self.binary.clone().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("serve").args(&self.role).arg("--config").arg(config);
        command
    }

    /// What it said to the operator so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn pid(&self) -> Result<u32, Trouble> {
        Ok(self.running.as_ref().ok_or("the program does not run")?.0.id())
    }

    /// Ends it by SIGTERM, as a supervisor does; it must go cleanly.
    pub fn stop(&mut self) -> Done {
        self.signal(Signal::SIGTERM)?;
        let mut kept = self.running.take().ok_or("the program does not run")?;
        let status = wait_for("the program to stop", STOP, || kept.0.try_wait().transpose())??;
        if status.success() { Ok(()) } else { Err(format!("it stopped with {status}\n{}", self.log()).into()) }
    }

    /// Ends it by SIGKILL, in the middle of whatever it does.
    pub fn kill(&mut self) -> Done {
        let mut kept = self.running.take().ok_or("the program does not run")?;
        shell::end(&mut kept.0);
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Done {
        let pid = i32::try_from(self.pid()?).map_err(|_| "a process id beyond 31 bits")?;
        kill(Pid::from_raw(pid), signal).map_err(|error| format!("sending {signal} to {pid}: {error}").into())
    }

    //------- Asking -----------------------------------------------------------------------------------------------

    /// Runs a command of the program's command line, to its end.
    pub fn ask(&self, words: &[&str]) -> Result<Said, Trouble> {
        let mut command = Command::new(&self.binary);
        command.args(words).arg("--config").arg(self.config()).current_dir(self.folder.path());
        shell::run(&mut command)
    }

    /// The rows of a query, as `query --json` prints them.
    pub fn rows(&self, sql: &str) -> Result<Vec<Vec<serde_json::Value>>, Trouble> {
        let said = self.ask(&["query", sql, "--json"])?.good()?;
        let answer: serde_json::Value = serde_json::from_str(&said)?;
        let rows = answer.get("rows").and_then(|rows| rows.as_array()).ok_or("an answer without rows")?;
        Ok(rows.iter().map(|row| row.as_array().cloned().unwrap_or_default()).collect())
    }

    /// One number.
    pub fn count(&self, sql: &str) -> Result<u64, Trouble> {
        let rows = self.rows(sql)?;
        let value = rows.first().and_then(|row| row.first()).ok_or("a count without a row")?;
        let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        number.ok_or_else(|| format!("{value} is no count").into())
    }

    /// What lies in the journal's files, as `journal count` counts it.
    pub fn on_disk(&self) -> Result<serde_json::Value, Trouble> {
        Ok(serde_json::from_str(&self.ask(&["journal", "count", "--json"])?.good()?)?)
    }

    /// How many contacts were recorded once nothing more comes: who has hung up is on record a moment later.
    pub fn recorded_at_rest(&self) -> Result<u64, Trouble> {
        let mut before = None;
        wait_for("a journal at rest", LEARN, || {
            let recorded = sum(&self.on_disk().ok()?["by_kind"]);
            let is_at_rest = before.replace(recorded) == Some(recorded);
            if !is_at_rest {
                pause(REST);
            }
            is_at_rest.then_some(recorded)
        })
    }

    /// Waits until a count is reached: what was answered is learned a moment later.
    pub fn count_reaches(&self, sql: &str, wanted: u64) -> Done {
        let mut seen = String::new();
        let reached = wait_for(&format!("{wanted} from {sql}"), LEARN, || match self.count(sql) {
            Ok(count) if count >= wanted => Some(count),
            other => {
                seen = format!("{other:?}");
                None
            }
        });
        match reached {
            Ok(count) if count == wanted => Ok(()),
            Ok(count) => Err(format!("{count} instead of {wanted} from {sql}").into()),
            Err(trouble) => Err(format!("{trouble}; the last answer was {seen}").into()),
        }
    }

    /// Exports one feed into a folder of its own and returns the file.
    pub fn feed(&self, format: &str, audience: &str) -> Result<PathBuf, Trouble> {
        let refused = || format!("the audience {audience} is refused the feed {format}").into();
        self.feed_unless_refused(format, audience)?.ok_or_else(refused)
    }

    /// The same; `None` if the case's marking or terms keep the feed from this audience.
    pub fn feed_unless_refused(&self, format: &str, audience: &str) -> Result<Option<PathBuf>, Trouble> {
        let folder = self.path(&format!("feed-{format}-{audience}"));
        // A form whose file names the day leaves yesterday's there.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let out = folder.to_string_lossy().into_owned();
        let words = ["feed", "export", "--format", format, "--case", &self.case, "--audience", audience, "--out", &out];
        let said = self.ask(&words)?;
        if !said.ok && said.err.contains("audience") {
            return Ok(None);
        }
        said.good()?;
        let mut files = fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        files.next().map(Some).ok_or_else(|| format!("the feed {format} left no file in {out}").into())
    }
}

/// The id that a case file gives its case.
fn case_id(file: &Path) -> Result<String, Trouble> {
    #[derive(serde::Deserialize)]
    struct Outer {
        case: Inner,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        id: String,
    }
    let text = fs::read_to_string(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let outer: Outer = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(outer.case.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_or_to_callers() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free_port().expect("there are free ports")).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| (PORTS_FROM..PORTS_FROM + PORTS_COUNT).contains(port)), "{ports:?}");
    }
}
