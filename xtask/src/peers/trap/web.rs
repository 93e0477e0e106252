//! curl, h2load, wrk: every version and form of HTTP.

use super::{PASSWORD, SEIZED, at_least_so_many};
use crate::program::Program;
use crate::shell::{self, command};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};

/// On the notice page of the exercise.
const NOTICE: &str = "sinkhole-desk@sinkhole.example";

pub(super) fn run(tally: &mut Tally, program: &Program) {
    tally.check(
        "curl: HTTP/2 by prior knowledge gets the notice",
        page(program, false, &["--http2-prior-knowledge"], "HTTP/2 200"),
    );
    tally.check("curl: HTTP/2 within TLS gets the notice", page(program, true, &["--http2"], "HTTP/2 200"));
    tally.check("curl: HTTP/1.1 within TLS gets the notice", page(program, true, &["--http1.1"], "HTTP/1.1 200"));
    tally.check("curl: an upgrade to h2c that is not taken up", page(program, false, &["--http2"], "HTTP/1.1 200"));
    tally.check("curl: a POST with a password over HTTP/2", password(program, &["--http2"]));
    tally.check("curl: a multipart upload over HTTP/2", password(program, &["--http2", "-F", "file=@/etc/hostname"]));
    let long = format!("X-Long: {}", "a".repeat(60_000));
    tally.check("curl: 60 KB of one header are taken", page(program, false, &["-H", &long], "HTTP/1.1 200"));
    let many: Vec<String> = (0..200).flat_map(|n| ["-H".to_owned(), format!("X-{n}: 1")]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    tally.check("curl: 200 headers are an oddity and a 400", page_of(program, false, &many, "HTTP/1.1 400", ""));
    tally.check(
        "curl: chunked",
        page(program, false, &["-H", "Transfer-Encoding: chunked", "-d", "a=b"], "HTTP/1.1 200"),
    );
    tally.check("curl: CONNECT through us opens no tunnel", no_tunnel(program));
    tally.check("curl: in Arabic the page runs from right to left", arabic(program));
    tally.check("h2load: every stream in clear is answered and recorded", h2load(program, false));
    tally.check("h2load: every stream within TLS is answered and recorded", h2load(program, true));
    tally.check("wrk: every connection's request is recorded", wrk(program));
}

pub(super) fn is_served(program: &Program) -> Done {
    page(program, false, &[], "HTTP/1.1 200")
}

fn page(program: &Program, tls: bool, more: &[&str], status: &str) -> Done {
    page_of(program, tls, more, status, NOTICE)
}

fn page_of(program: &Program, tls: bool, more: &[&str], status: &str, body: &str) -> Done {
    let said = curl(program, tls, more)?;
    all([contains(&said, status), contains(&said, body)])
}

fn curl(program: &Program, tls: bool, more: &[&str]) -> Result<String, Trouble> {
    let (scheme, port) = if tls { ("https", program.ports.https) } else { ("http", program.ports.http) };
    let mut curl = command("curl", ["--silent", "--show-error", "--include", "--insecure", "--max-time", "20"]);
    curl.args(["--noproxy", "*", "--resolve", &format!("{SEIZED}:{port}:127.0.0.1")]).args(more);
    shell::run(curl.arg(format!("{scheme}://{SEIZED}:{port}/trap")))?.good()
}

fn password(program: &Program, more: &[&str]) -> Done {
    let form = if more.contains(&"-F") { "-F" } else { "-d" };
    let field = format!("password={PASSWORD}");
    page(program, true, &[more, &[form, &field][..]].concat(), "HTTP/2 200")
}

fn no_tunnel(program: &Program) -> Done {
    let proxy = format!("http://127.0.0.1:{}", program.ports.http);
    let mut curl = command("curl", ["--silent", "--verbose", "--max-time", "10", "--proxy", &proxy]);
    let said = shell::run(curl.arg("https://elsewhere.example/"))?;
    all([holds(!said.ok, || "the tunnel was opened".to_owned()), contains(&said.err, "404")])
}

fn arabic(program: &Program) -> Done {
    let said = curl(program, false, &["-H", "Accept-Language: ar-EG,ar;q=0.9"])?;
    all([contains(&said.to_lowercase(), "content-language: ar"), contains(&said, "dir=\"rtl\"")])
}

const REQUESTS: u64 = 4_000;

fn h2load(program: &Program, tls: bool) -> Done {
    let (scheme, port) = if tls { ("https", program.ports.https) } else { ("http", program.ports.http) };
    let count = REQUESTS.to_string();
    let mut h2load = command("h2load", ["-n", &count, "-c", "8", "-m", "50"]);
    let said = shell::run(h2load.arg(format!("{scheme}://127.0.0.1:{port}/h2load")))?.good()?;
    contains(&said, &format!("{REQUESTS} done"))?;
    program.count_reaches(BY_H2LOAD, if tls { 2 * REQUESTS } else { REQUESTS })
}

const BY_H2LOAD: &str = "select count(*) from contacts where target = '/h2load'";

fn wrk(program: &Program) -> Done {
    let place = format!("http://127.0.0.1:{}/wrk", program.ports.http);
    let said = shell::run(&mut command("wrk", ["-t1", "-c16", "-d2s", "-H", "Connection: close", &place]))?.good()?;
    let answered = said.lines().find_map(|line| line.trim().split_once(" requests in")).ok_or("wrk counts nothing")?;
    let answered: u64 = answered.0.parse()?;
    // wrk leaves in the middle of its last requests, and counts those that it has read whole.
    let recorded = at_least_so_many(program, "select count(*) from contacts where target = '/wrk'", answered)?;
    println!("        wrk read {answered} answers, {recorded} requests are recorded");
    holds(recorded <= answered + 16, || format!("{recorded} recorded, {answered} answered"))
}
