//! Two processes and one data folder: the second is told who holds it, and goes.

use crate::program::{Ports, Program, exercise};
use crate::shell::{self, Said};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};

fn judge(tally: &mut Tally, program: &mut Program) -> Done {
    let pid = program.pid()?;
    let second = beside(program)?;
    tally.check("a second daemon on the folder is refused", holds(!second.ok, || second.all()));
    let told =
        [contains(&second.err, &pid.to_string()), contains(&second.err, "serve"), contains(&second.err, "hint:")];
    tally.check("it says which process holds the folder, in which role, and what to do", all(told));
    let same = shell::run(&mut program.serve())?;
    tally.check("with the very same configuration it is refused too", holds(!same.ok, || same.all()));
    tally.check("the first goes on", still_answers(program));
    tally.check("a command reaches the daemon by its socket", by_socket(program));
    program.kill()?;
    tally.check("after a kill the folder can be taken again", program.start());
    tally.check("and the program ends cleanly", program.stop());
    tally.check("without a daemon the same command takes the lock", by_socket(program));
    Ok(())
}

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    judge(tally, &mut program)
}

/// Another daemon on the same folder, on ports of its own, so that nothing but the folder is in its way.
fn beside(program: &Program) -> Result<Said, Trouble> {
    let other = program.path("beside.toml");
    program.write_config(&other, Ports::free()?)?;
    shell::run(&mut program.serve_with(&other))
}

fn still_answers(program: &Program) -> Done {
    program.ask(&["status", "--json"])?.good().map(|_| ())
}

fn by_socket(program: &Program) -> Result<(), Trouble> {
    let said = program.ask(&["case", "list", "--json"])?.good()?;
    contains(&said, &program.case)
}
