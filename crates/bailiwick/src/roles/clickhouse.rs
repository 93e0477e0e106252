//! `bailiwick clickhouse`: what an administrator of ClickHouse is handed.

use store::clickhouse::{Profile, statements};

use crate::cli::{ClickHouseCommand, Place};
use crate::config::{self, Config};
use crate::failure::{Done, Failure, code};
use crate::terminal;

pub(crate) fn run(place: &Place, command: ClickHouseCommand) -> Done {
    let ClickHouseCommand::Ddl(args) = command;
    let config = Config::load(place)?.clickhouse.unwrap_or_else(config::ClickHouse::usual);
    let config = args.profile.map_or(config.clone(), |profile| config.with_profile(profile.into()));
    let profile = config.profile();
    if profile == Profile::Old && !args.readers.is_empty() {
        return Err(Failure::new("18.16 knows no row policies in statements").code(code::USAGE));
    }
    let target = config.names()?;
    let all = statements(&target, config.keep(), &args.readers);
    terminal::line(&all.iter().map(|statement| format!("{statement};")).collect::<Vec<_>>().join("\n\n"))
}
