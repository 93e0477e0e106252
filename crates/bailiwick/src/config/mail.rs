//! `[mail]`: where mail for seized names is refused, or taken where an order covers that.

use std::net::SocketAddr;

use model::DomainName;
use serde::{Deserialize, Serialize};
use sinkhole::settings::MailSettings;

/// Where SMTP is answered, and how.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// In clear, with STARTTLS.
    pub(crate) smtp: Vec<SocketAddr>,
    /// Within TLS from the first octet.
    pub(crate) smtps: Vec<SocketAddr>,
    /// The name in the greeting.
    host: Option<DomainName>,
    login_in_clear: bool,
}

impl Mail {
    pub(crate) fn settings(&self) -> MailSettings {
        let host = self.host.as_ref().map(|host| host.as_str().to_owned());
        MailSettings { host: host.unwrap_or(MailSettings::default().host), login_in_clear: self.login_in_clear }
    }
}
