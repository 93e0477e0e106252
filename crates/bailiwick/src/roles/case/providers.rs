//! `bailiwick case report…` and `case privacy`: reports to whoever can act, and the record of processing.

use std::path::Path;

use desk::api::{AnswerRequest, ReportDetail, ReportMade, ReportRequest, Said};
use docket::evidence::inert::inert;
use docket::evidence::letter::Reporter;
use docket::evidence::privacy::Record;
use model::DomainName;
use model::id::CaseId;

use crate::cli::{CaseReportArgs, Place, ProviderCommand};
use crate::config::Config;
use crate::door::{Door, in_query, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::roles::browser::Printer;
use crate::roles::evidence::write_new;
use crate::supervise::now;
use crate::terminal::{self, table};

mod mail;

/// A day, in seconds.
const DAY_SECS: u64 = 24 * 60 * 60;

pub(super) fn run(place: &Place, command: ProviderCommand) -> Done {
    match command {
        ProviderCommand::Report(args) => report(place, &args),
        ProviderCommand::ReportList { case, out } => list(&Door::open(place, "case report-list")?, &case, out.json),
        ProviderCommand::ReportSent { case, report, channel, proof, at, who, out } => {
            let door = Door::open(place, "case report-sent")?;
            let at = at.unwrap_or_else(now);
            told(&sent(&door, (&case, report), (at, &channel, &proof), Vec::new(), &token(&who)?)?, out.json)
        }
        ProviderCommand::ReportAnswer { case, report, answer: to, note, exhibit, who, out } => {
            let door = Door::open(place, "case report-answer")?;
            let answer = AnswerRequest { to, note, exhibit };
            told(&door.post(&format!("/cases/{case}/reports/{report}/answer"), &answer, Some(&token(&who)?))?, out.json)
        }
        ProviderCommand::Privacy { case, out } => {
            let record: Record = Door::open(place, "case privacy")?.get(&format!("/cases/{case}/privacy"))?;
            if out.json { terminal::json(&record) } else { terminal::line(record.to_text().trim_end()) }
        }
    }
}

fn told(said: &Said, json: bool) -> Done {
    if json { terminal::json(said) } else { terminal::line(&said.said) }
}

//----------- Report -----------------------------------------------------------------------------------------------

fn report(place: &Place, args: &CaseReportArgs) -> Done {
    let config = Config::load(place)?;
    let reporter = reporter(&config)?;
    let printer = args.pdf.then(|| Printer::of(&config)).transpose()?;
    let server = if args.send { Some(mail::Server::of(&config)?) } else { None };
    let wish = wish(args, reporter.clone())?;
    let door = Door::into(&config, "case report")?;
    let token = token(&args.who)?;
    if let Some(folder) = args.folder.as_ref().filter(|folder| folder.exists()) {
        return Err(Failure::new(format!("{} is there already", folder.display())).hint("name a new folder"));
    }
    let made: ReportMade = door.post(&format!("/cases/{}/reports", args.case), &wish, Some(&token))?;
    if let Some(folder) = &args.folder {
        write(folder, &made, printer.as_ref())?;
    }
    let number = made.report.terms.number;
    let sent = match server {
        Some(server) => Some(send(&door, args, &server, (&reporter, &made), &token)?),
        None => None,
    };
    if args.out.json {
        return terminal::json(&serde_json::json!({ "made": made, "sent": sent.map(|sent| sent.said) }));
    }
    if args.folder.is_none() {
        terminal::line(made.letter_text.trim_end())?;
    }
    match sent {
        Some(sent) => terminal::line(&sent.said),
        None => {
            terminal::say(&format!(
                "report {number} is written and not sent; once it is: `bailiwick case report-sent {} {number} --channel … --proof …`",
                args.case
            ));
            Ok(())
        }
    }
}

fn reporter(config: &Config) -> Result<Reporter, Failure> {
    let reports = &config.reports;
    let both = reports.organisation.clone().zip(reports.contact.clone());
    let (organisation, contact) = both.ok_or_else(|| {
        Failure::new("nobody is named who reports")
            .hint("[reports] organisation = \"…\", contact = \"abuse-desk@example.org\"")
    })?;
    Ok(Reporter { organisation, contact })
}

fn wish(args: &CaseReportArgs, reporter: Reporter) -> Result<ReportRequest, Failure> {
    let parsed = DomainName::parse(&args.name);
    let name = parsed.map_err(|error| Failure::new(format!("`{}`: {error}", args.name)).code(code::USAGE))?;
    let days = std::time::Duration::from_secs(u64::from(args.due_days) * DAY_SECS);
    let due = now().checked_add(days).map_err(|error| Failure::new(format!("the due date: {error}")))?;
    Ok(ReportRequest {
        name,
        to: args.to,
        reporter,
        address: args.address.clone(),
        rdap_exhibit: args.rdap_exhibit,
        urls: args.urls.clone(),
        mark: args.mark.clone(),
        exhibits: args.exhibits.clone(),
        due,
        escalates: args.escalates,
        abuse: args.abuse.clone(),
    })
}

fn write(folder: &Path, made: &ReportMade, printer: Option<&Printer>) -> Done {
    std::fs::create_dir(folder).tried(format_args!("making {}", folder.display()))?;
    for (name, text) in
        [("letter.txt", &made.letter_text), ("letter.html", &made.letter_html), ("xarf.json", &made.xarf_json)]
    {
        let path = folder.join(name);
        std::fs::write(&path, text).tried(format_args!("writing {}", path.display()))?;
    }
    if let Some(printer) = printer {
        write_new(&folder.join("letter.pdf"), &printer.print(&made.letter_html)?)?;
    }
    terminal::say(&format!("{} has letter.txt, letter.html and xarf.json", folder.display()));
    Ok(())
}

/// By mail. The report stands as written where the server does not take it.
fn send(
    door: &Door,
    args: &CaseReportArgs,
    server: &mail::Server,
    (reporter, made): (&Reporter, &ReportMade),
    token: &str,
) -> Result<Said, Failure> {
    let number = made.report.terms.number;
    let not_sent = |failure: Failure| {
        failure.hint(format!(
            "report {number} is written and not sent; send it by another way, and note it with `report-sent`"
        ))
    };
    let message = mail::message(reporter, made).map_err(not_sent)?;
    let proof = server.hand_over(&message, made.exercise).map_err(not_sent)?;
    sent(door, (&args.case, number), (now(), "mail", &proof), message.formatted(), token)
}

fn sent(
    door: &Door,
    (case, report): (&CaseId, u32),
    (at, channel, proof): (model::Timestamp, &str, &str),
    message: Vec<u8>,
    token: &str,
) -> Result<Said, Failure> {
    let (at, channel, proof) = (in_query(&at.to_string()), in_query(channel), in_query(proof));
    let path = format!("/cases/{case}/reports/{report}/sending?at={at}&channel={channel}&proof={proof}");
    door.post_file_as(&path, message, "message/rfc822", token)
}

//----------- List -------------------------------------------------------------------------------------------------

fn list(door: &Door, case: &CaseId, json: bool) -> Done {
    let reports: Vec<ReportDetail> = door.get(&format!("/cases/{case}/reports"))?;
    if json {
        return terminal::json(&reports);
    }
    if reports.is_empty() {
        terminal::say(&format!("no report yet; `bailiwick case report {case} NAME --to registrar …` writes one"));
        return Ok(());
    }
    let mut rows =
        vec![["no", "name", "to", "address", "state", "due", "sent", "goes on in"].map(str::to_owned).to_vec()];
    for ReportDetail { terms, state, overdue, sending, escalated, .. } in reports {
        let late = if overdue { ", LATE" } else { "" };
        rows.push(vec![
            terms.number.to_string(),
            terms.name.defanged().to_string(),
            terms.to.as_str().to_owned(),
            inert(&terms.address),
            format!("{}{late}", state.as_str()),
            terms.due.to_string(),
            sending.map(|sending| sending.at.to_string()).unwrap_or_default(),
            escalated.map(|by| by.to_string()).unwrap_or_default(),
        ]);
    }
    terminal::line(&table(&rows))
}
