//! A story told to the running program: real sockets, real clients, real files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use model::Timestamp;

use super::dns::{self, Reply};
use super::step::{Ask, Step, Then, Visit, When};
use super::{Story, case_file, paper, zone_files};
use crate::clock::{now, pause, wait_for};
use crate::program::Program;
use crate::shell::{command, run};
use crate::tally::{contains, holds, lacks};
use crate::{Done, Trouble};

/// No story's authority lasts longer.
const LASTS: Duration = Duration::from_secs(120);
/// For a look at all that lies on the disk.
const LOOK: Duration = Duration::from_secs(60);

/// What every output is written as, to look for what must not be there.
pub const FORMATS: [&str; 7] = ["stix", "rpz", "suricata", "hosts", "csv", "json", "shadowserver"];

/// Tells it from the beginning, and stops at the first step that is not as told.
pub fn tell(story: &Story) -> Done {
    let paper = tempfile::Builder::new().suffix(".toml").tempfile()?;
    let begun = now();
    fs::write(paper.path(), case_file(story.givens(), begun))?;
    let mut program = Program::install(paper.path())?;
    program.start()?;
    let ends = paper::ends(story.givens(), begun);
    let mut stage = Stage { program, ends, reply: None, page: String::new(), status: 0 };
    stage.keep_records(&zone_files(story.givens()))?;
    for (line, step) in &story.steps {
        stage.step(step).map_err(|trouble| format!("line {line}: {trouble}"))?;
    }
    stage.program.stop()
}

/// The program, and what came of the last `when`.
struct Stage {
    program: Program,
    /// When the authority ends.
    ends: Option<Timestamp>,
    reply: Option<Reply>,
    page: String,
    status: u16,
}

impl Stage {
    fn step(&mut self, step: &Step) -> Done {
        match step {
            Step::Given(_) => Ok(()),
            Step::When(when) => self.happens(when),
            Step::Then(then) => self.is_seen(then),
        }
    }

    //------- when -------------------------------------------------------------------------------------------------

    fn happens(&mut self, when: &When) -> Done {
        match when {
            When::Asks(ask) => self.asks(ask),
            When::SendsOctets { source, octets } => {
                let answer = dns::over_udp(*source, self.program.dns(), octets)?;
                self.reply = answer.map(|answer| dns::read(octets, &answer)).transpose()?;
                Ok(())
            }
            When::Opens(visit) => self.visits(visit, None),
            When::Posts { body, visit } => self.visits(visit, Some(body)),
            When::Says { source, text } => self.says(*source, text),
            When::Narrowed { name, mode } => self.narrows(name, mode),
            When::AuthorityEnded => self.outlasts_its_authority(),
            When::Killed => self.program.kill().and_then(|()| self.program.start()),
        }
    }

    fn keep_records(&self, files: &BTreeMap<&str, String>) -> Done {
        for (name, text) in files {
            let file = self.program.path(&format!("{name}.zone"));
            fs::write(&file, text)?;
            let (case, token, file) = (&self.program.case, self.program.token("ines"), file.display().to_string());
            let words = ["case", "records", case, name, "--zone-file", &file, "--source", "the story"];
            self.program.ask(&[&words[..], &["--as", "ines", "--token-file", &token]].concat())?.good()?;
        }
        Ok(())
    }

    /// The program lets an authority lapse by the clock, so the clock is what is waited for.
    fn outlasts_its_authority(&self) -> Done {
        let ends = self.ends.ok_or("the story gives no end of its authority")?;
        wait_for("the authority's end", LASTS, || (now() > ends).then_some(()))
    }

    fn asks(&mut self, ask: &Ask) -> Done {
        self.reply = dns::ask(ask, self.program.dns())?;
        Ok(())
    }

    /// By curl, from the visitor's address, with the name resolved by hand: no look-up leaves the machine.
    fn visits(&mut self, visit: &Visit, body: Option<&str>) -> Done {
        let (scheme, port) =
            if visit.over_tls { ("https", self.program.ports.https) } else { ("http", self.program.ports.http) };
        let mut curl = command("curl", ["--silent", "--insecure", "--max-time", "10", "--write-out", "\n%{http_code}"]);
        curl.args(["--interface", &visit.source.to_string(), "--resolve", &format!("{}:{port}:127.0.0.1", visit.name)]);
        let more =
            [("--referer", visit.referer.as_deref()), ("--user-agent", visit.agent.as_deref()), ("--data", body)];
        for (flag, value) in more.into_iter().filter_map(|(flag, value)| Some((flag, value?))) {
            curl.args([flag, value]);
        }
        curl.arg(format!("{scheme}://{}:{port}{}", visit.name, visit.path));
        let said = run(&mut curl)?;
        let (page, status) = said.out.rsplit_once('\n').ok_or_else(|| format!("curl said {}", said.all()))?;
        (self.page, self.status) = (page.to_owned(), status.parse()?);
        Ok(())
    }

    /// Raw octets to the HTTP port, and whatever comes back until the other side closes or falls silent.
    fn says(&mut self, source: Ipv4Addr, text: &str) -> Done {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.program.ports.http));
        let mut stream = dns::connect(source, server)?;
        stream.write_all(text.as_bytes())?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = Vec::new();
        // A reset after the answer is as good an end as any.
        let _ = stream.read_to_end(&mut answer);
        self.page = String::from_utf8_lossy(&answer).into_owned();
        self.status = self.page.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok(())
    }

    /// What narrows takes effect within a second: that is the promise, so a second is waited.
    fn narrows(&self, name: &str, mode: &str) -> Done {
        let (case, token) = (&self.program.case, self.program.token("ines"));
        let words = ["case", "narrow", case, name, "--mode", mode, "--reason", "the story says so"];
        self.program.ask(&[&words[..], &["--as", "ines", "--token-file", &token]].concat())?.good()?;
        pause(Duration::from_secs(1));
        Ok(())
    }

    //------- then -------------------------------------------------------------------------------------------------

    fn is_seen(&self, then: &Then) -> Done {
        match then {
            Then::Status(status) => holds(self.status == *status, || format!("the status was {}", self.status)),
            Then::PageSays(text) => contains(&self.page, text),
            Then::PageLacks(text) => lacks(&self.page, text),
            Then::Recorded { count, kind } => self.is_recorded(*count, kind),
            Then::Nowhere(text) => self.is_nowhere(text),
            Then::Labelled { source, label } => self.is_labelled(*source, label),
            Then::Oddity(code) => self.has_oddity(code),
            Then::Reported { source, is } => {
                let report = fs::read_to_string(self.program.feed("shadowserver", "network-owners")?)?;
                if *is { contains(&report, &source.to_string()) } else { lacks(&report, &source.to_string()) }
            }
            Then::InNoOutput(source) => self.is_in_no_output(*source),
            Then::InFeed { name, format, is } => {
                let feed = fs::read_to_string(self.program.feed(format, "partners")?)?;
                if *is { contains(&feed, name) } else { lacks(&feed, name) }
            }
            about_dns => dns::judge(about_dns, self.reply.as_ref()),
        }
    }

    fn is_recorded(&self, count: u64, kind: &str) -> Done {
        let filter = if kind == "contact" { String::new() } else { format!(" where kind = '{kind}'") };
        self.program.count_reaches(&format!("select count(*) from contacts{filter}"), count)
    }

    fn is_labelled(&self, source: Ipv4Addr, label: &str) -> Done {
        let sql = format!("select count(*) > 0 from sightings where source = '{source}' and label = '{label}'");
        let is = |rows: Vec<Vec<serde_json::Value>>| rows == [[serde_json::Value::Bool(true)]];
        let seen = crate::clock::wait_for(&format!("{source} to be labelled {label}"), crate::program::LEARN, || {
            self.program.rows(&sql).ok().filter(|rows| is(rows.clone()))
        });
        seen.map(|_| ()).map_err(|trouble| self.with_labels(source, &trouble))
    }

    fn with_labels(&self, source: Ipv4Addr, trouble: &Trouble) -> Trouble {
        let labels =
            self.program.rows(&format!("select kind, label, reasons from sightings where source = '{source}'"));
        format!("{trouble}; seen: {labels:?}").into()
    }

    /// On disk: the contact is there before its answer.
    fn has_oddity(&self, code: &str) -> Done {
        contains(&self.program.ask(&["journal", "csv"])?.good()?, code)
    }

    /// Raw, and in the spellings in which a form sends it.
    fn is_nowhere(&self, text: &str) -> Done {
        // The program goes on: what it removes or renames meanwhile has another look taken at all of it.
        let found = wait_for("a look during which no file goes", LOOK, || {
            match holders(&self.program.data(), text.as_bytes()) {
                Err(trouble) if is_gone(&trouble) => None,
                found => Some(found),
            }
        })??;
        holds(found.is_empty(), || format!("`{text}` is in {}", found.join(", ")))?;
        lacks(&self.program.log(), text)
    }

    fn is_in_no_output(&self, source: Ipv4Addr) -> Done {
        for format in FORMATS {
            for audience in ["public", "partners", "network-owners", "court"] {
                // An audience that is refused gets no output either.
                let Some(file) = self.program.feed_unless_refused(format, audience)? else { continue };
                let found = holders(&file, source.to_string().as_bytes())?;
                holds(found.is_empty(), || format!("{source} is in the {format} for {audience}"))?;
            }
        }
        Ok(())
    }
}

fn is_gone(trouble: &Trouble) -> bool {
    trouble.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// The files at or below `place` that hold these octets.
fn holders(place: &Path, octets: &[u8]) -> Result<Vec<String>, Trouble> {
    if place.is_dir() {
        let within = fs::read_dir(place)?.flatten().map(|entry| holders(&entry.path(), octets));
        return Ok(within.collect::<Result<Vec<_>, _>>()?.concat());
    }
    // A socket holds nothing.
    let holds = place.is_file() && fs::read(place)?.windows(octets.len()).any(|part| part == octets);
    Ok(if holds { vec![place.display().to_string()] } else { Vec::new() })
}
