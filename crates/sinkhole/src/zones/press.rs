//! Answers are written once for each content, and zones share them.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use model::DomainName;
use model::answers::AnswerSet;
use model::order::{Act, Acts};
use model::seizure::ServiceMode;
use store::zones::Zone;
use wire::dns::{Answers, Certifiers, NAME_OCTETS_MAX, Records};

use super::{CapturedFiles, ServedZone};
use crate::Settings;

//----------- Press ------------------------------------------------------------------------------------------------

/// Writes answers, each content once.
pub(super) struct Press<'a> {
    serial: u32,
    settings: &'a Settings,
    written: HashMap<Content, Arc<Answers>, RandomState>,
    /// The zone written last: the zones of an order come one after another, and nothing is hashed for them.
    last: Option<(Zone, Arc<Answers>)>,
}

/// What answers depend on, apart from the settings.
#[derive(Clone, Eq, Hash, PartialEq)]
struct Content {
    name_servers: Vec<DomainName>,
    is_returned: bool,
    acts: Acts,
    answers: Option<AnswerSet>,
}

impl<'a> Press<'a> {
    pub(super) fn new(serial: u32, settings: &'a Settings) -> Self {
        Self { serial, settings, written: HashMap::default(), last: None }
    }

    pub(super) fn serve(&mut self, zone: Zone, captured: &CapturedFiles) -> ServedZone {
        let answers = self.answers(&zone, captured);
        ServedZone { zone, answers }
    }

    /// The same for a name that may be served already: what does not change keeps its serial. Records that the owner had
    /// are written anew, because their file may have come since.
    pub(super) fn serve_after(
        &mut self,
        before: Option<&ServedZone>,
        zone: Zone,
        captured: &CapturedFiles,
    ) -> ServedZone {
        match before.filter(|before| zone.captured().is_none() && has_same_content(&before.zone, &zone)) {
            Some(before) => ServedZone { zone, answers: Arc::clone(&before.answers) },
            None => self.serve(zone, captured),
        }
    }

    fn answers(&mut self, zone: &Zone, captured: &CapturedFiles) -> Arc<Answers> {
        if zone.captured().is_some() {
            let ours = Content::of(zone).records(self.serial, self.settings);
            if let Some(answers) = captured.answers(zone, &ours) {
                return Arc::new(answers);
            }
        }
        if let Some((_, answers)) = self.last.as_ref().filter(|(last, _)| has_same_content(last, zone)) {
            return Arc::clone(answers);
        }
        let content = Content::of(zone);
        let (serial, settings) = (self.serial, self.settings);
        let written = self.written.entry(content);
        let write = |content: &Content| Arc::new(Answers::new(&content.records(serial, settings)));
        let answers = Arc::clone(written.or_insert_with_key(write));
        self.last = Some((zone.clone().with_captured(None), Arc::clone(&answers)));
        answers
    }
}

fn has_same_content(one: &Zone, two: &Zone) -> bool {
    let is_returned = |zone: &Zone| zone.mode() == ServiceMode::Handback;
    one.captured().is_none()
        && is_returned(one) == is_returned(two)
        && one.coverage().acts() == two.coverage().acts()
        && (one.shares_terms(two) || (one.name_servers() == two.name_servers() && one.answers() == two.answers()))
}

impl Content {
    fn of(zone: &Zone) -> Self {
        Self {
            name_servers: zone.name_servers().to_vec(),
            is_returned: zone.mode() == ServiceMode::Handback,
            acts: zone.coverage().acts(),
            answers: zone.answers().cloned(),
        }
    }

    /// A name that is handed back says nothing of ours: no address that would lead its owner's visitors to us, and no
    /// policy that would bounce their mail.
    fn records(&self, serial: u32, settings: &Settings) -> Records {
        let is_ours = !self.is_returned;
        let (v4, v6, ttl_secs) = match &self.answers {
            Some(set) => (&set.v4, &set.v6, set.ttl_secs.unwrap_or(settings.ttl_secs)),
            None => (&settings.answer_v4, &settings.answer_v6, settings.ttl_secs),
        };
        Records {
            name_servers: self.name_servers.iter().map(DomainName::to_wire).collect(),
            hostmaster: self.hostmaster(settings),
            serial,
            ttl_secs,
            negative_ttl_secs: settings.negative_ttl_secs,
            v4: if is_ours { v4.clone() } else { Vec::new() },
            v6: if is_ours { v6.clone() } else { Vec::new() },
            refuses_mail: is_ours && !self.acts.contains(Act::AcceptMail),
            certifiers: self.certifiers(settings),
        }
    }

    /// Nobody by default. Where the order permits a certificate it is our authority's alone to give; a name that is
    /// handed back says nothing.
    fn certifiers(&self, settings: &Settings) -> Certifiers {
        match (self.is_returned, self.acts.contains(Act::PublicCertificate)) {
            (true, _) => Certifiers::Unsaid,
            (false, true) => {
                Certifiers::Only(settings.certifiers.iter().map(|name| name.as_str().to_owned()).collect())
            }
            (false, false) => Certifiers::Nobody,
        }
    }

    fn hostmaster(&self, settings: &Settings) -> Vec<u8> {
        let mut rname = b"\x0ahostmaster".to_vec();
        match (&settings.hostmaster, self.name_servers.first()) {
            (Some(name), _) => return name.to_wire(),
            (None, Some(server)) => rname.extend(server.to_wire()),
            (None, None) => rname.push(0),
        }
        // A server's name may be too long for one more label; the root says "nobody".
        if rname.len() > NAME_OCTETS_MAX { vec![0] } else { rname }
    }
}
