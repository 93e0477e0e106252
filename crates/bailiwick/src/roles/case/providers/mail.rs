//! A report as a mail, handed to the operator's own server. Nothing is sent but by `--send`.

use std::time::Duration;

use desk::api::ReportMade;
use docket::evidence::letter::Reporter;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Wrapping, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};
use zeroize::Zeroizing;

use crate::config::{Config, Tls};
use crate::failure::{Failure, Tried};

/// For each step of the conversation.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is kept of a server's reply.
const REPLY_CHARS_MAX: usize = 400;

/// The server that `[reports]` names.
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Tls,
    login: Option<(String, Zeroizing<String>)>,
    is_on_loopback: bool,
}

impl Server {
    pub(super) fn of(config: &Config) -> Result<Self, Failure> {
        let reports = &config.reports;
        let (host, port) = reports.server().ok_or_else(|| {
            Failure::new("nothing was sent: `[reports]` names no server for mail")
                .hint("smtp = \"mail.example.org:587\"")
        })?;
        let login = reports.user.clone().zip(reports.password()?);
        Ok(Self { host, port, tls: reports.tls, login, is_on_loopback: reports.is_on_loopback() })
    }

    /// What the server replied: the proof that it took the message.
    pub(super) fn hand_over(&self, message: &Message, is_exercise: bool) -> Result<String, Failure> {
        if is_exercise && !self.is_on_loopback {
            return Err(Failure::new("an exercise writes to nobody: its mail goes to a server on this machine only"));
        }
        let at = format!("handing the report to {}:{}", self.host, self.port);
        let response = self.transport()?.send(message).tried(&at)?;
        let words: Vec<&str> = response.message().collect();
        let reply = format!("{} {} [{}:{}]", response.code(), words.join(" "), self.host, self.port);
        Ok(reply.chars().filter(|c| !c.is_control()).take(REPLY_CHARS_MAX).collect())
    }

    fn transport(&self) -> Result<SmtpTransport, Failure> {
        let parameters = || TlsParameters::new(self.host.clone()).tried("setting up TLS towards the mail server");
        let wrapping = match self.tls {
            Tls::Starttls => Wrapping::Required(parameters()?),
            Tls::Implicit => Wrapping::Wrapper(parameters()?),
            Tls::None => Wrapping::None,
        };
        let builder =
            SmtpTransport::builder_dangerous(&self.host).port(self.port).tls(wrapping).timeout(Some(PATIENCE));
        Ok(match &self.login {
            Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.to_string())).build(),
            None => builder.build(),
        })
    }
}

/// The letter as text, with the same as a page and as X-ARF beside it.
pub(super) fn message(reporter: &Reporter, made: &ReportMade) -> Result<Message, Failure> {
    let address = |text: &str| text.parse().tried(format_args!("reading the mail address `{text}`"));
    let from = Mailbox::new(Some(reporter.organisation.clone()), address(&reporter.contact)?);
    let to = Mailbox::new(None, address(&made.report.terms.address)?);
    let json = ContentType::parse("application/json").tried("naming JSON")?;
    let page = Attachment::new("letter.html".into()).body(made.letter_html.clone(), ContentType::TEXT_HTML);
    let xarf = Attachment::new("xarf.json".into()).body(made.xarf_json.clone(), json);
    let parts =
        MultiPart::mixed().singlepart(SinglePart::plain(made.letter_text.clone())).singlepart(page).singlepart(xarf);
    let message = Message::builder().from(from).to(to).subject(&made.subject).message_id(None);
    message.multipart(parts).tried("writing the mail")
}
