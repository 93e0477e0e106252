//! Opens every socket: before the first byte is read, before any thread is started, and before privileges are dropped.
//!
//! With `threads` above one each DNS address has as many UDP sockets, among which the kernel spreads the callers
//! (`SO_REUSEPORT`). Such sockets would be shared with any other program of the same user that asks for it, a second
//! daemon too, so the port must be free first, and TCP on the same port, which nobody shares, is taken before them.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use sinkhole::Listeners;
use sinkhole::dnstap::Sensor;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::config::{Config, Door};
use crate::failure::{Failure, Tried};

mod any_port;
mod holder;
mod passed;
mod privileges;
mod unix;

use passed::Passed;
pub(crate) use privileges::drop_privileges;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;
/// What a UDP socket may hold before the kernel drops: 4 MiB is about 10,000 small datagrams with their overhead.
pub(crate) const UDP_RECEIVE_OCTETS: usize = 4 << 20;

/// Every socket that the daemon serves.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) sinkhole: Listeners,
    pub(crate) metrics: Vec<TcpListener>,
    pub(crate) transfer: Vec<sinkhole::transfer::Sockets>,
    /// Where sensors come in.
    pub(crate) sensors: Vec<TcpListener>,
}

/// Opens all that the configuration names, or takes what a service manager opened. Nothing has started when one of
/// them fails.
pub(crate) fn open(config: &Config) -> Result<Sockets, Failure> {
    let mut passed = Passed::from_environment()?;
    let (mut dns_udp, mut dns_tcp) = (Vec::new(), Vec::new());
    for &address in &config.dns.listen {
        let (udp, tcp) = dns(address, config.dns.threads, &mut passed)?;
        dns_udp.extend(udp);
        dns_tcp.push(tcp);
    }
    let mut all = |addresses: &[SocketAddr]| {
        addresses.iter().map(|&address| passed_or_own(address, &mut passed)).collect::<Result<Vec<_>, _>>()
    };
    let (http, https, metrics) = (all(&config.web.http)?, all(&config.web.https)?, all(&config.metrics.listen)?);
    let (smtp, smtps) = (all(&config.mail.smtp)?, all(&config.mail.smtps)?);
    let sensors = all(&config.sensors.listen)?;
    let dnstap = dnstap(config, &mut passed)?;
    let transfer = config.transfer.listen.iter().map(|&address| transfer(address, &mut passed));
    let transfer = transfer.collect::<Result<_, _>>()?;
    passed.check_all_are_used()?;
    let any_port::AnyPort { tcp: any_tcp, udp: silent_udp } = any_port::open(&config.trap)?;
    let sinkhole = Listeners { dns_udp, dns_tcp, http, https, smtp, smtps, dnstap, any_tcp, silent_udp };
    Ok(Sockets { sinkhole, metrics, transfer, sensors })
}

fn passed_or_own(address: SocketAddr, passed: &mut Passed) -> Result<TcpListener, Failure> {
    passed.tcp(address)?.map_or_else(|| tcp(address), Ok)
}

fn dnstap(config: &Config, passed: &mut Passed) -> Result<Vec<Sensor>, Failure> {
    let mut open = |sensor: &crate::config::Sensor| {
        let door = match &sensor.door {
            Door::Unix { path, mode, group } => {
                sinkhole::dnstap::Door::Unix(unix::open(path, *mode, group.as_deref())?)
            }
            Door::Tcp { address, allow } => {
                sinkhole::dnstap::Door::Tcp { listener: passed_or_own(*address, passed)?, allow: allow.clone() }
            }
        };
        Ok(Sensor { name: sensor.name.clone(), door })
    };
    config.dnstap.iter().map(&mut open).collect()
}

fn transfer(address: SocketAddr, passed: &mut Passed) -> Result<sinkhole::transfer::Sockets, Failure> {
    let (udp, tcp) = dns(address, 1, passed)?;
    let one = udp.into_iter().next().expect("an address has a socket at least");
    Ok(sinkhole::transfer::Sockets { udp: one, tcp })
}

/// One UDP socket per thread, and the TCP socket beside them.
fn dns(address: SocketAddr, threads: usize, passed: &mut Passed) -> Result<(Vec<UdpSocket>, TcpListener), Failure> {
    let given = passed.udp(address)?;
    if !given.is_empty() {
        return Ok((given, passed_or_own(address, passed)?));
    }
    let alone = udp(address, Sharing::Alone)?;
    // Port 0 means a free one, and UDP and TCP take the same.
    let bound = alone.local_addr().tried("asking a UDP socket for its address")?;
    let tcp = passed_or_own(bound, passed)?;
    if threads == 1 {
        return Ok((vec![alone], tcp));
    }
    drop(alone);
    let shared = (0..threads).map(|_| udp(bound, Sharing::AmongThreads)).collect::<Result<_, _>>()?;
    Ok((shared, tcp))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Sharing {
    Alone,
    AmongThreads,
}

fn udp(address: SocketAddr, sharing: Sharing) -> Result<UdpSocket, Failure> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        prepare(&socket, address)?;
        socket.set_reuse_port(sharing == Sharing::AmongThreads)?;
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
            format!("{}; nothing was started", holder::told(protocol, address))
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "the address is not one of this machine's; `ip address` shows them".to_owned()
        }
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need root or CAP_NET_BIND_SERVICE".to_owned(),
        _ => "nothing was started".to_owned(),
    };
    Failure::of(format_args!("opening {protocol} {address}"), error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 14, 0, 1)), 0);

    #[test]
    fn threads_share_an_address_that_a_second_daemon_does_not_get() {
        let (udp, tcp) = dns(FREE, 3, &mut Passed::default()).unwrap();
        let address = tcp.local_addr().unwrap();
        assert!(udp.iter().all(|socket| socket.local_addr().unwrap() == address));
        assert_eq!(udp.len(), 3);
        for threads in [1, 2] {
            let failure = format!("{:?}", dns(address, threads, &mut Passed::default()).unwrap_err());
            let us = format!("pid {}", std::process::id());
            assert!(failure.contains(&us) && failure.contains("UDP"), "{failure}");
        }
    }

    #[test]
    fn a_port_that_only_tcp_has_taken_is_refused_too() {
        let taken = tcp(FREE).unwrap();
        let failure = format!("{:?}", dns(taken.local_addr().unwrap(), 2, &mut Passed::default()).unwrap_err());
        assert!(failure.contains("TCP") && failure.contains(&std::process::id().to_string()), "{failure}");
    }

    #[test]
    fn an_address_that_is_not_ours_is_said_to_be_none() {
        let failure = format!("{:?}", dns("192.0.2.53:5300".parse().unwrap(), 1, &mut Passed::default()).unwrap_err());
        assert!(failure.contains("not one of this machine's"), "{failure}");
    }
}
