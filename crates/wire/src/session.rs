//! What every protocol machine has in common: bytes and `now` in, outputs out.
//!
//! A session lives for one conversation with one peer. It has no socket and no clock: whoever drives it passes what
//! arrived and when, as a duration since the conversation began, then polls until there is nothing more to do.
//! A test drives a whole conversation in one thread; the sinkhole drives ten thousand.

use std::time::Duration;

/// One conversation.
pub trait Session {
    /// What the session saw and wants recorded.
    type Seen;

    fn on_bytes(&mut self, now: Duration, bytes: &[u8]);

    /// The peer has no more to say.
    fn on_end(&mut self, now: Duration);

    /// The next thing to do, in order; `None` once there is nothing until more bytes come.
    fn poll(&mut self, now: Duration) -> Option<Output<Self::Seen>>;
}

/// What a session wants done, in the order in which it says so.
#[derive(Debug, Eq, PartialEq)]
pub enum Output<Seen> {
    Send(Vec<u8>),
    /// Evidence: to be recorded before the next `Send` is carried out.
    Observe(Seen),
    /// Nothing more until this time, unless bytes come.
    Wait(Duration),
    /// The conversation is over from our side.
    Close,
}

impl<Seen> Output<Seen> {
    /// The same, with what was seen as somebody else tells it.
    pub fn map<Told>(self, tell: impl FnOnce(Seen) -> Told) -> Output<Told> {
        match self {
            Self::Send(bytes) => Output::Send(bytes),
            Self::Observe(seen) => Output::Observe(tell(seen)),
            Self::Wait(until) => Output::Wait(until),
            Self::Close => Output::Close,
        }
    }
}
