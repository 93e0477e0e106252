//! How the program fails: one message at the edge, the causes beneath it, a hint, and an exit code.

use std::process::ExitCode;

use crate::terminal;

/// What went wrong, for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

/// The exit codes of the manual.
pub(crate) mod code {
    pub(crate) const FAILED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    /// Something was checked and does not hold.
    pub(crate) const NOT_VERIFIED: u8 = 3;
}

pub(crate) type Done = Result<(), Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: code::FAILED }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn what_to_do(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// An error with what we tried, and every cause beneath it in the same line.
    pub(crate) fn of(tried: impl std::fmt::Display, error: &dyn std::error::Error) -> Self {
        let mut message = format!("{tried}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Self::new(message)
    }
}

/// `?` with the thing that was tried.
pub(crate) trait Tried<T> {
    fn tried(self, what: impl std::fmt::Display) -> Result<T, Failure>;
}

impl<T, E: std::error::Error> Tried<T> for Result<T, E> {
    fn tried(self, what: impl std::fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::of(what, &error))
    }
}

impl From<model::Refusal> for Failure {
    fn from(refusal: model::Refusal) -> Self {
        Self { message: refusal.what, hint: refusal.hint, code: code::FAILED }
    }
}

/// Prints the failure once and turns it into the exit code.
pub(crate) fn exit(done: Done) -> ExitCode {
    let Err(failure) = done else { return ExitCode::SUCCESS };
    terminal::say(&format!("error: {}", failure.message));
    if let Some(hint) = failure.hint {
        terminal::say(&format!("hint: {hint}"));
    }
    ExitCode::from(failure.code)
}
