//! `bailiwick serve`: everything that runs, until SIGTERM.

use std::io::Write;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::cli::{Place, ServeArgs, ServeRole};
use crate::config::Config;
use crate::failure::{Done, Failure, Tried};
use crate::listen::Sockets;
use crate::supervise::{Addresses, Daemon, SensorDaemon, Stopped};
use crate::{listen, supervise, terminal};

pub(crate) fn run(place: &Place, args: &ServeArgs) -> Done {
    log_to_stderr();
    let config = Config::load(place)?;
    no_core_dumps()?;
    all_files_allowed()?;
    supervise::check_free(&config)?;
    let sockets = listen::open(&config)?;
    listen::drop_privileges(&config)?;
    // Another user's process may be dumped again (prctl(2), PR_SET_DUMPABLE).
    no_core_dumps()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().tried("starting a runtime")?;
    let done = runtime.block_on(serve(&config, sockets, args));
    // A query that still runs ends with the process.
    runtime.shutdown_background();
    done
}

async fn serve(config: &Config, sockets: Sockets, args: &ServeArgs) -> Done {
    let mut term = signal(SignalKind::terminate()).tried("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).tried("listening for SIGINT")?;
    let daemon = Running::start(config, sockets, args.role).await?;
    tracing::info!(data = %config.data.display(), addresses = %daemon.addresses(), "serving");
    if args.announce {
        announce(daemon.addresses())?;
    }
    let asked_by = tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    tracing::info!(asked_by, "stopping: no new contacts; what is here is answered, recorded and synced");
    let stopped = daemon.stop().await?;
    for (listener, tally) in stopped.tallies {
        tracing::info!(
            listener,
            offered = tally.offered(),
            recorded = tally.recorded,
            collapsed = tally.collapsed,
            shed = tally.shed.total(),
            lost_in_kernel = tally.lost_in_kernel,
            "stopped"
        );
    }
    tracing::info!("everything is synced");
    Ok(())
}

/// What runs, by its role.
enum Running {
    All(Box<Daemon>),
    Sensor(Box<SensorDaemon>),
}

impl Running {
    async fn start(config: &Config, sockets: Sockets, role: ServeRole) -> Result<Self, Failure> {
        match role {
            ServeRole::All => Ok(Self::All(Daemon::start(config, sockets).await?.into())),
            ServeRole::Sensor => Ok(Self::Sensor(SensorDaemon::start(config, sockets).await?.into())),
        }
    }

    fn addresses(&self) -> &Addresses {
        match self {
            Self::All(daemon) => &daemon.addresses,
            Self::Sensor(daemon) => &daemon.addresses,
        }
    }

    async fn stop(self) -> Result<Stopped, Failure> {
        match self {
            Self::All(daemon) => daemon.stop().await,
            Self::Sensor(daemon) => daemon.stop().await,
        }
    }
}

fn announce(addresses: &Addresses) -> Done {
    let text = serde_json::to_string(addresses).tried("writing the addresses as JSON")?;
    terminal::line(&text)?;
    std::io::stdout().flush().tried("writing to stdout")
}

/// `RUST_LOG` chooses, `info` by default; colour only on a terminal.
fn log_to_stderr() {
    use std::io::IsTerminal;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
}

/// What a caller sent may be in memory; a core dump would put it on a disk. The limit alone is not asked where the system
/// hands dumps to a program (core(5)).
fn no_core_dumps() -> Done {
    setrlimit(Resource::RLIMIT_CORE, 0, 0).tried("turning core dumps off")?;
    nix::sys::prctl::set_dumpable(false).tried("keeping memory from whoever collects core dumps")
}

/// Each caller holds a file open, and one host alone can hold more than the usual soft limit of 1024, which is there
/// for programs that use select(2).
fn all_files_allowed() -> Done {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).tried("asking how many files may be open")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).tried("raising the limit of open files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_of_the_system_gets_our_memory() {
        no_core_dumps().unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_CORE).unwrap(), (0, 0));
        assert!(!nix::sys::prctl::get_dumpable().unwrap());
    }
}
