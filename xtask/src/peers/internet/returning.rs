//! A name that goes back by one command while the world looks on: the owner's records within a second, withdrawn wherever
//! it was told, nothing of it dark before the registry has undone it. And a name that somebody moved: no longer let through.

use std::fs;
use std::time::Duration;

use super::{Grid, Recipe, TTL, at, nsd, replace};
use crate::clock::{Watch, pause};
use crate::peers::name_servers::NameServer;
use crate::program::{PEOPLE, Program};
use crate::shell::{Said, command, run_for};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};

const BACK: &str = "complete.alfa";
const MOVED: &str = "redacted.alfa";
const OWNERS_ADDRESS: &str = "127.18.0.60";
/// From the command's end to the owner's records; the command itself takes less, too.
const AT_ONCE: Duration = Duration::from_secs(1);

const AFTER1: Recipe = nsd(
    "alfa's first server, after",
    &["-d", "-c", "@FOLDER@/alfa1-after.conf"],
    &["alfa1-after.conf", "alfa-after.zone"],
);
const AFTER2: Recipe = nsd(
    "alfa's second server, after",
    &["-d", "-c", "@FOLDER@/alfa2-after.conf"],
    &["alfa2-after.conf", "alfa-after.zone"],
);

pub(super) fn given_back(tally: &mut Tally, program: &Program, alfa1: NameServer, alfa2: NameServer) -> Done {
    tally.check(
        "names that are ours are let through and told",
        feed(program, "rpz").and_then(|rpz| {
            all([
                contains(&rpz, &format!("\n{BACK} CNAME rpz-passthru.")),
                contains(&rpz, &format!("\n{MOVED} CNAME rpz-passthru.")),
            ])
        }),
    );
    for format in ["stix", "suricata"] {
        feed(program, format)?;
    }
    tally.check("one person's one command has the owner's records answer within a second", returned(program));
    tally.check("what had been told of it is withdrawn, in every form", withdrawn(program));
    tally.check("letter, plan and the feeds as they are now lie in the folder", in_folder(program));
    tally.check("the same command again says that it is back already", again(program));
    tally.check(
        "it does not fall silent while a parent leads callers here",
        off(program)
            .and_then(|said| all([holds(!said.ok, || said.all()), contains(&said.err, "may be dark to its owner")])),
    );
    tally.check(
        "the verifier names who still points at us",
        looked(program).and_then(|grid| {
            let found = grid.finding(BACK, "given-back")?;
            all([
                holds(found.verdict == "fails", || found.evidence.clone()),
                contains(&found.evidence, "still delegated to ns1.sink.alfa ns2.sink.alfa"),
            ])
        }),
    );

    let _after = (replace(alfa1, &AFTER1, "ALFA1")?, replace(alfa2, &AFTER2, "ALFA2")?);
    pause(TTL);
    let grid = looked(program)?;
    tally.check("once the registry has undone it that is seen", grid.is(BACK, "verified"));
    tally.check(
        "a name that somebody moved is blocked again, because nobody who asks for it reaches us",
        all([
            grid.is(MOVED, "fails"),
            feed(program, "rpz").and_then(|rpz| contains(&rpz, &format!("\n{MOVED} CNAME .\n"))),
        ]),
    );
    tally.check("then it may fall silent", off(program)?.good().map(drop));
    tally.check("and the list says what is left", status(program));
    Ok(())
}

fn feed(program: &Program, format: &str) -> Result<String, Trouble> {
    program.ask(&["feed", "export", "--format", format, "--case", "internet", "--audience", "partners"])?.good()
}

fn asked(program: &Program, words: &[&str]) -> Result<Said, Trouble> {
    let (who, token) = (PEOPLE[0].0, program.token(PEOPLE[0].0));
    program.ask(&[words, &["--as", who, "--token-file", &token]].concat())
}

fn returned(program: &Program) -> Done {
    let (zone, out) = (program.path("owner.zone"), program.path("back"));
    fs::write(&zone, format!("@ 60 A {OWNERS_ADDRESS}\n@ 60 MX 10 mail\nwww 60 CNAME @\n"))?;
    let (zone, out) = (zone.to_string_lossy().into_owned(), out.to_string_lossy().into_owned());
    let words = ["case", "return", "internet", BACK, "--reason", "its owner called", "--records", &zone, "--out", &out];
    let said = asked(program, &words)?;
    let watch = Watch::start();
    println!("{}", said.out.lines().map(|line| format!("    {line}\n")).collect::<String>());
    let text = said.good()?;
    let mut answer = String::new();
    while watch.elapsed() < AT_ONCE && !answer.contains(OWNERS_ADDRESS) {
        // One that is not answered in time is no answer yet.
        answer = dig(&at("NS1")?.ip().to_string()).unwrap_or_default();
    }
    println!("    the owner's address {:.0} ms after the command", watch.secs() * 1_000.0);
    all([
        contains(&answer, OWNERS_ADDRESS),
        contains(&text, "answered with the owner's 3 records"),
        contains(&text, "a second person confirms it by"),
    ])
}

fn dig(server: &str) -> Result<String, Trouble> {
    let mut dig = command("dig", ["+short", "+tries=1", "+time=1", &format!("@{server}"), BACK, "A"]);
    run_for(&mut dig, Duration::from_secs(5))?.good()
}

fn withdrawn(program: &Program) -> Done {
    let stix: serde_json::Value = serde_json::from_str(&feed(program, "stix")?)?;
    let objects = stix["objects"].as_array().ok_or("the bundle has no objects")?;
    let of_name = |object: &&serde_json::Value| object["pattern"].as_str().is_some_and(|text| text.contains(BACK));
    let revoked = objects.iter().find(of_name).is_some_and(|object| object["revoked"] == true);
    let gone = ["rpz", "suricata", "hosts", "csv", "json"].map(|format| {
        let text = feed(program, format)?;
        holds(!text.contains(BACK), || format!("{format} still tells of {BACK}"))
    });
    all([holds(revoked, || "the indicator is not revoked".to_owned()), all(gone)])
}

fn in_folder(program: &Program) -> Done {
    let read = |path: &str| {
        let place = program.path("back").join(path);
        fs::read_to_string(&place).map_err(|error| Trouble::from(format!("reading {}: {error}", place.display())))
    };
    let plan = read("registry-alfa/plan.txt")?;
    all([
        contains(&read("letters/complete.alfa.txt")?, "its owner called"),
        contains(&plan, "EXERCISE"),
        contains(&plan, "complete.alfa (redirect"),
        contains(&read("feeds/partners/internet.stix.json")?, "\"revoked\": true"),
        holds(!read("feeds/partners/internet.rpz.zone")?.contains(BACK), || "the policy zone has it still".to_owned()),
    ])
}

fn again(program: &Program) -> Done {
    let said = asked(program, &["case", "return", "internet", BACK, "--reason", "again"])?.good()?;
    all([contains(&said, "already returned; nothing changed"), contains(&said, "its owner called")])
}

fn off(program: &Program) -> Result<Said, Trouble> {
    asked(program, &["case", "narrow", "internet", BACK, "--mode", "off", "--reason", "the registry has undone it"])
}

fn looked(program: &Program) -> Result<Grid, Trouble> {
    Grid::of(&program.ask(&["verify", "internet", "--anew", "--json"])?)
}

fn status(program: &Program) -> Done {
    let said = program.ask(&["case", "return", "internet", BACK, "--status"])?.good()?;
    println!("{}", said.lines().map(|line| format!("    {line}\n")).collect::<String>());
    all([
        contains(&said, "✓ no parent server delegates it to us"),
        contains(&said, "is answered by nobody here any more"),
    ])
}
