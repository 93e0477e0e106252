//! One connection of a sender, from its first frame to its end, and what of it was lost.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use model::tally::Tally;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use wire::dnstap::{End, FrameStreams, Seen};
use wire::session::{Output, Session};

use super::deed::{Kept, keep};
use super::listener::House;
use crate::recorder::Recorder;
use crate::run::stopped;

/// What is read at once, and with it how much is staged before a write.
const READ_OCTETS: usize = 64 * 1024;
/// After the stop, how long a sender may be silent before all that it sent has arrived.
const STOP_SILENCE: Duration = Duration::from_millis(50);
/// After the stop, how long a sender is read that is never silent.
const STOP_GRACE: Duration = Duration::from_secs(1);

//----------- Gaps -------------------------------------------------------------------------------------------------

/// What could be seen of a sensor's losses since the start. The sender's own losses cannot be seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Gaps {
    /// Connections that began streaming after another had: a sender that came back, or a second one.
    pub reconnects: u64,
    /// Connections that ended within a frame.
    pub cut: u64,
    /// Connections that ended without a STOP, or were silent for too long.
    pub without_stop: u64,
    /// Connections that we ended: a frame over the limit, out of order, of other content, or not to be read.
    pub faults: u64,
    /// Frames that are no dnstap, or tell a query without its packet or its sender.
    pub unreadable: u64,
}

impl Gaps {
    pub fn total(&self) -> u64 {
        self.reconnects + self.cut + self.without_stop + self.faults + self.unreadable
    }

    fn of(end: Option<End>) -> Self {
        let mut gaps = Self::default();
        match end {
            Some(End::Stopped) => {}
            Some(End::Cut) => gaps.cut = 1,
            Some(End::Silent) | None => gaps.without_stop = 1,
            Some(End::Fault(_)) => gaps.faults = 1,
        }
        gaps
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.reconnects += other.reconnects;
        self.cut += other.cut;
        self.without_stop += other.without_stop;
        self.faults += other.faults;
        self.unreadable += other.unreadable;
    }
}

//----------- Connection -------------------------------------------------------------------------------------------

pub(super) struct Connection<S> {
    house: Arc<House>,
    stream: S,
    streams: FrameStreams,
    counted: Counted,
}

/// What one connection brought, for the line that is said at its end.
#[derive(Default)]
struct Counted {
    recorded: u64,
    only_counted: u64,
    passed_over: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(house: Arc<House>, stream: S) -> Self {
        Self { house, stream, streams: FrameStreams::default(), counted: Counted::default() }
    }

    pub(super) async fn serve(mut self, stop: &mut watch::Receiver<bool>) {
        let end = tokio::select! {
            end = self.read_to_end() => Some(end),
            () = stopped(stop) => None,
        };
        match end {
            Some(end) => self.note_end(end),
            None => self.finish().await,
        }
    }

    /// Reads what was sent before the stop. That we end it is no gap of the sender's.
    async fn finish(&mut self) {
        let rest = async { while let Ok(None) = timeout(STOP_SILENCE, self.read_once()).await {} };
        let _ = timeout(STOP_GRACE, rest).await;
    }

    /// How the stream ended; `None` if it was silent for too long.
    async fn read_to_end(&mut self) -> Option<End> {
        loop {
            match timeout(self.patience(), self.read_once()).await {
                Ok(None) => {}
                Ok(Some(end)) => return Some(end),
                Err(_) if self.streams.is_within_frame() => return Some(End::Cut),
                Err(_) => return None,
            }
        }
    }

    fn patience(&self) -> Duration {
        let limits = &self.house.limits;
        match self.streams.is_within_frame() || !self.streams.has_started() {
            true => limits.frame,
            false => limits.idle,
        }
    }

    /// Reads once, records all that came by one write, and answers. May be given up while it waits for octets.
    async fn read_once(&mut self) -> Option<End> {
        let mut chunk = vec![0; READ_OCTETS];
        match self.stream.read(&mut chunk).await {
            // A reset ends a stream as a close does: in both cases nobody said STOP.
            Ok(0) | Err(_) => self.streams.on_end(Duration::ZERO),
            Ok(count) => self.streams.on_bytes(Duration::ZERO, &chunk[..count]),
        }
        let (reply, end) = self.record();
        if !reply.is_empty() {
            // A sender that does not read its ACCEPT or FINISH is seen by what it does next.
            let _ = timeout(self.house.limits.frame, self.stream.write_all(&reply)).await;
        }
        end
    }

    /// Records every whole frame by one write. What is to be sent, and how the stream ended if it did.
    fn record(&mut self) -> (Vec<u8>, Option<End>) {
        let house = Arc::clone(&self.house);
        let (zones, now) = (house.zones.read(), (house.clock)());
        let mut recorder = house.recorder();
        let (mut reply, mut end) = (Vec::new(), None);
        while let Some(output) = self.streams.poll(Duration::ZERO) {
            match output {
                Output::Send(bytes) => reply.extend(bytes),
                Output::Observe(Seen::Started) => self.note_start(&mut recorder),
                Output::Observe(Seen::Frame(frame)) => match keep(&frame, &house.sensor, now, &zones, &mut recorder) {
                    Ok(kept) => self.counted.add(kept),
                    Err(_) => house.note(&Gaps { unreadable: 1, ..Gaps::default() }, &mut recorder),
                },
                Output::Observe(Seen::Ended(ended)) => end = Some(ended),
                Output::Wait(_) | Output::Close => {}
            }
        }
        recorder.commit(now);
        (reply, end)
    }

    fn note_start(&self, recorder: &mut MutexGuard<'_, Recorder>) {
        let is_return = self.house.begin();
        self.house.note(&Gaps { reconnects: u64::from(is_return), ..Gaps::default() }, recorder);
        tracing::info!(sensor = self.house.sensor, is_return, "a dnstap sender streams");
    }

    fn note_end(&self, end: Option<End>) {
        self.house.note(&Gaps::of(end), &mut self.house.recorder());
        let Counted { recorded, only_counted, passed_over } = self.counted;
        let how = match end {
            Some(End::Stopped) => "it said STOP",
            Some(End::Silent) => "it was gone without a STOP",
            Some(End::Cut) => "it was gone within a frame",
            Some(End::Fault(fault)) => fault.as_str(),
            None => "it was silent for too long",
        };
        tracing::info!(sensor = self.house.sensor, how, recorded, only_counted, passed_over, "a dnstap stream ended");
    }
}

impl Counted {
    fn add(&mut self, kept: Kept) {
        match kept {
            Kept::Staged => self.recorded += 1,
            Kept::OnlyCounted => self.only_counted += 1,
            Kept::PassedOver => self.passed_over += 1,
        }
    }
}

impl House {
    /// Counts gaps, for the sensor's own line and for the tally.
    fn note(&self, gaps: &Gaps, recorder: &mut Recorder) {
        self.gaps.lock().expect("nothing panics while it counts").add(gaps);
        recorder.count(&Tally { loss_unknown: gaps.total(), ..Tally::default() });
    }
}
