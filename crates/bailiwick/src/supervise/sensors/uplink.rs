//! The sensor's sending: what the machine says is done, one task for each segment on its way.

use std::fs::File;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use model::Digest;
use model::segment::{Receipt, SegmentKey};
use model::time::to_nanos;
use store::Journal;
use store::journal::ClosedSegment;
use store::sensors::{Answer, Found, Todo, Uplink};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::caller::Caller;
use super::{CLOCK_FIELD, DIGEST_FIELD, END_FIELD, LOST_FIELD};
use crate::config::Config;
use crate::failure::{Failure, Tried};
use crate::supervise::now;

/// How often the folder is looked at, and old segments are closed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is read of a segment at once.
const CHUNK_LEN: usize = 64 << 10;

/// How the uplink stands, for whoever asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) tally: store::sensors::UplinkTally,
    pub(crate) lag_secs: u64,
    pub(crate) last_heard: Option<model::Timestamp>,
}

/// The sending side.
pub(crate) struct Sending {
    journal: Arc<Journal>,
    caller: Caller,
    machine: Uplink,
    segments: Vec<ClosedSegment>,
    began: Instant,
    standing: Arc<Mutex<Standing>>,
}

/// What a task came to.
struct Came {
    key: SegmentKey,
    answer: Result<Answer, String>,
}

impl Sending {
    pub(crate) fn new(journal: Arc<Journal>, caller: Caller, config: &Config) -> Self {
        let machine = Uplink::new(config.uplink.limits());
        let (segments, standing) = (Vec::new(), Arc::default());
        Self { journal, caller, machine, segments, began: Instant::now(), standing }
    }

    pub(crate) fn standing(&self) -> Arc<Mutex<Standing>> {
        Arc::clone(&self.standing)
    }

    /// Sends until the stop. What is on its way then comes again at the next start.
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let (came, mut coming) = mpsc::channel(64);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let came_back = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                _ = look.tick() => None,
                came = coming.recv() => came,
            };
            match came_back {
                Some(Came { key, answer }) => self.take(key, answer),
                None => self.look().await,
            }
            while let Some(todo) = self.machine.next(self.began.elapsed(), self.sensor()) {
                self.carry_out(todo, &came);
            }
            self.tell();
        }
    }

    fn sensor(&self) -> model::id::SensorId {
        self.journal.sensor()
    }

    /// Closes what is old, and sees what lies there.
    async fn look(&mut self) {
        let journal = Arc::clone(&self.journal);
        let listing = tokio::task::spawn_blocking(move || {
            if let Err(error) = journal.close_old(now()) {
                tracing::error!(%error, "a segment could not be closed; it goes on");
            }
            journal.closed_segments()
        });
        match listing.await {
            Ok(Ok(segments)) => {
                let found: Vec<Found> = segments.iter().map(|one| Found { key: one.key(), octets: one.len }).collect();
                self.machine.found(&found);
                self.segments = segments;
            }
            Ok(Err(error)) => tracing::error!(%error, "the journal could not be looked at; what was seen last is sent"),
            Err(error) => tracing::error!(%error, "looking at the journal broke off"),
        }
    }

    fn take(&mut self, key: SegmentKey, answer: Result<Answer, String>) {
        if let Ok(answer) = &answer
            && !answer.is_receipt()
            && !matches!(answer, Answer::Busy | Answer::Expected { .. })
        {
            tracing::error!(segment = %key, "{}; nothing of it is deleted", answer.text());
        }
        if answer.is_ok() {
            held(&self.standing).last_heard = Some(now());
        }
        self.machine.answered(key, answer.as_ref().copied().map_err(String::as_str), self.began.elapsed(), dice());
    }

    fn carry_out(&mut self, todo: Todo, came: &mpsc::Sender<Came>) {
        match todo {
            Todo::Release { key } => {
                let released = self.find(key).map(|segment| self.journal.release(segment));
                if let Some(Err(error)) = &released {
                    tracing::error!(%error, segment = %key, "a segment that the core has could not be removed");
                }
                let is_gone = released.is_none_or(|released| released.is_ok());
                self.machine.released(key, is_gone, self.began.elapsed());
                self.segments.retain(|segment| !is_gone || segment.key() != key);
            }
            Todo::Send { key, lost_before } => {
                let Some(segment) = self.find(key).cloned() else {
                    return self.take(key, Err("the segment is gone".to_owned()));
                };
                let (journal, caller, came) = (Arc::clone(&self.journal), self.caller.clone(), came.clone());
                tokio::spawn(async move {
                    let answer = send(&journal, &caller, segment, lost_before).await;
                    let answer = answer.map_err(|failure| failure.message().to_owned());
                    // A loop that has ended asks for nothing more.
                    let _ = came.send(Came { key, answer }).await;
                });
            }
        }
    }

    fn find(&self, key: SegmentKey) -> Option<&ClosedSegment> {
        self.segments.iter().find(|segment| segment.key() == key)
    }

    fn tell(&self) {
        let oldest = self.segments.iter().filter_map(|segment| std::fs::metadata(&segment.path).ok()?.modified().ok());
        let lag_secs = oldest.min().and_then(|oldest| oldest.elapsed().ok()).map_or(0, |lag| lag.as_secs());
        let mut standing = held(&self.standing);
        (standing.tally, standing.lag_secs) = (self.machine.tally(), lag_secs);
    }
}

fn held(standing: &Mutex<Standing>) -> MutexGuard<'_, Standing> {
    standing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Random enough that sensors do not come back in one second.
fn dice() -> u64 {
    let mut octets = [0; 8];
    // Without any the rest is half as long.
    let _ = getrandom::fill(&mut octets);
    u64::from_be_bytes(octets)
}

//----------- One segment ------------------------------------------------------------------------------------------

async fn send(
    journal: &Arc<Journal>,
    caller: &Caller,
    segment: ClosedSegment,
    lost_before: bool,
) -> Result<Answer, Failure> {
    let (key, len) = (segment.key(), segment.len);
    let reader = Arc::clone(journal);
    let read = move || {
        let (digest, end) = (segment.digest()?, reader.end_of(&segment)?);
        Ok::<_, store::Error>((digest, end, segment.path))
    };
    let read = tokio::task::spawn_blocking(read).await.tried("reading a segment")?;
    let (digest, end, path) = read.tried("reading a segment")?;
    let file = File::open(&path).tried(format_args!("opening {}", path.display()))?;
    let fields = fields(&digest, len, end, lost_before);
    let answered = caller.put(&format!("/v1/segments/{key}"), fields, Octets { file, left: len }, len).await?;
    understand(key, &digest, answered.status, &answered.body)
}

fn fields(digest: &Digest, len: u64, end: Option<u64>, lost_before: bool) -> HeaderMap {
    let mut fields = HeaderMap::new();
    let text = |text: String| HeaderValue::from_str(&text).expect("digits are a field's value");
    fields.insert(DIGEST_FIELD, text(digest.to_string()));
    fields.insert(header::CONTENT_LENGTH, len.into());
    fields.insert(CLOCK_FIELD, text(to_nanos(now()).to_string()));
    if let Some(end) = end {
        fields.insert(END_FIELD, end.into());
    }
    if lost_before {
        fields.insert(LOST_FIELD, HeaderValue::from_static("yes"));
    }
    fields
}

/// A receipt counts only for the segment and the digest that were sent.
fn understand(key: SegmentKey, digest: &Digest, status: StatusCode, body: &[u8]) -> Result<Answer, Failure> {
    if status.is_success() {
        let receipt: Receipt = serde_json::from_slice(body).tried("reading a receipt")?;
        if receipt.segment != key || receipt.digest != *digest {
            return Err(Failure::new(format!(
                "the receipt for {key} is for {} of {}",
                receipt.segment, receipt.digest
            )));
        }
        return Ok(if status == StatusCode::CREATED { Answer::Stored } else { Answer::Had });
    }
    let said = || String::from_utf8_lossy(body).chars().take(300).collect::<String>();
    let answer = serde_json::from_slice(body).ok().filter(|answer: &Answer| !answer.is_receipt());
    answer.ok_or_else(|| Failure::new(format!("the core says {status}: {}", said())))
}

/// A segment as the body of a request.
struct Octets {
    file: File,
    left: u64,
}

impl Body for Octets {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut chunk = Vec::with_capacity(CHUNK_LEN);
        let most = self.left.min(CHUNK_LEN as u64);
        // From the page cache, where the digest has just read it.
        match (&mut self.file).take(most).read_to_end(&mut chunk) {
            Ok(0) => Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into()))),
            Ok(len) => {
                self.left -= len as u64;
                Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_receipt_for_what_was_sent_is_one() {
        let key: SegmentKey = "00000002/00000003/0001/0000000a".parse().unwrap();
        let (digest, received) = (Digest([7; 32]), model::Timestamp::UNIX_EPOCH);
        let receipt = |segment, digest| serde_json::to_vec(&Receipt { segment, digest, octets: 1, received }).unwrap();
        let understood = |status, body: &[u8]| understand(key, &digest, status, body).ok();
        assert_eq!(understood(StatusCode::CREATED, &receipt(key, digest)), Some(Answer::Stored));
        assert_eq!(understood(StatusCode::OK, &receipt(key, digest)), Some(Answer::Had));
        assert_eq!(understood(StatusCode::OK, &receipt(key, Digest([8; 32]))), None);
        assert_eq!(understood(StatusCode::OK, &receipt(SegmentKey { number: 11, ..key }, digest)), None);
        assert_eq!(understood(StatusCode::OK, b"<html>a proxy's idea of an answer</html>"), None);
        assert_eq!(understood(StatusCode::OK, br#"{"answer":"had"}"#), None);
        assert_eq!(understood(StatusCode::CONFLICT, br#"{"answer":"had"}"#), None, "a receipt is none of that form");
        let expected = br#"{"answer":"expected","number":3}"#;
        assert_eq!(understood(StatusCode::CONFLICT, expected), Some(Answer::Expected { number: 3 }));
        assert_eq!(understood(StatusCode::SERVICE_UNAVAILABLE, b"trouble"), None);
    }
}
