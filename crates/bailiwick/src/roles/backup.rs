//! `bailiwick backup`: a copy of the memory by the process that writes it, or of the keys by this one.

use desk::api::{BackupRequest, Taken};
use store::backup::take_keys;

use super::restore::of_backup;
use crate::cli::{BackupArgs, Place};
use crate::config::Config;
use crate::door::Door;
use crate::failure::{Done, Tried};
use crate::supervise::now;
use crate::terminal::{self, count};

pub(crate) fn run(place: &Place, args: &BackupArgs) -> Done {
    let config = Config::load(place)?;
    let shown = args.folder.display();
    let taken = if args.keys {
        let taken = take_keys(&config.keys, &args.folder, env!("CARGO_PKG_VERSION"), now());
        taken.map_err(|error| of_backup(format_args!("copying the keys into {shown}"), &error))?
    } else {
        // The daemon has another working folder.
        let into = std::path::absolute(&args.folder).tried(format_args!("finding {shown}"))?;
        Door::into(&config, "backup")?.post("/backup", &BackupRequest { into }, None)?
    };
    if args.out.json {
        return terminal::json(&taken);
    }
    let Taken { digest, facts, files, octets } = &taken;
    terminal::line(&format!("{shown}: {} files, {} octets\nmanifest {digest}", count(*files), count(*octets)))?;
    terminal::say(&match args.keys {
        true => format!(
            "whoever has {shown} can sign the ledger and open what is sealed: keep it apart from backups of the data"
        ),
        false => format!("it holds {facts} facts, and no key: `bailiwick backup --keys` copies those, elsewhere"),
    });
    Ok(())
}
