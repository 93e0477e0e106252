//! Sockets, threads and clock of the flood: batches out, batches in.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg, setsockopt, sockopt};

use model::DomainName;

use super::asks::{Asker, Cookie};
use super::{Flood, FloodReport, Stop, Window};
use crate::Error;

/// Datagrams per system call.
const BATCH: usize = 64;
/// How long a receive waits before lost queries are looked for.
const RECEIVE_TIMEOUT: Duration = Duration::from_millis(50);
/// The same where the flood has a rate: the next query is due sooner.
const PACED_TIMEOUT: Duration = Duration::from_micros(500);
/// The interface of 127.0.0.0/8. A lane's socket has no address of its own, and hears nobody else through this.
const LOOPBACK: &str = "lo";
/// The largest answer that we take; ours to the bench names are far smaller.
const PACKET_LEN_MAX: usize = 1500;
/// Receive buffer: room for every query in flight to be answered at once.
const RECEIVE_BUFFER: usize = 4 << 20;

pub(super) fn run(flood: &Flood) -> Result<FloodReport, Error> {
    let names: &Vec<Vec<u8>> = &flood.names.iter().map(DomainName::to_wire).collect();
    let budget = &Budget::of(flood.stop);
    let start = now();
    let windows: Vec<Window> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..flood.lanes)
            .map(|number| scope.spawn(move || Lane::open(flood, number, names, budget, start)?.run()))
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
        errors: sum(|window| window.counts.errors),
        cut: sum(|window| window.counts.cut),
        with_cookie: sum(|window| window.counts.with_cookie),
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

    /// Whether there may be more later.
    fn lasts(&self, elapsed: Duration) -> bool {
        match self {
            Self::Until(end) => elapsed < *end,
            Self::Left(left) => left.load(Ordering::Relaxed) > 0,
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
    target: SockaddrIn,
    /// The lane's addresses, with what each has of the server's cookies.
    sources: Vec<(in_pktinfo, Cookie)>,
    /// Which of them sends the next batch.
    source: usize,
    window: Window,
    asker: Asker<'a>,
    budget: &'a Budget,
    /// The lane's share of the flood's rate.
    per_sec: Option<f64>,
    start: Instant,
    /// Places whose queries the kernel has not accepted yet.
    unsent: Vec<usize>,
}

impl<'a> Lane<'a> {
    fn open(
        flood: &Flood,
        number: usize,
        names: &'a [Vec<u8>],
        budget: &'a Budget,
        start: Instant,
    ) -> Result<Self, Error> {
        let SocketAddr::V4(target) = flood.target else {
            return Err(Error::Plan(format!("{} is no IPv4 address", flood.target)));
        };
        let from = Ipv4Addr::UNSPECIFIED;
        let socket = UdpSocket::bind(SocketAddrV4::new(from, 0)).map_err(Error::io("bind", from))?;
        prepare(&socket, flood.per_sec.is_some()).map_err(Error::io("set the options of", from))?;
        // Lanes do not walk through the names in step.
        let first = number * names.len() / flood.lanes;
        let lanes = flood.lanes as f64;
        Ok(Self {
            socket,
            target: target.into(),
            sources: flood.sources(number).map(|source| (packet_info(source), Cookie::new(source.to_bits()))).collect(),
            source: 0,
            window: Window::new(flood.in_flight),
            asker: Asker::new(names, flood.asks, number, first),
            budget,
            per_sec: flood.per_sec.map(|all| f64::from(all) / lanes),
            start,
            unsent: Vec::new(),
        })
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

    /// Takes free places as far as budget and rate allow; false once there is nothing more to send.
    fn refill(&mut self) -> bool {
        let elapsed = self.start.elapsed();
        let wanted = self.window.free.len().min(BATCH).min(self.due(elapsed));
        let granted = self.budget.take(wanted, elapsed);
        self.source = (self.source + 1) % self.sources.len();
        let cookie = &self.sources[self.source].1;
        for _ in 0..granted {
            let write = |id, out: &mut Vec<u8>| self.asker.write(id, cookie, out);
            self.unsent.push(self.window.take(self.source, elapsed, write).expect("a place was counted as free"));
        }
        granted > 0 || wanted == 0 && self.budget.lasts(elapsed)
    }

    /// How many queries the rate owes by now.
    fn due(&self, elapsed: Duration) -> usize {
        let sent = self.window.counts.sent as f64;
        self.per_sec.map_or(usize::MAX, |per_sec| (elapsed.as_secs_f64() * per_sec - sent).max(0.0) as usize)
    }

    fn send(&mut self) -> nix::Result<()> {
        while !self.unsent.is_empty() {
            let sent = self.send_batch()?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }

    fn send_batch(&self) -> nix::Result<usize> {
        let queries = self.unsent.iter().map(|place| &self.window.places[*place].query);
        let slices: Vec<_> = queries.map(|query| [IoSlice::new(query)]).collect();
        let mut heads = MultiHeaders::preallocate(slices.len(), Some(cmsg_space!(in_pktinfo)));
        let targets = vec![Some(self.target); slices.len()];
        let control = [ControlMessage::Ipv4PacketInfo(&self.sources[self.source].0)];
        Ok(sendmmsg(self.socket.as_raw_fd(), &mut heads, &slices, targets, control, MsgFlags::empty())?.count())
    }

    fn receive(&mut self) -> nix::Result<usize> {
        let mut buffers = vec![0; BATCH * PACKET_LEN_MAX];
        let mut slices: Vec<_> = buffers.chunks_mut(PACKET_LEN_MAX).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let mut heads = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
        let packets =
            match recvmmsg(self.socket.as_raw_fd(), &mut heads, slices.iter_mut(), MsgFlags::MSG_WAITFORONE, None) {
                Ok(packets) => packets,
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(0),
                Err(errno) => return Err(errno),
            };
        let elapsed = self.start.elapsed();
        let mut heard = 0;
        for packet in packets.filter(|packet| packet.address == Some(self.target)) {
            for octets in packet.iovs() {
                take_reply(&mut self.window, &mut self.sources, octets, elapsed);
            }
            heard += 1;
        }
        Ok(heard)
    }

    fn trouble(&self, what: &'static str, errno: Errno) -> Error {
        Error::io(what, self.target)(errno.into())
    }
}

fn take_reply(window: &mut Window, sources: &mut [(in_pktinfo, Cookie)], octets: &[u8], elapsed: Duration) {
    if let Some(place) = window.reply(octets, elapsed) {
        let cookie = &mut sources[place.source].1;
        cookie.learn(&place.query, place.question_end, octets);
        let had_cookie = cookie.is_in(&place.query);
        window.counts.with_cookie += u64::from(had_cookie);
    }
}

fn prepare(socket: &UdpSocket, is_paced: bool) -> io::Result<()> {
    setsockopt(socket, sockopt::BindToDevice, &LOOPBACK.into())?;
    socket.set_read_timeout(Some(if is_paced { PACED_TIMEOUT } else { RECEIVE_TIMEOUT }))?;
    socket2::SockRef::from(socket).set_recv_buffer_size(RECEIVE_BUFFER)
}

/// What tells the kernel which address a batch leaves from.
fn packet_info(source: Ipv4Addr) -> in_pktinfo {
    let address = in_addr { s_addr: u32::from_ne_bytes(source.octets()) };
    in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: address }
}
