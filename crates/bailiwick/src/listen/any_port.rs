//! Opens the ports that expect nothing in particular: ranges of our own addresses, or one that the kernel leads others to.
//!
//! A transparent socket takes what was sent to addresses and ports that are not its own, where a rule of the kernel's
//! says so (TPROXY: Documentation/networking/tproxy.rst). The option needs CAP_NET_ADMIN only while it is set; it is set
//! before privileges are dropped, and stays.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{BACKLOG, UDP_RECEIVE_OCTETS, cannot_bind, prepare};
use crate::config::{Ports, Trap};
use crate::failure::Failure;

/// What all sockets of any port may hold together before the kernel drops, beside a least for each: a range of a
/// thousand ports must not claim what a thousand DNS listeners would.
const RECEIVE_OCTETS_OF_ALL: usize = 16 * UDP_RECEIVE_OCTETS;

/// The sockets of every range.
#[derive(Debug, Default)]
pub(super) struct AnyPort {
    pub(super) tcp: Vec<TcpListener>,
    pub(super) udp: Vec<UdpSocket>,
}

/// Opens what `[trap]` names.
pub(super) fn open(trap: &Trap) -> Result<AnyPort, Failure> {
    let way = if trap.transparent { Way::Transparent } else { Way::Own };
    let tcp = each(&trap.any_tcp).map(|address| tcp(address, way)).collect::<Result<_, _>>()?;
    let octets = RECEIVE_OCTETS_OF_ALL / each(&trap.any_udp).count().max(1);
    let udp = each(&trap.any_udp).map(|address| udp(address, way, octets)).collect::<Result<_, _>>()?;
    Ok(AnyPort { tcp, udp })
}

fn each(ranges: &[Ports]) -> impl Iterator<Item = SocketAddr> {
    ranges.iter().flat_map(Ports::each)
}

/// How traffic comes to a socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// It was sent there.
    Own,
    /// It was sent elsewhere and led there.
    Transparent,
}

fn tcp(address: SocketAddr, way: Way) -> Result<TcpListener, Failure> {
    let open = || {
        let socket = socket(address, Type::STREAM, Protocol::TCP, way)?;
        // As for every other listener: a restart may take the port while old connections linger.
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(address))?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|error| cannot_open("TCP", address, way, &error))
}

fn udp(address: SocketAddr, way: Way, receive_octets: usize) -> Result<UdpSocket, Failure> {
    let open = || {
        let socket = socket(address, Type::DGRAM, Protocol::UDP, way)?;
        socket.set_recv_buffer_size(receive_octets.min(UDP_RECEIVE_OCTETS))?;
        socket.bind(&SockAddr::from(address))?;
        Ok(socket.into())
    };
    open().map_err(|error| cannot_open("UDP", address, way, &error))
}

fn socket(address: SocketAddr, kind: Type, protocol: Protocol, way: Way) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    prepare(&socket, address)?;
    if way == Way::Transparent {
        // The option of IPv4's level is the socket's, whatever its family: the kernel passes it on.
        setsockopt(&socket, sockopt::IpTransparent, &true)?;
    }
    Ok(socket)
}

fn cannot_open(protocol: &str, address: SocketAddr, way: Way, error: &io::Error) -> Failure {
    let what = format_args!("opening {protocol} {address}");
    match error.raw_os_error() {
        Some(nix::libc::EPERM) if way == Way::Transparent => Failure::of(what, error).hint(
            "transparent = true needs root or CAP_NET_ADMIN while the sockets are opened: docs/guide/any-port.md",
        ),
        Some(nix::libc::EMFILE) => Failure::of(what, error).hint(
            "each port of a range is an open file; raise LimitNOFILE (`ulimit -n`), or lead ports to one with nftables",
        ),
        _ => cannot_bind(protocol, address, error),
    }
}

#[cfg(test)]
mod tests;
