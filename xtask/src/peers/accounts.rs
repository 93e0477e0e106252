//! From a login on a seized page to a warning: the sinkhole seals the account's name, and only the other half of the
//! key, on another machine, makes a name of it again. A password is nowhere.
//!
//! What lies on the sinkhole's disk is looked through twice: file by file, and by every row of its archive, whose files
//! are packed. A search that finds nothing proves something only if it would have found it: the path that was asked
//! for must be found both ways.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tempfile::TempDir;

use super::SEIZED;
use crate::program::{Program, exercise_with};
use crate::shell::{self, command};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble};

const ACCOUNT: &str = "parisa.azadi@reporters.example";
const PASSWORD: &str = "correct-Horse7Kj8x";
/// Kept on purpose: it is found, so the search works.
const PATH: &str = "canaryPath7Kj8x";
const SEALED: &str = "select id from sightings where accounts_sealed > 0";
/// By form, by JSON, and by Basic.
const LOGINS: u64 = 3;

pub fn run(tally: &mut Tally) -> Done {
    let elsewhere = TempDir::with_prefix("bailiwick-opening-")?;
    let private = elsewhere.path().join("accounts.key");
    let mut program = Program::install(&exercise_with("record-content", SEIZED)?)?;
    tally.check("a key is made, and its public half goes to the sinkhole", make_key(&program, &private));
    program.start()?;
    tally.check("curl logs in by form, by JSON and by Basic", log_in(&program));
    tally.check("each account is sealed", program.count_reaches(&format!("select count(*) from ({SEALED})"), LOGINS));
    let found = kept(&program)?;
    tally.check("SIGTERM ends it cleanly", program.stop());
    tally.check("what was asked for is in the journal and in the archive", has_canary(&program, &found));
    tally.check("the account is in no file and no row, in no coding", is_nowhere(&program, &found, ACCOUNT));
    tally.check("nor is the password", is_nowhere(&program, &found, PASSWORD));
    tally.check(
        "on a copy, the private half shows the account and no password",
        opens(&program, &private, elsewhere.path()),
    );
    Ok(())
}

fn make_key(program: &Program, private: &Path) -> Done {
    let (secret, public) = (private.to_string_lossy(), program.path("accounts.pub"));
    program.ask(&["accounts", "key", "new", "--private", &secret, "--public", &public.to_string_lossy()])?.good()?;
    let text = fs::read_to_string(program.config())?;
    let named = text.replace("[trap]\n", "[trap]\naccount_key = \"accounts.pub\"\n");
    holds(named != text, || "the configuration has no [trap]".to_owned())?;
    Ok(fs::write(program.config(), named)?)
}

fn log_in(program: &Program) -> Done {
    let form = [format!("user={ACCOUNT}"), format!("password={PASSWORD}")];
    let json = format!(r#"{{"email":"{ACCOUNT}","password":"{PASSWORD}"}}"#);
    let basic = format!("{ACCOUNT}:{PASSWORD}");
    all([
        curl(program, &["--data-urlencode", &form[0], "--data-urlencode", &form[1]]),
        curl(program, &["-H", "Content-Type: application/json", "-d", &json]),
        curl(program, &["--user", &basic]),
    ])
}

fn curl(program: &Program, more: &[&str]) -> Done {
    let port = program.ports.https;
    let mut curl = command("curl", ["--silent", "--show-error", "--include", "--insecure", "--max-time", "20"]);
    curl.args(["--noproxy", "*", "--resolve", &format!("{SEIZED}:{port}:127.0.0.1")]).args(more);
    let said = shell::run(curl.arg(format!("https://{SEIZED}:{port}/{PATH}")))?.good()?;
    all([contains(&said, " 200"), lacks(&said, ACCOUNT), lacks(&said, PASSWORD)])
}

//----------- What is kept -----------------------------------------------------------------------------------------

/// Every row of the archive.
fn kept(program: &Program) -> Result<String, Trouble> {
    let views = ["contacts", "raw", "outcomes", "verdicts", "sightings"];
    let rows = views.iter().map(|view| program.ask(&["query", &format!("select * from {view}"), "--json"])?.good());
    Ok(rows.collect::<Result<Vec<_>, _>>()?.concat())
}

fn has_canary(program: &Program, rows: &str) -> Done {
    let journal = places(&program.data().join("journal"), PATH)?;
    all([contains(rows, PATH), holds(!journal.is_empty(), || "the path is in no file of the journal".to_owned())])
}

fn is_nowhere(program: &Program, rows: &str, secret: &str) -> Done {
    let mut found = places(&program.data(), secret)?;
    found
        .extend(codings(secret).iter().filter(|coding| has(rows.as_bytes(), coding)).map(|_| "the archive".to_owned()));
    holds(found.is_empty(), || found.join("\n"))
}

/// The files below a folder that hold the text in some coding.
fn places(folder: &Path, text: &str) -> Result<Vec<String>, Trouble> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(places(&entry.path(), text)?);
        } else if kind.is_file() {
            let octets = fs::read(entry.path())?;
            let here = codings(text).iter().any(|coding| has(&octets, coding));
            found.extend(here.then(|| entry.path().display().to_string()));
        }
    }
    Ok(found)
}

fn has(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// As it is, percent-coded, as Base64 wherever it stands, as hexadecimal digits, and in UTF-16.
fn codings(text: &str) -> Vec<Vec<u8>> {
    let percent = text.replace('@', "%40");
    let hex: String = text.bytes().map(|octet| format!("{octet:02x}")).collect();
    let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let plain = [text.to_owned(), percent, hex.to_uppercase(), hex].map(String::into_bytes);
    plain.into_iter().chain([wide]).chain((0..3).map(|before| in_base64(text, before))).collect()
}

/// The characters that depend on the text alone, if so many octets stand before it.
fn in_base64(text: &str, before: usize) -> Vec<u8> {
    let padded = [&vec![0; before][..], text.as_bytes()].concat();
    let coded = STANDARD_NO_PAD.encode(&padded).into_bytes();
    coded[(before * 8).div_ceil(6)..padded.len() * 8 / 6].to_vec()
}

//----------- What is opened ---------------------------------------------------------------------------------------

fn opens(program: &Program, private: &Path, elsewhere: &Path) -> Done {
    let copy = elsewhere.join("data").to_string_lossy().into_owned();
    shell::run(command("cp", ["-a"]).arg(program.data()).arg(&copy))?.good()?;
    let ids: Vec<String> =
        program.rows(SEALED)?.iter().filter_map(|row| row.first()?.as_str().map(str::to_owned)).collect();
    let mut words = vec!["accounts", "open", "--data", &copy, "--json", "--private"];
    let key = private.to_string_lossy();
    words.push(&key);
    words.extend(ids.iter().map(String::as_str));
    let said = program.ask(&words)?.good()?;
    let times = said.matches(ACCOUNT).count() as u64;
    all([holds(times == LOGINS, || format!("{times} times in {said}")), lacks(&said, PASSWORD)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_coding_is_found_wherever_it_stands() {
        for around in ["", "a", "ab"] {
            let text = format!("{around}{ACCOUNT}{around}");
            assert!(
                codings(ACCOUNT).iter().any(|coding| has(STANDARD_NO_PAD.encode(&text).as_bytes(), coding)),
                "{around}"
            );
        }
        assert!(codings(ACCOUNT).iter().any(|coding| has(b"parisa.azadi%40reporters.example", coding)));
    }
}
