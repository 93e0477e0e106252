//! Starting whoever we are compared with: each on core 0, with a log where the comparison says so.

use std::fs;
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::on_core_zero;
use crate::Trouble;
use crate::clock::{Watch, wait_for};
use crate::program::free_port;
use crate::shell::{Kept, command, run};
use crate::tools::find;

/// From start to the first answer: NSD needs 46 s for a million zones.
pub(super) const START: Duration = Duration::from_secs(300);

/// From the word to the end.
const END: Duration = Duration::from_secs(10);

/// A peer with its folder; both go away with it.
pub(crate) struct Peer {
    pub(crate) port: u16,
    /// From start to the first answer.
    pub(super) load_secs: f64,
    pub(super) running: Kept,
    /// Who keeps its log, if that is another program.
    pub(super) logger: Option<Kept>,
    pub(crate) folder: TempDir,
}

impl Peer {
    pub(super) fn pids(&self) -> Vec<u32> {
        [Some(&self.running), self.logger.as_ref()].into_iter().flatten().map(|kept| kept.0.id()).collect()
    }
}

//----------- Peers ------------------------------------------------------------------------------------------------

/// The echo, which is this very program under another command.
pub(super) fn echo(is_told: bool) -> Result<Peer, Trouble> {
    let port = free_udp()?;
    let mut command = on_core_zero(&std::env::current_exe()?.to_string_lossy());
    command.args(["echo", &port.to_string()]).args(is_told.then_some("--told"));
    begin(command, TempDir::new()?, port, answers_dns)
}

/// nginx with one worker, a small page for any path, and a JSON line for every request: what a sinkhole's log holds.
pub(crate) struct Nginx {
    pub(crate) peer: Peer,
    /// Where it speaks TLS, with a key of the type that we show.
    pub(super) https: u16,
}

impl Drop for Nginx {
    /// A master that is killed leaves its worker behind; one that is asked takes it along.
    fn drop(&mut self) {
        let child = &mut self.peer.running.0;
        if let Ok(pid) = i32::try_from(child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = wait_for("the end of nginx", END, || child.try_wait().ok().flatten());
    }
}

const LOGGED: [&str; 14] = [
    "time_iso8601",
    "msec",
    "remote_addr",
    "remote_port",
    "server_addr",
    "request_method",
    "request_uri",
    "server_protocol",
    "http_host",
    "http_user_agent",
    "http_referer",
    "content_type",
    "status",
    "bytes_sent",
];

pub(crate) fn nginx(page: &str) -> Result<Nginx, Trouble> {
    let (folder, port, https) = (TempDir::with_prefix("bench-nginx-")?, free_port()?, free_port()?);
    fs::write(folder.path().join("page.html"), page)?;
    self_signed(&folder)?;
    let config = folder.path().join("nginx.conf");
    fs::write(&config, nginx_config(&folder.path().display().to_string(), port, https))?;
    let mut command = on_core_zero(&program("nginx")?);
    command.arg("-p").arg(folder.path()).arg("-c").arg(config);
    Ok(Nginx { peer: begin(command, folder, port, accepts)?, https })
}

/// `worker_connections` has room for all that are held; its table of them is there from the start.
fn nginx_config(place: &str, port: u16, https: u16) -> String {
    let line: Vec<String> = LOGGED.iter().map(|field| format!("\"{field}\":\"${field}\"")).collect();
    let lines = [
        format!(
            "daemon off;\nmaster_process on;\nworker_processes 1;\npid {place}/pid;\nerror_log {place}/error.log crit;"
        ),
        "worker_rlimit_nofile 20000;\nevents { worker_connections 15000; }\nhttp {".to_owned(),
        format!("  client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;"),
        format!("  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;"),
        format!("  log_format contact escape=json '{{{}}}';\n  access_log {place}/access.log contact;", line.join(",")),
        "  keepalive_requests 1000000;\n  ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519;".to_owned(),
        format!("  ssl_certificate {place}/leaf.pem; ssl_certificate_key {place}/leaf.key;"),
        format!(
            "  server {{ listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{https} ssl backlog=4096; root {place};"
        ),
        "    location / { try_files /page.html =404; default_type text/html; } }\n}\n".to_owned(),
    ];
    lines.join("\n")
}

/// A key like those of our own leaves: ECDSA on P-256.
fn self_signed(folder: &TempDir) -> Result<(), Trouble> {
    let mut openssl = command(&program("openssl")?, ["req", "-x509", "-nodes", "-newkey", "ec", "-days", "9"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=bench.invalid"]);
    openssl.arg("-keyout").arg(folder.path().join("leaf.key")).arg("-out").arg(folder.path().join("leaf.pem"));
    run(&mut openssl)?.good().map(|_| ())
}

pub(super) fn program(name: &str) -> Result<String, Trouble> {
    let found = find(name).ok_or_else(|| format!("there is no {name}; `cargo xtask peers` installs it"))?;
    Ok(found.to_string_lossy().into_owned())
}

pub(super) fn begin(
    mut command: Command,
    folder: TempDir,
    port: u16,
    is_ready: fn(u16) -> bool,
) -> Result<Peer, Trouble> {
    let name = format!("{:?}", command.get_args().nth(2).unwrap_or_default());
    let log = fs::File::create(folder.path().join("said"))?;
    let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let (running, started) = (Kept(child), Watch::start());
    wait_for(&format!("{name} to answer"), START, || is_ready(port).then_some(())).map_err(|trouble| {
        format!("{trouble}\n{}", fs::read_to_string(folder.path().join("said")).unwrap_or_default())
    })?;
    Ok(Peer { port, load_secs: started.secs(), running, logger: None, folder })
}

pub(super) fn free_udp() -> Result<u16, Trouble> {
    free_port()
}

fn accepts(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Whether anything at all comes back for a question.
pub(super) fn answers_dns(port: u16) -> bool {
    const QUESTION: &[u8] = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x01\x00\x01";
    let ask = || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        socket.send_to(QUESTION, (Ipv4Addr::LOCALHOST, port))?;
        socket.recv(&mut [0; 512])
    };
    ask().is_ok()
}
