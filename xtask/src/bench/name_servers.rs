//! The name servers that we are compared with: one process or worker each, no log, or dnstap into a file.
//!
//! Every name has the same small zone, as ours have the same answers. Neither limits rates nor sends cookies, so both
//! do less for each query than we do.

use std::fs;
use std::time::Duration;

use model::DomainName;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::on_core_zero;
use super::servers::{Peer, answers_dns, begin, free_udp, program};
use crate::Trouble;
use crate::clock::wait_for;
use crate::shell::Kept;

const ZONE: &str = "@ 60 IN SOA ns1.sinkhole.example. desk.sinkhole.example. 1 14400 3600 604800 60\n@ 60 IN NS ns1.sinkhole.example.\n@ 60 IN A 127.0.0.1\n* 60 IN A 127.0.0.1\n";
/// From a signal to the end.
const STOP: Duration = Duration::from_secs(30);

//----------- NSD --------------------------------------------------------------------------------------------------

pub(super) fn nsd(names: &[DomainName]) -> Result<Peer, Trouble> {
    start_nsd(TempDir::with_prefix("bench-nsd-")?, names, "")
}

/// With every query in a file, by way of the collector that dnstap's makers wrote.
pub(super) fn nsd_with_dnstap(names: &[DomainName]) -> Result<Peer, Trouble> {
    let folder = TempDir::with_prefix("bench-nsd-")?;
    let (socket, file) = (folder.path().join("tap.sock"), folder.path().join("tap"));
    let mut command = on_core_zero(&program("fstrm_capture")?);
    command.args(["-t", "protobuf:dnstap.Dnstap", "-u"]).arg(&socket).arg("-w").arg(file);
    let logger = Kept(command.spawn()?);
    wait_for("fstrm_capture to listen", STOP, || socket.exists().then_some(()))?;
    let tap = format!(
        "dnstap:\n  dnstap-enable: yes\n  dnstap-socket-path: \"{}\"\n  dnstap-log-auth-query-messages: yes\n",
        socket.display()
    );
    let peer = start_nsd(folder, names, &tap)?;
    Ok(Peer { logger: Some(logger), ..peer })
}

fn start_nsd(folder: TempDir, names: &[DomainName], more: &str) -> Result<Peer, Trouble> {
    let (place, port) = (folder.path().display(), free_udp()?);
    fs::write(folder.path().join("zone"), ZONE)?;
    let mut text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{place}\"\n  database: \"\"\n  pidfile: \"{place}/pid\"\n  zonelistfile: \"{place}/list\"\n  xfrdfile: \"{place}/xfrd\"\n  xfrdir: \"{place}\"\n  hide-version: yes\n  verbosity: 0\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n{more}"
    );
    for name in names {
        text.push_str(&format!("zone:\n  name: {}\n  zonefile: zone\n", name.as_str()));
    }
    let config = folder.path().join("nsd.conf");
    fs::write(&config, text)?;
    let mut command = on_core_zero(&program("nsd")?);
    command.arg("-d").arg("-c").arg(config);
    begin(command, folder, port, answers_dns)
}

/// Ends a server and then its collector, which writes out what it has, and counts the records in the file.
pub(super) fn records(mut peer: Peer) -> Result<u64, Trouble> {
    end(&mut peer.running)?;
    if let Some(logger) = &mut peer.logger {
        end(logger)?;
    }
    Ok(frames(&fs::read(peer.folder.path().join("tap"))?))
}

fn end(kept: &mut Kept) -> Result<(), Trouble> {
    let pid = i32::try_from(kept.0.id()).map_err(|_| "a process id beyond 31 bits")?;
    kill(Pid::from_raw(pid), Signal::SIGTERM)?;
    wait_for("a server to end", STOP, || kept.0.try_wait().transpose())??;
    Ok(())
}

/// Data frames of a Frame Streams file: a length and so many octets; length zero announces a control frame.
fn frames(mut octets: &[u8]) -> u64 {
    let (mut count, mut is_control) = (0, false);
    while let Some((length, rest)) = octets.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 && !is_control {
            (octets, is_control) = (rest, true);
            continue;
        }
        let Some(rest) = rest.get(length..) else { break };
        count += u64::from(!is_control);
        (octets, is_control) = (rest, false);
    }
    count
}

//----------- Knot -------------------------------------------------------------------------------------------------

pub(super) fn knot(names: &[DomainName]) -> Result<Peer, Trouble> {
    let (folder, port) = (TempDir::with_prefix("bench-knot-")?, free_udp()?);
    let place = folder.path().display();
    fs::write(folder.path().join("zone"), ZONE)?;
    let mut text = format!(
        "server:\n  listen: 127.0.0.1@{port}\n  rundir: \"{place}\"\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: \"{place}\"\ntemplate:\n  - id: default\n    storage: \"{place}\"\n    file: zone\n    journal-content: none\n    zonefile-sync: -1\n    semantic-checks: off\nzone:\n"
    );
    for name in names {
        text.push_str(&format!("  - domain: {}\n", name.as_str()));
    }
    let config = folder.path().join("knot.conf");
    fs::write(&config, text)?;
    let mut command = on_core_zero(&program("knotd")?);
    command.arg("-c").arg(config);
    begin(command, folder, port, answers_dns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_frames_are_no_records() {
        let control = [0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2];
        let file = [&control[..], &[0, 0, 0, 2, 1, 2], &[0, 0, 0, 1, 9], &control, &[0, 0]].concat();
        assert_eq!(frames(&file), 2);
    }
}
