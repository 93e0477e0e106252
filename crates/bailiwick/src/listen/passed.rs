//! Sockets that a service manager opened for us: systemd's socket activation (`sd_listen_fds(3)`).
//!
//! A passed socket serves the listener whose address it has, and each passed UDP socket gets a thread of its own:
//! `ReusePort=yes` and the same `ListenDatagram=` several times make several threads. A socket that nobody asked for is
//! refused, because whoever passed it believes that it is served.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use listenfd::ListenFd;
use socket2::SockRef;

use super::UDP_RECEIVE_OCTETS;
use crate::failure::{Done, Failure, Tried};

/// What was passed and is not taken yet.
#[derive(Default)]
pub(super) struct Passed {
    udp: Vec<(SocketAddr, UdpSocket)>,
    tcp: Vec<(SocketAddr, TcpListener)>,
}

impl Passed {
    /// All that the environment speaks of. It speaks once: descriptors are not taken twice.
    pub(super) fn from_environment() -> Result<Self, Failure> {
        let mut descriptors = ListenFd::from_env();
        let mut passed = Self::default();
        for at in 0..descriptors.len() {
            passed.take(&mut descriptors, at)?;
        }
        Ok(passed)
    }

    fn take(&mut self, descriptors: &mut ListenFd, at: usize) -> Done {
        if let Ok(Some(socket)) = descriptors.take_udp_socket(at) {
            let address = socket.local_addr().tried("asking a passed UDP socket for its address")?;
            self.udp.push((address, socket));
            return Ok(());
        }
        match descriptors.take_tcp_listener(at) {
            Ok(Some(socket)) => {
                let address = socket.local_addr().tried("asking a passed TCP socket for its address")?;
                self.tcp.push((address, socket));
                Ok(())
            }
            _ => Err(Failure::new(format!("socket number {at} of those that were passed is neither UDP nor TCP"))
                .hint("only ListenDatagram= and ListenStream= with an IP address and a port are served")),
        }
    }

    /// Every UDP socket of an address, ready for a thread each.
    pub(super) fn udp(&mut self, address: SocketAddr) -> Result<Vec<UdpSocket>, Failure> {
        let ready = |socket: UdpSocket| {
            socket.set_nonblocking(true)?;
            SockRef::from(&socket).set_recv_buffer_size(UDP_RECEIVE_OCTETS)?;
            Ok::<_, std::io::Error>(socket)
        };
        let taken = self.udp.extract_if(.., |(local, _)| *local == address).map(|(_, socket)| ready(socket));
        taken.collect::<Result<_, _>>().tried(format_args!("preparing the passed UDP sockets of {address}"))
    }

    /// The TCP listener of an address.
    pub(super) fn tcp(&mut self, address: SocketAddr) -> Result<Option<TcpListener>, Failure> {
        let Some(at) = self.tcp.iter().position(|(local, _)| *local == address) else { return Ok(None) };
        let (_, socket) = self.tcp.swap_remove(at);
        socket.set_nonblocking(true).tried(format_args!("preparing the passed TCP socket of {address}"))?;
        Ok(Some(socket))
    }

    /// Whether everything was taken.
    pub(super) fn check_all_are_used(&self) -> Done {
        let udp = self.udp.iter().map(|(address, _)| ("UDP", address));
        let mut left = udp.chain(self.tcp.iter().map(|(address, _)| ("TCP", address)));
        match left.next() {
            None => Ok(()),
            Some((protocol, address)) => {
                Err(Failure::new(format!("{protocol} {address} was passed to us, and no listener has that address"))
                    .hint("name it in the configuration, or take it from the socket unit; nothing was started"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed() -> (Passed, SocketAddr) {
        let udp = UdpSocket::bind("127.55.0.1:0").unwrap();
        let address = udp.local_addr().unwrap();
        let tcp = TcpListener::bind(address).unwrap();
        (Passed { udp: vec![(address, udp)], tcp: vec![(address, tcp)] }, address)
    }

    #[test]
    fn a_passed_socket_serves_its_own_address_and_no_other() {
        let (mut passed, address) = passed();
        let other = "127.55.0.2:53".parse().unwrap();
        assert!(passed.udp(other).unwrap().is_empty() && passed.tcp(other).unwrap().is_none());
        assert_eq!(passed.udp(address).unwrap().len(), 1);
        assert!(passed.tcp(address).unwrap().is_some() && passed.tcp(address).unwrap().is_none());
        passed.check_all_are_used().unwrap();
    }

    #[test]
    fn a_socket_that_nobody_asked_for_is_refused_by_its_address() {
        let (mut passed, address) = passed();
        passed.udp(address).unwrap();
        let failure = format!("{:?}", passed.check_all_are_used().unwrap_err());
        assert!(failure.contains(&format!("TCP {address}")), "{failure}");
    }
}
