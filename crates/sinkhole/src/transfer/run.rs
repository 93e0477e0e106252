//! The primary's sockets: requests over UDP and TCP, and NOTIFY out of the same ports.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::rdata::tsig::Time48;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use wire::dns::Transport;

use super::answer::{Desk, Reply, Transferring};
use super::counts::{Counting, Counts, Kind};
use super::messages::shown;
use super::notify::{self, Heard};
use super::{
    Access, CONNECTIONS_MAX, CONNECTIONS_PER_PREFIX_MAX, IDLE, LIFETIME, Primary, REQUEST_OCTETS_MAX, Sockets,
};
use crate::gate::Gate;
use crate::run::{now, stopped};
use crate::{Error, ZoneTable};

/// How long nothing is accepted after the system refused: no event says that it is over.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);
/// Answers to NOTIFY that wait to be looked at; more are dropped, and the peer is told again.
const HEARD_MAX: usize = 1_024;

//----------- Transfer ---------------------------------------------------------------------------------------------

/// The primary while it runs.
pub struct Transfer {
    counting: Arc<Counting>,
    tasks: Vec<JoinHandle<()>>,
}

/// What all tasks of the primary share.
pub(super) struct House {
    pub(super) access: Access,
    pub(super) published: watch::Receiver<Arc<store::zones::Published>>,
    pub(super) seized: Arc<ZoneTable>,
    pub(super) counting: Arc<Counting>,
    gate: Arc<Gate>,
}

impl Transfer {
    /// Serves zones on these sockets until the stop. Called within a tokio runtime.
    ///
    /// # Errors
    /// If a socket cannot be handed to the runtime.
    pub fn start(
        sockets: Vec<Sockets>,
        primary: Primary,
        seized: Arc<ZoneTable>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let Primary { access, published, seized: changed } = primary;
        let counting = Arc::<Counting>::default();
        let gate = Gate::new(CONNECTIONS_MAX, CONNECTIONS_PER_PREFIX_MAX);
        let house = Arc::new(House { access, published, seized, counting: Arc::clone(&counting), gate });
        let (heard, hears) = mpsc::channel(HEARD_MAX);
        let (mut tasks, mut out) = (Vec::new(), Vec::new());
        for Sockets { udp, tcp } in sockets {
            let udp = UdpSocket::from_std(udp).map_err(trouble("handing a UDP socket to the runtime"))?;
            let tcp = TcpListener::from_std(tcp).map_err(trouble("handing a TCP socket to the runtime"))?;
            let udp = Arc::new(udp);
            out.push(Arc::clone(&udp));
            tasks.push(tokio::spawn(datagrams(udp, Arc::clone(&house), heard.clone(), stop.clone())));
            tasks.push(tokio::spawn(accept(tcp, Arc::clone(&house), stop.clone())));
        }
        if !out.is_empty() {
            tasks.push(tokio::spawn(notify::run(out, house, changed, hears, stop.clone())));
        }
        Ok(Self { counting, tasks })
    }

    /// Tells what was counted since the start, whenever it is asked.
    pub fn counter(&self) -> impl Fn() -> Counts + Send + Sync + 'static {
        let counting = Arc::clone(&self.counting);
        move || counting.read()
    }

    /// Waits for the end, which the stop signal brings about.
    pub async fn join(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the primary ended by itself");
            }
        }
    }
}

fn trouble(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::Listener { what, listener: "transfer".to_owned(), cause }
}

impl House {
    pub(super) fn now(&self) -> Time48 {
        let secs = u64::try_from(now().as_second()).unwrap_or(0);
        Time48::from_u64(secs & 0xffff_ffff_ffff)
    }

    fn answer(&self, packet: Vec<u8>, source: SocketAddr, over: Transport) -> Reply {
        let published = Arc::clone(&self.published.borrow());
        let desk = Desk { access: &self.access, published: &published, seized: &self.seized, counting: &self.counting };
        desk.answer(packet, source.ip(), over, self.now())
    }
}

//----------- UDP --------------------------------------------------------------------------------------------------

async fn datagrams(
    socket: Arc<UdpSocket>,
    house: Arc<House>,
    heard: mpsc::Sender<Heard>,
    mut stop: watch::Receiver<bool>,
) {
    let mut octets = vec![0; REQUEST_OCTETS_MAX];
    loop {
        let received = tokio::select! {
            () = stopped(&mut stop) => return,
            received = socket.recv_from(&mut octets) => received,
        };
        // An error here is a peer's port that is closed, which the kernel tells whoever sends there.
        let Ok((len, source)) = received else { continue };
        let packet = octets[..len].to_vec();
        if is_response(&packet) {
            // Whoever waits for it is told again if there is no room.
            let _ = heard.try_send(Heard { source, packet });
        } else if let Reply::Message(reply) = house.answer(packet, source, Transport::Udp) {
            // What is lost on the way is asked for again.
            let _ = socket.send_to(&reply, source).await;
        }
    }
}

fn is_response(packet: &[u8]) -> bool {
    packet.get(2).is_some_and(|flags| flags & 0x80 != 0)
}

//----------- TCP --------------------------------------------------------------------------------------------------

async fn accept(listener: TcpListener, house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, source)) => welcome(&mut open, stream, source, &house),
                Err(error) => refused(&error).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
    // Whoever is in the middle of a zone asks again; nothing of ours waits for them.
    open.shutdown().await;
}

async fn refused(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "the primary cannot accept");
        sleep(REFUSED_PAUSE).await;
    }
}

fn welcome(open: &mut JoinSet<()>, stream: TcpStream, source: SocketAddr, house: &Arc<House>) {
    let Some(pass) = house.gate.enter(source.ip()) else {
        return house.counting.add(Kind::Shed);
    };
    let house = Arc::clone(house);
    open.spawn(async move {
        // How it ended was counted where it matters; a connection by itself is no news.
        let _ = timeout(LIFETIME, talk(stream, source, &house)).await;
        drop(pass);
    });
}

/// Answers one request after the other, until the peer ends it or is silent.
async fn talk(mut stream: TcpStream, source: SocketAddr, house: &House) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let packet = timeout(IDLE, read(&mut stream)).await??;
        match house.answer(packet, source, Transport::Tcp) {
            Reply::Nothing => return Ok(()),
            Reply::Message(message) => write(&mut stream, &message).await?,
            Reply::Transfer(transfer) => hand_over(&mut stream, source, *transfer, house).await?,
        }
    }
}

async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let len = usize::from(stream.read_u16().await?);
    if len > REQUEST_OCTETS_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut packet = vec![0; len];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

/// A peer that does not read one message in time does not get the next.
async fn write(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let len = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let framed = [&len.to_be_bytes(), message].concat();
    timeout(IDLE, stream.write_all(&framed)).await?
}

async fn hand_over(
    stream: &mut TcpStream,
    source: SocketAddr,
    mut transfer: Transferring,
    house: &House,
) -> io::Result<()> {
    let mut sent = Ok(());
    while let Some(message) = transfer.next(house.now()) {
        sent = write(stream, &message).await;
        if sent.is_err() {
            break;
        }
    }
    let (zone, is_whole) = (shown(transfer.zone()), transfer.is_whole() && sent.is_ok());
    if is_whole {
        house.counting.add(transfer.kind());
        tracing::info!(%source, %zone, what = ?transfer.kind(), "a zone was taken");
        return Ok(());
    }
    house.counting.add(Kind::Broken);
    tracing::warn!(%source, %zone, error = ?sent.as_ref().err(), "a transfer ended in the middle");
    sent.and(Err(io::ErrorKind::InvalidData.into()))
}
