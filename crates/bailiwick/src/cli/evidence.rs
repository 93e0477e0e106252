//! The commands about evidence, reports to providers, and the record of processing.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use model::Timestamp;
use model::evidence::ExhibitKind;
use model::id::CaseId;
use model::notification::{Recipient, ReportState};

use super::{ByArgs, JsonArgs, WhoArgs};

#[derive(Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Keep a file as an exhibit of a case, about one of its names or (`-`) about the case. When it was captured, where and by
    /// what stands in the ledger as stated by whoever kept it.
    Add(Box<AddArgs>),
    /// Look at a name through the proxy that `[evidence]` names, and keep what is there: DNS, RDAP, certificate, HTTP
    /// response, a picture of the page. What fails is kept as an attempt that failed.
    Capture(CaptureArgs),
    /// Have a time-stamping authority (`[evidence] tsa`) vouch for an exhibit, or keep an answer that was fetched by hand.
    /// The first is kept; its signature is not checked here.
    Stamp(StampArgs),
    /// The exhibits of a case.
    List {
        case: CaseId,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// One exhibit: what it is, who kept it, and, with `--out-file`, the file itself.
    Show {
        case: CaseId,
        exhibit: u32,
        /// Write the file here; it must not exist.
        #[arg(long, value_name = "FILE")]
        out_file: Option<PathBuf>,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Write all exhibits with manifest, sums and signature into a new folder, which a stranger checks with `sha256sum` and
    /// `openssl`.
    Export(ExportEvidenceArgs),
    /// The same with pages that print: the exhibits, and a certificate for a named person to check and sign.
    Exhibits(ExhibitsArgs),
}

#[derive(Args)]
pub(crate) struct AddArgs {
    pub(crate) case: CaseId,
    /// A listed name or a host below one; `-`: about the case.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    #[arg(long, value_parser = kind)]
    pub(crate) kind: ExhibitKind,
    /// When it came into being, such as `2026-03-20T11:59:00Z`; the file's own time if not said.
    #[arg(long, value_name = "TIME")]
    pub(crate) captured: Option<Timestamp>,
    /// The mark that is abused.
    #[arg(long)]
    pub(crate) mark: Option<String>,
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// Where it is from: a URL, a question, a person.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// What made it.
    #[arg(long, requires = "tool_version")]
    pub(crate) tool: Option<String>,
    #[arg(long, requires = "tool")]
    pub(crate) tool_version: Option<String>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct CaptureArgs {
    pub(crate) case: CaseId,
    /// A listed name or a host below one.
    pub(crate) name: String,
    /// The page to look at; `http://NAME/` and `https://NAME/` if not said. May be given more than once.
    #[arg(long = "url", value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// The mark that is abused.
    #[arg(long)]
    pub(crate) mark: Option<String>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct StampArgs {
    pub(crate) case: CaseId,
    pub(crate) exhibit: u32,
    /// The authority's answer (`.tsr`), fetched by hand; nobody is asked then.
    #[arg(long, value_name = "FILE")]
    pub(crate) response: Option<PathBuf>,
    /// Write the request (`.tsq`) to this new file instead of sending it.
    #[arg(long, value_name = "FILE", conflicts_with = "response")]
    pub(crate) request_to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ExportEvidenceArgs {
    pub(crate) case: CaseId,
    /// A new folder.
    #[arg(long = "out", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) by: ByArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ExhibitsArgs {
    #[command(flatten)]
    pub(crate) export: ExportEvidenceArgs,
    /// Whose certificate is drafted, as they sign: `Ada Lovelace`.
    #[arg(long, value_name = "PERSON")]
    pub(crate) qualified_person: Option<String>,
    /// In which words.
    #[arg(long, default_value = "statement", requires = "qualified_person")]
    pub(crate) form: FormWord,
    /// The pages as PDF, too, by the browser that `[evidence] chromium` names, without a network.
    #[arg(long)]
    pub(crate) pdf: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormWord {
    /// Fed. R. Evid. 902(13) and (14), 28 U.S.C. § 1746.
    #[value(name = "fre-902")]
    Fre902,
    /// The same facts, without the law of any place.
    Statement,
}

//----------- Reports ----------------------------------------------------------------------------------------------

/// What `bailiwick case` does besides: reports to providers, and the record of processing.
#[derive(Subcommand)]
pub(crate) enum ProviderCommand {
    /// Write a report to whoever can act without an order: a letter (text and HTML) and X-ARF. It goes out with `--send` only.
    Report(Box<CaseReportArgs>),
    /// Reports of a case: where each stands, and who is late.
    ReportList {
        case: CaseId,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Note that a report went out by another way than our mail: a web form, a fax.
    ReportSent {
        case: CaseId,
        report: u32,
        /// How: `web form`.
        #[arg(long)]
        channel: String,
        /// What proves it: a ticket number, a receipt.
        #[arg(long)]
        proof: String,
        /// When; now if not said.
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Note what came back: delivered, bounced, acknowledged, acted, refused, or reopened.
    ReportAnswer {
        case: CaseId,
        report: u32,
        #[arg(value_parser = answer)]
        answer: ReportState,
        #[arg(long)]
        note: String,
        /// The exhibit that holds the answer.
        #[arg(long)]
        exhibit: Option<u32>,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// The record of processing: controller, purpose, legal basis, recipients, transfers, retention.
    Privacy {
        case: CaseId,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Args)]
pub(crate) struct CaseReportArgs {
    pub(crate) case: CaseId,
    pub(crate) name: String,
    /// In which role the recipient can act.
    #[arg(long, value_parser = recipient)]
    pub(crate) to: Recipient,
    /// Whom to write to; without it the abuse contact of an RDAP answer about them.
    #[arg(long, value_name = "MAIL")]
    pub(crate) address: Option<String>,
    /// The exhibit that holds the RDAP answer; to a registrar the last about the name if not said.
    #[arg(long, value_name = "NUMBER", conflicts_with = "address")]
    pub(crate) rdap_exhibit: Option<u32>,
    /// What is reported; the places that exhibits looked at if not said.
    #[arg(long = "url", value_name = "URL")]
    pub(crate) urls: Vec<String>,
    #[arg(long)]
    pub(crate) mark: Option<String>,
    /// Exhibits that go with it; if not said, what was captured of the name: statements and papers only if they are named.
    #[arg(long = "exhibit", value_name = "NUMBER")]
    pub(crate) exhibits: Vec<u32>,
    /// Days until an answer is due: a proposal of ours.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=90))]
    pub(crate) due_days: u32,
    /// The report that was not answered, or not well; its proof goes into this one.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) escalates: Option<u32>,
    #[arg(long, default_value = "phishing", value_parser = ["phishing", "malware"])]
    pub(crate) abuse: String,
    /// The letter as PDF, too, by the browser that `[evidence] chromium` names.
    #[arg(long, requires = "folder")]
    pub(crate) pdf: bool,
    /// Write letter.txt, letter.html and xarf.json into this new folder.
    #[arg(long = "out", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Send it by mail, by the server that `[reports]` names.
    #[arg(long)]
    pub(crate) send: bool,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

fn kind(text: &str) -> Result<ExhibitKind, String> {
    text.parse().map_err(|refusal: model::Refusal| format!("{refusal}; {}", refusal.hint.clone().unwrap_or_default()))
}

fn recipient(text: &str) -> Result<Recipient, String> {
    let known = Recipient::ALL.into_iter().find(|one| one.as_str() == text);
    known.ok_or_else(|| format!("one of {}", Recipient::ALL.map(Recipient::as_str).join(", ")))
}

fn answer(text: &str) -> Result<ReportState, String> {
    let known = ReportState::ALL.into_iter().find(|one| one.as_str() == text);
    known.ok_or_else(|| "one of delivered, bounced, acknowledged, acted, refused, reopened".to_owned())
}
