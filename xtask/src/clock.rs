//! The one place of the tooling that looks at a clock or waits.
//!
//! Suites talk to real programs, and a real program becomes ready when it does. So waiting is always for something
//! named, asked for again and again, with an end.

use std::time::{Duration, Instant};

use crate::Trouble;

/// How often a condition is asked for again.
const PAUSE: Duration = Duration::from_millis(20);

/// A watch that was started.
#[derive(Clone, Copy, Debug)]
pub struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "tooling measures wall time, and only here")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "tooling measures wall time, and only here")]
    pub fn elapsed(self) -> Duration {
        Instant::now() - self.0
    }

    pub fn secs(self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// What time it is, for papers that say when they end.
#[expect(clippy::disallowed_methods, reason = "the story's clock is the wall's")]
pub fn now() -> model::Timestamp {
    model::Timestamp::now()
}

/// Asks until there is an answer; after `limit` it is trouble that names what was waited for.
pub fn wait_for<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Result<T, Trouble> {
    let watch = Watch::start();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if watch.elapsed() > limit {
            return Err(format!("waited {} s for {what}", limit.as_secs()).into());
        }
        pause(PAUSE);
    }
}

/// For what cannot be asked: a load that shall run for a while before it is cut.
#[expect(clippy::disallowed_methods, reason = "the event that is meant is that time has passed")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_answer_or_with_the_limit() {
        let mut asked = 0;
        let third = wait_for("the third time", Duration::from_secs(5), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(third.expect("it comes"), 3);
        let never = wait_for("the moon", Duration::ZERO, || None::<()>).expect_err("it never comes");
        assert_eq!(never.to_string(), "waited 0 s for the moon");
    }
}
