//! Who may see what: a sealed case is seen by those who are on it, single callers by those who work on cases, and the
//! machine by those who run it.
//!
//! The machine's own user sees everything: the files are theirs to read anyway. Who is on a case is the ledger's to say
//! (`store::view`, the page people). Whatever a person may not see is in no view and in no count; it is not there.
//!
//! One place says it. Routes below `/cases/{id}` and `/approvals/{id}` are behind [`gate`], so that none can forget to
//! ask; lists take [`cases`]; a case that is named in a body or a query is looked up by [`known`].

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use model::Refusal;
use model::Timestamp;
use model::fact::Actor;
use model::id::{CaseId, RequestId};
use model::person::Role;
use store::archive::Sight;
use store::report::ReportName;
use store::view::{CaseView, View};

use crate::asker::Asker;
use crate::problem::{self, Told, not_found};
use crate::run::{Desk, now};

/// Roles that work on cases, and may see who called.
const OF_CASES: [Role; 4] = [Role::Analyst, Role::Investigator, Role::Legal, Role::Operator];
/// Roles that see how the machine runs: its counters are over all cases, the sealed ones too.
const OF_THE_MACHINE: [Role; 3] = [Role::Admin, Role::Auditor, Role::Operator];
/// Routes that are about the machine.
const MACHINE: [&str; 8] = [
    "/status",
    "/dns",
    "/metrics",
    "/retention/traces",
    "/sensors",
    "/archive/compact",
    "/archive/replay",
    "/archive/retire",
];

//----------- Cases ------------------------------------------------------------------------------------------------

/// The cases that are there for whoever asks, in order of id: what every list is made of.
pub(crate) fn cases<'v>(view: &'v View, asker: &'v Actor, now: Timestamp) -> impl Iterator<Item = &'v CaseView> + 'v {
    view.cases_seen_by(asker, now)
}

/// A case, if it is there for whoever asks.
pub(crate) fn known<'v>(view: &'v View, id: &CaseId, asker: &Actor, now: Timestamp) -> Result<&'v CaseView, Told> {
    view.case_seen_by(id, asker, now).ok_or_else(|| no_case(id))
}

/// What is said of a case that does not exist, and of one that the asker is not on.
pub(crate) fn no_case(id: &CaseId) -> Told {
    not_found(format!("there is no case {id}"), "`bailiwick case list` names them")
}

/// What the asker may see of the archive at that instant.
pub(crate) fn of(view: &View, asker: &Actor, now: Timestamp) -> Sight {
    let hidden = view.cases.values().filter(|case| !case.is_seen_by(asker, now));
    Sight { hidden: hidden.map(|case| case.terms.id.clone()).collect() }
}

//----------- Roles ------------------------------------------------------------------------------------------------

/// Whether the asker may see single callers.
pub(crate) fn check_callers(view: &View, asker: &Asker) -> Result<(), Refusal> {
    check_role(view, (&asker.actor, asker.roles.as_ref()), &OF_CASES, "see single callers")
}

/// `narrowed`: the roles of the token that was shown, where it has not all of the person's.
fn check_role(
    view: &View,
    (asker, narrowed): (&Actor, Option<&BTreeSet<Role>>),
    any_of: &[Role],
    what: &str,
) -> Result<(), Refusal> {
    let Actor::Person { id } = asker else { return Ok(()) };
    let roles = narrowed.or_else(|| view.people.get(id).map(|person| &person.roles));
    if roles.is_some_and(|roles| any_of.iter().any(|role| roles.contains(role))) {
        return Ok(());
    }
    let roles: Vec<&str> = any_of.iter().map(|role| role.as_str()).collect();
    let roles = roles.join(", ");
    Err(Refusal::new(format!("{id} may not {what}")).hint(format!("it takes one of the roles {roles}")))
}

//----------- Gate -------------------------------------------------------------------------------------------------

/// Before any route: to a person who is not on it, a sealed case and all that is about it is what does not exist. That
/// a person asked for what is not there is remembered, alike in both cases.
pub(crate) async fn gate(State(desk): State<Desk>, request: Request, next: Next) -> Result<Response, Told> {
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let about = About::of(&mut parts, &desk).await;
    let asker = Asker::from_request_parts(&mut parts, &desk).await?;
    if let Err((why, told)) = about.check(&*desk.view().await?, &asker) {
        desk.remember_refusal(&format!("{} {}", parts.method, parts.uri.path()), &why, asker.actor).await;
        return Err(told);
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// What a route is about.
enum About {
    Case(CaseId),
    Request(RequestId),
    Machine,
    /// Single callers.
    Callers,
    /// Anything else, and what cannot be read: the route says so itself.
    Other,
}

impl About {
    async fn of(parts: &mut Parts, desk: &Desk) -> Self {
        // Fixed parts of a route match as they are written; only the variable one may be percent-encoded.
        let path = parts.uri.path().to_owned();
        let path = path.strip_prefix("/api/v1").unwrap_or(&path);
        let params = RawPathParams::from_request_parts(parts, desk).await.ok();
        let decoded = |wanted: &str| {
            let mut params = params.as_ref()?.iter();
            params.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
        };
        match decoded("id") {
            Some(id) if path.starts_with("/cases/") => CaseId::parse(&id).map_or(Self::Other, Self::Case),
            Some(id) if path.starts_with("/approvals/") => {
                id.parse().map_or(Self::Other, |id| Self::Request(RequestId(id)))
            }
            _ if MACHINE.contains(&path) => Self::Machine,
            _ if path == "/query" => Self::Callers,
            _ if path.starts_with("/reports/") && decoded("name").is_some_and(|name| tells_of_callers(&name)) => {
                Self::Callers
            }
            _ => Self::Other,
        }
    }

    /// Why it is recorded as refused, and what is said.
    fn check(&self, view: &View, asker: &Asker) -> Result<(), (String, Told)> {
        let actor = &asker.actor;
        let refused = |refusal: Refusal| (refusal.what.clone(), problem::refused(refusal));
        let not_there = |told: Told| (told.detail.clone(), told);
        match self {
            Self::Case(id) => known(view, id, actor, now()).map(drop).map_err(not_there),
            Self::Request(id) => {
                let standing = view.approvals.get(*id);
                let seen = standing.and_then(|one| view.case_seen_by(&one.request.case, actor, now()));
                seen.map(drop).ok_or_else(|| not_there(no_request(*id)))
            }
            Self::Machine => {
                check_role(view, (actor, asker.roles.as_ref()), &OF_THE_MACHINE, "see how the machine runs")
                    .map_err(refused)
            }
            Self::Callers => check_callers(view, asker).map_err(refused),
            Self::Other => Ok(()),
        }
    }
}

fn tells_of_callers(report: &str) -> bool {
    report.parse::<ReportName>().is_ok_and(ReportName::tells_of_callers)
}

/// What is said of a request that does not exist, and of one about a case that the asker is not on.
pub(crate) fn no_request(id: RequestId) -> Told {
    not_found(format!("there is no request {id}"), "`bailiwick approval list` numbers them")
}
