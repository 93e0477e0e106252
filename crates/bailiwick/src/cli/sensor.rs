//! `bailiwick sensor`, as clap reads it.

use std::path::PathBuf;

use clap::Subcommand;
use model::id::SensorName;

use super::JsonArgs;

#[derive(Subcommand)]
pub(crate) enum SensorCommand {
    /// On the core: make a token by which one machine becomes a sensor, once.
    Enroll {
        /// What the sensor is called: `fra-1`.
        name: SensorName,
        /// How long the token is good.
        #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
        minutes: u32,
        /// Write the token to this new file (mode 0600) instead of stdout.
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// On the sensor: join the core that made the token. Its key is made here and stays here.
    Join {
        /// The token, in a file; `-` reads stdin. Never the token itself: others see command lines.
        token_file: PathBuf,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// On the core: who they are, what they sent, what they serve.
    List(JsonArgs),
    /// On the core: end the token that waits for a sensor, before anybody has used it.
    Withdraw {
        name: SensorName,
        #[command(flatten)]
        by: super::ByArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// On the core: take nothing more from a sensor, and tell it nothing.
    Revoke {
        sensor: u32,
        #[arg(long)]
        reason: String,
    },
}
