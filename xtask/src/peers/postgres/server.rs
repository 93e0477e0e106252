//! A PostgreSQL server of the suite's own: Debian's programs, a cluster in a temporary folder, a socket within it.
//!
//! It runs as the user that the package made, because it refuses to run as root, and syncs what it commits, as it does by
//! default. On 127.0.0.1 it asks for a password and can speak TLS; on the socket it believes whoever is on this machine.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};
use tempfile::TempDir;

use crate::shell::{self, Said, command, run_for};
use crate::{Done, Trouble, tools};

/// Where Debian keeps the programs that are no user's: by version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The user whom the package makes.
const OWNER: &str = "postgres";
/// Whom our program is to the server: no administrator, the owner of its databases.
pub(super) const ROLE: &str = "bailiwick";
pub(super) const PASSWORD: &str = "a pass word, hush";
const LIMIT: Duration = Duration::from_secs(180);

pub(super) struct Server {
    folder: TempDir,
    programs: PathBuf,
    pub(super) port: u16,
}

impl Server {
    pub(super) fn start(port: u16) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bailiwick-postgres-")?;
        let server = Self { folder, programs: programs()?, port };
        if let Some(owner) = owner()? {
            chown(server.folder.path(), Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
        }
        let initdb = ["-U", OWNER, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--auth-host=scram-sha-256", "-D"];
        let mut initdb = server.program("initdb", &initdb)?;
        run_for(initdb.arg(server.data()), LIMIT)?.good()?;
        server.make_certificate()?;
        server.ctl("start")?;
        let role = format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'");
        server.sql("postgres", &role)?;
        Ok(server)
    }

    /// For a name and for no address, and for nobody else's.
    fn make_certificate(&self) -> Done {
        let (certificate, key) = (self.certificate(), self.data().join("server.key"));
        let mut openssl = self.owned("openssl")?;
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"]).arg(key).arg("-out");
        run_for(openssl.arg(certificate), LIMIT)?.good().map(|_| ())
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.data().join("server.crt")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// As a configuration has it.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&port={}&user={ROLE}", self.socket().display(), self.port)
    }

    /// A new database that our program owns.
    pub(super) fn create(&self, database: &str) -> Done {
        self.sql("postgres", &format!("CREATE DATABASE {database} OWNER {ROLE}")).map(|_| ())
    }

    /// What a statement says, as the administrator, a line for each row.
    pub(super) fn sql(&self, database: &str, statement: &str) -> Result<String, Trouble> {
        let mut psql = command("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", OWNER, "-d", database]);
        psql.arg("-h").arg(self.socket()).args(["-p", &self.port.to_string(), "-c", statement]);
        Ok(run_for(&mut psql, LIMIT)?.good()?.trim_end().to_owned())
    }

    //------- Its life ---------------------------------------------------------------------------------------------

    /// `start`, or `stop` and `restart` as if it had crashed.
    pub(super) fn ctl(&self, what: &str) -> Done {
        let options = format!(
            "-k {} -p {} -c listen_addresses=127.0.0.1 -c max_connections=100 -c ssl=on",
            self.socket().display(),
            self.port
        );
        let mut ctl = self.program("pg_ctl", &["-w", "-t", "150", "-D"])?;
        ctl.arg(self.data()).arg("-l").arg(self.folder.path().join("log")).args(["-o", &options]);
        if what != "start" {
            ctl.args(["-m", "immediate"]);
        }
        let said: Said = run_for(ctl.arg(what), LIMIT)?;
        let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        if said.ok { Ok(()) } else { Err(format!("pg_ctl {what}: {}\n{}", said.all(), log()).into()) }
    }

    /// Stops all of it in the middle of whatever it does, and lets it go on.
    pub(super) fn signal(&self, signal: Signal) -> Done {
        let file = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let first: i32 = file.lines().next().unwrap_or_default().parse()?;
        let mut all = vec![first];
        for entry in fs::read_dir("/proc")?.flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
            if parent.and_then(|parent| parent.trim().parse::<i32>().ok()) == Some(first) {
                all.push(pid);
            }
        }
        for pid in all {
            // One may have ended between the look and the signal.
            let _ = kill(Pid::from_raw(pid), signal);
        }
        Ok(())
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Result<Command, Trouble> {
        let mut command = self.owned(&self.programs.join(name).to_string_lossy())?;
        command.args(arguments);
        Ok(command)
    }

    /// A program as the server's user, in its folder.
    fn owned(&self, program: &str) -> Result<Command, Trouble> {
        let mut words = match owner()? {
            Some(_) => command("runuser", ["-u", OWNER, "--", program]),
            None => command::<&str>(program, []),
        };
        words.current_dir(self.folder.path());
        Ok(words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What was frozen hears of nothing; what is gone already needs nothing.
        let _ = self.signal(Signal::SIGCONT);
        let _ = self.ctl("stop");
    }
}

/// The user to become, where we are root.
fn owner() -> Result<Option<User>, Trouble> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let owner = User::from_name(OWNER)?;
    Ok(Some(owner.ok_or("the package made no user `postgres`")?))
}

fn programs() -> Result<PathBuf, Trouble> {
    let versions = fs::read_dir(VERSIONS).map_err(|error| format!("looking into {VERSIONS}: {error}"))?;
    let folders = versions.flatten().map(|entry| entry.path().join("bin"));
    let newest = folders.filter(|folder| folder.join("initdb").is_file()).max();
    newest.ok_or_else(|| format!("no initdb below {VERSIONS}").into())
}

/// The version that everything here was tried with.
pub(super) fn version() -> Result<String, Trouble> {
    let psql = tools::find("psql").ok_or("psql is missing")?;
    let said = shell::run(Command::new(psql).arg("--version"))?.good()?;
    Ok(said.trim().to_owned())
}
