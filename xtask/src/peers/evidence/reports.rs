//! Reports to providers: a letter, X-ARF before its own library, mail before a server that keeps it.

use std::path::Path;

use serde_json::Value;

use super::world::World;
use super::{NAME, act};
use crate::program::Program;
use crate::shell::{self, Said, command};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, root, tools};

pub(super) fn run(tally: &mut Tally, program: &Program, world: &World) -> Done {
    let folder = program.path("report-1");
    let case = program.case.clone();
    let words = ["case", "report", &case, NAME, "--to", "registrar", "--out", &folder.to_string_lossy()];
    tally.check("a report is written to the contact that RDAP names", act(program, &words)?.good().map(|_| ()));
    let letter = std::fs::read_to_string(folder.join("letter.txt")).unwrap_or_default();
    let told = [
        contains(&letter, "abuse@quay[.]example"),
        contains(&letter, "EXERCISE"),
        contains(&letter, "SHA-256"),
        lacks(&letter, &case),
    ];
    tally.check("the letter says whom, what and on which evidence, and names no case", all(told));
    tally.check(
        "X-ARF's own library takes it, and each hash is that of its evidence",
        judge("xarf", &folder.join("xarf.json")).map(|_| ()),
    );
    tally.check("nothing was sent", holds(!world.file("mail-1.eml").exists(), || "a mail came".to_owned()));
    tally.check("and the list says so", state(program, 1, "queued"));
    let early = act(
        program,
        &["case", "report", &case, NAME, "--to", "registry", "--address", "a@registry.example", "--escalates", "1"],
    );
    tally.check(
        "nobody else is asked before the first was",
        early.and_then(|said| all([holds(!said.ok, || said.all()), contains(&said.err, "hint:")])),
    );
    sent(tally, program, world)?;
    escalated(tally, program, &case)
}

fn sent(tally: &mut Tally, program: &Program, world: &World) -> Done {
    let said = act(program, &["case", "report", &program.case, NAME, "--to", "registrar", "--send"]);
    tally.check(
        "with --send it goes out",
        said.and_then(Said::good).and_then(|said| contains(&said, "went out by mail")),
    );
    let mail = judge("mail", &world.file("mail-1.eml"));
    let told = mail.as_ref().map_or_else(ToString::to_string, ToString::to_string);
    tally.check(
        "Python reads the mail: letter, page and X-ARF",
        mail.and_then(|mail| holds(mail["defects"] == 0, || mail.to_string())),
    );
    let whole = [contains(&told, "abuse@quay.example"), contains(&told, "Harbour Desk"), contains(&told, "EXERCISE")];
    tally.check("to the contact, from who reports, marked as an exercise", all(whole));
    tally.check("what the server replied is the proof", state(program, 2, "kept as 1"));
    Ok(())
}

fn escalated(tally: &mut Tally, program: &Program, case: &str) -> Done {
    let answer = act(program, &["case", "report-answer", case, "2", "refused", "--note", "ticket 7: not ours"]);
    tally.check(
        "what came back is noted",
        answer.and_then(Said::good).and_then(|said| contains(&said, "is refused now")),
    );
    let said = act(
        program,
        &["case", "report", case, NAME, "--to", "registry", "--address", "abuse@registry.example", "--escalates", "2"],
    );
    let letter = said.and_then(Said::good).unwrap_or_default();
    let proof = [
        contains(&letter, "We asked the registrar first"),
        contains(&letter, "kept as 1"),
        contains(&letter, "ticket 7"),
    ];
    tally.check("the registry is asked with proof that the registrar was", all(proof));
    tally.check("and the first report goes on in it", state(program, 2, "\"escalated\": 3"));
    let hand = act(program, &["case", "report-sent", case, "3", "--channel", "web form", "--proof", "form 12"]);
    tally.check(
        "what a person sends by another way is noted",
        hand.and_then(Said::good).and_then(|said| contains(&said, "web form")),
    );
    Ok(())
}

fn state(program: &Program, number: u64, part: &str) -> Done {
    let said = program.ask(&["case", "report-list", &program.case, "--json"])?.good()?;
    let all: Vec<Value> = serde_json::from_str(&said)?;
    let found = all.iter().find(|one| one["number"] == number).ok_or("there is no such report")?;
    contains(&serde_json::to_string_pretty(found)?, part)
}

fn judge(what: &str, file: &Path) -> Result<Value, Trouble> {
    let page = root().join("xtask/peers/evidence/judge.py");
    let mut python = command(&tools::python().to_string_lossy(), [page.as_os_str()]);
    let said = shell::run(python.arg(what).arg(file))?.good()?;
    Ok(serde_json::from_str(&said).unwrap_or(Value::String(said)))
}
