//! `/cases/{id}/reports`: reports to registrars, hosts and others who can act: written, noted as sent, answered.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::evidence::letter::{Letter, reference};
use docket::evidence::xarf::{self, Abuse};
use docket::evidence::{ReportDraft, rdap};
use docket::{Command, Done};
use model::evidence::{Exhibit, ExhibitKind};
use model::id::CaseId;
use model::notification::{Recipient, Sending};
use model::{DomainName, Timestamp};
use store::view::{CaseView, ReportView};

use crate::api::{AnswerDetail, AnswerRequest, ReportDetail, ReportMade, ReportRequest, Said, SendingQuery};
use crate::asker::Asker;
use crate::cases::known;
use crate::evidence::exhibit_of;
use crate::intake::{Asked, Named, Octets, Sent};
use crate::problem::{self, Told, bad_request, not_found};
use crate::run::{Desk, now};

pub(crate) async fn list(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<Vec<ReportDetail>>, Told> {
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let at = now();
    Ok(Json(case.evidence.reports.iter().map(|report| detail(report, at)).collect()))
}

//----------- Making -----------------------------------------------------------------------------------------------

pub(crate) async fn make(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(wish): Sent<ReportRequest>,
) -> Result<(StatusCode, Json<ReportMade>), Told> {
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let at = now();
    let abuse = [Abuse::Phishing, Abuse::Malware].into_iter().find(|abuse| abuse.as_str() == wish.abuse);
    let abuse = abuse
        .ok_or_else(|| bad_request(format!("`{}` is no abuse that is reported", wish.abuse), "phishing or malware"))?;
    if !rdap::is_address(&wish.reporter.contact) {
        return Err(bad_request(
            format!("`{}` is no mail address", wish.reporter.contact),
            "say who reports in `[reports]` of the configuration",
        ));
    }
    let draft = desk.draft(case, &wish, at)?;
    let exhibits = exhibits(case, &draft)?;
    let letter = Letter {
        reporter: &wish.reporter,
        draft: &draft,
        exhibits: &exhibits,
        first: draft.escalates.and_then(|first| case.evidence.report(first)),
        exercise: is_exercise(case),
        now: at,
    };
    let file =
        |number| exhibits.iter().find(|one| one.number == number).and_then(|one| desk.vault.get(&one.file).ok()?);
    let xarf =
        serde_json::to_string_pretty(&xarf::report(&letter, abuse, file)).map_err(|error| problem::ours(&error))?;
    let (subject, letter_text, letter_html) = (letter.subject(), letter.to_text(), letter.to_html());
    let command = Command::MakeReport {
        case: id.clone(),
        report: Box::new(draft.clone()),
        letter: letter_text.clone(),
        xarf: xarf.clone(),
    };
    let Done::ReportMade { number } = desk.execute(command, asker).await?.done else {
        unreachable!("making ends in a report or a refusal")
    };
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let report = detail(report_of(case, number)?, at);
    let exercise = is_exercise(case);
    Ok((StatusCode::CREATED, Json(ReportMade { report, subject, letter_text, letter_html, xarf_json: xarf, exercise })))
}

fn is_exercise(case: &CaseView) -> bool {
    case.orders.values().any(|order| order.terms().authority.is_exercise())
}

impl Desk {
    /// What was not said is taken from the exhibits about the name.
    fn draft(&self, case: &CaseView, wish: &ReportRequest, now: Timestamp) -> Result<ReportDraft, Told> {
        let about: Vec<&Exhibit> = about(case, &wish.name).collect();
        let mut urls = if wish.urls.is_empty() { looked_at(&about) } else { wish.urls.clone() };
        urls.sort();
        urls.dedup();
        if urls.is_empty() {
            let what = format!("no exhibit looked at a page of {}", wish.name.defanged());
            return Err(bad_request(what, "say what is reported with `--url`, or `bailiwick evidence capture` first"));
        }
        let exhibits = match wish.exhibits.is_empty() {
            true => about.iter().filter(|exhibit| goes_along(exhibit)).map(|exhibit| exhibit.number).collect(),
            false => wish.exhibits.clone(),
        };
        let (address, address_source) = self.address(case, wish, &about)?;
        let mark = wish.mark.clone().or_else(|| marked(&about));
        let (name, to, due, escalates) = (wish.name.clone(), wish.to, wish.due, wish.escalates);
        let reference = reference(&case.terms.id, &name, to, now);
        Ok(ReportDraft { reference, name, to, address, address_source, urls, mark, exhibits, due, escalates })
    }

    fn address(&self, case: &CaseView, wish: &ReportRequest, about: &[&Exhibit]) -> Result<(String, String), Told> {
        if let Some(address) = &wish.address {
            return Ok((address.clone(), "said by whoever reports".to_owned()));
        }
        let is_answer = |exhibit: &&&Exhibit| exhibit.kind == ExhibitKind::Rdap && !exhibit.failed;
        // What RDAP says of a name is its registrar; whose answer another exhibit is, a person says.
        let last = about.iter().rev().find(is_answer).filter(|_| wish.to == Recipient::Registrar);
        let number = wish.rdap_exhibit.or(last.map(|exhibit| exhibit.number)).ok_or_else(|| {
            let what = format!("nobody says whom to write to about {}", wish.name.defanged());
            let whose = format!("give `--address`, or `--rdap-exhibit`, an RDAP answer about the {}", wish.to.as_str());
            bad_request(what, whose)
        })?;
        let exhibit = &exhibit_of(case, number)?.exhibit;
        let octets = self.kept(&exhibit.file, &format!("exhibit {number}"))?;
        let unread = |error: rdap::RdapError| {
            bad_request(format!("exhibit {number}: {error}"), "give `--address`, from the recipient's own page")
        };
        let contact = rdap::abuse_contact(&octets, wish.to).map_err(unread)?;
        let organisation = contact.organisation.map(|name| format!(", {name}")).unwrap_or_default();
        Ok((contact.address, format!("RDAP, exhibit {number}{organisation}")))
    }
}

/// The mark that the last look names: a paper's word on it stays with the paper.
fn marked(about: &[&Exhibit]) -> Option<String> {
    let mut looks = about.iter().rev().filter(|exhibit| exhibit.kind.is_of_a_look());
    looks.find_map(|exhibit| exhibit.mark.clone())
}

/// The pages that answered.
fn looked_at(about: &[&Exhibit]) -> Vec<String> {
    let is_page = |kind| matches!(kind, ExhibitKind::Screenshot | ExhibitKind::Headers | ExhibitKind::Page);
    let pages = about.iter().filter(|exhibit| !exhibit.failed && is_page(exhibit.kind));
    pages.filter_map(|exhibit| exhibit.source.clone()).collect()
}

/// What a look at the name brought. Statements, papers and mail of the case go out only where a person names them.
fn goes_along(exhibit: &Exhibit) -> bool {
    !exhibit.failed && exhibit.kind.is_of_a_look()
}

/// Exhibits about a name, or about a host below it.
fn about<'c>(case: &'c CaseView, name: &'c DomainName) -> impl Iterator<Item = &'c Exhibit> {
    let exhibits = case.evidence.exhibits.iter().map(|kept| &kept.exhibit);
    exhibits.filter(|exhibit| exhibit.name.as_ref().is_some_and(|about| about.is_at_or_below(name)))
}

fn exhibits<'c>(case: &'c CaseView, draft: &ReportDraft) -> Result<Vec<&'c Exhibit>, Told> {
    draft.exhibits.iter().map(|number| exhibit_of(case, *number).map(|kept| &kept.exhibit)).collect()
}

//----------- Noting -----------------------------------------------------------------------------------------------

pub(crate) async fn sending(
    State(desk): State<Desk>,
    Named((id, number)): Named<(CaseId, u32)>,
    asker: Asker,
    Asked(SendingQuery { at, channel, proof }): Asked<SendingQuery>,
    Octets(body): Octets,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    let sending = Sending { at, channel: channel.clone(), proof, message: None };
    let message = (!body.is_empty()).then(|| body.to_vec());
    desk.execute(Command::NoteSending { case: id.clone(), report: number, sending, message }, asker).await?;
    let view = desk.view().await?;
    let due = report_of(known(&view, &id)?, number)?.terms.due;
    Ok(Json(Said { said: format!("report {number} of case {id} went out by {channel}; an answer is due {due}") }))
}

pub(crate) async fn answer(
    State(desk): State<Desk>,
    Named((id, number)): Named<(CaseId, u32)>,
    asker: Asker,
    Sent(AnswerRequest { to, note, exhibit }): Sent<AnswerRequest>,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    desk.execute(Command::NoteAnswer { case: id.clone(), report: number, to, note, exhibit }, asker).await?;
    Ok(Json(Said { said: format!("report {number} of case {id} is {} now", to.as_str()) }))
}

fn report_of(case: &CaseView, number: u32) -> Result<&ReportView, Told> {
    let missing =
        || not_found(format!("there is no report {number}"), "`bailiwick case report-list CASE` numbers them");
    case.evidence.report(number).ok_or_else(missing)
}

fn detail(report: &ReportView, now: Timestamp) -> ReportDetail {
    let answers = report.answers.iter().map(|answer| AnswerDetail {
        to: answer.to,
        note: answer.note.clone(),
        exhibit: answer.exhibit,
        noted: answer.noted,
    });
    ReportDetail {
        terms: report.terms.clone(),
        state: report.state,
        overdue: report.state.waits() && report.terms.due < now,
        made: report.made,
        sending: report.sending.clone(),
        answers: answers.collect(),
        escalated: report.escalated,
    }
}
