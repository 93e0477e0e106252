//! Opens every socket, then drops privileges: before the first byte is read, and before any thread is started.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use nix::unistd::{Uid, User};
use sinkhole::Listeners;
use sinkhole::dnstap::Sensor;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::config::{Config, Door};
use crate::failure::{Failure, Tried};

mod unix;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;
/// What a UDP socket may hold before the kernel drops: 4 MiB is about 10,000 small datagrams with their overhead.
const UDP_RECEIVE_OCTETS: usize = 4 << 20;

/// Opens all that the configuration names. Nothing has started when one of them fails.
pub(crate) fn open(config: &Config) -> Result<Listeners, Failure> {
    let mut dns_udp = Vec::new();
    let mut dns_tcp = Vec::new();
    for &address in &config.dns.listen {
        let udp = udp(address)?;
        // Port 0 means a free one, and UDP and TCP take the same.
        let bound = udp.local_addr().tried("asking a UDP socket for its address")?;
        dns_udp.push(udp);
        dns_tcp.push(tcp(bound)?);
    }
    let all = |addresses: &[SocketAddr]| addresses.iter().map(|&address| tcp(address)).collect::<Result<_, _>>();
    Ok(Listeners {
        dns_udp,
        dns_tcp,
        http: all(&config.web.http)?,
        https: all(&config.web.https)?,
        dnstap: dnstap(config)?,
    })
}

fn dnstap(config: &Config) -> Result<Vec<Sensor>, Failure> {
    let open = |sensor: &crate::config::Sensor| {
        let door = match &sensor.door {
            Door::Unix { path, mode, group } => {
                sinkhole::dnstap::Door::Unix(unix::open(path, *mode, group.as_deref())?)
            }
            Door::Tcp { address, allow } => {
                sinkhole::dnstap::Door::Tcp { listener: tcp(*address)?, allow: allow.clone() }
            }
        };
        Ok(Sensor { name: sensor.name.clone(), door })
    };
    config.dnstap.iter().map(open).collect()
}

fn udp(address: SocketAddr) -> Result<UdpSocket, Failure> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        prepare(&socket, address)?;
        socket.set_recv_buffer_size(UDP_RECEIVE_OCTETS)?;
        socket.bind(&SockAddr::from(address))?;
        Ok(socket.into())
    };
    open().map_err(|error| cannot_bind("UDP", address, &error))
}

fn tcp(address: SocketAddr) -> Result<TcpListener, Failure> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        prepare(&socket, address)?;
        // A restart may take the port while old connections linger; it does not share a port that is served.
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(address))?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|error| cannot_bind("TCP", address, &error))
}

fn prepare(socket: &Socket, address: SocketAddr) -> std::io::Result<()> {
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(())
}

fn cannot_bind(protocol: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("another program has it; `ss -lptun 'sport = :{}'` shows which", address.port())
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "the address is not one of this machine's; `ip address` shows them".to_owned()
        }
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need root or CAP_NET_BIND_SERVICE".to_owned(),
        _ => "nothing was started".to_owned(),
    };
    Failure::of(format_args!("opening {protocol} {address}"), error).hint(hint)
}

/// Becomes the configured user, for good.
pub(crate) fn drop_privileges(config: &Config) -> Result<(), Failure> {
    let Some(name) = &config.user else { return Ok(()) };
    if !Uid::effective().is_root() {
        return Err(Failure::new(format!("becoming user `{name}` needs root"))
            .hint("start as root, or take `user` out of the configuration"));
    }
    let user = User::from_name(name).tried(format_args!("looking up user `{name}`"))?;
    let Some(user) = user else { return Err(Failure::new(format!("there is no user `{name}`"))) };
    nix::unistd::setgroups(&[user.gid]).tried("dropping groups")?;
    nix::unistd::setgid(user.gid).tried("dropping the group")?;
    nix::unistd::setuid(user.uid).tried("dropping the user")?;
    Ok(())
}
