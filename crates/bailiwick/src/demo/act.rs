//! The acts of the demo, in order. Each goes through the control socket, as every command does.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use callers::Tally;
use model::contact::Kind;
use model::marking::Audience;
use share::Format;

use super::needle::Search;
use super::report::Report;
use super::stage::{Daemon, Stage, own_program};
use super::{ask, plant, scan};
use crate::cli::Place;
use crate::config::Config;
use crate::door::Door;
use crate::failure::{Failure, Tried};
use crate::on_disk::OnDisk;

/// The exercise that the demo plays: modelled on public facts, shipped with the program.
pub(crate) const CASE_FILE: &str = include_str!("../../../../cases/phosphorus-2019.toml");
pub(crate) const CASE: &str = "phosphorus-2019";

/// How long each wait may take before the demo gives up and says so.
const ZONES_WAIT: Duration = Duration::from_secs(60);
const INSIGHT_WAIT: Duration = Duration::from_secs(300);
const CALLERS_WAIT: Duration = Duration::from_secs(300);
/// How often a condition is looked at: the control socket has no events.
const LOOK_EVERY: Duration = Duration::from_millis(50);

//----------- Play -------------------------------------------------------------------------------------------------

pub(crate) struct Play {
    pub(crate) stage: Stage,
    pub(crate) daemon: Daemon,
    pub(crate) door: Door,
    pub(crate) tally: Tally,
    pub(crate) names: u64,
    started: Instant,
    quiet: bool,
    interrupted: Arc<AtomicBool>,
    /// What was recorded before anybody but our callers could call; `None` if nobody else was let in.
    before_visitors: Option<OnDisk>,
}

/// What was exported, by format: the file's name and its size.
pub(crate) type Feeds = BTreeMap<String, (String, u64)>;

impl Play {
    #[expect(clippy::disallowed_methods, reason = "the demo measures itself by the clock on the wall")]
    pub(crate) fn open(stage: Stage, quiet: bool) -> Result<Self, Failure> {
        let started = Instant::now();
        let interrupted = on_interrupt()?;
        let daemon = Daemon::start(&stage)?;
        let config = Config::load(&Place { config: Some(stage.config()), data: None, reader: None })?;
        let door = Door::into(&config, "demo")?;
        Ok(Self {
            stage,
            daemon,
            door,
            tally: Tally::default(),
            names: 0,
            started,
            quiet,
            interrupted,
            before_visitors: None,
        })
    }

    fn tell(&self, text: &str) {
        if !self.quiet {
            anstream::eprint!("\r\x1b[K{text}");
            let _ = std::io::stderr().flush();
        }
    }

    fn done(&self, text: &str) {
        self.tell(&format!("{text}\n"));
    }

    /// Case, two people, their yes, names in service.
    pub(crate) fn import_and_approve(&mut self) -> Result<(), Failure> {
        self.tell("case: importing the exercise");
        self.names = ask::import(&self.door)?;
        self.done(&format!("case       {CASE}: {} names, an exercise modelled on public facts", self.names));
        ask::approve(&self.door)?;
        let names = self.names;
        self.wait(ZONES_WAIT, "the zones to be served", |door| Ok(ask::zones_served(door)? == names))?;
        self.done(&format!("approved   by two people in two roles; {names} zones are answered"));
        Ok(())
    }

    /// The population calls, from a process of its own.
    pub(crate) fn let_them_call(&mut self, scale: u32) -> Result<(), Failure> {
        let folder = self.stage.callers();
        let plan = self.plan(scale)?;
        let plan_file = folder.join("plan.json");
        let text = serde_json::to_vec_pretty(&plan).tried("writing the callers' plan")?;
        std::fs::write(&plan_file, text).tried("writing the callers' plan")?;
        let log = std::fs::File::create(self.stage.root().join("callers.log")).tried("making the callers' log")?;
        let mut child = Command::new(own_program()?)
            .args(["callers", "--plan"])
            .arg(&plan_file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().tried("sharing the callers' log")?)
            .stderr(log)
            .spawn()
            .tried("starting the callers")?;
        self.watch(&mut child)?;
        self.tally = Tally::read(&plan.tally).tried("reading the callers' tally")?;
        self.done(&format!("called     {} times, by {} callers", self.tally.sent.total(), self.callers()));
        Ok(())
    }

    fn plan(&self, scale: u32) -> Result<callers::Plan, Failure> {
        let first = |addresses: &[std::net::SocketAddr], what: &str| {
            addresses
                .first()
                .copied()
                .ok_or_else(|| Failure::new(format!("the daemon announced no address for {what}")))
        };
        let announced = &self.daemon.announcement;
        Ok(callers::Plan {
            seed: 2019,
            names: ask::served_names(&self.door)?,
            dns: first(&announced.dns, "DNS")?,
            http: first(&announced.http, "HTTP")?,
            https: first(&announced.https, "HTTPS")?,
            scale: callers::plan::SCALE_DEMO * scale,
            duration_max_secs: CALLERS_WAIT.as_secs(),
            report_answered: false,
            tally: self.stage.callers().join("tally.json"),
        })
    }

    pub(crate) fn callers(&self) -> u64 {
        self.tally.callers.values().sum()
    }

    /// Progress while they call.
    fn watch(&self, child: &mut Child) -> Result<(), Failure> {
        let mut status = None;
        self.wait(CALLERS_WAIT, "the callers to come home", |door| {
            status = child.try_wait().tried("waiting for the callers")?;
            if status.is_none() {
                self.tell(&format!("calling    {} contacts recorded", ask::recorded(door)?));
            }
            Ok(status.is_some())
        })?;
        match status {
            Some(status) if status.success() => Ok(()),
            _ => {
                let said = std::fs::read_to_string(self.stage.root().join("callers.log")).unwrap_or_default();
                Err(Failure::new(format!("the callers failed: {}", said.trim_end())))
            }
        }
    }

    /// Everything that was recorded is labelled and archived.
    pub(crate) fn wait_for_insight(&mut self) -> Result<(), Failure> {
        self.tell("insight    labelling");
        let recorded = OnDisk::count(&self.stage.data())?.contacts();
        self.wait(INSIGHT_WAIT, "insight to follow", |door| Ok(ask::archived(door)? >= recorded))?;
        self.done(&format!("understood {recorded} contacts labelled and archived"));
        Ok(())
    }

    /// Every format, for the audience that takes it.
    pub(crate) fn export_feeds(&mut self) -> Result<Feeds, Failure> {
        let mut feeds = Feeds::new();
        for format in Format::ALL {
            let audience = match format {
                Format::Shadowserver => Audience::NetworkOwners,
                _ => Audience::Partners,
            };
            let (name, bytes) = ask::feed(&self.door, format, audience)?;
            let path = self.stage.feeds().join(&name);
            std::fs::write(&path, &bytes).tried(format_args!("writing {}", path.display()))?;
            feeds.insert(format.as_str().to_owned(), (name, bytes.len() as u64));
        }
        self.done(&format!("shared     {} feeds", feeds.len()));
        Ok(feeds)
    }

    /// Stays until Ctrl-C. Whoever calls meanwhile is a visitor, and counted as one.
    pub(crate) fn wait_for_interrupt(&mut self) -> Result<(), Failure> {
        self.before_visitors = Some(OnDisk::count(&self.stage.data())?);
        while !self.interrupted.swap(false, Ordering::Relaxed) {
            pause();
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the demo measures itself by the clock on the wall")]
    fn wait(
        &self,
        at_most: Duration,
        what: &str,
        mut holds: impl FnMut(&Door) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        while !holds(&self.door)? {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(Failure::new("interrupted; everything is stopped"));
            }
            if began.elapsed() > at_most {
                return Err(Failure::new(format!("waited {} s for {what}", at_most.as_secs()))
                    .hint(format!("see {}", self.stage.log().display())));
            }
            pause();
        }
        Ok(())
    }

    /// Visitors too are archived before the count.
    fn archived_all(&self) -> Result<u64, Failure> {
        let recorded = OnDisk::count(&self.stage.data())?.contacts();
        self.wait(INSIGHT_WAIT, "insight to follow", |door| Ok(ask::archived(door)? >= recorded))?;
        ask::archived(&self.door)
    }

    /// Stops the daemon, then reads from disk what is there and looks for what must not be.
    pub(crate) fn close(self, feeds: &Feeds) -> Result<Report, Failure> {
        let by_label = ask::by_label(&self.door)?;
        let indicators = ask::indicators(&self.door)?;
        let archived = self.archived_all()?;
        self.tell("proof      stopping, then counting what is on disk");
        self.daemon.stop()?;
        let on_disk = OnDisk::count(&self.stage.data())?;
        let apart = self.stage.callers();
        let mut search = Search::new(&self.tally.secrets_typed);
        scan::scan(self.stage.root(), &apart, &mut search)?;
        let control = plant::control(self.stage.root(), &apart)?;
        let tally = on_disk.tally();
        let sent = &self.tally.sent;
        if !self.quiet {
            anstream::eprint!("\r\x1b[K");
        }
        Ok(Report {
            sent: sent.total(),
            recorded: on_disk.contacts(),
            collapsed: tally.collapsed,
            shed: tally.shed.total(),
            lost_in_kernel: tally.lost_in_kernel,
            sent_by_kind: Kind::ALL.map(|kind| (kind.as_str(), sent.of(kind))).into(),
            visitors_by_kind: visitors(self.before_visitors.as_ref(), &on_disk),
            recorded_by_kind: on_disk.by_kind,
            by_protocol: on_disk.by_protocol,
            by_label,
            archived,
            indicators,
            feeds: feeds.values().cloned().collect(),
            secrets_typed: self.tally.secrets_typed.len() as u64,
            secrets_found: search.found().len() as u64,
            secrets_planted: control.planted,
            secrets_planted_found: control.found,
            secrets_found_in: search.found().values().cloned().collect(),
            damaged: on_disk.report.damaged.len() as u64 + on_disk.report.missing,
            doubles: on_disk.report.doubles,
            seconds: self.started.elapsed().as_secs_f64(),
        })
    }
}

/// Contacts of anybody but the callers: what came in after those had come home.
fn visitors(before: Option<&OnDisk>, at_the_end: &OnDisk) -> BTreeMap<&'static str, u64> {
    let before = |kind, count| before.map_or(count, |before| before.by_kind[kind]);
    at_the_end.by_kind.iter().map(|(kind, count)| (*kind, count - before(kind, *count))).collect()
}

#[expect(clippy::disallowed_methods, reason = "other processes have no events for the demo")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

/// A flag that Ctrl-C raises, so that no daemon and no folder stays behind.
fn on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let raised = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&raised);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
            }
        });
    });
    Ok(raised)
}
