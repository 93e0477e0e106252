//! A case before a stranger: a folder, a public key, `sha256sum`, `openssl`, and a script of some 140 lines that comes with it
//! and needs nothing but Python's own library. Whatever is changed in it, dropped, swapped, cut or added is found, and where.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::Program;
use crate::shell::{self, Said, command};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, root};

const NAME: &str = "login-harbour.test";
const PERSON: &str = "ines";
/// Another case of the same house, under seal; one exhibit's note names it.
const OTHER: &str = "quay-sealed";

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&root().join("xtask/peers/evidence/case.toml"))?;
    program.start()?;
    lived(&program)?;
    let folder = exported(tally, &program)?;
    let key = program.ask(&["audit", "key"])?.good()?.trim().to_owned();
    let stranger = Stranger::moved(&folder, key)?;
    whole(tally, &stranger, &program);
    inside(tally, &stranger, &program)?;
    one_octet(tally, &stranger)?;
    other_hands(tally, &stranger)?;
    forged(tally, &stranger)?;
    sealed(tally, &program)?;
    tally.check("the ledger verifies with all of it", program.ask(&["audit", "verify"])?.good().map(|_| ()));
    tally.check("the program ends cleanly", program.stop());
    Ok(())
}

fn act(program: &Program, words: &[&str]) -> Result<String, Trouble> {
    let token = program.token(PERSON);
    program.ask(&[words, &["--as", PERSON, "--token-file", &token]].concat())?.good()
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

//----------- A case with a past -----------------------------------------------------------------------------------

/// Exhibits, a paper, a run of the gate, an appendix that was sent, a name on hold, and a second case beside it.
fn lived(program: &Program) -> Done {
    let other = fs::read_to_string(root().join("xtask/peers/evidence/case.toml"))?
        .replace("harbour-exercise", OTHER)
        .replace("harbour-order", "quay-order")
        .replace(
            "[order.authority]",
            "[order.authority]\nsealed_until = { value = 2099-01-01, source = \"this file\" }",
        )
        .replace(NAME, "quay.test");
    let file = program.path("quay.toml");
    fs::write(&file, other)?;
    program.ask(&["case", "import", &text_of(&file)])?.good()?;
    let case = program.case.clone();
    for (name, text, note) in [
        ("seen.txt", "I saw it.\n", "seen by Ada"),
        ("both.txt", "Both.\n", "as in quay-sealed"),
        ("page.html", "<p>hello</p>\n", "a page\u{2028}of\u{85}three lines"),
    ] {
        let file = program.path(name);
        fs::write(&file, text)?;
        act(program, &["evidence", "add", &case, NAME, &text_of(&file), "--kind", "declaration", "--note", note])?;
    }
    let paper = program.path("complaint.pdf");
    fs::write(&paper, "%PDF-1.4\nThe complaint.\n")?;
    act(program, &["case", "advance", &case, "executed", "--document", &format!("complaint={}", text_of(&paper))])?;
    let gate = program.ask(&["case", "gate", &case])?;
    holds(gate.ok || gate.code == Some(3), || gate.all())?;
    let (table, out) = (program.path("actors.toml"), text_of(&program.path("appendix")));
    fs::write(
        &table,
        "[[actor]]\nfor = [\"test\"]\nid = \"us\"\nregistrar = \"Us\"\ncontact = \"noc@us.example\"\nsponsors = true\n",
    )?;
    program.ask(&["case", "appendix", &case, "--out", &out, "--actors", &text_of(&table)])?.good()?;
    act(program, &["case", "sent", &case, "us"])?;
    program.ask(&["audit", "anchor", "--to", &text_of(&program.path("older.checkpoint"))])?.good()?;
    program.narrow(NAME, "hold")
}

fn exported(tally: &mut Tally, program: &Program) -> Result<PathBuf, Trouble> {
    let to = program.path("folder");
    let (anchor, appendix) = (text_of(&program.path("older.checkpoint")), text_of(&program.path("appendix")));
    let words = ["case", "export", &program.case, "--to", &text_of(&to), "--anchor", &anchor, "--appendix", &appendix];
    other_appendix(tally, program, &words)?;
    let said = program.ask(&words)?;
    let told = all([contains(&said.all(), "is withheld: it names another case"), contains(&said.out, "VERIFY.md")]);
    tally.check("one command writes the case while the program runs", holds(said.ok, || said.all()).and(told));
    let again = program.ask(&words)?;
    tally.check("a folder that is there is not written over", contains(&again.err, "is there already"));
    let digest = sha256(&to.join("SHA256SUMS"))?;
    let exports = program.ask(&["case", "exports", &program.case])?.good()?;
    tally.check("that it left stands in the ledger, by the digest of its list", contains(&exports, &digest));
    Ok(to)
}

/// What is not as it was compiled does not leave in the case's name.
fn other_appendix(tally: &mut Tally, program: &Program, words: &[&str]) -> Done {
    let appendix = program.path("appendix");
    let (late, list) = (appendix.join("late.txt"), appendix.join("checklist.json"));
    fs::write(&late, "late\n")?;
    let said = program.ask(words)?;
    fs::remove_file(&late)?;
    tally.check(
        "an appendix with a file too many is refused",
        contains(&said.err, "late.txt is not in the appendix's manifest"),
    );
    let octets = fs::read(&list)?;
    fs::write(&list, "[]\n")?;
    let said = program.ask(words)?;
    fs::write(&list, octets)?;
    let told = contains(&said.err, "checklist.json is not the file that the appendix's manifest lists");
    tally.check("and so is one in which a file was changed", told);
    Ok(())
}

fn sha256(file: &Path) -> Result<String, Trouble> {
    let said = shell::run(command("sha256sum", ["--"]).arg(file))?.good()?;
    Ok(said.split(' ').next().unwrap_or_default().to_owned())
}

//----------- The stranger -----------------------------------------------------------------------------------------

/// An empty place with a copy of the folder, and a key that came by another way.
struct Stranger {
    place: TempDir,
    folder: PathBuf,
    key: String,
}

impl Stranger {
    fn moved(from: &Path, key: String) -> Result<Self, Trouble> {
        let place = TempDir::with_prefix("stranger-")?;
        let folder = place.path().join("folder");
        shell::run(command("cp", ["-r"]).arg(from).arg(&folder))?.good()?;
        Ok(Self { place, folder, key })
    }

    fn sums(&self) -> Result<Said, Trouble> {
        shell::run(command("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&self.folder))
    }

    fn signed(&self) -> Result<Said, Trouble> {
        let words = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "SHA256SUMS", "-sigfile"];
        shell::run(command("openssl", words).arg("SHA256SUMS.sig").current_dir(&self.folder))
    }

    /// The script as the documentation has it: what lies in the folder may have been changed with it.
    fn script(&self, older: &[&Path]) -> Result<Said, Trouble> {
        let script = root().join("crates/docket/src/dossier/verify.py");
        let mut python = command("python3", ["-I", "-B"]);
        python.arg(script).arg(&self.key).args(older).current_dir(&self.folder).env_clear();
        shell::run(python.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8"))
    }

    /// What the script says to a folder in which something was done; the folder is as it was afterwards.
    fn after(&self, change: impl FnOnce(&Path) -> Done) -> Result<Said, Trouble> {
        let (kept, folder) = (self.place.path().join("kept"), &self.folder);
        shell::run(command("cp", ["-r"]).arg(folder).arg(&kept))?.good()?;
        let said = change(folder).and_then(|()| self.script(&[]));
        fs::remove_dir_all(folder)?;
        fs::rename(&kept, folder)?;
        said
    }

    fn files(&self) -> Result<Vec<String>, Trouble> {
        let said =
            shell::run(command("find", [".", "-type", "f", "-printf", "%P\n"]).current_dir(&self.folder))?.good()?;
        Ok(said.lines().map(str::to_owned).collect())
    }
}

/// Found, and the place is named.
fn found(said: Result<Said, Trouble>, place: &str) -> Done {
    let said = said?;
    all([holds(said.code == Some(1), || format!("exit {:?}: {}", said.code, said.all())), contains(&said.out, place)])
}

fn whole(tally: &mut Tally, stranger: &Stranger, program: &Program) {
    tally.check("sha256sum finds every file as it was listed", stranger.sums().and_then(Said::good).map(|_| ()));
    tally.check("openssl finds the list signed by the key", stranger.signed().and_then(Said::good).map(|_| ()));
    let said = stranger.script(&[]).and_then(Said::good);
    tally.check("the script finds that all fits together", said.and_then(|said| contains(&said, "OK: ")));
    let anchor = program.path("older.checkpoint");
    let older = stranger.script(&[&anchor]).and_then(Said::good);
    tally.check("and that the tree goes on from a checkpoint that the stranger kept", older.map(|_| ()));
    let same = fs::read(stranger.folder.join("verify.py")).map_err(Trouble::from).and_then(|inside| {
        let ours = fs::read(root().join("crates/docket/src/dossier/verify.py"))?;
        holds(inside == ours, || "another script lies in the folder".to_owned())
    });
    tally.check("the script in the folder is the one of the documentation", same);
    let ledger = text_of(&stranger.folder.join("ledger"));
    let ours = program.ask(&["audit", "verify", "--export", &ledger, "--key", &stranger.key]).and_then(Said::good);
    tally.check("the acts are an export that `audit verify` takes, too", ours.map(|_| ()));
    let other = stranger.key.replacen("bailiwick", "bailiwicc", 1);
    let said = Stranger { key: other, place: TempDir::new().expect("a folder"), folder: stranger.folder.clone() };
    let said = said.script(&[]);
    tally.check("another key is not this one", said.and_then(|said| holds(!said.ok, || said.all())));
}

//----------- What is in it ----------------------------------------------------------------------------------------

/// A file of each kind, by what its path begins with.
fn kinds(stranger: &Stranger) -> Result<BTreeMap<&'static str, String>, Trouble> {
    let wanted = [
        "ACTS.txt",
        "VERIFY.md",
        "contents.json",
        "key.pem",
        "SHA256SUMS",
        "evidence/exhibits/",
        "evidence/manifest.json",
        "evidence/index.html",
        "authority/case-file.toml",
        "authority/papers/",
        "authority/orders/",
        "authority/shown/",
        "appendices/",
        "gate/",
        "ledger/checkpoint",
        "ledger/facts.jsonl",
        "ledger/anchors/",
        "ledger/names/",
        "ledger/proofs/",
        "ledger/tile/entries/",
        "ledger/tile/0/",
        "ledger/manifest",
    ];
    let files = stranger.files()?;
    let one =
        |kind: &'static str| files.iter().filter(|path| path.starts_with(kind)).min().map(|path| (kind, path.clone()));
    let found: BTreeMap<_, _> = wanted.into_iter().filter_map(one).collect();
    holds(found.len() == wanted.len(), || format!("{found:#?}\nof\n{files:#?}"))?;
    Ok(found)
}

fn inside(tally: &mut Tally, stranger: &Stranger, program: &Program) -> Done {
    let kinds = kinds(stranger);
    tally.check(
        "evidence, papers, orders, what was shown, reports, appendix, acts and checkpoints are in it",
        kinds.map(|_| ()),
    );
    let contents: Value = serde_json::from_slice(&fs::read(stranger.folder.join("contents.json"))?)?;
    let withheld = contents["withheld"].as_array().map(Vec::len);
    tally.check("an act that names another case is withheld, with its commitment", {
        holds(withheld == Some(1) && contents["withheld"][0]["commitment"].is_string(), || {
            contents["withheld"].to_string()
        })
    });
    let grep = |word: &str| shell::run(command("grep", ["-rlaF", "--", word]).arg(&stranger.folder));
    let nothing =
        |word: &str| grep(word).and_then(|said| holds(said.code == Some(1), || format!("{word} in {}", said.out)));
    tally.check("nothing of the other case is in it", all([nothing(OTHER), nothing("quay.test")]));
    let token = fs::read_to_string(program.token(PERSON))?;
    let secret = fs::read_to_string(program.path("keys/ledger.key"))?;
    let secret = secret.trim().rsplit('+').next().unwrap_or_default().to_owned();
    tally.check("no token and no private key either", all([nothing(token.trim()), nothing(&secret)]));
    let lines = fs::read_to_string(stranger.folder.join("ledger/facts.jsonl"))?;
    let shown = contents["shown"].as_array().map_or(0, Vec::len);
    let salts = lines.matches("\"salt\":").count();
    tally.check("there is a salt for each act that is shown, and for no other", {
        let all = contents["ledger"].as_u64().unwrap_or_default() as usize;
        holds(salts == shown && shown > 8 && shown + 1 < all, || format!("{salts} salts, {shown} shown, {all} in all"))
    });
    let acts = fs::read_to_string(stranger.folder.join("ACTS.txt"))?;
    let read = [contains(&acts, "order put in force"), contains(&acts, "approval given"), lacks(&acts, NAME)];
    tally.check("the acts can be read, and no name in them is live", all(read));
    Ok(())
}

//----------- What is done to it -----------------------------------------------------------------------------------

fn one_octet(tally: &mut Tally, stranger: &Stranger) -> Done {
    for (kind, path) in kinds(stranger)? {
        let flip = |folder: &Path| {
            let file = folder.join(&path);
            let mut octets = fs::read(&file)?;
            let middle = octets.len() / 2;
            octets[middle] ^= 1;
            Ok(fs::write(file, octets)?)
        };
        tally.check(&format!("one bit changed: {kind}"), found(stranger.after(flip), &path));
    }
    Ok(())
}

fn other_hands(tally: &mut Tally, stranger: &Stranger) -> Done {
    let kinds = kinds(stranger)?;
    let facts = "ledger/facts.jsonl";
    let dropped = stranger.after(|folder| without_line(&folder.join(facts), 3));
    tally.check("an act dropped: found, and which", found(dropped, "is missing or too much"));
    let exhibits: Vec<String> =
        stranger.files()?.into_iter().filter(|path| path.starts_with("evidence/exhibits/")).collect();
    let [first, second, ..] = &exhibits[..] else { return Err("there are not two exhibits".into()) };
    let swapped = stranger.after(|folder| {
        let between = folder.join("between");
        fs::rename(folder.join(first), &between)?;
        fs::rename(folder.join(second), folder.join(first))?;
        Ok(fs::rename(between, folder.join(second))?)
    });
    let both = swapped.and_then(|said| all([contains(&said.out, first), contains(&said.out, second)]));
    tally.check("two exhibits in each other's places: both are named", both);
    for kind in ["authority/papers/", "ledger/tile/entries/", "SHA256SUMS"] {
        let path = &kinds[kind];
        let cut = stranger.after(|folder| {
            let octets = fs::read(folder.join(path))?;
            Ok(fs::write(folder.join(path), &octets[..octets.len() / 2])?)
        });
        tally.check(&format!("cut in half: {kind}"), found(cut, path));
    }
    let gone = stranger.after(|folder| Ok(fs::remove_file(folder.join(first))?));
    tally.check("a file taken away", found(gone, first));
    let added = stranger.after(|folder| Ok(fs::write(folder.join("evidence/exhibits/0099-late.txt"), "late\n")?));
    tally.check("a file put beside them", found(added, "evidence/exhibits/0099-late.txt"));
    let linked = stranger.after(|folder| Ok(symlink("/usr", folder.join("evidence/more"))?));
    tally.check("a link to a folder put beside them", found(linked, "evidence/more: is a link"));
    let own = stranger.after(|folder| {
        fs::write(folder.join("json.py"), "print('OK: all is well')\nraise SystemExit(0)\n")?;
        let plain = shell::run(command("python3", ["-B", "verify.py", &stranger.key]).current_dir(folder))?;
        all([contains(&plain.err, "python3 -I verify.py"), lacks(&plain.out, "OK")])
    });
    tally.check("a file called like Python's own library is not run", found(own, "json.py: is not listed"));
    Ok(())
}

fn without_line(file: &Path, number: usize) -> Done {
    let text = fs::read_to_string(file)?;
    let kept: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at != number).map(|(_, line)| line).collect();
    Ok(fs::write(file, kept.join("\n") + "\n")?)
}

/// Somebody makes the list fit what they changed: the signature does not, and neither does the tree.
fn forged(tally: &mut Tally, stranger: &Stranger) -> Done {
    let fit = |folder: &Path| -> Done {
        let list = "find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig ! -name key.pem -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum > SHA256SUMS.new; mv SHA256SUMS.new SHA256SUMS";
        shell::run(command("sh", ["-c", list]).current_dir(folder))?.good().map(|_| ())
    };
    let facts = "ledger/facts.jsonl";
    let lied = stranger.after(|folder| {
        let text = fs::read_to_string(folder.join(facts))?;
        holds(text.contains("seen by Ada"), || "the note is not in the acts".to_owned())?;
        fs::write(folder.join(facts), text.replace("seen by Ada", "seen by Bob"))?;
        fit(folder)
    });
    let told = lied.and_then(|said| {
        all([contains(&said.out, "SHA256SUMS: not signed"), contains(&said.out, "is not what was signed as act")])
    });
    tally.check("an act rewritten and the list made to fit: signature and tree both say so", told);
    let other = stranger.after(|folder| {
        let exhibit = fs::read_dir(folder.join("evidence/exhibits"))?.flatten().map(|entry| entry.path()).min();
        fs::write(exhibit.ok_or("no exhibit")?, "I saw nothing.\n")?;
        fit(folder)
    });
    tally.check(
        "an exhibit put in another's place likewise: the act names another file",
        found(other, "is not the file that act"),
    );
    Ok(())
}

//----------- Under seal -------------------------------------------------------------------------------------------

fn sealed(tally: &mut Tally, program: &Program) -> Done {
    let to = program.path("sealed");
    let words = ["case", "export", OTHER, "--to", &text_of(&to)];
    let refused = program.ask(&words)?;
    let told = [contains(&refused.err, "a person who is on it"), contains(&refused.err, "hint:")];
    let nothing = holds(!to.exists() && !program.path(".sealed.part").exists(), || "a folder stays".to_owned());
    tally.check("a sealed case leaves with nobody's name, and nothing is written", all(told).and(nothing));
    let stranger = act(program, &words).err().map(|trouble| trouble.to_string()).unwrap_or_default();
    tally.check(
        "to a person who is not on it it is not there",
        contains(&stranger, &format!("there is no case {OTHER}")),
    );
    program.ask(&["case", "people", OTHER, "--add", PERSON])?.good()?;
    let said = act(program, &words).and_then(|_| holds(to.join("VERIFY.md").exists(), || "no folder".to_owned()));
    tally.check("a person who is on it takes it out", said);
    let listed = program.ask(&["case", "exports", OTHER])?.good()?;
    tally.check("and the ledger says who", contains(&listed, PERSON));
    Ok(())
}
