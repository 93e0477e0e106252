//! The ledger on PostgreSQL: the same promises as on SQLite, several cores, and what a lost server does and does not do.
//!
//! A server of Debian's package is started in a temporary folder. First the stories that `cargo test` tells to SQLite are told
//! to it; then four cores append and are troubled (`storm`); then the program itself runs a case on it, from the order to the
//! report, loses the server, and finds it again.

mod server;
mod storm;

use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use self::server::{PASSWORD, ROLE, Server};
use super::SEIZED;
use crate::clock::{Watch, wait_for};
use crate::program::{Ports, Program, binary, exercise};
use crate::shell::{self, Said, command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, target};

/// All stories, a million names among them.
const STORIES: Duration = Duration::from_secs(600);
/// Until it is noticed that the server is gone, or back.
const NOTICED: Duration = Duration::from_secs(90);
const DATABASE: &str = "bailiwick";
/// A name of the exercise about which somebody decides.
const DECIDED: &str = "te1egram.net";
/// Each call is a record of its own.
const TABLES: &str = "[dns.rate]\nanswers_per_sec = 0\nsource_records_per_sec = 0\nname_records_per_sec = 0\n\
    listener_records_per_sec = 0\n\n[ledger]\n";

pub fn run(tally: &mut Tally) -> Done {
    println!("  {}", server::version()?);
    let server = Server::start(Ports::free()?.any)?;
    stories(tally, &server)?;
    storm::run(tally, &server)?;
    case(tally, &server)?;
    two_cores(tally, &server)
}

/// Each line that it prints is a story that held; where one does not, it ends.
fn stories(tally: &mut Tally, server: &Server) -> Done {
    let mut stories = Command::new(target().join("debug/examples/conformance"));
    stories.arg(server.socket()).arg(server.port.to_string()).arg(ROLE);
    let said = run_for(&mut stories, STORIES)?;
    let held: Vec<&str> = said.out.lines().filter_map(|line| line.strip_prefix("held ")).collect();
    held.iter().for_each(|story| tally.check(&format!("a story of SQLite's: {story}"), Ok(())));
    tally.check("every story holds on PostgreSQL", holds(said.ok && !held.is_empty(), || said.all()));
    Ok(())
}

//----------- Two cores ---------------------------------------------------------------------------------------------

/// Two daemons, each with its folder, on one database; people act through both at once.
fn two_cores(tally: &mut Tally, server: &Server) -> Done {
    const SHARED: &str = "two_cores";
    server.create(SHARED)?;
    let tables = format!("{TABLES}database = \"{}\"\n", server.url(SHARED));
    let mut first = Program::install_with(&exercise(), &tables)?;
    let mut second = first.beside(&tables)?;
    first.start()?;
    second.start()?;
    let (one, other) = (first.config(), second.config());
    super::together::races(tally, &first, [&one, &other], "two cores on one database")?;
    tally.check("both cores see one ledger, and it verifies", all([verifies(&first), verifies(&second)]));
    tally.check("both end cleanly", all([first.stop(), second.stop()]));
    Ok(())
}

//----------- A case -----------------------------------------------------------------------------------------------

fn case(tally: &mut Tally, server: &Server) -> Done {
    server.create(DATABASE)?;
    let url = server.url(DATABASE);
    let mut program = Program::install_with(&exercise(), &format!("{TABLES}database = \"{url}\"\n"))?;
    program.start()?;
    tally.check("one line of configuration, and a case runs from its order to an answer", answers(&program));
    call(&program, 20)?;
    tally.check("contacts reach the archive", program.count_reaches("SELECT count(*) FROM contacts", 21));
    let report = program.ask(&["report", "top-names"]).and_then(Said::good);
    tally.check("and the report", report.and_then(|text| contains(&text, &SEIZED.replace('.', "[.]"))));
    tally
        .check("no ledger lies in the data folder", holds(!program.data().join("ledger.sqlite").exists(), String::new));
    tally.check("the audit verifies it beside the running program", verifies(&program));
    tally.check("the doctor asks the server", doctor(&program));
    lost(tally, server, &program)?;
    tally.check("it ends cleanly", program.stop());
    tally.check("and the ledger verifies", verifies(&program));
    ways_in(tally, server, &program)
}

fn dig(program: &Program) -> Result<Said, Trouble> {
    let port = program.ports.dns.to_string();
    shell::run(&mut command("dig", ["@127.0.0.1", "-p", &port, "+tries=1", "+time=10", SEIZED, "A"]))
}

fn answers(program: &Program) -> Done {
    contains(&dig(program)?.good()?, "127.0.0.1")
}

fn call(program: &Program, times: usize) -> Done {
    (0..times).try_for_each(|_| answers(program))
}

fn verifies(program: &Program) -> Done {
    program.ask(&["audit", "verify"])?.good().and_then(|text| contains(&text, "whole"))
}

fn doctor(program: &Program) -> Done {
    let said = program.ask(&["doctor"])?;
    all([contains(&said.out, "ledger's database"), contains(&said.out, "PostgreSQL")])
}

//----------- Without the server -----------------------------------------------------------------------------------

fn status(program: &Program, wanted: bool, word: &str) -> Done {
    let told = || program.ask(&["status"]).ok().map(|said| said.all());
    let is_told = |text: &String| text.contains(word) == wanted;
    let wait = wait_for("the status to tell it", NOTICED, || told().filter(is_told));
    wait.map(|_| ()).map_err(|trouble| format!("{trouble}: {}", told().unwrap_or_default()).into())
}

fn lost(tally: &mut Tally, server: &Server, program: &Program) -> Done {
    server.ctl("stop")?;
    let watch = Watch::start();
    tally.check("without the server names are answered", call(program, 20));
    tally.check("the status says that it is away", status(program, true, "has not answered for"));
    println!("        noticed after {:.1} s", watch.secs());
    let refused = program.narrow(DECIDED, "hold").err().map(|trouble| trouble.to_string()).unwrap_or_default();
    let refusal =
        all([contains(&refused, "does not answer"), contains(&refused, "hint:"), lacks(&refused, "panicked")]);
    tally.check("what a person decides is refused, clearly", refusal);
    tally.check("and names are answered still", call(program, 10));
    server.ctl("start")?;
    tally.check("it finds the server by itself", status(program, false, "has not answered for"));
    tally.check("what came meanwhile was in the journal, and is in the archive now", {
        program.count_reaches("SELECT count(*) FROM contacts", 51)
    });
    tally.check("a person decides again", program.narrow(DECIDED, "hold"));
    server.signal(Signal::SIGSTOP)?;
    tally.check("while the server is frozen the status says so", status(program, true, "has not answered for"));
    let answered = shell::run(&mut command("dig", ["@127.0.0.1", "-p", &program.ports.dns.to_string(), SEIZED, "SOA"]));
    tally.check("and names are answered", answered.and_then(Said::good).and_then(|text| contains(&text, "NOERROR")));
    server.signal(Signal::SIGCONT)?;
    tally.check("and it goes on when the server does", status(program, false, "has not answered for"));
    Ok(())
}

//----------- Ways in ----------------------------------------------------------------------------------------------

fn ways_in(tally: &mut Tally, server: &Server, program: &Program) -> Done {
    let (good, bad) = (program.path("password"), program.path("wrong-password"));
    for (file, text) in [(&good, PASSWORD), (&bad, "guessed")] {
        fs::write(file, format!("{text}\n"))?;
        shell::run(command("chmod", ["600"]).arg(file))?.good()?;
    }
    let (port, certificate) = (server.port, server.certificate());
    let certificate = certificate.display();
    let plain = format!("postgres://{ROLE}@127.0.0.1:{port}/{DATABASE}?sslmode=disable");
    let named = format!("postgres://{ROLE}@localhost:{port}/{DATABASE}?sslmode=verify-full&sslrootcert={certificate}");
    let numbered = named.replace("localhost", "127.0.0.1");
    let key = program.ask(&["audit", "key"])?.good()?;
    let verify = |url: &str, password: Option<&std::path::Path>| {
        let config = program.path("other.toml");
        let password = password.map(|file| format!("password_file = \"{}\"\n", file.display())).unwrap_or_default();
        fs::write(&config, format!("[ledger]\ndatabase = \"{url}\"\n{password}"))?;
        let mut verify = Command::new(binary());
        verify.args(["audit", "verify", "--key", key.trim(), "--config"]).arg(config);
        shell::run(&mut verify)
    };
    let is_in = |said: Said| said.good().and_then(|text| contains(&text, "whole"));
    let is_out =
        |said: Said| all([holds(!said.ok, || said.all()), contains(&said.err, "hint:"), lacks(&said.err, PASSWORD)]);
    tally.check("a password from a file lets us in", verify(&plain, Some(&good)).and_then(is_in));
    tally.check("a wrong one does not", verify(&plain, Some(&bad)).and_then(is_out));
    let told = format!("postgres://{ROLE}:{}@127.0.0.1:{port}/{DATABASE}", "hush-hush");
    let refused = verify(&told, None)?;
    let refusal = all([contains(&refused.err, "password_file"), lacks(&refused.all(), "hush-hush")]);
    tally.check("a password in the configuration is refused, and not repeated", refusal);
    tally.check("over TLS the server's certificate is checked", verify(&named, Some(&good)).and_then(is_in));
    tally.check("and is refused under another name", verify(&numbered, Some(&good)).and_then(is_out));
    Ok(())
}
