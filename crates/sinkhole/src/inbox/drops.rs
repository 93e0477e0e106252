//! What the kernel dropped of a socket, read from `/proc` at the end.
//!
//! Each datagram carries the count of drops before it, so drops after the last datagram are in no control message. Only
//! a stop needs to know them, and there the socket's own line in `/proc/net/udp` says it.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

/// The datagrams dropped since the socket was opened, as the 32 bits that the kernel counts in. `None` if `/proc`
/// does not say.
pub(crate) fn drops(socket: impl AsFd, local: SocketAddr) -> Option<u32> {
    let inode = inode(socket)?;
    let table = if local.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    drops_of(&fs::read_to_string(table).ok()?, &inode)
}

/// `/proc/self/fd/7` points to `socket:[123456]`.
fn inode(socket: impl AsFd) -> Option<String> {
    let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_fd().as_raw_fd())).ok()?;
    Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
}

/// The tenth column is the inode, the last one the drops (`Documentation/networking/proc_net_tcp.rst`, and the header
/// line of the file).
fn drops_of(table: &str, inode: &str) -> Option<u32> {
    let line = table.lines().skip(1).find(|line| line.split_whitespace().nth(9) == Some(inode))?;
    line.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  412: 0100007F:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 ffff 194
";

    #[test]
    fn a_socket_is_found_by_its_inode() {
        assert_eq!(drops_of(TABLE, "4711"), Some(194));
        assert_eq!(drops_of(TABLE, "4712"), None);
    }

    #[test]
    fn the_kernel_says_what_an_idle_socket_lost() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(drops(&socket, socket.local_addr().unwrap()), Some(0));
    }
}
