//! What a capture meets: a site, RDAP, a resolver, an authority for time, a mail server, and the one proxy that leads there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::NAME;
use crate::clock::wait_for;
use crate::program::free_port;
use crate::shell::{self, Kept, command};
use crate::tally::{all, contains, holds};
use crate::{Done, Trouble, root, tools};

const STARTED: Duration = Duration::from_secs(60);
const TSA: &str = "[tsa]\ndefault_tsa = a\n[a]\nserial = tsa.serial\nsigner_cert = tsa.pem\ncerts = ca.pem\nsigner_key = tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\naccuracy = secs:1\nordering = no\ntsa_name = yes\ness_cert_id_chain = no\n[usage]\nextendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n";

pub(super) struct World {
    folder: TempDir,
    _servers: Kept,
    _proxy: Kept,
    proxy: u16,
    pub(super) http: u16,
    pub(super) https: u16,
    pub(super) smtp: u16,
    /// Nobody listens there.
    pub(super) closed: u16,
}

impl World {
    pub(super) fn begin(dns: u16) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bailiwick-evidence-")?;
        keys(&folder)?;
        let page = root().join("xtask/peers/evidence/world.py");
        let mut python = command(&tools::python().to_string_lossy(), [page.as_os_str()]);
        python.arg(folder.path()).arg(dns.to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut servers = Kept(python.spawn()?);
        let mut line = String::new();
        BufReader::new(servers.0.stdout.take().ok_or("the world has no stdout")?).read_line(&mut line)?;
        let ports: Value =
            serde_json::from_str(&line).map_err(|error| format!("the world did not begin: {error}: {line}"))?;
        let port = |name: &str| ports[name].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
        let (http, https, smtp, closed) = (port("http"), port("https"), port("smtp"), port("closed"));
        let (proxy, process) = proxy(&folder, [http, https, closed])?;
        Ok(Self { folder, _servers: servers, _proxy: process, proxy, http, https, smtp, closed })
    }

    /// The configuration that leads there.
    pub(super) fn tables(&self) -> String {
        let browser = ["chromium", "chromium-browser"].iter().find_map(|name| tools::find(name)).unwrap_or_default();
        let (proxy, http, smtp) = (self.proxy, self.http, self.smtp);
        format!(
            "[evidence]\nproxy = \"http://127.0.0.1:{proxy}\"\nchromium = \"{}\"\nbrowser_sandbox = false\npage_mib = 1\n\
             tsa = \"http://127.0.0.1:{http}/tsa\"\ndoh = \"http://127.0.0.1:{http}/dns-query\"\nrdap = \"http://127.0.0.1:{http}/rdap\"\n\
             [reports]\norganisation = \"Harbour Desk\"\ncontact = \"desk@harbour.example\"\nsmtp = \"127.0.0.1:{smtp}\"\ntls = \"none\"\n",
            browser.display()
        )
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// By the proxy's own log: whom it connected to.
    pub(super) fn only_ours(&self) -> Done {
        let log = self.read("proxy.log");
        let to: Vec<&str> = log.lines().filter(|line| line.contains("Established connection to host")).collect();
        let other: Vec<&&str> = to.iter().filter(|line| !line.contains(NAME) && !line.contains("127.0.0.1")).collect();
        all([
            contains(&log, NAME),
            holds(other.is_empty() && to.len() > 10, || format!("{} connections, {other:?}", to.len())),
        ])
    }
}

/// tinyproxy, which knows the name from a file of its own and refuses every other before it would look it up.
fn proxy(folder: &TempDir, ports: [u16; 3]) -> Result<(u16, Kept), Trouble> {
    let port = free_port()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("hosts"), format!("127.0.0.1 localhost {NAME}\n"))?;
    fs::write(path("allowed"), format!("^{}$\n^127\\.0\\.0\\.1$\n", NAME.replace('.', "\\.")))?;
    let connect: String = ports.iter().map(|port| format!("ConnectPort {port}\n")).collect();
    let text = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nMaxClients 50\nLogFile \"{}\"\nLogLevel Connect\nFilter \"{}\"\nFilterExtended On\nFilterDefaultDeny Yes\n{connect}",
        path("proxy.log").display(),
        path("allowed").display()
    );
    fs::write(path("proxy.conf"), text)?;
    let own_hosts = "mount --bind \"$0\" /etc/hosts && exec tinyproxy -d -c \"$1\"";
    let mut unshare = command("unshare", ["--mount", "sh", "-c", own_hosts]);
    unshare.arg(path("hosts")).arg(path("proxy.conf")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let kept = Kept(unshare.spawn()?);
    wait_for("the proxy", STARTED, || std::net::TcpStream::connect(("127.0.0.1", port)).ok())?;
    Ok((port, kept))
}

/// A certificate for the site, and an authority for time with a root of its own.
fn keys(folder: &TempDir) -> Done {
    fs::write(folder.path().join("tsa.cnf"), TSA)?;
    fs::write(folder.path().join("tsa.serial"), "01\n")?;
    let site = format!("/CN={NAME}");
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let steps: [&[&str]; 4] = [
        &["-x509", "-subj", &site, "-keyout", "site.key", "-out", "site.pem", "-days", "2"],
        &["-x509", "-subj", "/CN=Time Root", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"],
        &["-subj", "/CN=Time", "-keyout", "tsa.key", "-out", "tsa.csr"],
        &[
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            "tsa.pem",
            "-days",
            "2",
            "-extfile",
            "tsa.cnf",
            "-extensions",
            "usage",
        ],
    ];
    for step in steps {
        let words = if step[0] == "x509" { step.to_vec() } else { [&new[..], step].concat() };
        shell::run(command("openssl", words).current_dir(folder.path()))?.good()?;
    }
    Ok(())
}
