//! The kernel's side of a UDP socket: batches in, with time, address and losses; batches out.
//!
//! nix 0.31 needs two cares (nix-rust/nix#2813, #1954). Headers are made fresh for every batch, because used ones have
//! shrunk to what the last batch filled and then lose the drop counter, the time and the address. And a batch that is
//! sent shares one set of control messages, so answers from a wildcard socket leave in runs of one source address.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

use model::Timestamp;
use model::time::from_nanos;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg, sendmmsg,
    setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;

/// Datagrams per system call.
pub(super) const BATCH: usize = 64;
/// What is read of one datagram. EDNS queries have less than 600 octets; more is cut and marked.
pub(super) const DATAGRAM_OCTETS_MAX: usize = 4_096;

/// Room for a batch.
pub(super) type Buffers = Vec<[u8; DATAGRAM_OCTETS_MAX]>;

/// Asks the kernel for the time of receipt, the address that was called, and its count of drops.
pub(super) fn prepare(socket: &UdpSocket) -> io::Result<()> {
    setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(socket, sockopt::RxqOvfl, &1)?;
    if socket.local_addr()?.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    }
    Ok(())
}

//----------- Receiving --------------------------------------------------------------------------------------------

/// One datagram with the kernel's word on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received<'a> {
    pub(super) packet: &'a [u8],
    pub(super) is_cut: bool,
    pub(super) source: SocketAddr,
    pub(super) note: Note,
}

/// What the kernel noted beside a datagram.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Note {
    pub(super) at: Option<Timestamp>,
    /// The address that was called.
    pub(super) local: Option<IpAddr>,
    /// Drops of this socket before the datagram, ever; sent only once there were any.
    pub(super) drops: Option<u32>,
    /// The kernel's messages did not fit: what it said is unknown.
    pub(super) is_unreadable: bool,
}

/// Takes what waits, at most a batch, without waiting for more. `Ok(0)`: nothing waits.
pub(super) fn receive(
    socket: &UdpSocket,
    buffers: &mut Buffers,
    mut each: impl FnMut(Received<'_>),
) -> io::Result<usize> {
    let space = cmsg_space!(in6_pktinfo, TimeSpec, u32);
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, Some(space));
    let mut slices: Vec<[IoSliceMut<'_>; 1]> = buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
    let taken = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None);
    let messages = match taken {
        Ok(messages) => messages,
        Err(Errno::EAGAIN | Errno::EINTR) => return Ok(0),
        Err(errno) => return Err(errno.into()),
    };
    let mut count = 0;
    for message in messages {
        count += 1;
        if let Some(source) = message.address.as_ref().and_then(address) {
            let packet = message.iovs().next().unwrap_or_default();
            let is_cut = message.flags.contains(MsgFlags::MSG_TRUNC);
            each(Received { packet, is_cut, source, note: note(&message) });
        }
    }
    Ok(count)
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|v4| SocketAddrV4::from(*v4).into());
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into()))
}

fn note(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Note {
    let mut note = Note::default();
    let Ok(controls) = message.cmsgs() else {
        return Note { is_unreadable: true, ..note };
    };
    for control in controls {
        match control {
            ControlMessageOwned::ScmTimestampns(at) => note.at = Some(from_nanos(nanos(at))),
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                note.local = Some(IpAddr::from(info.ipi_addr.s_addr.to_ne_bytes()));
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => note.local = Some(IpAddr::from(info.ipi6_addr.s6_addr)),
            ControlMessageOwned::RxqOvfl(drops) => note.drops = Some(drops),
            _ => {}
        }
    }
    note
}

fn nanos(at: TimeSpec) -> i64 {
    at.tv_sec().saturating_mul(1_000_000_000).saturating_add(at.tv_nsec())
}

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
