//! `bailiwick callers`: the simulated population, a process of its own with a tally of its own.

use callers::Plan;

use crate::cli::CallersArgs;
use crate::failure::{Done, Failure, Tried};

pub(crate) fn run(args: &CallersArgs) -> Done {
    let shown = args.plan.display();
    let text = std::fs::read_to_string(&args.plan).tried(format_args!("reading the plan {shown}"))?;
    let plan: Plan = serde_json::from_str(&text).tried(format_args!("understanding the plan {shown}"))?;
    let tally = callers::run(&plan).tried("calling")?;
    if tally.given_up > 0 {
        return Err(Failure::new(format!("{} calls were given up", tally.given_up)));
    }
    Ok(())
}
