//! The trap before `curl`, `openssl s_client` and a browser.

mod languages;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{LOOKALIKE, SEIZED};
use crate::program::{Program, exercise};
use crate::shell::{Said, command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::tools::find;
use crate::{Done, Trouble, shell, target};

/// What stands on the notice page of the exercise: whom to write to.
const NOTICE: &str = "sinkhole-desk@sinkhole.example";
/// A browser starts slowly on a busy machine.
const BROWSER: Duration = Duration::from_secs(180);

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    http(tally, &program);
    https(tally, &program);
    browser(tally, &program);
    languages::run(tally, &program);
    tally.check("SIGTERM ends it cleanly", program.stop());
    Ok(())
}

//----------- curl -------------------------------------------------------------------------------------------------

fn http(tally: &mut Tally, program: &Program) {
    let page = |more: &[&str], path: &str| curl(more, "http", program.ports.http, SEIZED, path);
    let shows = |said: Result<String, Trouble>, status: &str| said.and_then(|said| notice(&said, status));
    tally.check("curl: HTTP/1.1 gets the notice", shows(page(&[], "/"), "HTTP/1.1 200"));
    tally.check("curl: HTTP/1.0 gets the notice", shows(page(&["--http1.0"], "/old"), " 200"));
    tally.check("curl: any path gets the notice", shows(page(&[], "/wp-login.php?a=1"), " 200"));
    let hebrew = page(&["--header", "Accept-Language: he-IL,en;q=0.5"], "/");
    tally
        .check("curl: the notice is in the visitor's language", hebrew.and_then(|said| contains(&said, "dir=\"rtl\"")));
    let marked = page(&[], "/").and_then(|said| contains(&said, "X-Sinkhole: "));
    tally.check("curl: an open notice is marked as a sinkhole's", marked);
    for method in ["OPTIONS", "PROPFIND", "DELETE", "BREW"] {
        tally.check(
            &format!("curl: {method} is answered"),
            page(&["-X", method], "/").and_then(|said| contains(&said, "HTTP/1.1 ")),
        );
    }
    tally.check("curl: HEAD has a head and no body", page(&["--head"], "/").and_then(|said| lacks(&said, NOTICE)));
    tally.check("curl: a POST is answered", shows(page(&["--data", "user=a&pin=b"], "/gate.php"), " 200"));
    tally.check("curl: an absolute-form target is answered", absolute_form(program));
    tally.check(
        "curl: a second request on the same connection",
        page(&["--next"], "/").map(|_| ()).or_else(|_| twice(program)),
    );
    tally.check("curl: a name that no order covers is recorded, and tells of no case", foreign(program));
    let methods = "select count(distinct method) from contacts where kind = 'request' and method in ('GET','POST','HEAD','OPTIONS','PROPFIND','DELETE','BREW')";
    tally.check("every method is recorded as sent", program.count_reaches(methods, 7));
}

fn curl(more: &[&str], scheme: &str, port: u16, host: &str, path: &str) -> Result<String, Trouble> {
    let mut curl = command("curl", ["--silent", "--show-error", "--include", "--insecure", "--max-time", "10"]);
    curl.args(["--noproxy", "*", "--resolve", &format!("{host}:{port}:127.0.0.1")]).args(more);
    shell::run(curl.arg(format!("{scheme}://{host}:{port}{path}")))?.good()
}

fn notice(said: &str, status: &str) -> Done {
    all([contains(said, status), contains(said, NOTICE)])
}

/// As a client speaks to a proxy.
fn absolute_form(program: &Program) -> Done {
    let proxy = format!("http://127.0.0.1:{}", program.ports.http);
    let mut curl = command("curl", ["--silent", "--include", "--max-time", "10", "--proxy", &proxy]);
    let said = shell::run(curl.arg(format!("http://{SEIZED}/absolute")))?.good()?;
    notice(&said, " 200")?;
    program.count_reaches("select count(*) from contacts where target like 'http://%/absolute'", 1)
}

fn twice(program: &Program) -> Done {
    let port = program.ports.http;
    let place = format!("http://{SEIZED}:{port}/");
    let mut curl = command("curl", ["--silent", "--verbose", "--max-time", "10", "--noproxy", "*"]);
    let said = shell::run(curl.args(["--resolve", &format!("{SEIZED}:{port}:127.0.0.1"), &place, &place]))?;
    all([holds(said.ok, || said.all()), contains(&said.err, "Re-using existing connection")])
}

fn foreign(program: &Program) -> Done {
    let said = curl(&[], "http", program.ports.http, LOOKALIKE, "/foreign")?;
    lacks(&said, "PHOSPHORUS")?;
    program.count_reaches("select count(*) from contacts where target = '/foreign'", 1)
}

//----------- openssl ----------------------------------------------------------------------------------------------

fn https(tally: &mut Tally, program: &Program) {
    let before = program.count(HELLOS).unwrap_or_default();
    let port = program.ports.https;
    let page = |more: &[&str]| curl(more, "https", port, SEIZED, "/owa/").and_then(|said| notice(&said, " 200"));
    tally.check("curl: the notice over TLS 1.3", page(&["--tlsv1.3"]));
    tally.check("curl: the notice over TLS 1.2", page(&["--tlsv1.2", "--tls-max", "1.2"]));
    let subject = || contains(&hello(program, &["-servername", SEIZED])?.all(), SEIZED);
    tally.check("openssl: the certificate names the seized name", subject());
    for (promise, more) in [
        ("openssl: TLS 1.2", &["-servername", SEIZED, "-tls1_2"][..]),
        ("openssl: TLS 1.3", &["-servername", SEIZED, "-tls1_3"]),
    ] {
        let ended = hello(program, more).and_then(|said| contains(&said.out, "Cipher is "));
        tally.check(&format!("{promise}: a handshake to its end"), ended);
    }
    for (promise, more) in [
        ("openssl: no SNI", &["-noservername"][..]),
        ("openssl: a wrong SNI", &["-servername", LOOKALIKE]),
        (
            "openssl: TLS 1.1, which nobody should speak",
            &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-servername", SEIZED],
        ),
    ] {
        tally.check(
            &format!("{promise}: whatever becomes of it, the other side ends"),
            hello(program, more).map(|_| ()),
        );
    }
    tally.check(
        "each of these eight hellos is recorded, also the handshake that failed",
        program.count_reaches(HELLOS, before + 8),
    );
    tally.check("a client that says nothing in TLS is recorded", no_tls(program));
}

const HELLOS: &str = "select count(*) from contacts where kind = 'hello'";

fn hello(program: &Program, more: &[&str]) -> Result<Said, Trouble> {
    let place = format!("127.0.0.1:{}", program.ports.https);
    shell::run(command("openssl", ["s_client", "-connect", &place]).args(more))
}

/// HTTP to the HTTPS port: no hello at all, and a contact all the same.
fn no_tls(program: &Program) -> Done {
    let before = program.count(CONNECTIONS)?;
    // Whatever comes back is no promise; that it is recorded is.
    let _ = curl(&[], "http", program.ports.https, SEIZED, "/");
    program.count_reaches(CONNECTIONS, before + 1)
}

const CONNECTIONS: &str = "select count(*) from contacts where kind = 'connection'";

//----------- A browser --------------------------------------------------------------------------------------------

/// Chromium opens the page; every name but the seized one is unresolvable to it, and its own log says what it tried.
fn browser(tally: &mut Tally, program: &Program) {
    let picture = target().join("notice-page.png");
    let log = program.path("netlog.json");
    let shown = look(program, &picture, &log);
    tally.check("chromium opens the notice page", shown);
    let size = std::fs::metadata(&picture).map_or(0, |file| file.len());
    tally.check("and shows something", holds(size > 5_000, || format!("the picture has {size} octets")));
    println!("        picture: {}", picture.display());
    tally.check(
        "the page makes it fetch nothing from elsewhere",
        fetched_by_page(&log).and_then(|places| only_ours(program, &places)),
    );
    let asked = "select count(*) from contacts where kind = 'request' and user_agent like '%Chrome%' and target <> '/browser' and target not like '/in/%' and target <> '/favicon.ico'";
    tally.check("and asks us for nothing but the page", program.count_reaches(asked, 0));
}

fn look(program: &Program, picture: &Path, log: &Path) -> Done {
    let mut chromium = browser_for(program)?;
    chromium.args(["--window-size=1000,800", "--virtual-time-budget=5000"]);
    chromium.arg(format!("--log-net-log={}", log.display())).arg(format!("--screenshot={}", picture.display()));
    let said = run_for(chromium.arg(format!("http://{SEIZED}:{}/browser", program.ports.http)), BROWSER)?;
    holds(said.ok, || said.all())
}

/// A browser that finds the seized name on this machine, and no other name at all.
fn browser_for(program: &Program) -> Result<Command, Trouble> {
    let browser = ["chromium", "chromium-browser"].iter().find_map(|name| find(name)).ok_or("there is no chromium")?;
    let mut chromium = command(
        &browser.to_string_lossy(),
        [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-proxy-server",
        ],
    );
    chromium.arg(format!("--user-data-dir={}", program.path("chromium").display()));
    chromium.arg(format!("--host-resolver-rules=MAP {SEIZED} 127.0.0.1, MAP * ~NOTFOUND"));
    Ok(chromium)
}

/// What the page made the browser fetch, by the browser's own log: one event a line, and a fetch names who began it.
/// What the browser fetches for itself (the time, its lists) begins nowhere, and cannot be resolved here either.
fn fetched_by_page(log: &Path) -> Result<Vec<String>, Trouble> {
    let text = std::fs::read_to_string(log).map_err(|error| format!("reading the browser's log: {error}"))?;
    holds(text.contains(&format!("http://{SEIZED}:")), || "the browser's log does not name the page".to_owned())?;
    let by_page = format!("\"initiator\":\"http://{SEIZED}");
    let lines = text.lines().filter(|line| line.contains(&by_page));
    let places = lines.filter_map(|line| line.split("\"url\":\"").nth(1)?.split('"').next());
    Ok(places.map(str::to_owned).collect())
}

fn only_ours(program: &Program, places: &[String]) -> Done {
    let ours = format!("http://{SEIZED}:{}/", program.ports.http);
    let other: Vec<&String> = places.iter().filter(|place| !place.starts_with(&ours)).collect();
    holds(other.is_empty(), || format!("it also fetched {other:?}"))
}
