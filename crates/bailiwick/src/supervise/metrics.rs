//! The listener for Prometheus: `GET /metrics` and nothing else, for whoever can reach it. It tells counts only.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use desk::StatusSource;
use tokio::sync::watch;

use super::Pulse;
use crate::failure::{Done, Tried};

/// Answers on these sockets until the stop, which waits for nobody here.
pub(super) fn serve(listeners: Vec<TcpListener>, pulse: &Arc<Pulse>, stopped: &watch::Receiver<bool>) -> Done {
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener).tried("handing a socket to the runtime")?;
        let (pulse, mut stopped) = (Arc::clone(pulse), stopped.clone());
        let show = move || async move {
            let text = desk::metrics(pulse.live(), pulse.dns());
            ([(header::CONTENT_TYPE, desk::METRICS_MEDIA_TYPE)], text)
        };
        let router = Router::new().route("/metrics", get(show));
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                served = axum::serve(listener, router) => {
                    if let Err(error) = served {
                        tracing::error!(%error, "the listener for metrics failed; the rest goes on");
                    }
                }
            }
        });
    }
    Ok(())
}
