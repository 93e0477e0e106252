//! What comes in on a UDP socket: batches, with the kernel's word on each datagram's time, destination and losses.
//!
//! nix 0.31 needs one care (nix-rust/nix#2813): headers are made fresh for every batch, because used ones have shrunk to
//! what the last batch filled and then lose the drop counter, the time and the address. What the kernel says is never
//! taken for zero where it could not be read.
//!
//! What is deliberately absent: sending. Whoever answers has a page of their own for that; whoever does not has none.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd};

use model::Timestamp;
use model::tally::Tally;
use model::time::from_nanos;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::sockaddr_in6;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;

mod drops;

/// Datagrams per system call.
pub(crate) const BATCH: usize = 64;

/// Room for a batch of datagrams, of which so many octets are read.
pub(crate) type Buffers<const OCTETS: usize> = Vec<[u8; OCTETS]>;

/// What a listener wants to know of where a datagram was sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Destination {
    /// The address: the port is the socket's own.
    Address,
    /// Address and port as the sender wrote them, also where a rule of the kernel's led them here (TPROXY).
    Original,
}

/// Asks the kernel for the time of receipt, the destination, and its count of drops.
pub(crate) fn prepare(socket: &UdpSocket, destination: Destination) -> io::Result<()> {
    setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(socket, sockopt::RxqOvfl, &1)?;
    match (destination, socket.local_addr()?.is_ipv4()) {
        (Destination::Address, true) => setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?,
        (Destination::Address, false) => setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?,
        (Destination::Original, true) => setsockopt(socket, sockopt::Ipv4OrigDstAddr, &true)?,
        (Destination::Original, false) => setsockopt(socket, sockopt::Ipv6OrigDstAddr, &true)?,
    }
    Ok(())
}

//----------- Receiving --------------------------------------------------------------------------------------------

/// One datagram with the kernel's word on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    /// What was read of it.
    pub(crate) packet: &'a [u8],
    /// Octets that it had.
    pub(crate) len: usize,
    pub(crate) source: SocketAddr,
    pub(crate) note: Note,
}

impl Received<'_> {
    pub(crate) fn is_cut(&self) -> bool {
        self.len > self.packet.len()
    }
}

/// What the kernel noted beside a datagram.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Note {
    pub(crate) at: Option<Timestamp>,
    /// The address that was called.
    pub(crate) local: Option<IpAddr>,
    /// The port that was called, where it was asked for.
    pub(crate) port: Option<u16>,
    /// Drops of this socket before the datagram, ever; sent only once there were any.
    pub(crate) drops: Option<u32>,
    /// The kernel's messages did not fit: what it said is unknown.
    pub(crate) is_unreadable: bool,
}

/// Takes what waits, at most a batch, without waiting for more, and hands over all of it at once. `Ok(0)`: nothing
/// waits.
pub(crate) fn receive<const OCTETS: usize>(
    socket: &UdpSocket,
    buffers: &mut [[u8; OCTETS]],
    take: impl FnOnce(&[Received<'_>]),
) -> io::Result<usize> {
    // Of the two ways to say the destination a socket uses one; this is the longer.
    let space = cmsg_space!(sockaddr_in6, TimeSpec, u32);
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, Some(space));
    let mut slices: Vec<[IoSliceMut<'_>; 1]> = buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
    // MSG_TRUNC makes the kernel say how long a datagram was, whatever of it was read (recvmsg(2)).
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    let taken = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), flags, None);
    let messages = match taken {
        Ok(messages) => messages,
        Err(Errno::EAGAIN | Errno::EINTR) => return Ok(0),
        Err(errno) => return Err(errno.into()),
    };
    let mut count = 0;
    let mut batch = Vec::with_capacity(BATCH);
    for message in messages {
        count += 1;
        if let Some(source) = message.address.as_ref().and_then(address) {
            let packet = message.iovs().next().unwrap_or_default();
            batch.push(Received { packet, len: message.bytes, source, note: note(&message) });
        }
    }
    take(&batch);
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
            ControlMessageOwned::Ipv4OrigDstAddr(called) => {
                note.local = Some(IpAddr::from(called.sin_addr.s_addr.to_ne_bytes()));
                note.port = Some(u16::from_be(called.sin_port));
            }
            ControlMessageOwned::Ipv6OrigDstAddr(called) => {
                note.local = Some(IpAddr::from(called.sin6_addr.s6_addr));
                note.port = Some(u16::from_be(called.sin6_port));
            }
            ControlMessageOwned::RxqOvfl(drops) => note.drops = Some(drops),
            _ => {}
        }
    }
    note
}

fn nanos(at: TimeSpec) -> i64 {
    at.tv_sec().saturating_mul(1_000_000_000).saturating_add(at.tv_nsec())
}

//----------- Losses -----------------------------------------------------------------------------------------------

/// The kernel's count of a socket's drops as last heard. It counts in 32 bits and starts again from zero.
#[derive(Debug, Default)]
pub(crate) struct Losses(u32);

impl Losses {
    /// What was lost before this datagram and since the one before it.
    pub(crate) fn before(&mut self, note: &Note) -> Tally {
        let mut tally = Tally { loss_unknown: u64::from(note.is_unreadable), ..Tally::default() };
        if let Some(drops) = note.drops {
            tally.lost_in_kernel = u64::from(drops.wrapping_sub(self.0));
            self.0 = drops;
        }
        tally
    }

    /// What was lost behind the last datagram: no control message says it.
    pub(crate) fn at_the_end(&self, socket: &UdpSocket, local: SocketAddr) -> Tally {
        match drops::drops(socket, local) {
            Some(drops) => Tally { lost_in_kernel: u64::from(drops.wrapping_sub(self.0)), ..Tally::default() },
            None => Tally { loss_unknown: 1, ..Tally::default() },
        }
    }
}

//----------- Waiting ----------------------------------------------------------------------------------------------

/// Whether one of these happened in time.
pub(crate) fn is_ready(events: &[(BorrowedFd<'_>, PollFlags)], millis: u16) -> bool {
    let mut fds: Vec<PollFd<'_>> = events.iter().map(|(fd, flags)| PollFd::new(*fd, *flags)).collect();
    poll(&mut fds, PollTimeout::from(millis)).is_ok_and(|ready| ready > 0)
}
