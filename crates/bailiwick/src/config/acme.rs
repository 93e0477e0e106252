//! `[acme]`: the authority that is asked for public certificates, where an order permits them.
//!
//! Unset, nobody is asked. Whether a name may have a certificate is decided by its order and never here; this says whom
//! the operator trusts to issue it, and that the authority's terms were read by a person.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use axum::http::Uri;
use serde::{Deserialize, Serialize};

use crate::cli::is_loopback;
use crate::failure::Failure;

/// The longest URL and address that are believed to be meant.
const TEXT_OCTETS_MAX: usize = 512;
/// HTTPS, where a URL names no port.
const HTTPS_PORT: u16 = 443;
/// Where systems keep the roots that their browsers trust: Debian, Red Hat, Alpine.
pub(super) const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The table as it is written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Draft {
    directory: Option<String>,
    contact: Option<String>,
    roots: Option<PathBuf>,
    terms_agreed: bool,
}

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Acme {
    /// The authority's directory (RFC 8555, 7.1.1).
    pub(crate) directory: String,
    /// Its host, as it is connected to and as its certificate names it: no brackets around IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where the authority writes to; `mailto:`.
    pub(crate) contact: Option<String>,
    /// The roots that the authority's own HTTPS is checked against, where they are not the system's.
    roots: Option<PathBuf>,
}

impl Acme {
    /// Whether the authority is on this machine, so that an exercise may ask it. Only an address says so: a name may lead
    /// anywhere.
    pub(crate) fn is_on_loopback(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(is_loopback)
    }

    /// The file of roots: the operator's, or else the system's.
    pub(crate) fn roots(&self) -> Option<PathBuf> {
        let of_system = || SYSTEM_ROOTS.iter().map(PathBuf::from).find(|file| file.exists());
        self.roots.clone().or_else(of_system)
    }
}

/// `has_certifiers`: whether our CAA records let anybody certify.
pub(super) fn resolve(draft: Draft, has_certifiers: bool, base: &Path) -> Result<Option<Acme>, Failure> {
    let Draft { directory, contact, roots, terms_agreed } = draft;
    let Some(directory) = directory else {
        let is_empty = contact.is_none() && roots.is_none() && !terms_agreed;
        let why = "[acme] names no directory, so nobody would be asked";
        let example = "directory = \"https://acme-v02.api.letsencrypt.org/directory\", or no [acme] at all";
        return if is_empty { Ok(None) } else { Err(Failure::new(why).hint(example)) };
    };
    let (host, port) = place(&directory)?;
    if let Some(contact) = &contact {
        check_contact(contact)?;
    }
    if !terms_agreed {
        return Err(Failure::new("`acme.terms_agreed` is not true, and no authority certifies without")
            .hint(format!("a person reads the terms that {directory} names, and then says terms_agreed = true")));
    }
    if !has_certifiers {
        return Err(Failure::new(
            "[acme] is set, and `dns.certifiers` lets nobody certify: every order would be refused",
        )
        .hint("name the authority as it stands in CAA records, such as certifiers = [\"letsencrypt.org\"]"));
    }
    Ok(Some(Acme { directory, host, port, contact, roots: roots.map(|file| base.join(file)) }))
}

fn place(directory: &str) -> Result<(String, u16), Failure> {
    let refused = |why: &str| {
        let shown: String = directory.chars().take(TEXT_OCTETS_MAX).collect();
        Failure::new(format!("`acme.directory` is \"{}\", which {why}", shown.escape_default()))
            .hint("the URL that the authority publishes, such as \"https://acme-v02.api.letsencrypt.org/directory\"")
    };
    let uri = directory.parse::<Uri>().ok().filter(|_| directory.len() <= TEXT_OCTETS_MAX);
    let uri = uri.ok_or_else(|| refused("is no URL"))?;
    if uri.scheme_str() != Some("https") {
        return Err(refused("does not begin with https://"));
    }
    let authority = uri.authority().ok_or_else(|| refused("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(refused("has a user in it"));
    }
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    Ok((bare.to_ascii_lowercase(), authority.port_u16().unwrap_or(HTTPS_PORT)))
}

fn check_contact(contact: &str) -> Result<(), Failure> {
    let address = contact.strip_prefix("mailto:").filter(|_| contact.len() <= TEXT_OCTETS_MAX);
    let is_one = |address: &str| {
        let is_plain = address.bytes().all(|octet| octet.is_ascii_graphic() && !b",?<>\"".contains(&octet));
        is_plain && address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
    };
    if address.is_some_and(is_one) {
        return Ok(());
    }
    Err(Failure::new("`acme.contact` is no mail address").hint("contact = \"mailto:certificates@sinkhole.example\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, has_certifiers: bool) -> Result<Option<Acme>, String> {
        let draft: Draft = toml::from_str(text).map_err(|error| error.to_string())?;
        resolve(draft, has_certifiers, Path::new("/etc/bailiwick")).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn an_authority_is_a_directory_whose_terms_somebody_read() {
        assert!(read("", false).unwrap().is_none());
        let text =
            "directory = \"https://ACME.example/directory\"\ncontact = \"mailto:a@b.example\"\nterms_agreed = true";
        let acme = read(text, true).unwrap().unwrap();
        assert_eq!((acme.host.as_str(), acme.port, acme.is_on_loopback()), ("acme.example", 443, false));
        for (directory, host, port, is_on_loopback) in [
            ("https://127.0.0.1:14000/dir", "127.0.0.1", 14000, true),
            ("https://[::1]:14000/dir", "::1", 14000, true),
            ("https://192.0.2.1/dir", "192.0.2.1", 443, false),
            ("https://localhost/dir", "localhost", 443, false),
        ] {
            let text = format!("directory = \"{directory}\"\nterms_agreed = true\nroots = \"ca.pem\"");
            let acme = read(&text, true).unwrap().unwrap();
            assert_eq!((acme.host.as_str(), acme.port, acme.is_on_loopback()), (host, port, is_on_loopback));
            assert_eq!(acme.roots(), Some("/etc/bailiwick/ca.pem".into()));
        }
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let good = "directory = \"https://acme.example/directory\"\n";
        for (text, has_certifiers, why) in [
            ("terms_agreed = true".to_owned(), true, "names no directory"),
            (
                "directory = \"http://acme.example/\"\nterms_agreed = true".to_owned(),
                true,
                "does not begin with https://",
            ),
            ("directory = \"acme.example\"\nterms_agreed = true".to_owned(), true, "does not begin with https://"),
            ("directory = \"https://a b/\"\nterms_agreed = true".to_owned(), true, "is no URL"),
            ("directory = \"https://u:p@acme.example/\"\nterms_agreed = true".to_owned(), true, "has a user in it"),
            (good.to_owned(), true, "`acme.terms_agreed` is not true"),
            (format!("{good}terms_agreed = true"), false, "`dns.certifiers` lets nobody certify"),
            (format!("{good}terms_agreed = true\ncontact = \"a@b.example\""), true, "is no mail address"),
            (
                format!("{good}terms_agreed = true\ncontact = \"mailto:a@b.example,c@d.example\""),
                true,
                "is no mail address",
            ),
            (format!("{good}agreed = true"), true, "unknown field"),
        ] {
            let failure = read(&text, has_certifiers).unwrap_err();
            assert!(failure.contains(why), "{text}: {failure}");
        }
    }
}
