//! `evidence capture`: what DNS, RDAP, the server's certificate, its HTTP response and a browser say of a name, each kept as
//! an exhibit of its own.
//!
//! Only through the proxy that the operator names. A redirect is recorded and not followed. What fails is kept too: that
//! nothing answered at that minute is evidence.

use desk::api::ExhibitKept;
use docket::evidence::{ExhibitDraft, dns};
use model::DomainName;
use model::evidence::{ExhibitKind, Tool};
use rustls_pki_types::CertificateDer;

use super::look::{Ask, Seen, Way};
use super::{keep, settings, stamp, usual_name};
use crate::cli::{CaptureArgs, Place};
use crate::config::Evidence;
use crate::door::{Door, token};
use crate::failure::{Done, Failure, code};
use crate::supervise::now;
use crate::terminal;

mod browser;

/// Pages of one capture.
const URLS_MAX: usize = 20;
/// What a visitor's browser says it is.
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

pub(super) fn run(place: &Place, args: &CaptureArgs) -> Done {
    let (config, evidence) = settings(place)?;
    if evidence.proxy().is_none() {
        return Err(Failure::new(format!(
            "nothing was looked at: `[evidence]` names no proxy, and `{}` would see this machine",
            args.name
        ))
        .hint("name one in the configuration: [evidence] proxy = \"http://127.0.0.1:8888\""));
    }
    let parsed = DomainName::parse(&args.name);
    let name = parsed.map_err(|error| Failure::new(format!("`{}`: {error}", args.name)).code(code::USAGE))?;
    let urls = urls(&name, &args.urls)?;
    let door = Door::into(&config, "evidence capture")?;
    let mut capture =
        Capture { door: &door, args, name, token: token(&args.who)?, evidence: &evidence, kept: Vec::new() };
    capture.dns()?;
    capture.rdap()?;
    for url in urls {
        capture.page(&url)?;
    }
    let kept = capture.kept;
    if args.out.json {
        return terminal::json(&kept);
    }
    kept.iter().try_for_each(|one| {
        let failed = if one.exhibit.exhibit.failed { ", an attempt that failed" } else { "" };
        terminal::line(&format!("{}: {}{failed}", one.exhibit.exhibit.kind.as_str(), one.said))
    })
}

fn urls(name: &DomainName, said: &[String]) -> Result<Vec<String>, Failure> {
    if said.is_empty() {
        return Ok(vec![format!("http://{}/", name.as_str()), format!("https://{}/", name.as_str())]);
    }
    let usage = |what: String| Failure::new(what).code(code::USAGE);
    if said.len() > URLS_MAX {
        return Err(usage(format!("at most {URLS_MAX} pages are looked at in one go")));
    }
    for url in said {
        let host = url.parse::<axum::http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let is_below =
            host.and_then(|host| DomainName::parse(&host).ok()).is_some_and(|host| host.is_at_or_below(name));
        if !is_below || !url.starts_with("http") {
            return Err(usage(format!("`{url}` is no page of {}", name.defanged())));
        }
    }
    Ok(said.to_vec())
}

/// A capture under way.
struct Capture<'a> {
    door: &'a Door,
    args: &'a CaptureArgs,
    name: DomainName,
    token: String,
    evidence: &'a Evidence,
    kept: Vec<ExhibitKept>,
}

/// What was found in one place.
struct Found {
    kind: ExhibitKind,
    source: String,
    octets: Result<Vec<u8>, String>,
    note: Option<String>,
    tool: Tool,
}

fn own_tool() -> Tool {
    Tool { name: "bailiwick".into(), version: env!("CARGO_PKG_VERSION").into() }
}

impl Capture<'_> {
    fn keep(&mut self, found: Found) -> Done {
        let Found { kind, source, octets, note, tool } = found;
        let (file_name, media_type) = if octets.is_ok() { usual_name(kind) } else { ("attempt.txt", "text/plain") };
        let failed = octets.is_err();
        let captured = now();
        let octets =
            octets.unwrap_or_else(|why| format!("{} of {source} at {captured}: {why}\n", kind.as_str()).into_bytes());
        let draft = ExhibitDraft {
            kind,
            name: Some(self.name.clone()),
            file_name: file_name.into(),
            media_type: media_type.into(),
            captured,
            mark: self.args.mark.clone(),
            note,
            source: Some(source.chars().take(900).collect()),
            tool: Some(tool),
            failed,
        };
        let kept = keep(self.door, &self.args.case, &draft, octets, &self.token)?;
        stamp::if_configured(self.door, &self.args.case, &kept.exhibit.exhibit, self.evidence, &self.token);
        self.kept.push(kept);
        Ok(())
    }

    fn dns(&mut self) -> Done {
        let Some(resolver) = self.evidence.doh.clone() else { return Ok(()) };
        let way = Way::checked(self.evidence)?;
        let (mut text, mut failure) = (String::new(), None);
        for rtype in dns::TYPES {
            let ask = Ask {
                url: resolver.clone(),
                method: "POST",
                headers: ["Content-Type", "Accept"].map(|name| (name, "application/dns-message".to_owned())).to_vec(),
                body: dns::question(&self.name, rtype),
            };
            match way.look(&ask) {
                Ok(seen) if seen.status == 200 => text.push_str(&dns::told(&self.name, rtype, &seen.body)),
                Ok(seen) => failure = Some(format!("the resolver answered {}", seen.status)),
                Err(why) => failure = Some(why),
            }
        }
        let octets = failure.filter(|_| text.is_empty()).map_or(Ok(text.into_bytes()), Err);
        self.keep(Found { kind: ExhibitKind::Dns, source: resolver, octets, note: None, tool: own_tool() })
    }

    fn rdap(&mut self) -> Done {
        let Some(service) = self.evidence.rdap.clone() else { return Ok(()) };
        let apex = self.name.registrable().unwrap_or_else(|| self.name.clone());
        let url = format!("{}/domain/{}", service.trim_end_matches('/'), apex.as_str());
        let headers = vec![("Accept", "application/rdap+json".to_owned())];
        let seen =
            Way::checked(self.evidence)?.look(&Ask { url: url.clone(), method: "GET", headers, body: Vec::new() });
        let octets = match seen {
            Ok(seen) if seen.status == 200 && !seen.is_cut => Ok(seen.body),
            Ok(seen) => Err(format!("the service answered {} with {} octets", seen.status, seen.body.len())),
            Err(why) => Err(why),
        };
        self.keep(Found { kind: ExhibitKind::Rdap, source: url, octets, note: None, tool: own_tool() })
    }

    /// Certificate, head, body, picture.
    fn page(&mut self, url: &str) -> Done {
        let headers = vec![("User-Agent", USER_AGENT.to_owned()), ("Accept", "*/*".to_owned())];
        let ask = Ask { url: url.to_owned(), method: "GET", headers, body: Vec::new() };
        let found = |kind, octets, note| Found { kind, source: url.to_owned(), octets, note, tool: own_tool() };
        let seen = match Way::unbelieving(self.evidence)?.look(&ask) {
            Ok(seen) => seen,
            Err(why) => return self.keep(found(ExhibitKind::Headers, Err(why), None)),
        };
        if !seen.chain.is_empty() {
            let note = Some("the chain as the server showed it; whether it is trusted was not checked".to_owned());
            self.keep(found(ExhibitKind::Certificate, Ok(as_pem(&seen.chain)), note))?;
        }
        self.keep(found(ExhibitKind::Headers, Ok(seen.head.clone()), note_on(&seen)))?;
        let cut =
            seen.is_cut.then(|| "cut: the body is longer than `evidence.page_mib`, or did not come whole".to_owned());
        // An empty body is said by the head; a file of no octets is none.
        if !seen.body.is_empty() {
            self.keep(found(ExhibitKind::Page, Ok(seen.body.clone()), cut))?;
        }
        self.picture(url, &seen)
    }

    fn picture(&mut self, url: &str, seen: &Seen) -> Done {
        let Some(chromium) = &self.evidence.chromium else { return Ok(()) };
        let kind = ExhibitKind::Screenshot;
        let (octets, tool) = match redirect(seen) {
            Some(to) => {
                (Err(format!("it redirects to {to}, which is not followed: capture that with --url")), own_tool())
            }
            None => (browser::picture(chromium, self.evidence, url), browser::tool(chromium)),
        };
        self.keep(Found { kind, source: url.to_owned(), octets, note: None, tool })
    }
}

fn redirect(seen: &Seen) -> Option<String> {
    seen.header("location").filter(|_| (300..400).contains(&seen.status)).map(|to| to.chars().take(400).collect())
}

fn note_on(seen: &Seen) -> Option<String> {
    match seen.status {
        300..=399 => redirect(seen).map(|to| format!("redirects to {to}; not followed")),
        500..=599 => Some("an answer of this kind may be the proxy's own".to_owned()),
        _ => None,
    }
}

fn as_pem(chain: &[CertificateDer<'_>]) -> Vec<u8> {
    use base64::Engine as _;
    let one = |der: &CertificateDer<'_>| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    chain.iter().map(one).collect::<String>().into_bytes()
}
