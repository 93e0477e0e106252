//! Who has a port: from the kernel's tables of sockets to a process and its name.
//!
//! It reads `/proc` as any user may; whose files we may not list stays unseen, and that is said.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// Who has it, as a sentence.
pub(super) fn told(protocol: &str, address: SocketAddr) -> String {
    let inodes = inodes(protocol, address);
    let holders: BTreeSet<String> = inodes.iter().filter_map(|inode| process_with(inode)).collect();
    let holders = Vec::from_iter(holders);
    let ss = format!("`ss -lptun 'sport = :{}'` as root shows which", address.port());
    match (holders.is_empty(), inodes.is_empty()) {
        (false, _) => format!("{} has it", holders.join(", ")),
        (true, false) => format!("another program has it, whose files this user cannot see; {ss}"),
        (true, true) => format!("another program has it, perhaps in another container; {ss}"),
    }
}

/// The sockets that stand in the way: on this port, and on this address, on all, or on any if we want all.
fn inodes(protocol: &str, address: SocketAddr) -> Vec<String> {
    let tables = if protocol == "UDP" { ["udp", "udp6"] } else { ["tcp", "tcp6"] };
    let text: String =
        tables.iter().filter_map(|table| std::fs::read_to_string(format!("/proc/net/{table}")).ok()).collect();
    let sockets = text.lines().filter_map(socket);
    sockets.filter(|(held, _)| is_in_the_way(*held, address)).map(|(_, inode)| inode.to_owned()).collect()
}

fn is_in_the_way(held: SocketAddr, wanted: SocketAddr) -> bool {
    let (there, here) = (held.ip().to_canonical(), wanted.ip().to_canonical());
    held.port() == wanted.port() && (there == here || there.is_unspecified() || here.is_unspecified())
}

/// The address and the inode of a line, if it is of a socket that is bound and not connected: columns 2, 3 and 10.
fn socket(line: &str) -> Option<(SocketAddr, &str)> {
    let mut columns = line.split_whitespace().skip(1);
    let local = address(columns.next()?)?;
    let remote = address(columns.next()?)?;
    let inode = columns.nth(6)?;
    (remote.port() == 0).then_some((local, inode))
}

/// `0100007F:14E9`: words of four octets in the machine's order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// `unbound (pid 81)`
fn process_with(inode: &str) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    let has_it = |process: &Path| {
        let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|link| link.as_os_str() == wanted.as_str())
    };
    let processes = std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let process = processes.filter(|path| pid(path).is_some()).find(|path| has_it(path))?;
    let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
    Some(format!("{} (pid {})", name.trim(), pid(&process)?))
}

fn pid(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.parse().ok()
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let line =
            " 1: 0100007F:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0";
        assert_eq!(socket(line), Some(("127.0.0.1:5353".parse().unwrap(), "4711")));
        let six = address("00000000000000000000000001000000:0035");
        assert_eq!(six, Some("[::1]:53".parse().unwrap()));
        assert_eq!(socket(&line.replace("00000000:0000 07", "0100007F:0035 01")), None);
        assert_eq!(socket("sl local_address rem_address st"), None);
    }
}
