//! A public certificate from a real ACME server: proven by our DNS, shown by the trap, renewed, and given up.
//!
//! The authority is acme2certifier on loopback with a CA of its own, which `openssl s_client` is told to trust. The case is
//! the exercise with one name whose list permits `public-certificate`; an exercise may ask an authority on loopback.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use super::SEIZED;
use crate::clock::{pause, wait_for};
use crate::program::{Ports, Program, exercise};
use crate::shell::{self, Kept, command};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, root, tools};

/// Another name of the same order, whose list does not permit it.
const UNPERMITTED: &str = "verify-linkedin.net";
const LINE: &str = "  \"outlook-verify.net\",\n";
/// From a name that is due to its certificate: a dozen requests, and an authority in Python.
const ISSUED: Duration = Duration::from_secs(90);
/// From a start to the first order, on a busy machine: what has not begun by then is not begun.
const NO_ORDER: Duration = Duration::from_secs(6);
/// From a person's word to the next hello.
const NARROWED: Duration = Duration::from_secs(60);

pub fn run(tally: &mut Tally) -> Done {
    let folder = TempDir::with_prefix("bailiwick-acme-")?;
    let ports = Ports::free()?;
    let mut program = installed(&folder, ports.https, None)?;
    let authority = Authority::start(&folder, ports.https, program.ports.dns)?;
    program.start()?;
    tally.check(
        "the name whose order permits it gets a certificate and shows it, chain and all",
        shown(&program, &authority),
    );
    let below = format!("www.{SEIZED}");
    tally.check("the same stands for names below it", trusted(&program, &authority, &below).map(|_| ()));
    let other = hello(&program, &authority, UNPERMITTED).and_then(|said| contains(&said, "Private Authority"));
    tally.check("a name of the same order without the act shows our own", other);
    tally.check("key and chain are one file that nobody else reads", kept(&program));
    tally.check("nothing stands at _acme-challenge any more", no_token(&program));
    renewal(tally, &mut program, &authority);
    narrowing(tally, &program, &authority);
    tally.check("the program ends cleanly", program.stop());
    sealed(tally, &folder, &authority, ports.https);
    Ok(())
}

//----------- What is shown ----------------------------------------------------------------------------------------

fn shown(program: &Program, authority: &Authority) -> Done {
    let serial = wait_for("a certificate that verifies", ISSUED, || trusted(program, authority, SEIZED).ok());
    serial.map(|_| ()).map_err(|trouble| format!("{trouble}\n{}\n{}", program.log(), authority.log()).into())
}

/// The serial of the certificate for that name, if its chain leads to the authority.
fn trusted(program: &Program, authority: &Authority, name: &str) -> Result<String, Trouble> {
    let said = hello(program, authority, name)?;
    contains(&said, "Verify return code: 0 (ok)")?;
    let begin = said.find("-----BEGIN CERTIFICATE").ok_or("no certificate was shown")?;
    let file = program.path("shown.pem");
    fs::write(&file, &said[begin..])?;
    serial(&file)
}

fn serial(file: &Path) -> Result<String, Trouble> {
    shell::run(command("openssl", ["x509", "-noout", "-serial", "-in"]).arg(file))?.good()
}

fn hello(program: &Program, authority: &Authority, name: &str) -> Result<String, Trouble> {
    let place = format!("127.0.0.1:{}", program.ports.https);
    let mut openssl = command("openssl", ["s_client", "-connect", &place, "-servername", name]);
    openssl.args(["-verify_hostname", name, "-CAfile"]).arg(authority.file("ca.pem"));
    Ok(shell::run(&mut openssl)?.all())
}

fn file_of(program: &Program) -> PathBuf {
    program.path("keys/certificates").join(SEIZED).join("certificate.pem")
}

fn kept(program: &Program) -> Done {
    let mode = fs::metadata(file_of(program))?.permissions().mode() & 0o777;
    let text = fs::read_to_string(file_of(program))?;
    let is_closed = holds(mode == 0o600, || format!("its mode is {mode:o}"));
    all([is_closed, contains(&text, "PRIVATE KEY"), contains(&text, "BEGIN CERTIFICATE")])
}

fn no_token(program: &Program) -> Done {
    let (port, name) = (program.ports.dns.to_string(), format!("_acme-challenge.{SEIZED}"));
    let mut dig = command("dig", ["+short", "@127.0.0.1", "-p", &port, "TXT", &name]);
    let said = shell::run(&mut dig)?.good()?;
    holds(said.trim().is_empty(), || said)
}

//----------- Renewed, narrowed, sealed ----------------------------------------------------------------------------

fn renewal(tally: &mut Tally, program: &mut Program, authority: &Authority) {
    let before = trusted(program, authority, SEIZED);
    let again = |program: &mut Program| program.stop().and_then(|()| program.start());
    let same = again(program).and_then(|()| {
        pause(NO_ORDER);
        let (before, after) = (before?, trusted(program, authority, SEIZED)?);
        holds(before == after, || format!("{before} became {after}"))
    });
    tally.check("a restart shows the same certificate and asks for no other", same);
    let renewed = program.stop().and_then(|()| {
        fs::write(file_of(program), authority.due(SEIZED)?)?;
        let due = serial(&file_of(program))?;
        program.start()?;
        let is_new = || trusted(program, authority, SEIZED).ok().filter(|serial| *serial != due);
        wait_for("another certificate", ISSUED, is_new)
            .map(|_| ())
            .map_err(|why| format!("{why}\n{}", program.log()).into())
    });
    tally.check("one with less than a third of its life left is renewed", renewed);
}

fn narrowing(tally: &mut Tally, program: &Program, authority: &Authority) {
    let is_ours =
        || hello(program, authority, SEIZED).is_ok_and(|said| said.contains("Private Authority")).then_some(());
    let held = program.narrow(SEIZED, "hold").and_then(|()| wait_for("our own certificate", NARROWED, is_ours));
    tally.check("a name on hold shows our own", held);
    tally.check("and its key is kept: it may come back", kept(program));
    let is_gone = || (!file_of(program).exists()).then_some(());
    let back = program.narrow(SEIZED, "handback").and_then(|()| wait_for("the end of its key", NARROWED, is_gone));
    tally.check("the key of a name that is handed back is destroyed", back);
}

/// Neither asked for nor shown, though one lies there from before.
fn sealed(tally: &mut Tally, folder: &TempDir, authority: &Authority, port: u16) {
    let done = installed(folder, port, Some("2099-01-01")).and_then(|mut program| {
        fs::create_dir_all(file_of(&program).parent().ok_or("a file without a folder")?)?;
        fs::write(file_of(&program), authority.due(SEIZED)?)?;
        fs::set_permissions(file_of(&program), fs::Permissions::from_mode(0o600))?;
        let before = authority.orders();
        program.start()?;
        pause(NO_ORDER);
        let said = hello(&program, authority, SEIZED)?;
        tally.check("while the case is sealed ours is shown", contains(&said, "Private Authority"));
        tally.check("and not the authority's that lies there", lacks(&said, "Authority of the suite"));
        let asked = authority.orders() - before;
        // The first program's orders must be in the count, or the count says nothing.
        let is_none = holds(before > 0 && asked == 0, || format!("{asked} orders after {before}"));
        tally.check("and nobody is asked for one", is_none);
        tally.check("what lies there is kept for the day that the seal ends", kept(&program));
        program.stop()
    });
    tally.check("a sealed case runs to its end", done);
}

//----------- The case and the authority ---------------------------------------------------------------------------

/// An installation of the exercise with one list more, which permits certificates, and the authority's address.
fn installed(folder: &TempDir, port: u16, sealed_until: Option<&str>) -> Result<Program, Trouble> {
    let text = fs::read_to_string(exercise())?;
    let list = "\n[[list]]\norder = \"dcd-1-19-cv-00716\"\nregistry = { tld = \"net\", operator = { value = \"VeriSign\", source = \"unverified\" } }\nsource = \"the suite\"\noutcome = \"redirect\"\nacts = [\"delegate\", \"answer\", \"record-metadata\", \"public-certificate\"]\nnames = [\n";
    let seal = sealed_until.map(|day| format!("sealed_until = {{ value = \"{day}\", source = \"the suite\" }}\n"));
    let instrument = "instrument = \"exercise\"\n";
    let sealed = format!("{instrument}{}", seal.unwrap_or_default());
    let text = text.replacen(LINE, "", 1).replacen(instrument, &sealed, 1) + list + LINE + "]\n";
    let case = folder.path().join("case.toml");
    fs::write(&case, text)?;
    let program = Program::install(&case)?;
    let config = fs::read_to_string(program.config())?.replacen("[dns]\n", "[dns]\ncertifiers = [\"ca.example\"]\n", 1);
    let roots = folder.path().join("authority/ca.pem");
    let acme = format!(
        "\n[acme]\ndirectory = \"https://127.0.0.1:{port}/directory\"\ncontact = \"mailto:suite@sinkhole.example\"\nterms_agreed = true\nroots = \"{}\"\n",
        roots.display()
    );
    fs::write(program.config(), config + &acme)?;
    Ok(program)
}

struct Authority {
    folder: PathBuf,
    _running: Kept,
}

impl Authority {
    /// Makes its CA and waits until it answers. It looks for challenges at our name server and nowhere else.
    fn start(folder: &TempDir, port: u16, dns: u16) -> Result<Self, Trouble> {
        let folder = folder.path().join("authority");
        fs::create_dir_all(&folder)?;
        let log = fs::File::create(folder.join("log"))?;
        let mut python = command(&tools::python().to_string_lossy(), [script()]);
        python.arg(&folder).args([port.to_string(), dns.to_string()]);
        python.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let running = Kept(python.spawn().map_err(|error| format!("starting the authority: {error}"))?);
        let authority = Self { folder, _running: running };
        let place = format!("https://127.0.0.1:{port}/directory");
        let answers = || {
            let mut curl = command("curl", ["--silent", "--fail", "--noproxy", "*", "--max-time", "5", "--cacert"]);
            shell::run(curl.arg(authority.file("ca.pem")).arg(&place)).is_ok_and(|said| said.ok).then_some(())
        };
        wait_for("the authority", ISSUED, answers).map_err(|trouble| format!("{trouble}\n{}", authority.log()))?;
        Ok(authority)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// How many orders it was given.
    fn orders(&self) -> usize {
        self.log().matches("POST /acme/neworders").count()
    }

    /// Key and certificate of its CA with 10 of 90 days left.
    fn due(&self, name: &str) -> Result<String, Trouble> {
        let mut python = command(&tools::python().to_string_lossy(), [script()]);
        shell::run(python.arg(&self.folder).args(["--due", name]))?.good()
    }
}

fn script() -> PathBuf {
    root().join("xtask/peers/acme/authority.py")
}
