//! Resolvers act on the policy zone that we render: they block, let through, and forget.
//!
//! BIND and Unbound take the zone by transfer and are told of changes; PowerDNS Recursor polls; Knot Resolver reads the
//! file. The primary is somebody else's too, BIND with our file, as a CERT hands it on. One name moves from *ours* over
//! *held* to *returned*; each stage is what the program's own command line makes of it.

mod world;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use self::world::{Does, World, does};
use super::name_servers::{NameServer, Recipe};
use crate::clock::{Watch, wait_for};
use crate::program::{Ports, Program};
use crate::story::{Given, case_file};
use crate::tally::{Tally, all, holds};
use crate::{Done, Trouble};

/// Ours, then held, then returned; and one that its registry holds from the beginning to the end.
const MOVING: &str = "moving.test";
const BELOW: &str = "www.moving.test";
const HELD: &str = "held.test";

/// From a changed file to another answer, where changes are told.
const TOLD_MAX: Duration = Duration::from_secs(2);
/// What PowerDNS Recursor is configured with.
const REFRESH_SECS: u64 = 1;
const PACKET_CACHE_SECS: u64 = 2;
/// The transfer itself, and a look every second whether a refresh is due.
const POLL_SLACK_SECS: u64 = 2;
/// Until a resolver that was just started has the zone.
const LOADED_MAX: Duration = Duration::from_secs(20);

const PRIMARY: Recipe = Recipe {
    name: "the primary",
    program: "named",
    arguments: &["-g", "-n", "1", "-c", "@FOLDER@/primary.conf"],
    files: &["primary.conf"],
};
const BIND: Recipe = Recipe {
    name: "BIND",
    program: "named",
    arguments: &["-g", "-n", "1", "-c", "@FOLDER@/bind.conf"],
    files: &["bind.conf"],
};
const UNBOUND: Recipe = Recipe {
    name: "Unbound",
    program: "unbound",
    arguments: &["-d", "-c", "@FOLDER@/unbound.conf"],
    files: &["unbound.conf"],
};
const RECURSOR: Recipe = Recipe {
    name: "PowerDNS Recursor",
    program: "pdns_recursor",
    arguments: &["--config-dir=@FOLDER@"],
    files: &["recursor.conf", "recursor.lua"],
};
const KRESD: Recipe = Recipe {
    name: "Knot Resolver",
    program: "kresd",
    arguments: &["-n", "-c", "@FOLDER@/kresd.conf", "@FOLDER@"],
    files: &["kresd.conf"],
};

pub fn run(tally: &mut Tally) -> Done {
    let mut program = install()?;
    program.start()?;
    let mut fleet = Fleet::start(&program)?;
    for consumer in &fleet.consumers {
        let promise = format!("{} has the zone: it blocks what a registry holds", consumer.server.name);
        tally.check(&promise, until(consumer.server.address, HELD, Does::Blocks, LOADED_MAX));
    }
    for stage in &STAGES {
        fleet.go_through(tally, &program, stage)?;
    }
    program.stop()
}

fn install() -> Result<Program, Trouble> {
    let folder = tempfile::TempDir::with_prefix("bailiwick-resolvers-")?;
    let paper = folder.path().join("case.toml");
    let held = Given::Ordered { name: HELD.to_owned(), outcome: "hold".to_owned() };
    fs::write(&paper, case_file([Given::Seized(MOVING.to_owned()), held].iter(), crate::clock::now()))?;
    Program::install(&paper)
}

//----------- Stages -----------------------------------------------------------------------------------------------

/// Where a name stands, and what a resolver then does with it and with all below it.
struct Stage {
    name: &'static str,
    /// How it came there.
    narrow: Option<&'static str>,
    does: Does,
    /// Whether a resolver that logs tells its operator that a policy was met.
    is_logged: bool,
}

const STAGES: [Stage; 3] = [
    Stage { name: "ours is let through", narrow: None, does: Does::LetsThrough, is_logged: true },
    Stage { name: "held is blocked", narrow: Some("hold"), does: Does::Blocks, is_logged: true },
    Stage { name: "returned is forgotten", narrow: Some("handback"), does: Does::LetsThrough, is_logged: false },
];

fn narrow(program: &Program, mode: &str) -> Done {
    let (case, token) = (&program.case, program.token("ines"));
    let words = ["case", "narrow", case, MOVING, "--mode", mode, "--reason", "the suite says so"];
    program.ask(&[&words[..], &["--as", "ines", "--token-file", &token]].concat())?.good().map(|_| ())
}

//----------- Fleet ------------------------------------------------------------------------------------------------

/// One resolver, and how long a change may take to reach it.
struct Consumer {
    server: NameServer,
    limit: Duration,
    /// Whether its log has a line for each policy that was met.
    logs: bool,
}

/// The primary, those who take the zone from it, and the one that reads the file.
struct Fleet {
    world: World,
    zone: PathBuf,
    primary: NameServer,
    consumers: Vec<Consumer>,
}

impl Fleet {
    fn start(program: &Program) -> Result<Self, Trouble> {
        let world = World::start()?;
        let zone = program.feed("rpz", "partners")?;
        let [primary, bind, unbound, recursor] = [address()?, address()?, address()?, address()?];
        let text = |number: u64| number.to_string();
        let values = [
            ("WORLD", text(world.port.into())),
            ("ZONE", zone.to_string_lossy().into_owned()),
            ("PRIMARY", text(primary.port().into())),
            ("BIND", text(bind.port().into())),
            ("UNBOUND", text(unbound.port().into())),
            ("REFRESH", text(REFRESH_SECS)),
            ("CACHE", text(PACKET_CACHE_SECS)),
        ];
        let words: Vec<(&str, &str)> = values.iter().map(|(word, value)| (*word, value.as_str())).collect();
        let start = |recipe: &Recipe, address| NameServer::start(recipe, "resolvers", address, &words);
        let polled = Duration::from_secs(REFRESH_SECS + PACKET_CACHE_SECS + POLL_SLACK_SECS);
        let primary = start(&PRIMARY, primary)?;
        let consumers = vec![
            Consumer { server: start(&BIND, bind)?, limit: TOLD_MAX, logs: true },
            Consumer { server: start(&UNBOUND, unbound)?, limit: TOLD_MAX, logs: true },
            Consumer { server: start(&RECURSOR, recursor)?, limit: polled, logs: false },
        ];
        Ok(Self { world, zone, primary, consumers })
    }

    /// The name changes where it stands, the file is rendered again, and everybody is watched.
    fn go_through(&mut self, tally: &mut Tally, program: &Program, stage: &Stage) -> Done {
        if let Some(mode) = stage.narrow {
            narrow(program, mode)?;
            program.feed("rpz", "partners")?;
            self.primary.reload()?;
        }
        let watch = Watch::start();
        std::thread::scope(|scope| {
            let watched =
                self.consumers.iter().map(|consumer| (consumer, scope.spawn(|| acts(consumer, stage, watch))));
            let watched: Vec<_> = watched.collect();
            for (consumer, thread) in watched {
                let promise = format!("{}: {} within {:?}", consumer.server.name, stage.name, consumer.limit);
                tally.check(&promise, thread.join().expect("nobody panics while he watches"));
            }
        });
        tally.check(&format!("Knot Resolver with the file: {}", stage.name), self.with_file(stage));
        Ok(())
    }

    /// A resolver that was started with the file as it is now.
    fn with_file(&self, stage: &Stage) -> Done {
        let (world, zone) = (self.world.port.to_string(), self.zone.to_string_lossy());
        let words = [("WORLD", world.as_str()), ("ZONE", &*zone)];
        let resolver = NameServer::start(&KRESD, "resolvers", address()?, &words)?;
        all([(HELD, Does::Blocks), (MOVING, stage.does), (BELOW, stage.does)]
            .map(|(name, wanted)| until(resolver.address, name, wanted, LOADED_MAX)))
    }
}

fn address() -> Result<SocketAddr, Trouble> {
    Ok((Ipv4Addr::LOCALHOST, Ports::free()?.dns).into())
}

//----------- Watching ---------------------------------------------------------------------------------------------

/// The name and all below it, in time, and told to the operator where the resolver logs.
fn acts(consumer: &Consumer, stage: &Stage, watch: Watch) -> Done {
    let server = &consumer.server;
    for name in [MOVING, BELOW] {
        until(server.address, name, stage.does, consumer.limit)
            .map_err(|trouble| format!("{trouble}\n{}", tail(server)))?;
    }
    let secs = watch.secs();
    println!("  {}: {} after {secs:.2} s", server.name, stage.name);
    let in_time = holds(secs <= consumer.limit.as_secs_f64(), || format!("it took {secs:.2} s"));
    all([in_time, if consumer.logs { is_logged(server, stage) } else { Ok(()) }])
}

/// One more question makes one more line, or none.
fn is_logged(server: &NameServer, stage: &Stage) -> Done {
    let lines = || server.log().lines().filter(|line| line.contains("rpz") && line.contains(MOVING)).count();
    let before = lines();
    let answered = does(server.address, MOVING);
    holds(answered == Some(stage.does), || format!("then it did {answered:?}"))?;
    if stage.is_logged {
        return wait_for("a line about the policy", TOLD_MAX, || (lines() > before).then_some(()));
    }
    holds(lines() == before, || format!("it still logs\n{}", tail(server)))
}

/// Waits until a resolver does this with a name.
fn until(resolver: SocketAddr, name: &str, wanted: Does, limit: Duration) -> Done {
    let mut last = None;
    wait_for(&format!("{name} to be treated as {wanted:?}"), limit, || {
        last = does(resolver, name);
        (last == Some(wanted)).then_some(())
    })
    .map_err(|trouble| format!("{trouble}; the last answer: {last:?}").into())
}

/// The end of what a server told its operator.
fn tail(server: &NameServer) -> String {
    const SHOWN_LINES: usize = 12;
    let log = server.log();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
