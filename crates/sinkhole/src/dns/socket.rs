//! The kernel's side of sending: answers leave in batches.
//!
//! A batch that is sent shares one set of control messages (nix-rust/nix#1954), so answers from a wildcard socket leave
//! in runs of one source address. What is received comes in through [`crate::inbox`].

use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};

//----------- Sending ----------------------------------------------------------------------------------------------

/// A batch of answers, whose buffers are used again.
#[derive(Default)]
pub(super) struct Outbox {
    packets: Vec<Vec<u8>>,
    targets: Vec<Option<SockaddrStorage>>,
    /// The address to answer from, where the socket has more than one.
    sources: Vec<Option<IpAddr>>,
}

impl Outbox {
    /// The buffer for the next answer. It counts once it is [addressed](Self::address).
    pub(super) fn next(&mut self) -> &mut Vec<u8> {
        let at = self.targets.len();
        if self.packets.len() == at {
            self.packets.push(Vec::with_capacity(wire::dns::UDP_OCTETS_MAX));
        }
        &mut self.packets[at]
    }

    pub(super) fn address(&mut self, target: SocketAddr, source: Option<IpAddr>) {
        self.targets.push(Some(target.into()));
        self.sources.push(source);
    }

    /// Sends everything; `wait` is asked when the kernel's buffer is full and says whether to go on. An answer that
    /// the kernel refuses (no route, a forged port 0) is skipped: the asker will ask again. Returns how many left.
    pub(super) fn send(&mut self, socket: &UdpSocket, mut wait: impl FnMut() -> bool) -> usize {
        let (mut from, mut left) = (0, 0);
        while from < self.targets.len() {
            match self.send_run(socket, from) {
                Ok(sent) => {
                    from += sent.max(1);
                    left += sent;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if !wait() {
                        break;
                    }
                }
                Err(_) => from += 1,
            }
        }
        self.targets.clear();
        self.sources.clear();
        left
    }

    /// Sends the answers from `from` on that leave from the same address.
    fn send_run(&self, socket: &UdpSocket, from: usize) -> Result<usize, Errno> {
        let source = self.sources[from];
        let same = self.sources[from..].iter().take_while(|other| **other == source).count();
        let to = from + same;
        let slices: Vec<[IoSlice<'_>; 1]> =
            self.packets[from..to].iter().map(|packet| [IoSlice::new(packet)]).collect();
        let targets = &self.targets[from..to];
        let (v4, v6) = (source.and_then(info_v4), source.and_then(info_v6));
        let controls =
            [v4.as_ref().map(ControlMessage::Ipv4PacketInfo), v6.as_ref().map(ControlMessage::Ipv6PacketInfo)];
        let controls: Vec<ControlMessage<'_>> = controls.into_iter().flatten().collect();
        // Space beyond what is used is EINVAL.
        let space = match source {
            None => None,
            Some(IpAddr::V4(_)) => Some(cmsg_space!(in_pktinfo)),
            Some(IpAddr::V6(_)) => Some(cmsg_space!(in6_pktinfo)),
        };
        let mut headers = MultiHeaders::preallocate(same, space);
        let flags = MsgFlags::MSG_DONTWAIT;
        Ok(sendmmsg(socket.as_raw_fd(), &mut headers, slices.iter(), targets, &controls, flags)?.count())
    }
}

fn info_v4(source: IpAddr) -> Option<in_pktinfo> {
    let IpAddr::V4(source) = source else { return None };
    let address = nix::libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) };
    Some(in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: address })
}

fn info_v6(source: IpAddr) -> Option<in6_pktinfo> {
    let IpAddr::V6(source) = source else { return None };
    Some(in6_pktinfo { ipi6_addr: nix::libc::in6_addr { s6_addr: source.octets() }, ipi6_ifindex: 0 })
}
