//! Evidence before strangers: captured through a real proxy, time-stamped by `openssl ts`, checked with `sha256sum` and
//! `openssl`, reported as mail and as X-ARF. All of it on loopback.

mod reports;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::program::Program;
use crate::shell::{self, Said, command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, root};
use world::World;

const NAME: &str = "login-harbour.test";
/// Six looks and a browser.
const CAPTURE: Duration = Duration::from_secs(150);
/// What a person writes, from left to right and from right to left.
const NOTE: &str = "<b>seen</b> by Ada: שלום עולם";
/// Who acts.
const PERSON: &str = "ines";

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&root().join("xtask/peers/evidence/case.toml"))?;
    program.start()?;
    tally.check("without a proxy nothing is looked at, and it says what to name", without_proxy(&program));
    let world = World::begin(program.ports.dns)?;
    program.configure_also(&world.tables())?;
    by_hand(tally, &program);
    captured(tally, &program, &world);
    let folder = exported(tally, &program, &world)?;
    spoilt(tally, &folder)?;
    reports::run(tally, &program, &world)?;
    let record = program.ask(&["case", "privacy", &program.case, "--json"]).and_then(Said::good);
    let record = record.and_then(|said| all([contains(&said, "Harbour Ltd"), contains(&said, "\"security\"")]));
    tally.check("the record of processing says what is stated, and what is not", record);
    tally.check("and the ledger verifies with all of it", program.ask(&["audit", "verify"])?.good().map(|_| ()));
    tally.check("the program ends cleanly", program.stop());
    Ok(())
}

fn act(program: &Program, words: &[&str]) -> Result<Said, Trouble> {
    let token = program.token(PERSON);
    let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    all.extend(["--as", PERSON, "--token-file", &token].map(str::to_owned));
    let mut asked = command(&crate::program::binary().to_string_lossy(), ["--config"]);
    run_for(asked.arg(program.config()).args(all), CAPTURE)
}

fn list(program: &Program) -> Result<Vec<Value>, Trouble> {
    Ok(serde_json::from_str(&program.ask(&["evidence", "list", &program.case, "--json"])?.good()?)?)
}

//----------- Keeping ----------------------------------------------------------------------------------------------

fn without_proxy(program: &Program) -> Done {
    let said = act(program, &["evidence", "capture", &program.case, NAME])?;
    let kept = list(program)?.len();
    all([
        holds(!said.ok && kept == 0, || said.all()),
        contains(&said.err, "names no proxy"),
        contains(&said.err, "hint:"),
    ])
}

fn by_hand(tally: &mut Tally, program: &Program) {
    let file = program.path("statement.txt");
    let words =
        ["evidence", "add", &program.case, NAME, &file.to_string_lossy(), "--kind", "declaration", "--note", NOTE];
    let kept = fs::write(&file, "I saw it.\n").map_err(Trouble::from).and_then(|()| act(program, &words)?.good());
    tally.check("a person keeps a file", kept.and_then(|said| contains(&said, "exhibit 1 of case")));
    let nobody = program.ask(&words).and_then(|said| holds(!said.ok, || said.all()));
    tally.check("nobody else does", nobody);
}

fn captured(tally: &mut Tally, program: &Program, world: &World) {
    let place = format!("https://{NAME}:{}/", world.https);
    let first =
        act(program, &["evidence", "capture", &program.case, NAME, "--url", &place, "--mark", "Harbour", "--json"]);
    let first = first.and_then(Said::good).and_then(|said| Ok(serde_json::from_str::<Vec<Value>>(&said)?));
    let kinds = first.as_ref().map(|kept| kinds(kept)).unwrap_or_default();
    let wanted = ["dns", "rdap", "certificate", "headers", "page", "screenshot"];
    tally.check(
        "a capture keeps DNS, RDAP, certificate, head, page and picture",
        first.and_then(|_| holds(kinds == wanted, || format!("{kinds:?}"))),
    );
    tally.check("what the name server said is there, as text", file_has(program, "dns", "ns1.sinkhole.example"));
    tally.check("the head is octet by octet the server's", file_has(program, "headers", "X-Kit: <b>harbour</b>\r\n"));
    tally.check("the page is the one that was served", same(program, "page", &world.file("page.html")));
    tally.check("the certificate is the server's", same_certificate(program, world));
    tally.check("the picture is one that a person can look at", picture(program));
    for (promise, place, told) in [
        ("a redirect is recorded", format!("http://{NAME}:{}/hop", world.http), "redirects to /landing; not followed"),
        ("a page that is too long is cut, and said to be", format!("http://{NAME}:{}/big", world.http), "cut: "),
        ("where nobody answers the attempt is kept", format!("https://{NAME}:{}/", world.closed), "attempt.txt"),
    ] {
        let said = act(program, &["evidence", "capture", &program.case, NAME, "--url", &place, "--json"]);
        tally.check(promise, said.and_then(Said::good).and_then(|said| contains(&said, told)));
    }
    tally.check("and is not followed, by us or by the browser", lacks(&world.read("asked.log"), "/landing"));
    tally.check("all went through the proxy, and to nowhere else", world.only_ours());
    let stamped = list(program).and_then(|all| {
        let bare: Vec<&Value> = all.iter().skip(1).filter(|one| one["stamp"].is_null()).collect();
        holds(all.len() > 15 && bare.is_empty(), || format!("{bare:?} of {}", all.len()))
    });
    tally.check("each is time-stamped", stamped);
}

fn kinds(kept: &[Value]) -> Vec<&'static str> {
    let known = ["dns", "rdap", "certificate", "headers", "page", "screenshot"];
    let is =
        |kind: &&str| kept.iter().any(|one| one["exhibit"]["kind"] == **kind && one["exhibit"]["failed"].is_null());
    known.into_iter().filter(is).collect()
}

/// The first exhibit of a kind, as a file.
fn file_of(program: &Program, kind: &str) -> Result<Vec<u8>, Trouble> {
    let all = list(program)?;
    let found = all.iter().find(|one| one["kind"] == kind).ok_or_else(|| format!("no {kind}"))?;
    let (number, file) = (found["number"].to_string(), program.path(&format!("{kind}-{}", found["number"])));
    if !file.exists() {
        program.ask(&["evidence", "show", &program.case, &number, "--out-file", &file.to_string_lossy()])?.good()?;
    }
    Ok(fs::read(file)?)
}

fn file_has(program: &Program, kind: &str, part: &str) -> Done {
    contains(&String::from_utf8_lossy(&file_of(program, kind)?), part)
}

fn same(program: &Program, kind: &str, file: &Path) -> Done {
    let (ours, theirs) = (file_of(program, kind)?, fs::read(file)?);
    holds(ours == theirs, || format!("{} octets and {}", ours.len(), theirs.len()))
}

fn same_certificate(program: &Program, world: &World) -> Done {
    file_of(program, "certificate")?;
    let serial = |file: &Path| {
        shell::run(command("openssl", ["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(file))?.good()
    };
    let number = list(program)?.iter().find(|one| one["kind"] == "certificate").map(|one| one["number"].to_string());
    let ours = serial(&program.path(&format!("certificate-{}", number.unwrap_or_default())))?;
    let theirs = serial(&world.file("site.pem"))?;
    holds(ours == theirs, || format!("{ours} and {theirs}"))
}

fn picture(program: &Program) -> Done {
    let octets = file_of(program, "screenshot")?;
    let file = crate::target().join("evidence-screenshot.png");
    fs::write(&file, &octets)?;
    println!("        picture: {}", file.display());
    holds(octets.starts_with(b"\x89PNG") && octets.len() > 5_000, || format!("{} octets", octets.len()))
}

//----------- For a stranger ---------------------------------------------------------------------------------------

fn exported(tally: &mut Tally, program: &Program, world: &World) -> Result<PathBuf, Trouble> {
    let folder = program.path("exhibits");
    let words =
        ["evidence", "exhibits", &program.case, "--qualified-person", "Ada <Lovelace>", "--form", "fre-902", "--pdf"];
    let written = program.ask(&[&words[..], &["--out", &folder.to_string_lossy()]].concat()).and_then(Said::good);
    tally.check("exhibits are written for a named person", written.map(|_| ()));
    tally.check("sha256sum finds every file as it was", sums(&folder));
    tally.check("openssl finds the list signed by the key", signed(&folder));
    let key = program.ask(&["audit", "key"])?.good()?;
    tally.check("which is the ledger's", contains(&fs::read_to_string(folder.join("README.txt"))?, key.trim()));
    tally.check("openssl ts verifies each time-stamp", stamps(&folder, world));
    let (index, certificate) =
        (fs::read_to_string(folder.join("index.html"))?, fs::read_to_string(folder.join("certificate.html"))?);
    let inert =
        [lacks(&index, "<script"), lacks(&index, "<b>"), lacks(&index, NAME), contains(&index, "login-harbour[.]test")];
    tally.check("the pages run nothing and link nowhere", all(inert));
    let words = [
        contains(&certificate, "902(14)"),
        contains(&certificate, "DRAFT"),
        contains(&certificate, "Ada &lt;Lovelace&gt;"),
    ];
    tally.check("the certificate is a draft in the rule's words, with each hash", all(words));
    tally.check("a browser prints them without a network", printed(program, &folder.join("index.html")));
    tally.check("as PDF they can be read, each hash and what people wrote, in its direction", pdf(&folder));
    let plain = program.path("plain");
    let export =
        program.ask(&["evidence", "export", &program.case, "--out", &plain.to_string_lossy()]).and_then(Said::good);
    tally.check("and without pages it verifies, too", export.and_then(|_| all([sums(&plain), signed(&plain)])));
    Ok(folder)
}

fn sums(folder: &Path) -> Done {
    shell::run(command("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(folder))?
        .good()
        .map(|_| ())
}

fn signed(folder: &Path) -> Done {
    let words = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "SHA256SUMS",
        "-sigfile",
        "SHA256SUMS.sig",
    ];
    shell::run(command("openssl", words).current_dir(folder))?.good().map(|_| ())
}

fn stamps(folder: &Path, world: &World) -> Done {
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json"))?)?;
    let entries = manifest["exhibits"].as_array().ok_or("the manifest has no exhibits")?;
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let stamped: Vec<&Value> = entries.iter().filter(|entry| !entry["stamp"].is_null()).collect();
    for entry in &stamped {
        let (stamp, file) = (text(&entry["stamp"]["path"]), text(&entry["path"]));
        let mut verify = command("openssl", ["ts", "-verify", "-in", &stamp, "-data", &file, "-CAfile"]);
        contains(&shell::run(verify.arg(world.file("ca.pem")).current_dir(folder))?.good()?, "OK")?;
    }
    holds(stamped.len() > 15, || format!("{} are stamped", stamped.len()))
}

fn pdf(folder: &Path) -> Done {
    let text = |name: &str| {
        let mut reader = command("pdftotext", ["-layout", "-enc", "UTF-8"]);
        shell::run(reader.arg(folder.join(name)).arg("-"))?.good()
    };
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json"))?)?;
    let digest = manifest["exhibits"][0]["exhibit"]["file"].as_str().unwrap_or_default().to_owned();
    let (index, certificate) = (text("index.pdf")?, text("certificate.pdf")?);
    let joined: String = index.split_whitespace().collect();
    all([
        contains(&joined, &digest),
        contains(&index, "login-harbour[.]test"),
        contains(&index, "שלום"),
        lacks(&index, "file://"),
        contains(&certificate, "902(14)"),
        contains(&fs::read_to_string(folder.join("SHA256SUMS"))?, "  index.pdf"),
    ])
}

/// With a resolver that knows nothing: what the page needed from elsewhere would be missing in the log.
fn printed(program: &Program, page: &Path) -> Done {
    let browser =
        ["chromium", "chromium-browser"].iter().find_map(|name| crate::tools::find(name)).ok_or("no chromium")?;
    let (paper, log) = (program.path("exhibits.pdf"), program.path("print-log.json"));
    let words = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
    ];
    let mut chromium = command(&browser.to_string_lossy(), words);
    chromium
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", program.path("printer").display()));
    chromium.arg(format!("--log-net-log={}", log.display())).arg(format!("--print-to-pdf={}", paper.display()));
    run_for(chromium.arg(format!("file://{}", page.display())), CAPTURE)?.good()?;
    let size = fs::metadata(&paper)?.len();
    all([holds(size > 10_000, || format!("{size} octets")), lacks(&fs::read_to_string(log)?, NAME)])
}

fn spoilt(tally: &mut Tally, folder: &Path) -> Done {
    let page = fs::read_dir(folder.join("exhibits"))?.filter_map(Result::ok).map(|entry| entry.path()).min();
    let page = page.ok_or("no exhibit was written")?;
    let before = flip(&page)?;
    tally.check(
        "one octet changed in an exhibit is found",
        sums(folder).map_or(Ok(()), |()| Err("sha256sum did not see it".into())),
    );
    fs::write(&page, before)?;
    let before = flip(&folder.join("SHA256SUMS"))?;
    tally.check("and one in the list", signed(folder).map_or(Ok(()), |()| Err("openssl did not see it".into())));
    fs::write(folder.join("SHA256SUMS"), before)?;
    Ok(())
}

fn flip(file: &Path) -> Result<Vec<u8>, Trouble> {
    let before = fs::read(file)?;
    let mut after = before.clone();
    let middle = after.len() / 2;
    after[middle] ^= 1;
    fs::write(file, after)?;
    Ok(before)
}
