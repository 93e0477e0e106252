//! What each command does, apart from mail and logins: greetings, STARTTLS (RFC 3207), and the small ones.
//!
//! What nobody knows is answered and counted; its words are not kept.

use super::command::{Command, Verb};
use super::fingerprint::{Helo, HeloForm};
use super::replies;
use super::seen::{End, Seen};
use super::session::{Smtp, State};
use super::terms::{Standing, Tls};
use crate::oddity::Oddity;
use crate::session::Output;

impl<J: Fn(&[u8]) -> Standing> Smtp<J> {
    pub(super) fn on_command(&mut self, command: &Command<'_>) {
        let is_address = matches!(command.verb, Verb::Mail | Verb::Rcpt | Verb::Vrfy);
        let has_eight_bit = !(command.name.is_ascii() && command.rest.is_ascii());
        if has_eight_bit && !(is_address && std::str::from_utf8(command.rest).is_ok()) {
            self.note(Oddity::CommandEightBit);
        }
        // Each of these says so itself, with what belongs to it.
        if !matches!(command.verb, Verb::Helo | Verb::Ehlo | Verb::Mail | Verb::Rcpt | Verb::Auth) {
            let name = if command.verb == Verb::Unknown { "?".into() } else { String::from_utf8_lossy(command.name) };
            self.fingerprint.add(&name);
        }
        match command.verb {
            Verb::Helo | Verb::Ehlo => self.on_helo(command),
            Verb::Mail => self.on_mail(command),
            Verb::Rcpt => self.on_rcpt(command),
            Verb::Data => self.on_data(command),
            Verb::Bdat => self.on_bdat(command),
            Verb::StartTls => self.on_starttls(command),
            Verb::Auth => self.on_auth(command),
            Verb::Quit => self.close(Some(replies::BYE), End::Quit),
            Verb::Rset => {
                self.reset(End::Reset);
                self.answer(replies::OK);
            }
            Verb::Noop => self.answer(replies::OK),
            Verb::Help => self.answer(replies::HELP),
            Verb::Vrfy => {
                self.draft.has_news = true;
                self.answer(replies::CANNOT_VERIFY);
            }
            Verb::Declined => {
                self.draft.has_news = true;
                self.fail(replies::DECLINED);
            }
            Verb::Unknown => {
                self.note(Oddity::CommandUnknown);
                self.fail(replies::UNKNOWN);
            }
        }
    }

    pub(super) fn on_helo(&mut self, command: &Command<'_>) {
        let is_extended = command.verb == Verb::Ehlo;
        let helo = Helo::read(is_extended, command.rest);
        self.fingerprint.add(&format!("{}={}", String::from_utf8_lossy(command.name), helo.form.word()));
        match helo.form {
            HeloForm::Missing => self.note(Oddity::CommandArgument),
            HeloForm::Other | HeloForm::Bare => self.note(Oddity::HeloForm),
            HeloForm::Name | HeloForm::Label | HeloForm::Literal => {}
        }
        self.reset(End::Reset);
        let is_missing = helo.form == HeloForm::Missing;
        self.helo = Some(helo);
        if is_missing {
            return self.fail(replies::ARGUMENT);
        }
        let offers_tls = self.terms.tls == Tls::Offered && !self.is_secure;
        self.answer(&match is_extended {
            true => replies::ehlo(&self.terms, offers_tls, self.is_secure),
            false => replies::helo(&self.terms),
        });
    }

    pub(super) fn on_starttls(&mut self, command: &Command<'_>) {
        if !command.rest.is_empty() {
            self.note(Oddity::CommandArgument);
            return self.fail(replies::ARGUMENT);
        }
        match self.terms.tls {
            Tls::Absent => return self.fail(replies::DECLINED),
            _ if self.is_secure => {
                self.note(Oddity::CommandOrder);
                return self.fail(replies::ORDER);
            }
            _ => {}
        }
        self.reset(End::StartTls);
        self.answer(replies::READY_FOR_TLS);
        self.queue.push_back(Output::Observe(Seen::StartTls));
        self.state = State::Tls;
    }
}
