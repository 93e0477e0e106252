//! Errors as RFC 9457 problems: what happened, and what to do.
//!
//! A refusal by the law is 403, something that is not there 404, a body that we cannot read 400, a case file with
//! faults 422, and only our own trouble 500. A cause from below goes to the log, with what was tried; the answer says
//! so without paths or database words.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use docket::casefile::FaultReport;
use docket::quick::Question;
use docket::run::ExecuteError;
use model::{Digest, Refusal};

use crate::api::Problem;

/// A problem on its way out; boxed, so that what goes well stays small.
pub(crate) type Told = Box<Problem>;

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(*self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Told {
        let title = match kind {
            "refused" => "Refused",
            "unknown-person" => "A person is needed",
            "not-found" => "Not found",
            "bad-request" => "The request cannot be read",
            "too-large" => "The body is too large",
            "bad-zone-file" => "The zone file has a fault",
            "bad-case-file" => "The case file has faults",
            "answers-missing" => "Something is missing",
            "busy" => "Too many at once",
            "database-away" => "The ledger's database does not answer",
            "query-refused" => "The query was refused",
            _ => "Our own trouble",
        };
        Box::new(Self {
            kind: format!("/problems/{kind}"),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            ..Self::default()
        })
    }

    pub(crate) fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Told {
        self.hint = Some(hint.into());
        self
    }
}

pub(crate) fn not_found(what: impl Into<String>, hint: &str) -> Told {
    Problem::new(StatusCode::NOT_FOUND, "not-found", what).hint(hint)
}

pub(crate) fn bad_request(what: impl Into<String>, hint: impl Into<String>) -> Told {
    Problem::new(StatusCode::BAD_REQUEST, "bad-request", what).hint(hint)
}

pub(crate) fn refused(refusal: Refusal) -> Told {
    let mut problem = Problem::new(StatusCode::FORBIDDEN, "refused", refusal.what);
    problem.hint = refusal.hint;
    problem
}

pub(crate) fn needs_person(detail: impl Into<String>, hint: Option<String>) -> Told {
    let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "unknown-person", detail);
    problem.hint = hint.or_else(|| Some("act with your token (`--as`, `--token-file`)".into()));
    problem
}

pub(crate) fn bad_case_file(file: &str, faults: Vec<FaultReport>) -> Told {
    let drawings: Vec<&str> = faults.iter().map(|fault| fault.rendered.as_str()).collect();
    let detail = format!("{file} has {} faults; nothing was taken\n\n{}", faults.len(), drawings.join("\n\n"));
    let detail = if faults.len() == 1 { detail.replacen("1 faults", "1 fault", 1) } else { detail };
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-case-file", detail);
    problem.faults = faults;
    problem.hint("mend them and import again")
}

pub(crate) fn answers_missing(questions: Vec<Question>) -> Told {
    let asked: Vec<String> =
        questions.iter().map(|asked| format!("  --{}  {}", flag(&asked.field), asked.question)).collect();
    let detail = format!("a case needs to know more\n\n{}", asked.join("\n"));
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "answers-missing", detail);
    problem.questions = questions;
    problem.hint("answer with these flags; nothing was recorded")
}

/// The command line takes several name servers, each by a flag of its own.
fn flag(field: &str) -> String {
    field.trim_end_matches('s').replace('_', "-")
}

/// What became of a command.
pub(crate) fn of_command(error: ExecuteError, person_is_missing: bool) -> Told {
    match error {
        ExecuteError::Refused(refusal) if person_is_missing => needs_person(refusal.what, refusal.hint),
        ExecuteError::Refused(refusal) => refused(refusal),
        ExecuteError::Contended => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string()).hint("nothing was done; try again")
        }
        ExecuteError::Store(error) => of_store(&error),
    }
}

/// Our own trouble, or a database that others keep and that is away.
pub(crate) fn of_store(error: &store::Error) -> Told {
    match error.is_passing() {
        true => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "database-away", error.to_string())
            .hint(error.hint().unwrap_or("try again")),
        false => ours(error),
    }
}

/// Our own trouble: told to the operator in full, to the asker in one sentence.
pub(crate) fn ours(error: &(dyn std::error::Error + 'static)) -> Told {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    tracing::error!(causes = causes.join(": "), "a request could not be answered");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", causes[0].clone())
        .hint("the log of the daemon says more; nothing was half done")
}

/// Nothing is begun any more.
pub(crate) fn stopping(what: impl Into<String>) -> Told {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", what)
        .hint("what was seen is kept; go on after the next start")
}

/// Something that the ledger names is not in the vault.
pub(crate) fn lost(what: &str, digest: &Digest) -> Told {
    tracing::error!(what, %digest, "the vault has lost a file that the ledger names; restore it from a copy");
    let detail = format!("{what} is not in the vault under {digest}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).hint("restore the vault from a copy")
}

pub(crate) async fn no_such_route(uri: Uri) -> Told {
    not_found(format!("there is nothing at {}", uri.path()), "the API lies at /api/v1")
}

pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Told {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "bad-request", format!("{} does not take {method}", uri.path()))
}
