//! The record of processing of a case: who, why, on which basis, whose data, to whom, where, for how long.
//!
//! Nothing in it is guessed. What the case file leaves out stands as "not stated".

use std::fmt::Write as _;

use model::marking::Retention;
use model::privacy::PrivacyTerms;
use serde::{Deserialize, Serialize};
use store::view::CaseView;

/// What is said of what nobody said.
pub const NOT_STATED: &str = "not stated";

/// The record, of which every field is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub case: String,
    pub exercise: bool,
    pub controller: Option<String>,
    pub officer: Option<String>,
    /// Whom people can write to.
    pub contact: String,
    pub purpose: String,
    pub purpose_source: String,
    pub legal_basis: Option<String>,
    /// The authorities under which it is done.
    pub authorities: Vec<String>,
    /// Whose data, and what of it.
    pub data: Vec<String>,
    pub recipients: Vec<String>,
    /// Who never gets data of callers.
    pub withheld: Vec<String>,
    /// Whom reports went to.
    pub reported_to: Vec<String>,
    pub transfers: Vec<String>,
    pub security: Option<String>,
    /// As it holds today.
    pub retention: Retention,
    pub legal_holds: u64,
    /// Fields that the case file leaves out.
    pub not_stated: Vec<String>,
}

impl Record {
    /// `retention` is what holds for the case, after the operator's rules.
    pub fn of(case: &CaseView, retention: Retention) -> Self {
        let PrivacyTerms { controller, officer, legal_basis, recipients, transfers, security } =
            case.terms.privacy.clone();
        let orders = case.orders.values().map(|order| &order.terms().authority);
        let mut record = Self {
            case: case.terms.id.to_string(),
            exercise: orders.clone().any(model::order::Authority::is_exercise),
            controller,
            officer,
            contact: case.terms.contact.clone(),
            purpose: case.terms.purpose.value.clone(),
            purpose_source: case.terms.purpose.source.to_string(),
            legal_basis,
            authorities: orders.map(|one| format!("{} by {}", one.instrument.as_str(), one.issuer.value)).collect(),
            data: data(case),
            recipients,
            withheld: withheld(case),
            reported_to: reported_to(case),
            transfers,
            security,
            retention,
            legal_holds: case.holds.len() as u64,
            not_stated: Vec::new(),
        };
        record.not_stated = record.missing().into_iter().map(str::to_owned).collect();
        record
    }

    fn missing(&self) -> Vec<&'static str> {
        [
            ("controller", self.controller.is_none()),
            ("officer", self.officer.is_none()),
            ("legal_basis", self.legal_basis.is_none()),
            ("recipients", self.recipients.is_empty()),
            ("transfers", self.transfers.is_empty()),
            ("security", self.security.is_none()),
        ]
        .into_iter()
        .filter_map(|(field, is_missing)| is_missing.then_some(field))
        .collect()
    }

    pub fn to_text(&self) -> String {
        let one = |value: &Option<String>| value.clone().unwrap_or_else(|| NOT_STATED.to_owned());
        let many = |values: &[String], none: &str| if values.is_empty() { none.to_owned() } else { values.join("\n") };
        let retention = &self.retention;
        let days = |days: Option<u32>, none: &str| days.map_or(none.to_owned(), |days| format!("{days} days"));
        let kept = [
            format!("addresses {} days whole, then cut to /24 and /48", retention.addresses_days),
            format!("octets as received {} days", retention.raw_days),
            format!("contacts {}", days(retention.contacts_days, "after that without addresses, no end")),
            format!("exhibits and facts: as long as the case; {} legal holds stand", self.legal_holds),
        ];
        let mut text = format!("Record of processing: case {}\n", self.case);
        if self.exercise {
            text.push_str("EXERCISE\n");
        }
        text.push('\n');
        for (label, value) in [
            ("controller", one(&self.controller)),
            ("officer", one(&self.officer)),
            ("contact", self.contact.clone()),
            ("purpose", format!("{} ({})", self.purpose, self.purpose_source)),
            ("legal basis", one(&self.legal_basis)),
            ("authority", many(&self.authorities, "none")),
            ("data", many(&self.data, "none")),
            ("recipients", many(&self.recipients, NOT_STATED)),
            ("withheld from", many(&self.withheld, "nobody")),
            ("reported to", many(&self.reported_to, "nobody yet")),
            ("transfers", many(&self.transfers, NOT_STATED)),
            ("security", one(&self.security)),
            ("kept", kept.join("\n")),
        ] {
            let _ = writeln!(text, "{label:<14} {}", value.replace('\n', "\n               "));
        }
        text
    }
}

/// By what the orders cover: nothing is recorded without.
fn data(case: &CaseView) -> Vec<String> {
    use model::order::Act;
    let covers =
        |act: Act| case.orders.values().any(|order| order.names().values().any(|name| name.acts.contains(act)));
    let of_callers = [
        (Act::RecordMetadata, "callers of seized names: address and port, time, name asked for, form of the request"),
        (Act::RecordContent, "callers: what they sent, secrets redacted; account names sealed to a key kept elsewhere"),
        (Act::AcceptMail, "senders and recipients of mail to seized names"),
    ];
    let mut data: Vec<String> =
        of_callers.into_iter().filter(|(act, _)| covers(*act)).map(|(_, what)| what.to_owned()).collect();
    if !case.evidence.exhibits.is_empty() {
        data.push(format!("whoever is named in {} exhibits", case.evidence.exhibits.len()));
    }
    data.push("people who act: id, roles, and what each did".to_owned());
    data
}

fn withheld(case: &CaseView) -> Vec<String> {
    let withheld = &case.terms.withheld;
    let countries = withheld.countries.iter().map(ToString::to_string);
    let networks = withheld.networks.iter().map(ToString::to_string);
    let asns = withheld.asns.iter().map(ToString::to_string);
    countries.chain(networks).chain(asns).chain(withheld.recipients.iter().cloned()).collect()
}

fn reported_to(case: &CaseView) -> Vec<String> {
    let sent = case.evidence.reports.iter().filter(|report| report.sending.is_some());
    sent.map(|report| {
        format!("{} ({}): report {}", report.terms.address, report.terms.to.as_str(), report.terms.number)
    })
    .collect()
}
