//! What the doctor says of the machine: buffers, files, and who has our ports.

use std::fs;

use nix::sys::resource::{Resource, getrlimit};

use super::Finding;
use crate::config::Config;
use crate::door::SOCKET;
use crate::listen::{self, UDP_RECEIVE_OCTETS};

/// Files for the largest number of callers at once, and our own.
const FILES_MIN: u64 = 20_000;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    vec![receive_buffer(), files(), ports(config)]
}

/// The kernel grants no more than its own limit, whatever is asked for.
fn receive_buffer() -> Finding {
    let about = "UDP receive buffer";
    let file = "/proc/sys/net/core/rmem_max";
    let granted = fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<usize>().ok());
    match granted {
        None => Finding::weak(about, format!("{file} cannot be read"), "look with `sysctl net.core.rmem_max`"),
        Some(max) if max < UDP_RECEIVE_OCTETS => Finding::weak(
            about,
            format!("the kernel grants {max} octets, we ask for {UDP_RECEIVE_OCTETS}"),
            format!("bursts are lost sooner; `sysctl -w net.core.rmem_max={UDP_RECEIVE_OCTETS}`"),
        ),
        Some(_) => Finding::holds(about, format!("{UDP_RECEIVE_OCTETS} octets are granted")),
    }
}

fn files() -> Finding {
    let about = "open files";
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((0, 0));
    match hard < FILES_MIN {
        true => Finding::weak(about, format!("at most {hard}"), "callers are let in as files allow; raise LimitNOFILE"),
        false => Finding::holds(about, format!("at most {hard}")),
    }
}

/// With a daemon running they are taken, by it. Without one each is opened, and closed again.
fn ports(config: &Config) -> Finding {
    let about = "addresses";
    if std::os::unix::net::UnixStream::connect(config.data.join(SOCKET)).is_ok() {
        return Finding::holds(about, "a daemon runs and listens");
    }
    // A sensor's socket would leave a file behind.
    let config = Config { dnstap: Vec::new(), ..config.clone() };
    match listen::open(&config) {
        Ok(_) => Finding::holds(about, "every address can be listened on"),
        Err(failure) => {
            Finding::wrong(about, failure.message(), failure.what_to_do().unwrap_or("mend the configuration"))
        }
    }
}
