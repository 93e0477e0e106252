//! `bailiwick config`: check and show.

use crate::cli::{ConfigCommand, Place};
use crate::config::{Config, EXAMPLE};
use crate::failure::Done;
use crate::terminal;

pub(crate) fn run(place: &Place, command: ConfigCommand) -> Done {
    match command {
        ConfigCommand::Example => terminal::line(EXAMPLE.trim_end()),
        ConfigCommand::Show => terminal::json(&Config::load(place)?),
        ConfigCommand::Check => terminal::line(&told(&Config::load(place)?)),
    }
}

fn told(config: &Config) -> String {
    let from = config.file.as_ref().map_or("defaults, no file".to_owned(), |file| file.display().to_string());
    let list = |addresses: &[std::net::SocketAddr]| {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        if texts.is_empty() { "nowhere".to_owned() } else { texts.join(", ") }
    };
    let reach =
        if config.is_loopback_only() { "loopback only: exercises are served" } else { "exercises are not served" };
    format!(
        "configuration  {from}\ndata           {}\nkeys           {}\nledger         {}\nDNS            {}\nHTTP           {}\nHTTPS          {}\nSMTP           {}\nreach          {reach}\ndigest         {}",
        config.data.display(),
        config.keys.display(),
        config.ledger.place(),
        list(&config.dns.listen),
        list(&config.web.http),
        list(&config.web.https),
        list(&[&config.mail.smtp[..], &config.mail.smtps[..]].concat()),
        config.digest().short(),
    )
}
