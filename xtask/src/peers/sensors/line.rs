//! The line between sensors and core: a TCP proxy of ours that can be cut.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Trouble;
use crate::program::free_tcp;

/// What is passed on at once.
const CHUNK_LEN: usize = 1_024;

#[derive(Debug, Default)]
struct Shared {
    is_cut: AtomicBool,
    /// One connection in so many is cut after so many octets; 0: none.
    one_in: AtomicU64,
    connections: AtomicU64,
    cut: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

/// A line that passes on, until it is cut.
#[derive(Debug)]
pub(super) struct Line {
    shared: Arc<Shared>,
    pub(super) port: u16,
}

impl Line {
    /// A line to a port of this machine.
    pub(super) fn to(port: u16) -> Result<Self, Trouble> {
        let (listener, shared) = (free_tcp()?, Arc::<Shared>::default());
        let own = listener.local_addr()?.port();
        let passing = Arc::clone(&shared);
        std::thread::spawn(move || pass_on(&listener, (Ipv4Addr::LOCALHOST, port).into(), &passing));
        Ok(Self { shared, port: own })
    }

    /// Nothing passes, and what was on its way breaks.
    pub(super) fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::SeqCst);
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    pub(super) fn mend(&self) {
        self.shared.is_cut.store(false, Ordering::SeqCst);
    }

    /// One connection in so many breaks in the middle.
    pub(super) fn breaks_one_in(&self, many: u64) {
        self.shared.one_in.store(many, Ordering::SeqCst);
    }

    pub(super) fn broken(&self) -> u64 {
        self.shared.cut.load(Ordering::SeqCst)
    }
}

fn pass_on(listener: &TcpListener, core: SocketAddr, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        let one_in = shared.one_in.load(Ordering::SeqCst);
        // After the handshake, and somewhere in the request or its answer.
        let most = if one_in > 0 && number.is_multiple_of(one_in) { 1_500 + number * 97 % 4_000 } else { u64::MAX };
        let Ok(onward) = TcpStream::connect(core) else { continue };
        if shared.is_cut.load(Ordering::SeqCst) {
            continue;
        }
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (from, to) in [(&stream, &onward), (&onward, &stream)] {
            let (Ok(from), Ok(to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone()) else { continue };
            open.push(kept);
            let shared = Arc::clone(shared);
            std::thread::spawn(move || copy(from, to, most, &shared));
        }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, most: u64, shared: &Shared) {
    let (mut chunk, mut passed) = ([0; CHUNK_LEN], 0);
    while let Ok(len) = from.read(&mut chunk) {
        passed += len as u64;
        if passed > most {
            shared.cut.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if len == 0 || to.write_all(&chunk[..len]).is_err() {
            break;
        }
    }
    // Whoever is at either end hears of it at once.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
