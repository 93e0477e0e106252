//! One connection: moves its bytes, keeps its time, and writes before anything is sent. Started by [`super::run`], and
//! like it dull on purpose: receive, ask the conversation, record, send, repeat.
//!
//! A connection owns no buffer while it waits: octets are read into one scratch buffer per thread and handed on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use model::outcome::End;
use model::tally::CutShort;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use wire::session::{Output, Session};

use super::book::{Book, Farewell};
use super::conversation::Conversation;
use super::knock::Knock;
use super::line::Line;
use crate::gate::{Asked, Pass};
use crate::recorder::{self, WRITTEN_AFTER};
use crate::run::now;

/// Octets read at once.
const SCRATCH_OCTETS: usize = 16 * 1024;
/// Reads at a stop, for what had been sent before it.
const LAST_READS_MAX: usize = 64;
/// After our last octet the caller's are read and dropped for so long: closing over unread octets would reset the
/// connection and take our answer with it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS_MAX: usize = 64;
/// How long a caller may take nothing of an answer once we stop. Shorter than the drain: how it ended is recorded.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_OCTETS]);
}

/// One connection.
pub(super) struct Visit {
    pub(super) line: Line,
    pub(super) conversation: Conversation,
    pub(super) book: Book,
    pub(super) began: Instant,
    /// When nothing is sent any more, however willing the caller is.
    pub(super) until: Instant,
    pub(super) is_stopping: bool,
    /// Whether somebody else has the place.
    pub(super) is_asked: bool,
    pub(super) octets_out: u64,
    pub(super) pass: Pass,
    #[expect(dead_code, reason = "dropped with the connection: whoever waits for the last hears of it")]
    pub(super) alive: mpsc::Sender<()>,
}

/// What a conversation wants done, everything before it being on record.
enum Next {
    Send(Vec<u8>),
    Wait(Instant),
    Close,
}

impl Visit {
    /// A block and no `async fn`: that would keep its argument twice, and ten thousand of these wait at once.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` holds its argument beside the copy that it works on")]
    pub(super) fn serve(mut self) -> impl Future<Output = ()> + Send {
        async move {
            let end = self.converse().await;
            self.say_farewell(end);
            let is_cut_short = match end {
                End::Peer | End::Reset => false,
                End::Us => self.conversation.may_still_be_sending(),
                _ => true,
            };
            if self.octets_out > 0 && is_cut_short && !self.is_asked {
                Box::pin(self.linger()).await;
            }
        }
    }

    /// One timer for all waits: most of them only put it off, so it is set anew when it was too late or has rung.
    async fn converse(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.until));
        loop {
            let until = match self.speak().await {
                Ok(Some(until)) => until,
                Ok(None) => return self.conversation.ending(),
                Err(end) => return end,
            };
            if !self.holds(0) {
                self.cut_short(CutShort { buffered: 1, ..CutShort::default() });
                continue;
            }
            if self.pass.is_stopped() {
                self.listen_for_the_last_time();
                continue;
            }
            self.pass.was_heard(self.conversation.heard_at());
            if until < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(until);
            }
            tokio::select! {
                biased;
                heard = poll_fn(|context| hear(&mut self.line, &mut self.conversation, self.began, context)) => {
                    if heard.is_err() {
                        self.conversation.end(End::Reset);
                    }
                }
                () = &mut timer => {}
                asked = poll_fn(|context| self.pass.poll_asked(context)) => if asked == Asked::Leave { self.go() }
            }
        }
    }

    /// Somebody else has the place. It is counted once, although whoever has a last word to say hears of it again.
    fn go(&mut self) {
        if !std::mem::replace(&mut self.is_asked, true) {
            self.cut_short(CutShort { evicted: 1, ..CutShort::default() });
        }
    }

    fn cut_short(&mut self, by: CutShort) {
        self.book.record(&Knock::CutShort(by), now());
        self.conversation.end(End::Limit);
    }

    /// Says what is held for this caller, so many octets of an answer among it. Whether there is room for it.
    fn holds(&mut self, unsent: usize) -> bool {
        self.pass.holds(self.conversation.octets_held() + unsent, self.conversation.heard_at())
    }

    fn say_farewell(&mut self, end: End) {
        let farewell = Farewell {
            octets_in: self.conversation.octets_in(),
            octets_out: self.octets_out,
            duration: self.began.elapsed(),
            end,
            tls: self.conversation.tls(),
        };
        if let Some(recorder) = self.book.close(&farewell, now()) {
            tokio::spawn(async move {
                sleep(WRITTEN_AFTER).await;
                recorder::held(&recorder).write_staged(now());
            });
        }
    }

    /// Records and sends what the conversation has to say; then says until when it waits, or that it is over.
    async fn speak(&mut self) -> Result<Option<Instant>, End> {
        loop {
            match self.next() {
                Next::Send(bytes) => self.send(&bytes).await?,
                Next::Wait(until) => return Ok(Some(until)),
                Next::Close => return Ok(None),
            }
        }
    }

    /// Records what is to be recorded before the next thing is done. Apart from whoever waits, so that nobody has room
    /// for a request while he does.
    fn next(&mut self) -> Next {
        loop {
            match self.conversation.poll(self.began.elapsed()) {
                Some(Output::Observe(knock)) => self.record(&knock),
                Some(Output::Send(bytes)) => return Next::Send(bytes),
                Some(Output::Wait(until)) => return Next::Wait(self.began + until),
                Some(Output::Close) | None => return Next::Close,
            }
        }
    }

    fn record(&mut self, knock: &Knock) {
        self.book.record(knock, now());
        let is_proxied = matches!(knock, Knock::Proxied(_));
        if is_proxied && !self.pass.is_for(self.book.source(), self.conversation.heard_at()) {
            self.conversation.end(End::Limit);
        }
    }

    async fn send(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            match self.line.try_write(bytes) {
                Ok(count) => {
                    self.octets_out += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Few callers make us wait; those who do pay for the room.
                    Box::pin(self.room(bytes.len())).await.map_err(|end| self.give_up(end))?;
                }
                Err(_) => return Err(self.give_up(End::Reset)),
            }
        }
        Ok(())
    }

    /// Waits until the caller takes some of an answer: not beyond his patience, his lifetime, or our stop, and not when
    /// the place or the room is needed for others.
    async fn room(&mut self, unsent: usize) -> Result<(), End> {
        if !self.holds(unsent) {
            self.cut_short(CutShort { buffered: 1, ..CutShort::default() });
            return Err(End::Limit);
        }
        let patience = Instant::now() + self.conversation.ground.limits.idle;
        self.pass.was_heard(self.began.elapsed());
        tokio::select! {
            ready = self.line.writable() => ready.map_err(|_| End::Reset),
            () = sleep_until(patience.min(self.until)) => {
                Err(if self.is_stopping { End::Stopped } else if patience < self.until { End::TimedOut } else { End::Limit })
            }
            asked = poll_fn(|context| self.pass.poll_asked(context)) => match asked {
                Asked::Stop => {
                    self.is_stopping = true;
                    self.until = self.until.min(Instant::now() + STOP_PATIENCE);
                    Ok(())
                }
                Asked::Leave => {
                    self.go();
                    Err(End::Limit)
                }
            }
        }
    }

    /// The caller takes no answer any more. What had been said by then is recorded all the same. Whoever goes because
    /// of a limit has met it, whatever he does with the last that we say.
    fn give_up(&mut self, end: End) -> End {
        let end = if self.conversation.is_at_limit() { End::Limit } else { end };
        self.conversation.end(end);
        while let Some(output) = self.conversation.poll(self.began.elapsed()) {
            if let Output::Observe(knock) = output {
                self.book.record(&knock, now());
            }
        }
        end
    }

    /// Reads once, without waiting. Says whether there was anything.
    fn listen(&mut self) -> io::Result<bool> {
        let elapsed = self.began.elapsed();
        SCRATCH.with_borrow_mut(|scratch| match self.line.try_read(scratch) {
            Ok(0) => {
                self.conversation.on_end(elapsed);
                Ok(false)
            }
            Ok(count) => {
                self.conversation.on_bytes(elapsed, &scratch[..count]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        })
    }

    fn listen_for_the_last_time(&mut self) {
        for _ in 0..LAST_READS_MAX {
            if !matches!(self.listen(), Ok(true)) {
                break;
            }
        }
        self.conversation.end(End::Stopped);
    }

    async fn linger(&mut self) {
        if self.line.shut().is_err() {
            return;
        }
        let until = Instant::now() + LINGER;
        self.pass.was_heard(self.began.elapsed());
        for _ in 0..LINGER_READS_MAX {
            let readable = tokio::select! {
                readable = timeout_at(until, self.line.readable()) => readable,
                asked = poll_fn(|context| self.pass.poll_asked(context)) => match asked {
                    Asked::Stop => continue,
                    Asked::Leave => return,
                }
            };
            if !matches!(readable, Ok(Ok(()))) {
                return;
            }
            let read = SCRATCH.with_borrow_mut(|scratch| self.line.try_read(scratch));
            match read {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }
}

/// Reads once into the thread's scratch buffer and hands it on. A read that does not fill it tells the runtime that
/// nothing is left, which spares one more that would find nothing.
fn hear(
    line: &mut Line,
    conversation: &mut Conversation,
    began: Instant,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    SCRATCH.with_borrow_mut(|scratch| {
        match ready!(line.poll_read(context, scratch))? {
            0 => conversation.on_end(began.elapsed()),
            count => conversation.on_bytes(began.elapsed(), &scratch[..count]),
        }
        Poll::Ready(Ok(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets_of<V, F>(_: fn(V) -> F) -> usize {
        size_of::<F>()
    }

    /// Ten thousand slow clients are ten thousand of these, each with what it has said. With the runtime's own hundred
    /// octets this just fits into 1,024; one more and the allocator hands out 1,280.
    #[test]
    fn a_connection_that_waits_is_small() {
        let octets = octets_of(Visit::serve);
        assert!(octets <= 912, "{octets}");
    }
}
