//! Sockets, threads and clock of the flood: batches out, batches in.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};

use super::{Flood, FloodReport, Stop, Window};
use crate::Error;

/// Datagrams per system call.
const BATCH: usize = 64;
/// How long a receive waits before lost queries are looked for.
const RECEIVE_TIMEOUT: Duration = Duration::from_millis(50);
/// The largest answer that we take; ours to the bench names are far smaller.
const PACKET_LEN_MAX: usize = 1500;
/// Receive buffer: room for every query in flight to be answered at once.
const RECEIVE_BUFFER: usize = 4 << 20;

pub(super) fn run(flood: &Flood) -> Result<FloodReport, Error> {
    let (templates, budget) = (&flood.templates(), &Budget::of(flood.stop));
    let start = now();
    let windows: Vec<Window> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..flood.lanes)
            .map(|number| scope.spawn(move || Lane::open(flood, number, templates, budget, start)?.run()))
            .collect();
        lanes.into_iter().map(|lane| lane.join().expect("a lane does not panic")).collect::<Result<_, Error>>()
    })?;
    Ok(summary(&windows, start.elapsed()))
}

fn summary(windows: &[Window], elapsed: Duration) -> FloodReport {
    let sum = |count: fn(&Window) -> u64| windows.iter().map(count).sum::<u64>();
    let mut latency = crate::latency::Histogram::default();
    windows.iter().for_each(|window| latency.merge(&window.latency));
    let answered = sum(|window| window.counts.answered);
    FloodReport {
        sent: sum(|window| window.counts.sent),
        answered,
        lost: sum(|window| window.counts.lost),
        strange: sum(|window| window.counts.strange),
        elapsed_secs: elapsed.as_secs_f64(),
        answered_per_sec: answered as f64 / elapsed.as_secs_f64(),
        latency: latency.percentiles(),
    }
}

/// A load generator measures time; nothing else in the house may.
#[expect(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

//----------- Budget -----------------------------------------------------------------------------------------------

/// What all lanes may still send.
enum Budget {
    Until(Duration),
    Left(AtomicU64),
}

impl Budget {
    fn of(stop: Stop) -> Self {
        match stop {
            Stop::After(duration) => Self::Until(duration),
            Stop::Count(count) => Self::Left(AtomicU64::new(count)),
        }
    }

    /// How many of `wanted` may be sent now.
    fn take(&self, wanted: usize, elapsed: Duration) -> usize {
        match self {
            Self::Until(end) if elapsed < *end => wanted,
            Self::Until(_) => 0,
            Self::Left(left) => {
                let take = |left: u64| Some(left - left.min(wanted as u64));
                let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or_default();
                usize::try_from(before).unwrap_or(usize::MAX).min(wanted)
            }
        }
    }
}

//----------- Lane -------------------------------------------------------------------------------------------------

/// One thread with one socket.
struct Lane<'a> {
    socket: UdpSocket,
    window: Window,
    templates: &'a [Vec<u8>],
    budget: &'a Budget,
    start: Instant,
    /// Which template comes next.
    turn: usize,
    /// Queries that were taken and not yet accepted by the kernel.
    unsent: Vec<Vec<u8>>,
}

impl<'a> Lane<'a> {
    fn open(
        flood: &Flood,
        number: usize,
        templates: &'a [Vec<u8>],
        budget: &'a Budget,
        start: Instant,
    ) -> Result<Self, Error> {
        let from = Ipv4Addr::from_bits(flood.from.to_bits() + number as u32);
        let socket = UdpSocket::bind(SocketAddr::from((from, 0))).map_err(Error::io("bind", from))?;
        socket.connect(flood.target).map_err(Error::io("connect to", flood.target))?;
        socket.set_read_timeout(Some(RECEIVE_TIMEOUT)).map_err(Error::io("set a time-out on", from))?;
        let buffered = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        buffered.map_err(Error::io("set the receive buffer of", from))?;
        // Lanes do not walk through the names in step.
        let turn = number * templates.len() / flood.lanes;
        let window = Window::new(flood.in_flight);
        Ok(Self { socket, window, templates, budget, start, turn, unsent: Vec::new() })
    }

    fn run(mut self) -> Result<Window, Error> {
        loop {
            let has_more = self.refill();
            self.send().map_err(|errno| self.trouble("send to", errno))?;
            if self.window.is_empty() && !has_more {
                return Ok(self.window);
            }
            let heard = self.receive().map_err(|errno| self.trouble("receive from", errno))?;
            if heard == 0 || self.window.free.is_empty() {
                self.window.expire(self.start.elapsed());
            }
        }
    }

    /// Takes free places as far as the budget allows; false once there is nothing more to send.
    fn refill(&mut self) -> bool {
        let elapsed = self.start.elapsed();
        let wanted = self.window.free.len().min(BATCH);
        let granted = self.budget.take(wanted, elapsed);
        for _ in 0..granted {
            let template = self.turn % self.templates.len();
            let id = self.window.take(template, elapsed).expect("a place was counted as free");
            let mut query = self.templates[template].clone();
            query[..2].copy_from_slice(&id.to_be_bytes());
            self.unsent.push(query);
            self.turn += 1;
        }
        granted > 0 || wanted == 0
    }

    fn send(&mut self) -> nix::Result<()> {
        while !self.unsent.is_empty() {
            let sent = match send_batch(self.socket.as_raw_fd(), &self.unsent) {
                Ok(sent) => sent,
                // Nobody listens yet or any more: the error belongs to an earlier datagram, whose query will be lost.
                Err(Errno::ECONNREFUSED) => 0,
                Err(errno) => return Err(errno),
            };
            self.unsent.drain(..sent);
        }
        Ok(())
    }

    fn receive(&mut self) -> nix::Result<usize> {
        let mut buffers = vec![0; BATCH * PACKET_LEN_MAX];
        let mut slices: Vec<_> = buffers.chunks_mut(PACKET_LEN_MAX).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let mut heads = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
        let packets =
            match recvmmsg(self.socket.as_raw_fd(), &mut heads, slices.iter_mut(), MsgFlags::MSG_WAITFORONE, None) {
                Ok(packets) => packets,
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => return Ok(0),
                Err(errno) => return Err(errno),
            };
        let elapsed = self.start.elapsed();
        let mut heard = 0;
        for packet in packets {
            for octets in packet.iovs() {
                self.window.reply(octets, self.templates, elapsed);
            }
            heard += 1;
        }
        Ok(heard)
    }

    fn trouble(&self, what: &'static str, errno: Errno) -> Error {
        let at = self.socket.peer_addr().map_or_else(|_| "the server".into(), |peer| peer.to_string());
        Error::io(what, at)(errno.into())
    }
}

fn send_batch(socket: i32, queries: &[Vec<u8>]) -> nix::Result<usize> {
    let slices: Vec<_> = queries.iter().map(|query| [IoSlice::new(query)]).collect();
    let mut heads = MultiHeaders::<SockaddrIn>::preallocate(slices.len(), None);
    let nobody = vec![None; slices.len()];
    let no_control: [ControlMessage<'_>; 0] = [];
    Ok(sendmmsg(socket, &mut heads, &slices, nobody, no_control, MsgFlags::empty())?.count())
}
