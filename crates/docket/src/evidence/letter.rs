//! The letter to whoever can act: what is asked, on which evidence, by when, and who asks.
//!
//! It names neither case nor court: a report may go out while a case is sealed. URLs stand defanged in the letter and
//! whole in the X-ARF that goes with it, which is for machines.

use std::fmt::Write as _;

use model::evidence::Exhibit;
use model::id::CaseId;
use model::notification::Recipient;
use model::time::utc_day;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::ReportView;

use super::ReportDraft;
use super::inert::inert;

/// Who reports.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    pub organisation: String,
    /// A mail address that a person reads.
    pub contact: String,
}

impl Reporter {
    /// The host of the contact's address.
    pub fn domain(&self) -> &str {
        self.contact.rsplit_once('@').map_or("", |(_, host)| host)
    }
}

/// What a letter is made of.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    pub reporter: &'a Reporter,
    pub draft: &'a ReportDraft,
    pub exhibits: &'a [&'a Exhibit],
    /// The report that was not answered, or not well.
    pub first: Option<&'a ReportView>,
    pub exercise: bool,
    pub now: Timestamp,
}

/// By what both sides call a report: it tells nothing of the case.
pub fn reference(case: &CaseId, name: &DomainName, to: Recipient, now: Timestamp) -> String {
    let what = format!("bailiwick report\0{case}\0{}\0{}\0{now}", name.as_str(), to.as_str());
    format!("BW-{}", Digest::of_bytes(what.as_bytes()).short())
}

impl Letter<'_> {
    pub fn subject(&self) -> String {
        let mark = if self.exercise { "EXERCISE: " } else { "" };
        let again = if self.first.is_some() { "Escalation: " } else { "" };
        format!("{mark}{again}abuse of {} [{}]", self.draft.name.defanged(), self.draft.reference)
    }

    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if self.exercise {
            text.push_str("EXERCISE. Nothing in this letter is about a real name or a real event.\n\n");
        }
        let Self { reporter, draft, .. } = self;
        let _ = writeln!(text, "From: {}, {}", inert(&reporter.organisation), reporter.contact);
        let _ = writeln!(text, "To:   {} ({})", inert(&draft.address), draft.to.as_str());
        let _ = writeln!(text, "Date: {}", utc_day(self.now));
        let _ = writeln!(text, "Ref:  {}\n\n{}\n", self.draft.reference, self.subject());
        self.write_what(&mut text);
        self.write_first_contact(&mut text);
        self.write_exhibits(&mut text);
        let _ = writeln!(text, "\nWhat we ask: {}", wish(draft.to, self.registrar_was_asked()));
        let _ = writeln!(
            text,
            "\nPlease answer by {} to {}, and name {}.\nThe date is our proposal; tell us if you need longer, or more evidence. If another party can act, please say who.",
            draft.due, reporter.contact, self.draft.reference
        );
        text
    }

    pub fn to_html(&self) -> String {
        super::page::letter(&self.subject(), &self.to_text())
    }

    fn write_what(&self, text: &mut String) {
        let draft = self.draft;
        let _ = writeln!(text, "{} is used to deceive people at these addresses:\n", draft.name.defanged());
        for url in &draft.urls {
            let _ = writeln!(text, "  {}", inert(url));
        }
        if let Some(mark) = &draft.mark {
            let _ = writeln!(text, "\nThe mark that is abused: {}", inert(mark));
        }
    }

    /// A report about this name went out to its registrar, and what came of it stands in this letter.
    fn registrar_was_asked(&self) -> bool {
        self.first.is_some_and(|first| {
            first.terms.to == Recipient::Registrar && first.terms.name == self.draft.name && first.sending.is_some()
        })
    }

    /// Who was asked first, when, how, and what came of it: registries ask for this proof.
    fn write_first_contact(&self, text: &mut String) {
        let Some(first) = self.first else { return };
        let _ = writeln!(text, "\nWe asked the {} first, {}:", first.terms.to.as_str(), inert(&first.terms.address));
        if let Some(sending) = &first.sending {
            let _ = writeln!(text, "  sent      {} by {}", sending.at, inert(&sending.channel));
            let _ = writeln!(text, "  proof     {}", inert(&sending.proof));
        }
        let _ = writeln!(text, "  letter    SHA-256 {}", first.terms.letter);
        let _ = writeln!(text, "  due       {}", first.terms.due);
        if first.answers.is_empty() {
            text.push_str("  answer    none so far\n");
        }
        for answer in &first.answers {
            let _ = writeln!(text, "  answer    {}, {}: {}", answer.noted, answer.to.as_str(), inert(&answer.note));
        }
    }

    fn write_exhibits(&self, text: &mut String) {
        text.push_str("\nEvidence, unchanged since it was captured:\n");
        for exhibit in self.exhibits {
            let failed = if exhibit.failed { ", an attempt that failed" } else { "" };
            let _ = writeln!(text, "\n  {}. {}{failed}, {}", exhibit.number, exhibit.kind.as_str(), exhibit.captured);
            if let Some(source) = &exhibit.source {
                let _ = writeln!(text, "     of      {}", inert(source));
            }
            if let Some(tool) = &exhibit.tool {
                let _ = writeln!(text, "     by      {}", inert(&format!("{} {}", tool.name, tool.version)));
            }
            if let Some(note) = &exhibit.note {
                let _ = writeln!(text, "     note    {}", inert(note));
            }
            let _ = writeln!(text, "     SHA-256 {}", exhibit.file);
        }
    }
}

fn wish(to: Recipient, registrar_was_asked: bool) -> &'static str {
    match to {
        Recipient::Registrar => {
            "suspend the name (clientHold), lock it against transfer, and keep the registrant's data;\nunder your accreditation agreement (RAA 3.18) this is actionable evidence of DNS abuse."
        }
        Recipient::Registry if registrar_was_asked => {
            "suspend the name (serverHold) or redirect it; the registrar has been asked, as said above."
        }
        Recipient::Registry => "suspend the name (serverHold) or redirect it.",
        Recipient::Host => "take the content off the net, and keep a copy of it and of the logs.",
        Recipient::DynamicDns => "stop resolving the host name, close the account, and keep its data.",
        Recipient::Cdn => "stop serving the content, tell us who hosts it or forward this to them, and keep the logs.",
        Recipient::Ca => {
            "revoke the certificates for the name: they were obtained for deceptive use (Baseline Requirements 4.9.1.1)."
        }
    }
}
