//! swaks: mail that is refused, mail that is taken, logins that are not.

use std::path::PathBuf;

use super::{PASSWORD, SEIZED, at_least};
use crate::program::{Program, exercise_with};
use crate::shell::{self, Said, command};
use crate::tally::{Tally, all, contains, lacks};
use crate::{Done, Trouble};

/// A name of the exercise in whose part of the order mail may be taken.
const TAKING: &str = "customer-certificate.com";
const TRANSACTIONS: &str = "select count(*) from contacts where kind = 'message'";

/// The exercise, with leave to take mail for the names of one more of its lists.
pub(super) fn taking_mail() -> Result<PathBuf, Trouble> {
    exercise_with("accept-mail", TAKING)
}

pub(super) fn run(tally: &mut Tally, program: &Program) {
    let attach = ["--attach", "@/etc/services"];
    tally.check("swaks: mail to a seized name is refused at RCPT", says(program, SEIZED, &[], "556 5.1.10"));
    tally.check("swaks: HELO, and pipelining", refused_in_each_form(program));
    tally.check("swaks: mail for others is not relayed", says(program, "elsewhere.example", &[], "550 5.7.1"));
    tally.check(
        "swaks: where the order covers it, a letter with an attachment is taken",
        says(program, TAKING, &attach, "250 2.0.0"),
    );
    tally.check(
        "swaks: the same after STARTTLS",
        says(program, TAKING, &["--tls", "--attach", "@/etc/services"], "250 2.0.0"),
    );
    tally.check("swaks: the same within TLS", within_tls(program));
    for mechanism in ["PLAIN", "LOGIN"] {
        tally.check(&format!("swaks: AUTH {mechanism} is heard and never accepted"), login(program, mechanism));
    }
    tally.check("each transaction is recorded", at_least(program, TRANSACTIONS, 9));
    let kept = "select count(*) from contacts where kind = 'message' and mail_from is not null";
    tally.check("with hashes of its recipients", at_least(program, kept, 4));
}

fn swaks(to: &str, port: u16, more: &[&str]) -> Result<Said, Trouble> {
    let server = format!("127.0.0.1:{port}");
    let to = format!("bob@{to}");
    let mut swaks = command("swaks", ["--server", &server, "--from", "alice@elsewhere.example", "--to", &to]);
    shell::run(swaks.args(["--timeout", "20"]).args(more))
}

fn says(program: &Program, to: &str, more: &[&str], answer: &str) -> Done {
    contains(&swaks(to, program.ports.smtp, more)?.all(), answer)
}

fn refused_in_each_form(program: &Program) -> Done {
    all([says(program, SEIZED, &["--protocol", "SMTP"], "556"), says(program, SEIZED, &["--pipeline"], "556")])
}

fn within_tls(program: &Program) -> Done {
    let said = swaks(TAKING, program.ports.smtps, &["--tls-on-connect", "--attach", "@/etc/services"])?;
    contains(&said.all(), "250 2.0.0")
}

fn login(program: &Program, mechanism: &str) -> Done {
    let words = ["--tls", "--auth", mechanism, "--auth-user", "alice", "--auth-password", PASSWORD];
    let said = swaks(SEIZED, program.ports.smtp, &words)?.all();
    all([contains(&said, "535 5.7.8"), lacks(&said, "235 ")])
}
