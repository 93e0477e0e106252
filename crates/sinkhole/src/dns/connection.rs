//! One TCP connection that brings DNS queries, from its accept to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::contact::{self, Contact, Limits, Transport, Via, What};
use model::id::ContactId;
use model::outcome::{End, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use wire::dns::Query;

use super::deed::{Arrival, Read};
use super::tcp::House;
use crate::run::stopped;
use crate::thrift::Wanted;

/// What is read at once.
const READ_OCTETS: usize = 4_096;
/// Replies are sent when there are that many octets of them, however many queries still wait.
const OUTBOX_OCTETS: usize = 16_384;
/// After the stop, how long a connection may be silent before all that was sent to us has arrived.
const STOP_SILENCE: Duration = Duration::from_millis(50);
/// After the stop, how long a connection may go on that is never silent.
const STOP_GRACE: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    house: Arc<House>,
    stream: TcpStream,
    source: SocketAddr,
    local: SocketAddr,
    began: Timestamp,
    /// The contact that it is; `None` if the journal could not be written.
    id: Option<ContactId>,
    inbox: Vec<u8>,
    octets_in: u64,
    octets_out: u64,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, source: SocketAddr, house: Arc<House>) -> Self {
        let began = (house.clock)();
        let local = stream.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        let inbox = Vec::with_capacity(READ_OCTETS);
        Self { house, stream, source, local, began, id: None, inbox, octets_in: 0, octets_out: 0 }
    }

    pub(super) async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        self.record_arrival();
        // Small answers should not wait for more; without the option they are only slower.
        let _ = self.stream.set_nodelay(true);
        let lifetime = self.house.limits.lifetime;
        let end = timeout(lifetime, self.talk(&mut stop)).await.unwrap_or(End::Limit);
        self.record_end(end);
    }

    //------- Talking

    /// Answers until somebody ends it.
    async fn talk(&mut self, stop: &mut watch::Receiver<bool>) -> End {
        let idle = self.house.limits.idle;
        loop {
            tokio::select! {
                arrived = timeout(idle, self.next_message()) => {
                    if let Err(end) = arrived.unwrap_or(Err(End::TimedOut)) {
                        return end;
                    }
                }
                () = stopped(stop) => {
                    return timeout(STOP_GRACE, self.finish()).await.unwrap_or(End::Stopped);
                }
            }
            if let Err(end) = self.answer_messages().await {
                return end;
            }
        }
    }

    /// Answers what was sent before the stop.
    async fn finish(&mut self) -> End {
        while let Ok(arrived) = timeout(STOP_SILENCE, self.next_message()).await {
            if let Err(end) = arrived {
                return end;
            }
            if let Err(end) = self.answer_messages().await {
                return end;
            }
        }
        End::Stopped
    }

    /// Reads until a whole message is there. May be given up at any await without losing an octet.
    async fn next_message(&mut self) -> Result<(), End> {
        let mut chunk = [0; READ_OCTETS];
        while whole_message(&self.inbox, self.house.limits.query_octets_max)?.is_none() {
            match self.stream.read(&mut chunk).await {
                Ok(0) => return Err(End::Peer),
                Ok(count) => {
                    self.inbox.extend_from_slice(&chunk[..count]);
                    self.octets_in += count as u64;
                }
                Err(error) => return Err(end_by(&error)),
            }
        }
        Ok(())
    }

    /// Answers every whole message in the inbox.
    async fn answer_messages(&mut self) -> Result<(), End> {
        let mut outbox = Vec::new();
        while self.record_messages(&mut outbox) {
            let sent = timeout(self.house.limits.idle, self.stream.write_all(&outbox)).await;
            sent.map_err(|_| End::TimedOut)?.map_err(|error| end_by(&error))?;
            self.octets_out += outbox.len() as u64;
        }
        Ok(())
    }

    /// Takes messages until the outbox is full, and records them with one write. `false`: there was none. A message too
    /// long to be read ends the connection only once those before it are answered.
    fn record_messages(&mut self, outbox: &mut Vec<u8>) -> bool {
        outbox.clear();
        let (zones, now) = (self.house.zones.read(), (self.house.clock)());
        let saying = self.house.voice.read();
        let mut pen = self.house.pen();
        let (mut taken, mut sent, mut reply) = (0, 0, Vec::new());
        while outbox.len() < OUTBOX_OCTETS
            && let Ok(Some(packet)) = whole_message(&self.inbox[taken..], self.house.limits.query_octets_max)
        {
            taken += 2 + packet.len();
            let query = Query::parse(packet);
            let found = query.question.and_then(|question| zones.find(question.name));
            pen.serve(&self.arrival(packet, now), Read { query: &query, found }, &saying, &mut reply);
            if let Ok(len) = u16::try_from(reply.len()).map(u16::to_be_bytes)
                && !reply.is_empty()
            {
                outbox.extend_from_slice(&len);
                outbox.extend_from_slice(&reply);
                sent += 1;
            }
        }
        if taken > 0 {
            pen.count_sent(sent);
            pen.commit(now);
        }
        drop(pen);
        self.inbox.drain(..taken);
        taken > 0
    }

    fn arrival<'a>(&self, packet: &'a [u8], received: Timestamp) -> Arrival<'a> {
        Arrival {
            packet,
            is_cut: false,
            received,
            since_start_nanos: self.house.started.nanos(),
            source: self.source,
            local: self.local,
            transport: wire::dns::Transport::Tcp,
            over: self.id,
        }
    }

    //------- Recording

    fn record_arrival(&mut self) {
        let mut pen = self.house.pen();
        let recorder = &mut pen.recorder;
        if !recorder.has_room(&Wanted::new(self.source.ip(), "", false), 1, self.began) {
            return;
        }
        let id = recorder.next_id();
        recorder.contact(Contact {
            id,
            received: self.began,
            source: self.source,
            local: self.local,
            transport: Transport::Tcp,
            via: Via::Direct,
            over: None,
            subject: None,
            oddities: Vec::new(),
            limits: Limits::default(),
            what: What::Connection(contact::Connection::default()),
        });
        let is_recorded = recorder.commit(self.began);
        drop(pen);
        self.id = is_recorded.then_some(id);
    }

    fn record_end(&self, end: End) {
        let Some(of) = self.id else { return };
        let at = (self.house.clock)();
        let mut pen = self.house.pen();
        let recorder = &mut pen.recorder;
        let id = recorder.next_id();
        let lasted = at.duration_since(self.began).as_nanos();
        recorder.outcome(Outcome {
            id,
            of,
            at,
            octets_in: self.octets_in,
            octets_out: self.octets_out,
            duration_nanos: u64::try_from(lasted).unwrap_or(0),
            end,
            status: None,
            tls: None,
            body: None,
            accounts: Vec::new(),
        });
        recorder.commit(at);
    }
}

/// The first message in `inbox`, if all of it is there (RFC 7766, 8). One that is longer than `max` ends it.
fn whole_message(inbox: &[u8], max: usize) -> Result<Option<&[u8]>, End> {
    let [high, low, rest @ ..] = inbox else { return Ok(None) };
    let len = usize::from(u16::from_be_bytes([*high, *low]));
    if len > max { Err(End::Limit) } else { Ok(rest.get(..len)) }
}

fn end_by(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => End::Reset,
        _ => End::Us,
    }
}
