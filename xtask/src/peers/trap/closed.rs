//! A network with nothing in it but loopback: the whole suite, program and clients, runs in there.
//!
//! The suite starts itself again in a network namespace of its own. No interface but `lo` is there and no route leads
//! out, so whatever is sent to a stranger finds no way, and the kernel counts it: that count has to be nil. It is the
//! kernel's own, for all processes in there; `strace` beside it ([`super::watch`]) sees loopback too, of ours alone.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Stdio};

use crate::shell::{Kept, command, run};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// Runs `cargo xtask` with that task in a namespace of its own, and takes over its lines.
pub(super) fn again(tally: &mut Tally, task: &str) -> Done {
    let mut unshare = Command::new("unshare");
    // Ourselves by the kernel's word: the build before the suites may have put another file in our place.
    let ourselves = format!("/proc/{}/exe", std::process::id());
    unshare.args(["--net", "--", &ourselves, task]);
    let child = unshare.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = Kept(child.map_err(|error| format!("starting unshare: {error}"))?);
    let said = child.0.stdout.take().ok_or("unshare has no stdout")?;
    let mut lines = 0;
    for line in BufReader::new(said).lines() {
        lines += u32::from(tally.take_over(&line?));
    }
    let status = child.0.wait()?;
    let hint = "hint: a network namespace takes root, and a kernel that permits it";
    holds(lines > 0, || format!("`unshare --net` ended with {status}, and nothing was checked\n{hint}"))
}

/// Makes loopback work; that nothing else is there is checked at once.
pub(super) fn furnish(tally: &mut Tally) -> Done {
    run(&mut command("ip", ["link", "set", "lo", "up"]))?.good()?;
    tally.check("the network has no interface but loopback, and no route", is_bare());
    Ok(())
}

fn is_bare() -> Done {
    let interfaces = fs::read_to_string("/proc/net/dev")?;
    let names: Vec<&str> = interfaces.lines().skip(2).filter_map(|line| Some(line.split(':').next()?.trim())).collect();
    let routes = fs::read_to_string("/proc/net/route")?;
    holds(names == ["lo"] && routes.lines().count() <= 1, || format!("{names:?}\n{routes}"))
}

/// Nobody in there tried a way out; then one is tried, so that the count is known to count.
pub(super) fn stays_closed() -> Done {
    let tried = ways_not_found()?;
    holds(tried == 0, || format!("{tried} packets were to leave for somewhere else"))?;
    let stranger = UdpSocket::bind("0.0.0.0:0")?.send_to(b"x", "192.0.2.1:9");
    let counted = ways_not_found()?;
    holds(stranger.is_err() && counted == 1, || format!("one that was tried was counted {counted} times"))
}

/// How often the kernel had no route, over IPv4 and IPv6.
fn ways_not_found() -> Result<u64, Trouble> {
    let four = fs::read_to_string("/proc/net/snmp")?;
    let mut rows = four.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let (names, values) = (rows.next().ok_or("no row of names")?, rows.next().ok_or("no row of counts")?);
    let at = names.split(' ').position(|name| name == "OutNoRoutes").ok_or("the kernel counts no OutNoRoutes")?;
    let over_four: u64 = values.split(' ').nth(at).ok_or("a short row")?.parse()?;
    let six = fs::read_to_string("/proc/net/snmp6")?;
    let row = six.lines().find_map(|line| line.strip_prefix("Ip6OutNoRoutes")).ok_or("no Ip6OutNoRoutes")?;
    Ok(over_four + row.trim().parse::<u64>()?)
}
