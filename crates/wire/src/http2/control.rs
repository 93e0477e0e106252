//! Frames that bring no request: settings, windows, priorities, resets (RFC 9113, 6.3 to 6.9).
//!
//! They are cheap to send and cost us an answer or a walk over the streams, so each is counted (see [`super::floods`]).
//! PING is answered where frames are told apart; GOAWAY and frames of no known kind say nothing to us.

use std::mem;
use std::time::Duration;

use super::ending::Breach;
use super::frames::{self, Code, FRAME_OCTETS_MAX, FrameHead};
use super::session::{Http2, Phase};
use super::shown::Priority;
use super::streams::{By, Standing};
use crate::oddity::{Oddity, note};

/// What a frame's type says of its length and stream, whatever it holds (RFC 9113, 6).
pub(super) fn check_form(head: FrameHead) -> Result<(), Breach> {
    let fits = match head.kind {
        frames::PRIORITY => head.len == Priority::OCTETS,
        frames::RST_STREAM | frames::WINDOW_UPDATE => head.len == 4,
        frames::SETTINGS if head.has(frames::ACK) => head.len == 0,
        frames::SETTINGS => head.len.is_multiple_of(6),
        frames::PING => head.len == 8,
        frames::GOAWAY => head.len >= 8,
        _ => true,
    };
    let is_for_all = head.stream == 0;
    let has_place = match head.kind {
        frames::SETTINGS | frames::PING | frames::GOAWAY => is_for_all,
        frames::DATA | frames::HEADERS | frames::PRIORITY | frames::RST_STREAM | frames::CONTINUATION => !is_for_all,
        _ => true,
    };
    match (has_place, fits) {
        (false, _) => Err(Breach::Connection(Code::Protocol, Oddity::H2FrameStream)),
        (_, false) => Err(Breach::Connection(Code::FrameSize, Oddity::H2FrameSize)),
        _ => Ok(()),
    }
}

impl Http2 {
    /// Counts a frame that brings nothing.
    pub(super) fn spend_control(&mut self, now: Duration) -> Result<(), Breach> {
        match self.controls.spend(now) {
            true => Ok(()),
            false => Err(Breach::Connection(Code::EnhanceYourCalm, Oddity::H2ControlFlood)),
        }
    }

    pub(super) fn on_settings(&mut self, payload: &[u8]) -> Result<(), Breach> {
        let is_first = mem::replace(&mut self.phase, Phase::Open) == Phase::Settings;
        for six in payload.as_chunks::<6>().0 {
            let [i1, i2, v1, v2, v3, v4] = *six;
            let (id, value) = (u16::from_be_bytes([i1, i2]), u32::from_be_bytes([v1, v2, v3, v4]));
            if is_first {
                self.shown.setting(id, value);
            }
            self.on_setting(id, value)?;
        }
        self.send(|out| frames::put(out, frames::SETTINGS, frames::ACK, 0, &[]));
        self.pump_all();
        Ok(())
    }

    fn on_setting(&mut self, id: u16, value: u32) -> Result<(), Breach> {
        let is_valid = match id {
            frames::ENABLE_PUSH => value <= 1,
            frames::MAX_FRAME_SIZE => (FRAME_OCTETS_MAX as u32..1 << 24).contains(&value),
            _ => true,
        };
        match id {
            _ if !is_valid => Err(Breach::Connection(Code::Protocol, Oddity::H2Setting)),
            frames::INITIAL_WINDOW_SIZE => self.resize_windows(value),
            frames::HEADER_TABLE_SIZE => {
                self.held.table_was_set(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn resize_windows(&mut self, octets: u32) -> Result<(), Breach> {
        if octets > i32::MAX as u32 {
            return Err(Breach::Connection(Code::FlowControl, Oddity::H2Setting));
        }
        let more = i64::from(octets) - i64::from(mem::replace(&mut self.held.initial_window, octets));
        match self.streams.iter_mut().all(|(_, stream)| stream.outbound.raise(more)) {
            true => Ok(()),
            false => Err(Breach::Connection(Code::FlowControl, Oddity::H2WindowOverflow)),
        }
    }

    pub(super) fn on_window(&mut self, stream: u32, octets: [u8; 4]) -> Result<(), Breach> {
        let octets = frames::stream_id(octets);
        let breach = |code, oddity| match stream {
            0 => Breach::Connection(code, oddity),
            id => Breach::Stream(id, code, oddity),
        };
        match self.streams.standing(stream) {
            _ if stream == 0 && self.was_seen => {}
            _ if stream == 0 => self.shown.window(octets),
            Standing::Idle => return Err(Breach::Connection(Code::Protocol, Oddity::H2Idle)),
            Standing::Closed(_) | Standing::Forgotten => return Ok(()),
            Standing::Open => {}
        }
        let window = match self.streams.get_mut(stream) {
            Some(stream) => &mut stream.outbound,
            None => &mut self.held.window,
        };
        if octets == 0 {
            return Err(breach(Code::Protocol, Oddity::H2WindowZero));
        }
        if !window.raise(i64::from(octets)) {
            return Err(breach(Code::FlowControl, Oddity::H2WindowOverflow));
        }
        match stream {
            0 => self.pump_all(),
            id => self.pump(id),
        }
        Ok(())
    }

    /// RFC 9113 has taken priorities out, and with them the error of a stream that depends on itself.
    pub(super) fn weigh(&mut self, stream: u32, octets: [u8; Priority::OCTETS]) -> Priority {
        let priority = Priority::read(octets);
        if priority.depends_on == stream {
            note(&mut self.loose, Oddity::H2SelfPriority);
        }
        priority
    }

    pub(super) fn on_reset(&mut self, now: Duration, head: FrameHead) -> Result<(), Breach> {
        match self.streams.standing(head.stream) {
            Standing::Idle => return Err(Breach::Connection(Code::Protocol, Oddity::H2Idle)),
            Standing::Open => self.drop_stream(head.stream, By::Peer, Oddity::H2Reset),
            Standing::Closed(_) | Standing::Forgotten => {}
        }
        self.spend_reset(now);
        Ok(())
    }
}
