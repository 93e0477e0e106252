//! What must not happen, and what is said instead: refusals name the place, the reason and the way on.

use std::fs;
use std::net::Ipv4Addr;

use super::SEIZED;
use crate::program::{Program, exercise};
use crate::shell::{self, Said};
use crate::story::{Ask, Given, Then, case_file, dns};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    for (promise, broken, says) in FILES {
        tally.check(promise, is_refused(&program, broken, says));
    }
    tally.check("a refused file leaves nothing behind", lists_one_case(&program));
    tally.check("the same file twice changes nothing", twice(&program));
    tally.check("one person is not two: the same yes again is refused", one_person_is_not_two(&program));
    tally.check("a wrong token acts for nobody", wrong_token(&program));
    tally.check("an exercise is answered for on loopback only", off_loopback(&mut program));
    tally.check("an unknown key in the configuration is refused with its line", unknown_key(&program));
    Ok(())
}

/// What is done to a good file, and what the refusal must say beside the file's name.
type Broken = (&'static str, &'static str);

const FILES: [(&str, Broken, &[&str]); 7] = [
    ("an unknown field is refused", ("[group]", "[group]\nmotto = \"x\""), &["unknown field `motto`", "hint"]),
    ("a name that is none is refused", ("\"good.test\"", "\"not a name\""), &["hint"]),
    ("a defanged name is refused", ("\"good.test\"", "\"good[.]test\""), &["hint"]),
    ("an IDNA error is refused", ("\"good.test\"", "\"xn--a.test\""), &["hint"]),
    ("a public suffix is refused", ("\"good.test\"", "\"co.uk\""), &["hint"]),
    (
        "a name that stands there twice is refused",
        ("\"good.test\"", "\"good.test\", \"GOOD.test.\""),
        &["good", "hint"],
    ),
    (
        "a name outside every authority is refused",
        ("order = \"exercise\"", "order = \"nobodys\""),
        &["nobodys", "hint"],
    ),
];

fn is_refused(program: &Program, (good, bad): Broken, says: &[&str]) -> Done {
    let paper = case_file([Given::Seized("good.test".to_owned())].iter(), crate::clock::now());
    let broken = paper.replacen(good, bad, 1);
    holds(broken != paper, || format!("the paper holds no `{good}`"))?;
    let file = program.path("broken.toml");
    fs::write(&file, &broken)?;
    let said = program.ask(&["case", "import", &file.to_string_lossy()])?;
    refused(&said)?;
    let line = 1 + broken.lines().zip(paper.lines()).take_while(|(a, b)| a == b).count();
    let place = contains(&said.err, "broken.toml:").and_then(|()| {
        let near = (line..=line + 1).any(|line| said.err.contains(&format!("broken.toml:{line}:")));
        holds(near, || format!("expected line {line} to be named in:\n{}", said.err))
    });
    all(says.iter().map(|part| contains(&said.err, part)).chain([place]))
}

fn refused(said: &Said) -> Done {
    holds(!said.ok && said.code.is_some(), || format!("it was not refused:\n{}", said.all()))
}

fn lists_one_case(program: &Program) -> Done {
    let said = program.ask(&["case", "list", "--json"])?.good()?;
    all([contains(&said, &program.case), holds(!said.contains("\"story\""), || said.clone())])
}

fn twice(program: &Program) -> Done {
    let again = program.ask(&["case", "import", &exercise().to_string_lossy()])?;
    all([contains(&again.all(), "nothing changed"), lists_one_case(program)])
}

fn one_person_is_not_two(program: &Program) -> Done {
    let paper = program.path("story.toml");
    fs::write(&paper, case_file([Given::Seized("good.test".to_owned())].iter(), crate::clock::now()))?;
    program.ask(&["case", "import", &paper.to_string_lossy()])?.good()?;
    let token = program.token("ines");
    program.ask(&["case", "request", "story", "--as", "ines", "--token-file", &token])?.good()?;
    let give = ["approval", "give", "story", "--as", "ines", "--role", "investigator", "--token-file", &token];
    program.ask(&give)?.good()?;
    let again = program.ask(&give)?;
    refused(&again)?;
    contains(&again.err, "ines")
}

fn wrong_token(program: &Program) -> Done {
    let token = program.token("ines");
    let as_lars = ["approval", "give", "story", "--as", "lars", "--role", "legal", "--token-file", &token];
    refused(&program.ask(&as_lars)?)
}

/// The daemon runs there, and answers for nothing that is an exercise.
fn off_loopback(program: &mut Program) -> Done {
    let good = fs::read_to_string(program.config())?;
    fs::write(program.config(), good.replacen("listen = [\"127.0.0.1:", "listen = [\"0.0.0.0:", 1))?;
    program.start()?;
    let question = Ask { source: Ipv4Addr::LOCALHOST, qtype: "A".into(), name: SEIZED.into(), over_tcp: false };
    let reply = dns::ask(&question, program.dns())?;
    let log = program.log();
    program.stop()?;
    fs::write(program.config(), good)?;
    all([dns::judge(&Then::Rcode("REFUSED".into()), reply.as_ref()), contains(&log, "loopback")])
}

fn unknown_key(program: &Program) -> Done {
    let said = with_config(program, |text| text.replacen("[dns]\n", "[dns]\nport = 53\n", 1))?;
    refused(&said)?;
    contains(&said.err, "port")
}

/// `serve` with a changed configuration; the good one is put back.
fn with_config(program: &Program, change: impl FnOnce(&str) -> String) -> Result<Said, Trouble> {
    let good = fs::read_to_string(program.config())?;
    let changed = change(&good);
    holds(changed != good, || "the configuration was not changed".to_owned())?;
    fs::write(program.config(), changed)?;
    let said = shell::run(&mut program.serve());
    fs::write(program.config(), good)?;
    said
}
