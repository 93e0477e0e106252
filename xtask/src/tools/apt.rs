//! Debian packages, without a question and without a host's name.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::Trouble;
use crate::shell::{command, run_for};

/// A slow mirror and another installer at work beside us both fit into this.
const LIMIT: Duration = Duration::from_secs(600);
/// Somebody else's half-done download, or a mirror's hiccup, deserves one more try.
const TRIES: usize = 2;

pub(super) fn install(names: &[&str]) -> Result<(), Trouble> {
    let _quiet = Quiet::keep()?;
    again(|| get(&["update"]))?;
    again(|| get(&[&["install", "-y", "--no-install-recommends"], names].concat()))
}

pub(super) fn install_from_backports(names: &[&str]) -> Result<(), Trouble> {
    let _quiet = Quiet::keep()?;
    let suite = format!("{}-backports", codename()?);
    if !knows(&suite)? {
        let line = source_line(&suite)?;
        fs::write("/etc/apt/sources.list.d/bailiwick-backports.list", line)
            .map_err(|error| format!("adding {suite} to the sources of apt: {error}"))?;
    }
    again(|| get(&["update"]))?;
    again(|| get(&[&["install", "-y", "--no-install-recommends", "-t", &suite], names].concat()))
}

fn again(mut step: impl FnMut() -> Result<(), Trouble>) -> Result<(), Trouble> {
    (1..TRIES).fold(step(), |done, _| done.or_else(|_| step()))
}

fn get(arguments: &[&str]) -> Result<(), Trouble> {
    let mut apt = command("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300"]);
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let said = run_for(&mut apt, LIMIT)?;
    if said.ok {
        return Ok(());
    }
    let last: Vec<&str> = said.err.lines().rev().take(5).collect();
    Err(format!("apt-get {}: {}", arguments.join(" "), last.join(" · ")).into())
}

//----------- Quiet ------------------------------------------------------------------------------------------------

/// While it lives, no package starts its service: five name servers would all want port 53. A machine that has a
/// policy of its own keeps it.
struct Quiet {
    is_ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";
/// "Action forbidden by policy", as invoke-rc.d reads it.
const FORBIDDEN: &str = "#!/bin/sh\nexit 101\n";

impl Quiet {
    fn keep() -> Result<Self, Trouble> {
        let is_ours = !Path::new(POLICY).exists();
        if is_ours {
            let trouble = |error| format!("writing {POLICY}: {error}");
            fs::write(POLICY, FORBIDDEN).map_err(trouble)?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)).map_err(trouble)?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.is_ours {
            // Who cannot remove it could not have written it.
            let _ = fs::remove_file(POLICY);
        }
    }
}

//----------- Backports --------------------------------------------------------------------------------------------

fn codename() -> Result<String, Trouble> {
    let text = fs::read_to_string("/etc/os-release").map_err(|error| format!("reading /etc/os-release: {error}"))?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name.ok_or("this machine does not say which release it runs")?.trim_matches('"').to_owned())
}

fn knows(suite: &str) -> Result<bool, Trouble> {
    let said = run_for(&mut command("apt-cache", ["policy"]), LIMIT)?.good()?;
    Ok(said.split_whitespace().any(|word| word.trim_end_matches("/main") == suite || word == format!("a={suite}")))
}

/// A one-line source for `suite`, made from the machine's own source of its release.
fn source_line(suite: &str) -> Result<String, Trouble> {
    let release = suite.trim_end_matches("-backports");
    let folder = fs::read_dir("/etc/apt/sources.list.d").map_err(|error| format!("listing apt's sources: {error}"))?;
    let files = folder.flatten().map(|entry| entry.path()).chain([Path::new("/etc/apt/sources.list").to_owned()]);
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    let found =
        texts.filter_map(|text| place_in_stanzas(&text, release).or_else(|| place_in_lines(&text, release))).next();
    let (options, place) = found.ok_or_else(|| format!("no source of apt holds {release}"))?;
    Ok(format!("deb {options}{place} {suite} main\n"))
}

/// `Types: deb / URIs: … / Suites: … / Signed-By: …`: options and place of the stanza that holds the release.
fn place_in_stanzas(text: &str, release: &str) -> Option<(String, String)> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        field("Suites:")?.split_whitespace().find(|suite| *suite == release)?;
        let place = field("URIs:")?.split_whitespace().next()?;
        let options = field("Signed-By:").map_or_else(String::new, |key| format!("[signed-by={key}] "));
        Some((options, place.to_owned()))
    })
}

/// `deb [options] place release components…`.
fn place_in_lines(text: &str, release: &str) -> Option<(String, String)> {
    text.lines().filter_map(|line| line.strip_prefix("deb ")).find_map(|line| {
        let (options, rest) = match line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((options, rest)) => (format!("[{options}] "), rest),
            None => (String::new(), line),
        };
        let mut words = rest.split_whitespace();
        let place = words.next()?;
        (words.next()? == release).then(|| (options, place.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_source_is_found_in_both_spellings() {
        let stanza = "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://other.example\nSuites: x\n";
        let found = place_in_stanzas(stanza, "bookworm");
        assert_eq!(found, Some(("[signed-by=/k.gpg] ".to_owned(), "http://mirror.example/debian".to_owned())));
        let lines =
            "# deb http://no.example bookworm main\ndeb [arch=amd64] http://mirror.example/debian bookworm main\n";
        let found = place_in_lines(lines, "bookworm");
        assert_eq!(found, Some(("[arch=amd64] ".to_owned(), "http://mirror.example/debian".to_owned())));
        assert_eq!(place_in_lines(lines, "trixie"), None);
    }
}
