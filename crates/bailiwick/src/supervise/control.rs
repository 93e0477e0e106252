//! The control socket: the API, on a Unix socket in the data folder. The kernel says who speaks.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::IncomingStream;
use desk::Peer;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::door::SOCKET;
use crate::failure::{Failure, Tried};

/// Who is on the other end; nobody if the kernel cannot say.
#[derive(Clone, Copy)]
struct Caller(Option<Peer>);

impl Connected<IncomingStream<'_, UnixListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| Peer { uid: peer.uid() }))
    }
}

/// Listens until told to stop. Only this user and root can open the socket.
pub(super) fn serve(data: &Path, router: Router, stopped: watch::Receiver<bool>) -> Result<JoinHandle<()>, Failure> {
    let socket = data.join(SOCKET);
    // The lock on the folder is ours, so a socket that is still there belongs to a process that is gone.
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).tried("removing an old control socket");
        }
        _ => {}
    }
    let listener = UnixListener::bind(&socket).tried(format_args!("opening {}", socket.display()))?;
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o600))
        .tried("closing the control socket to others")?;
    let service = router.layer(middleware::from_fn(name_the_peer)).into_make_service_with_connect_info::<Caller>();
    Ok(tokio::spawn(async move {
        let mut stopped = stopped;
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(until).await {
            tracing::error!(%error, "the control socket failed; commands cannot reach this daemon");
        }
        // A socket that nobody listens on would look like a daemon that hangs.
        let _ = std::fs::remove_file(socket);
    }))
}

async fn name_the_peer(ConnectInfo(Caller(peer)): ConnectInfo<Caller>, mut request: Request, next: Next) -> Response {
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}
