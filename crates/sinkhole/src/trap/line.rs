//! A caller's socket. The runtime hears of it when somebody has to wait for it, and not before: most who ask once have
//! asked by the time that they are let in, and are gone with their answer.

use std::io;
use std::net::TcpStream as Plain;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{MsgFlags, recv, send};
use socket2::SockRef;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

pub(super) enum Line {
    /// Nobody has listened yet.
    Fresh(Plain),
    /// Was heard once without waiting. Not a second time: who always has more to say must not keep a thread.
    Heard(Plain),
    Watched(TcpStream),
    /// Between the two, and for ever if the runtime would not take it.
    Lost,
}

impl Line {
    /// Waits for octets, and reads once.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if let Self::Fresh(stream) = self {
            let read = read_now(stream, into);
            self.was_heard();
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
        let mut buffer = ReadBuf::new(into);
        ready!(Pin::new(self.watched()?).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn was_heard(&mut self) {
        if let Self::Fresh(stream) = std::mem::replace(self, Self::Lost) {
            *self = Self::Heard(stream);
        }
    }

    /// The stream as the runtime has it, from now on.
    fn watched(&mut self) -> io::Result<&mut TcpStream> {
        if !matches!(self, Self::Watched(_)) {
            let (Self::Fresh(stream) | Self::Heard(stream)) = std::mem::replace(self, Self::Lost) else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            let watched = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            *self = Self::Watched(watched.inspect_err(|error| {
                tracing::warn!(%error, "a connection is closed: the runtime cannot wait for it");
            })?);
        }
        match self {
            Self::Watched(stream) => Ok(stream),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) async fn readable(&mut self) -> io::Result<()> {
        self.watched()?.readable().await
    }

    pub(super) async fn writable(&mut self) -> io::Result<()> {
        self.watched()?.writable().await
    }

    pub(super) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Fresh(stream) | Self::Heard(stream) => read_now(stream, into),
            Self::Watched(stream) => stream.try_read(into).or_else(|error| or_now(error, || read_now(stream, into))),
            Self::Lost => Ok(0),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Fresh(stream) | Self::Heard(stream) => write_now(stream, bytes),
            Self::Watched(stream) => {
                stream.try_write(bytes).or_else(|error| or_now(error, || write_now(stream, bytes)))
            }
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Says that nothing more comes from us.
    pub(super) fn shut(&self) -> io::Result<()> {
        match self {
            Self::Fresh(stream) | Self::Heard(stream) => SockRef::from(stream).shutdown(std::net::Shutdown::Write),
            Self::Watched(stream) => SockRef::from(stream).shutdown(std::net::Shutdown::Write),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// The runtime says no for a socket of which it has not heard yet: then the socket itself is asked.
fn or_now(error: io::Error, now: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    if error.kind() == io::ErrorKind::WouldBlock { now() } else { Err(error) }
}

/// Whatever the socket is set to: for one read, setting it would cost another call.
fn read_now(stream: &impl AsRawFd, into: &mut [u8]) -> io::Result<usize> {
    Ok(recv(stream.as_raw_fd(), into, MsgFlags::MSG_DONTWAIT)?)
}

fn write_now(stream: &impl AsRawFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(stream.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?)
}
