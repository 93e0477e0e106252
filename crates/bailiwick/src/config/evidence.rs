//! `[evidence]`: through whom names are looked at, and whose time vouches for it; `[reports]`: who reports, by which server.
//!
//! Unset, nobody is asked and nothing is sent. A name under investigation is looked at through the operator's proxy and in
//! no other way, so that the group does not learn from whose address.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use axum::http::Uri;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::acme::SYSTEM_ROOTS;
use crate::cli::is_loopback;
use crate::failure::{Failure, Tried};

/// The longest password that is read.
const PASSWORD_OCTETS_MAX: u64 = 1_024;
/// The longest look at one thing.
const TIMEOUT_SECS_MAX: u32 = 600;
/// The largest page, in MiB: an exhibit has at most 64.
const PAGE_MIB_MAX: u32 = 32;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Evidence {
    /// `http://HOST:PORT` of an HTTP proxy that knows CONNECT.
    proxy: Option<String>,
    /// The browser that takes pictures; without one no picture is taken.
    pub(crate) chromium: Option<PathBuf>,
    /// Off only where the browser cannot have its sandbox, as in a container as root.
    pub(crate) browser_sandbox: bool,
    /// RFC 3161, over HTTP.
    pub(crate) tsa: Option<String>,
    /// A resolver to ask over HTTPS (RFC 8484), through the proxy.
    pub(crate) doh: Option<String>,
    /// The base URL of an RDAP service, through the proxy.
    pub(crate) rdap: Option<String>,
    /// What the HTTPS of these three is checked against, where it is not the system's roots.
    roots: Option<PathBuf>,
    /// Of one response's body.
    page_mib: u32,
    /// For one look, from the first packet to the last.
    pub(crate) timeout_secs: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            proxy: None,
            chromium: None,
            browser_sandbox: true,
            tsa: None,
            doh: None,
            rdap: None,
            roots: None,
            page_mib: 4,
            timeout_secs: 60,
        }
    }
}

impl Evidence {
    pub(super) fn resolve(mut self, base: &Path) -> Self {
        self.roots = self.roots.map(|file| base.join(file));
        self
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        if let Some(proxy) = &self.proxy {
            let uri = parsed("evidence.proxy", proxy, &["http"])?;
            if uri.port_u16().is_none() || uri.path() != "/" {
                return Err(Failure::new(format!("`evidence.proxy` is {proxy:?}")).hint("\"http://127.0.0.1:8888\""));
            }
        }
        for (key, url) in [("evidence.tsa", &self.tsa), ("evidence.doh", &self.doh), ("evidence.rdap", &self.rdap)] {
            url.as_ref().map_or(Ok(()), |url| parsed(key, url, &["http", "https"]).map(|_| ()))?;
        }
        if !(1..=TIMEOUT_SECS_MAX).contains(&self.timeout_secs) || !(1..=PAGE_MIB_MAX).contains(&self.page_mib) {
            return Err(Failure::new("`evidence.timeout_secs` or `evidence.page_mib` is out of range")
                .hint(format!("1 to {TIMEOUT_SECS_MAX} seconds, 1 to {PAGE_MIB_MAX} MiB")));
        }
        Ok(())
    }

    /// Host and port of the proxy.
    pub(crate) fn proxy(&self) -> Option<(String, u16)> {
        let uri = self.proxy.as_ref()?.parse::<Uri>().ok()?;
        Some((bare(uri.host()?).to_owned(), uri.port_u16()?))
    }

    pub(crate) fn roots(&self) -> Option<PathBuf> {
        self.roots.clone().or_else(|| SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.exists()))
    }

    pub(crate) fn page_octets_max(&self) -> usize {
        (self.page_mib as usize) << 20
    }
}

fn parsed(key: &str, url: &str, schemes: &[&str]) -> Result<Uri, Failure> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.host().is_some());
    let uri = uri.filter(|uri| uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme)));
    uri.filter(|uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))).ok_or_else(|| {
        Failure::new(format!("`{key}` is {url:?}"))
            .hint(format!("a URL that begins with {}://, without a user", schemes.join(":// or ")))
    })
}

/// A host without the brackets around IPv6.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

//----------- Reports ----------------------------------------------------------------------------------------------

/// Who reports, and the server that takes our mail.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reports {
    pub(crate) organisation: Option<String>,
    /// A mail address that a person reads; letters are from it.
    pub(crate) contact: Option<String>,
    /// `HOST:PORT`.
    smtp: Option<String>,
    pub(crate) tls: Tls,
    pub(crate) user: Option<String>,
    password_file: Option<PathBuf>,
}

/// How mail is handed over.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tls {
    #[default]
    Starttls,
    /// From the first octet, as on port 465.
    Implicit,
    /// On loopback only.
    None,
}

impl Reports {
    pub(super) fn resolve(mut self, base: &Path) -> Self {
        self.password_file = self.password_file.map(|file| base.join(file));
        self
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.smtp.is_some() && self.server().is_none() {
            return Err(Failure::new("`reports.smtp` names no host and port").hint("smtp = \"mail.example.org:587\""));
        }
        if self.tls == Tls::None && !self.is_on_loopback() && self.smtp.is_some() {
            return Err(Failure::new("`reports.tls` is \"none\", and the server is not on this machine")
                .hint("tls = \"starttls\" or \"implicit\""));
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err(Failure::new("`reports.user` and `reports.password_file` go together"));
        }
        Ok(())
    }

    pub(crate) fn server(&self) -> Option<(String, u16)> {
        let (host, port) = self.smtp.as_ref()?.rsplit_once(':')?;
        Some((bare(host).to_owned(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
    }

    /// Only an address says so: a name may lead anywhere.
    pub(crate) fn is_on_loopback(&self) -> bool {
        self.server().is_some_and(|(host, _)| host.parse::<IpAddr>().is_ok_and(is_loopback))
    }

    pub(crate) fn password(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let Some(file) = &self.password_file else { return Ok(None) };
        let tried = format!("reading the password in {}", file.display());
        if std::fs::metadata(file).tried(&tried)?.len() > PASSWORD_OCTETS_MAX {
            return Err(Failure::new(format!("{tried}: it has more than {PASSWORD_OCTETS_MAX} octets")));
        }
        let text = Zeroizing::new(std::fs::read_to_string(file).tried(&tried)?);
        Ok(Some(Zeroizing::new(text.trim_end().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(text: &str) -> Result<Evidence, Failure> {
        let evidence: Evidence = toml::from_str(text).unwrap();
        evidence.check().map(|()| evidence)
    }

    fn reports(text: &str) -> Result<(), Failure> {
        toml::from_str::<Reports>(text).unwrap().check()
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        assert_eq!(evidence("").unwrap().proxy(), None);
        let named = evidence("proxy = \"http://[::1]:8888\"").unwrap();
        assert_eq!(named.proxy(), Some(("::1".to_owned(), 8888)));
        for bad in [
            "proxy = \"http://a.example\"",
            "proxy = \"socks5://a:1\"",
            "proxy = \"http://u@a:1\"",
            "tsa = \"a\"",
            "timeout_secs = 0",
            "page_mib = 65",
        ] {
            assert!(evidence(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mail_in_clear_stays_on_this_machine() {
        assert!(reports("smtp = \"127.0.0.1:25\"\ntls = \"none\"").is_ok());
        for bad in [
            "smtp = \"mail.example:25\"\ntls = \"none\"",
            "smtp = \"localhost:25\"\ntls = \"none\"",
            "smtp = \"mail\"",
            "user = \"a\"",
        ] {
            assert!(reports(bad).is_err(), "{bad}");
        }
    }
}
