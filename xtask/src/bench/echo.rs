//! An echo of datagrams: what the kernel's UDP path costs by itself, and so the floor for any name server.
//!
//! Bare, or told by the kernel of each datagram what our server asks to be told (time of receipt, address called, drops),
//! which costs some per cent before a single octet of DNS is looked at.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::in_pktinfo;
use nix::sys::socket::{MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, recvmmsg, sendmmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use crate::Done;

const BATCH: usize = 64;
/// The payload that EDNS asks for; nobody's question is longer.
const DATAGRAM_OCTETS_MAX: usize = 1232;

type Buffer = [u8; DATAGRAM_OCTETS_MAX];

/// Echoes every datagram with the bit set that makes it a response, until it is killed.
pub fn echo(port: u16, is_told: bool) -> Done {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    if is_told {
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
    }
    let mut buffers = vec![[0; DATAGRAM_OCTETS_MAX]; BATCH];
    loop {
        match one_batch(&socket, &mut buffers, is_told) {
            Ok(()) | Err(Errno::EINTR) => {}
            Err(error) => return Err(format!("echoing on port {port}: {error}").into()),
        }
    }
}

fn one_batch(socket: &UdpSocket, buffers: &mut [Buffer], is_told: bool) -> Result<(), Errno> {
    let came = receive(socket, buffers, is_told)?;
    for (buffer, (length, _)) in buffers.iter_mut().zip(&came) {
        if *length > 2 {
            buffer[2] |= 0x80;
        }
    }
    send(socket, buffers, &came)
}

/// What came, by its length and sender. The headers are made afresh for every batch (see nix-rust/nix#2813).
fn receive(
    socket: &UdpSocket,
    buffers: &mut [Buffer],
    is_told: bool,
) -> Result<Vec<(usize, Option<SockaddrIn>)>, Errno> {
    let mut spaces: Vec<[IoSliceMut<'_>; 1]> = buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
    let mut heads =
        MultiHeaders::<SockaddrIn>::preallocate(BATCH, is_told.then(|| cmsg_space!(in_pktinfo, TimeSpec, u32)));
    let received = recvmmsg(socket.as_raw_fd(), &mut heads, spaces.iter_mut(), MsgFlags::MSG_WAITFORONE, None)?;
    let each = |message: RecvMsg<'_, '_, SockaddrIn>| {
        // Reading what was told is part of its price.
        std::hint::black_box(message.cmsgs().map_or(0, Iterator::count));
        (message.bytes, message.address)
    };
    Ok(received.map(each).collect())
}

fn send(socket: &UdpSocket, buffers: &[Buffer], came: &[(usize, Option<SockaddrIn>)]) -> Result<(), Errno> {
    let answers: Vec<[IoSlice<'_>; 1]> =
        buffers.iter().zip(came).map(|(buffer, (length, _))| [IoSlice::new(&buffer[..*length])]).collect();
    let peers: Vec<Option<SockaddrIn>> = came.iter().map(|(_, peer)| *peer).collect();
    let mut sent = 0;
    while sent < answers.len() {
        let mut heads = MultiHeaders::<SockaddrIn>::preallocate(answers.len() - sent, None);
        let some = sendmmsg(socket.as_raw_fd(), &mut heads, &answers[sent..], &peers[sent..], [], MsgFlags::empty())?;
        sent += some.count().max(1);
    }
    Ok(())
}
