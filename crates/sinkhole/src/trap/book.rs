//! Writes one connection's knocks: the connection with the first of them, each request with its outcome in one commit.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Timestamp;
use model::id::ContactId;
use model::outcome::{End, Outcome, Tls};
use model::tally::{Shed, Tally};
use model::time::{after, from_nanos, to_nanos};
use wire::http::{Exchange, Head};

use super::knock::{First, Knock, Reply};
use crate::recorder::{self, Recorder};
use crate::witness::{self, Caller, Concern, Witness};

/// Whether a contact is on record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Line {
    #[default]
    Blank,
    Kept(ContactId),
    /// Counted only: not covered, or the journal could not be written.
    Counted,
}

impl Line {
    fn id(self) -> Option<ContactId> {
        match self {
            Self::Kept(id) => Some(id),
            Self::Blank | Self::Counted => None,
        }
    }
}

pub(super) struct Book {
    recorder: Arc<Mutex<Recorder>>,
    caller: Caller,
    /// In nanoseconds since 1970: a timestamp would take twice the room.
    accepted: i64,
    lines: Lines,
}

#[derive(Clone, Copy, Default)]
struct Lines {
    connection: Line,
    hello: Line,
    /// The request that was asked to go on.
    asked: Line,
}

/// What is known of a connection when it is over.
pub(super) struct Farewell {
    pub(super) octets_in: u64,
    pub(super) octets_out: u64,
    pub(super) duration: Duration,
    pub(super) end: End,
    pub(super) tls: Option<Tls>,
}

impl Book {
    pub(super) fn new(recorder: Arc<Mutex<Recorder>>, caller: Caller, accepted: Timestamp) -> Self {
        Self { recorder, caller, accepted: to_nanos(accepted), lines: Lines::default() }
    }

    /// Writes a knock, before anything is answered to it.
    pub(super) fn record(&mut self, knock: &Knock, now: Timestamp) {
        let Some(concern) = knock.concern() else { return self.note(knock) };
        let recorder = Arc::clone(&self.recorder);
        let mut recorder = recorder::held(&recorder);
        let count = self.count_of(knock);
        if !concern.may_record(now) {
            recorder.count(&not_covered(count));
            self.lines = self.lines.counted();
        } else if count == 0 || recorder.has_room(&concern.wanted(self.source()), count, now) {
            let lines = self.stage(&mut recorder, knock, concern);
            self.lines = if recorder.commit(now) { lines } else { self.lines.counted() };
        } else {
            self.lines = self.lines.counted();
        }
    }

    /// What concerns nobody: from here on whom the balancer names has called; or a limit was reached.
    fn note(&mut self, knock: &Knock) {
        match knock {
            Knock::Proxied(header) => self.caller = self.caller.told_by(header),
            Knock::CutShort(cut_short) => {
                recorder::held(&self.recorder).count(&Tally { cut_short: *cut_short, ..Tally::default() });
            }
            _ => {}
        }
    }

    pub(super) fn source(&self) -> IpAddr {
        self.caller.source.ip()
    }

    /// Writes how it ended; a connection that said nothing is on record from here. What is on record already may wait
    /// for its outcome: a recorder that comes back wants [`Recorder::write_staged`] a little later.
    #[must_use]
    pub(super) fn close(&mut self, farewell: &Farewell, now: Timestamp) -> Option<Arc<Mutex<Recorder>>> {
        let is_on_record = self.lines.connection != Line::Blank;
        let held = Arc::clone(&self.recorder);
        let mut recorder = recorder::held(&held);
        self.stage_end(&mut recorder, farewell, now)?;
        if !is_on_record {
            recorder.commit(now);
            return None;
        }
        let is_mine = recorder.leave_staged();
        drop(recorder);
        is_mine.then_some(held)
    }

    /// `None` if there is nothing to say it of.
    fn stage_end(&self, recorder: &mut Recorder, farewell: &Farewell, now: Timestamp) -> Option<()> {
        let connection = match self.lines.connection {
            Line::Blank if !recorder.has_room(&Concern::default().wanted(self.source()), 1, now) => return None,
            Line::Blank => self.stage_connection(recorder, &Concern::default()),
            line => line.id()?,
        };
        if let Some(hello) = self.lines.hello.id() {
            let id = recorder.next_id();
            recorder.outcome(farewell.outcome(id, hello, farewell.tls, now));
        }
        let id = recorder.next_id();
        recorder.outcome(farewell.outcome(id, connection, None, now));
        Some(())
    }

    //----- Staging

    /// Stages a knock and what has to stand before it; says what is on record if the commit succeeds.
    fn stage(&self, recorder: &mut Recorder, knock: &Knock, concern: &Concern) -> Lines {
        let mut lines = self.lines;
        if lines.connection == Line::Blank {
            let first = if let Knock::First { first, .. } = knock { first } else { &First::default() };
            lines.connection = Line::Kept(self.stage_first(recorder, first, concern));
        }
        let over = lines.hello.id().or(lines.connection.id());
        let (id, witness) = (recorder.next_id(), Witness { caller: self.caller, concern });
        match knock {
            Knock::Arrived { .. } | Knock::First { .. } | Knock::Proxied(_) | Knock::CutShort(_) => {}
            Knock::Mail { mailed, .. } => {
                recorder.contact(witness.mail(id, self.after(mailed.transaction.began), over, mailed));
            }
            Knock::Hello { at, hello, raw, .. } => {
                recorder.contact(witness.hello(id, self.after(*at), over, hello, raw));
                lines.hello = Line::Kept(id);
            }
            Knock::Asked { head, .. } => {
                recorder.contact(witness.request(id, self.after(head.began), over, head, &[]));
                lines.asked = Line::Kept(id);
            }
            Knock::Answered { head, exchange, accounts, reply, .. } => {
                let of = match lines.asked {
                    _ if !reply.was_asked => {
                        recorder.contact(witness.request(id, self.after(head.began), over, head, &exchange.oddities));
                        Some(id)
                    }
                    asked => asked.id(),
                };
                if let Some(of) = of {
                    let id = recorder.next_id();
                    let accounts = accounts.iter().map(|sealed| sealed.as_slice().into()).collect();
                    recorder.outcome(Outcome { accounts, ..self.answered(id, of, head, exchange, reply) });
                }
                if reply.was_asked {
                    lines.asked = Line::Blank;
                }
            }
        }
        lines
    }

    fn stage_connection(&self, recorder: &mut Recorder, concern: &Concern) -> ContactId {
        let id = recorder.next_id();
        recorder.contact(Witness { caller: self.caller, concern }.connection(id, from_nanos(self.accepted)));
        id
    }

    fn stage_first(&self, recorder: &mut Recorder, first: &First, concern: &Concern) -> ContactId {
        let id = recorder.next_id();
        recorder.contact(Witness { caller: self.caller, concern }.first(id, from_nanos(self.accepted), first));
        id
    }

    fn answered<'a>(
        &self,
        id: ContactId,
        of: ContactId,
        head: &Head,
        exchange: &'a Exchange,
        reply: &Reply,
    ) -> Outcome<'a> {
        Outcome {
            id,
            of,
            at: self.after(reply.at),
            octets_in: head.octets + exchange.body.as_ref().map_or(0, |body| body.len),
            octets_out: reply.octets,
            duration_nanos: nanos(reply.at.saturating_sub(head.began)),
            end: if reply.ends { End::Us } else { End::Answered },
            status: reply.status,
            tls: None,
            body: exchange.body.as_ref().map(witness::body),
            accounts: Vec::new(),
        }
    }

    fn after(&self, since: Duration) -> Timestamp {
        after(self.accepted, since)
    }

    /// How many contacts a knock that may not be kept stands for.
    fn count_of(&self, knock: &Knock) -> u64 {
        let is_new = match knock {
            Knock::Answered { reply, .. } => !reply.was_asked,
            Knock::Arrived { .. } | Knock::First { .. } => false,
            _ => true,
        };
        u64::from(is_new) + u64::from(self.lines.connection == Line::Blank)
    }
}

impl Lines {
    /// What was not on record before stays outside.
    fn counted(self) -> Self {
        let connection = if self.connection == Line::Blank { Line::Counted } else { self.connection };
        Self { connection, asked: Line::Counted, ..self }
    }
}

impl Farewell {
    fn outcome(&self, id: ContactId, of: ContactId, tls: Option<Tls>, at: Timestamp) -> Outcome<'static> {
        Outcome {
            id,
            of,
            at,
            octets_in: self.octets_in,
            octets_out: self.octets_out,
            duration_nanos: nanos(self.duration),
            end: self.end,
            status: None,
            tls,
            body: None,
            accounts: Vec::new(),
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn not_covered(count: u64) -> Tally {
    Tally { shed: Shed { not_covered: count, ..Shed::default() }, ..Tally::default() }
}
