//! Resolvers act on the policy zone that we publish: they block, let through, and forget.
//!
//! BIND takes the zone from our primary by transfer, signed, and is told of changes; so is Unbound, which cannot sign and
//! is known by its address; PowerDNS Recursor polls and signs; Knot Resolver reads the file. One name moves from *not ours*
//! over *ours* and *held* to *returned*; each stage is what the program's own command line makes of it.

mod world;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
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

/// The key that BIND and PowerDNS Recursor sign with, in base64.
const SECRET: &str = "c2l4dGVlbiBvciBtb3JlIG9jdGV0cyBvZiBhIHRlc3Q=";

/// From a change to another answer, where changes are told.
const TOLD_MAX: Duration = Duration::from_secs(2);
/// What PowerDNS Recursor is configured with.
const REFRESH_SECS: u64 = 1;
const PACKET_CACHE_SECS: u64 = 2;
/// The transfer itself, and a look every second whether a refresh is due.
const POLL_SLACK_SECS: u64 = 2;
/// Until a resolver that was just started has the zone.
const LOADED_MAX: Duration = Duration::from_secs(90);

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
    let (mut program, plan) = install()?;
    program.start()?;
    let mut fleet = Fleet::start(&program, &plan)?;
    for consumer in &fleet.consumers {
        let promise = format!("{} has the zone: it blocks what a registry holds", consumer.server.name);
        tally.check(&promise, until(consumer.server.address, HELD, Does::Blocks, LOADED_MAX));
    }
    for stage in &STAGES {
        fleet.go_through(tally, &program, stage)?;
    }
    program.stop()
}

/// Where everybody is, before anybody is.
struct Plan {
    primary: SocketAddr,
    bind: SocketAddr,
    unbound: SocketAddr,
    recursor: SocketAddr,
}

fn install() -> Result<(Program, Plan), Trouble> {
    let folder = tempfile::TempDir::with_prefix("bailiwick-resolvers-")?;
    let paper = folder.path().join("case.toml");
    let held = Given::Ordered { name: HELD.to_owned(), outcome: "hold".to_owned() };
    fs::write(&paper, case_file([Given::Seized(MOVING.to_owned()), held].iter(), crate::clock::now()))?;
    let program = Program::install_unserved(&paper)?;
    let plan = Plan { primary: address()?, bind: address()?, unbound: address()?, recursor: address()? };
    let secret = program.path("k1.secret");
    fs::write(&secret, SECRET)?;
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600))?;
    program.configure_also(&plan.tables())?;
    Ok((program, plan))
}

impl Plan {
    /// Our side: a policy zone for partners, and who takes it.
    fn tables(&self) -> String {
        let Self { primary, bind, unbound, .. } = self;
        format!(
            "[[policy_zone]]\nzone = \"rpz.invalid\"\naudience = \"partners\"\n\
             [transfer]\nlisten = [\"{primary}\"]\n\
             [[transfer.key]]\nname = \"k1.invalid\"\nsecret_file = \"k1.secret\"\n\
             [[transfer.peer]]\nnetwork = \"127.0.0.1/32\"\nkey = \"k1.invalid\"\nzones = [\"rpz.invalid\"]\n\
             notify = [\"{bind}\"]\n\
             [[transfer.peer]]\nnetwork = \"127.0.0.1/32\"\nzones = [\"rpz.invalid\"]\nnotify = [\"{unbound}\"]\n"
        )
    }
}

//----------- Stages -----------------------------------------------------------------------------------------------

/// Where a name stands, and what a resolver then does with it and with all below it.
struct Stage {
    name: &'static str,
    /// How it came there.
    step: Step,
    does: Does,
    /// Whether a resolver that logs tells its operator that a policy was met.
    is_logged: bool,
}

#[derive(Clone, Copy)]
enum Step {
    /// Its order is in force, and nobody serves it yet.
    Ordered,
    /// Two people say that it is served.
    Served,
    /// One person does less with it.
    Narrowed(&'static str),
}

const STAGES: [Stage; 4] = [
    Stage { name: "not ours yet is blocked", step: Step::Ordered, does: Does::Blocks, is_logged: true },
    Stage { name: "ours is let through", step: Step::Served, does: Does::LetsThrough, is_logged: true },
    Stage { name: "held is blocked", step: Step::Narrowed("hold"), does: Does::Blocks, is_logged: true },
    Stage {
        name: "returned is forgotten",
        step: Step::Narrowed("handback"),
        does: Does::LetsThrough,
        is_logged: false,
    },
];

impl Step {
    fn take(self, program: &Program) -> Done {
        match self {
            Self::Ordered => Ok(()),
            Self::Served => program.approve(None),
            Self::Narrowed(mode) => program.narrow(MOVING, mode),
        }
    }
}

//----------- Fleet ------------------------------------------------------------------------------------------------

/// One resolver, and how long a change may take to reach it.
struct Consumer {
    server: NameServer,
    limit: Duration,
    /// Whether its log has a line for each policy that was met.
    logs: bool,
}

/// Those who take the zone from us, and the one that reads the file.
struct Fleet {
    world: World,
    zone: PathBuf,
    consumers: Vec<Consumer>,
}

impl Fleet {
    fn start(program: &Program, plan: &Plan) -> Result<Self, Trouble> {
        let world = World::start()?;
        let zone = program.feed("rpz", "partners")?;
        let text = |number: u64| number.to_string();
        let values = [
            ("WORLD", text(world.port.into())),
            ("PRIMARY", text(plan.primary.port().into())),
            ("SECRET", SECRET.to_owned()),
            ("REFRESH", text(REFRESH_SECS)),
            ("CACHE", text(PACKET_CACHE_SECS)),
        ];
        let words: Vec<(&str, &str)> = values.iter().map(|(word, value)| (*word, value.as_str())).collect();
        let start = |recipe: &Recipe, address| NameServer::start(recipe, "resolvers", address, &words);
        let polled = Duration::from_secs(REFRESH_SECS + PACKET_CACHE_SECS + POLL_SLACK_SECS);
        let consumers = vec![
            Consumer { server: start(&BIND, plan.bind)?, limit: TOLD_MAX, logs: true },
            Consumer { server: start(&UNBOUND, plan.unbound)?, limit: TOLD_MAX, logs: true },
            Consumer { server: start(&RECURSOR, plan.recursor)?, limit: polled, logs: false },
        ];
        Ok(Self { world, zone, consumers })
    }

    /// The name changes where it stands, and everybody is watched.
    fn go_through(&mut self, tally: &mut Tally, program: &Program, stage: &Stage) -> Done {
        stage.step.take(program)?;
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
        program.feed("rpz", "partners")?;
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
