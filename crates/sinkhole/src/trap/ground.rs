//! What every conversation stands on: the zones, the keys, the pages and the limits; and which doors there are.

use std::net::IpAddr;
use std::sync::Arc;

use model::address::Prefix;
use wire::http::Http1;
use wire::http2::Http2;
use wire::secrets::Account;

use super::Limits;
use super::limits::Handshakes;
use super::own::OwnVisits;
use crate::certificates::Certificates;
use crate::keyed::CaseKeys;
use crate::notice::Notices;
use crate::sealed::SealingKey;
use crate::settings::MailSettings;
use crate::witness::Concern;
use crate::{NamesByAddress, ZoneTable};

//----------- Port -------------------------------------------------------------------------------------------------

/// What a port is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Port {
    Http,
    Https,
    /// Mail in clear, with STARTTLS.
    Smtp,
    /// Mail within TLS from the first octet (RFC 8314, 3.3).
    Smtps,
    /// Nothing is expected: the first octets choose who reads on.
    Any,
}

impl Port {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Smtp => "smtp",
            Self::Smtps => "smtps",
            Self::Any => "any-tcp",
        }
    }

    /// Whether TLS is expected from the first octet.
    pub(super) fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Smtps)
    }

    pub(super) fn is_mail(self) -> bool {
        matches!(self, Self::Smtp | Self::Smtps)
    }
}

//----------- Ground -----------------------------------------------------------------------------------------------

pub(super) struct Ground {
    pub(super) zones: Arc<ZoneTable>,
    pub(super) names: NamesByAddress,
    pub(super) certificates: Arc<Certificates>,
    pub(super) keys: Arc<CaseKeys>,
    pub(super) notices: Notices,
    pub(super) mail: MailSettings,
    /// Who may say for whom they call.
    pub(super) balancers: Vec<Prefix>,
    /// To which account names are sealed; without one none is held.
    pub(super) account_key: Option<SealingKey>,
    pub(super) limits: Limits,
    pub(super) handshakes: Handshakes,
    /// Whom our own verifier is known by.
    pub(super) own: OwnVisits,
}

impl Ground {
    /// The machine for HTTP/1: it hands account names out only where they can be sealed.
    pub(super) fn http1(&self) -> Http1 {
        let http = Http1::new(self.limits.of_http());
        if self.account_key.is_some() { http.with_accounts() } else { http }
    }

    pub(super) fn http2(&self) -> Http2 {
        let http = Http2::new(self.limits.of_http());
        if self.account_key.is_some() { http.with_accounts() } else { http }
    }

    /// Account names in clear go no further than this.
    pub(super) fn seal<'a>(&self, accounts: impl IntoIterator<Item = &'a Account>) -> Vec<Vec<u8>> {
        let Some(key) = &self.account_key else { return Vec::new() };
        accounts.into_iter().filter_map(|account| key.seal(account)).collect()
    }

    pub(super) fn is_balancer(&self, source: IpAddr) -> bool {
        self.balancers.iter().any(|prefix| prefix.contains(source.to_canonical()))
    }

    /// The name that a conversation concerns: by what it says, else by the address that it came to.
    pub(super) fn concern(&self, sni: &[u8], host: &[u8], called: IpAddr) -> Concern {
        Concern::find(&self.zones, sni, host).or_else(|| Concern::of_address(&self.names, &self.zones, called))
    }
}
