//! Everything that somebody outside can get from a running program, by the clients that they would take.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use crate::program::Program;
use crate::shell::{self, command};
use crate::{Trouble, story};

use super::{NAME, Place};

const PATIENCE: Duration = Duration::from_secs(20);
/// Paths that a browser, a crawler and those who look for sinkholes ask for.
const PATHS: [&str; 9] = [
    "/",
    "/favicon.ico",
    "/robots.txt",
    "/humans.txt",
    "/.well-known/security.txt",
    "/.well-known/acme-challenge/x",
    "/wp-login.php?a=1",
    "/owa/auth.owa",
    "/%2e%2e/%2e%2e/etc/passwd",
];
const METHODS: [&str; 6] = ["GET", "POST", "HEAD", "OPTIONS", "TRACE", "PROPFIND"];
const LANGUAGES: [&str; 10] = ["en", "ar", "fa", "fr", "de", "es", "he", "xx", "*;q=0", "de;q=0, fr;q=0.1"];
const QUESTIONS: [&str; 14] =
    ["SOA", "NS", "A", "AAAA", "MX", "TXT", "CAA", "HTTPS", "SVCB", "ANY", "DNSKEY", "DS", "HINFO", "TYPE65280"];
/// What a mailer says, and what somebody who looks around says.
const MAIL: &str = "EHLO a.example\r\nHELP\r\nVRFY root\r\nNOOP\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@harbour-login.test>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nRSET\r\nAUTH PLAIN\r\nXYZZY\r\nQUIT\r\n";

/// What was got, by what was asked for.
pub(super) type Outputs = BTreeMap<String, String>;

/// All of it.
pub(super) fn gather(program: &Program, place: &Place) -> Result<Outputs, Trouble> {
    let mut outputs = Outputs::new();
    web(program, &mut outputs)?;
    dns(program, place, &mut outputs)?;
    outputs.insert("smtp".into(), mail(program.ports.smtp)?);
    outputs.insert("tls certificate".into(), certificate(program)?);
    outputs.insert("metrics".into(), metrics(place)?);
    outputs.insert("log".into(), program.log());
    for format in story::FORMATS {
        for audience in ["network-owners", "court"] {
            // An audience that is refused gets the refusal.
            let Some(file) = program.feed_unless_refused(format, audience)? else { continue };
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = String::from_utf8_lossy(&std::fs::read(&file)?).into_owned();
            outputs.insert(format!("feed {format} for {audience}"), format!("{name}\n{text}"));
            std::fs::remove_file(&file)?;
        }
    }
    Ok(outputs)
}

//----------- HTTP -------------------------------------------------------------------------------------------------

fn web(program: &Program, outputs: &mut Outputs) -> Result<(), Trouble> {
    for path in PATHS {
        for tls in [false, true] {
            outputs.insert(format!("http GET {path} tls={tls}"), curl(program, tls, path, &[])?);
        }
    }
    for method in METHODS {
        let more: &[&str] = if method == "HEAD" { &["--head"] } else { &["-X", method] };
        outputs.insert(format!("http {method} /"), curl(program, false, "/", more)?);
    }
    for language in LANGUAGES {
        let field = format!("Accept-Language: {language}");
        outputs.insert(format!("http in {language}"), curl(program, false, "/", &["-H", &field])?);
    }
    outputs.insert("http/2".into(), curl(program, true, "/", &["--http2"])?);
    let host = format!("Host: {NAME}\r\n");
    for (what, sent) in [
        ("http/0.9", "GET /\r\n\r\n".to_owned()),
        ("http with a length of -5", format!("POST / HTTP/1.1\r\n{host}Content-Length: -5\r\n\r\n")),
        ("http through us", format!("CONNECT {NAME}:443 HTTP/1.1\r\n{host}\r\n")),
        ("http with no host", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("http for others", "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n".to_owned()),
        ("http nonsense", "\0\u{1}\u{2}\r\n\r\n".to_owned()),
    ] {
        outputs.insert(what.into(), say(program.ports.http, &sent)?);
    }
    Ok(())
}

/// The page for whoever opens the site.
pub(super) fn page(program: &Program) -> Result<String, Trouble> {
    curl(program, true, "/", &["--http1.1"])
}

fn curl(program: &Program, tls: bool, path: &str, more: &[&str]) -> Result<String, Trouble> {
    let (scheme, port) = if tls { ("https", program.ports.https) } else { ("http", program.ports.http) };
    let mut curl = command("curl", ["--silent", "--show-error", "--include", "--insecure", "--max-time", "20"]);
    curl.args(["--noproxy", "*", "--path-as-is", "--resolve", &format!("{NAME}:{port}:127.0.0.1")]).args(more);
    shell::run(curl.arg(format!("{scheme}://{NAME}:{port}{path}")))?.good()
}

fn metrics(place: &Place) -> Result<String, Trouble> {
    let address = format!("http://127.0.0.1:{}/metrics", place.metrics);
    shell::run(&mut command("curl", ["--silent", "--include", "--max-time", "20", "--noproxy", "*", &address]))?.good()
}

fn certificate(program: &Program) -> Result<String, Trouble> {
    let place = format!("127.0.0.1:{}", program.ports.https);
    let mut hello = command("openssl", ["s_client", "-showcerts", "-connect", &place, "-servername", NAME]);
    let shown = shell::run(&mut hello)?.out;
    let file = program.path("shown.pem");
    std::fs::write(&file, &shown)?;
    let text = shell::run(command("openssl", ["x509", "-noout", "-text", "-in"]).arg(&file))?.good()?;
    Ok(shown + &text)
}

//----------- DNS --------------------------------------------------------------------------------------------------

fn dns(program: &Program, place: &Place, outputs: &mut Outputs) -> Result<(), Trouble> {
    for name in [NAME.to_owned(), format!("_acme-challenge.{NAME}"), format!("www.deep.{NAME}")] {
        for question in QUESTIONS {
            outputs.insert(format!("dns {name} {question}"), dig(program.ports.dns, &[&name, question])?);
        }
    }
    for name in ["version.bind", "hostname.bind", "id.server", "version.server"] {
        outputs.insert(format!("dns {name}"), dig(program.ports.dns, &["CH", "TXT", name])?);
    }
    for zone in [NAME, "catalog.invalid", "rpz.invalid"] {
        outputs.insert(format!("transfer of {zone}"), dig(place.transfer, &["AXFR", zone])?);
        outputs.insert(format!("transfer of {zone} at the resolver's port"), dig(program.ports.dns, &["AXFR", zone])?);
    }
    Ok(())
}

fn dig(port: u16, words: &[&str]) -> Result<String, Trouble> {
    let port = port.to_string();
    let mut dig = command("dig", ["+nsid", "+tries=1", "+time=10", "+nostats", "+nocmd", "-p", &port, "@127.0.0.1"]);
    Ok(shell::run(dig.args(words))?.out)
}

//----------- Mail, and raw octets ---------------------------------------------------------------------------------

fn mail(port: u16) -> Result<String, Trouble> {
    say(port, MAIL)
}

/// Sends all, says that no more comes, and reads what is said.
fn say(port: u16, sent: &str) -> Result<String, Trouble> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(sent.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut said = Vec::new();
    // A reset after the answer is as good an end as any.
    let _ = stream.read_to_end(&mut said);
    Ok(String::from_utf8_lossy(&said).into_owned())
}
