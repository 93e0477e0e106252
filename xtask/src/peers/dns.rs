//! The name server before `dig` and `kdig`: two parsers that share no code.

use super::{BELOW, LOOKALIKE, SEIZED};
use crate::program::{Program, exercise};
use crate::shell::{self, command};
use crate::tally::{Tally, all, contains, lacks};
use crate::{Done, Trouble};

/// What is asked, and what must stand in what `dig` prints.
struct Line {
    promise: &'static str,
    ask: &'static [&'static str],
    says: &'static [&'static str],
    lacks: &'static [&'static str],
}

/// Header flags of an authoritative answer that was not recursed for.
const AUTHORITATIVE: &str = "flags: qr aa";

const LINES: [Line; 16] = [
    line("a seized name has our address", &[SEIZED, "A"], &["NOERROR", AUTHORITATIVE, "127.0.0.1"], &[]),
    line("so has every name below it", &[BELOW, "A"], &["NOERROR", AUTHORITATIVE, "127.0.0.1"], &[]),
    line("and over IPv6", &[SEIZED, "AAAA"], &["NOERROR", "::1"], &[]),
    line(
        "the name servers are those of the order",
        &[SEIZED, "NS"],
        &["ns1.sinkhole.example.", "ns2.sinkhole.example."],
        &[],
    ),
    line("there is one SOA, at the apex", &[SEIZED, "SOA"], &["NOERROR", "ANSWER: 1", "SOA"], &[]),
    line(
        "an unknown type is NODATA with the SOA",
        &[BELOW, "TYPE65280"],
        &["NOERROR", "ANSWER: 0", "AUTHORITY: 1", "SOA"],
        &["NXDOMAIN"],
    ),
    line(
        "SRV below it is NODATA, never NXDOMAIN",
        &["_x._tcp.outlook-verify.net", "SRV"],
        &["NOERROR", "ANSWER: 0"],
        &["NXDOMAIN"],
    ),
    line("nobody can send mail to it: null MX", &[SEIZED, "MX"], &["NOERROR", "0 ."], &[]),
    line("nor in its name: SPF", &[SEIZED, "TXT"], &["v=spf1 -all"], &[]),
    line("nor in its name: DMARC", &["_dmarc.outlook-verify.net", "TXT"], &["v=DMARC1", "p=reject"], &[]),
    line("a name that no order covers is REFUSED", &[LOOKALIKE, "A"], &["REFUSED", "ANSWER: 0"], &["flags: qr aa"]),
    line("so is the parent", &["net", "NS"], &["REFUSED"], &[]),
    line("and whatever else one may ask", &["example.org", "A"], &["REFUSED"], &[]),
    line("TCP answers as UDP does", &[SEIZED, "A", "+tcp"], &["NOERROR", AUTHORITATIVE, "127.0.0.1"], &[]),
    line("TCP refuses as UDP does", &[LOOKALIKE, "A", "+tcp"], &["REFUSED"], &[]),
    line(
        "the case of a question is kept (0x20)",
        &["oUtLoOk-VeRiFy.NeT", "A"],
        &["NOERROR", ";oUtLoOk-VeRiFy.NeT."],
        &[],
    ),
];

const fn line(
    promise: &'static str,
    ask: &'static [&'static str],
    says: &'static [&'static str],
    lacks: &'static [&'static str],
) -> Line {
    Line { promise, ask, says, lacks }
}

/// Every line, by both clients.
fn ask_all(tally: &mut Tally, program: &Program) -> Done {
    for line in &LINES {
        for client in ["dig", "kdig"] {
            let promise = format!("{client}: {}", line.promise);
            tally.check(&promise, answer(client, line.ask, program).and_then(|said| judge(line, client, &said)));
        }
    }
    tally.check("dig: EDNS version 1 is BADVERS", edns_version_one(program));
    tally.check("dig: no cookie, no EDNS: a plain answer", plain(program));
    tally.check("every question was recorded", program.count_reaches(RECORDED, LINES.len() as u64 * 2 + 2));
    Ok(())
}

const RECORDED: &str = "select count(*) from contacts where kind = 'query'";

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    ask_all(tally, &program)?;
    tally.check("SIGTERM ends it cleanly", program.stop());
    Ok(())
}

/// What a client prints. Both are told to ask once, ask nobody else, and print everything.
fn answer(client: &str, ask: &[&str], program: &Program) -> Result<String, Trouble> {
    let port = program.ports.dns.to_string();
    let mut dig = command(client, ["@127.0.0.1", "-p", &port, "+norecurse", "+tries=1", "+time=10"]);
    if client == "kdig" {
        dig = command(client, ["@127.0.0.1", "-p", &port, "+norec", "+retry=0", "+time=10", "+edns", "+noidn"]);
    }
    shell::run(dig.args(ask))?.good()
}

/// kdig spells the header in its own way; its words are brought to dig's.
fn judge(line: &Line, client: &str, said: &str) -> Done {
    let said = if client == "kdig" { in_digs_words(said) } else { said.to_owned() };
    all(line.says.iter().map(|part| contains(&said, part)).chain(line.lacks.iter().map(|part| lacks(&said, part))))
}

fn in_digs_words(said: &str) -> String {
    said.replace("Flags: qr aa", "flags: qr aa").replace(";; oUtLoOk-VeRiFy.NeT.", ";oUtLoOk-VeRiFy.NeT.")
}

fn edns_version_one(program: &Program) -> Done {
    contains(&answer("dig", &[SEIZED, "A", "+edns=1", "+noednsnegotiation"], program)?, "BADVERS")
}

fn plain(program: &Program) -> Done {
    let said = answer("dig", &[SEIZED, "A", "+noedns", "+nocookie"], program)?;
    all([contains(&said, "NOERROR"), lacks(&said, "OPT PSEUDOSECTION")])
}
