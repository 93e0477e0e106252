//! How much a peer may ask of us that brings us nothing.
//!
//! A frame of nine octets costs a peer nothing and us an answer, a stream or a walk. So frames are weighed by kind: so
//! many at once, and then so many a second. Requests that are served pay some of it back, because a client that is
//! served sends window updates.

use std::time::Duration;

/// A bucket that leaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    burst: u32,
    per_second: u32,
    spent: u32,
    /// Up to when it has leaked.
    leaked: Duration,
}

impl Allowance {
    /// SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA, GOAWAY and unknown frames. Browsers send about ten before
    /// their first request; a thousand are answered with at most 17 KB.
    pub(super) const CONTROLS: Self = Self::new(1000, 50);
    /// Streams that either side resets. A browser that leaves a page resets what the page still waited for, at most
    /// the hundred streams that we allow at once.
    pub(super) const RESETS: Self = Self::new(100, 10);

    const fn new(burst: u32, per_second: u32) -> Self {
        Self { burst, per_second, spent: 0, leaked: Duration::ZERO }
    }

    /// Whether one more is within it.
    pub(super) fn spend(&mut self, now: Duration) -> bool {
        let seconds = now.saturating_sub(self.leaked).as_secs();
        if seconds > 0 {
            let leaks = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(self.per_second);
            self.spent = self.spent.saturating_sub(leaks);
            self.leaked = self.leaked.saturating_add(Duration::from_secs(seconds));
        }
        self.spent = self.spent.saturating_add(1);
        self.spent <= self.burst
    }

    pub(super) fn pay_back(&mut self, count: u32) {
        self.spent = self.spent.saturating_sub(count);
    }
}
