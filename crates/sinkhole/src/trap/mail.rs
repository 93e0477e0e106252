//! Mail for seized names: whose a recipient is, and what of an envelope may be kept.
//!
//! Mail to a seized name is other people's mail. Each recipient is refused unless the order of its name covers taking
//! mail; addresses are kept as hashes under the key of the case that they concern, or not at all.

use std::sync::Arc;
use std::time::Duration;

use model::order::Act;
use model::{DomainName, Timestamp};
use wire::smtp::{Address, LETTER_OCTETS_MAX, Login, Mail, Smtp, Standing, Terms, Tls, Transaction};

use super::conversation::{Conversation, Layer};
use super::ground::Ground;
use super::knock::{Knock, Mailed};
use super::speech::{Judge, Speech};
use crate::witness::Concern;

/// The machine for one conversation that began at `accepted`.
pub(super) fn machine(ground: &Arc<Ground>, tls: Tls, accepted: Timestamp) -> Speech {
    let login = if ground.mail.login_in_clear { Login::Always } else { Login::UnderTls };
    let mail = Mail::Accept { octets_max: LETTER_OCTETS_MAX };
    let terms = Terms { host: ground.mail.host.clone(), mail, tls, login, nonce_key: *ground.keys.of_the_house() };
    let (ground, seals) = (Arc::clone(ground), ground.account_key.is_some());
    let judge: Judge = Box::new(move |domain| standing(&ground, domain, accepted));
    let machine = Smtp::new(terms, judge);
    Speech::Smtp(Box::new(if seals { machine.with_accounts() } else { machine }))
}

/// A domain as a person writes it: U-labels and A-labels are one name.
fn concern(ground: &Ground, domain: &[u8]) -> Concern {
    let name = std::str::from_utf8(domain).ok().and_then(|text| DomainName::parse(text).ok());
    name.map(|name| Concern::of_recipient(&ground.zones, &name)).unwrap_or_default()
}

fn standing(ground: &Ground, domain: &[u8], now: Timestamp) -> Standing {
    let concern = concern(ground, domain);
    let Some(served) = concern.zone() else { return Standing::Stranger };
    let takes_mail = served.may_record(now) && served.zone.coverage().acts().contains(Act::AcceptMail);
    let key = ground.keys.key(served.zone.coverage().case()).filter(|_| takes_mail);
    key.map_or(Standing::Mailless, |key| Standing::Ours { key })
}

impl Conversation {
    pub(super) fn take_mail(&mut self, transaction: Transaction) {
        let named = transaction.recipients.iter().map(|address| concern(&self.ground, address.domain()));
        let concern = named.into_iter().find(|concern| concern.zone().is_some());
        let concern = concern.unwrap_or_else(|| self.concern(&[]));
        let case = concern.zone().map(|served| served.zone.coverage().case());
        let hash = |address: &Address| self.ground.keys.hash(case?, address.normalized());
        let sender = transaction.sender.as_ref().filter(|sender| !sender.is_null()).and_then(hash);
        let recipients = transaction.recipients.iter().filter_map(hash).collect();
        let may_seal = concern.may_record_content(self.at(Duration::ZERO));
        let account = transaction.auth.as_ref().and_then(|attempt| attempt.account.as_ref()).filter(|_| may_seal);
        let accounts = self.ground.seal(account);
        let mailed = Box::new(Mailed { transaction, sender, recipients, accounts });
        self.observe(Knock::Mail { mailed, concern });
    }

    /// The greeting comes before anything that the client says.
    pub(super) fn greet(&mut self, tls: Tls) {
        self.arrive();
        self.speech = machine(&self.ground, tls, self.at(Duration::ZERO));
    }

    pub(super) fn start_tls(&mut self) {
        self.is_upgrading = true;
        self.layer = Layer::Hello(Box::default());
    }

    /// TLS stands below the conversation.
    pub(super) fn secured(&mut self) {
        if let (Speech::Smtp(machine), true) = (&mut self.speech, self.is_upgrading) {
            self.is_upgrading = false;
            machine.secured();
        }
    }
}
