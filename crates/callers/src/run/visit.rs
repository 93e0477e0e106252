//! HTTP as callers speak it: a request, its answer, perhaps the next; or nothing at all.

use std::io;
use std::net::Ipv4Addr;

use model::contact::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connection::{ANSWER_LEN_MAX, ANSWER_TIMEOUT, NoLine, Octets, farewell};
use super::{ATTEMPTS_MAX, RETRY_PAUSE, World};
use crate::act::{Door, Request};
use crate::answer::{Framing, Head};

/// Octets read at once.
const READ_LEN: usize = 16 * 1024;

/// Says the requests one after the other, over one connection as long as the server keeps it.
pub(super) async fn visit(world: &World, from: Ipv4Addr, door: &Door, requests: &[Request]) {
    let mut line = None;
    for request in requests {
        match say_until_heard(world, from, door, line.take(), request).await {
            Ok(kept) => line = kept,
            Err(()) => return world.books.given_up(),
        }
    }
    if let Some(line) = line {
        farewell(line.octets).await;
    }
}

/// Connects, greets TLS or not, says nothing more.
pub(super) async fn stay_silent(world: &World, from: Ipv4Addr, door: &Door) {
    if let Ok(octets) = world.enter(from, door).await {
        farewell(octets).await;
    }
}

/// Sends a hello made by hand, and listens to what it leads to.
pub(super) async fn greet(world: &World, from: Ipv4Addr, hello: &[u8]) {
    let Ok(mut line) = world.connect(from, world.plan.https).await else { return world.books.given_up() };
    if line.write_all(hello).await.is_err() {
        return world.books.given_up();
    }
    world.books.sent(Kind::Hello);
    if !farewell(line).await.is_empty() {
        world.books.answered(Kind::Connection);
        world.books.answered(Kind::Hello);
        world.books.said("tls to a hello alone".into());
    }
}

//----------- Line -------------------------------------------------------------------------------------------------

/// An open connection, and whether it has answered before.
struct Line {
    octets: Box<dyn Octets>,
    is_fresh: bool,
}

/// Tries a request until its answer is there; the connection comes back if it is kept.
async fn say_until_heard(
    world: &World,
    from: Ipv4Addr,
    door: &Door,
    mut line: Option<Line>,
    request: &Request,
) -> Result<Option<Line>, ()> {
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            world.books.retry();
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        let open = match line.take() {
            Some(line) => line,
            None => match world.enter(from, door).await {
                Ok(octets) => Line { octets, is_fresh: matches!(door, Door::Plain) },
                Err(NoLine::Connect) => continue,
                // Refused, and that was the answer.
                Err(NoLine::Handshake) => return Ok(None),
            },
        };
        if request.hangs_up {
            say_and_hang_up(world, open, request).await;
            return Ok(None);
        }
        if let Ok(Ok(kept)) = timeout(ANSWER_TIMEOUT, say(world, open, request)).await {
            return Ok(kept);
        }
    }
    Err(())
}

/// One request and its answer.
async fn say(world: &World, mut line: Line, request: &Request) -> io::Result<Option<Line>> {
    send(world, &mut line, request).await?;
    let mut answer = Vec::new();
    let head = loop {
        read_some(&mut line.octets, &mut answer).await?;
        if let Some(head) = Head::read(&answer) {
            break head;
        }
    };
    heard(world, &mut line, head.status);
    let Framing::Length(body) = head.framing_after(request.bodiless) else {
        // The end of the connection is the end of the answer.
        farewell(line.octets).await;
        return Ok(None);
    };
    while answer.len() < head.len + body {
        read_some(&mut line.octets, &mut answer).await?;
    }
    if head.keeps_connection {
        return Ok(Some(line));
    }
    farewell(line.octets).await;
    Ok(None)
}

/// Malformed: whatever comes back is all there will be.
async fn say_and_hang_up(world: &World, mut line: Line, request: &Request) {
    if send(world, &mut line, request).await.is_err() {
        return world.books.given_up();
    }
    let Line { octets, is_fresh } = line;
    let answer = farewell(octets).await;
    let Some(head) = Head::read(&answer) else { return };
    if is_fresh {
        world.books.answered(Kind::Connection);
    }
    world.books.answered(Kind::Request);
    world.books.said(format!("http {}", head.status));
}

async fn send(world: &World, line: &mut Line, request: &Request) -> io::Result<()> {
    world.books.note(|tally| tally.secrets_typed.extend(request.typed.iter().cloned()));
    line.octets.write_all(&request.octets).await?;
    line.octets.flush().await?;
    world.books.sent(Kind::Request);
    Ok(())
}

/// An answer has begun: the connection answered too, unless it did so before.
fn heard(world: &World, line: &mut Line, status: u16) {
    if std::mem::take(&mut line.is_fresh) {
        world.books.answered(Kind::Connection);
    }
    world.books.answered(Kind::Request);
    world.books.said(format!("http {status}"));
}

async fn read_some(octets: &mut Box<dyn Octets>, answer: &mut Vec<u8>) -> io::Result<()> {
    if answer.len() > ANSWER_LEN_MAX {
        return Err(io::Error::other("the answer is longer than a caller reads"));
    }
    let mut part = [0; READ_LEN];
    let len = octets.read(&mut part).await?;
    if len == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    answer.extend_from_slice(&part[..len]);
    Ok(())
}
