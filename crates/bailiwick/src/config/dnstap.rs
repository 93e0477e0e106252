//! `[[dnstap]]`: the sensors whose servers tell us what they were asked, and where each comes in.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The most sensors, and the most addresses that may connect to one.
const SENSORS_MAX: usize = 64;
const ALLOWED_MAX: usize = 64;
const NAME_OCTETS_MAX: usize = 63;
/// The longest path of a Unix socket: `sun_path` less its closing zero.
const PATH_OCTETS_MAX: usize = 107;
/// Who may write to the socket of a sensor: its owner and its group.
const MODE: &str = "0660";

/// A table as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    sensor: String,
    unix: Option<PathBuf>,
    mode: Option<String>,
    group: Option<String>,
    tcp: Option<SocketAddr>,
    #[serde(default)]
    allow: Vec<IpAddr>,
}

/// A sensor by name, and its door.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sensor {
    pub(crate) name: String,
    pub(crate) door: Door,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Door {
    Unix { path: PathBuf, mode: u32, group: Option<String> },
    Tcp { address: SocketAddr, allow: Vec<IpAddr> },
}

impl Sensor {
    pub(super) fn tcp(&self) -> Option<SocketAddr> {
        match self.door {
            Door::Tcp { address, .. } => Some(address),
            Door::Unix { .. } => None,
        }
    }
}

/// What the tables mean: every sensor and every socket once.
pub(super) fn resolve(drafts: Vec<Draft>, base: &Path) -> Result<Vec<Sensor>, Failure> {
    if drafts.len() > SENSORS_MAX {
        return Err(Failure::new(format!("`dnstap` names {} sensors; at most {SENSORS_MAX} are heard", drafts.len())));
    }
    let sensors = drafts.into_iter().map(|draft| draft.resolve(base)).collect::<Result<Vec<_>, _>>()?;
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for Sensor { name, door } in &sensors {
        let is_new_path = if let Door::Unix { path, .. } = door { paths.insert(path) } else { true };
        if !names.insert(name) || !is_new_path {
            return Err(Failure::new(format!("the dnstap sensor `{name}` or its socket is named twice"))
                .hint("every sensor needs a name and a socket of its own"));
        }
    }
    Ok(sensors)
}

impl Draft {
    fn resolve(self, base: &Path) -> Result<Sensor, Failure> {
        let refused = |why: &str| Failure::new(format!("the dnstap sensor `{}` {why}", self.sensor.escape_default()));
        if !is_name(&self.sensor) {
            return Err(refused("has a name that cannot stand in a contact")
                .hint("1 to 63 of a-z, 0-9, `-` and `.`, such as \"ams-1\""));
        }
        let is_for_unix = self.mode.is_some() || self.group.is_some();
        let door = match (&self.unix, self.tcp) {
            (Some(path), None) if self.allow.is_empty() => {
                let path = base.join(path);
                if path.as_os_str().len() > PATH_OCTETS_MAX {
                    return Err(refused(&format!("has a socket path of more than {PATH_OCTETS_MAX} octets")));
                }
                let mode = mode(self.mode.as_deref().unwrap_or(MODE))
                    .ok_or_else(|| refused("has a mode that is none").hint("such as mode = \"0660\""))?;
                Door::Unix { path, mode, group: self.group.clone() }
            }
            (None, Some(address)) if !is_for_unix => {
                if !(1..=ALLOWED_MAX).contains(&self.allow.len()) {
                    return Err(refused("listens on TCP without a list of who may connect")
                        .hint(format!("allow = [\"192.0.2.54\"], at most {ALLOWED_MAX} addresses")));
                }
                Door::Tcp { address, allow: self.allow.iter().map(IpAddr::to_canonical).collect() }
            }
            _ => {
                return Err(refused("has no clear door").hint("`unix` with `mode` and `group`, or `tcp` with `allow`"));
            }
        };
        Ok(Sensor { name: self.sensor, door })
    }
}

fn is_name(text: &str) -> bool {
    let is_fit = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'.');
    (1..=NAME_OCTETS_MAX).contains(&text.len()) && text.bytes().all(is_fit)
}

fn mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Sensor>, String> {
        #[derive(Deserialize)]
        struct File {
            dnstap: Vec<Draft>,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        resolve(file.dnstap, Path::new("/etc/b")).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_sensor_has_one_door() {
        let sensors = read(
            "[[dnstap]]\nsensor = \"a\"\nunix = \"a.sock\"\n[[dnstap]]\nsensor = \"b\"\ntcp = \"127.0.0.1:6000\"\nallow = [\"::ffff:127.0.0.2\"]",
        )
        .unwrap();
        assert!(
            matches!(&sensors[0].door, Door::Unix { path, mode: 0o660, group: None } if path == Path::new("/etc/b/a.sock"))
        );
        assert!(matches!(&sensors[1].door, Door::Tcp { allow, .. } if allow[0] == IpAddr::from([127, 0, 0, 2])));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (table, why) in [
            ("sensor = \"a\"", "no clear door"),
            ("sensor = \"a\"\nunix = \"s\"\ntcp = \"127.0.0.1:1\"", "no clear door"),
            ("sensor = \"a\"\nunix = \"s\"\nallow = [\"127.0.0.1\"]", "no clear door"),
            ("sensor = \"a\"\ntcp = \"127.0.0.1:1\"", "who may connect"),
            ("sensor = \"a\"\nunix = \"s\"\nmode = \"rw\"", "a mode that is none"),
            ("sensor = \"A b\"\nunix = \"s\"", "cannot stand"),
            ("sensor = \"a\"\nunix = \"s\"\n[[dnstap]]\nsensor = \"b\"\nunix = \"s\"", "named twice"),
            ("sensor = \"a\"\nunix = \"s\"\n[[dnstap]]\nsensor = \"a\"\nunix = \"t\"", "named twice"),
            ("sensor = \"a\"\nunix = \"s\"\nport = 1", "unknown field"),
        ] {
            let failure = read(&format!("[[dnstap]]\n{table}")).unwrap_err();
            assert!(failure.contains(why), "{table}: {failure}");
        }
        let many: String =
            (0..=SENSORS_MAX).map(|n| format!("[[dnstap]]\nsensor = \"s{n}\"\nunix = \"{n}\"\n")).collect();
        assert!(read(&many).unwrap_err().contains("at most 64"));
    }
}
