//! `evidence capture`: what DNS, RDAP, the server's certificate, its HTTP response and a browser say of a name, each kept as
//! an exhibit of its own.
//!
//! Only through the proxy that the operator names. A redirect is recorded and not followed. What fails is kept too: that
//! nothing answered at that minute is evidence.

use desk::api::ExhibitKept;
use docket::decide::cut;
use docket::evidence::{ExhibitDraft, dns};
use model::evidence::{ExhibitKind, Tool};
use model::{DomainName, Timestamp};
use rustls_pki_types::CertificateDer;

use super::look::{Ask, Seen, Way};
use super::{keep, may_keep, settings, stamp, usual_name};
use crate::cli::{CaptureArgs, Place};
use crate::config::Evidence;
use crate::door::{Door, token};
use crate::failure::{Done, Failure, code};
use crate::roles::browser;
use crate::supervise::now;
use crate::terminal;

/// What is said of every picture: a browser does more than the one look beside it.
const BROWSER: &str = "as a browser ended up; it follows redirects and loads from other hosts";

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
    capture.check()?;
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
    /// When the look returned.
    captured: Timestamp,
    octets: Result<Vec<u8>, String>,
    note: Option<String>,
    tool: Tool,
}

fn own_tool() -> Tool {
    Tool { name: "bailiwick".into(), version: env!("CARGO_PKG_VERSION").into() }
}

impl Capture<'_> {
    /// Before the world is asked: whether this person may keep evidence about this name.
    fn check(&self) -> Done {
        let (file_name, media_type) = usual_name(ExhibitKind::Headers);
        let draft = ExhibitDraft {
            kind: ExhibitKind::Headers,
            name: Some(self.name.clone()),
            file_name: file_name.into(),
            media_type: media_type.into(),
            captured: now(),
            mark: self.args.mark.clone(),
            note: None,
            source: None,
            tool: Some(own_tool()),
            failed: false,
        };
        may_keep(self.door, &self.args.case, &draft, &self.token)
    }

    fn keep(&mut self, found: Found) -> Done {
        let Found { kind, source, captured, octets, note, tool } = found;
        let (file_name, media_type) = if octets.is_ok() { usual_name(kind) } else { ("attempt.txt", "text/plain") };
        let failed = octets.is_err();
        let octets =
            octets.unwrap_or_else(|why| format!("{} of {source} at {captured}: {why}\n", kind.as_str()).into_bytes());
        let draft = ExhibitDraft {
            kind,
            name: Some(self.name.clone()),
            file_name: file_name.into(),
            media_type: media_type.into(),
            captured,
            mark: self.args.mark.clone(),
            note: note.as_deref().map(cut),
            source: Some(cut(&source)),
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
        let (mut text, mut has_answer) = (String::new(), false);
        for rtype in dns::TYPES {
            let ask = Ask {
                url: resolver.clone(),
                method: "POST",
                headers: ["Content-Type", "Accept"].map(|name| (name, "application/dns-message".to_owned())).to_vec(),
                body: dns::question(&self.name, rtype),
            };
            let why = match way.look(&ask) {
                Ok(seen) if seen.status == 200 && !seen.is_cut => {
                    has_answer = true;
                    text.push_str(&dns::told(&self.name, rtype, &seen.body));
                    continue;
                }
                Ok(seen) => format!("the resolver answered {} with {} octets", seen.status, seen.body.len()),
                Err(why) => why,
            };
            text.push_str(&format!("; {} {rtype}\n; no answer: {why}\n", self.name.as_str()));
        }
        let captured = now();
        let octets = if has_answer { Ok(text.into_bytes()) } else { Err(text) };
        self.keep(Found { kind: ExhibitKind::Dns, source: resolver, captured, octets, note: None, tool: own_tool() })
    }

    fn rdap(&mut self) -> Done {
        let Some(service) = self.evidence.rdap.clone() else { return Ok(()) };
        let apex = self.name.registrable().unwrap_or_else(|| self.name.clone());
        let url = format!("{}/domain/{}", service.trim_end_matches('/'), apex.as_str());
        let headers = vec![("Accept", "application/rdap+json".to_owned())];
        let seen =
            Way::checked(self.evidence)?.look(&Ask { url: url.clone(), method: "GET", headers, body: Vec::new() });
        let captured = now();
        let octets = match seen {
            Ok(seen) if seen.status == 200 && !seen.is_cut => Ok(seen.body),
            Ok(seen) => Err(format!("the service answered {} with {} octets", seen.status, seen.body.len())),
            Err(why) => Err(why),
        };
        self.keep(Found { kind: ExhibitKind::Rdap, source: url, captured, octets, note: None, tool: own_tool() })
    }

    /// Certificate, head, body, picture.
    fn page(&mut self, url: &str) -> Done {
        let headers = vec![("User-Agent", USER_AGENT.to_owned()), ("Accept", "*/*".to_owned())];
        let ask = Ask { url: url.to_owned(), method: "GET", headers, body: Vec::new() };
        let looked = Way::unbelieving(self.evidence)?.look(&ask);
        let captured = now();
        let found =
            |kind, octets, note| Found { kind, source: url.to_owned(), captured, octets, note, tool: own_tool() };
        let seen = match looked {
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
        let (octets, captured, note, tool) = match redirect(seen) {
            Some(to) => {
                let why = format!("it redirects to {to}, which is not followed: capture that with --url");
                (Err(why), now(), None, own_tool())
            }
            None => {
                let octets = browser::picture(chromium, self.evidence, url);
                (octets, now(), Some(BROWSER.to_owned()), browser::tool(chromium))
            }
        };
        self.keep(Found { kind, source: url.to_owned(), captured, octets, note, tool })
    }
}

fn redirect(seen: &Seen) -> Option<String> {
    seen.header("location").filter(|_| (300..400).contains(&seen.status)).map(|to| to.chars().take(400).collect())
}

fn note_on(seen: &Seen) -> Option<String> {
    match seen.status {
        300..=399 => redirect(seen).map(|to| format!("redirects to {to}; not followed")),
        _ if seen.is_cut && seen.body.is_empty() => Some("the body did not come".to_owned()),
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
